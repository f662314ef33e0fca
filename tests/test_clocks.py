"""Servers whose clocks are minutes apart judge every deadline alike: by the database's clock."""

import asyncio
import os
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from tests.conftest import KEY, LOGIN, MAKE_KEY, PASSWORD, free_port
from tests.work import ANSWER, ASK, CHOICE, CLAIM, REGISTER, SHOW, START, WORDS

pytestmark = pytest.mark.slow("two servers and every deadline there is")

ROOT = Path(__file__).parent.parent
AHEAD = timedelta(minutes=10)
# Another clock for a whole process, set before anything of the server is imported.
SKEWED = """
import datetime, sys, time
seconds, real, clock = float(sys.argv[1]), datetime.datetime, time.time
class Kind(type):
    def __instancecheck__(cls, one):
        return isinstance(one, real)
class Skewed(real, metaclass=Kind):
    @classmethod
    def now(cls, tz=None):
        return real.now(tz) + datetime.timedelta(seconds=seconds)
    @classmethod
    def utcnow(cls):
        return real.utcnow() + datetime.timedelta(seconds=seconds)
datetime.datetime = Skewed
time.time = lambda: clock() + seconds
sys.path.insert(0, sys.argv[2])
sys.argv = ["server.py", "serve"]
import server
server.command_line()
"""
REFRESH = """mutation($input: RefreshSessionInput!) { refreshSession(input: $input) { __typename
  ... on Session { accessToken refreshToken } ... on Refusal { code message } } }"""
QUESTION = "query($id: ID!) { node(id: $id) { ... on Question { status } } }"


class Server:
    """A server process whose clock is wrong by so much."""

    token = None  # of who asks where a request names nobody

    def __init__(self, url, folder, ahead):
        self.port, self.token = free_port(), None
        given = {"DATABASE_URL": url, "PORT": str(self.port), "SECRET_KEY": KEY, "HOST": "127.0.0.1"}
        words = [sys.executable, "-c", SKEWED, str(ahead.total_seconds()), str(ROOT)]
        self.log = folder / f"{self.port}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                words, cwd=folder, env={**os.environ, **given}, stdout=log, stderr=log
            )
        self.client = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    async def ready(self):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "it ended"
            with suppress(httpx2.HTTPError):
                if (await self.client.get("/readyz")).status_code == 200:
                    return self
            await asyncio.sleep(0.1)
        raise TimeoutError("the server did not become ready")

    async def data(self, query, token=None, key=None, /, **variables):
        token = token or self.token
        headers = {"authorization": f"Bearer {token}"} if token else {}
        headers |= {"idempotency-key": key} if key else {}
        body = {"query": query, "variables": variables}
        answer = (await self.client.post("/graphql", json=body, headers=headers)).json()
        assert "errors" not in answer, answer["errors"]
        [value] = answer["data"].values()
        return value

    async def end(self):
        self.process.kill()
        self.process.wait(30)
        print(self.log.read_text()[-4000:])
        await self.client.aclose()


async def until(look, wanted):
    deadline = time.monotonic() + 60
    while (found := await look()) != wanted:
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("ahead", [AHEAD, -AHEAD], ids=["ahead", "behind"])
async def test_a_server_with_a_wrong_clock_judges_as_the_others(fresh, run, tmp_path, ahead):
    url = await fresh()
    async with run(url) as app:
        await app.has_user("ann", "ADMIN")
        home = await app.home()
        board, cards = await app.has_board("One", "Two", "Three", name="Web")
    right, wrong = Server(url, tmp_path, timedelta(0)), Server(url, tmp_path, ahead)
    try:
        await asyncio.gather(right.ready(), wrong.ready())
        await judged_alike(right, wrong, home, cards)
        await judged_alike(wrong, right, home, cards[2:], name="second")
        assert board
    finally:
        await right.end()
        await wrong.end()


async def judged_alike(one, other, home, cards, name="first"):
    """Everything that one server writes with a deadline, judged by the other."""
    # Tokens: access, refresh, an API key's end.
    session = await one.data(LOGIN, input={"username": "ann", "password": PASSWORD})
    one.token = other.token = session["accessToken"]
    me = "{ me { username } }"
    assert (await other.data(me, session["accessToken"]))["username"] == "ann", "a token just made is good"
    asked = {"refreshToken": session["refreshToken"]}
    both = [await server.data(REFRESH, input=asked) for server in (other, one, other)]
    assert len({answer["refreshToken"] for answer in both}) == 1, "spent twice at once: one successor"
    ends = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    given = {"workspaceId": home, "name": name, "scopes": ["READ"], "expiresAt": ends}
    made = await one.data(MAKE_KEY, session["accessToken"], input=given)
    assert (await other.data("{ boards { totalCount } }", made["secret"]))["totalCount"] == 1
    # The window in which an answer is given again.
    rename = "mutation($n: String!) { createWorkspace(input: {name: $n}) { ... on Workspace { id } } }"
    first = await one.data(rename, session["accessToken"], name, n=name)
    assert await other.data(rename, session["accessToken"], name, n=name) == first
    # Workers, leases, schedules.
    given = {"workspaceId": home, "name": name, "executors": ["SCRIPTED"], "maxConcurrent": 9}
    worker = (await one.data(REGISTER, input=given))["id"]
    status = "query($id: ID!) { worker(id: $id) { status } }"
    assert (await other.data(status, id=worker))["status"] == "IDLE"
    later = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    asked = {"cardId": cards[0], "kind": "TEST", "startAt": later}
    [scheduled] = (await one.data(START, input=asked))["runs"]
    assert (await other.data(CLAIM, input={"workerId": worker, "most": 1}))["claims"] == []
    [hold] = [
        hold
        for hold in (await other.data(SHOW, id=scheduled["id"]))["whyNotRunning"]
        if hold["code"] == "DUE_LATER"
    ]
    assert datetime.fromisoformat(hold["until"]) == datetime.fromisoformat(later)
    await other.data("mutation($id: ID!) { stopRun(input: {id: $id}) { __typename } }", id=scheduled["id"])
    [started] = (await one.data(START, input={"cardId": cards[0], "kind": "TEST"}))["runs"]
    [claim] = (await one.data(CLAIM, input={"workerId": worker, "most": 1}))["claims"]
    lease = {"runId": started["id"], "attempt": claim["attempt"], "token": claim["token"]}
    # Questions: one whose time runs out, another whose time does not, swept by both servers meanwhile.
    group = {"lease": lease, "key": "long", "questions": [CHOICE], "expiresInSeconds": 300}
    [long] = (await one.data(ASK, input=group))["questions"]
    left = datetime.fromisoformat(long["expiresAt"]) - datetime.now(UTC)
    assert timedelta(seconds=270) < left <= timedelta(seconds=305)
    brief = {
        "lease": lease,
        "key": "brief",
        "questions": [{**WORDS, "blocking": False}],
        "expiresInSeconds": 2,
    }
    [short] = (await one.data(ASK, input=brief))["questions"]

    async def state():
        return (await other.data(QUESTION, id=short["id"]))["status"]

    await until(state, "EXPIRED")
    assert (await other.data(QUESTION, id=long["id"]))["status"] == "OPEN"
    assert (await other.data(SHOW, id=started["id"]))["status"] == "WAITING"
    answered = await other.data(ANSWER, input={"id": long["id"], "options": ["red"]})
    assert answered["__typename"] == "Question", answered
    stop = "mutation($id: ID!) { stopRun(input: {id: $id}) { __typename } }"
    await one.data(stop, id=started["id"])
    leave = "mutation($id: ID!) { deregisterWorker(input: {id: $id}) { __typename } }"
    await one.data(leave, id=worker)
