"""A rolling upgrade: the program before the newest migration goes on while the new one migrates and serves."""

import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
import websockets

from kit.db.database import Database
from kit.db.migrate import migrate
from kit.db.revision import list_revisions
from tests.conftest import KEY, SIGN_IN, Process

ROOT = Path(__file__).parent.parent
BOARD = """mutation($input: CreateBoardInput!) {
  createBoard(input: $input) { ... on Board { id columns { id stage } } } }"""
CARD = "mutation($input: CreateCardInput!) { createCard(input: $input) { ... on Card { id version } } }"
UPDATE = "mutation($input: UpdateCardInput!) { updateCard(input: $input) { __typename } }"
MOVE = "mutation($input: MoveCardInput!) { moveCard(input: $input) { __typename } }"
SUBTASK = "mutation($input: AddSubtaskInput!) { addSubtask(input: $input) { __typename } }"
MESSAGE = "mutation($input: PostMessageInput!) { postMessage(input: $input) { __typename } }"
RUN = "mutation($input: StartRunInput!) { startRun(input: $input) { __typename } }"
READ = """query($id: ID!) { board(id: $id) { seq columns { name } cards(first: 50) { nodes {
  title version subtasks { title } labels { name } messages(first: 5) { nodes { body } } } } } }"""
FOLLOW = 'subscription($id: ID!) { boardFeed(boardId: $id, after: "0") { seq event { __typename } } }'


def git(*words):
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True).stdout


@pytest.fixture
def old_program(tmp_path):
    """The folder of the newest program of the history that has not all migrations of this one, and no others."""
    names = sorted(path.name for path in (ROOT / "alembic" / "versions").glob("[0-9]*.py"))
    for commit in git("log", "--format=%H", "--", "alembic/versions").decode().split():
        listed = git("ls-tree", "--name-only", commit, "alembic/versions/").decode().split()
        found = sorted(Path(path).name for path in listed if Path(path).name[0].isdigit())
        if found == names[: len(found)] != names:
            break
    else:
        pytest.skip("this clone has no history")
    folder = tmp_path / "old"
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", folder], input=git("archive", commit), check=True)
    return folder


class Old(Process):
    """A server of another folder."""

    def __init__(self, folder, url):
        super().__init__(url, {})
        self.folder = folder

    async def begin(self):
        environment = {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "PORT": str(self.port),
            "SECRET_KEY": KEY,
        }
        with self.errors.open("w") as errors:
            self.program = await asyncio.create_subprocess_exec(
                *(sys.executable, "server.py", "serve", "--migrate"),
                cwd=self.folder,
                env=environment,
                stderr=errors,
            )
        async with asyncio.timeout(90), httpx2.AsyncClient() as client:
            while True:
                with contextlib.suppress(httpx2.HTTPError):
                    if (await client.get(self.http.replace("/graphql", "/readyz"))).status_code == 200:
                        break
                assert self.program.returncode is None, self.errors.read_text()[-3000:]
                await asyncio.sleep(0.1)
            words = [sys.executable, "server.py", "link"]
            shown = subprocess.run(
                words, cwd=self.folder, env=environment, check=True, capture_output=True, text=True
            )
            [token] = re.findall(r"#token=(\S+)", shown.stdout)
            answer = await client.post(
                self.http, json={"query": SIGN_IN, "variables": {"input": {"token": token}}}
            )
            self.headers = {
                "authorization": f"Bearer {answer.json()['data']['redeemSignInLink']['accessToken']}"
            }


@pytest.mark.slow("starts the program of an older commit")
@pytest.mark.processes
async def test_the_program_before_serves_while_the_new_one_migrates_and_serves(serve, empty, old_program):
    url = await empty()
    old = Old(old_program, url)
    await old.begin()
    try:
        async with httpx2.AsyncClient(timeout=30) as client:

            async def ask(server, query, **variables):
                body = {"query": query, "variables": variables}
                answer = (await client.post(server.http, json=body, headers=server.headers)).json()
                assert "errors" not in answer, answer["errors"]
                [value] = answer["data"].values()
                return value

            async def work(server, name):
                """What people do all day."""
                home = (await ask(server, "{ workspaces { nodes { id } } }"))["nodes"][0]["id"]
                board = await ask(server, BOARD, input={"workspaceId": home, "name": name})
                column = {"columnId": board["columns"][1]["id"]}
                card = (await ask(server, CARD, input={"boardId": board["id"], "title": name}))["id"]
                done = [
                    await ask(server, UPDATE, input={"id": card, "description": "Changed"}),
                    await ask(server, SUBTASK, input={"cardId": card, "title": "One"}),
                    await ask(server, MESSAGE, input={"cardId": card, "body": "Look"}),
                    await ask(
                        server,
                        MOVE,
                        input={"id": card, "destination": column},
                    ),
                ]
                assert [one["__typename"] for one in done] == ["Card", "Subtask", "Message", "Card"]
                assert (await ask(server, RUN, input={"cardId": card}))["__typename"] == "Runs"
                return board["id"]

            boards = [await work(old, "Before")]
            database = Database(url)
            before, after = await migrate(database)
            await database.close()
            assert before != after == list_revisions()[-1]
            boards.append(await work(old, "After the migration"))
            new = await serve(url)
            new.headers = old.headers
            boards.append(await work(new, "On the new program"))
            boards.append(await work(old, "Old beside new"))
            # Each reads what the other wrote, and follows it to its end.
            for server in (old, new):
                for board in boards:
                    read = await ask(server, READ, id=board)
                    assert len(read["cards"]["nodes"]) == 1
                    assert await followed(server, board, read["seq"]) == list(range(1, read["seq"] + 1))
    finally:
        old.program.kill()
        await old.program.wait()
        print("What the old server logged:", old.errors.read_text()[-3000:])


async def followed(server, board, until):
    """The numbers of a board's events, up to one."""
    protocols = ["graphql-transport-ws"]
    seen = []
    async with asyncio.timeout(30), websockets.connect(server.ws, subprotocols=protocols) as ws:
        await ws.send(json.dumps({"type": "connection_init", "payload": server.headers}))
        await ws.recv()
        payload = {"query": FOLLOW, "variables": {"id": board}}
        await ws.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        while not seen or seen[-1] < until:
            message = json.loads(await ws.recv())
            assert message["type"] == "next", message
            assert "errors" not in message["payload"], message
            item = message["payload"]["data"]["boardFeed"]
            if item["event"]["__typename"] != "FeedStarted":
                seen.append(item["seq"])
    return seen
