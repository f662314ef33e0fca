"""Accounts: registering, what one sees and changes of oneself, keys of machines, the owner at this machine."""

import asyncio
import logging
import os
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import delete, select, update

from auth import passwords
from cli import MAKE_OWNER
from kit.db.database import Base, utcnow
from models.account import ApiKey, User
from tests.client import AsgiSocket, Closed
from tests.conftest import KEY, LOGIN, MAKE_KEY, NOBODY, PASSWORD, REVOKE_KEY, SIGN_IN, link_of
from tests.warm import command

ME = "{ me { id username email } }"
REGISTER = """mutation Register($input: RegisterInput!) {
  register(input: $input) {
    __typename ... on Session { accessToken user { username nickname } }
    ... on Refusal { code message } ... on Invalid { issues { path message } } } }"""
UPDATE = """mutation Update($input: UpdateMeInput!) {
  updateMe(input: $input) {
    __typename ... on User { username email nickname firstName version }
    ... on Refusal { code } ... on Invalid { issues { path } } } }"""
CHANGE = """mutation($new: String!, $old: String) {
  changePassword(input: {newPassword: $new, currentPassword: $old}) { __typename ... on Refusal { code } } }"""
FEED = "subscription { userFeed { event { kind: __typename } } }"


def reason_of(answer):
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    return error["extensions"]["reason"]


REGISTERED = [
    {},
    {"email": "Bob@Example.org", "nickname": "  Bob  B "},
    {"username": "Bøb.b-1_x"},
    {"email": "ß" * 242 + "@example.org"},
]
REFUSED = [
    ({"username": "bo"}, "username"),
    ({"username": "b" * 41}, "username"),
    ({"username": "bob b"}, "username"),
    ({"username": "bob@b"}, "username"),
    ({"password": "1234567"}, "password"),
    ({"password": "x" * 1025}, "password"),
    ({"email": "bob"}, "email"),
    ({"email": "ﬃ" * 200 + "@example.org"}, "email"),  # each is three letters once it is folded
    ({"nickname": " "}, "nickname"),
    ({"nickname": "x" * 81}, "nickname"),
    ({"username": "ANN"}, "Conflict"),
    ({"username": "ＡＮＮ"}, "Conflict"),  # full width: looks like ann, so it is
    ({"email": "ANN@example.org"}, "Conflict"),
]


async def people(app):
    async with app.begin() as tx:
        return len(list(await tx.scalars(select(User))))


@pytest.mark.parametrize("given", REGISTERED)
async def test_registering(run, given):
    async with run(registration=True) as app:
        said = await app.data(REGISTER, input={"username": "bob", "password": "12345678", **given})
        app.tokens["bob"] = f"Bearer {said['accessToken']}"
        assert (await app.data(ME, "bob"))["username"] == given.get("username", "bob")
        assert (await app.data("{ workspaces { nodes { id } } }", "bob"))["nodes"] == []
        assert await people(app) == 2


@pytest.mark.parametrize(
    "some", [slice(8), slice(8, None)], ids=["first", "rest"]
)  # an address has ten tries
async def test_who_is_refused_is_not_registered(run, some):
    async with run(registration=True) as app:
        await app.has_user("ann")
        await app.data(UPDATE, "ann", input={"email": "ann@example.org"})
        wrong = []
        for given, answer in REFUSED[some]:
            said = await app.data(REGISTER, input={"username": "bob", "password": "12345678", **given})
            told = [issue["path"] for issue in said.get("issues", ())] or [said["__typename"]]
            if told != [answer] or await people(app) != 2:
                wrong.append((given, said))
        assert wrong == []


@pytest.mark.parametrize("settings", [{}, {"host": "0.0.0.0"}])
async def test_nobody_may_register_where_it_is_closed(run, settings):
    """Also not as the first of all: owners are made by whoever holds the database."""
    async with run(**settings) as app:
        async with app.begin() as tx:
            await tx.execute(delete(User))
        answer = await app.data(REGISTER, NOBODY, input={"username": "bob", "password": PASSWORD})
        assert answer["__typename"] == "Forbidden"


async def test_a_stranger_who_registers_first_owns_nothing(run):
    async with run(registration=True) as app:
        async with app.begin() as tx:
            await tx.execute(delete(User))
        answer = await app.data(REGISTER, NOBODY, input={"username": "bob", "password": PASSWORD})
        app.tokens["bob"] = f"Bearer {answer['accessToken']}"
        assert (await app.data("{ workspaces { nodes { name } } }", "bob"))["nodes"] == []


async def test_changing_oneself(run):
    async with run() as app:
        ann, bob = await app.has_user("ann"), await app.has_user("bob")
        async with app.follow(
            """subscription { userFeed(after: "0") { event { kind: __typename
              ... on UserUpdated { changes { field before after } } } } }""",
            "ann",
        ) as hear:
            said = await app.data(
                UPDATE, "ann", input={"nickname": "Annie", "email": "a@b.org", "firstName": "Ann"}
            )
            user = {
                "username": "ann",
                "email": "a@b.org",
                "nickname": "Annie",
                "firstName": "Ann",
                "version": 2,
            }
            assert said == {"__typename": "User", **user}
            while (event := (await hear())["userFeed"])["kind"] != "UserUpdated":
                assert event["kind"] in {"MemberJoined", "SessionStarted"}, "what was before"
            assert {"field": "email", "before": None, "after": "a@b.org"} in event["changes"]
            assert {change["field"] for change in event["changes"]} == {"email", "nickname", "firstName"}
        said = await app.data(UPDATE, "ann", input={"nickname": None})
        assert said == {"__typename": "User", **user, "nickname": None, "version": 3}
        assert await app.data(UPDATE, "ann", input={}) == said
        refused = {
            "Stale": {"nickname": "x", "ifVersion": 1},
            "Conflict": {"username": "BOB"},
            "Invalid": {"username": "no good"},
        }
        for kind, given in refused.items():
            assert (await app.data(UPDATE, "ann", input=given))["__typename"] == kind
        assert (await app.data(UPDATE, "bob", input={"email": "A@B.ORG"}))["__typename"] == "Conflict"
        long = await app.data(UPDATE, "bob", input={"email": "ﬃ" * 200 + "@b.org"})
        assert [issue["path"] for issue in long["issues"]] == ["email"]
        seen = await app.data(
            "query($id: ID!) { node(id: $id) { ... on User { username email } } }", "bob", id=ann
        )
        assert seen == {"username": "ann", "email": None}, "an address is shown to its owner only"
        assert bob


VIEWER = "{ viewer { kind mayWrite scopes user { username } apiKey { id name } expiresAt } }"


async def test_who_one_is(run):
    async with run() as app:
        await app.has_user("ann")
        local = await app.data(VIEWER)
        assert local["user"] == {"username": "owner"}
        person = await app.data(VIEWER, "ann")
        assert person.pop("expiresAt")
        user = {"username": "ann"}
        assert person == {
            "kind": "USER", "mayWrite": True, "scopes": [], "user": user, "apiKey": None
        }  # fmt: skip


# Keys


async def has_key(app, name, **given):
    made = await app.data(MAKE_KEY, input={"workspaceId": await app.home(), "name": name, **given})
    assert made["__typename"] == "ApiKeySecret", made
    app.tokens[name] = f"Bearer {made['secret']}"
    return made


CARDS = "{ cards { nodes { title } } boards { nodes { name } } }"
CREATE = """mutation($board: ID!) { createCard(input: {boardId: $board, title: "New"}) {
  __typename ... on Refusal { message } } }"""


async def test_what_keys_may(run):
    async with run() as app:
        web, _ = await app.has_board("On the web")
        ops, _ = await app.has_board("On call", name="Ops")
        for scopes in (["WRITE"], ["READ"], ["WORKER"]):
            made = await has_key(app, scopes[0], scopes=scopes)
            assert made["secret"].startswith(made["apiKey"]["prefix"] + "_")
            assert made["apiKey"]["scopes"] == scopes
        await has_key(app, "ops", scopes=["WRITE", "READ"], boardId=ops)
        kinds = {name: (await app.data(VIEWER, name))["kind"] for name in ("WRITE", "READ", "WORKER", "ops")}
        assert kinds == {"WRITE": "AGENT", "READ": "AGENT", "WORKER": "WORKER", "ops": "AGENT"}
        assert (await app.data(CREATE, "WRITE", board=web))["__typename"] == "Card"
        for name in ("READ", "WORKER"):
            answer = await app.data(CREATE, name, board=web)
            assert answer == {"__typename": "Forbidden", "message": "A viewer may look, not change"}
            assert len((await app.ask(CARDS, name))["data"]["boards"]["nodes"]) == 2
        assert (await app.data(CREATE, "ops", board=web))["__typename"] == "NotFound"
        assert (await app.data(CREATE, "ops", board=ops))["__typename"] == "Card"
        seen = (await app.ask(CARDS, "ops"))["data"]
        assert [board["name"] for board in seen["boards"]["nodes"]] == ["Ops"]
        assert {card["title"] for card in seen["cards"]["nodes"]} == {"On call", "New"}
        new = """mutation($w: ID!) { createBoard(input: {workspaceId: $w, name: "More"}) { __typename } }"""
        assert (await app.data(new, "ops", w=await app.home()))["__typename"] == "Forbidden"
        assert (await app.data(new, "WRITE", w=await app.home()))["__typename"] == "Board"
        for name in ("WRITE", "ops"):  # a key has no account and makes no keys
            assert (await app.data(UPDATE, name, input={"nickname": "x"}))["__typename"] == "Forbidden"
            assert (await app.data(CHANGE, name, new=PASSWORD))["__typename"] == "Forbidden"
            given = {"workspaceId": await app.home(), "name": "x", "scopes": ["WRITE"]}
            assert (await app.data(MAKE_KEY, name, input=given))["__typename"] == "Forbidden"


KEYS = """query($revoked: Boolean!) { workspaces { nodes { apiKeys(revoked: $revoked) {
  totalCount nodes { name prefix lastUsedAt revokedAt } } } } }"""


async def keys(app, actor="", revoked=False):
    return (await app.data(KEYS, actor, revoked=revoked))["nodes"][0]["apiKeys"]


async def test_the_life_of_a_key(run):
    async with run() as app:
        home = await app.home()
        await app.has_user("ann")
        topic = """subscription($w: ID!) { workspaceFeed(workspaceId: $w) { event { kind: __typename
          ... on ApiKeyEvent { name prefix } } } }"""
        async with app.follow(topic, w=home) as hear:
            made = await has_key(app, "ci", scopes=["READ"])
            key = made["apiKey"]
            told = {"name": "ci", "prefix": key["prefix"]}
            assert (await hear())["workspaceFeed"] == {"kind": "ApiKeyCreated", **told}
            [listed] = (await keys(app))["nodes"]
            assert listed == {**told, "lastUsedAt": None, "revokedAt": None}
            assert (await keys(app, "ann"))["totalCount"] == 0, "only admins see keys"
            assert (
                await app.data(MAKE_KEY, "ann", input={"workspaceId": home, "name": "x", "scopes": ["READ"]})
            )["__typename"] == "Forbidden"
            assert (await app.data(VIEWER, "ci"))["apiKey"] == {"id": key["id"], "name": "ci"}
            await app.services.uses.settle()
            [first] = (await keys(app))["nodes"]
            assert first["lastUsedAt"]
            with app.counting() as statements:
                for _ in range(5):
                    await app.data(VIEWER, "ci")
            await app.services.uses.settle()
            assert not [s for s in statements if s.startswith("UPDATE")], "noted once a minute"
            assert (await app.data(REVOKE_KEY, "ann", id=key["id"]))["code"] == "FORBIDDEN"
            await app.has_user("eve", None)
            assert (await app.data(REVOKE_KEY, "eve", id=key["id"]))["code"] == "NOT_FOUND"
            assert (await app.data(REVOKE_KEY, id="key_nothing"))["code"] == "NOT_FOUND"
            for _ in range(2):
                revoked = await app.data(REVOKE_KEY, id=key["id"])
                assert revoked["revokedAt"]
            assert (await hear())["workspaceFeed"] == {"kind": "ApiKeyRevoked", **told}
        assert reason_of(await app.ask(VIEWER, "ci")) == "REVOKED"
        assert (await keys(app))["totalCount"] == 0
        assert (await keys(app, revoked=True))["totalCount"] == 1
        await has_key(app, "soon", scopes=["READ"], expiresAt=(utcnow() + timedelta(hours=1)).isoformat())
        async with app.begin() as tx:
            await tx.execute(update(ApiKey).values(expires_at=utcnow() - timedelta(seconds=1)))
        assert reason_of(await app.ask(VIEWER, "soon")) == "EXPIRED"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["READ", "READ"]}, "scopes"),
        ({"name": ""}, "name"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
    ],
)
async def test_a_key_that_cannot_be_made(run, given, path):
    async with run() as app:
        made = await app.data(
            MAKE_KEY, input={"workspaceId": await app.home(), "name": "x", "scopes": ["READ"], **given}
        )
        assert [issue["path"] for issue in made["issues"]] == [path]
        assert (await keys(app))["totalCount"] == 0


# The owner without a password


async def test_the_first_password_ends_every_other_login_and_every_link(run):
    async with run() as app, run(app.services.database.url) as other:
        link = await link_of(app.services.event_log)
        async with app.follow(FEED) as here, other.follow(FEED) as there:
            assert (await app.data(CHANGE, new=PASSWORD))["__typename"] == "User"
            with pytest.raises(Closed, match="4403 Token revoked"):
                await _drain(there)
            assert (await here())["userFeed"]["kind"] == "SESSION_STARTED" or await here()
        assert reason_of(await other.ask(ME)) == "REVOKED"
        assert (await app.data(ME))["username"] == "owner"
        refused = await app.data(SIGN_IN, NOBODY, input={"token": link})
        assert (refused["__typename"], refused["reason"]) == ("Unauthenticated", "INVALID")
        await app.logs_in("owner")
    async with run(app.services.database.url) as app:
        assert app.tokens == {}, "no link is made for an owner who has a password"
        assert reason_of(await app.ask(ME)) == "MISSING"


async def _drain(hear):
    while True:
        await hear()


async def test_the_owner_without_a_password_may_take_another_name(run):
    async with run() as app:
        await app.data(UPDATE, input={"username": "margaret"})
    async with run(app.services.database.url) as app:
        assert (await app.data(ME))["username"] == "margaret"


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({}, {"host": "localhost:8000"}, 200),
        ({}, {"host": "app.localhost"}, 200),
        ({}, {"host": "[::1]:8000"}, 200),
        ({}, {"host": "127.9.9.9"}, 200),
        ({}, {"host": "LOCALHOST."}, 200),
        ({}, {"host": "evil.example"}, 421),
        ({}, {"host": "localhost.evil.example"}, 421),
        ({}, {"host": "127.0.0.1.evil.example"}, 421),
        ({}, {"host": "[::1"}, 400),
        ({}, {"host": ""}, 400),
        ({"allowed_hosts": "board.example"}, {"host": "board.example"}, 200),
        ({"host": "0.0.0.0"}, {"host": "anything"}, 200),
        ({"host": "0.0.0.0", "allowed_hosts": "*.board.example"}, {"host": "a.board.example:443"}, 200),
        ({"host": "0.0.0.0", "allowed_hosts": "board.example"}, {"host": "localhost"}, 421),
        ({}, {"origin": "http://127.0.0.1:8000"}, 200),
        ({}, {"origin": "http://127.0.0.1:3000"}, 403),
        ({}, {"origin": "https://evil.example"}, 403),
        ({}, {"origin": "null"}, 403),
        ({"allowed_origins": "https://ui.example"}, {"origin": "https://ui.example"}, 200),
        ({"allowed_origins": "https://ui.example"}, {"origin": "https://ui.example.evil"}, 403),
    ],
)
async def test_by_which_name_and_from_which_page(run, kind, settings, headers, status):
    async with run(**settings) as app:
        answer = await app.post("{ __typename }", headers=headers)
        assert answer.status_code == status
        if status != 200:
            assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
            assert answer.headers["x-request-id"]
            with pytest.raises(Closed):
                await _connect(app, headers)
        else:
            await _connect(app, headers)
            if "allowed_origins" in settings:
                assert answer.headers["access-control-allow-origin"] == headers["origin"]


async def _connect(app, headers):
    async with AsgiSocket(app.app, headers=headers):
        pass


async def said(url, *arguments, given="", **environment):
    """The status of a command, and what it complained of."""
    environment = {**os.environ, "DATABASE_URL": url, "PORT": "0", **environment}
    status, _, err = await command(*arguments, env=environment, given=given)
    return status, err


@pytest.mark.processes
async def test_where_others_can_reach_it_the_server_wants_an_owner(fresh, run):
    url, key = await fresh(), "a key for tests and for nothing but tests"
    for secret, part in (("", "SECRET_KEY"), (key, "python server.py owner USERNAME")):
        status, err = await said(url, "serve", HOST="0.0.0.0", SECRET_KEY=secret)
        assert (status, err.count("\n")) == (2, 1)
        assert part in err
    short = await said(url, "owner", "margaret", given="short\n", SECRET_KEY=key)
    assert short == (2, "signalbox: password: must have 8 to 1024 bytes\n")
    async with run(url) as app:  # who worked here without a password keeps the boards
        await app.has_board("Do it")
        made = await said(url, "owner", "margaret", given=f"{PASSWORD}\n", SECRET_KEY=key)
        assert made == (0, "")
        async with asyncio.timeout(60):
            while "errors" not in await app.ask(ME):
                await asyncio.sleep(0.05)
        app.tokens["margaret"] = f"Bearer {(await app.logs_in('margaret'))['accessToken']}"
        assert [
            board["name"] for board in (await app.data("{ boards { nodes { name } } }", "margaret"))["nodes"]
        ] == ["Web"]
        again = await said(url, "owner", "margaret", OWNER_PASSWORD="another password", SECRET_KEY=key)
        assert again == (0, "")
        assert reason_of(await app.ask(ME, "margaret")) == "REVOKED"
        await app.logs_in("margaret", "another password")


async def test_a_server_with_an_owner_serves(run, serve):
    async with run() as app:
        await app.has_user("ann")
        given = {"HOST": "0.0.0.0", "SECRET_KEY": KEY}
        status, err = await said(app.services.database.url, "serve", **given)
        assert (status, MAKE_OWNER in err) == (2, True), "a member owns nothing"
        await app.has_user("olga", "ADMIN")
        process = await serve(app.services.database.url, HOST="0.0.0.0")
        async with httpx2.AsyncClient() as client:
            answer = await client.post(process.http, json={"query": ME})
            assert reason_of(answer.json()) == "MISSING"


# Secrets


async def test_no_secret_leaves(run, caplog):
    """Of passwords, tokens and keys nothing is logged, told in an event, kept, or answered but once."""
    caplog.set_level(logging.DEBUG)
    answers = []
    async with run(registration=True) as app:
        password, other = "canary-of-a-password", "canary-of-another-password"
        session = await app.data(REGISTER, input={"username": "ann", "password": password})
        given = await app.data(LOGIN, input={"username": "ann", "password": password})
        app.tokens["ann"] = f"Bearer {given['accessToken']}"
        again = """mutation($t: String!) {
          refreshSession(input: {refreshToken: $t}) { ... on Session { refreshToken } } }"""
        refreshed = await app.data(again, t=given["refreshToken"])
        key = await has_key(app, "ci", scopes=["READ"])
        canaries = {
            password,
            other,
            given["accessToken"],
            session["accessToken"],
            given["refreshToken"],
            refreshed["refreshToken"],
            key["secret"],
            key["secret"].removeprefix(key["apiKey"]["prefix"] + "_"),
        }
        for query, variables in (
            (LOGIN, {"input": {"username": "ann", "password": other}}),
            (LOGIN, {"input": {"username": "ann", "password": other, "extra": 1}}),
            (LOGIN, {"input": {"username": 5, "password": other}}),
            (LOGIN, {"input": {"password": other}}),
            (LOGIN, {"input": {"username": "ann", "password": [other]}}),
            (f'mutation {{ login(input: {{username: "ann", password: "{other}"}}) {{ __typename }} }}', {}),
            (f'mutation {{ login(input: {{username: "ann", password: "{other}"}}) {{ nothing }} }}', {}),
            (f'mutation {{ login(input: {{username: "ann", password: "{other}" }}', {}),
            (f'mutation {{ login(input: {{username: 5, password: "{other}"}}) {{ __typename }} }}', {}),
            (CHANGE, {"new": password, "old": other}),
            (CHANGE, {"new": other, "old": password}),
            (KEYS, {"revoked": False}),
            ("{ viewer { sessions { sessionId userAgent } } me { username } }", {}),
            ("{ viewer { apiKey { name } } }", {}),
        ):
            for actor in ("", "ann", "ci"):
                answers.append(str(await app.ask(query, actor, **variables)))
        app.tokens["bad"] = f"Bearer {given['accessToken']}x"
        answers.append(str(await app.ask(ME, "bad")))
        async with app.begin() as tx:
            kept = [str((await tx.execute(table.select())).all()) for table in Base.metadata.sorted_tables]
    logs = [record.getMessage() + str(vars(record)) for record in caplog.records]
    texts = {"answers": answers, "database": kept, "logs": logs}
    hits = [
        (where, canary[:20], text[:200])
        for where, found in texts.items()
        for canary in canaries
        for text in found
        if canary in text
    ]
    print(f"{len(canaries)} canaries, {sum(map(len, texts.values()))} texts")
    assert hits == []


def test_an_account_that_does_not_exist_is_looked_at_as_slowly_as_one_that_does():
    assert not passwords._context.needs_update(passwords._DUMMY), "hashed as passwords are now"
