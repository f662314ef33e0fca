"""Reads of the log of a run: in pages, and as a feed that ends with the run."""

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Protocol, cast

from sqlalchemy import ColumnElement, Row, func, select
from strawberry import ID, Parent

from actions.run_log import RUN_LOG
from auth.permissions import sees_card
from auth.subscriber_access import select_viewers_of_run
from kit.eventlog.event_log import START, Cursor, retry_while_unavailable
from kit.eventlog.tables import Topic
from kit.graphql.broadcast.broadcast import (
    Audience,
    CaughtUp,
    Delivery,
    FeedPosition,
    PageEnd,
    share_subscription,
)
from models.refusal import NotFound
from models.run import TERMINAL, FailureCode, Run, RunLive, RunLogLine, RunOutcome, RunStatus
from models.topic import run_topic, user_topic
from protocol.events import EventType, LogLevel
from resolvers.board import TOPIC
from resolvers.context import Context, Info
from resolvers.feed import After as AfterCursor
from resolvers.follow import recheck_access
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

MAX_OPEN_ITEMS = 100  # items with open text in a feed
MAX_AGENTS = 200  # agents of a run in one response

# The log of every run that was read is visible.
LINES_OF_RUN = PaginatedQuery(
    "run.events",
    select(RunLogLine.__table__, Topic.epoch).join(Topic, Topic.name == RunLogLine.topic),
    RunLogLine.topic,
    lambda actor: RunLogLine.topic.is_not(None),
)
BY_SEQ = Order("SEQ", ((RunLogLine.seq, False),))
AGENTS_OF_RUN = Relation(
    select(
        RunLogLine.agent,
        func.count().label("count"),
        func.min(RunLogLine.at).label("first_at"),
        func.max(RunLogLine.at).label("last_at"),
    )
    .group_by(RunLogLine.agent)
    .order_by(func.min(RunLogLine.seq)),
    RunLogLine.topic,
    lambda actor: RunLogLine.topic.is_not(None),
    many=True,
    group=True,
)


@dataclass(frozen=True)
class Chunk:
    """Open text: `text` follows the first `offset` characters of the part."""

    epoch: str
    seq: int
    at: datetime
    type: EventType
    agent: str | None
    attempt: int
    item: str
    part: int
    offset: int
    text: str
    stream: str | None
    tool: str | None


@dataclass(frozen=True)
class RunLogEnd:
    """The end of a run: the last item of its feed."""

    epoch: str
    seq: int
    at: datetime
    status: RunStatus
    outcome: RunOutcome | None
    summary: str | None
    failure_code: FailureCode | None
    reason: str | None


async def run_feed(
    info: Info,
    run_id: Annotated[ID, "The run."],
    after: AfterCursor = None,
) -> AsyncGenerator[Delivery | PageEnd | CaughtUp, None]:
    """The log of a run: every line after `after`, then each line as it is stored, until the run ends.

    Numbers have no gaps. Between the lines there are chunks of open text; the line that stores the text follows
    and holds all of it. A later subscriber receives the open text so far as one chunk. The last item is
    `RunEnded`, also for a run that has ended before; a feed that ends without it has lost access. Raises
    CURSOR_EXPIRED, CURSOR_UNKNOWN, NOT_FOUND.
    """
    context, shared, topic = info.context, share_subscription(), run_topic(run_id)
    if shared.group is not None:
        async with aclosing(_follow_for_group(context, shared.group, topic, run_id)) as steps:
            async for step in steps:
                yield step
        return
    if shared.place is not None:
        after, reader = shared.place.after, RunLogReader.at(shared.place)
    else:
        snapshot = await read_snapshot(context, run_id)
        if snapshot is None:
            raise NotFound(run_id)
        await context.refresh()  # no connection is held while waiting
        if after is None:
            after = str(Cursor(snapshot.epoch, snapshot.last)) if snapshot.last else START
        reader = RunLogReader(0 if after == START else Cursor.parse(after).seq)
    feed, own_topic = context.services.event_log, user_topic(context.actor.id)
    async with aclosing(feed.follow(topic, after, also=[own_topic], log=RUN_LOG)) as pages:
        async for lines in pages:
            snapshot = await retry_while_unavailable(partial(read_fresh_snapshot, context, run_id))
            if snapshot is None:
                return
            for line in lines:
                yield Delivery(reader.place(Cursor(line.epoch, line.seq)), line)
            for item in reader.after(lines, snapshot):
                yield Delivery(reader.place(lines.cursor), item)
                if isinstance(item, RunLogEnd):
                    return
            if lines.is_last:
                yield CaughtUp(topic, reader.place(lines.cursor), context.actor, own_topic)


async def _follow_for_group(
    context: Context, group: Audience, topic: str, run_id: str
) -> AsyncGenerator[Delivery | PageEnd, None]:
    """Follow a run for a group. The access of the members is checked once for each page."""
    reader, feed = RunLogReader.at(group.place), context.services.event_log
    pages = feed.follow(topic, group.place.after, log=RUN_LOG, listening=group.listen_with)
    async with aclosing(pages):
        async for lines in pages:
            snapshot = await retry_while_unavailable(partial(read_fresh_snapshot, context, run_id))
            access = await retry_while_unavailable(
                partial(recheck_access, context, group, select_viewers_of_run, run_id)
            )
            await context.refresh()
            if snapshot is None or not access[context.actor]:
                return
            for line in lines:
                yield Delivery(reader.place(Cursor(line.epoch, line.seq)), line, access)
            for item in reader.after(lines, snapshot):
                if isinstance(item, RunLogEnd):
                    return  # each member reads the end by itself
                yield Delivery(reader.place(lines.cursor), item, access)
            yield PageEnd(reader.place(lines.cursor), access if lines.is_last else None)


class EndedRun(Protocol):
    """The columns of a run that a snapshot reads."""

    @property
    def status(self) -> RunStatus: ...
    @property
    def reported_at(self) -> datetime: ...
    @property
    def finished_at(self) -> datetime: ...
    @property
    def outcome(self) -> RunOutcome | None: ...
    @property
    def summary(self) -> str | None: ...
    @property
    def failure_code(self) -> FailureCode | None: ...
    @property
    def failure_reason(self) -> str | None: ...
    @property
    def stop_reason(self) -> str | None: ...


class OpenRow(Protocol):
    """The columns of RunLive that a snapshot reads."""

    @property
    def item(self) -> str: ...
    @property
    def part(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def agent(self) -> str | None: ...
    @property
    def data(self) -> dict[str, Any]: ...
    @property
    def text(self) -> str: ...


class NumberedLine(Protocol):
    """A line of the log, as far as its follower needs it."""

    @property
    def seq(self) -> int: ...


TextKey = tuple[int, int, int]  # part, number of the line before it, attempt


@dataclass(frozen=True)
class RunSnapshot:
    """The state of a run at one moment, with the end of its log and its open text."""

    run: EndedRun
    epoch: str
    last: int
    open: list[OpenRow]


class RunLogReader:
    """The position of one follower of a run: the lines and the open text that it has received."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self._given: dict[
            str, tuple[TextKey, int]
        ] = {}  # by item: the text, and the number of its characters

    @classmethod
    def at(cls, place: FeedPosition) -> "RunLogReader":
        """Return a reader that continues at a position."""
        reader = cls(place.cursor.seq)
        reader._given = dict(cast("Iterable[tuple[str, tuple[TextKey, int]]]", place.rest))
        return reader

    def place(self, cursor: Cursor) -> FeedPosition:
        return FeedPosition(cursor, tuple(sorted(self._given.items())))

    def after(self, lines: Sequence[NumberedLine], snapshot: RunSnapshot) -> Iterator[Chunk | RunLogEnd]:
        """Yield what follows these lines: chunks of open text, or the end."""
        self.seq = lines[-1].seq if lines else self.seq
        if snapshot.run.status in TERMINAL:
            if self.seq >= snapshot.last:
                yield ended_of(snapshot, self.seq)
            return
        open_items = set()
        for row in snapshot.open:
            # Text that follows a line which this follower has not received.
            if row.data["after"] > self.seq:
                continue
            text = (row.part, row.data["after"], row.data["attempt"])
            known, length = self._given.get(row.item, (None, 0))
            offset = length if known == text else 0
            open_items.add(row.item)
            self._given[row.item] = text, max(len(row.text), offset)
            if len(row.text) > offset:
                yield _chunk(snapshot, row, self.seq, offset)
        self._given = {item: given for item, given in self._given.items() if item in open_items}


def _chunk(snapshot: RunSnapshot, row: OpenRow, seq: int, offset: int) -> Chunk:
    return Chunk(
        epoch=snapshot.epoch,
        seq=seq,
        at=snapshot.run.reported_at,
        type=EventType(row.type),
        agent=row.agent,
        attempt=row.data["attempt"],
        item=row.data["item"],
        part=row.part,
        offset=offset,
        text=row.text[offset:],
        stream=row.data.get("stream"),
        tool=row.data.get("tool") or None,
    )


def ended_of(snapshot: RunSnapshot, seq: int) -> RunLogEnd:
    run = snapshot.run
    return RunLogEnd(
        epoch=snapshot.epoch,
        seq=seq,
        at=run.finished_at,
        status=run.status,
        outcome=run.outcome,
        summary=run.summary,
        failure_code=run.failure_code,
        reason=run.failure_reason or run.stop_reason,
    )


async def read_fresh_snapshot(
    context: Context, run_id: str, *, with_open_text: bool = True
) -> RunSnapshot | None:
    """Read the state of a run anew; None if the actor may not see it. Holds no connection afterwards."""
    await context.refresh()  # a failed read may have left a connection
    try:
        return await read_snapshot(context, run_id, with_open_text=with_open_text)
    finally:
        await context.refresh()


async def read_snapshot(context: Context, run_id: str, *, with_open_text: bool = True) -> RunSnapshot | None:
    """Read the state of a run in one statement; None if the actor may not see it."""
    columns = Run.status, Run.reported_at, Run.finished_at, Run.outcome, Run.failure_code
    reasons = Run.summary, Run.failure_reason, Run.stop_reason
    open_text = RunLive.item, RunLive.part, RunLive.type, RunLive.agent, RunLive.data, RunLive.text
    query = (
        select(*columns, *reasons, Topic.epoch, Topic.last)
        .select_from(Run)
        .outerjoin(Topic, Topic.name == run_topic(run_id))
        .where(sees_card(context.actor, Run.board_id, Run.card_id), Run.id == run_id)
        .limit(MAX_OPEN_ITEMS)
    )
    if with_open_text:
        query = query.add_columns(*open_text).outerjoin(RunLive, RunLive.run_id == Run.id)
    rows = await context.read(query)
    if not rows:
        return None
    open_rows = [row for row in rows if row.item is not None] if with_open_text else []
    open_rows.sort(key=lambda row: (row.data["after"], row.item))
    return RunSnapshot(rows[0], rows[0].epoch or "", rows[0].last or 0, open_rows)


async def events_of_run(
    root: Parent[Run],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    types: Annotated[list[EventType] | None, "Only lines of these types."] = None,
    levels: Annotated[list[LogLevel] | None, "Only lines of these levels."] = None,
    agent: Annotated[str | None, 'Only lines of this agent; "" is the main agent.'] = None,
    after_seq: Annotated[int | None, "Only lines with a higher number."] = None,
) -> Page:
    """Its log, by number. `last` returns the newest lines."""
    where: list[ColumnElement[bool]] = []
    if types is not None:
        where.append(RunLogLine.type.in_(types))
    if levels is not None:
        where.append(RunLogLine.level.in_(levels))
    if agent is not None:
        where.append(RunLogLine.agent == agent if agent else RunLogLine.agent.is_(None))
    if after_seq is not None:
        where.append(RunLogLine.seq > after_seq)
    page = PageArgs(first, after, last, before)
    fingerprint = repr((types, levels, agent, after_seq))
    return await load_page(info.context, LINES_OF_RUN, BY_SEQ, page, run_topic(root.id), where, fingerprint)


async def agents_of_run(root: Parent[Run], info: Info) -> Sequence[Row[Any]]:
    """Number and times of the lines of its main agent and its sub-agents, in order of their first line."""
    rows: Sequence[Row[Any]] = await info.context.load(AGENTS_OF_RUN, run_topic(root.id))
    return rows[:MAX_AGENTS]


async def seq_of_run(root: Parent[Run], info: Info) -> int:
    """Number of the last line of its log."""
    topic: Topic | None = await info.context.load(TOPIC, run_topic(root.id))
    return topic.last if topic else 0


async def cursor_of_run(root: Parent[Run], info: Info) -> str:
    """Cursor of the end of its log as of this response. `runFeed` after it misses nothing."""
    topic = await info.context.load(TOPIC, run_topic(root.id))
    return str(Cursor(topic.epoch, topic.last)) if topic else START
