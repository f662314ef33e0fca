"""Fan-out: what many follow alike is executed once, nobody is told what is not his, and nobody waits for others."""

import asyncio
import contextlib
import itertools
import json
import random

import pytest
from sqlalchemy import delete
from strawberry.types import ExecutionResult

from kit.eventlog.event_log import Cursor
from kit.graphql.broadcast.broadcast import (
    MAX_CACHE_BYTES,
    MAX_GROUP_CACHE_BYTES,
    Audience,
    FeedPosition,
    ItemCache,
)
from kit.graphql.operation import Operation
from models.events.card import CardUpdated
from models.events.workspace import MemberRemoved
from models.topic import board_topic, user_topic
from models.workspace import Membership
from tests.client import AsgiSocket, Hear, flat
from tests.conftest import MAKE_KEY
from tests.faults.api import UPDATE_CARD

FEED = """subscription($board: ID!, $after: String) {
  boardFeed(boardId: $board, after: $after) { seq actor { name } event { ... on CardEvent {
    card { id title labels { name } column { name } assignees { username } } } } } }"""
BRIEF = """subscription($board: ID!, $long: Boolean!) { boardFeed(boardId: $board, after: "0") { seq event {
  ... on CardEvent { card { title @include(if: $long) stage } } } } }"""
MINE = """subscription($board: ID!) { boardFeed(boardId: $board, after: "0") { seq event {
  ... on CardEvent { card { title allowedStages } } } } }"""
NUMBERS = """subscription($board: ID!, $after: String) { boardFeed(boardId: $board, after: $after) { seq
  event { ... on CardEvent { card { title } } } } }"""
MOVE_ALL = "mutation($input: MoveCardsInput!) { moveCards(input: $input) { __typename } }"
CURSOR = "query($id: ID!) { board(id: $id) { seq cursor } }"
STAGES = "query($id: ID!) { card(id: $id) { title allowedStages } }"


@contextlib.asynccontextmanager
async def following(app, query, *actors, **variables):
    """Subscriptions of several actors, one each, once all of them are heard."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(app.follow(query, actor, **variables)) for actor in actors]


TURNS = itertools.count()  # a title that is not new would be no event


async def seq_of(app, board):
    return (await app.data(CURSOR, id=board))["seq"]


async def told(hears, seq):
    """What each is told, up to the number `seq`; dense."""
    lists = []
    for hear in hears:
        events = []
        while not events or events[-1]["seq"] < seq:
            events.append((await hear())["boardFeed"])
            assert events[-1]["seq"] == events[0]["seq"] + len(events) - 1
        lists.append(events)
    return lists


async def settled(app, board, card, hears, most):
    """Change the card until that costs at most so many statements, whoever follows; return how many."""
    async with asyncio.timeout(60):
        for turn in TURNS:
            with app.counting(everybody=True) as sent:
                await app.data(UPDATE_CARD, input={"id": card, "title": f"Turn {turn}"})
                await told(hears, await seq_of(app, board))
            read = [one for one in sent if "assignee" in one]
            if len(read) <= most:
                return len(read)
    raise AssertionError("they are not told together")


async def test_an_event_is_executed_once_for_all_who_follow_alike(run):
    """The assignees of the card are asked for once, not once for each of twelve."""
    async with run(points=10**9) as app:
        board, [card] = await app.has_board("Do it")
        for name, role in {"ann": "MEMBER", "vic": "VIEWER"}.items():
            await app.has_user(name, role)
        after = (await app.data(CURSOR, id=board))["cursor"]
        async with following(app, FEED, *["", "ann", "vic"] * 4, board=board, after=after) as hears:
            assert await settled(app, board, card, hears, 1) == 1
            await app.data(UPDATE_CARD, input={"id": card, "title": "The last"})
            first, *others = await told(hears, await seq_of(app, board))
            assert first[-1]["card"] == {
                "id": card, "title": "The last", "labels": [], "column": {"name": "Backlog"}, "assignees": []
            }  # fmt: skip
            assert all(other == first for other in others)


async def test_who_sees_something_else_is_answered_for_himself(run):
    """A member and a viewer ask the same; what they may do differs, and is theirs."""
    async with run(points=10**9) as app:
        board, [card] = await app.has_board("Do it")
        for name, role in {"ann": "MEMBER", "vic": "VIEWER", "bob": "MEMBER"}.items():
            await app.has_user(name, role)
        actors = ["", "vic", "ann", "vic", "bob"]
        async with following(app, MINE, *actors, board=board) as hears:
            for turn in range(5):
                await app.data(UPDATE_CARD, input={"id": card, "title": f"Turn {turn}"})
                seq = await seq_of(app, board)
                for actor, events in zip(actors, await told(hears, seq), strict=True):
                    assert events[-1]["card"] == await app.data(STAGES, actor, id=card), actor
        assert (await app.data(STAGES, "vic", id=card))["allowedStages"] == []
        assert (await app.data(STAGES, "ann", id=card))["allowedStages"] != []


async def test_who_comes_at_any_place_is_told_each_event_once(run):
    """Events are sent by the page; subscribers come while a page is worked on, and stand where they like."""
    chance = random.Random(7)
    async with run(points=10**9) as app, contextlib.AsyncExitStack() as stack:
        board, cards = await app.has_board(*(f"{number}" for number in range(8)))
        epoch, start = (await app.data(CURSOR, id=board))["cursor"].split(".")
        last = int(start)
        hears = []

        async def write():
            nonlocal last
            for turn in range(10):
                await app.data(
                    MOVE_ALL, input={"ids": cards, "position": {"top" if turn % 2 == 0 else "bottom": True}}
                )
                last += len(cards)

        async def come():
            after = chance.randint(int(start), last)
            follow = app.follow(NUMBERS, board=board, after=f"{epoch}.{after}")
            hears.append((await stack.enter_async_context(follow), after))

        writing = asyncio.create_task(write())
        while not writing.done():
            await come()
            await asyncio.sleep(chance.random() / 20)
        await writing
        assert last == await seq_of(app, board)
        for hear, after in hears:
            events = [(await hear())["boardFeed"]["seq"] for _ in range(last - after)]
            assert events == list(range(after + 1, last + 1))


async def test_different_questions_are_not_mixed(run):
    async with run(points=10**9) as app:
        board, [card] = await app.has_board("Do it")
        other, [elsewhere] = await app.has_board("There", name="Other")
        async with contextlib.AsyncExitStack() as stack:
            asked = [(board, True), (board, False), (other, True), (board, True)]
            hears = [
                await stack.enter_async_context(app.follow(BRIEF, board=where, long=long))
                for where, long in asked
            ]
            for turn in range(5):
                for where, what in ((board, card), (other, elsewhere)):
                    await app.data(UPDATE_CARD, input={"id": what, "title": f"{where} {turn}"})
                for hear, (where, long) in zip(hears, asked, strict=True):
                    [events] = await told([hear], await seq_of(app, where))
                    said = {"title": f"{where} {turn}"} if long else {}
                    assert events[-1]["card"] == {**said, "stage": "BACKLOG"}


@pytest.mark.parametrize("first", ["ann", "bob"])
async def test_who_is_removed_is_told_nothing_more(run, first):
    """Whoever founded the group: the others go on, the one who is removed hears the end and not the event."""
    async with run(points=10**9) as app:
        board, [card] = await app.has_board("Do it")
        ids = {name: await app.has_user(name) for name in ("ann", "bob")}
        actors = [first, "ann", "bob", "bob", "ann"]
        after = (await app.data(CURSOR, id=board))["cursor"]
        async with following(app, FEED, *actors, board=board, after=after) as hears:
            await settled(app, board, card, hears, 1)
            async with app.begin() as tx:
                await tx.execute(delete(Membership).where(Membership.user_id == ids["bob"]))
                data = {"card_id": card, "changes": {}}
                tx.append_event([board_topic(board)], CardUpdated.kind, None, card, data)
            seq = await seq_of(app, board)
            for actor, hear in zip(actors, hears, strict=True):
                event = await hear()
                assert (event is None) == (actor == "bob")
                assert event is None or event["boardFeed"]["seq"] == seq
            stay = [hear for actor, hear in zip(actors, hears, strict=True) if actor == "ann"]
            assert await settled(app, board, card, stay, 1) == 1, "those who stay are a group again"


async def test_who_is_removed_in_silence_hears_the_end(run):
    """Nothing happens on the board, but the person is told."""
    async with run(points=10**9) as app:
        board, [card] = await app.has_board("Do it")
        bob = await app.has_user("bob")
        after = (await app.data(CURSOR, id=board))["cursor"]
        async with following(app, FEED, "", "bob", board=board, after=after) as hears:
            await settled(app, board, card, hears, 1)
            async with app.begin() as tx:
                await tx.execute(delete(Membership).where(Membership.user_id == bob))
                tx.append_event([user_topic(bob)], MemberRemoved.kind, None, None, {})
            assert await hears[1](4) is None, "before a poll would have seen it"
            await settled(app, board, card, hears[:1], 1)


async def test_a_key_of_the_board_is_told_what_it_may_see(run):
    async with run(points=10**9) as app:
        board, [card] = await app.has_board("Do it")
        given = {"workspaceId": await app.home(), "name": "Key", "boardId": board, "scopes": ["READ"]}
        app.tokens["key"] = f"Bearer {(await app.data(MAKE_KEY, input=given))['secret']}"
        after = (await app.data(CURSOR, id=board))["cursor"]
        async with following(app, FEED, "", "key", "", "key", board=board, after=after) as hears:
            assert await settled(app, board, card, hears, 2) == 2, "once for people, once for keys"


class Stalled(AsgiSocket):
    """A reader that takes what it is sent only while its gate is open."""

    def __init__(self, *given):
        super().__init__(*given)
        self.gate = asyncio.Event()
        self.gate.set()
        out, self.held = self._out, 0

        class Gated:
            async def put(_, message):
                self.held += 1
                await self.gate.wait()
                self.held -= 1
                out.put_nowait(message)

            get = staticmethod(out.get)

        self._out = Gated()


async def test_who_does_not_read_delays_nobody_and_loses_nothing(run):
    """Far more than may wait for one member; the others hear each event at once, and it hears all, later."""
    fat = FEED.replace("title", "title description", 1)
    async with run(points=10**9) as app, Stalled(app.app) as socket:
        board, [card] = await app.has_board("Do it")
        await app.data(UPDATE_CARD, input={"id": card, "description": "x" * 8_000})
        after = (await app.data(CURSOR, id=board))["cursor"]
        async with following(app, fat, "", "", board=board, after=after) as hears:
            await socket.init(app.tokens[""])
            payload = {"query": fat, "variables": {"board": board, "after": after}}
            socket.send({"id": "slow", "type": "subscribe", "payload": payload})
            slow = Hear(socket, "slow")
            await settled(app, board, card, [*hears, slow], 1)
            begun = await seq_of(app, board)
            socket.gate.clear()
            for turn in range(30):
                await app.data(UPDATE_CARD, input={"id": card, "title": f"Fat {turn}"})
                for events in await told(hears, begun + turn + 1):
                    assert events[-1]["card"]["title"] == f"Fat {turn}"
            assert socket.held == 1, "one message waits for it; the rest is in the log"
            socket.gate.set()
            [events] = await told([slow], begun + 30)
            assert [event["seq"] for event in events] == list(range(begun + 1, begun + 31))
            assert await settled(app, board, card, [*hears, slow], 1) == 1, "it is with the others again"


async def test_streams_and_sockets_are_told_together(run):
    """Server-sent events carry the same answers; a stream and a socket share one execution."""
    async with run(points=10**9) as app:
        board, [card] = await app.has_board("Do it")
        after = (await app.data(CURSOR, id=board))["cursor"]
        variables = {"board": board, "after": after}
        async with following(app, FEED, "", **variables) as hears, streaming(app, FEED, variables) as stream:
            assert await settled(app, board, card, [*hears, stream], 1) == 1


@contextlib.asynccontextmanager
async def streaming(app, query, variables, **more):
    """One subscription over SSE, in this process."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {
        "host": "127.0.0.1:8000",
        "content-type": "application/json",
        "accept": "text/event-stream",
    }
    headers |= app.headers_of("") | more
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "path": "/graphql", "raw_path": b"/graphql",
        "root_path": "", "scheme": "http", "query_string": b"", "client": ("127.0.0.1", 5555),
        "server": ("127.0.0.1", 8000), "state": {},
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    given, chunks = asyncio.Queue(), asyncio.Queue()
    given.put_nowait({"type": "http.request", "body": body, "more_body": False})
    task = asyncio.create_task(app.app(scope, given.get, chunks.put))

    class Stream:
        ids: list[str] = []

        async def __call__(self):
            while True:
                message = await asyncio.wait_for(chunks.get(), 30)
                for line in message.get("body", b"").decode().splitlines():
                    if line.startswith("id: "):
                        self.ids.append(line.removeprefix("id: "))
                    if line.startswith("data: {"):
                        return flat(json.loads(line.removeprefix("data: "))["data"])

    try:
        yield Stream()
    finally:
        given.put_nowait({"type": "http.disconnect"})
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_all_groups_keep_is_bounded():
    """However many different things are followed; and it is let go with the group."""
    store, end = ItemCache(), asyncio.Event()
    payload = "x" * 50_000

    async def follow(group):
        async def results():
            for number in range(1, 9):
                place = FeedPosition(Cursor("e", number))
                group.expect(place, {})
                yield ExecutionResult(data={"text": payload}, errors=None)
            await group.end_page(place, None)
            await end.wait()

        async def start():
            return results()

        await group.run(start, Operation("r", "ws"))

    async with asyncio.TaskGroup() as tasks:
        for _ in range(100):
            tasks.create_task(follow(Audience(FeedPosition(Cursor("e", 0)), store)))
        await asyncio.sleep(0.5)
        assert MAX_CACHE_BYTES - MAX_GROUP_CACHE_BYTES < store.size <= MAX_CACHE_BYTES
        end.set()
    assert store.size == 0


async def test_a_stream_says_its_cursors_and_resumes_after_the_last_event_id(run):
    """Each frame has the cursor of its item as `id`, also of a group; Last-Event-ID replaces `after`."""
    async with run(points=10**9) as app:
        board, [card] = await app.has_board("Do it")
        after = (await app.data(CURSOR, id=board))["cursor"]
        epoch, start = after.split(".")
        variables = {"board": board, "after": after}
        async with (
            following(app, FEED, "", **variables) as hears,
            streaming(app, FEED, variables) as stream,
        ):
            await settled(app, board, card, [*hears, stream], 1)
            seq = await seq_of(app, board)
            assert stream.ids == [f"{epoch}.{n}" for n in range(int(start) + 1, seq + 1)]
        async with streaming(app, FEED, variables, **{"last-event-id": f"{epoch}.{seq - 2}"}) as stream:
            assert [(await stream())["boardFeed"]["seq"] for _ in range(2)] == [seq - 1, seq]
        async with streaming(app, FEED, {"board": board}) as stream:
            assert (await stream())["boardFeed"]["seq"] == seq, "FeedStarted"
            assert stream.ids == [f"{epoch}.{seq}"]


async def test_a_feed_without_a_cursor_says_where_it_starts(run):
    """Its first item is FeedStarted, before anything happens: its cursor resumes there."""
    query = """subscription($board: ID!, $after: String) { boardFeed(boardId: $board, after: $after) {
      seq cursor actor { kind } requestId event { __typename ... on FeedStarted { oldestCursor } } } }"""
    async with run() as app:
        board, [card] = await app.has_board("Do it")
        now = await app.data(CURSOR, id=board)
        async with app.follow(query, board=board) as hear:
            first = (await hear.started())["boardFeed"]
        oldest = first.pop("oldestCursor")
        assert first == {
            **now, "actor": {"kind": "SYSTEM"}, "requestId": None, "__typename": "FeedStarted"
        }  # fmt: skip
        await app.data(UPDATE_CARD, input={"id": card, "title": "Did it"})
        async with app.follow(query, board=board, after=first["cursor"]) as hear:
            assert (await hear())["boardFeed"]["__typename"] == "CardUpdated"
        async with app.follow(query, board=board, after=oldest) as hear:
            assert (await hear())["boardFeed"]["seq"] == 1
