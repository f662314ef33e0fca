"""Signing in and out: mutations that count failed attempts, and hash passwords outside of their transaction."""

from collections.abc import Sequence
from typing import Annotated

from sqlalchemy import select
from strawberry import ID, Parent

import actions.session
from actions.second_factor import require_second_factor
from actions.session import SignedIn, SignedOut
from auth.passwords import check_password
from kit.db.database import utcnow
from models.account import AuthSession, EndReason
from models.refusal import Unauthenticated
from resolvers.context import Info
from resolvers.loaders import Relation

SESSIONS = Relation[Sequence[AuthSession]](
    select(AuthSession.__table__)
    .where(AuthSession.revoked_at.is_(None))
    .order_by(AuthSession.used_at.desc(), AuthSession.id.desc()),
    AuthSession.user_id,
    lambda actor: AuthSession.user_id == actor.id,
    many=True,
)


async def login(
    info: Info,
    username: Annotated[str, "Your username or e-mail address, ignoring case."],
    password: Annotated[str, "Your password."],
    code: Annotated[str | None, "A code of your second factor, or a recovery code, if you have one."] = None,
) -> SignedIn:
    """Sign in. Send the access token as `Authorization: Bearer …`; on sockets, in the payload of connection_init.

    Raises Unauthenticated alike for a wrong password and an unknown name, and with the reason SECOND_FACTOR if the
    account asks for a code, too. After ten failures in a minute for an
    account or an address, further calls raise RATE_LIMITED.
    """
    context = info.context
    account = await actions.session.account_named(context.read, username)
    await context.refresh()  # holds no connection while the password is checked
    attempts = (
        f"account:{account.id if account else username[:100].casefold()}",
        f"address:{context.caller.network}",
    )
    context.services.attempts.count(*attempts)
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
            user_agent=context.caller.user_agent,
            second_factor=lambda user: require_second_factor(tx, context.services.secrets, user, code),
        )
    context.services.attempts.forgive(*attempts)
    return session


async def redeem_sign_in_link(
    info: Info,
    token: Annotated[str, "The text after `#token=` in the link."],
) -> SignedIn:
    """Sign in with a one-time link that `python server.py link`, `demo` or a first `serve` printed.

    After ten failures in a minute for an address, further calls raise RATE_LIMITED.
    """
    context = info.context
    attempt = f"link:{context.caller.network}"
    context.services.attempts.count(attempt)
    async with context.transaction(context.nobody) as tx:
        session = await actions.session.redeem_sign_in_link(
            tx, context.services.tokens, token, user_agent=context.caller.user_agent
        )
    context.services.attempts.forgive(attempt)
    return session


async def refresh_session(
    info: Info,
    refresh_token: Annotated[str, "Your newest refresh token. It is valid once."],
) -> SignedIn:
    """Exchange a refresh token for a new pair of tokens.

    A token that was spent before ends its login and closes its connections, since it may be stolen. For 10
    seconds the token spent last is answered with the same successor instead, so that tabs may refresh concurrently.
    Raises Unauthenticated.
    """
    context = info.context
    attempt = f"refresh:{context.caller.network}"
    context.services.attempts.check(attempt)
    try:
        async with context.transaction(context.nobody) as tx:
            return await actions.session.refresh_session(tx, context.services.tokens, refresh_token)
    except Unauthenticated:
        context.services.attempts.count(attempt)
        raise


async def logout(
    info: Info,
    session_id: Annotated[ID | None, "Another login of yours, from `viewer.sessions`."] = None,
    refresh_token: Annotated[
        str | None,
        "The login of this refresh token. Needs no access token, so an expired login can be ended.",
    ] = None,
) -> SignedOut:
    """End a login and close its connections; by default the login of this request.

    Raises Unauthenticated for an unknown token. After ten of them in a minute from an address, further calls raise
    RATE_LIMITED.
    """
    context = info.context
    attempt = f"logout:{context.caller.network}"
    context.services.attempts.check(attempt)
    only: str | None
    try:
        if refresh_token is None:
            actions.session.require_person(context.actor)
            user_id, only = context.actor.id, session_id or context.actor.session_id
        async with context.transaction(context.nobody) as tx:
            if refresh_token is not None:
                user_id, only = await actions.session.session_of_token(tx, refresh_token)
            if only is None:
                return SignedOut(0)
            return await actions.session.end_sessions(tx, user_id, EndReason.LOGOUT, only=only)
    except Unauthenticated:
        context.services.attempts.count(attempt)
        raise


async def sessions_of_viewer(info: Info) -> list[AuthSession]:
    """Your active logins, most recently used first."""
    logins = await info.context.load(SESSIONS, info.context.actor.id)
    return [login for login in logins if login.expires_at > utcnow()]


async def id_of_login(root: Parent[AuthSession]) -> str:
    """The id to give to `logout`."""
    return root.id


async def is_current(root: Parent[AuthSession], info: Info) -> bool:
    """Whether it is the login of this request."""
    return root.id == info.context.actor.session_id
