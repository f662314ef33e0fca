"""The second factor of a sign-in by password: a TOTP secret (RFC 6238) and recovery codes."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Json

STEP_SECONDS = 30
DRIFT_STEPS = 1  # steps before and after the current one whose code is accepted
RECOVERY_CODES = 10


class SecondFactor(Base):
    """A person's second factor. It is asked for once it is confirmed."""

    __tablename__ = "second_factor"

    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[str] = mapped_column(String(500))  # sealed
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(default=0)  # of the code that was used last: each is valid once
    recovery_hashes: Mapped[list[Any]] = mapped_column(Json, default=list)  # of codes that are not used
