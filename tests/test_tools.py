"""The tools for agents, through the protocol's own client: over HTTP beside the API, and over standard input."""

import asyncio
import contextlib
import json
import sys

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from schema.build import make_schema
from tests.conftest import ROOT
from worker.tools.catalogue import (
    ARTIFACT_KINDS,
    ENCODINGS,
    FILE_ACTIONS,
    KNOWLEDGE_KINDS,
    PRIORITIES,
    STAGES,
    TOOLS,
    TYPES,
)
from worker.tools.session import operations

CHOICES = {
    "Stage": STAGES,
    "Priority": PRIORITIES,
    "CardType": TYPES,
    "KnowledgeKind": KNOWLEDGE_KINDS,
    "ArtifactKind": ARTIFACT_KINDS,
    "FileAction": FILE_ACTIONS,
    "FileEncoding": ENCODINGS,
}
ALL = [
    "board",
    "get_board_cards",
    "get_card",
    "create_card",
    "update_card",
    "delete_card",
    "create_subtask",
    "update_subtask",
    "delete_subtask",
    "knowledge",
    "planned_file",
    "comment",
    "file",
    "board_settings",
    "ask_question",
    "report_findings",
]
BOARD = "mutation($input: CreateBoardInput!) { createBoard(input: $input) { ... on Board { id } } }"
CARD = "mutation($input: CreateCardInput!) { createCard(input: $input) { ... on Card { id } } }"
POLICY = "mutation($input: UpdateBoardPolicyInput!) { updateBoardPolicy(input: $input) { __typename } }"
REGISTER = "mutation($input: RegisterWorkerInput!) { registerWorker(input: $input) { ... on Worker { id } } }"
CLAIM = """mutation($input: ClaimRunsInput!) { claimRuns(input: $input) { ... on Claims { claims {
    attempt token run { id } work { agentToken } } } } }"""
RELEASE = "mutation($input: ReleaseRunInput!) { releaseRun(input: $input) { __typename } }"
QUESTIONS = "{ questions { nodes { id text card { id } run { status } } } }"
ANSWER = "mutation($input: AnswerQuestionInput!) { answerQuestion(input: $input) { __typename } }"


class Place:
    """A real server with a board, two cards, and a worker that holds a run on each."""

    def __init__(self, server):
        self.server, self.http = server, httpx2.AsyncClient(timeout=30, headers=server.headers)
        self.key = server.headers["authorization"].removeprefix("Bearer ")
        self.mcp = server.http.replace("/graphql", "/mcp")

    async def ask(self, query, **variables):
        answer = (
            await self.http.post(self.server.http, json={"query": query, "variables": variables})
        ).json()
        assert "errors" not in answer, answer
        [value] = answer["data"].values()
        return value

    async def fill(self):
        self.workspace = (await self.ask("{ workspaces { nodes { id } } }"))["nodes"][0]["id"]
        given = {"workspaceId": self.workspace, "name": "Web", "autoDispatch": True}
        self.board = (await self.ask(BOARD, input=given))["id"]
        await self.ask(POLICY, input={"boardId": self.board, "leaseSeconds": 3600, "concurrency": 0})
        cards = [
            {"boardId": self.board, "title": title, "destination": {"stage": "TODO"}}
            for title in ("Paint", "Oil")
        ]
        self.cards = [(await self.ask(CARD, input=card))["id"] for card in cards]
        given = {"name": "w", "executors": ["CLAUDE_CODE"], "maxConcurrent": 9, "workspaceId": self.workspace}
        self.worker = (await self.ask(REGISTER, input=given))["id"]
        claims = (await self.ask(CLAIM, input={"workerId": self.worker, "most": 2}))["claims"]
        self.claims = claims
        self.tokens = [claim["work"]["agentToken"] for claim in claims]

    async def release(self, number):
        claim = self.claims[number]
        lease = {"runId": claim["run"]["id"], "attempt": claim["attempt"], "token": claim["token"]}
        await self.ask(RELEASE, input={"lease": lease})

    @contextlib.asynccontextmanager
    async def agent(self, token=None, **options):
        headers = {"authorization": f"Bearer {token or self.tokens[0]}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            async with Client(streamable_http_client(self.mcp, http_client=http), **options) as client:
                yield client

    async def question(self, text):
        """The open question that says this, once it is asked."""
        async with asyncio.timeout(30):
            while True:
                for one in (await self.ask(QUESTIONS))["nodes"]:
                    if one["text"] == text:
                        return one
                await asyncio.sleep(0.05)

    async def answer(self, text, /, **answer):
        question = await self.question(text)
        told = await self.ask(ANSWER, input={"id": question["id"], **answer})
        assert told["__typename"] == "Question", told
        return question


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def kind(request):
    """Here the database makes no difference that tests/scenarios would not see; the long run looks again."""
    return request.param


@pytest.fixture
async def place(serve):
    made = Place(await serve())
    await made.fill()
    yield made
    await made.http.aclose()


async def use(client, tool, /, **given):
    """What a tool answers; an error fails the test."""
    result = await client.call_tool(tool, given)
    assert not result.is_error, result.content
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


async def refused(client, tool, /, **given):
    result = await client.call_tool(tool, given)
    assert result.is_error, result.structured_content
    assert result.structured_content["message"]
    return result.structured_content["code"]


def test_the_tools_fit_the_schema():
    """Every operation is valid, and every choice is one of the schema's."""
    from graphql import parse, validate

    schema = make_schema()._schema
    for name, text in operations().items():
        assert validate(schema, parse(text)) == [], name
    for name, values in CHOICES.items():
        assert set(values) == set(schema.type_map[name].values), name
    assert list(TOOLS) == ALL
    assert all(tool.description and tool.schema["properties"] for tool in TOOLS.values())


async def test_every_tool(place):
    async with place.agent() as agent:
        told = await agent.list_tools()
        assert [tool.name for tool in told.tools] == ALL
        card = await use(agent, "get_card")
        assert (card["id"], card["title"], card["stage"]) == (place.cards[0], "Paint", "IN_PROGRESS")
        boards = await use(agent, "board", action="list")
        assert [board["id"] for board in boards["boards"]] == [place.board]
        cards = await use(agent, "get_board_cards")
        assert [card["id"] for card in cards["cards"]["nodes"]] == [place.cards[0]]
        part = await use(agent, "create_card", title="A part", description="of it")
        assert part["stage"] == "BACKLOG"
        changed = await use(agent, "update_card", description="Better words")
        assert changed["id"] == place.cards[0]
        step = await use(agent, "create_subtask", title="One", phase="First")
        other = await use(agent, "create_subtask", title="Two", phase="First")
        assert (await use(agent, "update_subtask", subtask_id=step["id"], completed=True))["completed"]
        await use(agent, "update_subtask", subtask_id=other["id"], before=step["id"])
        read = await use(agent, "get_card")
        assert [one["title"] for one in read["subtasks"]] == ["Two", "One"]
        assert read["description"] == "Better words"
        await use(agent, "delete_subtask", subtask_id=other["id"])
        item = await use(agent, "knowledge", action="add", kind="ASSUMPTION", text="Red is meant")
        await use(agent, "knowledge", action="update", knowledge_id=item["id"], text="Blue is meant")
        [known] = (await use(agent, "knowledge", action="list"))["knowledge"]
        assert (known["text"], known["state"]) == ("Blue is meant", "DRAFT")
        await use(agent, "knowledge", action="delete", knowledge_id=item["id"])
        file = await use(agent, "planned_file", action="add", path="./paint.py", change="CREATE")
        await use(agent, "planned_file", action="update", planned_file_id=file["id"], intent="Paint")
        [planned] = (await use(agent, "planned_file", action="list"))["plannedFiles"]
        assert (planned["path"], planned["intent"], planned["status"]) == ("paint.py", "Paint", "PROPOSED")
        assert await refused(agent, "planned_file", action="add", path="../x") == "INVALID"
        await use(agent, "planned_file", action="delete", planned_file_id=file["id"])
        said = await use(agent, "comment", action="add", body="Begun")
        await use(agent, "comment", action="update", message_id=said["id"], body="Begun well")
        [heard] = (await use(agent, "comment", action="list"))["nodes"]
        assert (heard["body"], heard["author"]) == (
            "Begun well",
            {"name": "Claude Code", "kind": "AGENT"},
        ) or (heard["author"] == {"name": "Agent", "kind": "AGENT"})
        await use(agent, "comment", action="delete", message_id=said["id"])
        added = await use(agent, "file", action="add", name="../log.txt", content="All fine")
        [shown] = (await use(agent, "file", action="list"))["files"]
        assert (shown["name"], shown["mediaType"], shown["url"]) == ("log.txt", "text/plain", added["url"])
        part = await use(agent, "file", action="read", file_id=added["id"], length=3)
        assert (part["content"], part["encoding"], part["nextOffset"]) == ("All", "TEXT", 3)
        assert (
            await refused(agent, "file", action="add", name="x", content="%", encoding="BASE64") == "INVALID"
        )
        assert await refused(agent, "file", action="read", file_id="file_none") == "NOT_FOUND"
        await use(agent, "file", action="delete", file_id=added["id"])
        assert (await use(agent, "file", action="list"))["files"] == []
        assert "instructions" in (await use(agent, "board_settings", action="get"))["policy"]
        for name, given in {
            "board": {"action": "create", "name": "Mine", "workspace_id": place.workspace},
            "update_card": {"stage": "DONE"},
            "delete_card": {"card_id": place.cards[0]},
            "board_settings": {"action": "update", "instructions": "Obey"},
        }.items():
            assert await refused(agent, name, **given) in {"FORBIDDEN", "NOT_FOUND"}, name
        assert await refused(agent, "get_card", card_id=place.cards[1]) == "NOT_FOUND"
        assert await refused(agent, "comment", action="add", card_id=place.cards[1], body="?") == "NOT_FOUND"


async def test_whoever_may_do_more_does_more(place):
    """The same tools under another credential, here the owner's."""
    async with place.agent(place.key) as owner:
        made = await use(owner, "board", action="create", name="New", workspace_id=place.workspace)
        card = await use(owner, "create_card", board_id=made["id"], title="Here")
        moved = await use(owner, "update_card", card_id=card["id"], stage="PLAN", priority="HIGH")
        assert (moved["stage"], moved["priority"]) == ("PLAN", "HIGH")
        assert await refused(owner, "update_card", card_id=card["id"], stage="DONE") == "STAGE_REFUSED"
        await use(owner, "board_settings", action="update", board_id=made["id"], instructions="Be kind")
        await use(owner, "delete_card", card_id=card["id"])
        await use(owner, "board", action="delete", board_id=made["id"], confirm_name="New")
        assert await refused(owner, "get_card") == "INVALID"
        assert await refused(owner, "ask_question", question="?") == "FORBIDDEN"


async def test_what_is_wrong_is_an_error_of_the_tool(place):
    async with place.agent() as agent:
        assert await refused(agent, "nonsense") == "NOT_FOUND"
        assert await refused(agent, "create_card") == "INVALID"
        assert await refused(agent, "create_card", title=7) == "INVALID"
        assert await refused(agent, "create_card", title="x", colour="red") == "INVALID"
        assert await refused(agent, "update_card", stage="NOWHERE") == "INVALID"
        assert await refused(agent, "create_subtask", title="x" * 256) == "INVALID"
        assert await refused(agent, "get_card", card_id="x" * 100_000) in {"NOT_FOUND", "LIMIT_EXCEEDED"}


async def test_a_question_waits_for_its_answer(place):
    heard = []

    async def tell(progress, total, message):
        heard.append(message)

    async with place.agent() as agent:
        given = {"question": "Which colour?", "options": [{"label": "red"}, {"label": "blue"}]}
        asking = asyncio.create_task(agent.call_tool("ask_question", given, progress_callback=tell))
        question = await place.answer("Which colour?", options=["red"])
        assert question["run"]["status"] == "WAITING"
        assert question["card"]["id"] == place.cards[0]
        result = await asyncio.wait_for(asking, 30)
        assert result.structured_content["answer"] == ["red"], result.structured_content
        assert heard
        assert (await use(agent, "ask_question", **given))["answer"] == [
            "red"
        ]  # the same words: the same question
        assert await refused(agent, "ask_question", question="Again?", wait_seconds=0) == "STILL_OPEN"


async def test_a_question_survives_a_broken_connection(place):
    given = {"question": "Still there?", "key": "there"}
    async with place.agent() as agent:
        asking = asyncio.create_task(agent.call_tool("ask_question", given))
        question = await place.question("Still there?")
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    await place.answer("Still there?", text="Yes")
    async with place.agent() as agent:
        assert (await use(agent, "ask_question", **given))["answer"] == ["Yes"]
        assert question["run"]["status"] == "WAITING"


async def test_a_question_ends_with_its_run(place):
    async with place.agent() as agent:
        asking = asyncio.create_task(agent.call_tool("ask_question", {"question": "Anybody?"}))
        await place.question("Anybody?")
        await place.release(0)
        result = await asyncio.wait_for(asking, 30)
        assert result.structured_content["code"] == "UNAUTHENTICATED", result.structured_content


async def test_who_is_let_in(place):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}

    async def status(token=None, **more):
        sent = headers | {"authorization": f"Bearer {token}" if token else ""} | more
        return (await place.http.post(place.mcp, json=message, headers=sent)).status_code

    assert await status(place.tokens[1]) == 200
    assert await status() == 401
    assert await status("sbr_nonsense") == 401
    assert await status("sb_nonsense") == 401
    assert await status(place.tokens[1], host="elsewhere.example") == 421
    assert await status(place.tokens[1], origin="https://elsewhere.example") == 403
    assert (await place.http.get(place.mcp, headers=headers)).status_code == 405
    large = {**message, "params": {"x": "x" * 1_100_000}}
    assert (await place.http.post(place.mcp, json=large, headers=headers)).status_code == 413
    assert (await place.http.post(place.mcp, content=b"{", headers=headers)).status_code in {400, 415}
    await place.release(1)
    assert await status(place.tokens[1]) == 401


async def test_a_server_that_stops_waits_for_nobody(place):
    async with place.agent() as agent:
        asking = asyncio.create_task(agent.call_tool("ask_question", {"question": "Wait for me?"}))
        await place.question("Wait for me?")
        place.server.process.terminate()
        result = await asyncio.wait_for(asking, 15)
        assert result.structured_content["code"] == "RESTARTING", result.structured_content
    await asyncio.to_thread(place.server.process.wait, 15)


async def test_over_standard_input_and_output(place):
    url = place.server.http.removesuffix("/graphql")
    server = StdioServerParameters(
        command=sys.executable,
        args=[str(ROOT / "server.py"), "mcp", "--url", url],
        env={"SIGNALBOX_TOKEN": place.tokens[0]},
    )
    async with Client(server) as agent:
        assert [tool.name for tool in (await agent.list_tools()).tools] == ALL
        assert (await use(agent, "get_card"))["id"] == place.cards[0]
        assert await refused(agent, "delete_card", card_id=place.cards[0]) == "FORBIDDEN"
        asking = asyncio.create_task(agent.call_tool("ask_question", {"question": "By this way?"}))
        await place.answer("By this way?", text="Yes")
        assert (await asyncio.wait_for(asking, 30)).structured_content["answer"] == ["Yes"]
        await place.release(0)
        assert await refused(agent, "get_card") == "UNAUTHENTICATED"
