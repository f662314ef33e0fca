"""A replay of a feed with the cards of its events: a page of events is read and completed together."""

import time

import pytest

from models.events.card import CardUpdated
from models.topic import board_topic
from tests.faults.api import UPDATE_CARD
from tests.pace import leeway

WITH_CARD = """subscription($board: ID!, $after: String) { boardFeed(boardId: $board, after: $after) { seq cursor at
  actor { name } event { kind: __typename ... on CardEvent { cardId card {
    title stage column { name } labels { name } assignees { username } } } } } }"""
BRIEF = """subscription($board: ID!, $after: String) { boardFeed(boardId: $board, after: $after) { seq cursor
  event { __typename ... on CardEvent { cardId card { title } } } } }"""
MAX_MILLISECONDS_PER_EVENT = 0.35


async def has_history(app, events):
    """A board with twenty cards, and at least this many events."""
    board, cards = await app.has_board(*(f"Card {n}" for n in range(20)))
    async with app.begin(app.owner) as tx:
        for n in range(events):
            card = cards[n % len(cards)]
            data = {"card_id": card, "board_id": board, "changes": {"title": [f"{n}", f"{n + 1}"]}}
            tx.append_event([board_topic(board)], CardUpdated.kind, None, card, data)
    return board, cards


async def replayed(app, board, query, seq, after="0"):
    """The items of a feed up to the number `seq`."""
    async with app.follow(query, board=board, after=after) as hear:
        items = [(await hear())["boardFeed"]]
        while items[-1]["seq"] < seq:
            items.append((await hear())["boardFeed"])
    return items


async def seq_of(app, board):
    return (await app.data("query($id: ID!) { board(id: $id) { seq } }", id=board))["seq"]


@pytest.mark.parametrize("query", [BRIEF, WITH_CARD])
async def test_a_replay_with_cards_reads_a_page_at_once(run, query, figure):
    async with run(points=10**9) as app:
        board, _ = await has_history(app, 3_000)
        seq = await seq_of(app, board)
        await replayed(app, board, query, 20)
        with app.counting() as sent:
            began = time.perf_counter()
            items = await replayed(app, board, query, seq)
            milliseconds = (time.perf_counter() - began) * 1_000 / len(items)
        assert [item["seq"] for item in items] == list(range(1, seq + 1))
        pages = -(-seq // 100)
        figure(events=len(items), statements=len(sent), milliseconds_per_event=round(milliseconds, 3))
        kinds = query.count("{") + 2
        assert len(sent) <= kinds * pages + 20, f"{len(sent)} statements for {pages} pages"
        assert milliseconds < leeway(MAX_MILLISECONDS_PER_EVENT)


async def test_a_page_of_long_cards_is_replayed_whole(run):
    """Answers that are too long to wait together are completed a few at a time, and none is lost or mixed."""
    long = (
        "subscription($board: ID!, $after: String) { boardFeed(boardId: $board, after: $after) { seq event {"
    )
    long += " ... on CardEvent { card { id title description } } } } }"
    async with run(points=10**9) as app:
        board, cards = await has_history(app, 200)
        texts = {card: f"{n} " * 9_000 for n, card in enumerate(cards)}
        for card, text in texts.items():
            await app.data(UPDATE_CARD, input={"id": card, "description": text})
        seq = await seq_of(app, board)
        items = await replayed(app, board, long, seq)
        assert [item["seq"] for item in items] == list(range(1, seq + 1))
        told = [item["card"] for item in items if "card" in item]
        assert len(told) == seq - 1
        assert all(card["description"].strip() == texts[card["id"]].strip() for card in told)


async def test_a_card_is_told_as_it_is_when_its_page_is_read(run):
    async with run(points=10**9) as app:
        board, cards = await has_history(app, 60)
        async with app.follow(BRIEF, board=board, after="0") as hear:
            items = [(await hear())["boardFeed"]]
            await app.data(UPDATE_CARD, input={"id": cards[0], "title": "Changed"})
            seq = await seq_of(app, board)
            while items[-1]["seq"] < seq:
                items.append((await hear())["boardFeed"])
        assert items[-1]["card"]["title"] == "Changed"
