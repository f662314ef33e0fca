"""Idempotency keys: done once, answered the same, whatever happens in between."""

import asyncio
import contextlib
import json
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from auth import passwords
from kit.db.database import utcnow
from kit.eventlog.tables import Event
from models.account import IdempotencyKey
from models.workspace import Membership
from resolvers.idempotency import delete_expired
from tests.conftest import KEY, LOGIN, PASSWORD
from tests.tenants import MUTATIONS, SCHEMA, outcome

CREATE = """mutation($board: ID!, $title: String!) { createCard(input: {boardId: $board, title: $title}) {
  __typename ... on Card { id number version board { seq } } ... on Invalid { issues { path } } } }"""
MOVE = """mutation($card: ID!, $to: Stage!) { moveCard(input: {id: $card, destination: {stage: $to}}) {
  __typename ... on Card { version } ... on StageRefused { at to } } }"""
COUNT = "query($id: ID!) { board(id: $id) { seq cards { totalCount } } }"


def keyed(key):
    return {"idempotency-key": key}


async def test_the_same_key_is_done_once_and_answered_the_same(run):
    async with run() as app:
        board, _ = await app.has_board()
        asked = {"board": board, "title": "Once"}
        answers = [await app.post(CREATE, asked, headers=keyed("k1")) for _ in range(3)]
        assert len({answer.content for answer in answers}) == 1
        made = answers[0].json()["data"]["createCard"]
        assert made["__typename"] == "Card"
        state = await app.data(COUNT, id=board)
        assert state["cards"]["totalCount"] == 1
        assert (
            made["board"]["seq"] == state["seq"] == 2
        )  # the payload was read after its events were numbered


async def test_twenty_at_once_are_one(run):
    async with run() as app:
        board, _ = await app.has_board()
        asked = {"board": board, "title": "Once"}
        answers = await asyncio.gather(*(app.post(CREATE, asked, headers=keyed("k")) for _ in range(20)))
        assert len({answer.content for answer in answers}) == 1
        assert (await app.data(COUNT, id=board))["cards"]["totalCount"] == 1


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_every_mutation_is_done_once(two, kind):
    """All that an admin may, in the order in which it succeeds, each sent twice."""
    wrong = []
    async with two() as (app, home, _):

        async def told():
            return len(await app.services.database.read(select(Event.seq)))

        for name, case in MUTATIONS.items():
            query = f"mutation($input: {SCHEMA.mutation_type.fields[name].args['input'].type}) "
            query += f"{{ {name}(input: $input) {outcome(name)} }}"
            asked = {"actor": home.actor("ann"), "headers": keyed(name)}
            first = await app.post(query, {"input": home.fill(case.input)}, **asked)
            before = await told()
            again = await app.post(query, {"input": home.fill(case.input)}, **asked)
            if again.content != first.content or await told() != before:
                wrong.append((name, first.text, again.text))
        [(name, _, second)] = wrong
        assert (name, json.loads(second)["errors"][0]["extensions"]["reason"]) == (
            "logoutEverywhere",
            "REVOKED",
        )


async def test_another_operation_with_the_key_is_refused(run):
    async with run() as app:
        board, _ = await app.has_board()
        await app.post(CREATE, {"board": board, "title": "One"}, headers=keyed("k"))
        answer = (await app.post(CREATE, {"board": board, "title": "Other"}, headers=keyed("k"))).json()
        assert answer["errors"][0]["extensions"]["code"] == "IDEMPOTENCY_CONFLICT"
        assert (await app.data(COUNT, id=board))["cards"]["totalCount"] == 1


async def test_a_refusal_is_kept_although_it_changed_nothing(run):
    async with run() as app:
        board, [card] = await app.has_board("Do it")
        asked = {"card": card, "to": "IN_PROGRESS"}
        first = await app.post(MOVE, asked, headers=keyed("k"))
        assert first.json()["data"]["moveCard"] == {
            "__typename": "StageRefused",
            "at": "BACKLOG",
            "to": "IN_PROGRESS",
        }
        await app.data(MOVE, card=card, to="TODO")
        assert (await app.post(MOVE, asked, headers=keyed("k"))).content == first.content
        assert (await app.data(MOVE, card=card, to="IN_PROGRESS"))["__typename"] == "Card"
        assert (await app.data(COUNT, id=board))["seq"] == 4


async def test_what_was_answered_is_answered_again_to_who_may_no_longer(run):
    """It says what the caller was told already; another operation says nothing of what is not theirs."""
    async with run() as app:
        board, _ = await app.has_board()
        await app.has_user("ann")
        asked = {"board": board, "title": "Once"}
        first = await app.post(CREATE, asked, actor="ann", headers=keyed("k"))
        assert first.json()["data"]["createCard"]["__typename"] == "Card"
        async with app.begin() as tx:
            await tx.execute(delete(Membership).where(Membership.user_id != app.owner.id))
        again = await app.post(CREATE, asked, actor="ann", headers=keyed("k"))
        assert again.content == first.content
        other = await app.post(CREATE, asked, actor="ann", headers=keyed("other"))
        assert other.json()["data"]["createCard"] == {"__typename": "NotFound"}
        assert (await app.data(COUNT, id=board))["cards"]["totalCount"] == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "tab\there"])
async def test_a_key_that_cannot_be_taken_changes_nothing(run, key):
    async with run() as app:
        board, _ = await app.has_board()
        given = {
            "extensions": {"idempotencyKey": key},
            "query": CREATE,
            "variables": {"board": board, "title": "x"},
        }
        answer = (await app.client.post("/graphql", json=given)).json()
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        assert (await app.data(COUNT, id=board))["cards"]["totalCount"] == 0


async def test_a_key_goes_with_one_mutation_field(run):
    async with run() as app:
        board, _ = await app.has_board()
        create = 'createCard(input: {boardId: $b, title: "x"}) { __typename }'
        both = f"a: {create} b: {create}"
        for two in (
            f"mutation($b: ID!) {{ {both} }}",
            f"mutation($b: ID!) {{ ...F }} fragment F on Mutation {{ {both} }}",
            f"mutation($b: ID!) {{ ... {{ a: {create} }} ... on Mutation {{ b: {create} }} }}",
        ):
            answer = (await app.post(two, {"b": board}, headers=keyed("k"))).json()
            assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT", two
        assert (await app.data(COUNT, id=board))["cards"]["totalCount"] == 0
        one = f"mutation($b: ID!) {{ ...F }} fragment F on Mutation {{ ... {{ {create} }} }}"
        for _ in range(2):
            answer = (await app.post(one, {"b": board}, headers=keyed("k"))).json()
            assert answer["data"]["createCard"] == {"__typename": "Card"}
        assert (await app.data(COUNT, id=board))["cards"]["totalCount"] == 1


async def test_a_stored_answer_is_sealed(run):
    async with run() as app:
        board, _ = await app.has_board()
        await app.post(CREATE, {"board": board, "title": "A secret plan"}, headers=keyed("k"))
        [row] = await app.services.database.read(IdempotencyKey.__table__.select())
        assert "Card" not in row.response
        assert "createCard" in app.services.seal.open(row.response)


async def test_a_key_on_a_socket(run):
    async with run() as app:
        board, _ = await app.has_board()
        from tests.client import AsgiSocket

        async with AsgiSocket(app.app) as socket:
            await socket.init(app.tokens[""])
            told = []
            for id in ("1", "2"):
                payload = {"query": CREATE, "variables": {"board": board, "title": "x"}}
                payload["extensions"] = {"idempotencyKey": "k"}
                socket.send({"id": id, "type": "subscribe", "payload": payload})
                told.append((await socket.receive())["payload"])
                assert (await socket.receive())["type"] == "complete"
            assert told[0] == told[1]
        assert (await app.data(COUNT, id=board))["cards"]["totalCount"] == 1


async def test_an_answer_is_forgotten_after_a_day(run):
    async with run() as app:
        board, _ = await app.has_board()
        await app.post(CREATE, {"board": board, "title": "Once"}, headers=keyed("k"))
        table = IdempotencyKey.__table__
        await delete_expired(app.services.database)
        assert len(await app.services.database.read(table.select())) == 1
        async with app.begin() as tx:
            await tx.execute(table.update().values(expires_at=utcnow() - timedelta(seconds=1)))
        await delete_expired(app.services.database)
        assert await app.services.database.read(table.select()) == []


REGISTER = """mutation Register($name: String!) {
  register(input: {username: $name, password: "a long password"}) { __typename } }"""
SESSIONS = "{ viewer { sessions { sessionId } } }"


async def test_a_slow_password_keeps_no_writer_waiting(run, exhausted):
    """Signing in with a key waits for the hash before its transaction, not in it."""
    async with run() as app:
        board, _ = await app.has_board()
        await app.has_user("ann")
        asked = {"input": {"username": "ann", "password": PASSWORD}}
        async with exhausted():
            login = asyncio.create_task(app.post(LOGIN, asked, headers=keyed("k")))
            register = asyncio.create_task(app.post(REGISTER, {"name": "bob"}, headers=keyed("r")))
            await until(lambda: len(waiting()) == 2)
            async with asyncio.timeout(10):
                made = await app.post(CREATE, {"board": board, "title": "Soon"}, headers=keyed("c"))
            assert made.json()["data"]["createCard"]["__typename"] == "Card"
            assert not login.done()
            assert not register.done()
        assert (await login).json()["data"]["login"]["__typename"] == "Session"
        assert (await register).json()["data"]["register"]["__typename"] == "Forbidden"


async def test_signing_in_twice_with_one_key_is_one_login(run):
    async with run() as app:
        await app.has_user("ann")
        asked = {"input": {"username": "ann", "password": PASSWORD}}
        both = await asyncio.gather(*(app.post(LOGIN, asked, headers=keyed("k")) for _ in range(2)))
        again = await app.post(LOGIN, asked, headers=keyed("k"))
        assert both[0].content == both[1].content == again.content
        assert again.json()["data"]["login"]["__typename"] == "Session"
        assert len((await app.data(SESSIONS, "ann"))["sessions"]) == 2, "has_user made the other"
        wrong = {"input": {"username": "ann", "password": "another"}}
        told = (await app.post(LOGIN, wrong, headers=keyed("k"))).json()
        assert told["errors"][0]["extensions"]["code"] == "IDEMPOTENCY_CONFLICT"


async def test_a_refusal_before_anything_is_written_is_kept_too(run):
    async with run() as app:
        await app.has_user("ann")
        wrong = {"input": {"username": "ann", "password": "not this one"}}
        first = await app.post(LOGIN, wrong, headers=keyed("k"))
        assert first.json()["data"]["login"]["__typename"] == "Unauthenticated"
        assert (await app.post(LOGIN, wrong, headers=keyed("k"))).content == first.content
        rows = await app.services.database.read(IdempotencyKey.__table__.select())
        assert len(rows) == 1


async def test_a_key_outlives_a_new_secret(run):
    async with run() as app:
        board, _ = await app.has_board()
        asked = {"board": board, "title": "Once"}
        first = await app.post(CREATE, asked, headers=keyed("k"))
        url = app.services.settings.database_url
    async with run(url, secret_key=f"{'another key that was made yesterday'},{KEY}") as app:
        assert (await app.post(CREATE, asked, headers=keyed("k"))).content == first.content
        assert (await app.data(COUNT, id=board))["cards"]["totalCount"] == 1


@pytest.fixture
def exhausted():
    """`async with exhausted()`: meanwhile no password is hashed, as if many were before it."""

    @contextlib.asynccontextmanager
    async def all_taken():
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(passwords.MAX_CONCURRENT_HASHES):
                await stack.enter_async_context(passwords._gate)
            yield

    return all_taken


def waiting():
    return [one for one in passwords._gate._waiters or () if not one.done()]


async def until(true, within=10):
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.01)
