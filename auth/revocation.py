"""Whether what somebody signed in with still holds, looked at while a socket or a stream is open.

Sockets are many, and a wake may be for all of them: on one SQLite file every write is. So everybody is asked about
together, in a statement for each kind of credential, and between two looks nobody costs more than an entry here.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import literal, select

from auth.authentication import check_times
from auth.services import Services
from kit.db.database import Keys, among
from kit.queue import Attempt
from models.account import ApiKey, AuthSession, User, access_of
from models.actor import Actor
from models.refusal import Unauthenticated
from models.run import Run

log = logging.getLogger("signalbox.identity")

CHECK_INTERVAL_SECONDS = 60.0  # seconds at most between two looks whether open sockets may stay
CHECK_INTERVAL_ALONE_SECONDS = 4.0  # the same while nothing is sure to say that access has ended
RETRY_SECONDS = 2.0  # seconds until the next look when the database did not answer
MAX_BATCH_SIZE = 500  # asked about at once

End = Callable[[], None]


async def ended(services: Services, actors: Collection[Actor]) -> set[Actor]:
    """Those of the actors whose access has ended: revoked, expired, or gone."""
    found = set(actors)
    for of_kind, query, holds in KINDS:
        mine = {actor for actor in actors if of_kind(actor)}
        if mine:
            ids = sorted({actor.session_id or actor.id for actor in mine})
            rows = {
                row[0]: row
                for row in await services.database.read(query(literal(ids, Keys())))
                if _is_open(row)
            }
            found -= {actor for actor in mine if holds(actor, rows.get(actor.session_id or actor.id))}
    return found


def _is_open(row: Any) -> bool:
    if not hasattr(row, "revoked_at"):
        return True
    try:
        check_times(row)
    except Unauthenticated:
        return False
    return True


def _logins(ids: Any) -> Any:
    query = select(AuthSession.id, AuthSession.revoked_at, AuthSession.expires_at)
    query = query.join(User, User.id == AuthSession.user_id)
    return query.where(among(AuthSession.id, ids), User.is_active)


def _runs(ids: Any) -> Any:
    # An attempt is open alone; the run's row is looked for too: its board or card may have been deleted with it.
    query = select(Attempt.job_id, Attempt.number).join(Run, Run.id == Attempt.job_id)
    return query.where(among(Attempt.job_id, ids), Attempt.ended_at.is_(None))


def _keys(ids: Any) -> Any:
    return select(ApiKey.id, ApiKey.revoked_at, ApiKey.expires_at).where(among(ApiKey.id, ids))


def _is_there(actor: Actor, row: Any) -> bool:
    return row is not None


Kind = tuple[Callable[[Actor], bool], Callable[[Any], Any], Callable[[Actor, Any], bool]]
KINDS: tuple[Kind, ...] = (
    (lambda actor: actor.session_id is not None, _logins, _is_there),
    (
        lambda actor: actor.run_id is not None,
        _runs,
        lambda actor, row: row is not None and row.number == actor.attempt,
    ),
    (
        lambda actor: actor.session_id is None and actor.run_id is None,
        _keys,
        _is_there,
    ),
)


class RevocationWatcher:
    """Everybody whose access is watched in this process.

    Looks at the database when somebody begins to be watched, when something says that an access may have ended (in
    any process), and every LOOK seconds, or LOOK_DEAF while the bus is down. A database that does not answer ends
    nothing.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._ends: dict[Actor, dict[object, End]] = {}
        self._deafen: dict[Actor, End] = {}
        self._asked: set[Actor] = set()  # to be looked at
        self._looking: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, actor: Actor, end: End) -> End:
        """Call `end` once the access of an actor has ended, unless what this returns was called before."""
        if actor not in self._ends:
            self._ends[actor] = {}
            name = access_of(actor.session_id or actor.id)
            self._deafen[actor] = self._services.event_log.pubsub.call(name, lambda: self._ask(actor))
        key = object()
        self._ends[actor][key] = end
        self._ask(actor)
        return lambda: self._leave(actor, key)

    def _leave(self, actor: Actor, key: object) -> None:
        ends = self._ends.get(actor, {})
        ends.pop(key, None)
        if not ends and actor in self._ends:
            del self._ends[actor]
            self._deafen.pop(actor)()
        if not self._ends and self._timer is not None:
            self._timer.cancel()

    def stop(self) -> None:
        for one in (self._timer, self._looking):
            if one is not None:
                one.cancel()
        self._timer = self._looking = None

    def _ask(self, actor: Actor) -> None:
        """Have an actor looked at, by a look that begins after this."""
        self._asked.add(actor)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    def _ask_all(self) -> None:
        for actor in self._ends:
            self._ask(actor)

    async def _look(self) -> None:
        wait = RETRY_SECONDS
        while self._asked:
            asked = [self._asked.pop() for _ in range(min(MAX_BATCH_SIZE, len(self._asked)))]
            wait = await self._look_at([actor for actor in asked if actor in self._ends])
        self._looking = None
        if self._timer is not None:
            self._timer.cancel()
        if self._ends:
            self._timer = asyncio.get_running_loop().call_later(wait, self._ask_all)

    async def _look_at(self, actors: list[Actor]) -> float:
        """Tell those whose access has ended; return how many seconds until all are looked at again."""
        services = self._services
        try:
            gone = await ended(services, actors)
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
        for actor in gone:
            for key, end in list(self._ends.get(actor, {}).items()):
                self._leave(actor, key)
                end()
        return CHECK_INTERVAL_SECONDS if services.event_log.pubsub.healthy else CHECK_INTERVAL_ALONE_SECONDS


class CredentialWatch:
    """Ends when what an actor signed in with is no longer good."""

    def __init__(self, accesses: RevocationWatcher, actor: Actor) -> None:
        self._accesses, self._actor = accesses, actor

    def watch(self, end: End) -> End:
        return self._accesses.watch(self._actor, end)
