"""Unchanged boards: an answer is given again only while it is true, and only to who may see it."""

import asyncio
import contextlib
import gc
import time
import tracemalloc

import httpx2
import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type
from strawberry.http import GraphQLRequestData

import kit.graphql.response_cache
from kit.graphql.documents.documents import Documents
from kit.graphql.limits.document_size import DocumentLimits
from kit.graphql.response_cache import ENTRY_OVERHEAD_BYTES, CacheableQuery, ResponseCache, subject_of
from schema.cacheable import BOARD, FIELDS
from tests.board import do
from tests.conftest import MAKE_KEY, REVOKE_KEY
from tests.faults.api import CROWD
from tests.tenants import MUTATIONS, SCHEMA


def shown(name: str, depth: int) -> str:
    """Select all that is on the list of a type, so many objects deep."""
    kind, parts = SCHEMA.get_type(name), ["__typename"]
    assert isinstance(kind, GraphQLObjectType)
    for field in FIELDS[name].split():
        inner = get_named_type(kind.fields[field].type)
        given = "(first: 50)" if "first" in kind.fields[field].args else ""
        if is_leaf_type(inner):
            parts.append(field)
        elif depth:
            parts.append(f"{field}{given} {shown(inner.name, depth - 1)}")
    return f"{{ {' '.join(parts)} }}"


CARDS = f"cards(first: 50) {{ totalCount pageInfo {shown('PageInfo', 0)} nodes {shown('Card', 1)} }}"
EDGES = f"columns {{ cards(first: 50) {{ edges {shown('CardEdge', 0)} }} }}"
ALL = f"query Shown($id: ID!) {{ board(id: $id) {{ ...B {CARDS} {EDGES} }} }} "
ALL += f"fragment B on Board {shown('Board', 1)}"
SMALL = "query($id: ID!) { board(id: $id) { name seq cards(first: 50) { nodes { title } } } }"


async def both(app, query, actor="", **variables):
    """What is answered, with what is kept or without; and the same without what is kept."""
    given = (await app.post(query, variables, actor=actor)).json()
    anew = (await app.post(query, variables, actor=actor, headers={"graphql-cost": "1"})).json()
    anew.pop("extensions", None)
    for error in (*given.get("errors", ()), *anew.get("errors", ())):
        error["extensions"].pop("requestId")
    return given, anew


def kept(app) -> ResponseCache:
    return app.app.state.unchanged


async def test_an_unchanged_board_takes_one_statement(run):
    async with run() as app:
        await app.has_user("ann")
        board, [card] = await app.has_board("one")
        home = await app.home()
        for name, more in (("key", {}), ("board key", {"boardId": board})):
            made = await app.data(
                MAKE_KEY, input={"workspaceId": home, "name": name, "scopes": ["READ"], **more}
            )
            app.tokens[name] = f"Bearer {made['secret']}"
        first = await app.ask(SMALL, id=board)  # the text is not known yet
        assert await app.ask(SMALL, id=board) == first
        for actor in ("", "ann", "key", "board key"):
            found = kept(app).found
            with app.counting() as statements:
                assert await app.ask(SMALL, actor, id=board) == first
            assert len([s for s in statements if s.lstrip().startswith("SELECT")]) == 1, statements
            assert kept(app).found == found + 1
        await do(app, "updateCard", id=card, title="two")
        second = await app.ask(SMALL, id=board)
        assert second["data"]["board"]["cards"]["nodes"] == [{"title": "two"}]
        assert second["data"]["board"]["seq"] == first["data"]["board"]["seq"] + 1


@pytest.mark.slow("every mutation")
async def test_whatever_is_changed_is_seen_at_once(two):
    """Every mutation there is, one after the other: the kept answers are what is read anew."""
    async with two() as (app, home, _):
        await app.ask(ALL, home.actor("read key"), id=home.ids["board"])
        for name, case in MUTATIONS.items():
            await home.mutate(name, home.fill(case.input), home.actor("ann"))
            found, look = kept(app).found, (ALL, {"id": home.ids["board"]})
            given = (await app.post(*look, actor=home.actor("read key"))).json()
            if kept(app).found == found:
                continue  # it was read anew just now
            anew = (await app.post(*look, actor=home.actor("read key"), headers={"graphql-cost": "1"})).json()
            anew.pop("extensions", None)
            assert given == anew, f"after {name}"
        assert kept(app).found > len(MUTATIONS) / 3, "kept answers were given"


async def test_a_name_that_somebody_takes_is_seen_at_once(run):
    async with run() as app:
        ann = await app.has_user("ann")
        board, [card] = await app.has_board("one")
        await do(app, "assignCard", cardId=card, userId=ann)
        for name in ("Anna", "Annie"):
            await app.ask(ALL, id=board)
            await do(app, "updateMe", actor="ann", nickname=name)
            given, anew = await both(app, ALL, id=board)
            assert given == anew
            assert given["data"]["board"]["cards"]["nodes"][0]["assignees"][0]["nickname"] == name


async def test_who_may_see_it_no_more_does_not(run):
    async with run() as app:
        await app.has_user("ann")
        board, _ = await app.has_board("one")
        home, nothing = await app.home(), {"data": {"board": None}}
        made = await app.data(MAKE_KEY, input={"workspaceId": home, "name": "k", "scopes": ["READ"]})
        app.tokens["key"] = f"Bearer {made['secret']}"
        await app.has_user("eve", None)
        other, _ = await app.has_board("two", name="Other")
        made = await app.data(
            MAKE_KEY, input={"workspaceId": home, "name": "o", "scopes": ["READ"], "boardId": other}
        )
        app.tokens["other key"] = f"Bearer {made['secret']}"
        for actor in ("", "ann", "key"):
            assert (await app.ask(SMALL, actor, id=board))["data"]["board"]["name"] == "Web"
        for actor in ("eve", "other key"):
            assert await app.ask(SMALL, actor, id=board) == nothing
        members = await app.data(
            "query($id: ID!) { workspace(id: $id) { members { nodes { id user { username } } } } }", id=home
        )
        [mine] = [one["id"] for one in members["members"]["nodes"] if one["user"]["username"] == "ann"]
        await do(app, "removeMember", id=mine)
        assert await app.ask(SMALL, "ann", id=board) == nothing
        key = await app.data(
            "query($id: ID!) { workspace(id: $id) { apiKeys { nodes { id name } } } }", id=home
        )
        for one in key["apiKeys"]["nodes"]:
            await app.data(REVOKE_KEY, id=one["id"])
        assert (await app.ask(SMALL, "key", id=board))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        await do(app, "archiveBoard", id=board)
        given, anew = await both(app, ALL, id=board)
        assert given == anew
        assert given["data"]["board"]["archivedAt"]
        await do(app, "deleteBoard", id=board, confirmName="Web")
        assert await app.ask(SMALL, id=board) == nothing


async def test_limits_hold_for_what_is_kept(run):
    async with run(points=1_000, points_per_second=0.001) as app:
        board, _ = await app.has_board("one")
        codes = []
        while len(codes) < 100 and "RATE_LIMITED" not in codes:
            answer = await app.ask(SMALL, id=board)
            codes.append(answer["errors"][0]["extensions"]["code"] if "errors" in answer else None)
        assert 2 < len(codes) < 100
        assert kept(app).found >= len(codes) - 3


async def test_a_client_that_has_it_is_not_sent_it_again(run):
    async with run() as app:
        board, [card] = await app.has_board("one")

        async def get(tag=None):
            given = {"if-none-match": tag} if tag else {}
            query = {"query": SMALL, "variables": f'{{"id": "{board}"}}'}
            return await app.client.get("/graphql", params=query, headers=given)

        await get()  # from now on the text is known
        first = await get()
        again = await get()
        assert (first.status_code, again.status_code) == (200, 200)
        assert first.content == again.content
        assert first.headers["etag"] == again.headers["etag"]
        assert again.headers["cache-control"] == "private, no-cache"
        same = await get(first.headers["etag"])
        assert (same.status_code, same.content) == (304, b"")
        await do(app, "updateCard", id=card, title="two")
        other = await get(first.headers["etag"])
        assert (other.status_code, other.json()["data"]["board"]["cards"]["nodes"]) == (
            200,
            [{"title": "two"}],
        )
        posted = await app.post(SMALL, {"id": board}, headers={"if-none-match": other.headers["etag"]})
        assert posted.status_code == 200
        assert posted.headers["cache-control"] == "no-store"


IS_KEPT = {
    "a literal": '{ board(id: "board_1") { name } }',
    "a variable": "query($id: ID!) { board(id: $id) { ... on Board { cards(orderBy: DUE) { nodes { ...C } } } } }"
    " fragment C on Card { id @include(if: true) blockedBy { id } }",
    "another name": '{ mine: board(id: "board_1") { title: name } }',
}
IS_NOT = {
    "depends on the day": '{ board(id: "b") { cards { nodes { overdue } } } }',
    "depends on who asks": '{ board(id: "b") { cards { nodes { allowedStages } } } }',
    "runs": '{ board(id: "b") { cards { nodes { agentState } } } }',
    "other boards": '{ board(id: "b") { cards { nodes { labels { cardCount } } } } }',
    "its workspace": '{ board(id: "b") { workspace { name } } }',
    "an address": '{ board(id: "b") { cards { nodes { assignees { email } } } } }',
    "a filter": '{ board(id: "b") { cards(filter: {overdue: true}) { nodes { id } } } }',
    "below a fragment": '{ board(id: "b") { ...B } } fragment B on Board { policy { autoDispatch } }',
    "an interface": '{ board(id: "b") { ... on Node { id } } }',
    "two of them": '{ a: board(id: "a") { name } b: board(id: "b") { name } }',
    "another root": '{ card(id: "c") { title } }',
    "with a limit": '{ board(id: "b") { name } rateLimit { remaining } }',
    "a mutation": 'mutation { deleteBoard(input: {id: "b", confirmName: "b"}) { __typename } }',
    "introspection": "{ __schema { queryType { name } } }",
    "a condition on it": '{ board(id: "b") @include(if: true) { name } }',
}


@pytest.mark.parametrize("text", [*IS_KEPT.values(), *IS_NOT.values()], ids=[*IS_KEPT, *IS_NOT])
def test_only_what_is_on_the_list_is_kept(text):
    found = subject_of(Documents(DocumentLimits()).read(text), None, SCHEMA, BOARD)
    assert (found is not None) == (text in IS_KEPT.values())


def test_the_list_names_fields_that_there_are():
    for name, fields in BOARD.fields.items():
        assert fields <= set(SCHEMA.get_type(name).fields), name


def test_what_is_kept_is_bounded_in_bytes():
    document = Documents(DocumentLimits()).read(IS_KEPT["a variable"])
    cache = ResponseCache(BOARD, prove=None, most=10_000)

    def question(id: str) -> CacheableQuery:
        data = GraphQLRequestData(document.text, {"id": id}, None, None, "http")
        found = cache.question(document, SCHEMA, data)
        assert found is not None
        return found

    for n in range(50):
        cache.keep(question(f"board_{n}"), "1", b"x" * (2_000 - ENTRY_OVERHEAD_BYTES), None)
        assert 0 < cache.size <= 10_000
        assert cache.find(question("board_0"), "1") is not None, "what is used stays"
    assert cache.find(question("board_1"), "1") is None
    cache.keep(question("large"), "1", b"x" * (5 << 20), None)
    assert cache.find(question("large"), "1") is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("query($id: ID!) { board(id: $id) { id } } #%d\U0001f600" + "x" * 2_000, 30),
        ("query " + "N" * 2_000 + "%d($id: ID!) { board(id: $id) { id } }", 30),
        ("query($id: ID!) { board(id: $id) { id } } #%d", 2_000),
    ],
    ids=["long texts", "long names", "short texts"],
)
def test_what_is_kept_is_counted_as_the_memory_it_takes(text, answer):
    cache = ResponseCache(BOARD, prove=None, most=50_000)
    documents = Documents(DocumentLimits())
    gc.collect()
    tracemalloc.start()
    try:
        for n in range(60):
            document = documents.read(text % n)
            name = document.node.definitions[0].name
            data = GraphQLRequestData(document.text, {"id": f"board_{n}"}, name and name.value, None, "http")
            question = cache.question(document, SCHEMA, data)
            cache.keep(question, f"epoch.{n}", b"x" * answer, None)
            assert cache.find(question, f"epoch.{n}").tag
            del document, name, data, question
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert 25_000 < cache.size <= 50_000
    assert taken < 1.1 * cache.size + 10_000


RENAME = """mutation($id: ID!, $title: String!) {
  updateCard(input: {id: $id, title: $title}) { ... on Card { version } } }"""
LOOK = "query($id: ID!) { board(id: $id) { seq cards(first: 10) { nodes { title version } } } }"


LOOKS = 150  # of readers while others write


async def stale_reads(clients, board, card, *, looks=LOOKS, enough=float("inf")):
    """Writers and readers at several servers: how many answers were older than what was acknowledged before.

    So many are `enough`; else it ends after so many looks.
    """
    acknowledged, stale, looked, until = 0, 0, 0, time.monotonic() + 30

    def goes_on():
        return looked < looks and stale < enough and time.monotonic() < until

    async def ask(client, query, **variables):
        answer = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def write(client):
        nonlocal acknowledged
        while goes_on():
            title = f"title {time.monotonic_ns()}"
            told = (await ask(client, RENAME, id=card, title=title))["updateCard"]
            acknowledged = max(acknowledged, told["version"])
            await asyncio.sleep(0.03)

    async def read(client):
        nonlocal stale, looked
        while goes_on():
            known = acknowledged
            seen = (await ask(client, LOOK, id=board))["board"]
            stale += seen["cards"]["nodes"][0]["version"] < known
            looked += 1

    await asyncio.gather(*(write(one) for one in clients), *(read(one) for one in clients for _ in range(3)))
    return stale, looked


@contextlib.asynccontextmanager
async def two_in_this_process(run, fresh):
    """Two applications on one database."""
    url = await fresh()
    async with run(url, points=10**9) as one, run(url, points=10**9) as other:
        yield one, [one.client, other.client]


async def test_readers_race_writers_in_one_process(run, fresh):
    async with two_in_this_process(run, fresh) as (app, clients):
        board, [card] = await app.has_board("one")
        stale, looked = await stale_reads(clients, board, card)
    assert (stale, looked >= LOOKS) == (0, True)


async def test_a_number_that_is_not_looked_at_is_caught(run, fresh, monkeypatch):
    monkeypatch.setattr(kit.graphql.response_cache, "is_current", lambda kept, proof: proof is not None)
    async with two_in_this_process(run, fresh) as (app, clients):
        board, [card] = await app.has_board("one")
        stale, _ = await stale_reads(clients, board, card, looks=10_000, enough=1)
    assert stale > 0


@pytest.mark.slow("crowds at two servers")
async def test_readers_race_writers_at_two_servers(serve, figure):
    one = await serve(**CROWD)
    other = await serve(one.database_url, **CROWD)
    async with contextlib.AsyncExitStack() as stack:
        bases = [process.http.removesuffix("/graphql") for process in (one, other)]
        clients = [
            await stack.enter_async_context(
                httpx2.AsyncClient(base_url=base, timeout=30, headers=one.headers)
            )
            for base in bases
        ]

        async def ask(query, **variables):
            answer = (await clients[0].post("/graphql", json={"query": query, "variables": variables})).json()
            return next(iter(answer["data"].values()))

        home = (await ask("{ workspaces { nodes { id } } }"))["nodes"][0]["id"]
        create = 'mutation($w: ID!) { createBoard(input: {workspaceId: $w, name: "Race"}) { ... on Board { id } } }'
        board = (await ask(create, w=home))["id"]
        add = 'mutation($b: ID!) { createCard(input: {boardId: $b, title: "one"}) { ... on Card { id } } }'
        card = (await ask(add, b=board))["id"]
        stale, looked = await stale_reads(clients, board, card)
    figure(looked=looked, stale=stale)
    assert (stale, looked >= LOOKS) == (0, True)
