"""The order of cards under people who drag at once: strict, the same for everybody, however long it goes on."""

import asyncio
import random
import time

import pytest
from graphql import parse_value, value_from_ast_untyped
from sqlalchemy import select, update

from actions.card import NewCardInput, create_cards, move_card, move_cards
from actions.ordering import PositionInput
from actions.ranks import MAX_RANK_LENGTH
from kit.eventlog.tables import Event, Topic
from models.board import Board, BoardColumn
from models.card import Card, Subtask
from models.events.board import RanksRewritten
from models.events.card import CardCreated, CardMoved, SubtaskCreated
from models.topic import board_topic, workspace_topic
from tests.board import do

SHOWN = "query($id: ID!, $n: Int!) { board(id: $id) { columns { cards(first: $n) { nodes { id } } } } }"
DRAGS = 10_000


async def lane(app, column):
    query = select(Card.id, Card.rank).where(Card.column_id == column).order_by(Card.rank)
    return await app.services.database.read(query)


async def prepared(app, count):
    """A board whose first column holds `count` cards: the board, the column, the cards."""
    board, _ = await app.has_board()
    actor = app.owner
    async with app.begin(actor) as tx:
        cards = []
        for start in range(0, count, 100):
            news = [NewCardInput(title=str(n)) for n in range(start, min(start + 100, count))]
            cards += (await create_cards(tx, actor, board_id=board, cards=news)).cards
    return board, cards[0].column_id, [card.id for card in cards]


@pytest.mark.slow("ten thousand moves")
async def test_ten_thousand_drags_into_one_gap_keep_a_strict_order(run):
    async with run() as app:
        actor = app.owner
        board, column, [top, *ids, bottom] = await prepared(app, 202)
        rewritten, longest, last = 0, 0, {}

        async def client(mine):
            nonlocal rewritten, longest
            for turn in range(DRAGS // 2 // len(mine)):
                moved = mine[turn:] + mine[:turn]
                async with app.begin(actor) as tx:
                    await move_card(tx, actor, id=moved[0], position=PositionInput(after=top))
                    await move_cards(tx, actor, ids=moved[1:], position=PositionInput(after=top))
                    standing = select(Card.id, Card.rank).where(Card.column_id == column)
                    rows = (await tx.execute(standing.order_by(Card.rank))).all()
                # What was moved last stands first, in the order it was named.
                assert [row.id for row in rows][: len(mine)] == [top, *moved[1:]]
                assert rows[-1].id == bottom
                longest = max(longest, *(len(row.rank) for row in rows))
                rewritten += last.get("top") not in (None, rows[0].rank)
                last["top"] = rows[0].rank

        began = time.perf_counter()
        await asyncio.gather(client(ids[:100]), client(ids[100:]))
        seconds = time.perf_counter() - began
        rows = await lane(app, column)
        print(f"{DRAGS} drags in {seconds:.1f} s, longest rank {longest}, lane rewritten {rewritten} times")
        assert rewritten >= 1, "ranks grow until the lane is written anew"
        assert longest <= MAX_RANK_LENGTH
        assert len({row.rank for row in rows}) == len(rows) == 202
        assert {row.id for row in rows} == {top, *ids, bottom}
        seq = (await app.data("query($id: ID!) { board(id: $id) { seq } }", id=board))["seq"]
        told = await app.services.database.read(select(Event.seq).where(Event.kind == RanksRewritten.kind))
        assert len(told) >= 3 * rewritten, "of 202 cards, a hundred an event"
        assert seq == 1 + 202 + DRAGS + len(told), "each drag is told once"


@pytest.mark.parametrize(
    "drags", [100, pytest.param(DRAGS, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
)
async def test_drags_into_one_gap_one_by_one_keep_a_strict_order(run, drags):
    """Two clients through the door, each with cards of its own, always between the same two."""
    async with run() as app:
        board, column, [top, *ids, bottom] = await prepared(app, 12)

        async def client(mine):
            for turn in range(drags // 2):
                card = mine[turn % len(mine)]
                moved = await do(app, "moveCard", id=card, position={"after": top})
                assert moved["__typename"] == "Card"

        await asyncio.gather(client(ids[:5]), client(ids[5:]))
        rows = await lane(app, column)
        assert len({row.rank for row in rows}) == len(rows) == 12
        assert max(len(row.rank) for row in rows) <= MAX_RANK_LENGTH
        view = await app.data(SHOWN, id=board, n=12)
        assert [n["id"] for n in view["columns"][0]["cards"]["nodes"]] == [row.id for row in rows]
        assert (rows[0].id, rows[-1].id) == (top, bottom)
        # What was dragged last stands first.
        for mine in (ids[:5], ids[5:]):
            last = [mine[turn % 5] for turn in range(drags // 2 - 5, drags // 2)]
            assert [row.id for row in rows if row.id in mine] == last[::-1]


async def test_ten_clients_drag_in_one_column_and_see_the_same(run):
    async with run() as app:
        board, column, ids = await prepared(app, 30)

        async def client(number):
            dice = random.Random(number)
            for _ in range(8):
                card, neighbour = dice.sample(ids, 2)
                position = dice.choice([{"after": neighbour}, {"before": neighbour}, {"top": True}, None])
                assert (await do(app, "moveCard", id=card, position=position))["__typename"] == "Card"

        await asyncio.gather(*(client(number) for number in range(10)))
        rows = await lane(app, column)
        assert len({row.rank for row in rows}) == 30
        views = await asyncio.gather(*(app.data(SHOWN, id=board, n=30) for _ in range(10)))
        assert all(view == views[0] for view in views)
        assert [n["id"] for n in views[0]["columns"][0]["cards"]["nodes"]] == [row.id for row in rows]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("position", "{}"),
        ("position", '{before: "card_1", after: "card_2"}'),
        ("position", "{top: true, bottom: null}"),
        ("position", "{before: null}"),
        ("destination", "{}"),
        ("destination", '{columnId: "column_1", stage: TODO}'),
        ("destination", "{stage: null}"),
    ],
)
async def test_exactly_one_place_is_named(run, field, value):
    """In a literal and in a variable: anything else never reaches the action."""
    async with run() as app:
        _, [card] = await app.has_board("a")
        answer = await app.ask(
            f'mutation {{ moveCard(input: {{id: "{card}", {field}: {value}}}) {{ __typename }} }}'
        )
        assert {error["extensions"]["code"] for error in answer["errors"]} == {"GRAPHQL_VALIDATION_FAILED"}
        given = {"id": card, field: value_from_ast_untyped(parse_value(value))}
        move = "mutation($input: MoveCardInput!) { moveCard(input: $input) { __typename } }"
        answer = await app.ask(move, input=given)
        assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT"}


async def test_a_card_stands_where_it_was_dragged(run):
    async with run() as app:
        _, column, [a, b, c, d] = await prepared(app, 4)

        async def order():
            return "".join({a: "a", b: "b", c: "c", d: "d"}[row.id] for row in await lane(app, column))

        for id, position, expected in (
            (a, {"after": c}, "bcad"),
            (d, {"before": b}, "dbca"),
            (c, {"top": True}, "cdba"),
            (d, None, "cbad"),
            (b, {"after": b}, None),
            (b, {"top": False}, None),
            (b, {"bottom": False}, None),
            (d, {"after": c}, "cdba"),
            (c, {"bottom": True}, "dbac"),
            (c, {"before": d}, "cdba"),
        ):
            before = await order()
            answer = await do(app, "moveCard", id=id, position=position)
            assert answer["__typename"] == ("Card" if expected else "Invalid")
            assert await order() == (expected or before)
        for ids, position, expected in (
            ([a, b], {"top": True}, "abcd"),
            ([d, a], {"after": b}, "bdac"),
            ([a, d, b], {"before": c}, "adbc"),
            ([c, a], None, "dbca"),
        ):
            answer = await do(app, "moveCards", "... on Cards { cards { id } }", ids=ids, position=position)
            assert [card["id"] for card in answer["cards"]] == ids
            assert await order() == expected
        for ids in ([a, a], [], [a] * 101):
            assert (await do(app, "moveCards", ids=ids))["__typename"] == "Invalid"
        assert (await do(app, "moveCards", ids=[a, b], position={"after": a}))["__typename"] == "Invalid"


async def test_cards_that_change_places_never_share_a_rank(run):
    async with run() as app:
        _, column, [a, b, c, d] = await prepared(app, 4)
        assert (await do(app, "moveCards", ids=[c, b], position={"after": a}))["__typename"] == "Cards"
        assert [row.id for row in await lane(app, column)] == [a, c, b, d]
        assert (await do(app, "moveCards", ids=[d, b, c, a]))["__typename"] == "Cards"
        assert [row.id for row in await lane(app, column)] == [d, b, c, a]


PLACES = """query($id: ID!, $board: ID!) { workspace(id: $id) { boards(first: 9) { nodes { id rank } } }
  board(id: $board) {
    columns { id rank cards(first: 50) { nodes { id rank subtasks { id rank } } } } } }"""
PLACED = """kind: __typename ... on RanksRewritten { ranks { id: nodeId rank } }
  ... on BoardCreated { id: boardId rank }
  ... on BoardMoved { id: boardId rank }"""
IN_WORKSPACE = f"""subscription($id: ID!) {{ workspaceFeed(workspaceId: $id, after: "0") {{
  event {{ {PLACED} }} }} }}"""
ON_BOARD = f"""subscription($id: ID!) {{ boardFeed(boardId: $id, after: "0") {{ event {{ {PLACED}
  ... on ColumnCreated {{ id: columnId rank }} ... on ColumnMoved {{ id: columnId rank }}
  ... on CardCreated {{ id: cardId rank }} ... on CardMoved {{ id: cardId rank }}
  ... on CardUnarchived {{ id: cardId rank }} ... on SubtaskCreated {{ id: subtaskId rank }}
  ... on SubtaskUpdated {{ id: subtaskId rank }}
  ... on SubtaskMoved {{ id: subtaskId rank }} }} }} }}"""


def ranks_of(shown):
    """The rank of everything that is shown; what is in a list stands in the order of its ranks, but for phases."""
    found = {}
    for name, value in shown.items():
        inner = value["nodes"] if isinstance(value, dict) and "nodes" in value else value
        if isinstance(inner, dict):
            found |= ranks_of(inner)
        if isinstance(inner, list):
            ranks = [one["rank"] for one in inner]
            assert name == "subtasks" or ranks == sorted(ranks)
            for one in inner:
                found |= {one["id"]: one["rank"]} | ranks_of(one)
    return found


async def test_who_follows_knows_where_everything_stands(run):
    """Also when ranks have grown so long that they are all written anew."""
    async with run(points=10**9) as app:
        actor, home = app.owner, await app.home()
        board, cards = await app.has_board(*"abc")
        others = [(await app.has_board(name=name))[0] for name in ("Two", "Three")]
        asked = {"id": home, "board": board}
        columns = (await app.ask(PLACES, **asked))["data"]["board"]["columns"]
        known = {column["id"]: column["rank"] for column in columns}  # which came with the board
        lanes = [column["id"] for column in columns]
        steps = [
            (await do(app, "addSubtask", "... on Subtask { id }", cardId=cards[0], title=n))["id"]
            for n in "xyz"
        ]
        async with app.begin(actor) as tx:  # so many were dragged in front of the second ones
            for kind, id in (
                (Card, cards[1]),
                (BoardColumn, lanes[1]),
                (Subtask, steps[1]),
                (Board, others[0]),
            ):
                await tx.execute(
                    update(kind).where(kind.id == id).values(rank=f"a0{'0' * (MAX_RANK_LENGTH - 3)}1")
                )
        for name, input in (
            ("moveCard", {"id": cards[2], "position": {"after": cards[0]}}),
            ("moveColumn", {"id": lanes[2], "position": {"after": lanes[0]}}),
            ("moveSubtask", {"id": steps[2], "position": {"after": steps[0]}}),
            ("moveBoard", {"id": others[1], "position": {"after": board}}),
            (
                "createColumn",
                {"boardId": board, "name": "First", "stage": "PLAN", "position": {"before": lanes[0]}},
            ),
            ("moveColumn", {"id": lanes[2], "position": {"before": lanes[0]}}),
            ("createCard", {"boardId": board, "title": "Top", "position": {"top": True}}),
            (
                "createCards",
                {"boardId": board, "cards": [{"title": "d"}, {"title": "e"}]},
            ),
            (
                "moveCards",
                {"ids": [cards[1], cards[0]], "destination": {"stage": "PLAN"}, "position": {"top": True}},
            ),
            ("moveCard", {"id": cards[2], "position": {"top": True}}),
            ("deleteColumn", {"id": lanes[0], "moveCardsTo": lanes[1]}),
            ("archiveCard", {"id": cards[0]}),
            ("unarchiveCard", {"id": cards[0]}),
            ("addSubtask", {"cardId": cards[0], "title": "Later", "phase": "Later"}),
            ("updateSubtask", {"id": steps[0], "phase": "Later"}),
            ("moveSubtask", {"id": steps[1], "position": {"after": steps[0]}}),
            ("createBoard", {"workspaceId": home, "name": "Four"}),
            ("moveBoard", {"id": others[1], "position": {"before": board}}),
        ):
            answer = await do(app, name, **input)
            assert "code" not in answer, (name, answer)
        shown = ranks_of((await app.ask(PLACES, **asked))["data"])
        rewritten = set()
        for query, id, topic in (
            (ON_BOARD, board, board_topic(board)),
            (IN_WORKSPACE, home, workspace_topic(home)),
        ):
            [row] = await app.services.database.read(select(Topic.last).where(Topic.name == topic))
            async with app.follow(query, id=id) as hear:
                for _ in range(row.last):
                    [event] = (await hear()).values()
                    told = [event] if "id" in event else event.get("ranks", [])
                    rewritten |= {one["id"].split("_")[0] for one in event.get("ranks", [])}
                    known |= {one["id"]: one["rank"] for one in told}
        assert {id: known.get(id) for id in shown} == shown
        assert rewritten == {"card", "column", "subtask", "board"}


async def test_what_was_told_before_places_were_is_read(run):
    async with run() as app:
        board, [card] = await app.has_board("a")
        lane = (await app.ask("query($id: ID!) { card(id: $id) { columnId } }", id=card))["data"]["card"][
            "columnId"
        ]
        step = {"subtask_id": "subtask_gone", "title": "x", "done": 0, "total": 1}
        move = {"from_column_id": lane, "to_column_id": lane, "from_stage": "BACKLOG", "to_stage": "BACKLOG"}
        old = {
            CardCreated.kind: {"column_id": lane, "stage": "BACKLOG", "title": "a"},
            CardMoved.kind: move,
            SubtaskCreated.kind: step,
        }
        async with app.begin() as tx:
            for kind, data in old.items():
                tx.append_event([board_topic(board)], kind, None, card, {"card_id": card, **data})
        feed = """subscription($id: ID!) { boardFeed(boardId: $id, after: "0") {
          event { kind: __typename ... on CardCreated { rank } ... on CardMoved { rank }
          ... on SubtaskEvent { phase phaseOrder rank } } } }"""
        async with app.follow(feed, id=board) as hear:
            events = [(await hear())["boardFeed"] for _ in range(5)]
        assert events[1]["rank"] == "a0"
        assert events[2:] == [
            {"kind": "CardCreated", "rank": None},
            {"kind": "CardMoved", "rank": None},
            {"kind": "SubtaskCreated", "phase": None, "phaseOrder": None, "rank": None},
        ]
