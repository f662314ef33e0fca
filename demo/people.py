"""The people of the demo: every few seconds one of them ticks a subtask, or moves a card where it may go.

A client of the public API and nothing else. They take what agents have finished from review, ask for more by moving
cards to TODO, and leave cards alone that agents are at. They answer no question: that is for whoever looks on.
"""

import random
from collections.abc import Callable
from typing import Any

import httpx2

ACTION_INTERVAL_SECONDS = 3.0  # seconds between two changes, about
ORDER = ["BACKLOG", "PLAN", "TODO", "IN_PROGRESS", "REVIEW", "DONE"]
WAITING = 4  # cards of a board that wait to be worked: no more are asked for

BOARDS = "query Boards { boards(first: 20) { nodes { id } } }"
CARDS = """query Cards($board: ID!) { board(id: $board) {
  policy { autoDispatch }
  cards(first: 50) { nodes {
    id allowedStages subtaskCount { done total } column { stage } activeRun { id } } } } }"""
SUBTASKS = "query Subtasks($card: ID!) { card(id: $card) { subtasks { id completed } } }"
TICK = """mutation Tick($id: ID!) { updateSubtask(input: {id: $id, completed: true}) {
  __typename ... on Refusal { message } } }"""
MOVE = """mutation Move($id: ID!, $to: Stage!) {
  moveCard(input: {id: $id, destination: {stage: $to}, position: {top: true}}) {
    __typename ... on Refusal { message } } }"""


class OperationRefused(Exception):
    """The server answered, but not with what was asked for."""


class DemoPeople:
    def __init__(self, client: httpx2.Client, address: str, chance: random.Random) -> None:
        self.client, self.address, self.chance = client, address, chance

    def ask(self, query: str, **variables: Any) -> Any:
        """What the only field of an operation answers."""
        answer = self.client.post(self.address, json={"query": query, "variables": variables}).json()
        if answer.get("errors") or not answer.get("data"):
            raise OperationRefused(answer)
        [value] = answer["data"].values()
        return value

    def beat(self) -> str | None:
        """Do one thing on one board. Returns what was done, if anything was there to do."""
        boards = self.ask(BOARDS)["nodes"]
        if not boards:
            return None
        board = self.ask(CARDS, board=self.chance.choice(boards)["id"])
        cards = board["cards"]["nodes"] if board else []
        theirs = [card for card in cards if card["activeRun"] is None]
        if not theirs:
            return None
        card = self.chance.choice(self.pressing(theirs) or theirs)
        unticked = card["subtaskCount"]["done"] < card["subtaskCount"]["total"]
        if unticked and card["column"]["stage"] in ("IN_PROGRESS", "REVIEW") and self.chance.random() < 0.6:
            return self.tick(card)
        waiting = sum(card["column"]["stage"] == "TODO" for card in cards)
        full = board["policy"]["autoDispatch"] and waiting >= WAITING
        return self.move(card, to_agents=not full)

    def pressing(self, cards: list[Any]) -> list[Any]:
        """Reviews that gather: they keep agents from handing in more."""
        reviews = [card for card in cards if card["column"]["stage"] == "REVIEW"]
        return reviews if len(reviews) > 2 else []

    def tick(self, card: Any) -> str | None:
        for subtask in (self.ask(SUBTASKS, card=card["id"]) or {"subtasks": []})["subtasks"]:
            if not subtask["completed"]:
                return str(self.ask(TICK, id=subtask["id"])["__typename"])
        return None

    def move(self, card: Any, *, to_agents: bool = True) -> str | None:
        """Mostly onward, sometimes back. What is done comes back seldom, so that the board keeps flowing."""
        at = ORDER.index(card["column"]["stage"])
        allowed = [stage for stage in card["allowedStages"] if to_agents or stage != "TODO"]
        onward = [stage for stage in allowed if ORDER.index(stage) > at]
        back = [stage for stage in allowed if ORDER.index(stage) < at]
        stages = onward if onward and self.chance.random() < 0.85 else back
        if not stages or (card["column"]["stage"] == "DONE" and self.chance.random() < 0.5):
            return None
        return str(self.ask(MOVE, id=card["id"], to=self.chance.choice(stages))["__typename"])

    def live(self, beat: float, is_over: Callable[[float], bool]) -> None:
        """Do one thing after the other until `is_over`, which waits so many seconds, says so."""
        while not is_over(beat * self.chance.uniform(0.5, 1.5)):
            try:
                self.beat()
            except (httpx2.HTTPError, OperationRefused, ValueError):
                continue  # the server is busy, or starts again, or somebody was faster: the next beat will do
