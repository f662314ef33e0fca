"""What is wrong with a reported event is said field by field, in the API's words, whatever was sent."""

import json
import random
import re
from typing import Any

import pytest

from protocol.events import EVENTS
from protocol.rows import COLUMNS, InvalidEvent, from_row
from tests.runs import every_event, has_run, output

# Words of the language the server is written in, none of which helps who writes a worker.
PYTHON = re.compile(
    r"__|\bdict\b|NoneType|\bNone\b|unsupported|operand|attribute|Traceback|'str'|'int'|'list'|\bstr\b|Error:"
    r"|missing \d|unhashable|iterable|<|\bTrue\b|\bFalse\b|keyword|positional|runtime|models"
)
WRONG = [
    ({"type": "USAGE", "data": {"input_tokens": "many"}}, "events.1.data.input_tokens"),
    ({"type": "USAGE", "data": {"input_tokens": -1}}, "events.1.data.input_tokens"),
    ({"type": "USAGE", "data": {"cost_usd": -0.5}}, "events.1.data.cost_usd"),
    ({"type": "USAGE", "data": {"input_tokens": 1.5}}, "events.1.data.input_tokens"),
    ({"type": "USAGE", "data": {"input_tokens": True}}, "events.1.data.input_tokens"),
    ({"type": "USAGE", "data": {"input_tokens": 2**53}}, "events.1.data.input_tokens"),
    ({"type": "USAGE", "data": {"input_tokens": None}}, "events.1.data.input_tokens"),
    ({"type": "STATUS"}, "events.1.data.state"),
    ({"type": "STATUS", "data": "x"}, "events.1.data"),
    ({"type": "STATUS", "data": [1]}, "events.1.data"),
    ({"type": "STATUS", "data": {"state": "ASLEEP"}}, "events.1.data.state"),
    ({"type": "STATUS", "data": {"state": ["STARTED"]}}, "events.1.data.state"),
    ({"type": "TOOL_STARTED", "data": {"tool": 1, "name": "Bash"}}, "events.1.data.tool"),
    ({"type": "TOOL_STARTED", "data": {"tool": "1", "name": "Bash", "input": []}}, "events.1.data.input"),
    ({"type": "FILE", "data": {"path": "a", "change": "EDIT", "additions": -5}}, "events.1.data.additions"),
    ({"type": "FILE", "data": {"path": 7, "change": "EDIT"}}, "events.1.data.path"),
    ({"type": "COMMIT", "data": {"sha": "zz"}}, "events.1.data.sha"),
    ({"type": "COMMIT", "data": {"url": "javascript:alert(1)"}}, "events.1.data.url"),
    ({"type": "TODO", "data": {"items": "a"}}, "events.1.data.items"),
    ({"type": "TODO", "data": {"items": [{"text": "a"}, {"state": "DONE"}]}}, "events.1.data.items.1.text"),
    ({"type": "TODO", "data": {"items": [1]}}, "events.1.data.items.0"),
    (
        {"type": "QUESTION", "data": {"key": "1", "asks": [{"key": "1", "text": "a", "options": [{}]}]}},
        "events.1.data.asks.0.options.0.label",
    ),
    ({"type": "OUTPUT", "data": {"part": -1}}, "events.1.data.part"),
    ({"type": "OUTPUT", "data": {"chunk": "yes"}}, "events.1.data.chunk"),
    ({"type": "OUTPUT", "data": {"text": "a"}}, "events.1.data.text"),
    ({"type": "OUTPUT", "text": "x" * 262_145}, "events.1.text"),
    ({"type": "OUTPUT", "agent": "x" * 201}, "events.1.agent"),
    (
        {"type": "TOOL_STARTED", "data": {"tool": "1", "name": "x", "input": {"a": "x" * 70_000}}},
        "events.1.data",
    ),
]


def test_every_field_of_every_event_has_words():
    for kind, event in EVENTS.items():
        for name, field in event.model_fields.items():
            if name not in (*COLUMNS, "type"):
                try:
                    from_row({"type": kind.value, "data": {name: {"a": object()}}})
                    faults = []
                except InvalidEvent as error:
                    faults = error.faults
                said = [text for path, text in faults if path == f"data.{name}"]
                is_free = field.annotation == dict[str, Any]
                assert bool(said) is not is_free, (kind, name)
                assert not any(PYTHON.search(text) for text in said), said


async def test_a_wrong_field_is_named(run):
    async with run() as app:
        held = await has_run(app)
        for number, (event, path) in enumerate(WRONG):
            told = await held.report(f"{number}", output("before"), event)
            assert told["__typename"] == "Invalid", (event, told)
            assert path in [issue["path"] for issue in told["issues"]], (event, told)
            assert not PYTHON.search(json.dumps(told["issues"])), told
        two = {"type": "TOOL_STARTED", "level": "INFO", "data": {"tool": 1, "kind": "X"}}
        told = await held.report("two", two)
        paths = ["events.0.data.name", "events.0.data.tool", "events.0.data.kind"]
        assert [issue["path"] for issue in told["issues"]] == paths, "everything is told at once"
        told = await held.report("good", *every_event())
        assert told["__typename"] == "RunReported", "and nothing of what was refused was kept"
        assert told["lastSeq"] == len(list(every_event()))


ODD = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    -0.5,
    2**53,
    10**30,
    "",
    "x",
    "\u00e9",
    "é" * 300,
    [],
    [1],
    [[]],
    [None],
    {},
]
ODD += [
    {"a": 1},
    [{}],
    [{"text": 1}],
    [{"text": "a", "state": None}],
    {"type": "OUTPUT"},
    "STARTED",
    "EDIT",
    "a" * 40,
]
NAMES = sorted(
    {name for event in EVENTS.values() for name in event.model_fields} | {"shape", "__class__", "type"}
)


def odd_event(chance):
    kind = chance.choice(list(EVENTS))
    own = [name for name in EVENTS[kind].model_fields if name not in (*COLUMNS, "type")] or NAMES
    names = chance.sample(own, k=chance.randint(0, len(own))) + chance.sample(NAMES, k=chance.randint(0, 2))
    event = {"type": kind.value, "data": {name: chance.choice(ODD) for name in names}}
    if chance.random() < 0.2:
        event["data"] = chance.choice(ODD)
    if chance.random() < 0.2:
        event["level"] = chance.choice(["DEBUG", "CRITICAL", None])
    if chance.random() < 0.2:
        event["agent"] = chance.choice(["", "x", None, "x" * 300])
    return event


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_reported_is_taken_or_refused_in_words(run, seed):
    chance, outcomes = random.Random(seed), set()
    async with run() as app:
        held = await has_run(app)
        for number in range(150):
            event = odd_event(chance)
            told = await held.report(f"{number}", event)
            outcomes.add(told["__typename"])
            for issue in told.get("issues", ()):
                assert re.match(r"events\.0\.(data|text|agent|level)\b", issue["path"]), (event, issue)
                assert not PYTHON.search(issue["message"]), (event, issue)
                name = issue["path"].split(".")[-1]
                assert name.isdecimal() or name in NAMES or name == "data", (event, issue)
        assert outcomes == {"RunReported", "Invalid"}
