"""Connections: a secret goes in and never comes out, and is tried at the real door of its system."""

import logging

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import select

from auth.secrets import SecretLost, Secrets, hint_of
from models.connection import MAX_CONNECTIONS, Connection, ConnectionKind
from tests.github_host import TOKEN, Reply, github

FIELDS = "id kind source name url appId installationId secretHint account checkedAt error version"
LIST = f"query($id: ID!) {{ connections(workspaceId: $id) {{ {FIELDS} }} }}"
LOOPBACK = {"outbound_networks": "127.0.0.0/8"}
SECRET = "ghp_" + "s" * 28 + "wxyz"
FEED = """subscription($id: ID!) { workspaceFeed(workspaceId: $id, after: "0") {
  event { kind: __typename ... on ConnectionEvent { name connectionKind connection { id } }
  ... on ConnectionUpdated { changes { field before after } } } } }"""


async def do(app, name, actor="", /, **input):
    answer = f"__typename ... on ConnectedService {{ {FIELDS} }} ... on Refusal {{ code message }}"
    answer += " ... on Invalid { issues { path message } }"
    query = f"mutation($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ {answer} }} }}"
    return await app.data(query, actor, input=input)


async def make(app, actor="", /, **input):
    given = {"workspaceId": await app.home(), "kind": "GITHUB_TOKEN", "name": "GitHub", "secret": SECRET}
    return await do(app, "createConnection", actor, **{**given, **input})


def pem():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public


def test_an_old_key_opens_and_the_new_one_seals():
    old = Secrets(["o" * 32]).seal("a secret", "connection_1")
    both = Secrets(["n" * 32, "o" * 32])
    assert both.open(old, "connection_1") == "a secret"
    assert not both.is_newest(old)
    new = both.seal("a secret", "connection_1")
    assert both.is_newest(new)
    assert Secrets(["n" * 32]).open(new, "connection_1") == "a secret"
    assert "secret" not in new
    with pytest.raises(SecretLost, match="not in SECRET_KEY"):
        Secrets(["n" * 32]).open(old, "connection_1")
    with pytest.raises(SecretLost, match="another row"):
        both.open(new, "connection_2")
    with pytest.raises(SecretLost, match="changed"):
        both.open(new[:-4] + "AAA=", "connection_1")
    assert Secrets(["n" * 32]).missing_keys([old[:8], new[:8]]) == [old[:8]]
    assert (hint_of("short"), hint_of("s" * 16 + "tail")) == ("", "tail")


async def test_a_connection_from_first_to_last(run, caplog):
    caplog.set_level(logging.INFO)
    async with run() as app:
        home = await app.home()
        made = await make(app, name="  Git  Hub ")
        id = made.pop("id")
        assert made == {
            "__typename": "ConnectedService",
            "kind": "GITHUB_TOKEN",
            "source": "DB",
            "name": "Git Hub",
            "url": None,
            "appId": None,
            "installationId": None,
            "secretHint": "wxyz",
            "account": None,
            "checkedAt": None,
            "error": None,
            "version": 1,
        }
        assert (await make(app, name="git hub"))["code"] == "CONFLICT"
        [row] = await app.services.database.read(select(Connection.__table__))
        assert SECRET not in row.secret
        assert app.services.secrets.open(row.secret, id) == SECRET
        changed = await do(app, "updateConnection", id=id, secret="sk-" + "n" * 20 + "next", name="GitHub")
        assert (changed["secretHint"], changed["version"]) == ("next", 2)
        moved = await do(app, "updateConnection", id=id, url="https://ghe.example.com/")
        assert moved["issues"] == [{"path": "secret", "message": "must be given again with another url"}]
        assert (await do(app, "updateConnection", id=id, ifVersion=1, name="x"))["code"] == "STALE"
        assert [one["id"] for one in await app.data(LIST, id=home)] == [id]
        assert (await do(app, "deleteConnection", id=id))["name"] == "GitHub"
        assert await app.data(LIST, id=home) == []
        async with app.follow(FEED, id=home) as hear:
            heard = []
            while len(heard) < 3:
                one = (await hear())["workspaceFeed"]
                heard += [one] if one["kind"].startswith("Connection") else []
        assert [one["kind"] for one in heard] == [f"Connection{x}" for x in ("Created", "Updated", "Deleted")]
        assert {one["field"] for one in heard[1]["changes"]} == {"name", "secretHint"}
        assert SECRET not in str(heard)
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"name": " "}, "name"),
        ({"secret": " "}, "secret"),
        ({"secret": "two words"}, "secret"),
        ({"secret": "x" * 8_193}, "secret"),
        ({"url": "http://example.com"}, "url"),
        ({"url": "https://me:word@example.com"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "https://"}, "url"),
        ({"appId": "1"}, "appId"),
        ({"kind": "GITHUB_APP", "appId": "1", "installationId": "1"}, "secret"),
        ({"kind": "GITHUB_APP", "secret": "x"}, "appId"),
        ({"kind": "GITHUB_APP", "appId": "1", "installationId": "../1"}, "installationId"),
        ({"kind": "CHAT_HOOK", "secret": "http://chat.example.com/x"}, "secret"),
    ],
)
async def test_what_cannot_be_taken(run, given, path):
    async with run() as app:
        told = await make(app, **given)
        assert [issue["path"] for issue in told["issues"]] == [path]
        assert await app.data(LIST, id=await app.home()) == []


async def test_only_admins_see_and_change_them(run):
    async with run() as app:
        await app.has_user("max")
        id = (await make(app))["id"]
        assert await app.data(LIST, "max", id=await app.home()) == []
        assert await app.data("query($id: ID!) { node(id: $id) { id } }", "max", id=id) is None
        for name in ("updateConnection", "deleteConnection", "checkConnection"):
            assert (await do(app, name, "max", id=id))["code"] == "FORBIDDEN", name
        ask = "query($id: ID!) { remoteRepositories(connectionId: $id) { nextPage } }"
        assert (await app.ask(ask, "max", id=id))["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_there_is_a_bound_and_a_list_is_one_statement(run):
    async with run() as app:
        home = await app.home()
        async with app.begin() as tx:
            for n in range(MAX_CONNECTIONS):
                tx.add(
                    Connection(
                        workspace_id=home,
                        kind=ConnectionKind.OPENAI,
                        name=f"{n}",
                        name_folded=f"{n}",
                        secret="x",
                    )
                )
        assert (await make(app))["code"] == "CONFLICT"
        with app.counting() as statements:
            assert len(await app.data(LIST, id=home)) == MAX_CONNECTIONS
        assert len(statements) == 2, statements  # the session, the connections


async def test_a_check_asks_the_host(run):
    async with github() as host, run(**LOOPBACK) as app:
        id = (await make(app, url=host.url, secret=TOKEN))["id"]
        told = await do(app, "checkConnection", id=id)
        assert (told["account"], told["error"]) == ("octocat", None)
        assert told["checkedAt"]
        host.tokens.clear()  # revoked at GitHub
        told = await do(app, "checkConnection", id=id)
        assert told["error"] == "The credential is not accepted: Bad credentials"
        assert (await do(app, "updateConnection", id=id, secret=TOKEN + "x"))["error"] is None


async def test_a_private_address_is_not_called(run):
    async with github() as host, run() as app:
        made = await make(app, url=host.url)
        assert made["issues"] == [{"path": "url", "message": "must begin with https://"}]
        id = (await make(app, url="https://localhost:1"))["id"]
        told = await do(app, "checkConnection", id=id)
        assert told["error"] == "The address is private; OUTBOUND_NETWORKS names those that may be called"
        assert host.seen == []


async def test_an_app_signs_in_with_its_key_and_keeps_its_token(run):
    private, public = pem()
    async with github() as host, run(**LOOPBACK) as app:
        host.has()
        given = {"kind": "GITHUB_APP", "appId": "Iv1.abc", "installationId": "77", "secret": private}
        id = (await make(app, url=host.url, **given))["id"]
        for _ in range(2):
            told = await do(app, "checkConnection", id=id)
            assert (told["account"], told["error"]) == ("acme", None)
        assert host.issued == 1
        [issue] = host.calls("POST", "/app/installations/77/access_tokens")
        signed = issue.headers["authorization"].removeprefix("Bearer ")
        claims = jwt.decode(
            signed, public, algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False}
        )
        assert claims["iss"] == "Iv1.abc"
        assert claims["exp"] - claims["iat"] <= 600


async def test_repositories_and_branches_come_in_pages(run):
    async with github() as host, run(**LOOPBACK) as app:
        for n in range(101):
            host.has(f"acme/r{n:03}", n)
        host.repositories["acme/r000"].branches |= {f"b{n:03}": "a" * 40 for n in range(100)}
        id = (await make(app, url=host.url, secret=TOKEN))["id"]
        ask = """query($id: ID!, $page: Int!) { remoteRepositories(connectionId: $id, page: $page) {
          items { externalId fullName url defaultBranch isPrivate isArchived } nextPage } }"""
        first = await app.data(ask, id=id, page=1)
        assert (len(first["items"]), first["nextPage"]) == (100, 2)
        last = await app.data(ask, id=id, page=2)
        assert [one["fullName"] for one in last["items"]] == ["acme/r100"]
        assert last["nextPage"] is None
        ask = """query($id: ID!, $name: String!) { remoteBranches(connectionId: $id, fullName: $name, page: 2) {
          items { name commit isProtected } nextPage } }"""
        branches = await app.data(ask, id=id, name="acme/r000")
        assert branches == {
            "items": [
                {
                    "name": "main",
                    "commit": host.repositories["acme/r000"].branches["main"],
                    "isProtected": True,
                }
            ],
            "nextPage": None,
        }
        for name in ("none", "a/b/c", "/", "acme/"):
            errors = (await app.ask(ask, id=id, name=name))["errors"]
            assert errors[0]["extensions"]["code"] == "INVALID", name
        errors = (await app.ask(ask, id=id, name="acme/none"))["errors"]
        assert errors[0]["extensions"]["code"] == "HOST_FAILED"


async def test_a_host_that_fails_is_asked_again_and_then_told(run):
    async with github() as host, run(**LOOPBACK) as app:
        id = (await make(app, url=host.url, secret=TOKEN))["id"]
        host.faults = [Reply(502), Reply(is_lost=True)]
        assert (await do(app, "checkConnection", id=id))["error"] is None
        assert len(host.seen) == 3
        for fault, error in (
            (
                Reply(
                    403,
                    {"message": "API rate limit exceeded"},
                    {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"},
                ),
                "The rate limit is exceeded",
            ),
            (
                Reply(403, {"message": "You have exceeded a secondary rate limit"}, {"retry-after": "60"}),
                "The rate limit is exceeded",
            ),
            (Reply(500), "The server failed with 500"),
            (Reply(200, b"not JSON"), "The answer is not JSON"),
            (
                Reply(302, None, {"location": "https://example.com/user"}),
                "The server redirects to another host",
            ),
            (Reply(200, b"x" * (5 << 20)), "The answer is too large"),
        ):
            host.faults = [fault]
            assert (await do(app, "checkConnection", id=id))["error"] == error


async def test_the_environment_gives_connections_that_are_read_only(serve, run, kind):
    server = await serve(CONNECTION_GITHUB_TOKEN=SECRET, CONNECTION_OPENAI_KEY="sk-" + "k" * 20 + "tail")
    server.kill()
    async with run(server.database_url) as app:
        home = await app.home()
        found = await app.data(LIST, id=home)
        assert [(one["kind"], one["source"], one["secretHint"]) for one in found] == [
            ("GITHUB_TOKEN", "ENV", "wxyz"),
            ("OPENAI", "ENV", "tail"),
        ]
        for name in ("updateConnection", "deleteConnection"):
            assert (await do(app, name, id=found[0]["id"]))["code"] == "FORBIDDEN"
        rows = await app.services.database.read(select(Connection.secret))
        assert [row.secret for row in rows] == [None, None]
    server = await serve(server.database_url, CONNECTION_OPENAI_KEY="sk-" + "k" * 20 + "liat")
    server.kill()
    async with run(server.database_url) as app:
        found = await app.data(LIST, id=home)
        assert [(one["kind"], one["secretHint"]) for one in found] == [("OPENAI", "liat")]


async def test_a_server_without_a_needed_key_does_not_start(serve, run, fresh):
    url = await fresh()
    async with run(url, secret_key="o" * 40) as app:
        await make(app)
    with pytest.raises(AssertionError, match="secrets in the database need the keys"):
        await serve(url)
