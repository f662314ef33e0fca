"""Who asks: from the Authorization of a request or a socket to an actor, and how long that holds.

A person's access token is a signed JWT, and still every request asks whether its login lives: one statement.
A key is looked up by its hash. A run's credential is a signed pass that names the run and one attempt of it, and
is good while that attempt is open, which every request asks. Nothing is remembered between two requests, so
nothing revoked is let in.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, select

from models.account import KEY_PREFIX, ApiKey, AuthReason, AuthSession, User
from models.actor import Actor, ActorKind, Scope
from models.refusal import Unauthenticated
from models.run import RUN_PASS, RUN_PREFIX, Run
from resolvers.context import House
from resolvers.standing import HASH, SEEN_BY_KEY, SEEN_BY_PERSON, Standing
from runtime.database import Id, utcnow
from runtime.passwords import digest
from runtime.queue import Attempt
from runtime.tokens import Expired, Forged

LOGIN = (
    select(User.is_active, AuthSession.revoked_at, AuthSession.expires_at)
    .join(AuthSession, AuthSession.user_id == User.id)
    .where(AuthSession.id == bindparam("session_id", type_=Id))
)
KEY = select(ApiKey.__table__).where(ApiKey.key_hash == HASH)


async def identify(
    house: House, authorization: str | None, *, proxied: bool = False, standing: Standing | None = None
) -> tuple[Actor | None, Unauthenticated | None]:
    """The actor, or why there is none. Without a credential that is the local owner, if there is one.

    `proxied`: the request came through a proxy, so that nobody knows from where; it is never the local owner's.
    `standing`: is told how a board stands, in the same statement. An agent of a run, who sees one card, learns
    nothing of it.
    """
    if not authorization:
        return (None if proxied else await _local(house, standing)), None
    scheme, _, credential = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not credential:
        return None, refused(AuthReason.INVALID)
    try:
        if credential.startswith(KEY_PREFIX):
            return await _key(house, credential, standing), None
        if credential.startswith(RUN_PREFIX):
            return await _run(house, credential), None
        return await _person(house, credential, standing), None
    except Unauthenticated as why:
        return None, why


async def _local(house: House, standing: Standing | None) -> Actor | None:
    actor = house.local_owner
    if actor is not None and standing is not None:
        statement, values = standing.beside(None, SEEN_BY_PERSON)
        [row] = await house.database.read(statement, {**values, "actor_id": actor.id})
        standing.told(row)
    return actor


def refused(reason: AuthReason) -> Unauthenticated:
    return Unauthenticated(reason, f"Token {reason.lower()}")


async def _person(house: House, token: str, standing: Standing | None) -> Actor:
    try:
        claims = house.tokens.read(token)
    except Expired:
        raise refused(AuthReason.EXPIRED) from None
    except Forged:
        raise refused(AuthReason.INVALID) from None
    await _check_login(house, claims.session_id, claims.user_id, standing)
    return Actor(ActorKind.USER, claims.user_id, session_id=claims.session_id, expires_at=claims.expires_at)


async def _check_login(
    house: House, session_id: str, user_id: str = "", standing: Standing | None = None
) -> None:
    statement, values = standing.beside(LOGIN, SEEN_BY_PERSON) if standing else (LOGIN, {})
    given = {**values, "session_id": session_id} | ({"actor_id": user_id} if standing else {})
    rows = await house.database.read(statement, given)
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


async def _key(house: House, credential: str, standing: Standing | None) -> Actor:
    statement, values = standing.beside(KEY, SEEN_BY_KEY) if standing else (KEY, {})
    rows = await house.database.read(statement, {**values, "key_hash": digest(credential)})
    if not rows:
        raise refused(AuthReason.INVALID)
    key = rows[0]
    check_times(key)
    if standing:
        standing.told(key)
    house.uses.note(key.id)
    scopes = frozenset(Scope(scope) for scope in key.scopes)
    kind = ActorKind.WORKER if Scope.WORKER in scopes else ActorKind.AGENT
    return Actor(kind, key.id, key.workspace_id, key.board_id, scopes, expires_at=key.expires_at)


async def _check_key(house: House, id: str) -> None:
    rows = await house.database.read(select(ApiKey.revoked_at, ApiKey.expires_at).where(ApiKey.id == id))
    if not rows:
        raise refused(AuthReason.REVOKED)
    check_times(rows[0])


async def _run(house: House, credential: str) -> Actor:
    try:
        says = house.tokens.open_pass(RUN_PASS, credential.removeprefix(RUN_PREFIX))
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
    await _check_attempt(house, actor)
    return actor


async def _check_attempt(house: House, actor: Actor) -> None:
    """The run's row is looked for too: its board or card may have been deleted with it."""
    query = select(Run.id).join(Attempt, Attempt.job_id == Run.id)
    mine = Attempt.job_id == actor.run_id, Attempt.number == actor.attempt, Attempt.ended_at.is_(None)
    if not await house.database.read(query.where(*mine)):
        raise refused(AuthReason.REVOKED)


async def _check_local(house: House, id: str) -> None:
    local = User.is_local, User.password_hash.is_(None), User.is_active
    if not await house.database.read(select(User.id).where(User.id == id, *local)):
        raise refused(AuthReason.REVOKED)


async def check(house: House, actor: Actor) -> None:
    """Raise Unauthenticated unless what the actor signed in with still holds. One statement."""
    if actor.session_id is not None:
        await _check_login(house, actor.session_id)
    elif actor.is_person:
        await _check_local(house, actor.id)
    elif actor.run_id is not None:
        await _check_attempt(house, actor)
    else:
        await _check_key(house, actor.id)
