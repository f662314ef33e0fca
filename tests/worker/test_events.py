"""The vocabulary: everything survives JSON, and nothing in it can be refused by a database."""

import json
import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.events import (
    EVENTS,
    ROW,
    AgentEvent,
    EventType,
    OutputText,
    QuestionRaised,
    clean,
    from_row,
    to_row,
)

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


def values(hint, field):
    if hint == dict[str, typing.Any]:
        return st.dictionaries(texts, texts | st.integers(-9, 9) | st.none(), max_size=3)
    return st.from_type(hint)


@pytest.mark.parametrize("kind", EventType)
@settings(max_examples=10, deadline=None)
@given(st.data())
def test_every_event_survives_json(kind, data):
    st.register_type_strategy(str, texts)
    st.register_type_strategy(float, st.floats(-1e15, 1e15))
    st.register_type_strategy(int, st.integers(-(10**15), 10**15))
    hints = {name: hint for name, hint in typing.get_type_hints(EVENTS[kind]).items() if name != "type"}
    event = EVENTS[kind](**{name: data.draw(values(hint, name)) for name, hint in hints.items()})
    row = json.loads(json.dumps(to_row(event)))
    assert set(row) <= {"type", "data", *ROW}
    assert from_row(row) == event


def test_there_is_one_event_for_every_type():
    assert sorted(EVENTS) == sorted(EventType)


@pytest.mark.parametrize(
    "row",
    [
        {"type": "PROGRESS", "data": {"percent": float("nan")}},
        {"type": "PROGRESS", "data": {"step": True}},
        {},
        [],
        {"type": "NEW"},
        {"type": "OUTPUT", "text": 3},
        {"type": "TODO", "data": []},
        {"type": "STATUS"},
        {"type": "STATUS", "data": {"state": "ODD"}},
        {"type": "QUESTION", "data": {"key": "k", "asks": [1]}},
    ],
)
def test_what_is_no_event_is_refused(row):
    with pytest.raises(ValueError):
        from_row(row)


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
