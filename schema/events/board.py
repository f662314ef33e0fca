"""What happens on a board, to its columns and its cards."""

from typing import Annotated, Any

import strawberry
from strawberry import ID

from actions.ranks import MAX_RANKS_PER_EVENT
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import object_type
from models.event import EventKind as Kind
from models.stage import Stage
from resolvers.board import BOARD, COLUMN
from resolvers.card import CARD
from schema.actor import Change, changes
from schema.board import Board, Column
from schema.card import Card
from schema.events.base import BoardEvent, WorkspaceEvent, event, found
from schema.fields import payload_field


def placed(where: str) -> Any:
    """A field of an event that puts something somewhere."""
    return payload_field("rank", f"Its place in the {where}; null in what was told before ranks were.")


@strawberry.interface(description="Something that happened to a board itself.")
class AboutBoard(BoardEvent, WorkspaceEvent):
    board_id: ID = payload_field("board_id", "Which board.")
    board: Board | None = found(BOARD, "board_id", "The board as it is now.")


@strawberry.interface(description="Something that happened to a column.")
class AboutColumn(BoardEvent):
    column_id: ID = payload_field("column_id", "Which column.")
    column: Column | None = found(COLUMN, "column_id", "The column as it is now.")


@strawberry.interface(description="Something that happened to a card or on it.")
class AboutCard(BoardEvent):
    card_id: ID = payload_field("card_id", "Which card.")
    card: Card | None = found(CARD, "card_id", "The card as it is now; null once it is deleted.")


@event(Kind.BOARD_CREATED)
class BoardCreated(AboutBoard):
    """A board was made."""

    rank: str | None = placed("workspace")


@event(Kind.BOARD_UPDATED)
class BoardUpdated(AboutBoard):
    """A board was changed."""

    changes: list[Change] = changes()


@event(Kind.BOARD_POLICY_UPDATED)
class BoardPolicyUpdated(AboutBoard):
    """How agents work on a board was changed."""

    changes: list[Change] = changes()


@event(Kind.BOARD_MOVED)
class BoardMoved(AboutBoard):
    """A board stands elsewhere among its workspace's."""

    rank: str | None = placed("workspace")


@event(Kind.BOARD_ARCHIVED)
class BoardArchived(AboutBoard):
    """A board was archived."""


@event(Kind.BOARD_UNARCHIVED)
class BoardUnarchived(AboutBoard):
    """A board was brought back."""


@event(Kind.BOARD_DELETED)
class BoardDeleted(AboutBoard):
    """A board was deleted with everything on it. The last event of its feed."""


@event(Kind.COLUMN_CREATED)
class ColumnCreated(AboutColumn):
    """A column was added."""

    rank: str | None = placed("board")


@event(Kind.COLUMN_UPDATED)
class ColumnUpdated(AboutColumn):
    """A column was changed."""

    changes: list[Change] = changes()


@event(Kind.COLUMN_MOVED)
class ColumnMoved(AboutColumn):
    """A column stands elsewhere."""

    rank: str | None = placed("board")


@event(Kind.COLUMN_DELETED)
class ColumnDeleted(AboutColumn):
    """A column was deleted, and its cards moved or deleted with it."""

    moved_to: ID | None = payload_field(
        "moved_to", "The column its cards went to; null if they were deleted."
    )
    card_ids: list[ID] = payload_field("card_ids", "The cards that stood in it.")


@event(Kind.CARD_CREATED)
class CardCreated(AboutCard):
    """A card was made."""

    column_id: ID = payload_field("column_id", "The column it stands in.")
    rank: str | None = placed("column")


@event(Kind.CARD_UPDATED)
class CardUpdated(AboutCard):
    """A card was changed."""

    changes: list[Change] = changes()


@event(Kind.CARD_MOVED)
class CardMoved(AboutCard):
    """A card was moved."""

    from_column_id: ID = payload_field("from_column_id", "The column it left.")
    from_stage: Stage = payload_field("from_stage", "The stage it left.")
    to_column_id: ID = payload_field("to_column_id", "The column it stands in.")
    to_stage: Stage = payload_field("to_stage", "The stage it stands in.")
    rank: str | None = placed("column")


@event(Kind.CARD_ARCHIVED)
class CardArchived(AboutCard):
    """A card was archived."""


@event(Kind.CARD_UNARCHIVED)
class CardUnarchived(AboutCard):
    """A card was brought back."""

    column_id: ID = payload_field("column_id", "The column it stands in.")
    rank: str | None = placed("column")


@event(Kind.CARD_DELETED)
class CardDeleted(AboutCard):
    """A card was deleted."""

    title: str = payload_field("title", "What it was called.")


@object_type
class NewRank:
    """A rank that was written anew."""

    id: Annotated[ID, "Whose it is."]
    rank: Annotated[str, "Its rank from now on."]


def _ranks(root: Any) -> list[NewRank]:
    return [NewRank(id=ID(id), rank=rank) for id, rank in root.data["ranks"].items()]


@event(Kind.RANKS_REWRITTEN)
class RanksRewritten(BoardEvent, WorkspaceEvent):
    """Cards of a column, subtasks, columns or boards got shorter ranks. They stand in the order they stood in."""

    ranks: list[NewRank] = strawberry.field(
        resolver=_ranks,
        description="The new ranks. A long list comes as several events of one batch.",
        directives=[list_size(MAX_RANKS_PER_EVENT, slicing=())],
    )
