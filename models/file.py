"""Files that people and agents upload, on cards and messages; and the objects that hold their bytes."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, Stamped

MAX_FILE_NAME_LENGTH = 200  # characters
MAX_FILE_NAME_BYTES = 255  # in UTF-8: what file systems take
MAX_MEDIA_TYPE_LENGTH = 100
UNATTACHED_SECONDS = 86_400  # how long an upload that is on nothing is kept
MAX_UPLOAD_SECONDS = 6 * 3_600  # of one upload, well below UNATTACHED_SECONDS


class FileEncoding(DescribedEnum):
    """The form of a file's bytes in a text."""

    TEXT = "TEXT", "The text itself, in UTF-8."
    BASE64 = "BASE64", "Base64 (RFC 4648), for any bytes."


class StoredObject(Stamped, Base):
    """The bytes of a file in the store. The row exists before the first byte and until the last one is gone.

    It survives its file: a job deletes the bytes of objects that no file refers to, then the row.
    """

    __tablename__ = "stored_object"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(Id, index=True)  # without a foreign key: it survives this too
    size: Mapped[int] = mapped_column(BigInteger)  # bytes; while it is uploaded, the most it may have
    stored_at: Mapped[datetime | None]  # null while it is uploaded


class File(Editable, Base):
    """A file. One that is on no card yet is seen by its uploader alone."""

    __tablename__ = "file"
    __table_args__ = (
        Index("ix_file_card_id", "card_id"),
        Index("ix_file_message_id", "message_id"),
        Index("ix_file_board_id", "board_id"),
        Index("ix_file_workspace_id", "workspace_id"),
        Index("ix_file_object_key", "object_key"),
        Index(
            "ix_file_unattached",
            "created_at",
            sqlite_where=text("card_id IS NULL"),
            postgresql_where=text("card_id IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("file"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    board_id: Mapped[str | None] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str | None] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    message_id: Mapped[str | None] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    object_key: Mapped[str] = mapped_column(ForeignKey("stored_object.key"))
    name: Mapped[str] = mapped_column(String(MAX_FILE_NAME_LENGTH))
    media_type: Mapped[str] = mapped_column(String(MAX_MEDIA_TYPE_LENGTH))  # judged by the bytes
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    width: Mapped[int | None]  # pixels, of an image
    height: Mapped[int | None]
    author_kind: Mapped[str] = mapped_column(String(10))
    author_id: Mapped[str | None] = mapped_column(Id)
