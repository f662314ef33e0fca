"""Changes to avatars."""

from io import BytesIO

from sqlalchemy import delete

from actions.account import lock_own_user
from auth.passwords import new_secret
from kit.db.transaction import Transaction
from kit.graphql.arguments import IfVersion
from models.account import User
from models.actor import Actor
from models.avatar import AVATAR_TYPES, MAX_AVATAR_BYTES, MAX_AVATAR_PIXELS, Avatar
from models.events.account import UserUpdated
from models.refusal import Invalid


def check_picture(content: bytes) -> str:
    """Return the media type of a picture, judged by its content alone. Raises Invalid.

    Its size is read from its header; it is never unpacked.
    """
    import filetype
    import imagesize

    if len(content) > MAX_AVATAR_BYTES:
        raise Invalid(("avatar", f"must have at most {MAX_AVATAR_BYTES:,} bytes"))
    kind = filetype.guess(content)
    if kind is None or kind.mime not in AVATAR_TYPES:
        raise Invalid(("avatar", "must be a PNG, JPEG, WebP or GIF picture"))
    try:
        width, height = imagesize.get(BytesIO(content))
    except Exception:  # of a broken header, in a library that reads bytes
        width = height = -1
    if not (0 < width <= MAX_AVATAR_PIXELS and 0 < height <= MAX_AVATAR_PIXELS):
        raise Invalid(("avatar", f"must be 1 to {MAX_AVATAR_PIXELS:,} pixels wide and high"))
    return str(kind.mime)


async def set_avatar(tx: Transaction, actor: Actor, content: bytes, media_type: str) -> User:
    """Replace the actor's avatar by a picture that `check_picture` judged."""
    user = await lock_own_user(tx, actor)
    await tx.execute(delete(Avatar).where(Avatar.user_id == user.id))
    key = new_secret()
    tx.add(Avatar(key=key, user_id=user.id, media_type=media_type, content=content))
    await _point_to(tx, user, f"/avatars/{key}")
    return user


async def remove_avatar(tx: Transaction, actor: Actor, *, if_version: IfVersion = None) -> User:
    """Remove your avatar. Idempotent. Raises Stale."""
    user = await lock_own_user(tx, actor)
    user.expect(if_version)
    await tx.execute(delete(Avatar).where(Avatar.user_id == user.id))
    if user.avatar_url is not None:
        await _point_to(tx, user, None)
    return user


async def _point_to(tx: Transaction, user: User, url: str | None) -> None:
    changes = {"avatar_url": [user.avatar_url, url]}
    user.avatar_url = url
    user.version += 1
    tx.emit(user, UserUpdated(changes=changes))
    await tx.flush()  # the caller reads it
