"""What can be done to a person's account."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from actions import validation
from actions.changes import apply_changes
from actions.session import end_sessions
from actions.workspace import create_workspace
from kit.db.transaction import Transaction
from kit.eventlog.tables import NUMBER
from models.account import EndReason, User, access_of
from models.actor import Actor, ActorKind
from models.events.account import PasswordChanged, UserRegistered, UserUpdated
from models.refusal import Conflict, Forbidden, Invalid

OWNER = "owner"
HOME = "Home"
FOLDED = User.email_folded.type.length


def validate_user(values: dict[str, Any]) -> dict[str, Any]:
    """The fields of an account, cleaned, with what they are compared by. Raises Invalid."""
    clean = dict(values)
    if "username" in clean:
        clean["username"] = validation.username("username", clean["username"])
        clean["username_folded"] = validation.folded(clean["username"])
    if "email" in clean:
        clean["email"] = validation.email("email", clean["email"])
        clean["email_folded"] = clean["email"] and validation.folded(clean["email"])
        if len(clean["email_folded"] or "") > FOLDED:  # folding may triple a letter
            raise Invalid(("email", "is too long once its case is folded"))
    for name, path in (("nickname", "nickname"), ("first_name", "firstName"), ("last_name", "lastName")):
        if clean.get(name) is not None:
            clean[name] = validation.single_line(path, clean[name], 80)
    return clean


async def register(tx: Transaction, fields: dict[str, Any], password_hash: str, *, is_open: bool) -> User:
    """Make an account. The first one of all is always allowed, and is given a workspace.

    `is_open`: whether strangers may register.
    """
    first = await _is_first(tx)
    if not (first or is_open):
        raise Forbidden("Registration is closed on this server")
    user = await add_user(tx, fields, password_hash)
    tx.set_author(ActorKind.USER, user.id)
    tx.emit(user, UserRegistered(username=user.username))
    if first:
        await create_workspace(tx, Actor(ActorKind.USER, user.id), HOME)
    return user


async def add_user(
    tx: Transaction, fields: dict[str, Any], password_hash: str | None, *, is_local: bool = False
) -> User:
    """Store a person. Raises Invalid, or Conflict when the name or address is another's."""
    user = User(**validate_user(fields), password_hash=password_hash, is_local=is_local)
    await _unique(tx, user)
    return user


async def _unique(tx: Transaction, user: User) -> None:
    """Store what was said of `user` now: only the database knows whether a name is free at this moment."""
    try:
        async with tx.begin_nested():
            tx.add(user)
            await tx.flush()  # generates user.id
    except IntegrityError as error:
        raise Conflict("That username or e-mail address is taken") from error


async def _is_first(tx: Transaction) -> bool:
    """Whether there is nobody yet. If so, nobody else can be made the first before `tx` ends."""
    anybody = select(User.id).limit(1)
    if await tx.scalar(anybody) is not None:
        return False
    await tx.execute(NUMBER, {"topic": "accounts", "epoch": "0", "n": 0})  # takes no number, only the lock
    return await tx.scalar(anybody) is None


async def local_owner(tx: Transaction) -> Actor | None:
    """The person at this machine, made on the first start with a workspace.

    None once that person has a password, and where accounts were made otherwise: then everybody signs in.
    """
    local = User.is_local, User.password_hash.is_(None), User.is_active
    user = await tx.scalar(select(User).where(*local))
    if user is None:
        if not await _is_first(tx):
            user = await tx.scalar(select(User).where(*local))  # made by another process meanwhile
            return Actor(ActorKind.USER, user.id) if user else None
        user = await add_user(tx, {"username": OWNER}, None, is_local=True)
        tx.set_author(ActorKind.USER, user.id)
        await create_workspace(tx, Actor(ActorKind.USER, user.id), HOME)
    return Actor(ActorKind.USER, user.id)


async def lock_own_user(tx: Transaction, actor: Actor) -> User:
    """The actor's own account, for writing."""
    if not actor.is_person:
        raise Forbidden("A key has no account")
    user = await tx.get(User, actor.id, with_for_update=True, populate_existing=True)
    assert user is not None, "whoever signed in has an account"
    return user


async def update_me(
    tx: Transaction, actor: Actor, changes: dict[str, Any], *, if_version: int | None = None
) -> User:
    """Change one's own account: name, address, what others see."""
    user = await lock_own_user(tx, actor)
    user.expect(if_version)
    told = apply_changes(user, validate_user(changes))
    if told:
        await _unique(tx, user)
        shown = {name: values for name, values in told.items() if not name.endswith("_folded")}
        tx.emit(user, UserUpdated(changes=shown))
    return user


async def change_password(tx: Transaction, actor: Actor, old_hash: str | None, new_hash: str) -> User:
    """Give oneself another password. Every other login ends, and so does being let in without one.

    `old_hash` is the hash that the current password was found to fit; None for the local owner, who has none.
    """
    user = await lock_own_user(tx, actor)
    if user.password_hash != old_hash or (old_hash is None and not user.is_local):
        raise Invalid(("currentPassword", "is not your password"))
    await set_password(tx, user, new_hash, keep=actor.session_id)
    return user


async def set_password(tx: Transaction, user: User, new_hash: str, *, keep: str | None = None) -> None:
    user.password_hash, user.is_local = new_hash, False
    user.version += 1
    tx.notify(access_of(user.id))
    await end_sessions(tx, user.id, EndReason.PASSWORD_CHANGED, keep=keep)
    tx.emit(user, PasswordChanged(user_id=user.id))


async def make_owner(tx: Transaction, username: str, password_hash: str) -> User:
    """From the machine's own command line: give an account a password, and make it where there is none.

    The local owner, if there is one, becomes that account and keeps its boards.
    """
    fields = validate_user({"username": username})
    named = User.username_folded == fields["username_folded"]
    await _is_first(tx)  # a server that starts at this moment makes no owner beside this one
    user = await tx.scalar(select(User).where(named))
    if user is None:
        user = await tx.scalar(select(User).where(User.is_local, User.password_hash.is_(None)))
        if user is None:
            user = await add_user(tx, fields, None)
            tx.set_author(ActorKind.USER, user.id)
            await create_workspace(tx, Actor(ActorKind.USER, user.id), HOME)
        apply_changes(user, fields)
    user.is_active = True
    await set_password(tx, user, password_hash)
    return user
