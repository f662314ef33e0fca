"""Answers that are kept for idempotency keys: bounded, and none for callers nobody knows."""

import json
import os
import stat
from pathlib import Path

import pytest

from models.account import IdempotencyKey
from resolvers.idempotency import MAX_ANSWER_BYTES
from tests.conftest import LOGIN, NOBODY, PASSWORD, _fill
from tests.tenants import SERVED

UPDATE = """mutation($input: UpdateCardInput!) { updateCard(input: $input) {
  %s ... on Card { id version %s } ... on Refusal { code message } } }"""
LARGE = UPDATE % ("kind: __typename", " ".join(f"d{n}: description" for n in range(25)))
READ = "query($id: ID!) { card(id: $id) { version } }"
LOGOUT = (
    """mutation($input: LogoutInput!) { logout(input: $input) { __typename ... on SignedOut { count } } }"""
)


async def stored(app):
    """The rows of keys, and the bytes of all their answers."""
    rows = await app.services.database.read(IdempotencyKey.__table__.select())
    return rows, sum(len(row.response or "") for row in rows)


async def has_large_card(app):
    _, [card] = await app.has_board("Large")
    given = {"id": card, "description": "d" * 20_000}
    assert "errors" not in (await app.post(UPDATE % ("", ""), {"input": given})).json()
    return card


async def test_large_answers_are_not_kept_and_done_once(run):
    async with run() as app:
        card = await has_large_card(app)
        for n in range(30):
            given = {"input": {"id": card, "title": f"Large {n}"}}
            first = await app.post(LARGE, given, headers={"idempotency-key": f"k{n}"})
            assert len(first.content) > 400_000
        rows, size = await stored(app)
        assert len(rows) == 30
        assert size < 30 * 1000
        version = (await app.data(READ, id=card))["version"]
        for accept in ("application/json", "application/graphql-response+json"):
            headers = {"idempotency-key": "k29", "accept": accept}
            again = await app.post(LARGE, given, headers=headers)
            assert again.status_code == 200
            [error] = again.json()["errors"]
            assert error["extensions"]["code"] == "IDEMPOTENCY_ANSWER_NOT_KEPT"
            assert error["extensions"]["outcome"] == {"__typename": "Card", "id": card}
            assert again.json()["data"] is None
        assert (await app.data(READ, id=card))["version"] == version, "it was not done again"
        other = await app.post(LARGE, {"input": {"id": card}}, headers={"idempotency-key": "k29"})
        assert other.json()["errors"][0]["extensions"]["code"] == "IDEMPOTENCY_CONFLICT"


async def test_an_answer_below_the_bound_is_kept(run):
    async with run() as app:
        card = await has_large_card(app)
        two = UPDATE % ("", "a: description b: description")
        given = {"input": {"id": card, "title": "Once"}}
        first, again = [await app.post(two, given, headers={"idempotency-key": "k"}) for _ in range(2)]
        assert first.content == again.content
        assert 40_000 < len(first.content) < MAX_ANSWER_BYTES
        assert (await stored(app))[1] < 2 * MAX_ANSWER_BYTES


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (UPDATE % ("", ""), {"input": {"id": "card_x", "title": "x"}}),
        (LOGIN, {"input": {"username": "nobody", "password": "x" * 20}}),
        (LOGIN, {"input": {"username": "ann", "password": PASSWORD}}),
        (LOGOUT, {"input": {"refreshToken": "no token"}}),
        ("mutation { logoutEverywhere(input: {}) { __typename } }", {}),
    ],
    ids=["update", "wrong-login", "login", "logout", "logout-everywhere"],
)
async def test_nothing_is_kept_of_callers_nobody_knows(run, query, variables):
    async with run() as app:
        await app.has_user("ann")
    url = app.services.settings.database_url
    async with run(url, **SERVED) as app:
        for n in range(3):
            await app.post(query, variables, actor=NOBODY, headers={"idempotency-key": f"k{n}"})
        assert (await stored(app))[0] == []


async def test_logging_out_with_tokens_of_nobody_is_limited(run):
    async with run() as app:
        await app.has_user("ann")
        session = await app.logs_in("ann")
        for n in range(10):
            told = await app.data(LOGOUT, input={"refreshToken": f"guess {n}"})
            assert told["__typename"] == "Unauthenticated"
        refused = await app.post(LOGOUT, {"input": {"refreshToken": "guess"}})
        assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert refused.status_code == 429
        assert 50 <= int(refused.headers["retry-after"]) <= 60
    async with run(app.services.settings.database_url) as app:
        for _ in range(12):  # those that are somebody's are not counted
            told = await app.data(LOGOUT, input={"refreshToken": session["refreshToken"]})
        assert told == {"__typename": "SignedOut", "count": 0}


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_the_file_is_its_owners(serve, tmp_path):
    """A file that is made, one that was made by an older version, and those beside it; whatever the umask is."""
    for name in ("new", "old"):
        path = tmp_path / f"{name}.sqlite3"
        if name == "old":
            path.touch(0o644)
        before = os.umask(0o022)
        try:
            await _fill(f"sqlite:///{path}")
        finally:
            os.umask(before)
        server = await serve(f"sqlite:///{path}")
        files = sorted(tmp_path.glob(f"{name}.sqlite3*"))
        assert {"-wal", "-shm"} <= {file.name.removeprefix(path.name) for file in files}
        modes = {file.name: oct(stat.S_IMODE(Path(file).stat().st_mode)) for file in files}
        assert set(modes.values()) == {"0o600"}, json.dumps(modes)
        server.kill()
