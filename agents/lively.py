"""Keeps the demo's boards alive: every few seconds it ticks a subtask, or moves a card where it may go.

`python -m agents.lively http://127.0.0.1:8000/graphql` is a client of the public API and nothing else. It gets over
errors, and ends when its standard input does: with the server that started it.
"""

import random
import select
import sys
from typing import Any

import httpx2

BEAT = 3.0  # seconds between two changes, about
ORDER = ["BACKLOG", "PLAN", "TODO", "IN_PROGRESS", "REVIEW", "DONE"]

BOARDS = "query Boards { boards(first: 20) { nodes { id } } }"
CARDS = """query Cards($board: ID!) { board(id: $board) {
  cards(first: 50) { nodes { id allowedStages subtaskCount { done total } column { stage } } } } }"""
SUBTASKS = "query Subtasks($card: ID!) { card(id: $card) { subtasks { id completed } } }"
TICK = """mutation Tick($id: ID!) { updateSubtask(input: {id: $id, completed: true}) {
  __typename ... on Refusal { message } } }"""
MOVE = """mutation Move($id: ID!, $to: Stage!) { moveCard(input: {id: $id, stage: $to, top: true}) {
  __typename ... on Refusal { message } } }"""


class Refused(Exception):
    """The server answered, but not with what was asked for."""


class Lively:
    def __init__(self, client: httpx2.Client, address: str, chance: random.Random) -> None:
        self.client, self.address, self.chance = client, address, chance

    def ask(self, query: str, **variables: Any) -> Any:
        """What the only field of an operation answers."""
        answer = self.client.post(self.address, json={"query": query, "variables": variables}).json()
        if answer.get("errors") or not answer.get("data"):
            raise Refused(answer)
        [value] = answer["data"].values()
        return value

    def beat(self) -> str | None:
        """Do one thing on one board. Returns what was done, if anything was there to do."""
        boards = self.ask(BOARDS)["nodes"]
        if not boards:
            return None
        board = self.ask(CARDS, board=self.chance.choice(boards)["id"])
        cards = board["cards"]["nodes"] if board else []
        if not cards:
            return None
        card = self.chance.choice(cards)
        unticked = card["subtaskCount"]["done"] < card["subtaskCount"]["total"]
        if unticked and card["column"]["stage"] in ("IN_PROGRESS", "REVIEW") and self.chance.random() < 0.6:
            return self.tick(card)
        return self.move(card)

    def tick(self, card: Any) -> str | None:
        for subtask in (self.ask(SUBTASKS, card=card["id"]) or {"subtasks": []})["subtasks"]:
            if not subtask["completed"]:
                return str(self.ask(TICK, id=subtask["id"])["__typename"])
        return None

    def move(self, card: Any) -> str | None:
        """Mostly onward, sometimes back. What is done comes back seldom, so that the board keeps flowing."""
        at = ORDER.index(card["column"]["stage"])
        onward = [stage for stage in card["allowedStages"] if ORDER.index(stage) > at]
        back = [stage for stage in card["allowedStages"] if ORDER.index(stage) < at]
        stages = onward if onward and self.chance.random() < 0.85 else back
        if not stages or (card["column"]["stage"] == "DONE" and self.chance.random() < 0.5):
            return None
        return str(self.ask(MOVE, id=card["id"], to=self.chance.choice(stages))["__typename"])


def main(address: str, beat: float = BEAT) -> None:
    chance = random.Random()  # noqa: S311 - it only makes a board lively
    with httpx2.Client(timeout=10, headers={"user-agent": "signalbox-lively"}) as client:
        lively = Lively(client, address, chance)
        while not select.select([sys.stdin], [], [], beat * chance.uniform(0.5, 1.5))[0]:
            try:
                lively.beat()
            except (httpx2.HTTPError, Refused, ValueError):
                continue  # the server is busy, or starts again, or somebody was faster: the next beat will do


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else BEAT)
