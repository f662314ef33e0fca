"""Who asks: from the Authorization of a request or a socket to an actor, and how long that holds.

A person's access token is a signed JWT, and still every request asks whether its login lives: one statement.
A key is looked up by its hash. A run's credential is a signed pass that names the run and one attempt of it, and
is good while that attempt is open, which every request asks. Nothing is remembered between two requests, so
nothing revoked is let in.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, select

from auth.board_version import HASH, SEEN_BY_KEY, SEEN_BY_PERSON, BoardVersion
from auth.passwords import digest
from auth.services import Services
from auth.tokens import Expired, Forged
from kit.db.database import Id, utcnow
from kit.queue import Attempt
from models.account import KEY_PREFIX, ApiKey, AuthReason, AuthSession, User
from models.actor import Actor, ActorKind, Scope
from models.refusal import Unauthenticated
from models.run import RUN_PASS, RUN_PREFIX, Run

LOGIN = (
    select(User.is_active, AuthSession.revoked_at, AuthSession.expires_at)
    .join(AuthSession, AuthSession.user_id == User.id)
    .where(AuthSession.id == bindparam("session_id", type_=Id))
)
KEY = select(ApiKey.__table__).where(ApiKey.key_hash == HASH)


async def identify(
    services: Services, authorization: str | None, *, standing: BoardVersion | None = None
) -> tuple[Actor | None, Unauthenticated | None]:
    """The actor, or why there is none. Without a credential there is none, whatever the address or the headers.

    `standing`: is told how a board stands, in the same statement. An agent of a run, who sees one card, learns
    nothing of it.
    """
    if not authorization:
        return None, None
    scheme, _, credential = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not credential:
        return None, refused(AuthReason.INVALID)
    try:
        if credential.startswith(KEY_PREFIX):
            return await _key(services, credential, standing), None
        if credential.startswith(RUN_PREFIX):
            return await _run(services, credential), None
        return await _person(services, credential, standing), None
    except Unauthenticated as why:
        return None, why


def refused(reason: AuthReason) -> Unauthenticated:
    return Unauthenticated(reason, f"Token {reason.lower()}")


async def _person(services: Services, token: str, standing: BoardVersion | None) -> Actor:
    try:
        claims = services.tokens.read(token)
    except Expired:
        raise refused(AuthReason.EXPIRED) from None
    except Forged:
        raise refused(AuthReason.INVALID) from None
    await _check_login(services, claims.session_id, claims.user_id, standing)
    return Actor(ActorKind.USER, claims.user_id, session_id=claims.session_id, expires_at=claims.expires_at)


async def _check_login(
    services: Services, session_id: str, user_id: str = "", standing: BoardVersion | None = None
) -> None:
    statement, values = standing.beside(LOGIN, SEEN_BY_PERSON) if standing else (LOGIN, {})
    given = {**values, "session_id": session_id} | ({"actor_id": user_id} if standing else {})
    rows = await services.database.read(statement, given)
    if not rows or not rows[0].is_active:
        raise refused(AuthReason.REVOKED)
    check_times(rows[0])
    if standing:
        standing.told(rows[0])


def check_times(row: Any) -> None:
    if row.revoked_at is not None:
        raise refused(AuthReason.REVOKED)
    if row.expires_at is not None and row.expires_at <= utcnow():
        raise refused(AuthReason.EXPIRED)


async def _key(services: Services, credential: str, standing: BoardVersion | None) -> Actor:
    statement, values = standing.beside(KEY, SEEN_BY_KEY) if standing else (KEY, {})
    rows = await services.database.read(statement, {**values, "key_hash": digest(credential)})
    if not rows:
        raise refused(AuthReason.INVALID)
    key = rows[0]
    check_times(key)
    if standing:
        standing.told(key)
    services.uses.note(key.id)
    scopes = frozenset(Scope(scope) for scope in key.scopes)
    kind = ActorKind.WORKER if Scope.WORKER in scopes else ActorKind.AGENT
    return Actor(kind, key.id, key.workspace_id, key.board_id, scopes, expires_at=key.expires_at)


async def _check_key(services: Services, id: str) -> None:
    rows = await services.database.read(select(ApiKey.revoked_at, ApiKey.expires_at).where(ApiKey.id == id))
    if not rows:
        raise refused(AuthReason.REVOKED)
    check_times(rows[0])


async def _run(services: Services, credential: str) -> Actor:
    try:
        says = services.tokens.open_pass(RUN_PASS, credential.removeprefix(RUN_PREFIX))
        actor = Actor(
            ActorKind.AGENT,
            says["run"],
            says["workspace"],
            says["board"],
            frozenset({Scope.WRITE}),
            expires_at=datetime.fromtimestamp(says["exp"], UTC),
            card_id=says["card"],
            attempt=says["attempt"],
        )
    except Expired:
        raise refused(AuthReason.EXPIRED) from None
    except (Forged, KeyError):
        raise refused(AuthReason.INVALID) from None
    await _check_attempt(services, actor)
    return actor


async def _check_attempt(services: Services, actor: Actor) -> None:
    """The run's row is looked for too: its board or card may have been deleted with it."""
    query = select(Run.id).join(Attempt, Attempt.job_id == Run.id)
    mine = Attempt.job_id == actor.run_id, Attempt.number == actor.attempt, Attempt.ended_at.is_(None)
    if not await services.database.read(query.where(*mine)):
        raise refused(AuthReason.REVOKED)


async def check(services: Services, actor: Actor) -> None:
    """Raise Unauthenticated unless what the actor signed in with still holds. One statement."""
    if actor.session_id is not None:
        await _check_login(services, actor.session_id)
    elif actor.run_id is not None:
        await _check_attempt(services, actor)
    else:
        await _check_key(services, actor.id)
