"""The audit log of a workspace: each of its events once. Admins read it; nothing changes or deletes it."""

from datetime import datetime
from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement, select
from strawberry import ID, Parent

from auth.permissions import administrates
from kit.eventlog.tables import EVENT_COLUMNS, Event
from kit.graphql.types import input_type
from models.events import EVENT_TYPES
from models.events.feed import FeedStarted
from models.events.run import RunProgressed
from models.refusal import Forbidden, Invalid
from models.workspace import Role, Workspace
from resolvers.context import Info
from resolvers.node import node
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page
from resolvers.workspace import role_in

# Only the home copy of an event has a `tenant`, so each event is listed once.
AUDIT = PaginatedQuery(
    "audit",
    select(*EVENT_COLUMNS).where(Event.kind != RunProgressed.kind),  # progress is no change
    Event.tenant,
    lambda actor: administrates(actor, Event.tenant),
)
NEWEST = Order("NEWEST", ((Event.at, True), (Event.topic, True), (Event.seq, True)))


@input_type
class AuditFilter:
    """A filter of audit entries. An entry matches if it matches every given field."""

    actor_ids: Annotated[list[ID] | None, "Only entries of these users or keys."] = None
    types: Annotated[list[str] | None, "Only entries of these event types: `CardMoved`."] = None
    subject_id: Annotated[ID | None, "Only entries about this board, card, member, label, …"] = None
    since: datetime | None = strawberry.field(
        name="from", default=None, description="Only entries at or after this time."
    )
    until: datetime | None = strawberry.field(
        name="to", default=None, description="Only entries before this time."
    )


# The types of stored events, by name.
KINDS = {cls.__name__: kind for kind, cls in EVENT_TYPES.items() if cls is not FeedStarted}


def _kinds_of(types: list[str]) -> list[str]:
    """Return the stored kinds of event types. Raises Invalid for a name that is no event's."""
    unknown = [name for name in types if name not in KINDS]
    if unknown:
        raise Invalid(("filter.types", f"is not a type of event: {unknown[0][:100]}"))
    return [KINDS[name] for name in types]


def _clauses(filter: AuditFilter) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if filter.actor_ids is not None:
        clauses.append(Event.actor_id.in_(filter.actor_ids))
    if filter.types is not None:
        clauses.append(Event.kind.in_(_kinds_of(filter.types)))
    if filter.subject_id is not None:
        clauses.append(Event.subject == filter.subject_id)
    if filter.since is not None:
        clauses.append(Event.at >= filter.since)
    if filter.until is not None:
        clauses.append(Event.at < filter.until)
    return clauses


async def audit_log(
    root: Parent[Workspace],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[AuditFilter | None, "Only entries that match."] = None,
) -> Page:
    """Its audit log, newest first. Raises FORBIDDEN unless you are an admin."""
    if await role_in(info, root.id) is not Role.ADMIN:
        raise Forbidden("Only an admin of the workspace may read its audit log")
    filter = filter or AuditFilter()
    page = PageArgs(first, after, last, before)
    return await load_page(info.context, AUDIT, NEWEST, page, root.id, _clauses(filter), repr(filter))


async def subject(root: Parent[Event], info: Info) -> object:
    """The subject as it is now; null once it is deleted, or if it is no node."""
    return await node(info, ID(root.subject)) if root.subject else None
