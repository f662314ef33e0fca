"""The order of cards under people who drag at once: strict, the same for everybody, however long it goes on."""

import asyncio
import random
import time

import pytest
from sqlalchemy import select

from actions.card import NewCard, Place, create_cards, move_card, move_cards
from models.card import Card
from models.rank import LONG
from tests.board import do

SHOWN = "query($id: ID!, $n: Int!) { board(id: $id) { columns { cards(first: $n) { nodes { id } } } } }"
DRAGS = 10_000


async def lane(app, column):
    query = select(Card.id, Card.rank).where(Card.column_id == column).order_by(Card.rank)
    return await app.house.database.read(query)


async def prepared(app, count):
    """A board whose first column holds `count` cards: the board, the column, the cards."""
    board, _ = await app.has_board()
    actor = app.house.local_owner
    async with app.begin(actor) as tx:
        cards = []
        for start in range(0, count, 100):
            news = [NewCard(str(n)) for n in range(start, min(start + 100, count))]
            cards += await create_cards(tx, actor, board, news)
    return board, cards[0].column_id, [card.id for card in cards]


async def test_ten_thousand_drags_into_one_gap_keep_a_strict_order(run):
    async with run() as app:
        actor = app.house.local_owner
        board, column, [top, *ids, bottom] = await prepared(app, 202)
        rewritten, longest, last = 0, 0, {}

        async def client(mine):
            nonlocal rewritten, longest
            for turn in range(DRAGS // 2 // len(mine)):
                moved = mine[turn:] + mine[:turn]
                async with app.begin(actor) as tx:
                    await move_card(tx, actor, moved[0], Place(after=top, before=bottom))
                    await move_cards(tx, actor, moved[1:], Place(after=top, before=bottom))
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
        assert longest <= LONG
        assert len({row.rank for row in rows}) == len(rows) == 202
        assert {row.id for row in rows} == {top, *ids, bottom}
        seq = (await app.data("query($id: ID!) { board(id: $id) { seq } }", id=board))["seq"]
        assert seq == 1 + 202 + DRAGS, "each drag is told once"


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
                moved = await do(app, "moveCard", id=card, after=top, before=bottom)
                assert moved["__typename"] == "Card"

        await asyncio.gather(client(ids[:5]), client(ids[5:]))
        rows = await lane(app, column)
        assert len({row.rank for row in rows}) == len(rows) == 12
        assert max(len(row.rank) for row in rows) <= LONG
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
                place = dice.choice([{"after": neighbour}, {"before": neighbour}, {"top": True}, {}])
                assert (await do(app, "moveCard", id=card, **place))["__typename"] == "Card"

        await asyncio.gather(*(client(number) for number in range(10)))
        rows = await lane(app, column)
        assert len({row.rank for row in rows}) == 30
        views = await asyncio.gather(*(app.data(SHOWN, id=board, n=30) for _ in range(10)))
        assert all(view == views[0] for view in views)
        assert [n["id"] for n in views[0]["columns"][0]["cards"]["nodes"]] == [row.id for row in rows]


async def test_a_card_stands_where_it_was_dragged(run):
    async with run() as app:
        _, column, [a, b, c, d] = await prepared(app, 4)

        async def order():
            return "".join({a: "a", b: "b", c: "c", d: "d"}[row.id] for row in await lane(app, column))

        for input, expected in (
            ({"id": a, "after": c}, "bcad"),
            ({"id": d, "before": b}, "dbca"),
            ({"id": c, "top": True}, "cdba"),
            ({"id": d}, "cbad"),
            ({"id": b, "after": b}, None),
            ({"id": b, "after": a, "before": c}, None),
            ({"id": d, "after": c, "before": a}, "cdba"),
            ({"id": d, "after": c, "before": b}, "cdba"),
        ):
            before = await order()
            answer = await do(app, "moveCard", **input)
            assert answer["__typename"] == ("Card" if expected else "Invalid")
            assert await order() == (expected or before)
        for ids, place, expected in (
            ([a, b], {"top": True}, "abcd"),
            ([d, a], {"after": b}, "bdac"),
            ([a, d, b], {"before": c}, "adbc"),
            ([c, a], {}, "dbca"),
        ):
            answer = await do(app, "moveCards", "... on Cards { cards { id } }", ids=ids, **place)
            assert [card["id"] for card in answer["cards"]] == ids
            assert await order() == expected
        for ids in ([a, a], [], [a] * 101):
            assert (await do(app, "moveCards", ids=ids))["__typename"] == "Invalid"
        assert (await do(app, "moveCards", ids=[a, b], after=a))["__typename"] == "Invalid"


async def test_cards_that_change_places_never_share_a_rank(run):
    async with run() as app:
        _, column, [a, b, c, d] = await prepared(app, 4)
        assert (await do(app, "moveCards", ids=[c, b], after=a))["__typename"] == "Cards"
        assert [row.id for row in await lane(app, column)] == [a, c, b, d]
        assert (await do(app, "moveCards", ids=[d, b, c, a]))["__typename"] == "Cards"
        assert [row.id for row in await lane(app, column)] == [d, b, c, a]
