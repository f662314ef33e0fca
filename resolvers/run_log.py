"""A run's log: reporting into it, reading it in pages, and following it while it grows, until the run ends."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, cast

from sqlalchemy import ColumnElement, func, select
from strawberry import ID, Parent
from strawberry.scalars import JSON

import actions.report
from actions.run_log import RUN_LOG
from auth.permissions import sees_card
from auth.subscriber_access import of_run
from kit.eventlog.event_log import START, Cursor, retry_while_unavailable
from kit.eventlog.tables import Topic
from kit.graphql.broadcast.broadcast import (
    CaughtUp,
    Delivery,
    FeedPosition,
    Group,
    PageEnd,
    share_subscription,
)
from kit.graphql.types import as_row, input_type
from models.refusal import NotFound
from models.run import TERMINAL, FailureCode, Run, RunEvent, RunLive, RunOutcome, RunStatus
from models.topic import run_topic, user_topic
from protocol.events import EventType, LogLevel
from resolvers.board import TOPIC
from resolvers.context import Context, Info
from resolvers.feed import After as AfterCursor
from resolvers.follow import recheck_access
from resolvers.lease import LeaseInput
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

MAX_OPEN_ITEMS = 100  # items that are shown while they are being said
MAX_AGENTS = 200  # agents of a run that are counted apart

# A log is read by the name of a run that was seen.
LINES_OF_RUN = PaginatedQuery(
    "run.events",
    select(RunEvent.__table__, Topic.epoch).join(Topic, Topic.name == RunEvent.topic),
    RunEvent.topic,
    lambda actor: RunEvent.topic.is_not(None),
)
BY_SEQ = Order("SEQ", ((RunEvent.seq, False),))
AGENTS_OF_RUN = Relation(
    select(
        RunEvent.agent,
        func.count().label("count"),
        func.min(RunEvent.at).label("first_at"),
        func.max(RunEvent.at).label("last_at"),
    )
    .group_by(RunEvent.agent)
    .order_by(func.min(RunEvent.seq)),
    RunEvent.topic,
    lambda actor: RunEvent.topic.is_not(None),
    many=True,
    group=True,
)


@input_type
class RunEventInput:
    """Something an agent said or did. docs/agents.md says what `data` holds for each type."""

    type: Annotated[EventType, "What it is."]
    level: Annotated[LogLevel | None, "How much it matters; as is usual for its type if nothing is said."] = (
        None
    )
    agent: Annotated[str | None, "The sub-agent that said it; nothing for the run's own agent."] = None
    text: Annotated[str | None, "What was said, in words: at most 262,144 characters."] = None
    data: Annotated[JSON | None, "The rest, by type: at most 65,536 bytes."] = None


# Rows as they are: `report` takes what is null as not said.
as_row(RunEventInput)(dict)


async def report_run_events(
    info: Info,
    lease: Annotated[LeaseInput, "The lease of the run."],
    key: Annotated[str, "Names this batch: sent again with its key, it is not taken again."],
    events: Annotated[list[RunEventInput], "1 to 250, in their order."],
) -> Any:
    """Say what the agent of a run says and does: one batch after the other, each sent until it is answered.

    What is sent again with its key is answered as taken and appends nothing. Chunks of text (`chunk: true`) are
    shown to who follows the run, and forgotten once the part that holds them is kept.
    """
    rows: Any = events  # see `as_row`
    async with info.context.transaction() as tx:
        return await actions.report.report_run_events(tx, info.context.actor, lease.ticket(), key, rows)


@dataclass(frozen=True)
class Chunk:
    """Text that is being said: `text` goes behind the first `offset` characters of the part."""

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
    """The run has ended, and this is the last that is said of it."""

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
    run_id: Annotated[ID, "Which run."],
    after: AfterCursor = None,
) -> AsyncGenerator[Any, None]:
    """What an agent says and does: all that was missed since `after`, then each line as it is kept, until the end.

    Numbers are dense, as in every feed. Between the lines come chunks of what is being said; the line that keeps
    the text follows, and holds all of it. Whoever comes later is given what was said so far as one chunk. The last
    item is `RunEnded`, also for a run that ended before; without it, you may no longer see the run.
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
        standing = await run_snapshot_of(context, run_id)
        if standing is None:
            raise NotFound(run_id)
        await context.refresh()  # no connection is held while waiting
        if after is None:
            after = str(Cursor(standing.epoch, standing.last)) if standing.last else START
        reader = RunLogReader(0 if after == START else Cursor.parse(after).seq)
    feed, mine = context.services.event_log, user_topic(context.actor.id)
    async with aclosing(feed.follow(topic, after, also=[mine], log=RUN_LOG)) as pages:
        async for lines in pages:
            standing = await retry_while_unavailable(partial(fresh_rows, context, run_id))
            if standing is None:
                return
            for line in lines:
                yield Delivery(reader.place(Cursor(line.epoch, line.seq)), line)
            for item in reader.after(lines, standing):
                yield Delivery(reader.place(lines.cursor), item)
                if isinstance(item, RunLogEnd):
                    return
            if lines.is_last:
                yield CaughtUp(topic, reader.place(lines.cursor), context.actor, mine)


async def _follow_for_group(
    context: Context, group: Group, topic: str, run_id: str
) -> AsyncGenerator[Delivery | PageEnd, None]:
    """Follow a run for a group. The access of the members is checked once for each page."""
    reader, feed = RunLogReader.at(group.place), context.services.event_log
    pages = feed.follow(topic, group.place.after, log=RUN_LOG, listening=group.listen_with)
    async with aclosing(pages):
        async for lines in pages:
            standing = await retry_while_unavailable(partial(fresh_rows, context, run_id))
            access = await retry_while_unavailable(partial(recheck_access, context, group, of_run, run_id))
            await context.refresh()
            if standing is None or not access[context.actor]:
                return
            for line in lines:
                yield Delivery(reader.place(Cursor(line.epoch, line.seq)), line, access)
            for item in reader.after(lines, standing):
                if isinstance(item, RunLogEnd):
                    return  # each member reads the end by itself
                yield Delivery(reader.place(lines.cursor), item, access)
            yield PageEnd(reader.place(lines.cursor), access if lines.is_last else None)


@dataclass(frozen=True)
class RunSnapshot:
    """How a run stands at one moment: how far its log is, and what is being said."""

    run: Any
    epoch: str
    last: int
    saying: list[Any]


class RunLogReader:
    """What one follower of a run was given already."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self._given: dict[str, tuple[Any, int]] = {}  # by item: which text, and how many characters of it

    @classmethod
    def at(cls, place: FeedPosition) -> "RunLogReader":
        """A reader that goes on where another stood."""
        reader = cls(place.cursor.seq)
        reader._given = dict(cast("Any", place.rest))
        return reader

    def place(self, cursor: Cursor) -> FeedPosition:
        return FeedPosition(cursor, tuple(sorted(self._given.items())))

    def after(self, lines: Any, standing: RunSnapshot) -> Iterator[Chunk | RunLogEnd]:
        """What follows these lines: text that is being said behind them, or the end."""
        self.seq = lines[-1].seq if lines else self.seq
        if standing.run.status in TERMINAL:
            if self.seq >= standing.last:
                yield ended_of(standing, self.seq)
            return
        saying = set()
        for row in standing.saying:
            # Its own text is only what follows a line that this follower has seen.
            if row.data["after"] > self.seq:
                continue
            text = (row.part, row.data["after"], row.data["attempt"])
            known, length = self._given.get(row.item, (None, 0))
            offset = length if known == text else 0
            saying.add(row.item)
            self._given[row.item] = text, max(len(row.text), offset)
            if len(row.text) > offset:
                yield _chunk(standing, row, self.seq, offset)
        self._given = {item: given for item, given in self._given.items() if item in saying}


def _chunk(standing: RunSnapshot, row: Any, seq: int, offset: int) -> Chunk:
    return Chunk(
        epoch=standing.epoch,
        seq=seq,
        at=standing.run.reported_at,
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


def ended_of(standing: RunSnapshot, seq: int) -> RunLogEnd:
    run = standing.run
    return RunLogEnd(
        epoch=standing.epoch,
        seq=seq,
        at=run.finished_at,
        status=run.status,
        outcome=run.outcome,
        summary=run.summary,
        failure_code=run.failure_code,
        reason=run.failure_reason or run.stop_reason,
    )


async def fresh_rows(context: Context, run_id: str, *, saying: bool = True) -> RunSnapshot | None:
    """How a run stands now, if the actor still sees it. No connection is held afterwards."""
    await context.refresh()  # also of a look that failed
    try:
        return await run_snapshot_of(context, run_id, saying=saying)
    finally:
        await context.refresh()


async def run_snapshot_of(context: Context, run_id: str, *, saying: bool = True) -> RunSnapshot | None:
    """How a run stands, if the actor may see it: one statement, so one moment."""
    of_run = Run.status, Run.reported_at, Run.finished_at, Run.outcome, Run.failure_code
    why = Run.summary, Run.failure_reason, Run.stop_reason
    said = RunLive.item, RunLive.part, RunLive.type, RunLive.agent, RunLive.data, RunLive.text
    query = (
        select(*of_run, *why, Topic.epoch, Topic.last)
        .select_from(Run)
        .outerjoin(Topic, Topic.name == run_topic(run_id))
        .where(sees_card(context.actor, Run.board_id, Run.card_id), Run.id == run_id)
        .limit(MAX_OPEN_ITEMS)
    )
    if saying:
        query = query.add_columns(*said).outerjoin(RunLive, RunLive.run_id == Run.id)
    rows = await context.read(query)
    if not rows:
        return None
    spoken = [row for row in rows if row.item is not None] if saying else []
    spoken.sort(key=lambda row: (row.data["after"], row.item))
    return RunSnapshot(rows[0], rows[0].epoch or "", rows[0].last or 0, spoken)


async def events_of_run(
    root: Parent[Any],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    types: Annotated[list[EventType] | None, "Only lines of these types."] = None,
    levels: Annotated[list[LogLevel] | None, "Only lines of these levels."] = None,
    agent: Annotated[str | None, 'Only what this agent said; "" is the run\'s own.'] = None,
    after_seq: Annotated[int | None, "Only lines with a higher number than this."] = None,
) -> Page:
    """Its log, by number. `last` gives the newest."""
    where: list[ColumnElement[bool]] = []
    if types is not None:
        where.append(RunEvent.type.in_(types))
    if levels is not None:
        where.append(RunEvent.level.in_(levels))
    if agent is not None:
        where.append(RunEvent.agent == agent if agent else RunEvent.agent.is_(None))
    if after_seq is not None:
        where.append(RunEvent.seq > after_seq)
    ask = PageArgs(first, after, last, before)
    fingerprint = repr((types, levels, agent, after_seq))
    return await load_page(info.context, LINES_OF_RUN, BY_SEQ, ask, run_topic(root.id), where, fingerprint)


async def agents_of_run(root: Parent[Any], info: Info) -> Any:
    """Who said how much, and when: the run's own agent and its sub-agents, in the order they came."""
    return (await info.context.load(AGENTS_OF_RUN, run_topic(root.id)))[:MAX_AGENTS]


async def seq_of_run(root: Parent[Any], info: Info) -> int:
    """Number of the last line of its log."""
    topic = await info.context.load(TOPIC, run_topic(root.id))
    return topic.last if topic else 0


async def cursor_of_run(root: Parent[Any], info: Info) -> str:
    """Where its log stood at the moment of this answer. Follow `runFeed` after it and nothing is missed."""
    topic = await info.context.load(TOPIC, run_topic(root.id))
    return str(Cursor(topic.epoch, topic.last)) if topic else START
