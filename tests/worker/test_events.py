"""The vocabulary: every event survives JSON, wrong rows are refused in words, and databases accept all text."""

import enum
import json
import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.events import EVENTS, AgentEvent, EventType, LogLevel, OutputText, QuestionRaised
from protocol.rows import COLUMNS, InvalidEvent, from_row, to_full_row, to_row, write
from protocol.text import clean

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
# Mostly right, and wrong in every way a program can be: half letters, NUL, numbers that are none, other types.
odd_texts = st.text(max_size=8) | st.sampled_from(["", "é", "\0", "\ud83d", "😀", "\\u0000"])
numbers = st.integers() | st.floats() | st.sampled_from([2**53, 2**53 - 1, -(2**53), 2**70, True])
anything = st.recursive(
    st.none() | st.booleans() | numbers | odd_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_texts, inner, max_size=3),
    max_leaves=6,
)


def fields_of(kind):
    return {name: field.annotation for name, field in kind.model_fields.items() if name != "type"}


def value(hint, name=""):
    """A valid value of a field."""
    if name == "sha":
        return st.from_regex(r"([0-9a-f]{4,64})?", fullmatch=True)
    if name == "url":
        return st.sampled_from(["", "https://example.com/1", "http://example.com/a?b=é"])
    if hint == dict[str, typing.Any]:
        return st.dictionaries(texts, texts | st.integers(-9, 9) | st.none(), max_size=3)
    if typing.get_origin(hint) is tuple:
        return st.lists(instance(typing.get_args(hint)[0]), max_size=2).map(tuple)
    if isinstance(hint, type) and issubclass(hint, enum.Enum | bool):
        return st.sampled_from(list(hint)) if hint is not bool else st.booleans()
    if hint is str:
        return texts
    number = typing.get_args(hint)[0] if typing.get_args(hint) else hint
    is_float = typing.get_args(number)[:1] == (float,) or number is float
    least = -(10**15) if name == "exit_code" else 0
    return st.floats(0, 1e15) if is_float else st.integers(least, 10**15)


def instance(kind):
    return st.builds(kind, **{name: value(hint, name) for name, hint in fields_of(kind).items()})


@pytest.mark.parametrize("kind", EventType)
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_every_event_survives_json(kind, data):
    event = data.draw(instance(EVENTS[kind]))
    row = json.loads(json.dumps(to_row(event)))
    assert set(row) <= {"type", "data", *COLUMNS}
    assert from_row(row) == event
    assert from_row(to_full_row(event)) == event


@pytest.mark.parametrize("kind", EventType)
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_row_is_an_event_or_refused_by_field(kind, data):
    given_data = {name: st.just(None) | anything for name in fields_of(EVENTS[kind])}
    columns = {
        "text": odd_texts | anything,
        "agent": odd_texts | anything,
        "level": st.sampled_from(LogLevel),
    }
    row = data.draw(st.fixed_dictionaries({"type": st.just(kind.value)}, optional=columns))
    row["data"] = data.draw(st.fixed_dictionaries({}, optional={**given_data, "shape": anything}) | anything)
    try:
        event = from_row(row)
    except InvalidEvent as error:
        faults = error.faults
    else:
        check_event(kind, event)
        return
    assert faults
    for path, message in faults:
        assert path.split(".")[0] in ("data", *COLUMNS)
        assert message.startswith(("must be", "is required", "belongs beside")), message


def check_event(kind, event):
    assert type(event) is EVENTS[kind]
    kept = to_full_row(event)
    try:
        written = write(kept)
    except TypeError:  # integers of more than 64 bits
        return
    assert b"\\u0000" not in written.replace(b"\\\\u0000", b"")
    assert from_row(json.loads(written)).type == kind


def test_there_is_one_event_for_every_type():
    assert sorted(EVENTS) == sorted(EventType)


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({"type": "PROGRESS", "data": {"percent": float("nan")}}, "data.percent"),
        ({"type": "PROGRESS", "data": {"step": True}}, "data.step"),
        ({}, "type"),
        ([], ""),
        ({"type": "NEW"}, "type"),
        ({"type": []}, "type"),
        ({"type": "OUTPUT", "text": 3}, "text"),
        ({"type": "OUTPUT", "level": "LOUD"}, "level"),
        ({"type": "TODO", "data": []}, "data"),
        ({"type": "STATUS"}, "data.state"),
        ({"type": "STATUS", "data": {"state": "ODD"}}, "data.state"),
        ({"type": "QUESTION", "data": {"key": "k", "asks": [1]}}, "data.asks.0"),
        ({"type": "USAGE", "data": {"input_tokens": -1}}, "data.input_tokens"),
    ],
)
def test_what_is_no_event_is_refused(row, path):
    with pytest.raises(InvalidEvent) as refused:
        from_row(row)
    assert [fault[0] for fault in refused.value.faults] == [path]


def test_fields_of_a_newer_version_are_passed_over():
    assert from_row({"type": "OUTPUT", "text": "a", "data": {"shape": "round"}}) == OutputText(text="a")


def test_text_that_a_database_refuses_is_made_whole():
    event = QuestionRaised(key="a\0", text="half \ud83d of a letter")
    row = to_row(event)
    assert row["text"] == "half \ufffd of a letter"
    assert row["data"]["key"] == "a\ufffd"
    json.dumps(row, ensure_ascii=False).encode()
    assert clean("\ud83d\ude42") == "🙂"
    assert isinstance(from_row(row), AgentEvent)


@pytest.mark.parametrize("value", ["\ud800", "\udfff x"])
def test_half_a_letter_in_an_enum_is_told_in_our_words(value):
    with pytest.raises(InvalidEvent) as refused:
        from_row({"type": "STATUS", "data": {"state": value}})
    assert "string_unicode" not in str(refused.value)
    assert "surrogate" not in str(refused.value)
