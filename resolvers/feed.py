"""Feeds: replay from a cursor, then follow, looking again and again whether the reader may."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, Any

from sqlalchemy import select
from strawberry import ID

from models.event import EventKind, board_topic, user_topic, workspace_topic
from models.refusal import Forbidden, NotFound
from resolvers.board import BOARD
from resolvers.context import Context, Info
from resolvers.workspace import WORKSPACE
from runtime.event import Event
from runtime.feed import patiently

RECENT = 50  # of a person's own events, looked through for how a membership ended

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
    deleted or you may no longer see it. A cursor that is too old or of another feed is an error with the
    code CURSOR_EXPIRED or CURSOR_UNKNOWN.
    """

    async def seen() -> bool:
        return await info.context.load(BOARD, board_id) is not None

    async with aclosing(
        _follow(info, board_topic(board_id), board_id, after, seen, EventKind.BOARD_DELETED)
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
        _follow(info, topic, workspace_id, after, seen, EventKind.WORKSPACE_DELETED)
    ) as events:
        async for event in events:
            yield event


async def user_feed(info: Info, after: After = None) -> AsyncGenerator[Any, None]:
    """What concerns you: assignments, memberships, your sessions. Works as `boardFeed` does."""
    actor = info.context.actor

    async def seen() -> bool:
        return actor.is_person

    async with aclosing(_follow(info, user_topic(actor.id), actor.id, after, seen, None)) as events:
        async for event in events:
            yield event


async def _follow(
    info: Info,
    topic: str,
    id: str,
    after: str | None,
    seen: Callable[[], Awaitable[bool]],
    end: EventKind | None,
) -> AsyncGenerator[Any, None]:
    context = info.context
    if not await seen():
        raise NotFound(id)
    await context.refresh()  # no connection is held while waiting

    async def may() -> bool:
        await context.refresh()  # also of a look that failed
        return await seen()

    feed = context.house.feed
    async with aclosing(feed.follow(topic, after, also=[user_topic(context.actor.id)])) as pages:
        async for events in pages:
            if not await patiently(may):
                if events and events[-1].kind == end and await _stayed(context, events[-1]):
                    for event in events:
                        yield event
                return
            await context.refresh()
            for event in events:
                yield event


async def _stayed(context: Context, last: Any) -> bool:
    """Whether the reader belonged to the workspace until what it followed was deleted, and so may hear the rest.

    After a workspace is deleted nobody belongs to it; each person's own feed has kept whether they had been
    removed before. A key lives as long as what it is for.
    """
    workspace_id = last.data["workspace_id"]
    if not context.actor.is_person or await context.load(WORKSPACE, workspace_id) is not None:
        return True
    ways = EventKind.MEMBER_REMOVED, EventKind.WORKSPACE_DELETED
    query = select(Event.kind, Event.data).where(
        Event.topic == user_topic(context.actor.id), Event.kind.in_(ways)
    )
    for row in await context.read(query.order_by(Event.seq.desc()).limit(RECENT)):
        if row.data["workspace_id"] == workspace_id:
            return bool(row.kind == EventKind.WORKSPACE_DELETED)
    return False
