"""The bin of a board."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID

from kit.graphql.types import object_type
from models.bin import BinEntry as BinEntryRow
from models.stage import Stage
from schema.actor import Actor, actor_named


def _deleted_by(root: BinEntryRow) -> Actor | None:
    return actor_named(root.deleted_by)


@object_type
class BinEntry:
    """A deleted card in the bin of its board. `restoreCard` takes it back, until it is purged."""

    card_id: Annotated[ID, "The card."]
    board_id: Annotated[ID, "The board."]
    number: Annotated[int, "Its number on the board."]
    title: Annotated[str, "Its title."]
    stage: Annotated[Stage, "The stage that it was in."]
    created_at: Annotated[datetime, "Time of its deletion."]
    deleted_by: Actor | None = strawberry.field(
        resolver=_deleted_by, description="The author of the deletion; null if unknown."
    )
