"""Reads of sprints: lists, capacity, burndown and velocity."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from sqlalchemy import select
from strawberry import Parent

from actions.burndown import Burndown, read_burndown
from auth.permissions import sees_board, sees_card
from kit.db.database import utcnow
from models.board import Board
from models.card import Card, CardAssignee
from models.sprint import (
    DEFAULT_POINTS_PER_PERSON,
    FORECAST_SPRINTS,
    MAX_OVERLAPS,
    VELOCITY_SPRINTS,
    CapacityState,
    Sprint,
    SprintStatus,
    capacity_state,
)
from resolvers.context import Info
from resolvers.loaders import Relation, batched
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

SPRINT = Relation[Sprint | None](
    select(Sprint.__table__),
    Sprint.id,
    lambda actor: sees_board(actor, Sprint.board_id),
    viewer_independent=True,
)
POINTS_OF_SPRINT = Relation[Sequence[Any]](
    select(Card.id, Card.story_points, CardAssignee.user_id)
    .outerjoin(CardAssignee, CardAssignee.card_id == Card.id)
    .order_by(Card.id, CardAssignee.user_id),
    Card.sprint_id,
    lambda actor: sees_card(actor, Card.board_id, Card.id),
    many=True,
    viewer_independent=True,
)
COMPLETED_OF_BOARD = Relation[Sequence[Any]](
    select(Sprint.id, Sprint.name, Sprint.completed_at, Sprint.committed_points, Sprint.completed_points)
    .where(Sprint.status == SprintStatus.COMPLETED)
    .order_by(Sprint.completed_at.desc(), Sprint.id.desc()),
    Sprint.board_id,
    lambda actor: sees_board(actor, Sprint.board_id),
    many=True,
    viewer_independent=True,
)
OPEN_OF_BOARD = Relation[Sequence[Sprint]](
    select(Sprint.__table__)
    .where(Sprint.status.in_((SprintStatus.PLANNED, SprintStatus.ACTIVE)))
    .order_by(Sprint.starts_on, Sprint.id),
    Sprint.board_id,
    lambda actor: sees_board(actor, Sprint.board_id),
    many=True,
    viewer_independent=True,
)
SPRINTS_OF_BOARD = PaginatedQuery(
    "board.sprints",
    select(Sprint.__table__),
    Sprint.board_id,
    lambda actor: sees_board(actor, Sprint.board_id),
)
BY_START = Order("START", ((Sprint.starts_on, False), (Sprint.id, False)))


@dataclass(frozen=True)
class PersonPoints:
    """The story points in a sprint that are assigned to a person."""

    user_id: str
    points: int
    capacity_points: int
    state: CapacityState


@dataclass(frozen=True)
class Capacity:
    """The use of a sprint's capacity."""

    capacity_points: int
    points: int
    state: CapacityState
    people: list[PersonPoints]
    unassigned_points: int


@dataclass(frozen=True)
class VelocitySprint:
    """The figures of a completed sprint."""

    sprint_id: str
    name: str
    completed_at: datetime
    committed_points: int
    completed_points: int


@dataclass(frozen=True)
class Velocity:
    """The story points that a board completes in a sprint."""

    sprints: list[VelocitySprint]
    average: float | None
    forecast: float | None


async def sprints_of_board(
    root: Parent[Board],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    status: Annotated[list[SprintStatus] | None, "Only sprints in one of these states."] = None,
) -> Page:
    """Its sprints, by their first day."""
    page = PageArgs(first, after, last, before)
    where = [Sprint.status.in_(status)] if status is not None else []
    return await load_page(info.context, SPRINTS_OF_BOARD, BY_START, page, root.id, where, repr(status))


@batched(OPEN_OF_BOARD, "board_id")
def overlaps_of_sprint(root: Sprint, rows: Sequence[Sprint]) -> list[Sprint]:
    """A warning: the planned and active sprints of the board that share days with it, at most 10."""
    others = [row for row in rows if row.id != root.id]
    shared = [row for row in others if row.starts_on <= root.ends_on and row.ends_on >= root.starts_on]
    return shared[:MAX_OVERLAPS]


@batched(POINTS_OF_SPRINT, "id")
def capacity_of_sprint(root: Sprint, rows: Sequence[Any]) -> Capacity:
    """The use of its capacity. A card of several people counts in full for each of them."""
    points = {row.id: row.story_points or 0 for row in rows}
    people: dict[str, int] = {}
    unassigned = 0
    for row in rows:
        if row.user_id is None:
            unassigned += row.story_points or 0
        else:
            people[row.user_id] = people.get(row.user_id, 0) + (row.story_points or 0)
    used, most = sum(points.values()), DEFAULT_POINTS_PER_PERSON
    each = [PersonPoints(id, n, most, capacity_state(n, most)) for id, n in sorted(people.items())]
    return Capacity(root.capacity_points, used, capacity_state(used, root.capacity_points), each, unassigned)


async def burndown_of_sprint(
    root: Parent[Sprint],
    info: Info,
    as_of: Annotated[date | None, "The last day that is shown; default: its last day or today."] = None,
) -> Burndown:
    """Its burndown in story points, day by day in its time zone, derived from the events of its board."""
    return await read_burndown(info.context.read, root, utcnow(), as_of)


@batched(COMPLETED_OF_BOARD, "id")
def velocity_of_board(root: Board, rows: Sequence[Any]) -> Velocity:
    """The story points of its last six completed sprints, newest first."""
    return velocity_of_rows(rows)


def velocity_of_rows(rows: Sequence[Any]) -> Velocity:
    """Compute the velocity of completed sprints, the newest first."""
    newest = [
        VelocitySprint(row.id, row.name, row.completed_at, row.committed_points, row.completed_points)
        for row in rows[:VELOCITY_SPRINTS]
    ]
    points = [one.completed_points for one in newest]
    return Velocity(newest, _mean(points), _mean(points[:FORECAST_SPRINTS]))


def _mean(points: list[int]) -> float | None:
    return round(sum(points) / len(points), 2) if points else None
