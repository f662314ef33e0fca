"""Identities: the accounts of people at other servers, with which they sign in."""

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base
from kit.described_enum import DescribedEnum
from models.columns import Stamped, enum_column


class SignInProvider(DescribedEnum):
    """A server at which people sign in."""

    GITHUB = "GITHUB", "GitHub, or a GitHub Enterprise server."
    OIDC = "OIDC", "The OpenID Connect provider of this installation."


class LinkedIdentity(Stamped, Base):
    """An account at a provider, linked to a person here."""

    __tablename__ = "linked_identity"
    __table_args__ = (UniqueConstraint("user_id", "provider"),)

    provider: Mapped[SignInProvider] = mapped_column(enum_column(SignInProvider), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))  # as the provider shows it
