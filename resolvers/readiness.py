"""Reads of the readiness of cards: the same checks that approving a card makes."""

from dataclasses import dataclass
from datetime import datetime

from strawberry import Parent

from actions.readiness import preparation_of
from models.card import Card
from models.policy import board_policy_of
from models.readiness import Check, check_readiness
from resolvers.board import BOARD
from resolvers.context import Info


@dataclass(frozen=True)
class Readiness:
    """The readiness of a card, and its approval."""

    needs: list[Check]
    approved_at: datetime | None
    approved_by: str | None

    @property
    def met(self) -> bool:
        return all(check.met for check in self.needs)


async def readiness_of_card(root: Parent[Card], info: Info) -> Readiness:
    """The needs of its board, which of them it meets, and its approval. One statement for any number of cards."""

    async def load(cards: list[Card]) -> list[Readiness]:
        has = await preparation_of(info.context.read, [card.id for card in cards])
        boards = [await info.context.load(BOARD, id) for id in {card.board_id for card in cards}]
        policies = {board.id: board_policy_of(board.policy) for board in boards if board}
        return [
            Readiness(
                check_readiness(policies[card.board_id], has[card.id]), card.approved_at, card.approved_by
            )
            for card in cards
        ]

    readiness: Readiness = await info.context.loaders.through("readiness", load).load(root)
    return readiness
