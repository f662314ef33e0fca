# `make` says what there is. Settings come from the environment, from `make demo PORT=9000` or from a .env:
# docs/running.md names them all. Nothing but Python 3.11 or newer, make and a package index is assumed.

.DEFAULT_GOAL := help
.PHONY: help demo serve worker check test slow long bench lint types schema check-schema migrate migration explorer check-explorer page check-page lock clean

BIN := .venv/bin
# What is compiled is kept, whatever the environment says: each start would compile it again.
export PYTHONDONTWRITEBYTECODE :=

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes
UV := uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps --require-hashes
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header
# The first Python that is new enough.
FIND := for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done
PYTHON ?= $(shell $(FIND))
# Tests at a time: many wait more than they work.
JOBS ?= 4
PYTEST := $(BIN)/python -m pytest

help:  ## what there is
	@sed -n 's/^\([a-z-]*\):.*  ## /\1@/p' Makefile | awk -F@ '{ printf "  make %-15s %s\n", $$1, $$2 }'

demo: .venv/base  ## a live board with sample data on http://127.0.0.1:8000
	@$(BIN)/python server.py demo

serve: .venv/base  ## the server, without sample data
	@$(BIN)/python server.py serve --migrate

worker: .venv/base  ## a worker with agents (ARGS="--executor claude_code --repository ../my-project")
	@$(BIN)/python server.py worker $(ARGS)

migrate: .venv/base  ## bring the database to the newest schema (TO=revision for another)
	@$(BIN)/python server.py migrate $(if $(TO),--to $(TO))

check: .venv/dev  ## the tests to run while one works: SQLite, in this process, a minute (ARGS="-k move" for some)
	@$(PYTEST) -n auto --maxprocesses $(JOBS) --dist worksteal -m "not (processes or postgresql or slow or long)" $(ARGS)

test: .venv/dev  ## the tests but those of slow and long, on SQLite and PostgreSQL (ARGS="-k move" for some)
	@$(PYTEST) -n $(JOBS) --dist worksteal -m "not (slow or long)" $(ARGS)

slow: .venv/dev  ## the slow tests: crowds, kills, benchmarks and the demo
	@$(PYTEST) -n $(JOBS) --dist worksteal -m "slow and not long" $(ARGS)

long: .venv/dev  ## the long tests: runs of minutes, real agent programs where they are installed
	@$(PYTEST) -m long $(ARGS)

bench: .venv/dev  ## how fast it is
	@$(BIN)/python -m bench $(ARGS)

lint: .venv/dev  ## style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/dev  ## types
	@$(BIN)/mypy

schema: .venv/base  ## write schema/schema.graphql and schema/possible-types.json
	@$(BIN)/python server.py schema > schema/schema.graphql.new && mv schema/schema.graphql.new schema/schema.graphql
	@$(BIN)/python server.py schema --possible-types > schema/possible-types.json.new && \
		mv schema/possible-types.json.new schema/possible-types.json

check-schema: .venv/base  ## whether schema/schema.graphql is current
	@$(BIN)/python server.py schema | diff -u schema/schema.graphql - || { echo "schema/schema.graphql is old: make schema" >&2; exit 1; }

migration: .venv/dev  ## write a migration from the models: make migration TITLE="pre add card.colour"
	@$(BIN)/python server.py migration "$(TITLE)"
	@$(BIN)/ruff check --quiet --fix-only alembic && $(BIN)/ruff format --quiet alembic

explorer:  ## build the GraphiQL page (needs Node)
	@cd explorer && npm ci --silent && npm run --silent build

check-explorer:  ## whether the committed page is what its source makes (needs Node)
	@explorer/check.sh

page:  ## build the board page (needs Node)
	@cd page && npm ci --silent && npm run --silent build -- --logLevel warn

check-page:  ## whether the committed board page is what its source makes (needs Node)
	@page/check.sh

lock:  ## pin what pyproject.toml asks for (needs uv)
	@$(LOCK) $(UPGRADE) pyproject.toml -o requirements/base.lock
	@$(LOCK) $(UPGRADE) pyproject.toml --extra dev -c requirements/base.lock -o requirements/dev.lock

clean:  ## remove what make made; databases stay
	@rm -rf .venv node_modules explorer/node_modules page/node_modules tests/clients/node_modules
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Installed once for each state of the lock file. uv is used when it is there and can; pip always can.
.venv/base: requirements/base.lock | $(BIN)/python
	@echo "Installing what requirements/base.lock pins ..."
	@$(UV) -r $< 2>/dev/null || $(PIP) -r $<
	@touch $@

.venv/dev: requirements/dev.lock | $(BIN)/python
	@echo "Installing what requirements/dev.lock pins ..."
	@$(UV) -r $< 2>/dev/null || $(PIP) -r $<
	@touch $@ .venv/base

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "signalbox: needs Python 3.11 or newer" >&2; exit 2; }
	@$(PYTHON) -m venv .venv 2>/dev/null || uv venv --quiet --seed --python $(PYTHON) .venv 2>/dev/null || \
		{ rm -rf .venv; echo "signalbox: $(PYTHON) cannot make a virtual environment; install python3-venv or uv" >&2; exit 2; }
