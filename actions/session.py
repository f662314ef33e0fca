"""Signing in and out: logins, and the chain of refresh tokens that keeps one alive."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from actions.validation import folded
from auth.passwords import digest, new_secret
from auth.tokens import Tokens
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from models.account import AuthReason, AuthSession, EndReason, RefreshToken, User, access_of
from models.actor import ActorKind
from models.events.account import SessionsRevoked, SessionStarted
from models.refusal import Reused, Unauthenticated
from models.topic import user_scope

REUSE_LEEWAY = timedelta(
    seconds=10
)  # in which the token just spent is answered again: two tabs, a lost answer
MAX_SESSIONS = 50  # logins of one person; the one unused longest makes room

Read = Callable[[Any], Awaitable[Sequence[Any]]]


@dataclass(frozen=True)
class SignedIn:
    """What a client holds after it signed in."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    refresh_expires_at: datetime
    user: User


def wrong_credentials() -> Unauthenticated:
    """The one answer to an unknown name, a wrong password and an account that was closed."""
    return Unauthenticated(AuthReason.INVALID, "The username or the password is wrong")


async def account_named(read: Read, name: str) -> Any:
    """Id, password_hash and is_active of the account with this username or e-mail address, or None."""
    name = folded(name)[:508]
    which = (User.username_folded == name) | (User.email_folded == name)
    rows = await read(select(User.id, User.password_hash, User.is_active).where(which))
    return rows[0] if rows else None


async def start_session(
    tx: Transaction,
    tokens: Tokens,
    user_id: str,
    password_hash: str | None,
    *,
    renewed: str | None = None,
    user_agent: str = "",
) -> SignedIn:
    """Sign in a person whose password was just found to be that of `password_hash`.

    `renewed` is the same password hashed as we do it today. Raises Unauthenticated if the account was closed or
    its password changed meanwhile.
    """
    user = await tx.get(User, user_id, with_for_update=True)
    if user is None or not user.is_active or user.password_hash != password_hash:
        raise wrong_credentials()
    tx.set_author(ActorKind.USER, user.id)
    now = utcnow()
    user.password_hash = renewed or user.password_hash
    user.last_login_at = now
    await _make_room(tx, user.id, now)
    login = AuthSession(user_id=user.id, user_agent=user_agent[:200] or None, expires_at=now + tokens.most)
    tx.add(login)
    await tx.flush()  # generates login.id
    tx.emit(user, SessionStarted(session_id=login.id, user_agent=login.user_agent))
    return _granted(tx, tokens, user, login, new_secret(), now)


def _granted(
    tx: Transaction, tokens: Tokens, user: User, login: AuthSession, token: str, now: datetime
) -> SignedIn:
    until = min(now + tokens.idle, login.expires_at)
    tx.add(RefreshToken(token_hash=digest(token), session_id=login.id, expires_at=until))
    return _shown(tokens, user, login, token, until)


def _shown(tokens: Tokens, user: User, login: AuthSession, token: str, until: datetime) -> SignedIn:
    claims = tokens.make(user.id, login.id)
    return SignedIn(tokens.write(claims), token, claims.expires_at, until, user)


async def _make_room(tx: Transaction, user_id: str, now: datetime) -> None:
    """Forget logins that are over, and end the one unused longest where there are too many."""
    mine = AuthSession.user_id == user_id
    await tx.execute(delete(AuthSession).where(mine, AuthSession.expires_at < now))
    alive = select(AuthSession.id).where(mine, AuthSession.revoked_at.is_(None))
    old = alive.order_by(AuthSession.used_at.desc()).offset(MAX_SESSIONS - 1)
    await _end(tx, user_id, list(await tx.scalars(old)), EndReason.REPLACED)


async def refresh_session(tx: Transaction, tokens: Tokens, token: str) -> SignedIn:
    """Spend a refresh token for the next one. Raises Unauthenticated.

    A token that was spent before ends its login: Reused. Within LEEWAY the token spent last is answered with the
    same successor again, so that requests in parallel share one chain.
    """
    now, spent, following = utcnow(), digest(token), tokens.following(token)
    live = select(AuthSession.id).where(AuthSession.revoked_at.is_(None), AuthSession.expires_at > now)
    unspent = (
        RefreshToken.token_hash == spent,
        RefreshToken.rotated_at.is_(None),
        RefreshToken.expires_at > now,
        RefreshToken.session_id.in_(live),
    )
    rotated = update(RefreshToken).where(*unspent).values(rotated_at=now, successor=digest(following[0]))
    session_id = await tx.scalar(rotated.returning(RefreshToken.session_id))
    if session_id is None:
        return await _spent_before(tx, tokens, spent, following, now)
    user, login = await _owner(tx, session_id)
    if not user.is_active:
        raise _over(AuthReason.REVOKED)
    login.used_at = now
    old = RefreshToken.session_id == login.id, RefreshToken.expires_at < now
    await tx.execute(delete(RefreshToken).where(*old))
    return _granted(tx, tokens, user, login, following[0], now)


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
        raise _over(AuthReason.INVALID)
    user, login = await _owner(tx, token.session_id)
    if login.revoked_at is not None or not user.is_active:
        raise _over(AuthReason.REVOKED)
    if login.expires_at <= now or token.rotated_at is None:
        raise _over(AuthReason.EXPIRED)
    next = await tx.get(RefreshToken, token.successor)
    again = [one for one in following if digest(one) == token.successor]
    if next is not None and next.rotated_at is None and again and now - token.rotated_at <= REUSE_LEEWAY:
        return _shown(tokens, user, login, again[0], next.expires_at)
    await _end(tx, user.id, [login.id], EndReason.REUSED)
    raise Reused(AuthReason.REVOKED, "The refresh token was used before: this login has been ended")


def _over(reason: AuthReason) -> Unauthenticated:
    return Unauthenticated(reason, f"Refresh token {reason.lower()}")


async def session_of_token(tx: Transaction, token: str) -> tuple[str, str]:
    """The user and the login that a refresh token belongs to, spent or not. Raises Unauthenticated."""
    query = select(AuthSession.user_id, AuthSession.id)
    query = query.join(RefreshToken, RefreshToken.session_id == AuthSession.id)
    row = (await tx.execute(query.where(RefreshToken.token_hash == digest(token)))).one_or_none()
    if row is None:
        raise _over(AuthReason.INVALID)
    return row[0], row[1]


async def end_sessions(
    tx: Transaction, user_id: str, why: EndReason, *, only: str | None = None, keep: str | None = None
) -> int:
    """End a person's logins: all, only one, or all but one. Returns how many were ended."""
    tx.set_author(ActorKind.USER, user_id)
    alive = select(AuthSession.id).where(AuthSession.user_id == user_id, AuthSession.revoked_at.is_(None))
    if only is not None:
        alive = alive.where(AuthSession.id == only)
    if keep is not None:
        alive = alive.where(AuthSession.id != keep)
    return await _end(tx, user_id, list(await tx.scalars(alive)), why)


async def _end(tx: Transaction, user_id: str, ids: list[str], why: EndReason) -> int:
    if not ids:
        return 0
    these = AuthSession.id.in_(ids), AuthSession.revoked_at.is_(None)
    ended = update(AuthSession).where(*these).values(revoked_at=utcnow()).returning(AuthSession.id)
    gone = sorted((await tx.scalars(ended)).all())
    for id in gone:
        tx.notify(access_of(id))
    if gone:
        tx.emit(user_scope(user_id), SessionsRevoked(session_ids=gone, reason=why))
    return len(gone)
