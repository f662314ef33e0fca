"""Invitations to a workspace: to an e-mail address, or by a link for whoever has it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, utcnow
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.account import User
from models.columns import Stamped, enum_column
from models.mail import MAX_MAIL_ERROR_LENGTH, DeliveryStatus
from models.refusal import Refusal
from models.workspace import Role

INVITATION_LIFETIME = timedelta(days=7)
MAX_INVITED = 10  # addresses of one call
MAX_PENDING = 200  # invitations of a workspace that are neither accepted nor revoked
PURGE_AFTER = timedelta(days=30)  # after its expiry an invitation that nobody accepted is deleted


class InvitationStatus(DescribedEnum):
    """The status of an invitation."""

    PENDING = "PENDING", "It can be accepted."
    ACCEPTED = "ACCEPTED", "It was accepted."
    REVOKED = "REVOKED", "It was revoked."
    EXPIRED = "EXPIRED", "Nobody accepted it within seven days. `resendInvitation` renews it."


class InvitationProblem(DescribedEnum):
    """The reason why an invitation cannot be accepted."""

    UNKNOWN = "UNKNOWN", "No invitation has that token: it was resent with a new one, or never existed."
    USED = "USED", "It was accepted before."
    REVOKED = "REVOKED", "It was revoked."
    EXPIRED = "EXPIRED", "Its seven days are over."
    OTHER_ADDRESS = "OTHER_ADDRESS", "It is for another e-mail address than that of your account."


class SkipReason(DescribedEnum):
    """The reason why an address was not invited."""

    MEMBER = "MEMBER", "A member of the workspace has the address."
    INVITED = "INVITED", "The address has an invitation that can still be accepted."


class InvitationRefused(Refusal):
    """An invitation that cannot be accepted. `problem` is a member of InvitationProblem."""

    code = "INVITATION_REFUSED"

    def __init__(self, problem: InvitationProblem) -> None:
        super().__init__(problem.description)
        self.problem = problem


_OPEN = text("accepted_at IS NULL AND revoked_at IS NULL")
_IS_OPEN: dict[str, Any] = {"sqlite_where": _OPEN, "postgresql_where": _OPEN}


class Invitation(Stamped, Base):
    """An invitation. Only the hash of its token is stored."""

    __tablename__ = "invitation"
    __table_args__ = (
        Index("uq_invitation_open", "workspace_id", "email_folded", unique=True, **_IS_OPEN),
        Index(None, "workspace_id"),
        Index(None, "expires_at"),
        Index(None, "mail_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("invitation"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    email: Mapped[str | None] = mapped_column(String(254))  # None: by link, for whoever has it
    email_folded: Mapped[str | None] = mapped_column(String(User.email_folded.type.length))
    role: Mapped[Role] = mapped_column(enum_column(Role, "invitation_role"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    revoked_at: Mapped[datetime | None]
    mail_id: Mapped[str | None] = mapped_column(ForeignKey("mail.id", ondelete="SET NULL"))  # its newest
    delivery: Mapped[DeliveryStatus | None] = mapped_column(
        enum_column(DeliveryStatus, "invitation_delivery")
    )
    delivery_error: Mapped[str | None] = mapped_column(String(MAX_MAIL_ERROR_LENGTH))


def status_of(invitation: Any) -> InvitationStatus:
    """Return the status of an invitation now."""
    if invitation.accepted_at is not None:
        return InvitationStatus.ACCEPTED
    if invitation.revoked_at is not None:
        return InvitationStatus.REVOKED
    return InvitationStatus.EXPIRED if invitation.expires_at <= utcnow() else InvitationStatus.PENDING
