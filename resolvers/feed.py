"""Feeds: replay from a cursor, then follow, while the subscriber's access is checked again with every step."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Protocol

from sqlalchemy import select
from strawberry import ID

from auth.subscriber_access import SelectViewers, select_viewers_of_board, select_viewers_of_workspace
from kit.db.database import utcnow
from kit.eventlog.event_log import START, Cursor, retry_while_unavailable
from kit.eventlog.tables import Event, Topic
from kit.graphql.broadcast.broadcast import (
    Audience,
    CaughtUp,
    Delivery,
    DeliveryPage,
    FeedPosition,
    PageEnd,
    share_subscription,
)
from models.actor import ActorKind
from models.events.board import BoardDeleted
from models.events.feed import FeedStarted
from models.events.workspace import MemberRemoved, WorkspaceDeleted
from models.refusal import Forbidden, NotFound
from models.topic import board_topic, user_topic, workspace_topic
from resolvers.board import BOARD
from resolvers.context import Context, Info
from resolvers.follow import recheck_access
from resolvers.workspace import WORKSPACE

MAX_EVENTS_PER_SNAPSHOT = 25  # a group's page is read from one snapshot, which must be short
MAX_OWN_EVENTS = 50  # a person's own events that are searched for the end of a membership

After = Annotated[
    str | None,
    'Resume after this cursor; "0" is the start of the feed. Without it the feed starts now, with `FeedStarted`.',
]


class FeedItem(Protocol):
    """An item of a feed: a row of the event log, or the item of `FeedStarted`."""

    @property
    def epoch(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def actor_kind(self) -> str: ...
    @property
    def actor_id(self) -> str | None: ...
    @property
    def request_id(self) -> str | None: ...
    @property
    def correlation_id(self) -> str | None: ...
    @property
    def data(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class FirstItem:
    """The item of `FeedStarted`: the place at which a feed without `after` starts."""

    epoch: str
    seq: int
    at: datetime = field(default_factory=utcnow)
    kind: str = FeedStarted.kind
    actor_kind: str = ActorKind.SYSTEM
    actor_id: str | None = None
    request_id: str | None = None
    correlation_id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


async def board_feed(
    info: Info,
    board_id: Annotated[ID, "The board."],
    after: After = None,
) -> AsyncGenerator[Any, None]:
    """Changes on a board: every event after `after`, then each event as it commits.

    `seq` has no gaps: a jump means a lost item. Without `after` the first item is `FeedStarted`. Ends after
    `BoardDeleted`, or when you lose access. Fails with CURSOR_EXPIRED if the cursor is too old, CURSOR_UNKNOWN if
    it is of another feed, and NOT_FOUND.
    """
    if info.context.actor.run_id is not None:
        raise Forbidden("A run's credential follows its run, not its board")

    async def is_visible() -> bool:
        return await info.context.load(BOARD, board_id) is not None

    async with aclosing(
        _follow(
            info,
            board_topic(board_id),
            board_id,
            after,
            is_visible,
            BoardDeleted.kind,
            select_viewers_of_board,
        )
    ) as events:
        async for event in events:
            yield event


async def workspace_feed(
    info: Info,
    workspace_id: Annotated[ID, "The workspace."],
    after: After = None,
) -> AsyncGenerator[Any, None]:
    """Changes in a workspace: its boards, members, labels, keys, workers and questions. Works like `boardFeed`."""
    if info.context.actor.board_id is not None:
        raise Forbidden("An API key of one board can only follow that board")

    async def is_visible() -> bool:
        return await info.context.load(WORKSPACE, workspace_id) is not None

    topic = workspace_topic(workspace_id)
    async with aclosing(
        _follow(
            info, topic, workspace_id, after, is_visible, WorkspaceDeleted.kind, select_viewers_of_workspace
        )
    ) as events:
        async for event in events:
            yield event


async def user_feed(info: Info, after: After = None) -> AsyncGenerator[Any, None]:
    """Your own events: assignments, memberships, notifications, sessions. Works like `boardFeed`."""
    actor = info.context.actor

    async def is_visible() -> bool:
        return actor.is_person

    async with aclosing(
        _follow(info, user_topic(actor.id), actor.id, after, is_visible, None, None)
    ) as events:
        async for event in events:
            yield event


async def _follow(
    info: Info,
    topic: str,
    id: str,
    after: str | None,
    is_visible: Callable[[], Awaitable[bool]],
    end: str | None,
    select_viewers: SelectViewers | None,
) -> AsyncGenerator[Any, None]:
    """Follow a topic until it ends or the subscriber loses access.

    A page is read before the access is checked, so the topic may have ended in between. The last events are then
    still to come, and sent to subscribers that had access to the end.
    """
    context, shared = info.context, share_subscription()
    if shared.group is not None:
        async with aclosing(_follow_for_group(context, shared.group, topic, id, select_viewers)) as steps:
            async for step in steps:
                yield step
        return
    last = None  # the end, once it has come
    started: FirstItem | None = None
    if shared.place is not None:
        after = shared.place.after
    elif await is_visible():
        if after is None:
            started = await _now(context, topic)
            after = str(Cursor(started.epoch, started.seq)) if started.epoch else START
    else:
        last = await _end(context, topic, end)
        if last is None or after in (None, START) or not await _was_member(context, last):
            raise NotFound(id)
    await context.refresh()  # no connection is held while waiting
    if started is not None:
        yield Delivery(_place_after(started), started)
        await context.refresh()

    feed, actor = context.services.event_log, context.actor
    async with AsyncExitStack() as stack:
        check = (
            stack.enter_context(context.services.subscriber_access.check_for(select_viewers, id, actor))
            if select_viewers
            else None
        )
        pages = await stack.enter_async_context(
            aclosing(feed.follow(topic, after, also=[user_topic(actor.id)]))
        )
        async for events in pages:
            if last is not None and not events:
                raise NotFound(id)  # that cursor is behind the last event
            if (
                last is None
                and check
                and not await retry_while_unavailable(partial(check.has, actor, age=events.age))
            ):
                last = await retry_while_unavailable(partial(_end, context, topic, end))
                if last is None or not await retry_while_unavailable(partial(_stayed, context, last)):
                    return
            await context.refresh()
            yield DeliveryPage([Delivery(_place_after(event), event) for event in events])
            if last is not None and events and events[-1].seq >= last.seq:
                return
            if last is None and events.is_last:
                yield CaughtUp(topic, FeedPosition(events.cursor), actor, user_topic(actor.id))


async def _follow_for_group(
    context: Context, group: Audience, topic: str, id: str, select_viewers: SelectViewers | None
) -> AsyncGenerator[DeliveryPage | PageEnd, None]:
    """Follow a topic for a group. A page and the access of the members are read from one snapshot."""
    follow = context.services.event_log.follow
    async with aclosing(
        follow(topic, group.place.after, page=MAX_EVENTS_PER_SNAPSHOT, listening=group.listen_with)
    ) as pages:
        async for events in pages:
            access = await retry_while_unavailable(
                partial(recheck_access, context, group, select_viewers, id)
            )
            if not access[context.actor]:
                return
            context.is_held = True
            yield DeliveryPage([Delivery(_place_after(event), event, access) for event in events])
            context.is_held = False
            await context.refresh()  # no connection is held while waiting
            yield PageEnd(FeedPosition(events.cursor), access if events.is_last else None)


def _place_after(event: FeedItem) -> FeedPosition:
    return FeedPosition(Cursor(event.epoch, event.seq))


async def _now(context: Context, topic: str) -> FirstItem:
    """Return the first item of a feed that starts now. A topic without events has no epoch yet."""
    query = select(Topic.epoch, Topic.last, Topic.lowest).where(Topic.name == topic)
    rows = await context.read(query)
    if not rows:
        return FirstItem("", 0, data={"oldest_cursor": START})
    epoch, last, lowest = rows[0]
    return FirstItem(epoch, last, data={"oldest_cursor": str(Cursor(epoch, lowest - 1))})


async def _end(context: Context, topic: str, end: str | None) -> Any:
    """Return the last event of a topic that has ended; None if it has not."""
    query = select(Event.__table__).where(Event.topic == topic).order_by(Event.seq.desc()).limit(1)
    rows = await context.read(query)
    return rows[0] if rows and rows[0].kind == end else None


async def _stayed(context: Context, last: Any) -> bool:
    """Return whether a subscriber had access to the end, and so gets the last events.

    A key lives as long as its board or workspace.
    """
    return not context.actor.is_person or await _was_member(context, last)


async def _was_member(context: Context, last: Any) -> bool:
    """Return whether the caller is a member of the workspace, or was one until the workspace was deleted.

    A deleted workspace has no members. Each person's own feed says whether they were removed before.
    """
    actor, workspace_id = context.actor, last.data["workspace_id"]
    if await context.load(WORKSPACE, workspace_id) is not None:
        return actor.board_id in (None, last.data.get("board_id"))
    endings = MemberRemoved.kind, WorkspaceDeleted.kind
    query = select(Event.kind, Event.data).where(Event.topic == user_topic(actor.id), Event.kind.in_(endings))
    for row in await context.read(query.order_by(Event.seq.desc()).limit(MAX_OWN_EVENTS)):
        if row.data["workspace_id"] == workspace_id:
            return bool(row.kind == WorkspaceDeleted.kind)
    return False
