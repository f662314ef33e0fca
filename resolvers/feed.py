"""Feeds: replay from a cursor, then follow, looking again and again whether the reader may."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import Annotated, Any

from sqlalchemy import select
from strawberry import ID

from auth.subscriber_access import Who, of_board, of_workspace
from kit.eventlog.event_log import START, Cursor, retry_while_unavailable
from kit.eventlog.tables import Event, Topic
from kit.graphql.broadcast.broadcast import FeedPosition, Group, share_subscription
from models.event import EventKind, board_topic, user_topic, workspace_topic
from models.refusal import Forbidden, NotFound
from resolvers.board import BOARD
from resolvers.context import Context, Info
from resolvers.follow import recheck_access
from resolvers.workspace import WORKSPACE

MAX_EVENTS_PER_SNAPSHOT = 25  # events that a group is told from one moment, which must be short
MAX_OWN_EVENTS = 50  # of a person's own events, looked through for how a membership ended

After = Annotated[
    str | None,
    'Everything after this cursor, then what follows. "0" is the start of the feed, nothing said is now.',
]


async def board_feed(
    info: Info,
    board_id: Annotated[ID, "Which board."],
    after: After = None,
) -> AsyncGenerator[Any, None]:
    """What happens on a board: everything missed since `after`, then each event as it commits.

    Numbers are dense: if `seq` ever jumps, something was lost on the way. The feed ends when the board is
    deleted, which is its last event, or you may no longer see it. A cursor that is too old or of another
    feed is an error with the code CURSOR_EXPIRED or CURSOR_UNKNOWN.
    """
    if info.context.actor.run_id is not None:
        raise Forbidden("A run's credential follows its run, not its board")

    async def seen() -> bool:
        return await info.context.load(BOARD, board_id) is not None

    async with aclosing(
        _follow(info, board_topic(board_id), board_id, after, seen, EventKind.BOARD_DELETED, of_board)
    ) as events:
        async for event in events:
            yield event


async def workspace_feed(
    info: Info,
    workspace_id: Annotated[ID, "Which workspace."],
    after: After = None,
) -> AsyncGenerator[Any, None]:
    """What happens in a workspace: its boards, members, labels and keys. Works as `boardFeed` does."""
    if info.context.actor.board_id is not None:
        raise Forbidden("A key of one board follows that board")

    async def seen() -> bool:
        return await info.context.load(WORKSPACE, workspace_id) is not None

    topic = workspace_topic(workspace_id)
    async with aclosing(
        _follow(info, topic, workspace_id, after, seen, EventKind.WORKSPACE_DELETED, of_workspace)
    ) as events:
        async for event in events:
            yield event


async def user_feed(info: Info, after: After = None) -> AsyncGenerator[Any, None]:
    """What concerns you: assignments, memberships, your sessions. Works as `boardFeed` does."""
    actor = info.context.actor

    async def seen() -> bool:
        return actor.is_person

    async with aclosing(_follow(info, user_topic(actor.id), actor.id, after, seen, None, None)) as events:
        async for event in events:
            yield event


async def _follow(
    info: Info,
    topic: str,
    id: str,
    after: str | None,
    seen: Callable[[], Awaitable[bool]],
    end: EventKind | None,
    who: Who | None,
) -> AsyncGenerator[Any, None]:
    """Tell the events of a topic until it ends or the reader may no longer see what it is about.

    A page is read before it is looked whether the reader may have it, so that what has ended may have done
    so in between. Its last events are then still to come, and told to whom they are due.
    """
    context, shared = info.context, share_subscription()
    if shared.group is not None:
        async with aclosing(_tell(context, shared.group, topic, id, who)) as told:
            async for event in told:
                yield event
        return
    last = None  # the end, once it has come
    if shared.place is not None:
        after = shared.place.after
    elif await seen():
        after = await _now(context, topic) if after is None else after  # this moment, not a later one
    else:
        last = await _end(context, topic, end)
        if last is None or after in (None, START) or not await _was_here(context, last):
            raise NotFound(id)
    await context.refresh()  # no connection is held while waiting

    feed, actor = context.services.event_log, context.actor
    async with AsyncExitStack() as stack:
        sight = stack.enter_context(context.services.sights.of(who, id, actor)) if who else None
        pages = await stack.enter_async_context(
            aclosing(feed.follow(topic, after, also=[user_topic(actor.id)]))
        )
        async for events in pages:
            if last is not None and not events:
                raise NotFound(id)  # whoever gave that cursor has heard the end before
            if (
                last is None
                and sight
                and not await retry_while_unavailable(partial(sight.has, actor, age=events.age))
            ):
                last = await retry_while_unavailable(partial(_end, context, topic, end))
                if last is None or not await retry_while_unavailable(partial(_stayed, context, last)):
                    return
            await context.refresh()
            for event in events:
                yield event
            if last is not None and events and events[-1].seq >= last.seq:
                return
            is_caught_up = last is None and events.is_last
            if is_caught_up and shared.leave(topic, FeedPosition(events.cursor), actor, user_topic(actor.id)):
                return


async def _tell(
    context: Context, group: Group, topic: str, id: str, who: Who | None
) -> AsyncGenerator[Any, None]:
    """Tell a group the events of a topic, a page from one moment: that in which it was looked who may have it."""
    follow = context.services.event_log.follow
    async with aclosing(
        follow(topic, group.place.after, page=MAX_EVENTS_PER_SNAPSHOT, listening=group.hears)
    ) as pages:
        async for events in pages:
            seen = await retry_while_unavailable(partial(recheck_access, context, group, who, id))
            if not seen[context.actor]:
                return
            context.is_held = True
            for event in events:
                group.tells(FeedPosition(Cursor(event.epoch, event.seq)), seen)
                yield event
            await group.sends()
            context.is_held = False
            await context.refresh()  # no connection is held while waiting
            if events.is_last:
                group.rests(FeedPosition(events.cursor), seen)


async def _now(context: Context, topic: str) -> str | None:
    """The cursor of a topic as it is; None for one in which nothing has happened."""
    rows = await context.read(select(Topic.epoch, Topic.last).where(Topic.name == topic))
    return str(Cursor(*rows[0])) if rows else None


async def _end(context: Context, topic: str, end: EventKind | None) -> Any:
    """The last event of a topic that has ended; None while it goes on."""
    query = select(Event.__table__).where(Event.topic == topic).order_by(Event.seq.desc()).limit(1)
    rows = await context.read(query)
    return rows[0] if rows and rows[0].kind == end else None


async def _stayed(context: Context, last: Any) -> bool:
    """Whether a reader that was let in belonged there to the end, and so may hear the rest.

    A key lives as long as what it is for.
    """
    return not context.actor.is_person or await _was_here(context, last)


async def _was_here(context: Context, last: Any) -> bool:
    """Whether the reader belongs to the workspace of what has ended, or did until that was deleted itself.

    After a workspace is deleted nobody belongs to it; each person's own feed has kept whether they had been
    removed before.
    """
    actor, workspace_id = context.actor, last.data["workspace_id"]
    if await context.load(WORKSPACE, workspace_id) is not None:
        return actor.board_id in (None, last.data.get("board_id"))
    ways = EventKind.MEMBER_REMOVED, EventKind.WORKSPACE_DELETED
    query = select(Event.kind, Event.data).where(Event.topic == user_topic(actor.id), Event.kind.in_(ways))
    for row in await context.read(query.order_by(Event.seq.desc()).limit(MAX_OWN_EVENTS)):
        if row.data["workspace_id"] == workspace_id:
            return bool(row.kind == EventKind.WORKSPACE_DELETED)
    return False
