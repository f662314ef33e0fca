"""Events of memory."""

from typing import Annotated

from kit.graphql.arguments import Id
from models.events.base import BoardEvent, Changes


class MemoryEvent(BoardEvent):
    """A change to the memory of a board."""

    memory_id: Annotated[Id, "The memory."]
    title: Annotated[str, "The first line of its text at that time, at most 200 characters."]


class MemoryCreated(MemoryEvent):
    """A memory was created."""


class MemoryUpdated(MemoryEvent):
    """A memory was changed, approved or rejected."""

    changes: Changes


class MemoryDeleted(MemoryEvent):
    """A memory was deleted."""
