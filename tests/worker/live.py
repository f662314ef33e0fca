"""A real server, real workers, and what tests say to them: over HTTP, as the owner."""

import asyncio
import contextlib
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import httpx2

from tests.warm import Warm

ROOT = Path(__file__).parent.parent.parent
BOARD = """mutation($workspace: ID!) { createBoard(
  input: {workspaceId: $workspace, name: "Web", template: PIPELINE}) { ... on Board { id } } }"""
POLICY = "mutation($input: UpdateBoardPolicyInput!) { updateBoardPolicy(input: $input) { __typename } }"
PROFILE = """mutation($input: CreateAgentProfileInput!) { createAgentProfile(input: $input) {
  ... on AgentProfile { id } ... on Refusal { message } } }"""
CARD = "mutation($input: CreateCardInput!) { createCard(input: $input) { ... on Card { id } } }"
STEP = """mutation($id: ID!, $title: String!) { addSubtask(input: {cardId: $id, title: $title}) {
  __typename } }"""
START = """mutation($card: ID!, $profile: [ID!]) { startRun(input: {cardId: $card, profileIds: $profile}) {
  ... on Runs { runs { id } } ... on Refusal { message } } }"""
RUN = """query($id: ID!) { run(id: $id) {
  id status waitReason attempt summary outcome branch headSha patch exitCode failureCode failureReason warnings
  metrics files { path change additions } commits { title } attempts { number outcome } stopReason
  card { stage subtasks { title completed } } questions { id key status answer }
  events(first: 100) { nodes { seq type text } } } }"""
ANSWER = """mutation($id: ID!, $options: [String!], $text: String) {
  answerQuestion(input: {id: $id, options: $options, text: $text}) { __typename ... on Refusal { message } } }"""
STOP = "mutation($id: ID!) { stopRun(input: {id: $id}) { __typename ... on Refusal { message } } }"
CONCLUDE = "mutation($id: ID!) { concludeRun(input: {id: $id}) { __typename ... on Refusal { message } } }"


def made_repository(folder):
    folder.mkdir()
    (folder / "readme.md").write_text("hello\n")
    author = ("-c", "user.name=Ann", "-c", "user.email=a@b.c")
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], [*author, "commit", "-qm", "Begin"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    return folder


class Program:
    """A worker process."""

    def __init__(self, live, name, *words, **environment):
        self.errors = Path(tempfile.mkstemp(prefix="signalbox-worker-", suffix=".log")[1])
        where = ("--repository", str(live.repository), "--worktrees", str(live.folder / "worktrees"))
        self.process = Warm(
            *("worker", "--url", live.server.http, "--name", name, *where, *words),
            cwd=ROOT,
            env=os.environ | {"SIGNALBOX_KEY": live.key} | environment,
            stderr=self.errors,
        )

    def signal(self, number):
        self.process.send_signal(number)

    async def ended(self, seconds=30):
        return await asyncio.to_thread(self.process.wait, seconds)

    def kill(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait(10)


class Live:
    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.client = httpx2.AsyncClient(timeout=30, headers=server.headers)
        self.key = server.headers["authorization"].removeprefix("Bearer ")
        self.repository = made_repository(folder / "repository")
        self.workers = []

    async def begin(self, **policy):
        self.workspace = (await self.ask("{ workspaces { nodes { id } } }"))["nodes"][0]["id"]
        self.board = (await self.ask(BOARD, workspace=self.workspace))["id"]
        given = {"boardId": self.board, "leaseSeconds": 3, "concurrency": 10, "autoDispatch": False, **policy}
        await self.ask(POLICY, input=given)
        return self

    async def ask(self, query, **variables):
        answer = (
            await self.client.post(self.server.http, json={"query": query, "variables": variables})
        ).json()
        assert "errors" not in answer, answer["errors"]
        [value] = answer["data"].values()
        return value

    def worker(self, name="w", executors="command,scripted", at_once=4, words=(), **environment):
        words = ("--executor", executors, "--at-once", str(at_once), *words)
        one = Program(self, name, *words, **environment)
        self.workers.append(one)
        return one

    async def start(self, executor, title="Say hello", steps=(), **options):
        """A card, and a run on it with an agent of these options."""
        input = {
            "workspaceId": self.workspace,
            "name": f"{executor} {time.monotonic_ns()}",
            "executor": executor,
            "options": options,
        }
        profile = (await self.ask(PROFILE, input=input))["id"]
        card = (
            await self.ask(
                CARD, input={"boardId": self.board, "title": title, "destination": {"stage": "TODO"}}
            )
        )["id"]
        for step in steps:
            await self.ask(STEP, id=card, title=step)
        told = await self.ask(START, card=card, profile=[profile])
        assert "runs" in told, told
        return told["runs"][0]["id"]

    async def run(self, id):
        return await self.ask(RUN, id=id)

    async def until(self, id, *statuses, seconds=120, check=lambda run: True):
        """The run, as soon as it is in one of these states."""
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(httpx2.HTTPError):
                run = await self.run(id)
                if run["status"] in statuses and check(run):
                    return run
                assert time.monotonic() < deadline, (run, [one.errors.read_text() for one in self.workers])
            await asyncio.sleep(0.25)

    async def end(self):
        await self.client.aclose()
        for one in self.workers:
            one.kill()
            print("A worker logged:", one.errors.read_text()[-3000:])
            one.errors.unlink()
