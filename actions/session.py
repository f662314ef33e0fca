"""Logins, and the chain of refresh tokens that keeps each of them alive."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from sqlalchemy import delete, select, update

from actions.validation import folded
from auth.passwords import digest, new_secret
from auth.tokens import Tokens
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from models.account import (
    LINK_LIFETIME,
    AuthReason,
    AuthSession,
    EndReason,
    RefreshToken,
    SignInLink,
    User,
    access_of,
)
from models.actor import Actor, ActorKind
from models.events.account import SessionsRevoked, SessionStarted
from models.refusal import Forbidden, Reused, Unauthenticated
from models.topic import user_scope

REUSE_LEEWAY = timedelta(seconds=10)  # how long a spent token is answered again: two tabs, a lost answer
NEW_LINK = "python server.py link prints a new one"
MAX_SESSIONS = 50  # logins of one person; a new one ends the least recently used

SecondFactorCheck = Callable[[User], Awaitable[None]]
Read = Callable[[Any], Awaitable[Sequence[Any]]]


@dataclass(frozen=True)
class SignedIn:
    """The tokens of a client that has signed in."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    refresh_expires_at: datetime
    user: User


@dataclass(frozen=True)
class SignedOut:
    """The number of logins that were ended."""

    count: int


def wrong_credentials() -> Unauthenticated:
    """Make the refusal for an unknown name, a wrong password and a closed account alike."""
    return Unauthenticated(AuthReason.INVALID, "The username or the password is wrong")


async def account_named(read: Read, name: str) -> Any:
    """Read id, password_hash and is_active of the account with this username or e-mail address, or None."""
    name = folded(name)[:508]
    has_name = (User.username_folded == name) | (User.email_folded == name)
    rows = await read(select(User.id, User.password_hash, User.is_active).where(has_name))
    return rows[0] if rows else None


async def start_session(
    tx: Transaction,
    tokens: Tokens,
    user_id: str,
    password_hash: str | None,
    *,
    renewed: str | None = None,
    user_agent: str = "",
    second_factor: SecondFactorCheck | None = None,
) -> SignedIn:
    """Sign in a person whose password matched `password_hash`.

    `renewed` is a hash of the same password with the current parameters. Raises Unauthenticated if the account was
    closed or its password changed since, or by `second_factor`.
    """
    user = await tx.get(User, user_id, with_for_update=True)
    if user is None or not user.is_active or user.password_hash != password_hash:
        raise wrong_credentials()
    if second_factor is not None:
        await second_factor(user)
    user.password_hash = renewed or user.password_hash
    return await _begin_login(tx, tokens, user, user_agent)


async def _begin_login(tx: Transaction, tokens: Tokens, user: User, user_agent: str) -> SignedIn:
    tx.set_author(ActorKind.USER, user.id)
    now = utcnow()
    user.last_login_at = now
    await _make_room(tx, user.id, now)
    login = AuthSession(user_id=user.id, user_agent=user_agent[:200] or None, expires_at=now + tokens.most)
    tx.add(login)
    await tx.flush()  # generates login.id
    tx.emit(user, SessionStarted(session_id=login.id, user_agent=login.user_agent))
    return _issue(tx, tokens, user, login, new_secret(), now)


def _issue(
    tx: Transaction, tokens: Tokens, user: User, login: AuthSession, token: str, now: datetime
) -> SignedIn:
    until = min(now + tokens.idle, login.expires_at)
    tx.add(RefreshToken(token_hash=digest(token), session_id=login.id, expires_at=until))
    return _signed_in(tokens, user, login, token, until)


def _signed_in(tokens: Tokens, user: User, login: AuthSession, token: str, until: datetime) -> SignedIn:
    claims = tokens.make(user.id, login.id)
    return SignedIn(tokens.write(claims), token, claims.expires_at, until, user)


async def create_sign_in_link(tx: Transaction, user_id: str, lifetime: timedelta = LINK_LIFETIME) -> str:
    """Return the token of a new link that signs a person in once, within `lifetime`.

    Only for the command line: whoever holds the token is the person. Links that have expired are deleted.
    """
    token, now = new_secret(), utcnow()
    await tx.execute(delete(SignInLink).where(SignInLink.expires_at <= now))
    tx.add(SignInLink(token_hash=digest(token), user_id=user_id, expires_at=now + lifetime))
    return token


async def redeem_sign_in_link(
    tx: Transaction, tokens: Tokens, token: str, *, user_agent: str = ""
) -> SignedIn:
    """Sign in with the token of a link, which is then used up. Raises Unauthenticated.

    Of several callers at once one is signed in: the row is deleted by one of them alone.
    """
    used = delete(SignInLink).where(SignInLink.token_hash == digest(token))
    row = (await tx.execute(used.returning(SignInLink.user_id, SignInLink.expires_at))).one_or_none()
    if row is None:
        raise Unauthenticated(
            AuthReason.INVALID, f"This link was used before, or is none of ours; {NEW_LINK}"
        )
    if row.expires_at <= utcnow():
        raise Unauthenticated(AuthReason.EXPIRED, f"This link has expired; {NEW_LINK}")
    user = await tx.get(User, row.user_id, with_for_update=True)
    if user is None or not user.is_active:
        raise Unauthenticated(AuthReason.REVOKED, "The account of this link is closed")
    return await _begin_login(tx, tokens, user, user_agent)


async def _make_room(tx: Transaction, user_id: str, now: datetime) -> None:
    """Delete expired logins, and end the least recently used one if there are too many."""
    is_own = AuthSession.user_id == user_id
    await tx.execute(delete(AuthSession).where(is_own, AuthSession.expires_at < now))
    active = select(AuthSession.id).where(is_own, AuthSession.revoked_at.is_(None))
    old = active.order_by(AuthSession.used_at.desc()).offset(MAX_SESSIONS - 1)
    await _end(tx, user_id, list(await tx.scalars(old)), EndReason.REPLACED)


async def refresh_session(tx: Transaction, tokens: Tokens, token: str) -> SignedIn:
    """Exchange a refresh token for a new pair of tokens. Raises Unauthenticated.

    A token that was spent before ends its login and raises Reused. Within REUSE_LEEWAY the token spent last is
    answered with the same successor again, so that concurrent requests share one chain.
    """
    now, spent, following = utcnow(), digest(token), tokens.successors_of(token)
    active = select(AuthSession.id).where(AuthSession.revoked_at.is_(None), AuthSession.expires_at > now)
    unspent = (
        RefreshToken.token_hash == spent,
        RefreshToken.rotated_at.is_(None),
        RefreshToken.expires_at > now,
        RefreshToken.session_id.in_(active),
    )
    rotated = update(RefreshToken).where(*unspent).values(rotated_at=now, successor=digest(following[0]))
    session_id = await tx.scalar(rotated.returning(RefreshToken.session_id))
    if session_id is None:
        return await _spent_before(tx, tokens, spent, following, now)
    user, login = await _owner(tx, session_id)
    if not user.is_active:
        raise _refused(AuthReason.REVOKED)
    login.used_at = now
    old = RefreshToken.session_id == login.id, RefreshToken.expires_at < now
    await tx.execute(delete(RefreshToken).where(*old))
    return _issue(tx, tokens, user, login, following[0], now)


async def _owner(tx: Transaction, session_id: str) -> tuple[User, AuthSession]:
    query = select(User, AuthSession).join(AuthSession, AuthSession.user_id == User.id)
    user, login = (await tx.execute(query.where(AuthSession.id == session_id))).one()
    tx.set_author(ActorKind.USER, user.id)
    return user, login


async def _spent_before(
    tx: Transaction, tokens: Tokens, spent: str, following: list[str], now: datetime
) -> SignedIn:
    token = await tx.get(RefreshToken, spent)
    if token is None:
        raise _refused(AuthReason.INVALID)
    user, login = await _owner(tx, token.session_id)
    if login.revoked_at is not None or not user.is_active:
        raise _refused(AuthReason.REVOKED)
    if login.expires_at <= now or token.rotated_at is None:
        raise _refused(AuthReason.EXPIRED)
    next = await tx.get(RefreshToken, token.successor)
    successors = [refresh for refresh in following if digest(refresh) == token.successor]
    is_recent = now - token.rotated_at <= REUSE_LEEWAY
    if next is not None and next.rotated_at is None and successors and is_recent:
        return _signed_in(tokens, user, login, successors[0], next.expires_at)
    await _end(tx, user.id, [login.id], EndReason.REUSED)
    raise Reused(AuthReason.REVOKED, "The refresh token was used before: this login has been ended")


def _refused(reason: AuthReason) -> Unauthenticated:
    return Unauthenticated(reason, f"Refresh token {reason.lower()}")


async def session_of_token(tx: Transaction, token: str) -> tuple[str, str]:
    """Read the ids of the user and the login of a refresh token, spent or not. Raises Unauthenticated."""
    query = select(AuthSession.user_id, AuthSession.id)
    query = query.join(RefreshToken, RefreshToken.session_id == AuthSession.id)
    row = (await tx.execute(query.where(RefreshToken.token_hash == digest(token)))).one_or_none()
    if row is None:
        raise _refused(AuthReason.INVALID)
    return row[0], row[1]


async def end_sessions(
    tx: Transaction, user_id: str, reason: EndReason, *, only: str | None = None, keep: str | None = None
) -> SignedOut:
    """End a person's logins: all, only the session `only`, or all but the session `keep`."""
    tx.set_author(ActorKind.USER, user_id)
    active = select(AuthSession.id).where(AuthSession.user_id == user_id, AuthSession.revoked_at.is_(None))
    if only is not None:
        active = active.where(AuthSession.id == only)
    if keep is not None:
        active = active.where(AuthSession.id != keep)
    return SignedOut(await _end(tx, user_id, list(await tx.scalars(active)), reason))


async def logout_everywhere(
    tx: Transaction, actor: Actor, *, keep_current: Annotated[bool, "Keep the login of this request."] = False
) -> SignedOut:
    """End all your logins and close their connections."""
    require_person(actor)
    keep = actor.session_id if keep_current else None
    return await end_sessions(tx, actor.id, EndReason.LOGOUT, keep=keep)


def require_person(actor: Actor) -> None:
    """Raise Forbidden for a key, which has no logins."""
    if not actor.is_person:
        raise Forbidden("A key has no logins; revoke it instead")


async def _end(tx: Transaction, user_id: str, ids: list[str], reason: EndReason) -> int:
    if not ids:
        return 0
    revocation = update(AuthSession).where(AuthSession.id.in_(ids), AuthSession.revoked_at.is_(None))
    ended = await tx.scalars(revocation.values(revoked_at=utcnow()).returning(AuthSession.id))
    revoked = sorted(ended.all())
    for id in revoked:
        tx.notify(access_of(id))
    if revoked:
        tx.emit(user_scope(user_id), SessionsRevoked(session_ids=revoked, reason=reason))
    return len(revoked)
