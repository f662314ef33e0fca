"""The audit log of a workspace: its events, told once each, read by admins. Nothing changes or deletes them."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from sqlalchemy import ColumnElement, select
from strawberry import ID, Parent

from auth.permissions import administrates
from kit.eventlog.tables import Event
from kit.graphql.types import input_type
from models.event import EventKind
from models.refusal import Forbidden
from models.workspace import Role
from resolvers.context import Info
from resolvers.node import node
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page
from resolvers.workspace import role_in

# `tenant` stands on the home copy of an event only, so each is told once.
AUDIT = PaginatedQuery(
    "audit",
    select(Event.__table__).where(
        Event.kind != EventKind.RUN_PROGRESS
    ),  # how far something is, not what was done
    Event.tenant,
    lambda actor: administrates(actor, Event.tenant),
)
NEWEST = Order("NEWEST", ((Event.at, True), (Event.topic, True), (Event.seq, True)))


@input_type
class AuditFilter:
    """Which entries of an audit log. What is left out does not matter."""

    actor_ids: Annotated[list[ID] | None, "Done by one of these users or keys."] = None
    kinds: Annotated[list[EventKind] | None, "Of one of these kinds."] = None
    subject_id: Annotated[ID | None, "Done to this: a board, a card, a member, a label, …"] = None
    since: datetime | None = strawberry.field(
        name="from", default=None, description="At this moment or later."
    )
    until: datetime | None = strawberry.field(name="to", default=None, description="Before this moment.")


def _clauses(filter: AuditFilter) -> list[ColumnElement[bool]]:
    asked: list[tuple[Any, Any]] = [
        (filter.actor_ids, lambda ids: Event.actor_id.in_(ids)),
        (filter.kinds, lambda kinds: Event.kind.in_(kinds)),
        (filter.subject_id, lambda id: Event.subject == id),
        (filter.since, lambda moment: Event.at >= moment),
        (filter.until, lambda moment: Event.at < moment),
    ]
    return [clause(value) for value, clause in asked if value is not None]


async def audit_log(
    root: Parent[Any],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[AuditFilter | None, "Only entries that fit."] = None,
) -> Page:
    """What was done here, by whom and when, newest first. Admins only: FORBIDDEN for others."""
    if await role_in(info, root.id) is not Role.ADMIN:
        raise Forbidden("Only an admin of the workspace may read its audit log")
    filter = filter or AuditFilter()
    ask = PageArgs(first, after, last, before)
    return await load_page(info.context, AUDIT, NEWEST, ask, root.id, _clauses(filter), repr(filter))


async def subject(root: Parent[Any], info: Info) -> Any:
    """It, as it is now; null once it is gone."""
    return await node(info, root.subject) if root.subject else None
