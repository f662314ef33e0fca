"""Moving a card: the law, the door, the feed."""

from pathlib import Path

import pytest

from models.stage import MOVES, ColumnState, Facts, Law, Stage, StageRefused, judge
from schema.stages_page import draw

LAW = {  # written a second time on purpose: changing the law takes two hands
    "BACKLOG": "BACKLOG PLAN TODO",
    "PLAN": "BACKLOG PLAN TODO",
    "TODO": "BACKLOG PLAN TODO IN_PROGRESS",
    "IN_PROGRESS": "BACKLOG IN_PROGRESS REVIEW",
    "REVIEW": "BACKLOG PLAN TODO IN_PROGRESS REVIEW DONE",
    "DONE": "BACKLOG DONE",
}
LANES = [ColumnState(f"column_{stage}", stage) for stage in Stage]


@pytest.mark.parametrize("at", Stage)
@pytest.mark.parametrize("to", Stage)
def test_the_law(at, to):
    facts = Facts(at, Law.PIPELINE, LANES, column_id=f"column_{at}")
    lane = LANES[list(Stage).index(to)]
    if to in LAW[at].split():
        judge(facts, lane)
    else:
        with pytest.raises(StageRefused) as refused:
            judge(facts, lane)
        assert " ".join(refused.value.allowed) == LAW[at]


def test_every_stage_has_its_law():
    assert set(MOVES) == set(Stage) == set(LAW)


def test_the_page_about_the_law_is_current():
    page = Path(__file__).parent.parent / "docs" / "stages.md"
    assert page.read_text() == draw(), "run: python server.py stages > docs/stages.md"


MOVE = """mutation Move($card: ID!, $to: Stage!, $ifVersion: Int) {
  moveCard(input: {id: $card, destination: {stage: $to}, ifVersion: $ifVersion}) {
    __typename ... on Card { column { stage } version } ... on StageRefused { at to allowed reasons { code } }
    ... on Stale { version } } }"""
FEED = """subscription Feed($board: ID!, $after: String) {
  boardFeed(boardId: $board, after: $after) { seq event { ... on CardMoved { card { title } toStage } } } }"""


@pytest.mark.parametrize(
    ("to", "if_version", "answer"),
    [
        ("TODO", None, {"__typename": "Card", "column": {"stage": "TODO"}, "version": 2}),
        ("TODO", 1, {"__typename": "Card", "column": {"stage": "TODO"}, "version": 2}),
        ("TODO", 7, {"__typename": "Stale", "version": 1}),
        (
            "DONE",
            None,
            {
                "__typename": "StageRefused",
                "at": "BACKLOG",
                "to": "DONE",
                "allowed": ["BACKLOG", "PLAN", "TODO"],
                "reasons": [{"code": "LAW"}],
            },
        ),
    ],
)
async def test_the_door(run, to, if_version, answer):
    async with run() as app:
        board, [card] = await app.has_board("Do it")
        assert await app.data(MOVE, card=card, to=to, ifVersion=if_version) == answer
        moved = answer["__typename"] == "Card"
        seq = await app.data("query($id: ID!) { board(id: $id) { seq } }", id=board)
        assert seq == {"seq": 3 if moved else 2}


async def test_the_feed_replays_then_follows(run):
    async with run() as app:
        board, [card] = await app.has_board("Do it")
        await app.data(MOVE, card=card, to="TODO")
        async with app.follow(FEED, board=board, after="0") as hear:
            assert [(await hear())["boardFeed"]["seq"] for _ in range(2)] == [1, 2]
            moved = {"seq": 3, "card": {"title": "Do it"}, "toStage": "TODO"}
            assert await hear() == {"boardFeed": moved}
            await app.data(MOVE, card=card, to="IN_PROGRESS")
            moved = {"seq": 4, "card": {"title": "Do it"}, "toStage": "IN_PROGRESS"}
            assert await hear() == {"boardFeed": moved}
