"""Filters and orders of cards, as SQL."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Annotated, Any

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select, true
from strawberry import ID

from kit.db.database import utcnow
from kit.graphql.types import input_type
from models.board import BoardColumn
from models.card import (
    Card,
    CardAssignee,
    CardLabel,
    CardLink,
    CardOrder,
    CardSize,
    CardType,
    LinkKind,
    Priority,
)
from models.run import AgentState
from models.stage import Stage
from resolvers.agent_state import in_state
from resolvers.pagination import Order, SortColumn

NO_DATE = date(9999, 12, 31)  # sorts cards without a due date last


_ORDERS: dict[CardOrder, tuple[SortColumn, ...]] = {
    CardOrder.BOARD: ((BoardColumn.rank, False), (Card.rank, False), (Card.id, False)),
    CardOrder.CREATED: ((Card.id, False),),
    CardOrder.UPDATED: ((Card.updated_at, True), (Card.id, True)),
    CardOrder.PRIORITY: ((Card.priority, True), (Card.id, False)),
    CardOrder.DUE: (
        (func.coalesce(Card.due_on, NO_DATE, type_=Card.due_on.type), False),
        (Card.id, False),
    ),
}


def order_of(order: CardOrder) -> Order:
    """Return the columns that sort by an order."""
    return Order(order, _ORDERS[order])


@input_type
class CardFilter:
    """Conditions on cards, all of which must hold."""

    column_ids: Annotated[list[ID] | None, "In one of these columns."] = None
    stages: Annotated[list[Stage] | None, "In a column of one of these stages."] = None
    assignee_ids: Annotated[list[ID] | None, "Assigned to one of these people."] = None
    agent_states: Annotated[list[AgentState] | None, "With agents in one of these states."] = None
    unassigned: Annotated[bool | None, "True: without assignees; false: with some."] = None
    label_ids: Annotated[list[ID] | None, "With one of these labels."] = None
    priorities: Annotated[list[Priority] | None, "Of one of these priorities."] = None
    types: Annotated[list[CardType] | None, "Of one of these types."] = None
    sizes: Annotated[list[CardSize] | None, "Of one of these sizes."] = None
    parent_id: Annotated[ID | None, "A part of this card."] = None
    group_ids: Annotated[list[ID] | None, "Directly in one of these groups."] = None
    ungrouped: Annotated[bool | None, "True: in no group; false: in one."] = None
    sprint_ids: Annotated[list[ID] | None, "In one of these sprints."] = None
    without_sprint: Annotated[bool | None, "True: in no sprint; false: in one."] = None
    overdue: Annotated[bool | None, "True: due before today (UTC) and not done; false: the others."] = None
    due_from: Annotated[date | None, "Due on this day or later."] = None
    due_to: Annotated[date | None, "Due on this day or earlier."] = None
    blocked: Annotated[bool | None, "True: blocked by a card that is not done; false: the others."] = None
    archived: Annotated[
        bool | None,
        "True: archived cards; false: the others. Default, if no level sets it: the others.",
    ] = None
    text: Annotated[str | None, "With this text in title or description, ignoring case."] = None
    all: Annotated[list["CardFilter"] | None, "All of these hold."] = None
    any: Annotated[list["CardFilter"] | None, "One of these holds."] = None
    no: Annotated["CardFilter | None", "This does not hold."] = None


def filter_clauses(filter: CardFilter) -> list[ColumnElement[bool]]:
    """Return the WHERE clauses of a filter. Without `archived` on any level, archived cards do not match."""
    every = _clauses(filter)
    return every if _sets_archived(filter) else [Card.archived_at.is_(None), *every]


def _sets_archived(filter: CardFilter) -> bool:
    inner = [*(filter.all or ()), *(filter.any or ()), *([filter.no] if filter.no else ())]
    return filter.archived is not None or any(map(_sets_archived, inner))


def _clauses(filter: CardFilter) -> list[ColumnElement[bool]]:
    every = list(_simple_clauses(filter))
    if filter.all is not None:
        every += [and_(*(and_(true(), *_clauses(part)) for part in filter.all), true())]
    if filter.any is not None:
        every += [or_(*(and_(true(), *_clauses(part)) for part in filter.any), false())]
    if filter.no is not None:
        every.append(not_(and_(true(), *_clauses(filter.no))))
    return every


def _simple_clauses(filter: CardFilter) -> Iterator[ColumnElement[bool]]:
    columns: list[tuple[Any, Any]] = [
        (Card.column_id, filter.column_ids),
        (BoardColumn.stage, filter.stages),
        (Card.priority, filter.priorities),
        (Card.type, filter.types),
        (Card.size, filter.sizes),
        (Card.group_id, filter.group_ids),
        (Card.sprint_id, filter.sprint_ids),
    ]
    for column, values in columns:
        if values is not None:
            yield column.in_(values)
    if filter.assignee_ids is not None:
        yield Card.id.in_(select(CardAssignee.card_id).where(CardAssignee.user_id.in_(filter.assignee_ids)))
    if filter.label_ids is not None:
        yield Card.id.in_(select(CardLabel.card_id).where(CardLabel.label_id.in_(filter.label_ids)))
    if filter.agent_states is not None:
        yield in_state(filter.agent_states)
    if filter.parent_id is not None:
        yield Card.parent_id == filter.parent_id
    if filter.due_from is not None:
        yield Card.due_on >= filter.due_from
    if filter.due_to is not None:
        yield Card.due_on <= filter.due_to
    if filter.text:
        yield or_(
            Card.title.icontains(filter.text, autoescape=True),
            Card.description.icontains(filter.text, autoescape=True),
        )
    # A clause is only made where it is needed: an alias of a table takes a millisecond.
    for wanted, make_clause in (
        (filter.unassigned, _unassigned),
        (filter.ungrouped, ungrouped),
        (filter.without_sprint, _without_sprint),
        (filter.overdue, _overdue),
        (filter.blocked, _blocked),
        (filter.archived, _archived),
    ):
        if wanted is not None:
            yield make_clause() if wanted else not_(make_clause())


@cache
def _unassigned() -> ColumnElement[bool]:
    return ~select(CardAssignee.card_id).where(CardAssignee.card_id == Card.id).exists()


def ungrouped() -> ColumnElement[bool]:
    return Card.group_id.is_(None)


def _without_sprint() -> ColumnElement[bool]:
    return Card.sprint_id.is_(None)


def _overdue() -> ColumnElement[bool]:
    due = func.coalesce(Card.due_on, NO_DATE, type_=Card.due_on.type)
    return and_(due < utcnow().date(), BoardColumn.stage != Stage.DONE)


def _archived() -> ColumnElement[bool]:
    return Card.archived_at.is_not(None)


@cache
def _blocked() -> ColumnElement[bool]:
    blocker, column = Card.__table__.alias(), BoardColumn.__table__.alias()
    open_blocker = (
        select(CardLink.id)
        .join(blocker, blocker.c.id == CardLink.card_id)
        .join(column, column.c.id == blocker.c.column_id)
        .where(
            CardLink.target_id == Card.id,
            CardLink.kind == LinkKind.BLOCKS,
            column.c.stage != Stage.DONE,
            blocker.c.archived_at.is_(None),
        )
    )
    return open_blocker.exists()
