"""The published schema: current, described, bounded; the example operations are good for it."""

import contextlib
import json
import subprocess
from pathlib import Path

import graphql
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    build_schema,
    find_breaking_changes,
    get_introspection_query,
)

from kit.graphql.limits.cost import cost_of
from kit.graphql.limits.document_size import DocumentLimits
from kit.graphql.limits.input_size import Measure
from kit.graphql.limits.list_size import rules_of, undeclared_lists
from schema.build import make_schema, print_sorted
from schema.possible_types import print_possible_types
from tests.client import Refused

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "explorer" / "examples").glob("*.graphql"))


@pytest.fixture(scope="module")
def made():
    return make_schema()


@pytest.fixture(scope="module")
def built(made):
    return build_schema(print_sorted(made))


def test_the_committed_schema_is_current(made):
    assert (ROOT / "schema" / "schema.graphql").read_text() == print_sorted(made), "run: make schema"


def test_the_committed_possible_types_are_current(built):
    assert (ROOT / "schema" / "possible-types.json").read_text() == print_possible_types(built), (
        "run: make schema"
    )


def described(schema):
    """Every place that must say what it is: (where, what it says)."""
    for name, kind in schema.type_map.items():
        if name.startswith("__") or name in graphql.specified_scalar_types:
            continue
        yield name, kind.description
        if isinstance(kind, GraphQLEnumType):
            yield from ((f"{name}.{value}", said.description) for value, said in kind.values.items())
        for field, said in getattr(kind, "fields", {}).items():
            yield f"{name}.{field}", said.description
            if not isinstance(kind, GraphQLInputObjectType):
                yield from ((f"{name}.{field}({a})", x.description) for a, x in said.args.items())
    for directive in schema.directives:
        if not graphql.is_specified_directive(directive):
            yield f"@{directive.name}", directive.description
            yield from ((f"@{directive.name}({a})", x.description) for a, x in directive.args.items())


def test_everything_is_described(built):
    assert [where for where, text in described(built) if not (text or "").strip()] == []


def inputs(schema):
    """Every argument of a field and every field of an input: (where, the argument)."""
    for name, kind in schema.type_map.items():
        for field, item in getattr(kind, "fields", {}).items():
            if isinstance(kind, GraphQLInputObjectType):
                yield f"{name}.{field}", item
            else:
                yield from ((f"{name}.{field}({key})", argument) for key, argument in item.args.items())


def test_an_optional_input_has_no_default_of_null(built):
    assert [where for where, item in inputs(built) if item.default_value is None] == []


def test_every_list_says_its_size(made):
    assert undeclared_lists(made._schema) == []


def test_every_union_member_is_a_node_or_says_a_code(built):
    for kind in built.type_map.values():
        if isinstance(kind, graphql.GraphQLUnionType) and kind.name.endswith("Result"):
            for member in kind.types:
                names = {interface.name for interface in member.interfaces}
                assert names & {"Node", "Refusal"} or member.name in PAYLOADS, (kind.name, member.name)


def test_only_nodes_have_an_id(built):
    """A client's cache normalizes by type and `id`: a type that is no node names its ids otherwise."""
    objects = [kind for kind in built.type_map.values() if isinstance(kind, graphql.GraphQLObjectType)]
    others = {
        kind.name for kind in objects if "Node" not in {interface.name for interface in kind.interfaces}
    }
    assert {kind.name for kind in objects if "id" in kind.fields and kind.name in others} == set()


def clashing_fields(schema):
    """Fields of two types across the members of a union or an interface: a client could not select both.

    `Node` spans the whole schema; a client that asks for it selects by type, with aliases.
    """
    for kind in schema.type_map.values():
        if not graphql.is_abstract_type(kind) or kind.name == "Node":
            continue
        types = {}
        for member in schema.get_possible_types(kind):
            for name, field in member.fields.items():
                types.setdefault(name, {}).setdefault(str(field.type), set()).add(member.name)
        for name, by_type in types.items():
            if len(by_type) > 1:
                rarest = min(by_type.values(), key=lambda members: (len(members), sorted(members)))
                yield from ((member, name) for member in rarest)


def test_no_field_has_two_types_across_a_union_or_interface(built):
    assert set(clashing_fields(built)) == set()


PAYLOADS: set[str] = {
    "RecoveryCodes",
    "SecondFactorSetup",
    "Cards",
    "PlanPreview",
    "Questions",
    "RecordedChecks",
    "DiffReported",
    "SubmittedReview",
    "ReportedFindings",
    "DeletedGroup",
    "DeletedLabel",
    "ApiKeySecret",
    "WebhookSecret",
    "WebhookEndpointSecret",
    "Session",
    "SignedOut",
    "RunReported",
    "WorkerBeat",
    "Runs",
    "Claims",
    "Command",
    "NotificationsRead",
    "AllNotificationsRead",
    "Invited",
    "InvitationLink",
    "MailRequested",
    "PasswordSet",
    "ErasedAccount",
}  # answers that are neither: each is explained in docs/api.md


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_good(built, made, path):
    document = graphql.parse(path.read_text())
    assert graphql.validate(built, document) == []
    beside = path.with_suffix(".json")
    variables = json.loads(beside.read_text()) if beside.exists() else {}
    [operation] = [n for n in document.definitions if isinstance(n, graphql.OperationDefinitionNode)]
    assert operation.name, "a tab is called by its operation's name"
    root = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}[
        operation.operation.value
    ]
    measure = Measure(DocumentLimits())
    cost, _ = cost_of(document, operation, root, rules_of(made._schema), variables, measure)
    assert cost <= DocumentLimits().cost


async def test_clients_can_read_the_schema(run):
    """The introspection that tools send passes the limits and gives back what was published."""
    async with run() as app:
        answer = await app.ask(get_introspection_query(descriptions=True))
        assert "errors" not in answer
        assert "Card" in graphql.build_client_schema(answer["data"]).type_map


def git(*arguments):
    """What git says, or nothing where there is none to ask."""
    with contextlib.suppress(OSError):
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout
    return ""


def unannounced(old, new, changelog):
    """What breaks clients between two schemas and is not told, in these words, in the change log."""
    breaks = find_breaking_changes(build_schema(old), build_schema(new))
    return [one.description for one in breaks if one.description not in changelog]


def test_a_break_is_found_and_may_be_announced():
    old, new = "type Query { a: Int b: Int }", "type Query { a: Int! }"
    assert unannounced(old, new, "") == ["Field Query.b was removed."]
    assert unannounced(old, new, "- Field Query.b was removed. Ask for a.") == []


def test_what_was_released_breaks_only_by_announcement(made):
    tags = git("tag", "--list", "v[0-9]*", "--sort=-version:refname").split()
    if not tags:
        pytest.skip("nothing is released yet: no tag v…")
    old = git("show", f"{tags[0]}:schema/schema.graphql")
    told = (ROOT / "CHANGELOG.md").read_text()
    assert unannounced(old, print_sorted(made), told) == [], "say it in CHANGELOG.md, in these words"


MISTAKES = [  # the text, its variables, and what would be suggested
    ("{ bord { id } }", {}, "board"),
    ("{ board(idd: 1) { id } }", {}, "'id'"),
    ("{ node(id: 1) { ... on Crd { id } } }", {}, "Card"),
    ("{ cards(filter: {priorities: [HIGHT]}) { totalCount } }", {}, "HIGH'"),
    ("{ cards(filter: {prioritis: [HIGH]}) { totalCount } }", {}, "priorities"),
    ("query($f: CardFilter) { cards(filter: $f) { totalCount } }", {"f": {"priorities": ["HIGHT"]}}, "HIGH'"),
]


@pytest.mark.parametrize("introspection", [True, False])
async def test_a_locked_server_tells_nobody_its_schema(run, introspection):
    """With INTROSPECTION=false no introspection, no suggestions and no queries by GET, whatever others did."""
    async with run(introspection=introspection) as app:
        board, _ = await app.has_board()
        asked = f'{{ board(id: "{board}") {{ name }} }}'
        for _ in range(3):  # an answer that was kept is no way around
            assert await app.ask(asked) == {"data": {"board": {"name": "Web"}}}
        given = [(await app.client.get("/graphql", params={"query": asked})).status_code]
        given += [(await app.client.get("/graphql", params={"query": "{ __typename }"})).status_code]
        assert given == ([200, 200] if introspection else [405, 405])
        for text in ("{ __schema { queryType { name } } }", '{ a: __type(name: "Card") { name } }'):
            answer = await app.ask(text)
            assert ("errors" not in answer) is introspection
            codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
            assert codes == (set() if introspection else {"GRAPHQL_VALIDATION_FAILED"})
            async with app.follow(text) as hear:  # on a socket
                if introspection:
                    assert await hear()
                else:
                    with pytest.raises(Refused, match="introspection has been disabled"):
                        await hear()
        told = [(await app.post(text, variables)).text for text, variables, _ in MISTAKES]
        found = [suggested in text for (_, _, suggested), text in zip(MISTAKES, told, strict=True)]
        assert found == [introspection] * len(MISTAKES), told
        assert all('"message"' in text for text in told)
