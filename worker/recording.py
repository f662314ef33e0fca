"""A run that ended, as a recording: what its agent said and asked, at its own pace, and what it changed in the end.

Played by the executor `scripted` it is the run again, on whatever card: it says the same, asks the same, and makes
the same changes, as far as they still fit. How each line is written: worker/programs/player.py.
"""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime

from protocol.rows import from_row, to_row
from worker.api import Row, ServerRejected
from worker.transport import GraphQLTransport

MAX_PAUSE_SECONDS = 5.0  # seconds a recording waits at most
PLAIN = ("type", "level", "agent", "text", "at")
NAMES = {"tool_kind": "kind", "topic": "kind", "limit_state": "state"}  # what the vocabulary calls them


async def recording(server: GraphQLTransport, run: str) -> list[Row]:
    """The steps of a run's recording. Raises Rejected for a run that is not there or has not ended."""
    found = await server.ask("RunForRecording", {"id": run})
    if found is None:
        raise ServerRejected("NOT_FOUND", f"there is no run {run} that you may see")
    steps, before, permissions = [], None, set[str]()
    async for line in _lines(server, run):
        if line["type"] == "APPROVAL":
            permissions.add(line["key"])
        if line["type"] == "APPROVAL" or (line["type"] == "QUESTION" and line["key"] in permissions):
            continue  # played again, it needs no leave
        if not (said := list(_steps(line, found["questions"]))):
            continue
        at = datetime.fromisoformat(line["at"])
        pause = (at - before).total_seconds() if before else 0.0
        if pause >= 0.1:
            said[0] = {"after": round(min(pause, MAX_PAUSE_SECONDS), 1), **said[0]}
        steps += said
        before = at
    return [*steps, *_end(found)]


async def _lines(server: GraphQLTransport, run: str) -> AsyncIterator[Row]:
    after, more = None, True
    while more:
        page = (await server.ask("RunEvents", {"id": run, "after": after}))["events"]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        for line in page["nodes"]:
            yield line


def _steps(line: Row, questions: list[Row]) -> Iterator[Row]:
    """A line as the steps that say it again."""
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
    """A question with the answer it was given as its default: unanswered it goes the same way."""
    answers = {(one["groupKey"], one["key"]): one["answer"] for one in questions}
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
            yield {"fail": f"It was stopped: {run['stopReason'] or 'nobody said why'}"}
        case status:
            raise ServerRejected(
                "CONFLICT", f"run {run['id']} is {status}; only one that has ended is recorded"
            )


async def text(url: str, key: str, run: str) -> str:
    """A run's recording as the text of a file. Raises Rejected, Unreachable, ValueError."""
    server = GraphQLTransport(url, key, "signalbox-recording")
    try:
        lines = await recording(server, run)
    finally:
        await server.close()
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
