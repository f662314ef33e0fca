"""Planned files of cards: the type and its mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.planned_file
from auth.permissions import Access
from kit.graphql.types import Node
from models.planned_file import ArtifactKind, FileAction, PlannedFileStatus
from resolvers.card import CARD
from resolvers.run import RUN
from schema.fields import mutation, node_type, relation_field
from schema.refusal import Conflict, Stale

CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]
RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]


@node_type("plannedfile")
class PlannedFile(Node):
    """A file or folder that the work on a card will create or edit."""

    card_id: Annotated[ID, "The card."]
    path: Annotated[str, "Path from the root of the repository; a folder ends with a slash."]
    kind: Annotated[ArtifactKind, "The kind of file."]
    action: Annotated[FileAction, "The planned change."]
    module: Annotated[str | None, "The module that it belongs to; null: none."]
    intent: Annotated[str, "The purpose of the change, Markdown; may be empty."]
    contract: Annotated[str | None, "The interface that it must keep or offer; null: none."]
    status: Annotated[PlannedFileStatus, "Its status."]
    rank: Annotated[
        str, "A fractional index: orders its card's files, compared byte by byte, smallest first."
    ]
    version: Annotated[int, "Increases by one with each change."]
    created_at: Annotated[datetime, "Time of creation."]
    updated_at: Annotated[datetime, "Time of the last change."]
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")
    run: RunLater | None = relation_field(RUN, "run_id", text="The run whose agent proposed it; null: none.")


@strawberry.type
class PlannedFileMutation:
    add_planned_file = mutation(
        actions.planned_file.add_planned_file, PlannedFile, Conflict, requires=Access.BOARD
    )
    update_planned_file = mutation(
        actions.planned_file.update_planned_file, PlannedFile, Stale, Conflict, requires=Access.BOARD
    )
    move_planned_file = mutation(actions.planned_file.move_planned_file, PlannedFile, requires=Access.BOARD)
    delete_planned_file = mutation(
        actions.planned_file.delete_planned_file, PlannedFile, Stale, requires=Access.BOARD
    )
