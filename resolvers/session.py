"""How signing in and out is answered."""

from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import select
from strawberry import ID

import actions.session
from auth.passwords import check_password
from kit.db.database import utcnow
from models.account import AuthSession, EndReason
from models.refusal import Forbidden, Unauthenticated
from resolvers.context import Context, Info
from resolvers.loaders import Relation

SESSIONS = Relation(
    select(AuthSession.__table__)
    .where(AuthSession.revoked_at.is_(None))
    .order_by(AuthSession.used_at.desc(), AuthSession.id.desc()),
    AuthSession.user_id,
    lambda actor: AuthSession.user_id == actor.id,
    many=True,
)


@dataclass(frozen=True)
class SignedOut:
    count: int


async def login(
    info: Info,
    username: Annotated[str, "Your username or e-mail address, whatever its case."],
    password: Annotated[str, "Your password."],
) -> Any:
    """Sign in. Send the access token as `Authorization: Bearer …`; on sockets in the payload of connection_init.

    A wrong password and an unknown name are answered alike. Ten failures a minute, for an account or from an
    address, and the next is refused with the code RATE_LIMITED.
    """
    context = info.context
    account = await actions.session.account_named(context.read, username)
    await context.refresh()  # no connection is held while the password is checked
    tries = (f"account:{account.id if account else username[:100].casefold()}", f"address:{context.network}")
    context.services.attempts.count(*tries)
    ok, renewed = await check_password(password, account.password_hash if account else None)
    if account is None or not (ok and account.is_active):
        raise actions.session.wrong_credentials()
    async with context.transaction(context.nobody) as tx:
        session = await actions.session.start_session(
            tx,
            context.services.tokens,
            account.id,
            account.password_hash,
            renewed=renewed,
            user_agent=context.user_agent,
        )
    context.services.attempts.forgive(*tries)
    return session


async def refresh_session(
    info: Info,
    refresh_token: Annotated[str, "The newest one you were given. It is good once."],
) -> Any:
    """Spend a refresh token for a new pair of tokens.

    A token that was spent before ends its login, with its open sockets: somebody else may have it. For 10
    seconds the last one spent is answered with the same successor instead, so that tabs may refresh at once.
    """
    context = info.context
    tries = f"refresh:{context.network}"
    context.services.attempts.check(tries)
    try:
        async with context.transaction(context.nobody) as tx:
            return await actions.session.refresh_session(tx, context.services.tokens, refresh_token)
    except Unauthenticated:
        context.services.attempts.count(tries)
        raise


async def logout(
    info: Info,
    session_id: Annotated[ID | None, "Another login of yours, of `viewer.sessions`."] = None,
    refresh_token: Annotated[
        str | None,
        "The login that this token is of; needs no access token, so one that expired can be ended.",
    ] = None,
) -> Any:
    """End a login, with its open sockets: the one you ask with if nothing is said.

    Ten a minute from an address that are nobody's, and the next is refused with the code RATE_LIMITED.
    """
    context = info.context
    tries = f"logout:{context.network}"
    context.services.attempts.check(tries)
    which: str | None
    try:
        if refresh_token is None:
            user_id, which = _person(context), session_id or context.actor.session_id
        async with context.transaction(context.nobody) as tx:
            if refresh_token is not None:
                user_id, which = await actions.session.session_of_token(tx, refresh_token)
            return SignedOut(
                await actions.session.end_sessions(tx, user_id, EndReason.LOGOUT, only=which) if which else 0
            )
    except Unauthenticated:
        context.services.attempts.count(tries)
        raise


async def logout_everywhere(
    info: Info,
    keep_current: Annotated[bool, "All but the one you ask with."] = False,
) -> Any:
    """End every login of yours, with their open sockets."""
    context = info.context
    user_id, keep = _person(context), context.actor.session_id if keep_current else None
    async with context.transaction() as tx:
        return SignedOut(await actions.session.end_sessions(tx, user_id, EndReason.LOGOUT, keep=keep))


def _person(context: Context) -> str:
    if not context.actor.is_person:
        raise Forbidden("A key has no logins; revoke it instead")
    return context.actor.id


async def sessions_of_viewer(info: Info) -> Any:
    """Your logins that are not over, the last used first."""
    found = await info.context.load(SESSIONS, info.context.actor.id)
    return [login for login in found if login.expires_at > utcnow()]


async def id_of_login(root: Any) -> str:
    """The id to give to `logout`."""
    return str(root.id)


async def is_current(root: Any, info: Info) -> bool:
    """Whether it is the one you ask with."""
    return bool(root.id == info.context.actor.session_id)
