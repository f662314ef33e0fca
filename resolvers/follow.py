"""Following and waiting: the loops that subscriptions and long polls share.

A loop clears its listener before it reads, so that a commit during the read is not missed, and holds no connection
while it waits. A poll finds what no message announced.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import TypeVar

from auth.subscriber_access import SelectViewers, can_see
from kit.eventlog.event_log import retry_while_unavailable
from kit.graphql.broadcast.broadcast import AccessByMember, Audience
from resolvers.context import Context

POLL_INTERVAL_SECONDS = 5.0  # between two attempts of a long poll that nothing woke
T = TypeVar("T")


async def recheck_access(
    context: Context, group: Audience, select_viewers: SelectViewers | None, id: str
) -> AccessByMember:
    """Return which members of a group may go on, and whether its founder may, at the moment of the context."""
    actors = {context.actor, *group.people}
    if select_viewers is None:
        return dict.fromkeys(actors, True)
    people = sorted({actor.id for actor in actors})
    viewers = frozenset(row[0] for row in await context.read(select_viewers(id, people)))
    return {actor: can_see(actor, viewers) for actor in actors}


async def read_anew(context: Context, read: Callable[[], Awaitable[T]]) -> T:
    """Read from a new snapshot, and hold no connection afterwards."""
    await context.refresh()  # a read that failed may have left one
    try:
        return await read()
    finally:
        await context.refresh()


async def watch(
    context: Context,
    topic: str,
    read: Callable[[], Awaitable[T | None]],
    *,
    min_interval_seconds: float = 0,
) -> AsyncGenerator[tuple[T, bool], None]:
    """Yield what `read` finds, now and whenever `topic` is notified or polled; end once it finds nothing.

    The second value says whether a notification caused the read.
    """
    pubsub = context.services.event_log.pubsub
    is_notified = False
    with pubsub.listen(topic) as listener:
        while True:
            listener.clear()
            state = await retry_while_unavailable(partial(read_anew, context, read))
            if state is None:
                return
            yield state, is_notified
            if min_interval_seconds:
                await asyncio.sleep(min_interval_seconds)
            is_notified = await listener.wait(pubsub.poll)


async def long_poll(
    context: Context, topic: str, seconds: float, attempt: Callable[[bool], Awaitable[tuple[T, bool]]]
) -> T:
    """Return what `attempt` finds as soon as it is complete, or after `seconds` as it is then.

    `attempt` gets whether it is the first, and returns what it found and whether that is complete.
    """
    deadline = time.monotonic() + seconds
    is_first = True
    with context.services.event_log.pubsub.listen(topic) as listener:
        while True:
            listener.clear()
            result, is_complete = await attempt(is_first)
            left = deadline - time.monotonic()
            if is_complete or left <= 0:
                return result
            await context.refresh()  # no connection is held while waiting
            await listener.wait(min(left, POLL_INTERVAL_SECONDS))
            is_first = False
