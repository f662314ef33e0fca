"""Revocation: ends open sockets and streams once the credential of their caller is no longer valid.

Sockets are many, and on one SQLite file every write notifies all of them. So their credentials are checked
together, with one statement for each kind, and between two checks a socket costs an entry in a dictionary.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import literal, select

from auth.authentication import check_not_ended
from auth.services import Services
from kit.db.database import Keys, among
from kit.queue import Attempt
from models.account import ApiKey, AuthSession, User, access_of
from models.actor import Actor
from models.refusal import Unauthenticated
from models.run import Run

log = logging.getLogger("signalbox.identity")

CHECK_INTERVAL_SECONDS = 60.0  # between two checks of all watched actors
CHECK_INTERVAL_WITHOUT_BUS_SECONDS = 4.0  # the same while notifications may be lost
RETRY_SECONDS = 2.0  # until the next check when the database did not answer
MAX_BATCH_SIZE = 500  # actors in one check

End = Callable[[], None]


async def find_ended(services: Services, actors: Collection[Actor]) -> set[Actor]:
    """Return the actors whose credential was revoked, has expired, or was deleted."""
    ended = set(actors)
    for is_of_kind, select_valid, is_valid in CREDENTIAL_KINDS:
        matching = {actor for actor in actors if is_of_kind(actor)}
        if matching:
            ids = sorted({actor.session_id or actor.id for actor in matching})
            rows = {
                row[0]: row
                for row in await services.database.read(select_valid(literal(ids, Keys())))
                if _is_not_ended(row)
            }
            ended -= {actor for actor in matching if is_valid(actor, rows.get(actor.session_id or actor.id))}
    return ended


def _is_not_ended(row: Any) -> bool:
    if not hasattr(row, "revoked_at"):
        return True
    try:
        check_not_ended(row)
    except Unauthenticated:
        return False
    return True


def _select_logins(ids: Any) -> Any:
    query = select(AuthSession.id, AuthSession.revoked_at, AuthSession.expires_at)
    query = query.join(User, User.id == AuthSession.user_id)
    return query.where(among(AuthSession.id, ids), User.is_active)


def _select_attempts(ids: Any) -> Any:
    # Joins the run: its board or card may have been deleted, and the run with it.
    query = select(Attempt.job_id, Attempt.number).join(Run, Run.id == Attempt.job_id)
    return query.where(among(Attempt.job_id, ids), Attempt.ended_at.is_(None))


def _select_keys(ids: Any) -> Any:
    return select(ApiKey.id, ApiKey.revoked_at, ApiKey.expires_at).where(among(ApiKey.id, ids))


def _exists(actor: Actor, row: Any) -> bool:
    return row is not None


CredentialKind = tuple[Callable[[Actor], bool], Callable[[Any], Any], Callable[[Actor, Any], bool]]
CREDENTIAL_KINDS: tuple[CredentialKind, ...] = (
    (lambda actor: actor.session_id is not None, _select_logins, _exists),
    (
        lambda actor: actor.run_id is not None,
        _select_attempts,
        lambda actor, row: row is not None and row.number == actor.attempt,
    ),
    (
        lambda actor: actor.session_id is None and actor.run_id is None,
        _select_keys,
        _exists,
    ),
)


class RevocationWatcher:
    """Watches the credentials of the actors with open sockets and streams in this process.

    Checks an actor when it is first watched and when any process announces that its access may have ended, and all
    of them every CHECK_INTERVAL_SECONDS, or CHECK_INTERVAL_WITHOUT_BUS_SECONDS while the bus is down. A database
    that does not answer ends nothing.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._ends: dict[Actor, dict[object, End]] = {}
        self._unlisten: dict[Actor, End] = {}
        self._due: set[Actor] = set()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, actor: Actor, end: End) -> End:
        """Call `end` once the access of an actor has ended. Returns a function that stops the watch."""
        if actor not in self._ends:
            self._ends[actor] = {}
            name = access_of(actor.session_id or actor.id)
            self._unlisten[actor] = self._services.event_log.pubsub.call(name, lambda: self._schedule(actor))
        key = object()
        self._ends[actor][key] = end
        self._schedule(actor)
        return lambda: self._unwatch(actor, key)

    def _unwatch(self, actor: Actor, key: object) -> None:
        ends = self._ends.get(actor, {})
        ends.pop(key, None)
        if not ends and actor in self._ends:
            del self._ends[actor]
            self._unlisten.pop(actor)()
        if not self._ends and self._timer is not None:
            self._timer.cancel()

    def stop(self) -> None:
        """Stop checking."""
        for pending in (self._timer, self._task):
            if pending is not None:
                pending.cancel()
        self._timer = self._task = None

    def _schedule(self, actor: Actor) -> None:
        """Have an actor checked by a statement that begins after this call."""
        self._due.add(actor)
        if self._task is None:
            self._task = asyncio.create_task(self._check_due())

    def _schedule_all(self) -> None:
        for actor in self._ends:
            self._schedule(actor)

    async def _check_due(self) -> None:
        wait = RETRY_SECONDS
        while self._due:
            batch = [self._due.pop() for _ in range(min(MAX_BATCH_SIZE, len(self._due)))]
            wait = await self._check([actor for actor in batch if actor in self._ends])
        self._task = None
        if self._timer is not None:
            self._timer.cancel()
        if self._ends:
            self._timer = asyncio.get_running_loop().call_later(wait, self._schedule_all)

    async def _check(self, actors: list[Actor]) -> float:
        """End the watches of actors whose access has ended. Returns the seconds until all are checked again."""
        services = self._services
        try:
            ended = await find_ended(services, actors)
        except Exception as error:
            if not services.is_blind:
                log.warning(
                    "access not checked until the database answers", extra={"type": type(error).__qualname__}
                )
            services.is_blind = True
            return RETRY_SECONDS
        if services.is_blind:
            log.info("access is checked again")
        services.is_blind = False
        for actor in ended:
            for key, end in list(self._ends.get(actor, {}).items()):
                self._unwatch(actor, key)
                end()
        return (
            CHECK_INTERVAL_SECONDS
            if services.event_log.pubsub.healthy
            else CHECK_INTERVAL_WITHOUT_BUS_SECONDS
        )


class CredentialWatch:
    """Watches the credential of one actor."""

    def __init__(self, watcher: RevocationWatcher, actor: Actor) -> None:
        self._watcher, self._actor = watcher, actor

    def watch(self, end: End) -> End:
        return self._watcher.watch(self._actor, end)
