"""Nobody is anybody without a credential, however the request came; and the link that gives the first one."""

import asyncio
import json
import re
import time
from datetime import timedelta

import httpx2
from sqlalchemy import select, update
from websockets.asyncio.client import connect

from kit.db.database import utcnow
from kit.graphql.limits.rate import AttemptLimiter
from models.account import SignInLink
from tests.client import AsgiSocket
from tests.conftest import KEY, NOBODY, PASSWORD, SIGN_IN, link_of
from tests.proxy import Proxy
from tests.terminal import Terminal
from tests.test_start import CLEAN, begin
from tests.warm import Warm

ME = "{ me { username } workspaces { nodes { name } } }"
FEED = "subscription { userFeed { seq } }"
PUBLIC = "board.example"
SOMEBODY = r'"username": ?"owner|"Home|(board|workspace|card)_[0-9a-z]{20}'  # in an answer to somebody


async def asked_every_way(port, host):
    """What a server answers to a request without a credential, by each way there is; `host` is the one named."""
    base, headers = f"http://127.0.0.1:{port}", {"host": host}
    said = {}
    async with httpx2.AsyncClient(timeout=30, headers=headers) as client:
        said["POST"] = await client.post(f"{base}/graphql", json={"query": ME})
        said["GET"] = await client.get(f"{base}/graphql", params={"query": ME})
        stream = {"accept": "text/event-stream"}
        said["SSE"] = await client.post(f"{base}/graphql", json={"query": FEED}, headers=stream)
        form = {"operations": json.dumps({"query": ME}), "map": "{}"}
        given = {"graphql-require-preflight": "1"}
        said["upload"] = await client.post(f"{base}/graphql", data=form, files={"0": b"x"}, headers=given)
        tool = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        accept = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}
        said["MCP"] = await client.post(f"{base}/mcp", json=tool, headers=accept)
        said["examples"] = await client.get(f"{base}/explorer/examples.json")
    answers = {way: answer.text for way, answer in said.items()}
    assert said["MCP"].status_code == 401
    url = f"ws://{host}/graphql"
    async with connect(url, host="127.0.0.1", port=port, subprotocols=["graphql-transport-ws"]) as socket:
        await socket.send('{"type": "connection_init"}')
        await socket.recv()
        for id, query in (("1", ME), ("2", FEED)):
            await socket.send(json.dumps({"id": id, "type": "subscribe", "payload": {"query": query}}))
            while json.loads(answer := await asyncio.wait_for(socket.recv(), 30))["type"] == "complete":
                continue
            answers[f"socket {id}"] = str(answer)
    return answers


async def test_without_a_credential_nobody_is_anybody(serve):
    """Directly, through a relay of bytes, and as a bare reverse proxy sends it: no header says that it did."""
    server = await serve(ALLOWED_HOSTS=PUBLIC)
    async with httpx2.AsyncClient(headers=server.headers) as client:
        known = (await client.post(server.http, json={"query": ME})).json()["data"]
        assert known == {"me": {"username": "owner"}, "workspaces": {"nodes": [{"name": "Home"}]}}
    async with Proxy(("127.0.0.1", server.port)) as relay:
        for port in (server.port, relay.port):
            for host in (f"127.0.0.1:{server.port}", f"localhost:{server.port}", PUBLIC):
                answers = await asked_every_way(port, host)
                for way, answer in answers.items():
                    assert not re.search(SOMEBODY, answer), (way, host, answer)
                for way in ("POST", "GET", "SSE", "socket 1", "socket 2"):
                    assert "UNAUTHENTICATED" in answers[way], (way, host, answers[way])


async def redeem(app, token):
    return await app.data(SIGN_IN, NOBODY, input={"token": token})


async def test_a_link_signs_in_once(run):
    async with run() as app:
        token = await link_of(app.services.event_log)
        stored = await app.services.database.read(select(SignInLink.__table__))
        assert token not in str(stored), "only its hash is kept"
        assert len(token) >= 43, "256 bits"
        session = await redeem(app, token)
        app.tokens["again"] = f"Bearer {session['accessToken']}"
        assert (await app.ask(ME, "again"))["data"]["me"] == {"username": "owner"}
        for wrong in (token, "", "x" * 43, token[:-1]):
            refused = await redeem(app, wrong)
            assert (refused["__typename"], refused["reason"]) == ("Unauthenticated", "INVALID")
            assert "python server.py link" in refused["message"]
        late = await link_of(app.services.event_log)
        async with app.begin() as tx:
            await tx.execute(update(SignInLink).values(expires_at=utcnow() - timedelta(seconds=1)))
        assert (await redeem(app, late))["reason"] == "EXPIRED"


async def test_of_ten_who_redeem_one_link_one_is_signed_in(run):
    """In two processes of one database, five in each."""
    async with run() as app, run(app.services.database.url) as other:
        for _ in range(5):
            token = await link_of(app.services.event_log)
            answers = await asyncio.gather(*(redeem((app, other)[n % 2], token) for n in range(10)))
            kinds = sorted(answer["__typename"] for answer in answers)
            assert kinds == ["Session"] + ["Unauthenticated"] * 9
            for each in (app, other):
                each.services.attempts = AttemptLimiter()


async def test_tries_at_links_are_limited(run):
    async with run() as app:
        for _ in range(10):
            assert (await redeem(app, "wrong"))["reason"] == "INVALID"
        token = await link_of(app.services.event_log)
        answer = await app.ask(SIGN_IN, NOBODY, input={"token": token})
        assert answer["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_a_socket_is_signed_in_with_what_a_link_gave(run):
    async with run() as app:
        async with AsgiSocket(app.app) as socket:
            await socket.init(
                f"Bearer {(await redeem(app, await link_of(app.services.event_log)))['accessToken']}"
            )
            socket.send({"id": "1", "type": "subscribe", "payload": {"query": ME}})
            assert (await socket.receive())["payload"]["data"]["me"] == {"username": "owner"}


async def printed(process, out, err, text, seconds=60):
    """What a process has printed, as soon as `text` is in it."""
    deadline = time.monotonic() + seconds
    while text not in (said := out.read_text() if out.exists() else ""):
        assert process.poll() is None, err.read_text()
        assert time.monotonic() < deadline, said
        await asyncio.sleep(0.05)
    return said


async def who(link):
    address, token = link.split("#token=")
    async with httpx2.AsyncClient(timeout=30) as client:
        body = {"query": SIGN_IN, "variables": {"input": {"token": token}}}
        answer = await client.post(httpx2.URL(address).join("/graphql"), json=body)
        return answer.json()["data"]["redeemSignInLink"]


async def test_serve_prints_a_link_until_the_owner_has_a_password(fresh, tmp_path):
    given = CLEAN | {"DATABASE_URL": await fresh(), "SECRET_KEY": KEY, "LOG_LEVEL": "INFO"}
    out, err = tmp_path / "out", tmp_path / "err"
    server = Warm("serve", cwd=tmp_path, env=given, stdout=out, stderr=err)
    try:
        [link] = re.findall(r"http://127\.0\.0\.1:\d+/#token=\S+", await printed(server, out, err, "NAME"))
        assert (await who(link))["user"]["username"] == "owner"
        assert (await who(link))["reason"] == "INVALID"
        address = link.split("/#")[0]
        status, another, _ = await begin(tmp_path, "link", "--url", address, **given)
        assert (status, another.split("#")[0]) == (0, f"{address}/")
        assert (await begin(tmp_path, "owner", "margaret", OWNER_PASSWORD=PASSWORD, **given))[0] == 0
        assert (await who(another.strip()))["reason"] == "INVALID", "a new password ends the links there were"
        status, third, _ = await begin(tmp_path, "link", "--user", "margaret", "--url", address, **given)
        assert (status, (await who(third.strip()))["user"]["username"]) == (0, "margaret")
        refused = await begin(tmp_path, "link", "--user", "stranger", **given)
        assert (refused[0], refused[1], refused[2].count("\n")) == (2, "", 1)
        assert "#token" not in err.read_text(), "it is in no log"
    finally:
        server.kill()
    out.write_text("")
    server = Warm("serve", cwd=tmp_path, env=given, stdout=out, stderr=err)
    try:
        await printed(server, err, err, "Listening on")
        assert out.read_text() == ""
    finally:
        server.kill()


async def test_migrating_down_asks(fresh, tmp_path):
    given = CLEAN | {"DATABASE_URL": await fresh(), "SECRET_KEY": KEY}
    for to in ("base", "0001"):
        line = "signalbox: migrate asks before it deletes, and nobody is here to answer; say --yes\n"
        assert await begin(tmp_path, "migrate", "--to", to, **given) == (2, "", line)
        status, said, _ = await begin(tmp_path, "migrate", **given)
        assert (status, "already at" in said) == (0, True), "nothing was changed"

    async def typed(text, to):
        out, err = tmp_path / f"{text} out", tmp_path / f"{text} err"
        with Terminal() as terminal:
            terminal.type(text)
            process = Warm(
                *("migrate", "--to", to), cwd=tmp_path, env=given, stdin=terminal.path, stdout=out, stderr=err
            )
            return await asyncio.to_thread(process.wait, 60), out.read_text(), err.read_text()

    status, asked, err = await typed("another", "0001")
    assert (status, err) == (2, "signalbox: that is not its name; nothing was deleted\n")
    [name] = re.findall(
        r"Everything that revision 0001 lacks will be dropped from \S+ Type its name, (\S+), to go on", asked
    )
    assert (await typed(name, "0001"))[0] == 0
    status, said, _ = await begin(tmp_path, "migrate", "--to", "base", "--yes", **given)
    assert (status, said.endswith("0001 -> empty\n")) == (0, True)
