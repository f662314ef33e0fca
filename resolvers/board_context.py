"""Reads of the context of boards. The value of a secret variable is never read here."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from strawberry import Parent

from auth.permissions import sees_board
from models.board import Board
from models.context import CONTEXT_FIELDS, BoardContext
from resolvers.context import Info
from resolvers.loaders import Relation

CONTEXT_OF_BOARD = Relation(
    select(BoardContext.__table__),
    BoardContext.board_id,
    lambda actor: sees_board(actor, BoardContext.board_id),
)


@dataclass(frozen=True)
class Variable:
    name: str
    value: str | None
    is_secret: bool
    hint: str | None


@dataclass(frozen=True)
class Persona:
    name: str
    text: str


@dataclass(frozen=True)
class ContextView:
    """A context as it is shown."""

    fields: dict[str, str]
    personas: list[Persona]
    variables: list[Variable]
    version: int

    def __getattr__(self, name: str) -> Any:
        if name not in CONTEXT_FIELDS:
            raise AttributeError(name)
        return self.fields.get(name, "")


async def context_of_board(root: Parent[Board], info: Info) -> ContextView:
    """The facts about its project that every agent is told. A run's agent sees no variables here."""
    row = await info.context.load(CONTEXT_OF_BOARD, root.id)
    if row is None:
        return ContextView({}, [], [], 0)
    shown = row.variables if info.context.actor.run_id is None else {}
    variables = [
        Variable(name, one.get("value"), "sealed" in one, one.get("hint") or None)
        for name, one in sorted(shown.items())
    ]
    return ContextView(row.fields, [Persona(**one) for one in row.personas], variables, row.version)
