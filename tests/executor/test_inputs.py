"""Variables are read as graphql-core reads them, or left to it: also what is wrong is what it says is wrong."""

import functools

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
    is_input_object_type,
    is_input_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.values import get_variable_values
from graphql.utilities import coerce_input_value
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.graphql.executor.variables import Readers, Unsure
from schema.build import _built
from tests.runs import REPORT, has_run, output

TYPES = _built()._schema.type_map
INPUTS = sorted(name for name, type_ in TYPES.items() if is_input_type(type_) and name[:2] != "__")
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(2**31)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)


@functools.cache
def value_of(type_, depth=3):
    """Values of a type that are right, and now and then not."""
    if is_non_null_type(type_):
        return value_of(type_.of_type, depth)
    if is_list_type(type_):
        return (
            st.none() | st.lists(value_of(type_.of_type, depth), max_size=2) | value_of(type_.of_type, depth)
        )
    if is_input_object_type(type_):
        fields = (
            {name: value_of(field.type, depth - 1) for name, field in type_.fields.items()} if depth else {}
        )
        return st.fixed_dictionaries(fields) | st.fixed_dictionaries({}, optional={**fields, "odd": anything})
    if isinstance(type_, GraphQLEnumType):
        return st.sampled_from([*type_.values, "ODD"])
    dates = st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01"])
    return st.text(max_size=4) | leaves | dates


def shown(value):
    """A value with the types of all its parts: 1 is not True, and an enum is not its text."""
    if isinstance(value, dict):
        return {name: shown(one) for name, one in value.items()}
    return [shown(one) for one in value] if isinstance(value, list) else (type(value), repr(value))


@pytest.mark.parametrize("name", INPUTS)
@settings(max_examples=6, deadline=None)
@given(st.data())
def test_a_value_is_read_as_the_library_does_or_left_to_it(name, data):
    type_ = TYPES[name]
    for asked in (type_, GraphQLNonNull(type_), GraphQLList(GraphQLNonNull(type_))):
        value = data.draw(value_of(asked))
        coerced = coerce_input_value(value, asked)
        try:
            found = Readers().reader(asked)(value)
        except Unsure:
            continue
        assert coerced is not Undefined
        assert shown(found) == shown(coerced)


async def test_what_is_right_is_not_left_to_the_library(run, monkeypatch):
    def asked(schema, definitions, *given, **more):
        assert not definitions, "the library was asked"
        return get_variable_values(schema, definitions, *given, **more)

    async with run() as app:
        held = await has_run(app)
        monkeypatch.setattr("graphql.execution.executor.get_variable_values", asked)
        assert (await held.report("1", output("one")))["lastSeq"] == 1


WRONG = {
    "no member": {"type": "ODD"},
    "a field too much": {"type": "OUTPUT", "odd": 1},
    "nothing": None,
    "too little": {"text": "x"},
}


@pytest.mark.parametrize("event", WRONG.values(), ids=WRONG)
async def test_what_is_wrong_is_said_by_the_library(run, event):
    async with run() as app:
        held = await has_run(app)
        asked = {"lease": held.lease, "key": "1", "events": [output("one"), event]}
        answer = await app.ask(REPORT, input=asked)
        [error] = answer["errors"]
        assert error["message"].startswith("Variable '$input' has invalid value at .events[1]"), error
