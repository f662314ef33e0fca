"""Memory of boards: the type and its mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.memory
from auth.permissions import Access
from kit.graphql.types import Node
from models.review import ReviewState
from resolvers.board import BOARD
from schema.fields import mutation, node_type, relation_field
from schema.refusal import Conflict, Stale

BoardLater: Any = Annotated["Board", strawberry.lazy("schema.board")]


@node_type("memory")
class Memory(Node):
    """A lesson that a board keeps. Prompts of its runs have the newest approved ones."""

    board_id: Annotated[ID, "The board."]
    text: Annotated[str, "Markdown, 1 to 8,000 characters."]
    state: Annotated[ReviewState, "Whether agents are told of it."]
    version: Annotated[int, "Increases by one with each change."]
    created_at: Annotated[datetime, "Time of creation."]
    updated_at: Annotated[datetime, "Time of the last change."]
    board: BoardLater | None = relation_field(BOARD, "board_id", text="The board.")


@strawberry.type
class MemoryMutation:
    create_memory = mutation(actions.memory.create_memory, Memory, Conflict, requires=Access.BOARD)
    update_memory = mutation(actions.memory.update_memory, Memory, Conflict, Stale, requires=Access.BOARD)
    delete_memory = mutation(actions.memory.delete_memory, Memory, Stale, requires=Access.BOARD)
