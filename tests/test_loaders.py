"""Kept statements: one for each kind of actor, and nothing of any actor in them."""

import gc
import importlib
import itertools
import pkgutil

import pytest
from sqlalchemy.dialects import postgresql, sqlite

import resolvers
from kit.db.rows import Statement
from models.actor import Actor, ActorKind, Scope
from resolvers.card import CARD
from resolvers.loaders import Relation, parameters_of

ACTORS = {
    "person": Actor(ActorKind.USER, "canary_1", session_id="canary_2"),
    "key": Actor(ActorKind.AGENT, "canary_1", "canary_2", scopes=frozenset([Scope.WRITE])),
    "key of a board": Actor(ActorKind.AGENT, "canary_1", "canary_2", "canary_3"),
    "run": Actor(ActorKind.AGENT, "canary_1", "canary_2", "canary_3", card_id="canary_4", attempt=7),
}


def links():
    for module in pkgutil.iter_modules(resolvers.__path__):
        for name, value in vars(importlib.import_module(f"resolvers.{module.name}")).items():
            if isinstance(value, Relation):
                yield f"{module.name}.{name}", value


@pytest.mark.parametrize("actor", ACTORS.values(), ids=ACTORS)
def test_a_kept_statement_holds_nothing_of_the_actor_it_was_made_for(actor):
    for name, link in links():
        statement = link.statement(actor, None)
        assert statement is link.statement(actor, None)
        for dialect in (sqlite.dialect(), postgresql.dialect()):
            compiled = statement.compile(dialect=dialect)
            given = {v for v in compiled.params.values() if isinstance(v, str)}
            assert not any("canary" in value for value in given), name
            assert "canary" not in str(compiled), name
            missing = set(compiled.params) - {k for k, v in compiled.params.items() if v is not None}
            assert missing <= set(parameters_of(actor, [])), name


def test_every_link_is_found_by_text():
    for name, link in links():
        assert link.key.type.python_type is str, f"{name}: keys are sent as text"


async def test_sqlite_finds_rows_by_many_keys_with_the_index(run, kind):
    if kind != "sqlite":
        pytest.skip("PostgreSQL knows its ANY")
    async with run() as app:
        actor = app.owner
        statement = CARD.statement(actor, None)
        compiled = statement.compile(dialect=sqlite.dialect())
        values = [{**parameters_of(actor, []), "keys": "[]"}.get(name, "") for name in compiled.positiontup]
        async with app.services.database.engine.connect() as connection:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", tuple(values))
            told = [row[3] for row in plan]
        assert any(line.startswith("SEARCH card USING INDEX") for line in told), told


FILTERS = {
    "archived": False,
    "blocked": True,
    "overdue": True,
    "text": "x",
    "unassigned": True,
    "sizes": ["SMALL"],
}


async def test_statements_that_clients_make_up_are_let_go(run):
    """A filter is a statement of its own shape, and there is no end to filters."""

    def known():
        gc.collect()
        return sum(isinstance(one, Statement) for one in gc.get_objects())

    async with run() as app:
        ask = "query($filter: CardFilter!) { cards(filter: $filter) { nodes { id } } }"
        await app.data(ask, filter={})
        before = known()
        for first, second in itertools.product(FILTERS.items(), repeat=2):
            await app.data(ask, filter={"any": [dict([first]), {"no": dict([second])}]})
        assert known() - before < 10
