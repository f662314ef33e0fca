"""What is plainly an event is read at once, and as it would have been read slowly; all else is left alone."""

import json
import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import fast_rows
from protocol.events import EVENTS, ROW, EventType, LogLevel, from_row, to_row

# Mostly right, and wrong in every way a program can be: half letters, NUL, numbers that are none, other types.
texts = st.text(max_size=8) | st.sampled_from(["", "é", "\0", "\ud83d", "😀", "\\u0000"])
numbers = st.integers() | st.floats() | st.sampled_from([2**53, 2**53 - 1, -(2**53), 2**70, True])
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def said(hint):
    """What a field may be said to hold."""
    if isinstance(hint, type) and issubclass(hint, str):
        members = [member.value for member in hint] if hint is not str else []
        return texts | st.sampled_from(members) if members else texts
    if typing.get_origin(hint) is tuple:
        return st.lists(part(typing.get_args(hint)[0]), max_size=3)
    if hint is bool:
        return st.booleans()
    return numbers | st.none() if hint in (int, float, int | None, float | None) else anything


def part(kind, *without):
    hints = {name: hint for name, hint in fast_rows.hints_of(kind).items() if name not in without}
    each = {name: said(hint) | anything for name, hint in hints.items()}
    right = st.fixed_dictionaries({name: said(hint) for name, hint in hints.items()})
    some = st.fixed_dictionaries({}, optional={**each, "shape": anything, "level": anything})
    return right | some


def slowly(row):
    """What the vocabulary itself makes of a row."""
    try:
        event = from_row({name: value for name, value in row.items() if value is not None})
    except ValueError:
        return None
    told = to_row(event)
    kept = event.type, event.level, told.get("agent"), told.get("text", ""), told.get("data", {})
    return event, fast_rows.row_of(*kept)


@pytest.mark.parametrize("kind", EventType)
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_it_is_read_as_slowly_or_not_at_all(kind, data):
    columns = {
        "text": texts | anything,
        "agent": texts | anything,
        "level": st.sampled_from(LogLevel) | anything,
    }
    row = data.draw(st.fixed_dictionaries({"type": st.just(kind)}, optional=columns))
    row["data"] = data.draw(part(EVENTS[kind], *ROW) | anything)
    found = fast_rows.read(row)
    if found is not None:
        event, kept, written = found
        assert (event, kept) == slowly(row)
        assert type(event) is EVENTS[kind]
        assert json.loads(written) == json.loads(json.dumps(kept)) == kept


@pytest.mark.parametrize("kind", EventType)
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_what_the_vocabulary_writes_is_read_at_once(kind, data):
    hints = {name: hint for name, hint in fast_rows.hints_of(EVENTS[kind]).items() if name not in ROW}
    plain = {"text": st.text("aé😀", max_size=5), "agent": st.text("ab", max_size=3)}
    right = {name: simple(hint, name) for name, hint in hints.items()}
    event = EVENTS[kind](**data.draw(st.fixed_dictionaries(plain | right)))
    row = json.loads(json.dumps(to_row(event)))
    found = fast_rows.read(row)
    assert found is not None
    assert found[:2] == slowly(row)


def simple(hint, name=""):
    if name == "sha":
        return st.from_regex(r"([0-9a-f]{4,64})?", fullmatch=True)
    if name == "url":
        return st.sampled_from(["", "https://example.com/1", "http://example.com/a?b=é"])
    if hint == dict[str, typing.Any]:
        return st.dictionaries(st.text("ab", max_size=3), st.integers(-9, 9) | st.none(), max_size=3)
    if typing.get_origin(hint) is tuple:
        kind = typing.get_args(hint)[0]
        parts = {name: simple(one) for name, one in fast_rows.hints_of(kind).items()}
        return st.lists(st.builds(kind, **parts), max_size=2).map(tuple)
    if hint is str:
        return st.text("aé😀", max_size=5)
    if hint in (float, float | None):
        return st.floats(0, 1e15)
    least = -(10**15) if name == "exit_code" else 0
    return st.integers(least, 10**15) if hint in (int, int | None) else st.from_type(hint)


@pytest.mark.parametrize(
    "row", [[], {}, {"type": []}, {"type": "NEW"}, {"type": "STATUS"}, {"type": "STATUS", "data": []}]
)
def test_what_is_no_event_is_left_alone(row):
    assert fast_rows.read(row) is None
