"""Changes to a person's account."""

from typing import Annotated, Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from actions import validation
from actions.changes import apply_changes
from actions.session import end_sessions
from actions.workspace import create_workspace
from kit.db.transaction import Transaction
from kit.eventlog.tables import NUMBER
from kit.graphql.arguments import IfVersion, Maybe, provided_fields
from models.account import EndReason, SignInLink, User
from models.actor import Actor, ActorKind
from models.events.account import PasswordChanged, UserRegistered, UserUpdated
from models.refusal import Conflict, Forbidden, Invalid

OWNER = "owner"  # username of the local owner
HOME = "Home"  # name of the first workspace
MAX_FOLDED_EMAIL_LENGTH = User.email_folded.type.length


def fold_email(path: str, email: str) -> str:
    """Return the form in which addresses are compared. Raises Invalid if it is too long to be stored."""
    folded = validation.folded(email)
    if len(folded) > MAX_FOLDED_EMAIL_LENGTH:  # folding may triple a letter
        raise Invalid((path, "is too long after case folding"))
    return folded


def validate_user(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an account as they are stored, with the folded forms for comparison. Raises Invalid."""
    clean = dict(values)
    if "username" in clean:
        clean["username"] = validation.username("username", clean["username"])
        clean["username_folded"] = validation.folded(clean["username"])
    if "email" in clean:
        clean["email"] = validation.email("email", clean["email"])
        clean["email_folded"] = clean["email"] and fold_email("email", clean["email"])
    for name, path in (("nickname", "nickname"), ("first_name", "firstName"), ("last_name", "lastName")):
        if clean.get(name) is not None:
            clean[name] = validation.single_line(path, clean[name], 80)
    return clean


async def register(tx: Transaction, fields: dict[str, Any], password_hash: str, *, is_open: bool) -> User:
    """Create an account. It owns nothing, even if it is the first of all.

    Raises Forbidden if registration is not open and this is not the first account; Conflict as `add_user` does.
    """
    if not is_open:
        raise Forbidden("Registration is closed on this server")
    user = await add_user(tx, fields, password_hash)
    tx.set_author(ActorKind.USER, user.id)
    tx.emit(user, UserRegistered(username=user.username))
    return user


async def add_user(
    tx: Transaction, fields: dict[str, Any], password_hash: str | None, *, is_local: bool = False
) -> User:
    """Add a person. Raises Invalid, or Conflict if the username or e-mail address is taken."""
    user = User(**validate_user(fields), password_hash=password_hash, is_local=is_local)
    await _flush_unique(tx, user)
    return user


async def _flush_unique(tx: Transaction, user: User) -> None:
    """Write `user` now: only the database can tell whether the name is free. Raises Conflict."""
    try:
        async with tx.begin_nested():
            tx.add(user)
            await tx.flush()  # generates user.id
    except IntegrityError as error:
        raise Conflict("That username or e-mail address is taken") from error


async def _is_first(tx: Transaction) -> bool:
    """Tell whether no account exists. If so, no other transaction can create the first one until `tx` ends."""
    any_user = select(User.id).limit(1)
    if await tx.scalar(any_user) is not None:
        return False
    await tx.execute(NUMBER, {"topic": "accounts", "epoch": "0", "n": 0})  # takes no number, only the lock
    return await tx.scalar(any_user) is None


async def ensure_owner(tx: Transaction) -> Actor | None:
    """Return the owner who has no password yet. The first start creates it, with a workspace.

    The owner signs in by a link from the command line: actions/session.py. Returns None if the owner has a
    password, or if accounts were created otherwise.
    """
    query = select(User).where(User.is_local, User.password_hash.is_(None), User.is_active)
    user = await tx.scalar(query)
    if user is None:
        if not await _is_first(tx):
            user = await tx.scalar(query)  # another process may have created it in the meantime
            return Actor(ActorKind.USER, user.id) if user else None
        user = await add_user(tx, {"username": OWNER}, None, is_local=True)
        tx.set_author(ActorKind.USER, user.id)
        await create_workspace(tx, Actor(ActorKind.USER, user.id), name=HOME)
    return Actor(ActorKind.USER, user.id)


async def lock_own_user(tx: Transaction, actor: Actor) -> User:
    """Lock the actor's own account for update. Raises Forbidden for a key."""
    if not actor.is_person:
        raise Forbidden("A key has no account")
    user = await tx.get(User, actor.id, with_for_update=True, populate_existing=True)
    assert user is not None, "a signed-in person has an account"
    return user


async def update_me(
    tx: Transaction,
    actor: Actor,
    *,
    username: Annotated[
        Maybe[str], "3 to 40 letters, digits, dots, dashes and underscores; unique ignoring case."
    ] = None,
    email: Annotated[Maybe[str | None], "E-mail address, unique ignoring case; null clears it."] = None,
    nickname: Annotated[Maybe[str | None], "Display name, 1 to 80 characters; null clears it."] = None,
    first_name: Annotated[Maybe[str | None], "First name, 1 to 80 characters; null clears it."] = None,
    last_name: Annotated[Maybe[str | None], "Last name, 1 to 80 characters; null clears it."] = None,
    if_version: IfVersion = None,
) -> User:
    """Change your account. Omitted fields stay; null clears.

    Raises Stale, or Conflict if the username or e-mail address is taken.
    """
    changes = provided_fields(
        username=username, email=email, nickname=nickname, first_name=first_name, last_name=last_name
    )
    user = await lock_own_user(tx, actor)
    user.expect(if_version)
    changed = apply_changes(user, validate_user(changes))
    if "email_folded" in changed:
        user.email_confirmed_at = None
    if changed:
        await _flush_unique(tx, user)
        public_changes = {name: pair for name, pair in changed.items() if not name.endswith("_folded")}
        tx.emit(user, UserUpdated(changes=public_changes))
    return user


async def change_password(tx: Transaction, actor: Actor, old_hash: str | None, new_hash: str) -> User:
    """Set the actor's password and end all its other logins.

    `old_hash` is the hash that the current password matched; None for a first owner without a password.
    Raises Invalid if the password was changed since.
    """
    user = await lock_own_user(tx, actor)
    if user.password_hash != old_hash or (old_hash is None and not user.is_local):
        raise Invalid(("currentPassword", "is not your password"))
    await set_password(tx, user, new_hash, keep=actor.session_id)
    return user


async def set_password(tx: Transaction, user: User, new_hash: str, *, keep: str | None = None) -> None:
    """Set a password and end the person's logins, except the session `keep`."""
    user.password_hash, user.is_local = new_hash, False
    user.version += 1
    await tx.execute(delete(SignInLink).where(SignInLink.user_id == user.id))
    await end_sessions(tx, user.id, EndReason.PASSWORD_CHANGED, keep=keep)
    tx.emit(user, PasswordChanged(account_id=user.id))


async def make_owner(tx: Transaction, username: str, password_hash: str) -> User:
    """Set an account's password from the command line; create the account if it does not exist.

    The first owner, while without a password, becomes that account and keeps its boards.
    """
    fields = validate_user({"username": username})
    await _is_first(tx)  # keeps a server that starts now from creating a second owner
    user = await tx.scalar(select(User).where(User.username_folded == fields["username_folded"]))
    if user is None:
        user = await tx.scalar(select(User).where(User.is_local, User.password_hash.is_(None)))
        if user is None:
            user = await add_user(tx, fields, None)
            tx.set_author(ActorKind.USER, user.id)
            await create_workspace(tx, Actor(ActorKind.USER, user.id), name=HOME)
        apply_changes(user, fields)
    user.is_active = True
    await set_password(tx, user, password_hash)
    return user
