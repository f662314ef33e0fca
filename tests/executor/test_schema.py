"""On our own schema and both databases: whatever is asked, by whomever, the answer is graphql-core's."""

import random
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
)
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Core

from kit.graphql.executor import ListExecutor
from schema.build import _built
from tests.board import do
from tests.runs import every_event
from tests.work import ANSWER, CHOICE, WORDS, hand, queued, set_policy

VARIES = {
    "rateLimit",
    "totalCount",
}  # differs from one request to the next; is read by the second query below
SCHEMA = _built()._schema


class Asker:
    """Makes queries by chance, of ids there are."""

    def __init__(self, seed: int, ids: list[str]) -> None:
        self.chance, self.ids, self.aliases = random.Random(seed), ids, 0

    def query(self) -> str:
        assert SCHEMA.query_type
        fields = [f for name, f in SCHEMA.query_type.fields.items() if name not in VARIES]
        names = {id(f): name for name, f in SCHEMA.query_type.fields.items()}
        chosen = self.chance.sample(fields, 2)
        asked = " ".join(self.field(names[id(field)], field, 4) for field in chosen)
        return f"query($yes: Boolean = true, $no: Boolean = false) {{ {asked} }}"

    def field(self, name: str, field: GraphQLField, depth: int) -> str:
        arguments = [
            f"{argument}: {value}"
            for argument, of in field.args.items()
            if (value := self.argument(argument, of)) is not None
        ]
        said = f"({', '.join(arguments)})" if arguments else ""
        self.aliases += 1
        alias = f"a{self.aliases}: " if said or self.chance.random() < 0.1 else ""
        when = self.chance.choice(["", "", "", "", "@include(if: $yes)", "@skip(if: $no)", "@skip(if: $yes)"])
        return f"{alias}{name}{said} {when} {self.selection(get_named_type(field.type), depth)}"

    def argument(self, name: str, of: Any) -> str | None:
        type_ = get_nullable_type(of.type)
        kind = get_named_type(type_)
        if kind.name == "ID" and (is_required_argument(of) or self.chance.random() < 0.2):
            some = [f'"{self.chance.choice(self.ids)}"' for _ in range(3)]
            return f"[{', '.join(some)}]" if is_list_type(type_) else some[0]
        if name == "first":
            return str(self.chance.randrange(1, 4))
        if isinstance(kind, GraphQLEnumType) and self.chance.random() < 0.3:
            value = self.chance.choice(list(kind.values))
            return f"[{value}]" if is_list_type(type_) else value
        return '"x"' if is_required_argument(of) else None

    def selection(self, kind: Any, depth: int) -> str:
        if is_leaf_type(kind):
            return ""
        parts = ["__typename"]
        if is_abstract_type(kind):
            possible = SCHEMA.get_possible_types(kind)
            for one in self.chance.sample(possible, min(3, len(possible))):
                parts.append(f"... on {one.name} {self.selection(one, depth - 1)}")
            return f"{{ {' '.join(parts)} }}"
        for name, field in kind.fields.items():
            leaf = is_leaf_type(get_named_type(field.type))
            if name not in VARIES and (leaf or depth > 0) and self.chance.random() < (0.5 if leaf else 0.35):
                parts.append(self.field(name, field, depth - 1))
        return f"{{ {' '.join(parts)} }}"


async def filled(app: Any) -> list[str]:
    """Two boards with something of everything; the ids of it all, and two that are nothing's."""
    ids = []
    for name in ("one", "two"):
        board, cards = await app.has_board("First", "Second", "Third", name=name)
        ids += [board, *cards]
        for n, card in enumerate(cards):
            added = await do(app, "addSubtask", "... on Subtask { id }", cardId=card, title=f"step {n}")
            said = await do(app, "postMessage", "... on Message { id }", cardId=card, body="Hello")
            ids += [added["id"], said["id"]]
        linked = {"cardId": cards[0], "targetId": cards[1], "kind": "BLOCKS"}
        await do(app, "linkCards", **linked)
        await do(app, "setParentCard", id=cards[2], parentId=cards[0])
        await do(app, "updateCard", id=cards[2], dueOn="2020-01-01")
        await do(app, "moveCard", id=cards[1], destination={"stage": "PLAN"})
    home = await app.home()
    label = await do(app, "createLabel", "... on Label { id }", workspaceId=home, name="x", colour="#00FF00")
    for card in ids[1:3]:
        await do(app, "addLabel", cardId=card, labelId=label["id"])
    user = await app.has_user("ann", "VIEWER")
    await do(app, "assignCard", cardId=ids[1], userId=user)
    some = [home, label["id"], user, *await worked(app, ids[0], ids[1])]
    return [*ids, *some, "card_00000000000000000000000000", "nothing"]


async def worked(app: Any, board: str, card: str) -> list[str]:
    """What agents leave on a card, one run after the other: their ids, and those of all that belongs to them."""
    home = await app.home()
    profile = {"workspaceId": home, "name": "coder", "executor": "SCRIPTED"}
    made = await do(app, "createAgentProfile", "... on AgentProfile { id }", **profile)
    await set_policy(app, board, leaseSeconds=3_600, silenceSeconds=86_400)
    worker = await hand(app)
    done = await queued(app, card, profileIds=[made["id"]])
    await worker.take()
    await worker.report(done, "1", *every_event())
    file = {"path": "a.py", "change": "EDIT", "additions": 1}
    await worker.complete(done, files=[file], commits=[{"sha": "abcd"}], sessionId="talk", metrics={"n": 1})
    await do(app, "rejectCard", id=card, feedback="Not red")
    await worker.claim()
    [run] = worker.leases.keys() - {done}
    asked = await worker.ask(run, CHOICE, WORDS)
    questions = [one["id"] for one in asked["questions"]]
    await app.data(ANSWER, input={"id": questions[0], "options": ["red"]})
    heard = (await app.data("{ notifications { nodes { id } } }"))["nodes"]
    talks = "query($id: ID!) { agentSessions(cardId: $id) { id } }"
    sessions = await app.data(talks, id=card)
    rows = [one["id"] for one in (*heard[:2], *sessions)]
    return [made["id"], worker.id, done, run, *questions, *rows]


ACTORS = ["", "ann", "stranger"]
EACH = 30  # questions of one actor


async def test_any_question_to_the_server_is_answered_the_same(run):
    async with run(points=10**9) as app:
        ids = await filled(app)
        await app.has_user("stranger", None)
        [view] = {route.app for route in app.app.routes if route.path == "/graphql"}
        answered = dict.fromkeys(ACTORS, 0)
        for seed in range(EACH * len(ACTORS)):
            actor, query = ACTORS[seed % len(ACTORS)], Asker(seed, ids).query()
            told = []
            for kind in (Core, ListExecutor, ListExecutor):
                view.schema.execution_context_class = kind
                answer = await app.ask(query, actor)
                told.append((list(answer.get("data") or ()), answer.get("data"), _sorted(answer)))
            assert told[0] == told[1] == told[2], (actor, query)
            answered[actor] += bool(told[0][1])
        assert min(answered.values()) > 2, "many questions are good ones"


def _sorted(answer: Any) -> list[str]:
    return sorted(map(repr, answer.get("errors", ())))


LISTS = """query($id: ID!) { card(id: $id) { title
  steps: subtasks { __typename id name: title title completed phase version phaseOrder }
  subtasks @include(if: true) { ...Step } labels { id name colour } } }
  fragment Step on Subtask { title ... @skip(if: true) { id } }"""


async def test_lists_of_leaves_are_written_by_the_database_as_we_would(run):
    """What a reader sees is the same whoever writes it, and no row of them is read as an object."""
    odd = [
        '"quoted" \\ and / back',
        "e\u0301 & ß",
        "ünï 日本 😀",
        "</script>&amp;",
        "0",
        "null",
    ]
    async with run(points=10**9) as app:
        _, [card, bare] = await app.has_board("Paint", "Nothing")
        for number, title in enumerate(odd):
            made = await do(app, "addSubtask", "... on Subtask { id }", cardId=card, title=title)
            await do(app, "updateSubtask", id=made["id"], completed=number % 2 == 1)
        home = await app.home()
        label = await do(
            app, "createLabel", "... on Label { id }", workspaceId=home, name='"', colour="#00FF00"
        )
        await do(app, "addLabel", cardId=card, labelId=label["id"])
        [view] = {route.app for route in app.app.routes if route.path == "/graphql"}
        for id in (card, bare):
            told = []
            for kind in (Core, ListExecutor):
                view.schema.execution_context_class = kind
                with app.counting() as sent:
                    told.append(await app.ask(LISTS, id=id))
            assert told[0] == told[1]
            assert sum("_object(" in one for one in sent) == 3
        assert [one["title"] for one in (await app.ask(LISTS, id=card))["data"]["card"]["steps"]] == odd


PAGES = {
    "nodes { title }": 1,
    "edges { cursor node { title } } pageInfo { endCursor }": 1,
    "nodes { title } edges { node { ...Long } }": 0,
    "... { nodes { title ... on Card { description @include(if: $long) } } }": 1,
    "one: totalCount nodes { title column { name } }": 1,
}


@pytest.mark.parametrize("asked", PAGES)
async def test_a_page_reads_what_is_asked_of_its_nodes(run, asked):
    """Descriptions are long: who does not ask for them does not wait for them."""
    given = "$id: ID!, $long: Boolean = false" if "$long" in asked else "$id: ID!"
    query = f"query({given}) {{ board(id: $id) {{ cards {{ {asked} }} }} }}"
    if "...Long" in asked:
        query += "fragment Long on Card { description }"
    async with run() as app:
        board, _ = await app.has_board("Paint", "Clean")
        with app.counting() as sent:
            told = await app.ask(query, id=board)
        [cards] = [one for one in sent if "card.title" in one and "count(*)" not in one]
        assert ("card.description" not in cards) == PAGES[asked]
        [view] = {route.app for route in app.app.routes if route.path == "/graphql"}
        view.schema.execution_context_class = Core
        assert told == await app.ask(query, id=board)
