"""The executor answers what graphql-core's own execution answers: data, key order, errors."""

import json
import logging
from typing import Any

import pytest
from graphql import parse, print_ast
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import queries
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Core

from kit.graphql.executor import ListExecutor, levels
from tests.executor.dress import dressed
from tests.executor.toy import BAD, Context, schema, things

# graphql-core cancels what it has not started yet when a null goes up, and Python says so.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SOME = queries(schema._schema, allow_null=False, allow_x00=False)


async def answer(kind: Any, query: str, context: Context, variables: Any) -> Any:
    schema.execution_context_class = kind
    result = await schema.execute(query, context_value=context, variable_values=variables)
    errors = [
        (error.message, error.path, [tuple(at) for at in error.locations or ()], type(error.original_error))
        for error in result.errors or ()
    ]
    if result.data is None:  # of what else went wrong by then, chance told some
        errors = errors[-1:]
    return json.dumps(result.data), sorted(map(repr, errors))


async def agree(query: str, seed: int, bad: float) -> Any:
    """Ask both, with $yes true and false, and ours once more from the plans it has. Returns what they say."""
    data, told = things(seed, bad=bad), []
    for yes in (True, False, True):
        expected = await answer(Core, query, Context(data), {"yes": yes})
        assert await answer(ListExecutor, query, Context(data), {"yes": yes}) == expected, query
        told.append(expected)
    return told


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


WHATEVER = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=True,
)


@WHATEVER
@given(SOME, st.data(), st.integers(0, 50), st.sampled_from([0, 0, 0.02, 0.2]))
async def test_any_query_is_answered_the_same(query, data, seed, bad):
    text = print_ast(dressed(schema._schema, parse(query), data.draw))
    await agree(text, seed, bad)


DEEP = """query($yes: Boolean!) { boxes { id title colour count ...F @include(if: $yes) named { __typename id
  ... on Toy { tags colour owner { title } } ... on Box { strict } } } everything { __typename title }
  pair { ... on Toy { count } ... on Box { pairs { __typename ... on Toy { strictTags } } } } }
  fragment F on Box { parts { id count strictOwner { id } owner { id inside { id } } }
    looseParts { count } other: risky(at: 99) }"""


STRICT = """query { looseBoxes { colour named(first: 1) { title }
  strictParts { ratio done strictTags strictOwner { id } } } }"""


@pytest.mark.parametrize("bad", [0, 0.01, 0.05, 0.2])
async def test_a_deep_query_on_much_data(bad):
    told = [said for seed in range(20) for said in await agree(DEEP, seed, bad)]
    assert any(errors for _, errors in told) == bool(bad), "failures are among them, or are not"


FAULTS = [(name, value) for name, values in BAD.items() for value in values]
FAULTS += [("owner", id) for id in ("lost", "bad", "toy1", None)]
FAULTS += [("parts", ids) for ids in (["lost"], ["toy0", "bad"], ["box0"], None)]
FAULTS += [("kind", name) for name in ("none", "cat")]


@pytest.mark.parametrize(("name", "value"), FAULTS, ids=lambda part: str(part)[:12])
async def test_one_fault_alone_is_told_as_graphql_core_tells_it(name, value):
    for thing in ("box1", "toy1"):
        data = things(1, bad=0)
        for one in data.values():
            one.parts = ["toy1", "toy2"] if one.kind == "box" else None
        setattr(data[thing], name, value)
        for query in (DEEP, STRICT):
            expected = await answer(Core, query, Context(data), {"yes": True})
            assert await answer(ListExecutor, query, Context(data), {"yes": True}) == expected


async def test_all_is_well_means_level_by_level(monkeypatch):
    """Proves that the executor does the work: where nothing is wrong, graphql-core completes nothing."""
    completed = []
    objects = levels.LevelExecution.objects

    async def watched(self, plan, found, at):
        completed.append((plan.type.name, len(found)))
        return await objects(self, plan, found, at)

    monkeypatch.setattr(levels.LevelExecution, "objects", watched)
    query = "{ boxes { id parts { id owner { id } } } }"
    context = Context(things(3, bad=0))
    assert (await answer(ListExecutor, query, context, None))[1] == []
    assert context.calls == 2, "one for the parts of all boxes, one for the owners of all parts"
    assert [name for name, _ in completed] == ["Box", "Toy", "Box"], "one run for each level"
    assert completed[0] == ("Box", 4)
