"""Agents for the demo's board: `python -m demo.agents http://127.0.0.1:8000/graphql FOLDER [SPEED]`.

A client of the public API only. It signs in with the token of a link, SIGNALBOX_LINK, assigns the board to agents,
creates a small git repository in FOLDER and two API keys, one for the people and one for a worker, and signs out.
Then it starts a worker with scripted agents, while demo/people.py acts as the people. It ends when its standard
input ends, with the server that started it. A killed worker is not restarted, so that another one can take over:
FOLDER/worker.pid has its process id, and demo/second_worker.py prints the command for another.
"""

import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import httpx2

from demo.people import ACTION_INTERVAL_SECONDS, DemoPeople, OperationRefused
from demo.second_worker import AT_ONCE, PID, WORKER_KEY, scripted

ROOT = Path(__file__).parent.parent
BOARD = "BOX"  # key of the agents' board
WORKER, PEOPLE = "Demo worker", "Demo people"  # names of the API keys
PEOPLE_KEY = "people.key"  # in FOLDER
QUESTION = 120  # seconds until the default answers a question
START_TIMEOUT_SECONDS = 60.0  # for the server
STOP_GRACE_SECONDS = 3.0  # for the worker

FIND = "query Boards { boards(first: 20) { nodes { id key workspaceId policy { autoDispatch } } } }"
KEYS = """query Keys($workspace: ID!) { workspace(id: $workspace) {
  apiKeys(first: 100) { nodes { prefix name revokedAt } } } }"""
SIGN_IN = """mutation SignIn($token: String!) { redeemSignInLink(input: {token: $token}) {
  ... on Session { accessToken } ... on Refusal { message } } }"""
SIGN_OUT = "mutation SignOut { logout(input: {}) { __typename } }"
MAKE = """mutation Make($workspace: ID!, $board: ID, $name: String!, $scopes: [Scope!]!) {
  createApiKey(input: {workspaceId: $workspace, boardId: $board, name: $name, scopes: $scopes}) {
    ... on ApiKeySecret { secret } ... on Refusal { message } } }"""
POLICY = """mutation Policy($board: ID!, $concurrency: Int!, $seconds: Int!) {
  updateBoardPolicy(input: {boardId: $board, autoDispatch: true, concurrency: $concurrency,
    questionSeconds: $seconds, questionExpiry: CONTINUE, leaseSeconds: 10}) {
    __typename ... on Refusal { message } } }"""
TODO = """query Todo($board: ID!) { board(id: $board) {
  cards(first: 50, filter: {stages: [TODO]}) { nodes { id } } } }"""
START = "mutation Start($card: ID!) { startRun(input: {cardId: $card}) { __typename ... on Refusal { message } } }"

README = """# Two lamps

What the demo's agents work on. Each run has a branch of its own: `git branch` lists them.
"""
LAMPS = '''"""A signal with two lamps."""


def shown(occupied: bool, proven: bool) -> str:
    """What the signal shows: danger, unless the track is proven free."""
    return "clear" if proven and not occupied else "danger"
'''
TEST = '''"""A signal never shows clear by mistake."""

import unittest

from lamps import shown


class TestLamps(unittest.TestCase):
    def test_an_occupied_track_is_danger(self):
        self.assertEqual(shown(True, True), "danger")

    def test_a_track_that_is_proven_free_is_clear(self):
        self.assertEqual(shown(False, True), "clear")
'''


def repository(folder: Path) -> Path:
    """Create the repository of the agents, once."""
    made = folder / "repository"
    if (made / ".git").exists():
        return made
    made.mkdir(parents=True, exist_ok=True)
    for name, text in (("README.md", README), ("lamps.py", LAMPS), ("test_lamps.py", TEST)):
        (made / name).write_text(text)
    (made / ".gitignore").write_text("__pycache__/\n")
    author = (
        "-c",
        "user.name=Signalbox demo",
        "-c",
        "user.email=demo@localhost",
        "-c",
        "commit.gpgSign=false",
    )
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), (*author, "commit", "-qm", "Two lamps")):
        subprocess.run(["git", "-C", str(made), *words], check=True, capture_output=True)
    return made


def prepared(people: DemoPeople, folder: Path) -> dict[str, str]:
    """Assign the board to agents, once. Returns the API keys by name, or none if the boards are gone."""
    boards = people.ask(FIND)["nodes"]
    board = next((candidate for candidate in boards if candidate["key"] == BOARD), None)
    if not boards:
        return {}
    workspace = (board or boards[-1])["workspaceId"]
    keys = people.ask(KEYS, workspace=workspace)["apiKeys"]["nodes"]
    if board and not any(key["name"] == WORKER for key in keys):
        people.ask(POLICY, board=board["id"], concurrency=AT_ONCE, seconds=QUESTION)
        for card in people.ask(TODO, board=board["id"])["cards"]["nodes"]:
            people.ask(START, card=card["id"])
    wanted = {PEOPLE: (PEOPLE_KEY, None, "WRITE")}
    wanted |= {WORKER: (WORKER_KEY, board["id"], "WORKER")} if board else {}
    return {
        name: kept(people, folder / file, keys, workspace=workspace, board=of, name=name, scopes=[scope])
        for name, (file, of, scope) in wanted.items()
    }


def kept(people: DemoPeople, file: Path, keys: list[Any], **new: Any) -> str:
    """Return the API key in a file while it is valid, else a new one."""
    secret = file.read_text() if file.exists() else ""
    if any(secret.startswith(f"{key['prefix']}_") and key["revokedAt"] is None for key in keys):
        return secret
    secret = str(people.ask(MAKE, **new)["secret"])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(0o600)
    file.write_text(secret)
    return secret


@contextmanager
def worker(address: str, folder: Path, key: str, speed: str) -> Iterator[None]:
    """Run a worker with scripted agents in this context, until it is killed."""
    command = [sys.executable, "-m", "worker", "worker", "--url", address, "--name", "demo"]
    command += scripted(repository(folder), speed)
    env = os.environ | {"SIGNALBOX_KEY": key, "LOG_LEVEL": "ERROR"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    pid = folder / PID
    pid.write_text(f"{process.pid}\n")
    try:
        yield
    finally:
        process.terminate()  # first: its file may be gone already
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_GRACE_SECONDS)
        process.kill()
        process.wait()
        pid.unlink(missing_ok=True)


def begun(people: DemoPeople, folder: Path, token: str) -> dict[str, str]:
    """Call `prepared` once the server answers, signed in for its duration."""
    until = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            if "authorization" not in people.client.headers:
                session = people.ask(SIGN_IN, token=token)
                if "accessToken" not in session:
                    raise OperationRefused(session["message"])
                people.client.headers["authorization"] = f"Bearer {session['accessToken']}"
            secrets = prepared(people, folder)
            people.ask(SIGN_OUT)
            return secrets
        except (httpx2.HTTPError, ValueError):
            if time.monotonic() > until or is_over(0.2):
                return {}


def is_over(seconds: float) -> bool:
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def end(*_: Any) -> None:
    raise SystemExit(0)


def main(address: str, folder: Path, speed: str = "1") -> None:
    beat = ACTION_INTERVAL_SECONDS / float(speed)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    chance = random.Random()  # noqa: S311 - no secret
    headers = {"user-agent": "signalbox-demo"}
    with httpx2.Client(timeout=10, headers=headers, trust_env=False) as client:
        people = DemoPeople(client, address, chance)
        try:
            keys = begun(people, folder, os.environ.get("SIGNALBOX_LINK", ""))
        except (OperationRefused, OSError, subprocess.CalledProcessError) as error:
            print(f"signalbox: the demo has no people and no agents: {error}", file=sys.stderr)
            keys = {}
        if PEOPLE in keys:
            client.headers["authorization"] = f"Bearer {keys[PEOPLE]}"
        with worker(address, folder, keys[WORKER], speed) if WORKER in keys else nullcontext():
            people.live(beat, is_over)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:4])
