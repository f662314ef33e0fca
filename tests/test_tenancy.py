"""Tenants are separate: nothing of one is ever told to another, whatever is asked and whatever is named.

Generated from the schema; the tables are in tests/tenants.py. One tenant's data all says "canary", the
other's "pigeon": an answer to one that has the other's word, or an id that was not asked with, is a leak.
"""

import json
from itertools import pairwise

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
)
from sqlalchemy import select

from kit.eventlog.tables import Topic
from tests.client import Refused
from tests.conftest import NOBODY
from tests.tenants import (
    ANYONE,
    LIVE,
    MUTATIONS,
    NODES,
    OPEN,
    PERSON,
    QUERIES,
    SCHEMA,
    SUBSCRIPTIONS,
    asking,
    each_field,
    fields_of,
)

REFUSED = {
    "NOT_FOUND",
    "FORBIDDEN",
    "INVALID",
    "CONFLICT",
    "STAGE_REFUSED",
    "BAD_USER_INPUT",
    "PLAN_REJECTED",
}


def leaks(home, answer, given=()):
    """What an answer tells of a tenant, besides what was asked with."""
    text = json.dumps(answer)
    for known in given:
        text = text.replace(json.dumps(known).strip('"'), "")
    return [secret for secret in home.texts() if secret in text]


def strings(value):
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from strings(one)
    elif isinstance(value, str):
        yield value


# The tables are complete.


def test_every_query_and_subscription_is_listed():
    assert set(QUERIES) | OPEN == set(SCHEMA.query_type.fields), "say in tests/tenants.py with what"
    assert set(SUBSCRIPTIONS) | set(LIVE) == set(SCHEMA.subscription_type.fields), (
        "say in tests/tenants.py with what"
    )


def test_every_node_type_is_listed():
    node = SCHEMA.type_map["Node"]
    types = {kind.name for kind in SCHEMA.get_possible_types(node)}
    assert set(NODES) == types, "say in tests/tenants.py which thing is one"


# Everything a query can show.


def below(kind):
    """Every object type that can be reached from a type by fields."""
    found, waiting = set(), [get_named_type(kind)]
    while waiting:
        kind = waiting.pop()
        if kind in found or not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            continue
        found.add(kind)
        if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
            waiting += SCHEMA.get_possible_types(kind)
        waiting += [get_named_type(field.type) for field in getattr(kind, "fields", {}).values()]
    return found


def shown():
    """Every "Type.field" that a query can reach."""
    objects = {kind for kind in below(SCHEMA.query_type) if isinstance(kind, GraphQLObjectType)}
    for name in OPEN:
        objects -= below(SCHEMA.query_type.fields[name].type)
    objects.remove(SCHEMA.query_type)
    return {f"{kind.name}.{name}" for kind in objects for name in kind.fields}


def questions(home):
    """Every query field, and a look at every node type, with everything below it: (name, query, selected)."""
    for name, arguments in QUERIES.items():
        selected = set()
        kind = get_named_type(SCHEMA.query_type.fields[name].type).name
        deep = (
            2 if kind not in NODES else 0 if kind in ("Card", "Run") else 1
        )  # its parts are asked for below
        yield name, asking(name, home.fill(arguments), deep, selected), selected
    for kind, thing in NODES.items():
        selected = set()
        fields = fields_of(SCHEMA.type_map[kind], 3, selected, "")
        for some in (fields[n : n + 6] for n in range(0, len(fields), 6)):  # as many as a query may have
            yield (
                kind,
                f'{{ node(id: "{home.ids[thing]}") {{ id ... on {kind} {{ {" ".join(some)} }} }} }}',
                selected,
            )
    asks = "... on RunQuestion { asks { options { label description } } }"
    deep = {"RunAsk.options", "RunAskOption.label", "RunAskOption.description"}
    yield "asks", f'{{ run(id: "{home.ids["run"]}") {{ id events {{ nodes {{ seq {asks} }} }} }} }}', deep
    selected = set()
    for fields in each_field(SCHEMA.type_map["RunLine"], selected):
        yield "lines", f'{{ run(id: "{home.ids["run"]}") {{ id events {{ nodes {fields} }} }} }}', selected


async def test_each_is_told_of_its_own_and_nothing_of_another(two):
    """Of its tenant; and a key of one board of that board."""
    async with two() as (app, home, away):
        covered = set()
        siblings = [id for name, id in home.ids.items() if name.startswith("sibling")]
        for name, query, selected in questions(home):
            mine = await app.ask(query, home.actor("ann"))
            assert "errors" not in mine, (name, mine["errors"])
            shows = leaks(home, mine) or name in {"me", "deadRuns", "awaitAnswers", "velocityCsv"}
            assert shows, f"{name}: the look itself must show something"
            covered |= selected
            theirs = await app.ask(query, away.actor("ann"))
            assert leaks(home, theirs) == [], name
            assert (await app.ask(query, NOBODY))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED", (
                name
            )
            for who in ("vic", "read key", "write key"):
                assert leaks(away, await app.ask(query, home.actor(who))) == [], (name, who)
            text = json.dumps(list(strings(await app.ask(query, home.actor("board key")))))
            assert "sibling" not in text, name
            assert [id for id in siblings if id in text] == [], name
        missed = shown() - covered
        assert not missed, f"no question of this test shows {sorted(missed)}"


async def test_a_node_of_another_tenant_is_null(two):
    async with two() as (app, home, away):
        ids = [id for id in home.ids.values() if isinstance(id, str)]
        found = await app.data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", away.actor("ann"), ids=ids)
        assert found == [None] * len(ids)
        mine = await app.data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", home.actor("ann"), ids=ids)
        assert [one["id"] for one in mine] == ids


async def test_a_cursor_of_another_tenant_opens_nothing(two):
    async with two() as (app, home, away):
        for name, field in SCHEMA.query_type.fields.items():
            if "after" not in field.args:
                continue
            inner = "node { id }" if name == "search" else "id"
            fields = f"{{ nodes {{ {inner} }} edges {{ cursor }} }}"
            given = "".join(f", {key}: {json.dumps(id)}" for key, id in home.fill(QUERIES[name]).items())
            page = f"query($after: String) {{ {name}(first: 1, after: $after{given}) {fields} }}"
            edges = (await app.data(page, home.actor("ann")))["edges"]
            assert edges or name == "deadRuns", name
            cursor = edges[0]["cursor"] if edges else None
            assert leaks(home, await app.ask(page, away.actor("ann"), after=cursor), [cursor]) == [], name


# A key of one board.


async def test_a_key_of_one_board_sees_that_board_and_no_other(two):
    async with two() as (app, home, _):
        key = home.actor("board key")
        siblings = {name: id for name, id in home.ids.items() if name.startswith("sibling")}
        hidden = [*siblings.values(), home.ids["member"], home.ids["viewer"], home.ids["spare key"]]
        ask = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
        assert await app.data(ask, key, ids=hidden) == [None] * len(hidden)
        seen = [home.ids[name] for name in ("workspace", "label", "board", "card", "message", "board key")]
        assert [one and one["id"] for one in await app.data(ask, key, ids=seen)] == seen
        ask = "query($id: ID!) { workspace(id: $id) { members { totalCount } apiKeys { nodes { id } } } }"
        told = await app.data(ask, key, id=home.ids["workspace"])
        assert told == {"members": {"totalCount": 0}, "apiKeys": {"nodes": [{"id": home.ids["board key"]}]}}
        for subscription, arguments in SUBSCRIPTIONS.items():
            if subscription not in ("boardFeed", "runFeed", "replayRun", "questionFeed"):
                assert await refused(app, subscription, home.fill(arguments), key) in {
                    "FORBIDDEN",
                    "NOT_FOUND",
                }


# Changes: every id argument of every mutation, with what is not one's own.


def id_arguments(kind, path=()):
    """The paths of the id fields of an input type."""
    for name, field in get_named_type(kind).fields.items():
        inner = field.type
        while isinstance(inner, GraphQLNonNull):
            inner = inner.of_type
        listed = isinstance(inner, GraphQLList)
        step = (*path, name, 0) if listed else (*path, name)
        named = get_named_type(inner)
        if named.name == "ID":
            yield step
        elif hasattr(named, "fields"):
            yield from id_arguments(named, step)


def put(input, path, value):
    """A copy of an input with a value at a path."""
    copy = json.loads(json.dumps(input))
    at = copy
    for step, following in pairwise(path):
        empty = [] if isinstance(following, int) else {}
        if isinstance(at, list):
            at += [empty] if len(at) <= step else []
            at = at[step]
        else:
            at = at.setdefault(step, empty)
    if isinstance(at, list):
        at[path[-1] :] = [value]
    else:
        at[path[-1]] = value
    return copy


# What an id field names, where its own name does not say it: by mutation and field, or by field.
NAMES = {
    "workspaceId": "workspace",
    "boardId": "board",
    "columnId": "column",
    "cardId": "card",
    "labelId": "label",
    "userId": "person",
    "targetId": "parent",
    "parentId": "parent",
    "moveCardsTo": "other",
    "ids": "card",
}


def named(mutation, path, home, other):
    """The other tenant's id to put at a path: of the kind that stands there, or of the kind its name says."""
    field = next(step for step in reversed(path) if isinstance(step, str))
    said = MUTATIONS[mutation].input
    for step in path:
        try:
            said = said[step]
        except (KeyError, IndexError, TypeError):
            said = None
            break
    if isinstance(said, str) and said.startswith("$"):
        return other.ids[said[1:]]
    if field in ("before", "after"):
        return other.ids[{"Column": "other", "Board": "sibling", "Subtask": "step"}.get(mutation[4:], "next")]
    return other.ids.get(NAMES.get(field, ""), other.ids["card"])


async def test_no_change_takes_an_id_of_another_tenant(two):
    async with two() as (app, home, away):
        asked, wrong = 0, []
        look = "query($id: ID!) { workspace(id: $id) { auditLog { totalCount } } }"
        before = await app.data(look, home.actor("ann"), id=home.ids["workspace"])
        for name, case in MUTATIONS.items():
            if case.who in (ANYONE, PERSON):
                continue
            for path in id_arguments(SCHEMA.mutation_type.fields[name].args["input"].type):
                input = put(away.fill(case.input), path, named(name, path, away, home))
                answer = await away.mutate(name, input, away.actor("ann"))
                asked += 1
                if answer.get("code") not in REFUSED or leaks(home, answer, strings(input)):
                    wrong.append((name, path, answer))
                if (
                    len(path) == 1
                    and answer.get("code") != "NOT_FOUND"
                    and path not in (("before",), ("after",))
                ):
                    wrong.append((name, path, answer))
        assert wrong == []
        assert await app.data(look, home.actor("ann"), id=home.ids["workspace"]) == before
        print(f"{asked} id arguments")


async def test_no_id_is_an_internal_error(two):
    async with two() as (app, home, _):
        wrong = []
        for name, case in MUTATIONS.items():
            for path in id_arguments(SCHEMA.mutation_type.fields[name].args["input"].type):
                ids = [
                    "",
                    "nonsense",
                    "x" * 300,
                    "card_" + "0" * 26,
                    home.ids["label"],
                    home.ids["workspace"],
                ]
                ids = [id for id in ids if id != named(name, path, home, home)]
                inputs = [put(home.fill(case.input), path, id) for id in ids]
                answers = await home.mutate_each(name, inputs, home.actor("ann"))
                for id, answer in zip(ids, answers, strict=True):
                    if answer.get("code") not in REFUSED | {case.answer}:
                        wrong.append((name, path, id[:20], answer))
        assert wrong == []
        for name, arguments in QUERIES.items():
            for id in ("", "nonsense", "x" * 300, home.ids["label"]):
                if set(arguments) & {"id"} and name != "node":
                    told = await app.ask(
                        asking(name, {"id": id}, 0 if name in ("card", "run") else 1), home.actor("ann")
                    )
                    assert told == {"data": {name: None}}, (name, id, told)


# Feeds.


def following(name, arguments, fields="{ __typename seq cursor }"):
    written = "".join(f", {key}: {json.dumps(value)}" for key, value in arguments.items())
    return f"subscription($after: String) {{ {name}(after: $after{written}) {fields} }}"


async def refused(app, name, arguments, actor, after="0"):
    """The code that a subscription is refused with; None if it was not."""
    async with app.follow(following(name, arguments), actor, after=after) as hear:
        try:
            await hear(5)
        except Refused as error:
            return error.code
    return None


async def test_no_feed_is_followed_from_outside(two):
    async with two() as (app, home, away):
        for name, arguments in SUBSCRIPTIONS.items():
            if arguments:
                assert await refused(app, name, home.fill(arguments), away.actor("ann")) == "NOT_FOUND", name
        for name, arguments in LIVE.items():
            [(key, id)] = home.fill(arguments).items()
            query = f"subscription {{ {name}({key}: {json.dumps(id)}) {{ __typename }} }}"
            async with app.follow(query, away.actor("ann")) as hear:
                with pytest.raises(Refused) as no:
                    await hear(5)
            assert no.value.code == "NOT_FOUND", name


async def test_a_cursor_of_another_feed_is_refused(two):
    async with two() as (app, home, away):
        for name, arguments in SUBSCRIPTIONS.items():
            async with app.follow(
                following(name, home.fill(arguments)), home.actor("ann"), after="0"
            ) as hear:
                cursor = (await hear())[name]["cursor"]
            code = await refused(app, name, away.fill(arguments), away.actor("ann"), cursor)
            assert code in {"CURSOR_EXPIRED", "CURSOR_UNKNOWN"}, name


async def history(app, name, arguments, fields, actor, topic):
    """Every event of a feed so far."""
    [[last]] = await app.services.database.read(select(Topic.last).where(Topic.name == topic))
    async with app.follow(following(name, arguments, fields), actor, after="0") as hear:
        heard = [await hear() for _ in range(last)]
    assert heard[-1][name]["seq"] == last
    return heard


async def test_what_is_heard_is_of_ones_own_tenant(two):
    async with two() as (app, home, away):
        for name, arguments in SUBSCRIPTIONS.items():
            if name == "questionFeed":
                continue  # its events are some of the board's
            told, given = [], away.fill(arguments)
            noun = name.removeprefix("replay").removesuffix("Feed").lower()
            topic = f"{noun}:{next(iter(given.values()), away.ids['admin'])}"
            for fields in each_field(SCHEMA.subscription_type.fields[name].type):
                heard = await history(app, name, given, fields, away.actor("ann"), topic)
                assert leaks(home, heard) == [], name
                told += heard
            assert leaks(away, told), f"{name}: the look itself must show something"
