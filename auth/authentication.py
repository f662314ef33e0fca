"""Authentication: from the Authorization header to an actor, checked on every request.

A person's access token is a signed JWT; one statement checks that its login has not ended. An API key is looked up
by its hash. A run's credential is a signed pass that names the run and one attempt of it, and is valid while that
attempt is open. Nothing is cached between requests, so a revoked credential is refused at once.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, select

from auth.board_version import KEY_HASH, SEEN_BY_KEY, SEEN_BY_PERSON, BoardVersion
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
KEY = select(ApiKey.__table__).where(ApiKey.key_hash == KEY_HASH)


async def identify(
    services: Services, authorization: str | None, *, board_version: BoardVersion | None = None
) -> tuple[Actor | None, Unauthenticated | None]:
    """Return the actor, or the reason why a credential was refused; neither without a credential.

    board_version: is read in the same statement, unless the caller is the agent of a run, which sees one card only.
    """
    if not authorization:
        return None, None
    scheme, _, credential = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not credential:
        return None, make_refusal(AuthReason.INVALID)
    try:
        if credential.startswith(KEY_PREFIX):
            return await _authenticate_key(services, credential, board_version), None
        if credential.startswith(RUN_PREFIX):
            return await _authenticate_run(services, credential), None
        return await _authenticate_person(services, credential, board_version), None
    except Unauthenticated as failure:
        return None, failure


def make_refusal(reason: AuthReason) -> Unauthenticated:
    """Make the refusal of a credential."""
    return Unauthenticated(reason, f"Token {reason.lower()}")


async def _authenticate_person(services: Services, token: str, board_version: BoardVersion | None) -> Actor:
    try:
        claims = services.tokens.read(token)
    except Expired:
        raise make_refusal(AuthReason.EXPIRED) from None
    except Forged:
        raise make_refusal(AuthReason.INVALID) from None
    await _check_login(services, claims.session_id, claims.user_id, board_version)
    return Actor(ActorKind.USER, claims.user_id, session_id=claims.session_id, expires_at=claims.expires_at)


async def _check_login(
    services: Services, session_id: str, user_id: str = "", board_version: BoardVersion | None = None
) -> None:
    statement, values = board_version.add_to(LOGIN, SEEN_BY_PERSON) if board_version else (LOGIN, {})
    parameters = {**values, "session_id": session_id} | ({"actor_id": user_id} if board_version else {})
    rows = await services.database.read(statement, parameters)
    if not rows or not rows[0].is_active:
        raise make_refusal(AuthReason.REVOKED)
    check_not_ended(rows[0])
    if board_version:
        board_version.read_from(rows[0])


def check_not_ended(row: Any) -> None:
    """Raise Unauthenticated if a login or key was revoked or has expired."""
    if row.revoked_at is not None:
        raise make_refusal(AuthReason.REVOKED)
    if row.expires_at is not None and row.expires_at <= utcnow():
        raise make_refusal(AuthReason.EXPIRED)


async def _authenticate_key(services: Services, credential: str, board_version: BoardVersion | None) -> Actor:
    statement, values = board_version.add_to(KEY, SEEN_BY_KEY) if board_version else (KEY, {})
    rows = await services.database.read(statement, {**values, "key_hash": digest(credential)})
    if not rows:
        raise make_refusal(AuthReason.INVALID)
    key = rows[0]
    check_not_ended(key)
    if board_version:
        board_version.read_from(key)
    services.uses.record(key.id)
    scopes = frozenset(Scope(scope) for scope in key.scopes)
    kind = ActorKind.WORKER if Scope.WORKER in scopes else ActorKind.AGENT
    return Actor(kind, key.id, key.workspace_id, key.board_id, scopes, expires_at=key.expires_at)


async def _check_key(services: Services, id: str) -> None:
    rows = await services.database.read(select(ApiKey.revoked_at, ApiKey.expires_at).where(ApiKey.id == id))
    if not rows:
        raise make_refusal(AuthReason.REVOKED)
    check_not_ended(rows[0])


async def _authenticate_run(services: Services, credential: str) -> Actor:
    try:
        claims = services.tokens.read_pass(RUN_PASS, credential.removeprefix(RUN_PREFIX))
        actor = Actor(
            ActorKind.AGENT,
            claims["run"],
            claims["workspace"],
            claims["board"],
            frozenset({Scope.WRITE}),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            card_id=claims["card"],
            attempt=claims["attempt"],
        )
    except Expired:
        raise make_refusal(AuthReason.EXPIRED) from None
    except (Forged, KeyError):
        raise make_refusal(AuthReason.INVALID) from None
    await _check_attempt(services, actor)
    return actor


async def _check_attempt(services: Services, actor: Actor) -> None:
    # Joins the run: its board or card may have been deleted, and the run with it.
    query = select(Run.id).join(Attempt, Attempt.job_id == Run.id)
    open_attempt = Attempt.job_id == actor.run_id, Attempt.number == actor.attempt, Attempt.ended_at.is_(None)
    if not await services.database.read(query.where(*open_attempt)):
        raise make_refusal(AuthReason.REVOKED)


async def check_credential(services: Services, actor: Actor) -> None:
    """Raise Unauthenticated unless the actor's credential is still valid. One statement."""
    if actor.session_id is not None:
        await _check_login(services, actor.session_id)
    elif actor.run_id is not None:
        await _check_attempt(services, actor)
    else:
        await _check_key(services, actor.id)
