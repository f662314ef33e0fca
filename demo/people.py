"""The people of the demo: every few seconds, one of them completes a subtask or moves a card.

A client of the public API only. They accept finished cards from review, request work by moving cards to TODO, and
leave cards alone that agents work on, and the card that is the viewer's. They ask the viewer something whenever no
question is open, and answer none.
"""

import random
from collections.abc import Callable
from typing import Any

import httpx2

from demo.tour import ASKED, YOURS

ACTION_INTERVAL_SECONDS = 3.0  # average time between two changes
ORDER = ["BACKLOG", "PLAN", "TODO", "IN_PROGRESS", "REVIEW", "DONE"]
WAITING = 4  # maximum number of cards waiting for agents on a board

BOARDS = "query Boards { boards(first: 20) { nodes { id } } }"
CARDS = """query Cards($board: ID!) { board(id: $board) {
  policy { autoDispatch }
  cards(first: 50) { nodes {
    id title allowedStages subtaskCount { done total } column { stage } activeRun { id } } } } }"""
SUBTASKS = "query Subtasks($card: ID!) { card(id: $card) { subtasks { id completed } } }"
TICK = """mutation Tick($id: ID!) { updateSubtask(input: {id: $id, completed: true}) {
  __typename ... on Refusal { message } } }"""
MOVE = """mutation Move($id: ID!, $to: Stage!) {
  moveCard(input: {id: $id, destination: {stage: $to}, position: {top: true}}) {
    __typename ... on Refusal { message } } }"""


OPEN = """query Open { boards(first: 20) { nodes { cards(first: 1) { nodes { id } } } }
  questions(first: 1, filter: {status: [OPEN]}) { nodes { id } } }"""
ASK = """mutation Ask($card: ID!, $text: String!, $options: [OptionInput!]) {
  askQuestion(input: {cardId: $card, text: $text, type: SINGLE, options: $options}) {
    __typename ... on Refusal { message } } }"""


class OperationRefused(Exception):
    """The server answered with something other than the requested result."""


class DemoPeople:
    def __init__(self, client: httpx2.Client, address: str, chance: random.Random) -> None:
        self.client, self.address, self.chance = client, address, chance
        self.asked = 0

    def ask(self, query: str, **variables: Any) -> Any:
        """Execute an operation and return its only field."""
        answer = self.client.post(self.address, json={"query": query, "variables": variables}).json()
        if answer.get("errors") or not answer.get("data"):
            raise OperationRefused(answer)
        [value] = answer["data"].values()
        return value

    def beat(self) -> str | None:
        """Do one thing on one board. Returns a description, or nothing if there was nothing to do."""
        boards = self.ask(BOARDS)["nodes"]
        if not boards:
            return None
        board = self.ask(CARDS, board=self.chance.choice(boards)["id"])
        cards = board["cards"]["nodes"] if board else []
        theirs = [card for card in cards if card["activeRun"] is None and not card["title"].startswith(YOURS)]
        if not theirs:
            return None
        card = self.chance.choice(self.pressing(theirs) or theirs)
        unticked = card["subtaskCount"]["done"] < card["subtaskCount"]["total"]
        if unticked and card["column"]["stage"] in ("IN_PROGRESS", "REVIEW") and self.chance.random() < 0.6:
            return self.tick(card)
        waiting = sum(card["column"]["stage"] == "TODO" for card in cards)
        full = board["policy"]["autoDispatch"] and waiting >= WAITING
        return self.move(card, to_agents=not full)

    def keep_asking(self) -> None:
        """Ask the viewer something on the board after the agents' one, unless a question is open anywhere."""
        answer = self.client.post(self.address, json={"query": OPEN}).json()
        data = answer.get("data")
        if not data or data["questions"]["nodes"]:
            return
        cards = [card for board in data["boards"]["nodes"][1:] for card in board["cards"]["nodes"]]
        text, options = ASKED[self.asked % len(ASKED)]
        if cards:
            self.ask(
                ASK,
                card=cards[0]["id"],
                text=text,
                options=[{"label": label, "recommended": label == options[0]} for label in options],
            )
            self.asked += 1

    def pressing(self, cards: list[Any]) -> list[Any]:
        """Return the cards in review if they accumulate, which keeps agents from submitting more."""
        reviews = [card for card in cards if card["column"]["stage"] == "REVIEW"]
        return reviews if len(reviews) > 2 else []

    def tick(self, card: Any) -> str | None:
        for subtask in (self.ask(SUBTASKS, card=card["id"]) or {"subtasks": []})["subtasks"]:
            if not subtask["completed"]:
                return str(self.ask(TICK, id=subtask["id"])["__typename"])
        return None

    def move(self, card: Any, *, to_agents: bool = True) -> str | None:
        """Move a card, mostly forward, rarely out of DONE, so that the board keeps moving."""
        at = ORDER.index(card["column"]["stage"])
        allowed = [stage for stage in card["allowedStages"] if to_agents or stage != "TODO"]
        onward = [stage for stage in allowed if ORDER.index(stage) > at]
        back = [stage for stage in allowed if ORDER.index(stage) < at]
        stages = onward if onward and self.chance.random() < 0.85 else back
        if not stages or (card["column"]["stage"] == "DONE" and self.chance.random() < 0.5):
            return None
        return str(self.ask(MOVE, id=card["id"], to=self.chance.choice(stages))["__typename"])

    def live(self, beat: float, is_over: Callable[[float], bool]) -> None:
        """Act until `is_over`, which waits the given seconds, returns true."""
        while True:
            try:
                self.keep_asking()
                self.beat()
            except (httpx2.HTTPError, OperationRefused, ValueError):
                pass  # busy, restarting, or changed meanwhile: try again at the next interval
            if is_over(beat * self.chance.uniform(0.5, 1.5)):
                return
