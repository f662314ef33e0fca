"""Boards and their columns."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, Rank
from kit.db.transaction import EventScope
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, enum_column
from models.stage import Law, Stage
from models.topic import board_scope

MAX_COLUMNS = 20  # on a board
MAX_BOARDS = 500  # in a workspace
MAX_WIP_LIMIT = 1_000


class Template(DescribedEnum):
    """The columns of a new board."""

    BLANK = "BLANK", "One column, Backlog."
    KANBAN = "KANBAN", "To do, In progress, Review, Done."
    PIPELINE = "PIPELINE", "Backlog, Plan, To do, In progress, Review, Done: one column for each stage."


# The columns of each template, from left to right.
TEMPLATES: dict[Template, list[tuple[str, Stage]]] = {
    Template.BLANK: [("Backlog", Stage.BACKLOG)],
    Template.KANBAN: [
        ("To do", Stage.TODO),
        ("In progress", Stage.IN_PROGRESS),
        ("Review", Stage.REVIEW),
        ("Done", Stage.DONE),
    ],
    Template.PIPELINE: [
        ("Backlog", Stage.BACKLOG),
        ("Plan", Stage.PLAN),
        ("To do", Stage.TODO),
        ("In progress", Stage.IN_PROGRESS),
        ("Review", Stage.REVIEW),
        ("Done", Stage.DONE),
    ],
}


class Board(Editable, Base):
    __tablename__ = "board"
    __table_args__ = (
        UniqueConstraint("workspace_id", "key"),
        UniqueConstraint("workspace_id", "rank"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("board"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    key: Mapped[str] = mapped_column(String(10))  # WEB in WEB-42
    description: Mapped[str] = mapped_column(Text, default="")
    law: Mapped[Law] = mapped_column(enum_column(Law), default=Law.PIPELINE)
    rank: Mapped[str] = mapped_column(Rank)
    last_number: Mapped[int] = mapped_column(default=0)  # of its newest card
    policy: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # models/policy.py
    repository_id: Mapped[str | None] = mapped_column(Id, index=True)  # lives as long as the workspace
    automation: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default="{}"
    )  # models/automation.py
    archived_at: Mapped[datetime | None]
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))

    @property
    def scope(self) -> EventScope:
        return board_scope(self.id, self.workspace_id)


class BoardColumn(Editable, Base):
    """A column. The law applies to its stage, not to its name."""

    __tablename__ = "board_column"
    __table_args__ = (UniqueConstraint("board_id", "rank"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("column"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(50))
    stage: Mapped[Stage] = mapped_column(enum_column(Stage))
    rank: Mapped[str] = mapped_column(Rank)
    wip_limit: Mapped[int | None]


Index("ix_board_column_board_id_stage", BoardColumn.board_id, BoardColumn.stage)
