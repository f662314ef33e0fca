"""Messages of people and agents on cards."""

import re
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, enum_column

MAX_MESSAGE_LENGTH = 10_000  # characters of a message
STRANGER = 100  # characters of the name of an author without an account
SAID_BY = re.compile(r"\*\*([^\n]+)\*\*:\n\n")  # the prefix that names the author of an imported message


def said_by(body: str) -> tuple[str | None, str]:
    """Return the author whom an imported message names, or None, and the text without the name."""
    named = SAID_BY.match(body)
    return (named[1], body[named.end() :]) if named else (None, body)


class MessageKind(DescribedEnum):
    """The purpose of a message."""

    COMMENT = "COMMENT", "A comment."
    INSTRUCTION = "INSTRUCTION", "An instruction for an agent."
    FEEDBACK = "FEEDBACK", "The reason why work was rejected."
    STATUS = "STATUS", "A report of progress."
    ERROR = "ERROR", "A report of an error."


class Message(Editable, Base):
    """A message on a card. A deleted message keeps its place and its author, but no text."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_card_id_created_at", "card_id", "created_at"),
        Index("ix_message_board_id", "board_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("message"))
    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    kind: Mapped[MessageKind] = mapped_column(enum_column(MessageKind), default=MessageKind.COMMENT)
    author_kind: Mapped[str] = mapped_column(String(10))
    author_id: Mapped[str | None] = mapped_column(Id)
    body: Mapped[str] = mapped_column(Text)
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
