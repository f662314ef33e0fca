"""Agents for the demo's board: `python -m demo.agents http://127.0.0.1:8000/graphql FOLDER [SPEED]`.

A client of the public API and nothing else, as the local owner: it gives the board to agents, makes a small git
repository in FOLDER, a key for a worker, and starts that worker with scripted agents; meanwhile demo/people.py
is the people. Ends when its standard input does: with the server that started it. A worker that somebody kills
stays killed, so that another one can be seen to go on: FOLDER/worker.pid is the one to kill, and
demo/second_worker.py says how another is started.
"""

import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2

from demo.people import ACTION_INTERVAL_SECONDS, DemoPeople, OperationRefused
from demo.second_worker import AT_ONCE, PID, scripted

ROOT = Path(__file__).parent.parent
BOARD = "BOX"  # the key of the board that agents work on
KEY = "Demo worker"
QUESTION = 120  # seconds until a question is answered by its default
START_TIMEOUT_SECONDS = 60.0  # seconds the server gets to start
STOP_GRACE_SECONDS = 3.0  # seconds the worker gets to leave

FIND = "query Boards { boards(first: 20) { nodes { id key workspaceId policy { autoDispatch } } } }"
KEYS = """query Keys($workspace: ID!) { workspace(id: $workspace) {
  apiKeys(first: 100) { nodes { prefix name revokedAt } } } }"""
MAKE = """mutation Make($workspace: ID!, $board: ID!, $name: String!) {
  createApiKey(input: {workspaceId: $workspace, boardId: $board, name: $name, scopes: [WORKER]}) {
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
    """The repository that agents work in: made once."""
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


def prepared(lively: DemoPeople, folder: Path) -> str | None:
    """Give the board to agents, once; the worker's key, kept in the folder. None where the board is gone."""
    board = next((one for one in lively.ask(FIND)["nodes"] if one["key"] == BOARD), None)
    if board is None:
        return None
    kept, workspace = folder / "worker.key", board["workspaceId"]
    keys = [key for key in lively.ask(KEYS, workspace=workspace)["apiKeys"]["nodes"] if key["name"] == KEY]
    if not keys:
        lively.ask(POLICY, board=board["id"], concurrency=AT_ONCE, seconds=QUESTION)
        for card in lively.ask(TODO, board=board["id"])["cards"]["nodes"]:
            lively.ask(START, card=card["id"])
    secret = kept.read_text() if kept.exists() else ""
    if any(secret.startswith(f"{key['prefix']}_") and key["revokedAt"] is None for key in keys):
        return secret
    secret = str(lively.ask(MAKE, workspace=workspace, board=board["id"], name=KEY)["secret"])
    folder.mkdir(parents=True, exist_ok=True)
    kept.touch(0o600)
    kept.write_text(secret)
    return secret


@contextmanager
def worker(address: str, folder: Path, key: str, speed: str) -> Iterator[None]:
    """While this lasts, a worker with scripted agents is at work, unless somebody kills it."""
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
        pid.unlink()
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_GRACE_SECONDS)
        process.kill()
        process.wait()


def begun(lively: DemoPeople, folder: Path) -> str | None:
    """`prepared`, as soon as the server answers."""
    until = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            return prepared(lively, folder)
        except (httpx2.HTTPError, ValueError):
            if time.monotonic() > until or is_over(0.2):
                return None


def is_over(seconds: float) -> bool:
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def end(*_: Any) -> None:
    raise SystemExit(0)


def main(address: str, folder: Path, speed: str = "1") -> None:
    beat = ACTION_INTERVAL_SECONDS / float(speed)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    chance = random.Random()  # noqa: S311 - it only makes a board lively
    headers = {"user-agent": "signalbox-demo"}
    with httpx2.Client(timeout=10, headers=headers, trust_env=False) as client:
        lively = DemoPeople(client, address, chance)
        try:
            key = begun(lively, folder)
        except (OperationRefused, OSError, subprocess.CalledProcessError) as error:
            print(f"signalbox: the demo has no agents: {error}", file=sys.stderr)
            key = None
        if key is None:
            lively.live(beat, is_over)
        else:
            with worker(address, folder, key, speed):
                lively.live(beat, is_over)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:4])
