"""Conversations of agent programs: one a name and worker, idle after half an hour, over after four hours."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from actions.agent_session import keep_session
from models.refusal import Invalid
from models.worker import AgentSession, Worker, reusable, session_status

ASK = """query($card: ID, $worker: ID, $first: Int! = 20) {
  agentSessions(cardId: $card, workerId: $worker, first: $first) {
    id externalId executor status card { id } worker { name } } }"""
END = """mutation($id: ID!, $if: Int) { endAgentSession(input: {id: $id, ifVersion: $if}) {
  __typename ... on AgentSession { status version terminatedAt } ... on Refusal { code } } }"""
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "idle", "ended", "status", "again"),
    [
        (0, 0, False, "ACTIVE", True),
        (200, 29, False, "ACTIVE", True),
        (200, 30, False, "IDLE", True),
        (239, 239, False, "IDLE", True),
        (240, 0, False, "TERMINATED", False),
        (0, 0, True, "TERMINATED", False),
    ],
)
def test_what_may_be_gone_on_with(age, idle, ended, status, again):
    session = SimpleNamespace(
        created_at=NOW - timedelta(minutes=age),
        active_at=NOW - timedelta(minutes=idle),
        terminated_at=NOW if ended else None,
    )
    assert (session_status(session, NOW), reusable(session, NOW)) == (status, again)


async def has_workers(app, *names):
    home = await app.home()
    async with app.begin() as tx:
        made = [
            Worker(workspace_id=home, owner_id="key_x", name=name, executors=["CODEX"], heard_at=NOW)
            for name in names
        ]
        tx.add_all(made)
        await tx.flush()
        return [worker.id for worker in made]


async def keep(app, board, card, worker, external, executor="CODEX"):
    async with app.begin() as tx:
        return (await keep_session(tx, board, card, worker, external, executor)).id


async def test_a_name_is_one_conversation_on_its_worker(run):
    async with run() as app:
        board, [card, other] = await app.has_board("One", "Two")
        one, two = await has_workers(app, "one", "two")
        kept = await asyncio.gather(*(keep(app, board, card, one, "abc") for _ in range(5)))
        assert len(set(kept)) == 1, "however many keep it at once"
        elsewhere = await keep(app, board, card, two, "abc")
        assert elsewhere != kept[0]
        found = await app.data(ASK, card=card)
        assert [row["worker"]["name"] for row in found] == ["two", "one"], "the last used first"
        assert found[0]["status"] == "ACTIVE"
        assert await keep(app, board, other, one, "abc") == kept[0], "it went on on another card"
        assert [row["id"] for row in await app.data(ASK, card=card)] == [elsewhere]
        assert [row["card"]["id"] for row in await app.data(ASK, worker=one)] == [other]
        assert await app.data(ASK, card=card, worker=one) == []
        for wrong in ("", "x" * 201):
            with pytest.raises(Invalid):
                await keep(app, board, card, one, wrong)
        told = await app.ask(ASK)
        assert told["errors"][0]["extensions"]["code"] == "INVALID"
        told = await app.ask(ASK, card=card, first=0)
        assert told["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_what_was_ended_stays_ended(run):
    async with run() as app:
        await app.has_user("vic", "VIEWER")
        board, [card] = await app.has_board("One")
        [one] = await has_workers(app, "one")
        id = await keep(app, board, card, one, "abc")
        assert (await app.data(END, "vic", id=id))["code"] == "FORBIDDEN"
        assert (await app.data(END, id=id, **{"if": 7}))["code"] == "STALE"
        first = await app.data(END, id=id)
        assert (first["status"], first["version"]) == ("TERMINATED", 2)
        assert await app.data(END, id=id) == first
        assert await keep(app, board, card, one, "abc") == id
        [row] = await app.data(ASK, card=card)
        assert row["status"] == "TERMINATED", "its last use does not bring it back"


async def test_a_list_of_any_length_is_three_statements(run):
    async with run() as app:
        board, [card] = await app.has_board("One")
        [one] = await has_workers(app, "one")
        async with app.begin() as tx:
            for n in range(100):
                await keep_session(tx, board, card, one, f"s{n}", "CODEX")
            await tx.execute(update(AgentSession).values(active_at=NOW))
        with app.counting() as statements:
            assert len(await app.data(ASK, card=card, first=100)) == 100
        assert len(statements) == 4, statements  # the session of the caller besides
        assert len(await app.services.database.read(select(AgentSession.id))) == 100
