"""What the feed promises, through its door: an event exactly when its change, every number once, no silence."""

import asyncio
import contextlib
import random
import re
import time

import pytest
from sqlalchemy import delete, func, select

import actions.board
import actions.card
from kit.db.database import Unavailable
from kit.eventlog.event_log import Cursor
from kit.eventlog.tables import EVENTS, Event, Topic
from models.account import User
from models.events.board import BoardUpdated
from models.events.card import CardUpdated
from models.topic import board_topic
from models.workspace import Membership
from tests.client import Refused
from tests.faults.api import CREATE_CARD, MOVE_CARD, UPDATE_CARD

FEED = """subscription($board: ID!, $after: String) {
  boardFeed(boardId: $board, after: $after) { seq cursor event { kind: __typename
    ... on CardEvent { cardId card { id title column { id } } } ... on CardCreated { columnId rank }
    ... on CardMoved { columnId: toColumnId rank } ... on CardUnarchived { columnId rank }
    ... on RanksRewritten { ranks { nodeId rank } } } } }"""
BOARD = "query($id: ID!) { board(id: $id) { seq cursor } }"
SNAPSHOT = """query($id: ID!) { board(id: $id) { seq cursor
  cards(first: 500, filter: {any: [{archived: true}, {archived: false}]}) { nodes { id title column { id } } }
  columns { id cards(first: 500) { nodes { id rank } } } } }"""


async def kept(app, topic):
    query = select(Event.seq).where(Event.topic == topic).order_by(Event.seq)
    return [row.seq for row in await app.services.database.read(query)]


async def heard_until(hear, seq):
    """Events until the number `seq`, checked to be dense."""
    events = []
    while not events or events[-1]["seq"] < seq:
        events.append((await hear())["boardFeed"])
        assert events[-1]["seq"] == events[0]["seq"] + len(events) - 1
    return events


async def test_an_event_exists_exactly_when_its_change_does(run):
    async with run() as app:
        board, [card] = await app.has_board("Do it")
        topic = board_topic(board)
        before = await kept(app, topic)
        with contextlib.suppress(ZeroDivisionError):
            async with app.begin() as tx:
                tx.append_event([topic], CardUpdated.kind, None, card, {"card_id": card})
                await tx.flush()
                raise ZeroDivisionError
        refused = await app.data(UPDATE_CARD, input={"id": card, "title": ""})
        assert refused["__typename"] == "Invalid"
        assert await kept(app, topic) == before, "what was rolled back or refused leaves no event and no hole"
        await app.data(UPDATE_CARD, input={"id": card, "title": "Do it now"})
        assert await kept(app, topic) == [*before, before[-1] + 1]


async def test_writers_of_several_topics_in_opposite_order_do_not_deadlock(run):
    """Topics are numbered in sorted order, whichever way they were named."""
    async with run() as app:

        async def write(*topics):
            for _ in range(20):
                async with app.begin() as tx:
                    tx.append_event(topics, BoardUpdated.kind, None, None, {})

        async with asyncio.timeout(30):
            await asyncio.gather(write("a", "b"), write("b", "a"), write("b", "a"), write("a", "b"))
        assert await kept(app, "a") == await kept(app, "b") == list(range(1, 81))


class Model:
    """A client: it takes the node that an event names, and puts it where the event says."""

    def __init__(self, snapshot):
        self.seq = snapshot["seq"]
        self.cards = {card["id"]: card for card in snapshot["cards"]["nodes"]}
        self.ranks = {
            column["id"]: {card["id"]: card["rank"] for card in column["cards"]["nodes"]}
            for column in snapshot["columns"]
        }

    def apply(self, event):
        assert event["seq"] == self.seq + 1, "nothing missing, nothing twice"
        self.seq = event["seq"]
        for told in event.get("ranks", ()):
            for ranks in self.ranks.values():
                ranks.update({told["nodeId"]: told["rank"]} if told["nodeId"] in ranks else {})
        id = event.get("cardId")
        if id is None:
            return
        if event["card"] is None:
            self.cards.pop(id, None)
        else:
            self.cards[id] = event["card"]
        if event["kind"] in PLACED:
            for ranks in self.ranks.values():
                ranks.pop(id, None)
        if "columnId" in event:
            self.ranks[event["columnId"]][id] = event["rank"]

    def columns(self):
        return {id: sorted(ranks, key=ranks.get) for id, ranks in self.ranks.items()}


PLACED = {"CardMoved", "CardArchived", "CardUnarchived", "CardDeleted"}
DELETE_CARD = "mutation($input: DeleteCardInput!) { deleteCard(input: $input) { __typename } }"
ARCHIVE_CARD = "mutation($input: ArchiveCardInput!) { archiveCard(input: $input) { __typename } }"
UNARCHIVE_CARD = "mutation($input: UnarchiveCardInput!) { unarchiveCard(input: $input) { __typename } }"


async def change_at_random(app, board, cards):
    dice = random.random()
    if dice < 0.2 or not cards:
        cards.append((await app.data(CREATE_CARD, input={"boardId": board, "title": "New"}))["id"])
    elif dice < 0.3:
        await app.data(DELETE_CARD, input={"id": cards.pop(random.randrange(len(cards)))})
    elif dice < 0.5:
        title = f"Title {random.random()}"
        await app.data(UPDATE_CARD, input={"id": random.choice(cards), "title": title})
    elif dice < 0.6:
        await app.data(random.choice([ARCHIVE_CARD, UNARCHIVE_CARD]), input={"id": random.choice(cards)})
    else:
        stage = random.choice(["BACKLOG", "PLAN", "TODO"])
        neighbour = random.choice(cards)  # where it stands elsewhere, nothing is moved
        position = random.choice([None, {"top": True}, {"before": neighbour}, {"after": neighbour}])
        move = {"id": random.choice(cards), "destination": {"stage": stage}, "position": position}
        await app.data(MOVE_CARD, input=move)


@pytest.mark.parametrize(
    "hands", [20, pytest.param(1000, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
)
async def test_a_snapshot_and_its_cursor_hand_over_without_a_hole(run, hands, figure):
    """Under writes: what a snapshot shows and what follows its cursor are the board, nothing missing or double."""
    async with run(points=10**9) as app:
        board, cards = await app.has_board("One", "Two")
        done = asyncio.Event()

        async def write():
            while not done.is_set():
                await change_at_random(app, board, cards)

        async def hand_over():
            model = Model(await app.data(SNAPSHOT, id=board))
            await asyncio.sleep(random.uniform(0, 0.05))  # the network between the two
            async with app.follow(FEED, board=board, after=(await app_cursor(app, model, board))) as hear:
                for _ in range(random.randrange(1, 5)):
                    model.apply((await hear())["boardFeed"])
            return model

        writing = asyncio.create_task(write())
        models = []
        for _ in range(hands // 4):
            models += await asyncio.gather(*(hand_over() for _ in range(4)))
        done.set()
        await writing
        now = await app.data(SNAPSHOT, id=board)
        for model in random.sample(models, 10):  # and some go on to the end
            if model.seq < now["seq"]:
                cursor = await app_cursor(app, model, board)
                async with app.follow(FEED, board=board, after=cursor) as hear:
                    while model.seq < now["seq"]:
                        model.apply((await hear())["boardFeed"])
            assert model.cards == {card["id"]: card for card in now["cards"]["nodes"]}
            shown = {
                column["id"]: [card["id"] for card in column["cards"]["nodes"]] for column in now["columns"]
            }
            assert model.columns() == shown, "in the order in which they stand"
        figure(hands=len(models), events=now["seq"])


async def app_cursor(app, model, board):
    [row] = await app.services.database.read(select(Topic.epoch).where(Topic.name == board_topic(board)))
    return str(Cursor(row.epoch, model.seq))


EPOCH = "e" * 8
FORGED = {
    "": "CURSOR_UNKNOWN",
    ".": "CURSOR_UNKNOWN",
    "1": "CURSOR_UNKNOWN",
    "00": "CURSOR_UNKNOWN",
    "-1": "CURSOR_UNKNOWN",
    "null": "CURSOR_UNKNOWN",
    "{epoch}": "CURSOR_UNKNOWN",
    "{epoch}.": "CURSOR_UNKNOWN",
    ".{seq}": "CURSOR_UNKNOWN",
    "{epoch}.-1": "CURSOR_UNKNOWN",
    "{epoch}.+1": "CURSOR_UNKNOWN",
    "{epoch}.01": "CURSOR_UNKNOWN",
    "{epoch}.1.0": "CURSOR_UNKNOWN",
    "{epoch}.1e3": "CURSOR_UNKNOWN",
    "{epoch}. 1": "CURSOR_UNKNOWN",
    "{epoch}.1\n": "CURSOR_UNKNOWN",
    "{epoch}.\u0661": "CURSOR_UNKNOWN",  # Arabic-Indic one
    "{epoch}.\u00b2": "CURSOR_UNKNOWN",  # superscript two: isdigit, and int() refuses it
    "{epoch}.\uff11": "CURSOR_UNKNOWN",  # fullwidth one
    "{epoch}.{ahead}": "CURSOR_UNKNOWN",
    "{epoch}.999999999999999999": "CURSOR_UNKNOWN",
    "{epoch}.9223372036854775808": "CURSOR_UNKNOWN",
    "{epoch}." + "9" * 5000: "CURSOR_UNKNOWN",
    "x" * 5000: "CURSOR_UNKNOWN",
    "\U0001f600.1": "CURSOR_EXPIRED",
    EPOCH + ".1": "CURSOR_EXPIRED",
    EPOCH.upper() + ".0": "CURSOR_EXPIRED",
    "{other}": "CURSOR_EXPIRED",  # of another board
    "{upper}.1": "CURSOR_EXPIRED",
    "{pruned}": "CURSOR_EXPIRED",
    "0": "CURSOR_EXPIRED",  # the start is not kept any more
}


async def test_a_forged_cursor_is_an_error_and_never_silence(run):
    async with run() as app:
        board, _ = await app.has_board(*"abcdef")
        other, _ = await app.has_board("a", name="Other")
        old = (await app.data(BOARD, id=board))["cursor"]
        await app.data(CREATE_CARD, input={"boardId": board, "title": "g"})
        await app.data(CREATE_CARD, input={"boardId": board, "title": "h"})
        await app.services.event_log.prune(board_topic(board), keep=1)
        now = await app.data(BOARD, id=board)
        epoch, seq = now["cursor"].split(".")
        names = {"epoch": epoch, "upper": epoch.upper(), "seq": seq, "ahead": int(seq) + 1, "pruned": old}
        names["other"] = (await app.data(BOARD, id=other))["cursor"]
        for forged, code in FORGED.items():
            cursor = re.sub(r"{(\w+)}", lambda found: str(names[found[1]]), forged)
            assert await codes(app, board, cursor) == (code, code), forged[:50]
        async with app.follow(FEED, board=board, after=now["cursor"]) as hear:  # the true one goes on
            await app.data(CREATE_CARD, input={"boardId": board, "title": "i"})
            assert (await hear())["boardFeed"]["seq"] == now["seq"] + 1


@pytest.mark.parametrize(
    "board",
    [
        "",
        "board_",
        "board_00000000000000000000000000",
        "card_1",
        "x" * 5000,
        "bo\u00e4rd",
        "%",
        "' or 1=1 --",
    ],
)
async def test_the_feed_of_no_board_is_not_found(run, board):
    async with run() as app:
        assert await codes(app, board, "0") == ("NOT_FOUND", "NOT_FOUND")


async def codes(app, board, after, actor=""):
    """How a subscription ends over a socket and over SSE."""
    with pytest.raises(Refused) as refused:
        async with app.follow(FEED, actor, board=board, after=after) as hear:
            raise AssertionError(f"heard {await hear()}")
    variables = {"board": board, "after": after}
    answer = await app.post(FEED, variables, actor=actor, headers={"accept": "text/event-stream"})
    return refused.value.code, re.search(r'"code":\s*"(\w+)"', answer.text)[1]


async def test_what_is_pruned_under_a_reader_is_told(run):
    """A reader behind what is kept is told so, be it reading or at rest; one that is not goes on."""
    async with run() as app:
        board, _ = await app.has_board(*map(str, range(20)))
        topic, feed = board_topic(board), app.services.event_log
        last = (await app.data(BOARD, id=board))["seq"]
        async with contextlib.aclosing(feed.follow(topic, "0", page=5)) as slow:
            assert [event.seq for event in await anext(slow)] == [1, 2, 3, 4, 5]
            assert await feed.prune(topic, keep=6) == last - 6
            with pytest.raises(Exception, match="no longer kept") as told:
                await anext(slow)
            assert told.value.code == "CURSOR_EXPIRED"
            assert told.value.oldest.endswith(f".{last - 6}")
        async with contextlib.aclosing(feed.follow(topic, told.value.oldest, page=5)) as again:
            assert [event.seq for event in await anext(again)] == list(range(last - 5, last))
            await feed.prune(topic, keep=0)
            with pytest.raises(Exception, match="no longer kept"):
                await anext(again)
        assert await feed.prune(topic, keep=0) == 0


async def test_permission_lost_in_the_middle_ends_the_feed(run):
    async with run() as app:
        board, [card] = await app.has_board("Do it")
        cursor = (await app.data(BOARD, id=board))["cursor"]
        async with app.follow(FEED, board=board, after=cursor) as hear:
            await app.data(UPDATE_CARD, input={"id": card, "title": "Seen"})
            assert (await hear())["boardFeed"]["kind"] == "CardUpdated"
            async with app.begin() as tx:
                await tx.execute(delete(Membership))
                tx.append_event([board_topic(board)], CardUpdated.kind, None, card, {})
            assert await hear() is None, "nothing more is told, and the feed ends"


REMOVE = "mutation($input: DeleteBoardInput!) { deleteBoard(input: $input) { __typename } }"


async def test_the_feed_of_a_deleted_board_ends_with_that(run):
    async with run() as app:
        board, _ = await app.has_board("Do it")
        cursor = (await app.data(BOARD, id=board))["cursor"]
        async with app.follow(FEED, board=board, after=cursor) as hear:
            await app.data(REMOVE, input={"id": board, "confirmName": "Web"})
            assert (await hear())["boardFeed"]["kind"] == "BoardDeleted"
            assert await hear() is None


async def test_the_end_is_told_wherever_the_follower_stands(run):
    """A follower that never rests is in every step of its round when the board goes; each is told the end."""
    async with run(points=10**9) as app, contextlib.AsyncExitStack() as stack:
        topics = []

        async def wake():
            while True:
                app.services.event_log.pubsub.send(topics)
                await asyncio.sleep(0)

        boards = [(await app.has_board("Do it", name=f"Web {turn}"))[0] for turn in range(12)]
        topics += map(board_topic, boards)
        waking = asyncio.create_task(wake())
        stack.callback(waking.cancel)
        for turn, board in enumerate(boards):
            async with app.follow(FEED, board=board, after="0") as hear:
                last = (await heard_until(hear, 2))[-1]
                await asyncio.sleep(turn / 3000)
                await app.data(REMOVE, input={"id": board, "confirmName": f"Web {turn}"})
                end = await hear()
                assert end, f"turn {turn}: the feed ended and did not say why"
                told = end["boardFeed"]["kind"], end["boardFeed"]["seq"]
                assert told == ("BoardDeleted", last["seq"] + 1)
                assert await hear() is None


async def test_who_is_far_behind_is_told_all_until_the_end(run):
    """More pages than one, and the board is gone before the first of them was looked at."""
    async with run() as app:
        board, _ = await app.has_board()
        async with app.follow(FEED, board=board, after="0") as hear:
            await hear()
            owner = app.owner
            async with app.begin(owner) as tx:
                for number in range(2 * EVENTS.page):
                    await actions.card.create_card(tx, owner, board_id=board, title=f"Card {number}")
                await actions.board.delete_board(tx, owner, id=board, confirm_name="Web")
            events = await heard_until(hear, 2 * EVENTS.page + 2)
            assert [event["kind"] for event in events[-2:]] == ["CardCreated", "BoardDeleted"]
            assert await hear() is None


WORKSPACE_FEED = """subscription($id: ID!, $after: String) {
  workspaceFeed(workspaceId: $id, after: $after) { cursor event { kind: __typename } } }"""


async def test_who_was_away_when_the_board_went_hears_of_it_by_its_cursor(run):
    """Whoever belongs there and comes back with a cursor is told the rest; to all others there is nothing."""
    async with run() as app:
        home = await app.home()
        board, _ = await app.has_board("Do it")
        other, _ = await app.has_board(name="Other")
        for name, role in {"ann": "MEMBER", "gone": "MEMBER", "stranger": None}.items():
            await app.has_user(name, role)
        key = """mutation($input: CreateApiKeyInput!) {
          createApiKey(input: $input) { ... on ApiKeySecret { secret } } }"""
        for name, of in {"everywhere": None, "elsewhere": other}.items():
            given = {"workspaceId": home, "name": name, "scopes": ["READ"], "boardId": of}
            app.tokens[name] = f"Bearer {(await app.data(key, input=given))['secret']}"
        leave = """mutation($id: ID!) { removeMember(input: {id: $id}) { __typename } }"""
        mine = "query($id: ID!) { workspace(id: $id) { myMembership { id } } }"
        await app.data(leave, "gone", id=(await app.data(mine, "gone", id=home))["myMembership"]["id"])
        cursor = (await app.data(BOARD, id=board))["cursor"]
        await app.data(REMOVE, input={"id": board, "confirmName": "Web"})
        for name in ("", "ann", "everywhere"):
            async with app.follow(FEED, name, board=board, after=cursor) as hear:
                end = (await hear())["boardFeed"]
                assert end["kind"] == "BoardDeleted"
                assert await hear() is None
        for name, after in [
            ("ann", end["cursor"]),
            ("ann", "0"),
            ("ann", None),
            ("gone", cursor),
            ("stranger", cursor),
            ("elsewhere", cursor),
        ]:
            assert await codes(app, board, after, name) == ("NOT_FOUND", "NOT_FOUND"), (name, after)
        assert await codes(app, board, "0.1", "ann") == ("CURSOR_EXPIRED", "CURSOR_EXPIRED")


async def test_who_was_away_when_the_workspace_went_hears_of_it_by_its_cursor(run):
    async with run() as app:
        create = 'mutation { createWorkspace(input: {name: "Works"}) { ... on Workspace { id } } }'
        id = (await app.data(create))["id"]
        await app.has_user("ann", workspace=id)
        await app.has_user("gone", workspace=id)
        board, _ = await app.has_board(workspaceId=id)
        at_board = (await app.data(BOARD, id=board))["cursor"]
        async with app.follow(WORKSPACE_FEED, id=id, after="0") as hear:
            cursor = (await hear())["workspaceFeed"]["cursor"]
        async with app.begin() as tx:
            gone = await tx.scalar(select(User.id).where(User.username == "gone"))
            membership = await tx.scalar(select(Membership.id).where(Membership.user_id == gone))
        await app.data("mutation($id: ID!) { removeMember(input: {id: $id}) { __typename } }", id=membership)
        remove = "mutation($input: DeleteWorkspaceInput!) { deleteWorkspace(input: $input) { __typename } }"
        await app.data(remove, input={"id": id, "confirmName": "Works"})
        for name in ("", "ann"):
            async with app.follow(WORKSPACE_FEED, name, id=id, after=cursor) as hear:
                kinds = [event["workspaceFeed"]["kind"] async for event in hear]
                assert kinds == ["BoardCreated", "MemberRemoved", "WorkspaceDeleted"]
            async with app.follow(FEED, name, board=board, after=at_board) as hear:
                assert [event["boardFeed"]["kind"] async for event in hear] == ["BoardDeleted"]
        for query, given in ((WORKSPACE_FEED, {"id": id}), (FEED, {"board": board})):
            after = cursor if "id" in given else at_board
            async with app.follow(query, "gone", after=after, **given) as hear:
                with pytest.raises(Refused) as refused:
                    await hear()
            assert refused.value.code == "NOT_FOUND"


async def test_followers_of_a_topic_share_one_read(run):
    """Thirty who follow a board read its log once for an event, not thirty times."""
    async with run() as app, contextlib.AsyncExitStack() as stack:
        board, [card] = await app.has_board("Do it")
        hears = [await stack.enter_async_context(app.follow(SEQ, board=board, after="0")) for _ in range(30)]
        last = (await app.data(BOARD, id=board))["seq"]
        for hear in hears:
            for _ in range(last):
                await hear()
        with app.counting(everybody=True) as statements:
            await app.data(UPDATE_CARD, input={"id": card, "title": "Once"})
            for hear in hears:
                assert (await hear())["boardFeed"]["seq"] == last + 1
        reads = [statement for statement in statements if "LEFT OUTER JOIN event" in statement]
        assert 1 <= len(reads) <= 6, f"{len(reads)} reads"


@pytest.mark.parametrize("many", [8, 40])
async def test_followers_who_only_wait_cost_the_same_however_many(run, many):
    """Their looks, at the log and at who may see it, are made once for all, whenever each began to wait."""
    async with run() as app, contextlib.AsyncExitStack() as stack:
        board, _ = await app.has_board("Do it")
        for name in ("ann", "bob"):
            await app.has_user(name)
        hears = []
        for n in range(many):
            actor = ("", "ann", "bob")[n % 3]
            hears.append(await stack.enter_async_context(app.follow(SEQ, actor, board=board, after="0")))
            await hears[-1]()
            await asyncio.sleep(3 / many)  # so that they do not poll in step
        with app.counting(everybody=True) as every:
            await asyncio.sleep(6)  # a poll is 5
        sweeps = "job", "question", "attempt", "run"
        asked = [" ".join(one.split()) for one in every if "strftime" not in one]  # that is the sweep's clock
        statements = [one for one in asked if not any(f"FROM {table}" in one for table in sweeps)]
        print(f"{many} followers:", len(statements), "statements in 6 s")
        assert 2 <= len(statements) <= 20, statements  # webhooks and watchers look every three seconds


async def test_a_membership_that_ends_unheard_ends_the_feed_at_the_next_poll(run):
    async with run() as app:
        board, _ = await app.has_board("Do it")
        ann = await app.has_user("ann")
        async with (
            app.follow(SEQ, "ann", board=board, after="0") as hear,
            app.follow(SEQ, board=board) as mine,
        ):
            await hear()
            await hear()
            quiet = asyncio.create_task(mine())
            began = time.monotonic()
            async with app.services.database.write() as tx:  # and nobody is woken
                await tx.execute(delete(Membership).where(Membership.user_id == ann))
            assert await hear() is None
            assert time.monotonic() - began < 9  # a poll of 5 s, and what another saw half of that before
            assert not quiet.done(), "the others stay"
            quiet.cancel()


SEQ = "subscription($board: ID!, $after: String) { boardFeed(boardId: $board, after: $after) { seq } }"


async def test_a_reader_that_drops_in_the_middle_leaves_nothing_behind(run):
    """Connections are given back, however often a reader is cut off while it reads."""
    async with run() as app:
        board, _ = await app.has_board(*map(str, range(10)))
        for n in range(60):
            async with app.follow(FEED, board=board, after="0"):
                await asyncio.sleep(n % 10 / 2000)
        async with asyncio.timeout(20):
            while app.services.database.engine.pool.checkedout() or app.services.database.readers.busy:
                await asyncio.sleep(0.01)
        assert not app.services.event_log._tails._tails
        assert (await app.services.database.read(select(func.count()).select_from(Event)))[0][0]


def test_unavailable_says_to_try_again():
    assert "try again" in str(Unavailable())
