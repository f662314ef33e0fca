"""Avatars: the pictures of people, stored in the database."""

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base
from models.columns import Stamped

MAX_AVATAR_BYTES = 2 << 20
MAX_AVATAR_PIXELS = 4_096  # of its width and of its height: a small file may unpack to a large picture
AVATAR_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")


class Avatar(Stamped, Base):
    """A picture. Its key is random and in its address: whoever has the address may see the picture."""

    __tablename__ = "avatar"

    key: Mapped[str] = mapped_column(String(43), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), unique=True)
    media_type: Mapped[str] = mapped_column(String(20))
    content: Mapped[bytes] = mapped_column(LargeBinary)
