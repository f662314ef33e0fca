"""The files that a card is planned to create or edit. A run's changed files are compared with them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, Rank
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, enum_column

MAX_PLANNED_FILES = 100  # on a card
MAX_PLANNED_PATH_LENGTH = 500  # characters
MAX_MODULE_LENGTH = 100
MAX_INTENT_LENGTH = 2_000
MAX_CONTRACT_LENGTH = 10_000


class ArtifactKind(DescribedEnum):
    """The kind of a planned file."""

    CODE = "CODE", "Source code."
    TEST = "TEST", "Tests."
    DOCS = "DOCS", "Documentation."
    CONFIG = "CONFIG", "Configuration."
    MIGRATION = "MIGRATION", "A change of stored data."
    ASSET = "ASSET", "An image, a sound, a sample."
    OTHER = "OTHER", "Another file."


class FileAction(DescribedEnum):
    """The planned change to a file."""

    CREATE = "CREATE", "The file is new."
    EDIT = "EDIT", "The file exists and is changed."


class PlannedFileStatus(DescribedEnum):
    """The status of a planned file."""

    PROPOSED = "PROPOSED", "It is proposed."
    EDITED = "EDITED", "A person changed it since."
    APPROVED = "APPROVED", "A person approved it."


class PlannedFile(Editable, Base):
    __tablename__ = "planned_file"
    __table_args__ = (
        UniqueConstraint("card_id", "path"),
        UniqueConstraint("card_id", "rank"),
        Index("ix_planned_file_board_id", "board_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("plannedfile"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(String(MAX_PLANNED_PATH_LENGTH))  # of a folder: with a slash at its end
    module: Mapped[str | None] = mapped_column(String(MAX_MODULE_LENGTH))
    kind: Mapped[ArtifactKind] = mapped_column(enum_column(ArtifactKind))
    action: Mapped[FileAction] = mapped_column(enum_column(FileAction))
    intent: Mapped[str] = mapped_column(Text, default="")
    contract: Mapped[str | None] = mapped_column(Text)
    status: Mapped[PlannedFileStatus] = mapped_column(enum_column(PlannedFileStatus))
    run_id: Mapped[str | None] = mapped_column(Id)  # of the agent that proposed it; the run may be deleted
    rank: Mapped[str] = mapped_column(Rank)


@dataclass(frozen=True)
class PlannedChanges:
    """Planned files compared with changed ones."""

    changed: list[str]  # paths that were planned and changed
    unchanged: list[str]  # planned paths that were not changed
    unplanned: list[str]  # paths that were changed and not planned
    is_complete: bool = True  # False: some changed files are not listed


def compare_with_plan(planned: Sequence[str], changed: Sequence[str]) -> PlannedChanges:
    """Compare planned paths with changed ones. A planned folder, with a slash at its end, plans what is in it."""
    files = {path for path in planned if not path.endswith("/")}
    folders = tuple(path for path in planned if path.endswith("/"))
    paths = list(dict.fromkeys(changed))
    is_planned = {path: path in files or path.startswith(folders) for path in paths}
    reached = {path for path in files if path in is_planned}
    reached |= {folder for folder in folders if any(path.startswith(folder) for path in paths)}
    return PlannedChanges(
        [path for path in paths if is_planned[path]],
        [path for path in planned if path not in reached],
        [path for path in paths if not is_planned[path]],
    )
