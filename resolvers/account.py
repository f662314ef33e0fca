"""Reads of accounts, and the mutations that hash passwords outside of their transaction."""

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import bindparam, select
from strawberry import Parent
from strawberry.scalars import JSON

import actions.account
import actions.erasure
import actions.invitation
import actions.session
from actions import validation
from actions.erasure import ErasedAccount
from actions.session import SignedIn
from auth.passwords import check_password, hash_password
from kit.db.database import Id
from models.account import ApiKey, AuthSession, User
from models.actor import Actor, Scope
from models.card import Card
from models.file import File
from models.identity import LinkedIdentity
from models.message import Message
from models.preferences import Preferences, preferences_of
from models.refusal import Forbidden, Invalid
from models.run import Run
from models.watch import Watch
from models.workspace import Membership
from resolvers.context import Info
from resolvers.key import API_KEY
from resolvers.run import RUN
from resolvers.workspace import USER


async def me(info: Info) -> User | None:
    """Your account; null for a key."""
    actor = info.context.actor
    return await info.context.load(USER, actor.id) if actor.is_person else None


async def viewer(info: Info) -> Actor:
    """You, as the server sees you, and your credential."""
    return info.context.actor


async def user_of_viewer(root: Parent[Actor], info: Info) -> User | None:
    """Your account; null for a key."""
    return await info.context.load(USER, root.id) if root.is_person else None


async def key_of_viewer(root: Parent[Actor], info: Info) -> ApiKey | None:
    """Your key; null for a person."""
    return None if root.is_person else await info.context.load(API_KEY, root.id)


async def run_of_viewer(root: Parent[Actor], info: Info) -> Run | None:
    """Your run, if you are its agent and use the run's credential; else null."""
    return await info.context.load(RUN, root.run_id) if root.run_id else None


async def scopes_of_viewer(root: Parent[Actor]) -> list[Scope]:
    """The key's scopes. Empty for a person, whose role in a workspace decides."""
    return sorted(root.scopes)


async def preferences_of_viewer(root: Parent[Actor], info: Info) -> Preferences | None:
    """Your preferences; null for a key."""
    user = await user_of_viewer(root, info)
    return preferences_of(user.preferences) if user else None


async def is_email_confirmed(root: Parent[Actor], info: Info) -> bool:
    """Whether your e-mail address is confirmed; false for a key."""
    user = await user_of_viewer(root, info)
    return user is not None and user.email_confirmed_at is not None


async def email_of_user(root: Parent[User], info: Info) -> str | None:
    """The e-mail address; null for anybody but you."""
    viewer = info.context.caller.actor
    return root.email if viewer is not None and viewer.id == root.id else None


async def register(
    info: Info,
    username: Annotated[str, "3 to 40 letters, digits, dots, dashes and underscores; unique ignoring case."],
    password: Annotated[str, "8 to 1,024 bytes."],
    email: Annotated[str | None, "E-mail address, unique ignoring case. `login` accepts it too."] = None,
    nickname: Annotated[str | None, "Display name, 1 to 80 characters."] = None,
    first_name: Annotated[str | None, "First name, 1 to 80 characters."] = None,
    last_name: Annotated[str | None, "Last name, 1 to 80 characters."] = None,
    invitation: Annotated[
        str | None,
        "The text after `#invitation=` in a link: you join its workspace, also if registration is closed.",
    ] = None,
) -> SignedIn:
    """Create an account and sign in.

    Raises Forbidden if registration is closed and there is no invitation, InvitationRefused as `acceptInvitation`
    does, and Conflict if the username or e-mail address is taken. An owner is created on the server's command line
    only.
    """
    context = info.context
    context.services.attempts.count(f"register:{context.caller.network}")
    fields = {
        "username": username,
        "email": email,
        "nickname": nickname,
        "first_name": first_name,
        "last_name": last_name,
    }
    actions.account.validate_user(fields)
    is_open = context.services.settings.registration
    hashed = await hash_password(validation.password("password", password))
    async with context.transaction(context.nobody) as tx:
        user = await actions.account.register(tx, fields, hashed, is_open=is_open or invitation is not None)
        if invitation is not None:
            await actions.invitation.accept_as(tx, user, invitation)
        return await actions.session.start_session(
            tx, context.services.tokens, user.id, hashed, user_agent=context.caller.user_agent
        )


async def delete_me(
    info: Info,
    confirm_username: Annotated[str, "Your username, as a confirmation."],
    current_password: Annotated[str | None, "Your password; omitted only by an account without one."] = None,
) -> ErasedAccount:
    """Erase your account for good. What you wrote stays, with the author "Deleted user"; the audit log stays.

    You leave all workspaces. Raises Conflict if you are the last admin of one, and Invalid if the password or the
    name is wrong; then nothing was changed. After ten failures in a minute, further calls raise RATE_LIMITED.
    """
    if not info.context.actor.is_person:
        raise Forbidden("A key has no account")
    old_hash = await checked_password(info, current_password)
    async with info.context.transaction() as tx:
        return await actions.erasure.erase_me(tx, info.context.actor, old_hash, confirm_username)


async def personal_data_of_viewer(root: Parent[Actor], info: Info) -> JSON | None:
    """All that the server keeps about you, and your newest 1,000 messages, files and cards; null for a key."""
    if not root.is_person:
        return None
    user = await user_of_viewer(root, info)
    assert user is not None, "a signed-in person has an account"
    columns = ("username", "email", "nickname", "first_name", "last_name", "avatar_url", "preferences")
    times = ("created_at", "last_login_at", "email_confirmed_at")
    data: dict[str, Any] = {name: getattr(user, name) for name in columns}
    data |= {name: value and value.isoformat() for name in times for value in [getattr(user, name)]}
    for name, query in PERSONAL.items():
        rows = await info.context.read(query, {"user": root.id})
        data[name] = [{key: _json(value) for key, value in row._mapping.items()} for row in rows]
    return JSON(data)


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _newest(table: Any, owner: Any, *columns: Any) -> Any:
    query = select(*columns).where(owner == bindparam("user", type_=Id)).order_by(table.created_at.desc())
    return query.limit(MAX_EXPORTED)


MAX_EXPORTED = 1_000  # rows of a kind
PERSONAL = {
    "memberships": _newest(Membership, Membership.user_id, Membership.workspace_id, Membership.role),
    "sessions": _newest(
        AuthSession, AuthSession.user_id, AuthSession.user_agent, AuthSession.created_at, AuthSession.used_at
    ),
    "identities": _newest(
        LinkedIdentity, LinkedIdentity.user_id, LinkedIdentity.provider, LinkedIdentity.name
    ),
    "watches": _newest(Watch, Watch.user_id, Watch.board_id, Watch.card_id, Watch.level, Watch.created_at),
    "messages": _newest(Message, Message.author_id, Message.id, Message.card_id, Message.body),
    "files": _newest(
        File, File.author_id, File.id, File.card_id, File.name, File.media_type, File.size, File.sha256
    ),
    "cards": _newest(Card, Card.created_by, Card.id, Card.title, Card.created_at),
}


async def change_password(
    info: Info,
    new_password: Annotated[str, "8 to 1,024 bytes."],
    current_password: Annotated[
        str | None, "Your current password; omitted only by a first owner without a password."
    ] = None,
) -> User:
    """Change your password. Ends all your other logins and closes their connections; keys stay valid.

    Raises Invalid if the current password is wrong.
    After ten failures in a minute for an account or an address, further calls raise RATE_LIMITED.
    """
    validation.password("newPassword", new_password)
    old_hash = await checked_password(info, current_password)
    hashed = await hash_password(new_password)
    async with info.context.transaction() as tx:
        return await actions.account.change_password(tx, info.context.actor, old_hash, hashed)


async def checked_password(info: Info, password: str | None) -> str | None:
    """Return the hash that the caller's password matched; None if the account has none. Raises Invalid.

    After ten failures in a minute for an account or an address, further calls raise RATE_LIMITED.
    """
    context = info.context
    account = await me(info)
    await context.refresh()  # no connection is held while passwords are hashed
    old_hash: str | None = account.password_hash if account else None
    if old_hash is not None:
        tries = (f"account:{context.actor.id}", f"address:{context.caller.network}")
        context.services.attempts.count(*tries)
        if not (await check_password(password or "", old_hash))[0]:
            raise Invalid(("currentPassword", "is not your password"))
        context.services.attempts.forgive(*tries)
    return old_hash
