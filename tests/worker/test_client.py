"""What the worker says to the server, held against the committed schema and a real server."""

import re
from pathlib import Path

import graphql
import pytest
from graphql.execution.values import get_variable_values

from protocol.events import AgentWarning, OutputText, QuestionItem, QuestionOption, QuestionRaised
from protocol.rows import to_row
from tests.conftest import free_port
from worker.api import (
    Failure,
    FinishedWork,
    LeaseState,
    LeaseTicket,
    Registration,
    ServerRejected,
    ServerUnreachable,
)
from worker.client import CODES, MAX_PATCH, Client, _fit_patch, _result, mcp_of
from worker.startup import LEVELS
from worker.transport import GraphQLTransport, clean_variables, operations
from worker.worktree import Diff, FileDiff, Made

ROOT = Path(__file__).parent.parent.parent
SCHEMA = graphql.build_schema((ROOT / "schema" / "schema.graphql").read_text())


@pytest.mark.parametrize("name", operations())
def test_every_operation_is_one_the_schema_has(name):
    document = graphql.parse(operations()[name])
    assert [definition.name.value for definition in document.definitions] == [name]
    assert graphql.validate(SCHEMA, document) == []


def fields(name):
    return set(SCHEMA.type_map[name].fields)


def test_what_is_sent_is_what_the_inputs_take():
    result = _result(FinishedWork(summary="s", branch="b", head="h", outcome="CHANGES", diff=Diff()))
    assert result.keys() <= fields("RunResultInput")
    codes = SCHEMA.type_map["FailureCode"].values
    assert set(codes) >= CODES
    assert set(SCHEMA.type_map["Skill"].values) == set(LEVELS)


async def test_a_server_that_is_not_there_may_be_asked_again():
    client = Client(GraphQLTransport(f"http://127.0.0.1:{free_port()}/graphql"), ["command"])
    with pytest.raises(ServerUnreachable):
        await client.register(Registration(name="w", version="1", executors=("command",)))
    with pytest.raises(ServerUnreachable):
        async for _ in client.commands("worker_1"):
            pass
    await client.transport.close()


@pytest.mark.parametrize("url", ["ftp://x/graphql", "127.0.0.1:8000", "http://", ""])
def test_what_is_no_address_is_refused_at_once(url):
    with pytest.raises(ValueError, match="is not the address of a server"):
        GraphQLTransport(url)


async def test_what_the_server_refuses_is_not_said_again(serve):
    server = await serve()
    nobody = Client(GraphQLTransport(server.http, "sb_12345678_not-a-key"), ["command"])
    with pytest.raises(ServerRejected) as refused:
        await nobody.register(Registration(name="w", version="1", executors=("command",)))
    assert refused.value.code == "UNAUTHENTICATED"
    elsewhere = Client(GraphQLTransport(server.http.replace("/graphql", "/livez")), ["command"])
    with pytest.raises(ServerRejected, match="is not a GraphQL endpoint"):
        await elsewhere.register(Registration(name="w", version="1", executors=("command",)))
    for client in (nobody, elsewhere):
        await client.transport.close()


MAKE = "mutation($name: String!) { createWorkspace(input: {name: $name}) { ... on Workspace { id } } }"
BOARD = """mutation($workspace: ID!, $works: Boolean!) { createBoard(input: {
  workspaceId: $workspace, name: "Web", autoDispatch: $works}) { ... on Board { id } } }"""


async def test_who_names_no_workspace_works_in_the_only_one_that_has_boards_or_work(serve):
    server = await serve()
    transport = GraphQLTransport(server.http, server.headers["authorization"].removeprefix("Bearer "))
    client = Client(transport, ["command"])

    async def say(query, **variables):
        answer = await transport._http.post(server.http, json={"query": query, "variables": variables})
        [made] = answer.json()["data"].values()
        return made["id"]

    home = await client._only_workspace()
    away, other = [await say(MAKE, name=name) for name in ("Away", "Other")]
    with pytest.raises(ServerRejected, match=f"choose a workspace with --workspace: .*{other} .Other."):
        await client._only_workspace()
    await say(BOARD, workspace=away, works=False)
    assert await client._only_workspace() == away, "the only one with boards"
    await say(BOARD, workspace=home, works=False)
    with pytest.raises(ServerRejected, match="choose a workspace"):
        await client._only_workspace()
    await say(BOARD, workspace=other, works=True)
    assert await client._only_workspace() == other, "the only one whose boards have work"
    worker = Registration(name="w", version="1", executors=("command",))
    assert (await client.register(worker)).startswith("worker_")
    await transport.close()


def test_a_patch_fits_into_a_request():
    patch = "+ü\t\n" * 400_000
    assert len(_fit_patch(patch)) <= MAX_PATCH
    assert _fit_patch("small\n") == "small\n"
    files = tuple(FileDiff(path=f"{n}", additions=1, deletions=0) for n in range(300))
    given = _result(
        FinishedWork(
            summary="s", branch="b", head="h", outcome="CHANGES", diff=Diff(files=files, patch=patch)
        )
    )
    assert (len(given["files"]), len(given["warnings"])) == (250, 2)


def test_a_token_is_in_no_repr():
    assert "secret" not in repr(LeaseTicket(run="r", attempt=1, token="secret"))


def test_where_the_tools_are():
    assert mcp_of("https://box.example/graphql") == "https://box.example/mcp"
    assert mcp_of("https://box.example/behind/graphql/") == "https://box.example/behind/mcp"
    assert re.fullmatch(r"https?://.*/mcp", mcp_of("http://127.0.0.1:8000"))


class Told(GraphQLTransport):
    """Judges what is sent as the server would, and answers as it does."""

    def __init__(self):
        super().__init__("http://127.0.0.1:1/graphql", "sb_key")
        self.said = []

    async def ask(self, name, variables, *, key="", seconds=0.0):
        operation = graphql.parse(operations()[name]).definitions[0]
        told = get_variable_values(SCHEMA, operation.variable_definitions, variables)
        assert not isinstance(told, list), told
        self.said.append((name, key))
        return {"id": "worker_1", "questions": [], "leases": [], "commands": [], "claims": []}


async def test_everything_that_is_said_can_be_taken():
    client, lease = Client(Told(), ["command"]), LeaseTicket(run="run_1", attempt=1, token="t")
    option = QuestionOption(label="ahoy", recommended=True)
    ask = QuestionItem(
        key="0", text="Which?", options=(option,), default="ahoy", header="A very long header " * 5
    )
    files = (FileDiff(path="b", additions=1, deletions=None, change="MOVE", moved_from="a"),)
    made = (Made(sha="abc", subject="Say", author="Ann"),)
    result = FinishedWork(
        summary="s", branch="b", head="h", outcome="CHANGES", diff=Diff(files=files, patch="+"), commits=made
    )
    await client.register(
        Registration(name="w", version="1", executors=("command",), capabilities={"python": "EXPERT"})
    )
    await client.claim("worker_1", 3)
    await client.heartbeat("worker_1", [LeaseState(lease=lease, active=True)])
    events = [
        OutputText(text="hm", item="1", chunk=True),
        AgentWarning(text="w"),
        QuestionRaised(key="k", asks=(ask,)),
    ]
    await client.report(lease, "1:0", [to_row(event) for event in events])
    await client.ask(lease, "k", [ask, QuestionItem(key="1", text="Why?")], "session", blocking=True)
    await client.complete(lease, result)
    for code in ("SILENT", "SOMETHING_NEW"):
        await client.fail(lease, Failure(code=code, reason="why", retryable=True, result=result))
    await client.stopped(lease, result)
    await client.stopped(lease, None)
    await client.release(lease, "leaving", "")
    await client.acknowledge(lease, "command_1")
    await client.deregister("worker_1")
    ends = [(name, key) for name, key in client.transport.said if key]
    assert {name for name, _ in ends} == {"CompleteRun", "FailRun", "ConfirmStop", "ReleaseRun"}, (
        "said once, whatever is lost"
    )
    assert all(key.startswith(f"{name}:run_1:1:") for name, key in ends)
    assert len(set(ends)) == len(ends), "what is said otherwise is not what was said before"
    await client.transport.close()


def test_what_no_database_takes_is_replaced():
    given = {"text": "a\0b", "list": ["\ud800", {"n": 1}], "none": None}
    assert clean_variables(given) == {"text": "a\ufffdb", "list": ["\ufffd", {"n": 1}], "none": None}
