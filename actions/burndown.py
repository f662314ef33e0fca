"""The burndown of a sprint, derived from the events of its board.

The cards of the sprint as they are now are the last state. The events are undone from the newest to the oldest, and
the state is recorded at each midnight. So a figure needs no record of its own, and any day can be asked for as long
as its events are kept. The figures of a completed sprint are stored with it.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from kit.eventlog.tables import Event, Topic
from models.board import BoardColumn
from models.card import Card
from models.sprint import Sprint
from models.stage import Stage
from models.topic import board_topic

EVENTS_PER_STATEMENT = 60_000
CARD_KINDS = ("CARD_UPDATED", "CARD_MOVED", "CARD_DELETED")

Read = Callable[[Any], Awaitable[Sequence[Any]]]


@dataclass(frozen=True)
class BurndownDay:
    """The story points of a sprint at the end of a day."""

    day: date
    remaining: int
    completed: int
    ideal: float
    added: int
    removed: int


@dataclass(frozen=True)
class Burndown:
    """The burndown of a sprint."""

    days: list[BurndownDay]
    is_complete: bool


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment at which a day begins in a time zone."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


async def read_burndown(read: Read, sprint: Sprint, now: datetime, as_of: date | None = None) -> Burndown:
    """Read the burndown of a sprint up to `as_of`, its last day or today, whichever is first."""
    last = min(sprint.ends_on, now.astimezone(ZoneInfo(sprint.time_zone)).date())
    if sprint.final is not None:
        stored = [
            replace(BurndownDay(**one), day=date.fromisoformat(one["day"])) for one in sprint.final["days"]
        ]
        found = Burndown(stored, sprint.final["is_complete"])
    else:
        found = await _derive(read, sprint, last)
    return replace(found, days=[one for one in found.days if as_of is None or one.day <= as_of])


async def _derive(read: Read, sprint: Sprint, last: date) -> Burndown:
    if last < sprint.starts_on:
        return Burndown([], True)
    topic = board_topic(sprint.board_id)
    walk = _Walk(sprint, last)
    cards = select(Card.id, Card.story_points, Card.column_id, BoardColumn.stage)
    cards = cards.join(BoardColumn, BoardColumn.id == Card.column_id).where(Card.sprint_id == sprint.id)
    for card in await read(cards):
        walk.put(card.id, (card.story_points or 0, card.stage == Stage.DONE, card.column_id))
    oldest = select(Topic.lowest, Event.at).outerjoin(
        Event, (Event.topic == Topic.name) & (Event.seq == Topic.lowest)
    )
    kept = await read(oldest.where(Topic.name == topic))
    below = None
    while True:
        rows = await read(_events(topic, sprint, walk.begin, below))
        walk.undo(rows)
        if len(rows) < EVENTS_PER_STATEMENT:
            break
        below = rows[-1].seq
    known_from = kept[0].at if kept and kept[0].lowest > 1 else None
    return walk.result(known_from)


def _events(topic: str, sprint: Sprint, begin: datetime, below: int | None) -> Any:
    """Select the events that concern a sprint since `begin`, newest first."""
    before, changes = Event.data["before"], Event.data["changes"]
    sprint_before = before["sprint_id"].as_string()
    concerns = or_(sprint_before == sprint.id, changes[("sprint_id", 1)].as_string() == sprint.id)
    query = select(
        Event.seq,
        Event.at,
        Event.kind,
        Event.subject,
        sprint_before.label("sprint_id"),
        before["story_points"].as_integer().label("points"),
        before["column_id"].as_string().label("column_id"),
        before["stage"].as_string().label("stage"),
        changes[("stage", 0)].as_string().label("old_stage"),
    ).where(
        Event.topic == topic,
        Event.at >= begin,
        or_(Event.kind == "COLUMN_UPDATED", Event.kind.in_(CARD_KINDS) & concerns),
    )
    if below is not None:
        query = query.where(Event.seq < below)
    return query.order_by(Event.seq.desc()).limit(EVENTS_PER_STATEMENT)


CardState = tuple[int, bool, str]  # points, done, column


class _Walk:
    """The state of a sprint while events are undone, and its state at each midnight passed."""

    def __init__(self, sprint: Sprint, last: date) -> None:
        zone = ZoneInfo(sprint.time_zone)
        count = (last - sprint.starts_on).days + 1
        self.sprint = sprint
        self.days = [sprint.starts_on + timedelta(n) for n in range(count)]
        self.begin = midnight(sprint.starts_on, zone)
        self.ends = [midnight(day + timedelta(1), zone) for day in self.days]
        self.place = count - 1  # the latest day whose end has not been passed
        self.cards: dict[str, CardState] = {}
        self.total = self.done = 0
        self.totals = [(0, 0)] * count
        self.added, self.removed = [0] * count, [0] * count

    def put(self, id: str, state: CardState | None) -> None:
        """Set the state of a card; None: it is not in the sprint."""
        if (old := self.cards.pop(id, None)) is not None:
            self.total -= old[0]
            self.done -= old[0] * old[1]
        if state is not None:
            self.cards[id] = state
            self.total += state[0]
            self.done += state[0] * state[1]

    def undo(self, rows: Iterable[Any]) -> None:
        for row in rows:
            while self.place >= 0 and row.at < self.ends[self.place]:
                self._pass_midnight()
            total = self.total
            if row.kind == "COLUMN_UPDATED":
                if row.old_stage is not None:
                    inside = [(id, one) for id, one in self.cards.items() if one[2] == row.subject]
                    for id, (points, _, column) in inside:
                        self.put(id, (points, row.old_stage == Stage.DONE, column))
            else:
                state = row.points or 0, row.stage == Stage.DONE, row.column_id
                self.put(row.subject, state if row.sprint_id == self.sprint.id else None)
            if self.place + 1 < len(self.days):
                self.added[self.place + 1] += max(total - self.total, 0)
                self.removed[self.place + 1] += max(self.total - total, 0)

    def _pass_midnight(self) -> None:
        self.totals[self.place] = self.total, self.done
        self.place -= 1

    def result(self, known_from: datetime | None) -> Burndown:
        while self.place >= 0:
            self._pass_midnight()
        span = (self.sprint.ends_on - self.sprint.starts_on).days
        known = [n for n, end in enumerate(self.ends) if known_from is None or end > known_from]
        committed = self.totals[known[0]][0] if known else 0
        days = [
            BurndownDay(
                day=self.days[n],
                remaining=self.totals[n][0] - self.totals[n][1],
                completed=self.totals[n][1],
                ideal=round(committed * (span - n) / span, 2) if span else 0.0,
                added=self.added[n],
                removed=self.removed[n],
            )
            for n in known
        ]
        return Burndown(days, known_from is None or known_from <= self.begin)


def frozen(burndown: Burndown) -> dict[str, Any]:
    """Return a burndown as JSON."""
    days = [asdict(one) | {"day": one.day.isoformat()} for one in burndown.days]
    return {"days": days, "is_complete": burndown.is_complete}
