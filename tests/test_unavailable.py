"""A database that does not answer just now, as HTTP tells it: 503, and when to come again."""

import sqlite3

import httpx2
import pytest

from tests.conftest import LOGIN, PASSWORD

ME = "{ me { username } }"
FORMS = ("application/json", "application/graphql-response+json")


async def refused(client, url, query, headers, **variables):
    """What each form of answer says of an operation that cannot be done now."""
    for accept in FORMS:
        body = {"query": query, "variables": variables}
        answer = await client.post(url, json=body, headers={**headers, "accept": accept})
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["retry-after"]) >= 1
        [error] = answer.json()["errors"]
        assert error["extensions"]["code"] == "UNAVAILABLE"
        assert error["extensions"]["retryable"] is True


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_database_that_is_down_is_503(serve, run, own_postgres):
    async with run(own_postgres.url) as app:
        await app.has_user("ann")
    server = await serve(own_postgres.url)
    async with httpx2.AsyncClient(timeout=60) as client:
        login = {"input": {"username": "ann", "password": PASSWORD}}
        session = (await client.post(server.http, json={"query": LOGIN, "variables": login})).json()
        token = {"authorization": f"Bearer {session['data']['login']['accessToken']}"}
        own_postgres.kill()
        await refused(client, server.http, ME, token)
        await refused(client, server.http, LOGIN, {}, **login)
        assert (await client.get(server.http.replace("/graphql", "/readyz"))).status_code == 503


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_file_that_somebody_holds_is_503(run):
    async with run() as app:
        await app.has_user("ann")
        holder = sqlite3.connect(app.services.database.file, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        login = {"input": {"username": "ann", "password": PASSWORD}}
        await refused(app.client, "/graphql", LOGIN, {}, **login)
        read = await app.post("{ boards { nodes { id } } }")
        assert (read.status_code, "errors" in read.json()) == (200, False)
        holder.close()
        assert (await app.post(LOGIN, login)).status_code == 200


async def test_a_login_that_is_tried_too_often_is_429(run):
    async with run() as app:
        await app.has_user("ann")
        wrong = {"input": {"username": "ann", "password": "wrong"}}
        for _ in range(10):
            assert (await app.post(LOGIN, wrong)).status_code == 200
        for accept in FORMS:
            answer = await app.post(LOGIN, wrong, headers={"accept": accept})
            [error] = answer.json()["errors"]
            assert (answer.status_code, error["extensions"]["code"]) == (429, "RATE_LIMITED")
            assert answer.headers["retry-after"] == str(error["extensions"]["retryAfter"])
            assert answer.json()["data"] is None


async def test_what_was_done_in_part_is_not_told_as_refused(run):
    """A client that sends the same again after a 429 would do the first part twice."""
    async with run() as app:
        await app.has_user("ann")
        board, _ = await app.has_board()
        wrong = {"input": {"username": "ann", "password": "wrong"}}
        for _ in range(10):
            await app.post(LOGIN, wrong)
        create = f'createCard(input: {{boardId: "{board}", title: "Once"}}) {{ __typename }}'
        login = 'login(input: {username: "ann", password: "wrong"}) { __typename }'
        for query in (
            f"mutation {{ {create} {login} }}",
            f"mutation {{ ...F }} fragment F on Mutation {{ {create} {login} }}",
        ):
            answer = await app.post(query)
            assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
            assert answer.status_code == 200
