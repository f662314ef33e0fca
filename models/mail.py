"""The outbox: mails that wait to be sent, and how each of them fared."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Stamped, enum_column

MAX_MAIL_ERROR_LENGTH = 300  # characters of a mail server's answer that are kept
MAIL_DAYS = 30  # days for which a mail's row is kept


class DeliveryStatus(DescribedEnum):
    """The delivery of a mail."""

    PENDING = "PENDING", "It waits to be sent, or to be sent again."
    SENT = "SENT", "The mail server took it."
    DELIVERED = "DELIVERED", "The mail provider reported that it arrived."
    FAILED = "FAILED", "It was not sent: the mail server refused it, or did not answer in four attempts."
    BOUNCED = "BOUNCED", "The mail provider reported that it came back."


class Mail(Stamped, Base):
    """A mail. Its content is encrypted, because it may have a secret, and deleted once it was sent or given up."""

    __tablename__ = "mail"
    __table_args__ = (Index(None, "workspace_id"), Index(None, "user_id"), Index(None, "created_at"))

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("mail"))
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    message_id: Mapped[str] = mapped_column(String(300), unique=True)  # the header, the same in every attempt
    recipient: Mapped[str] = mapped_column(String(254))
    template: Mapped[str] = mapped_column(String(40))
    content: Mapped[str | None] = mapped_column(Text)  # the template's values, sealed
    status: Mapped[DeliveryStatus] = mapped_column(
        enum_column(DeliveryStatus, "mail_status"), default=DeliveryStatus.PENDING
    )
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(MAX_MAIL_ERROR_LENGTH))
    sent_at: Mapped[datetime | None]
