"""`mutation @dryRun`: the answer and the events, and nothing written."""

import sqlite3

import pytest
from sqlalchemy import select

from kit.eventlog.tables import Event
from models.events import type_name_of
from tests.conftest import NOBODY
from tests.tenants import MUTATIONS, SCHEMA, outcome

CREATE = """mutation Create($board: ID!, $title: String!) @dryRun {
  createCard(input: {boardId: $board, title: $title}) {
    __typename ... on Card { id title stage version board { seq } } ... on Invalid { issues { path } } } }"""
COUNT = "query($id: ID!) { board(id: $id) { seq cards(first: 1) { totalCount } } }"


async def test_a_card_is_shown_and_not_made(run):
    async with run() as app:
        board, _ = await app.has_board()
        before = await app.data(COUNT, id=board)
        answer = await app.ask(CREATE, board=board, title="Maybe")
        card = answer["data"]["createCard"]
        assert (card["__typename"], card["title"], card["board"]["seq"]) == (
            "Card",
            "Maybe",
            before["seq"] + 1,
        )
        [event] = answer["extensions"]["dryRun"]["events"]
        assert event.items() >= {"__typename": "CardCreated", "cardId": card["id"]}.items()
        assert await app.data(COUNT, id=board) == before
        assert await app.data("query($id: ID!) { card(id: $id) { id } }", id=card["id"]) is None


async def test_a_refusal_is_answered_and_has_no_events(run):
    async with run() as app:
        board, _ = await app.has_board()
        answer = await app.ask(CREATE, board=board, title="")
        assert answer["data"]["createCard"] == {"__typename": "Invalid", "issues": [{"path": "title"}]}
        assert answer["extensions"]["dryRun"] == {"events": []}


async def test_a_key_stays_unused_and_strangers_are_refused(run):
    async with run() as app:
        board, _ = await app.has_board()
        asked = {"board": board, "title": "Once"}
        for query in (CREATE, CREATE.replace("@dryRun", "")):
            await app.post(query, asked, headers={"idempotency-key": "k"})
        assert (await app.data(COUNT, id=board))["cards"]["totalCount"] == 1
        answer = await app.ask(CREATE, NOBODY, board=board, title="Once")
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_only_the_operation_that_has_it(run):
    async with run() as app:
        board, _ = await app.has_board()
        real = CREATE.replace("@dryRun", "").replace("Create(", "Real(")
        body = {"query": CREATE + real, "variables": {"board": board, "title": "x"}, "operationName": "Real"}
        answer = (await app.client.post("/graphql", json=body)).json()
        assert "extensions" not in answer
        assert (await app.data(COUNT, id=board))["cards"]["totalCount"] == 1
        answer = await app.ask("query @dryRun { viewer { kind } }")
        assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


BUSY = {"job", "server_job", "webhook_endpoint", "webhook_cursor", "watch_cursor"}
WRITTEN_BY_ITSELF = {"attempt", "slot", "endpoint_delivery", "stored_object"}


def shape(answer):
    """An answer without what differs each time: ids and times."""
    [value] = (answer.get("data") or {"": None}).values()
    return value and value["__typename"], [error["extensions"]["code"] for error in answer.get("errors", ())]


@pytest.mark.slow("sends every mutation twice")
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_every_mutation_leaves_nothing_and_tells_what_it_then_does(two, kind):
    """All that an admin may, in the order in which it succeeds: first dry, then for real."""
    wrong = {}
    async with two() as (app, home, _):
        path = app.services.database.engine.url.database

        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as file:
            tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]

            def dump():
                """Every row; of what the server works on meanwhile only which there are."""
                rows = set()
                for name in tables:
                    if name in BUSY:
                        rows.update((name, row[0]) for row in file.execute(f'SELECT * FROM "{name}"'))
                    elif name not in WRITTEN_BY_ITSELF and not name.startswith("search_"):
                        rows.update((name, *row) for row in file.execute(f'SELECT * FROM "{name}"'))
                return rows

            async def events():
                rows = await app.services.database.read(
                    select(Event.topic, Event.seq, Event.kind, Event.subject)
                )
                return {(row.topic, row.seq): type_name_of(row.kind) for row in rows if row.subject}

            for name, case in MUTATIONS.items():
                head = f"mutation($input: {SCHEMA.mutation_type.fields[name].args['input'].type}) "
                tail = f"{{ {name}(input: $input) {outcome(name)} }}"
                before, old = dump(), await events()
                dry = await app.ask(f"{head} @dryRun {tail}", home.actor("ann"), input=home.fill(case.input))
                if changed := dump() ^ before:
                    wrong[name] = list(changed)[:4]
                done = await app.ask(head + tail, home.actor("ann"), input=home.fill(case.input))
                new = [
                    kind for at, kind in (await events()).items() if at not in old and at[0][:5] != "user:"
                ]
                told = [event["__typename"] for event in dry.pop("extensions")["dryRun"]["events"]]
                if (sorted(told), shape(dry)) != (sorted(new), shape(done)):
                    wrong.setdefault(name, (told, new, dry, done))
    assert wrong == {}
