"""Converts a finished run into a recording: its agent's output and questions with their timing, and its final
changes.

The program `scripted` plays a recording on any card: the same output, the same questions, and the same changes as
far as they apply. worker/programs/player.py describes the steps.
"""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime

from protocol.rows import from_row, to_row
from worker.api import Row, ServerRejected
from worker.transport import GraphQLTransport

MAX_PAUSE_SECONDS = 5.0  # longest pause of a recording
PLAIN = ("type", "level", "agent", "text", "at")
NAMES = {
    "tool_kind": "kind",
    "topic": "kind",
    "limit_state": "state",
}  # aliases of the query to field names of the events


async def recording(server: GraphQLTransport, run: str) -> list[Row]:
    """Return the steps of a run's recording. Raises ServerRejected if the run is not found or not finished."""
    run_row = await server.ask("RunForRecording", {"id": run})
    if run_row is None:
        raise ServerRejected("NOT_FOUND", f"there is no run {run} that you may see")
    steps, before, permissions = [], None, set[str]()
    async for line in _lines(server, run):
        if line["type"] == "APPROVAL":
            permissions.add(line["key"])
        if line["type"] == "APPROVAL" or (line["type"] == "QUESTION" and line["key"] in permissions):
            continue  # a replay needs no permission
        if not (replayed := list(_steps(line, run_row["questions"]))):
            continue
        at = datetime.fromisoformat(line["at"])
        pause = (at - before).total_seconds() if before else 0.0
        if pause >= 0.1:
            replayed[0] = {"after": round(min(pause, MAX_PAUSE_SECONDS), 1), **replayed[0]}
        steps += replayed
        before = at
    return [*steps, *_end(run_row)]


async def _lines(server: GraphQLTransport, run: str) -> AsyncIterator[Row]:
    after, more = None, True
    while more:
        page = (await server.ask("RunEvents", {"id": run, "after": after}))["events"]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        for line in page["nodes"]:
            yield line


def _steps(line: Row, questions: list[Row]) -> Iterator[Row]:
    """Convert a line of the log into steps that replay it."""
    kind, text = line["type"], line["text"]
    if kind == "QUESTION":
        if line["decision"] == "ASKED" and line["asks"]:
            yield {"ask": [_ask(ask, line["key"], questions) for ask in line["asks"]]}
    elif kind == "THINKING" and not line["agent"]:
        yield {"think": text}
    elif kind == "OUTPUT" and line["stream"] == "ANSWER" and not line["tool"] and not line["agent"]:
        yield {"say": text}
    else:
        data = {NAMES.get(name, name): value for name, value in line.items() if name not in PLAIN}
        data = {name: value for name, value in data.items() if value is not None}
        row = {"type": kind, "level": line["level"], "text": text, "data": data}
        row |= {"agent": line["agent"]} if line["agent"] else {}
        yield to_row(from_row(row))


def _ask(ask: Row, group: str, questions: list[Row]) -> Row:
    """Add the given answer to a question as its default, so that an unanswered replay goes the same way."""
    answers = {(question["groupKey"], question["key"]): question["answer"] for question in questions}
    given = answers.get((group, ask["key"]))
    return ask | ({"default": "\n".join(given)} if given else {})


def _end(run: Row) -> Iterator[Row]:
    if run["patch"]:
        yield {"apply": run["patch"]}
    match run["status"]:
        case "SUCCEEDED":
            yield {"complete": run["summary"]}
        case "FAILED":
            yield {"fail": run["failureReason"] or "It failed"}
        case "CANCELLED":
            yield {"fail": f"It was stopped: {run['stopReason'] or 'no reason given'}"}
        case status:
            raise ServerRejected(
                "CONFLICT", f"run {run['id']} is {status}; only a finished run can be recorded"
            )


async def text(url: str, key: str, run: str) -> str:
    """Return a run's recording as JSON Lines. Raises ServerRejected, ServerUnreachable, ValueError."""
    server = GraphQLTransport(url, key, "signalbox-recording")
    try:
        lines = await recording(server, run)
    finally:
        await server.close()
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
