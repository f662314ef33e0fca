"""Reads of groups, and the story map of a board."""

from dataclasses import dataclass

from sqlalchemy import func, select
from strawberry import Parent

from auth.permissions import sees_board, sees_card
from models.board import Board
from models.card import Card
from models.group import Group
from resolvers.loaders import Relation, batched
from resolvers.workspace import CountRow

GROUP = Relation[Group | None](
    select(Group.__table__),
    Group.id,
    lambda actor: sees_board(actor, Group.board_id),
    viewer_independent=True,
)
WORKFLOWS_OF_BOARD = Relation(
    select(Group.__table__).where(Group.parent_id.is_(None)).order_by(Group.rank, Group.id),
    Group.board_id,
    lambda actor: sees_board(actor, Group.board_id),
    many=True,
    viewer_independent=True,
)
ACTIVITIES_OF_GROUP = Relation(
    select(Group.__table__).order_by(Group.rank, Group.id),
    Group.parent_id,
    lambda actor: sees_board(actor, Group.board_id),
    many=True,
    viewer_independent=True,
)
CARD_COUNT_OF_GROUP = Relation[CountRow | None](
    select(func.count().label("count")).where(Card.archived_at.is_(None)),
    Card.group_id,
    lambda actor: sees_card(actor, Card.board_id, Card.id),
    group=True,
    viewer_independent=True,
)


@dataclass(frozen=True)
class StoryMap:
    """The story map of a board, by the board's id."""

    board_id: str


def map_of_board(root: Parent[Board]) -> StoryMap:
    """Its story map: its groups as a tree, with the cards in them."""
    return StoryMap(root.id)


@batched(CARD_COUNT_OF_GROUP, "id")
def card_count_of_group(root: Group, row: CountRow | None) -> int:
    """Number of unarchived cards directly in it, without those of its activities."""
    return row.count if row else 0
