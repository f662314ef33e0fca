"""The audit log of a workspace: its events, each once, for admins. Nothing changes or deletes them."""

from datetime import datetime
from typing import Annotated, Any

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
from models.workspace import Role
from resolvers.context import Info
from resolvers.node import node
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page
from resolvers.workspace import role_in

# Only the home copy of an event has a `tenant`, so each event is in the log once.
AUDIT = PaginatedQuery(
    "audit",
    select(*EVENT_COLUMNS).where(Event.kind != RunProgressed.kind),  # progress is no change
    Event.tenant,
    lambda actor: administrates(actor, Event.tenant),
)
NEWEST = Order("NEWEST", ((Event.at, True), (Event.topic, True), (Event.seq, True)))


@input_type
class AuditFilter:
    """A filter for the entries of an audit log. An absent field matches every entry."""

    actor_ids: Annotated[list[ID] | None, "Changes by one of these users or keys."] = None
    types: Annotated[list[str] | None, "Events of these types, by type name: `CardMoved`."] = None
    subject_id: Annotated[ID | None, "Changes to this: a board, a card, a member, a label, …"] = None
    since: datetime | None = strawberry.field(name="from", default=None, description="At this time or later.")
    until: datetime | None = strawberry.field(name="to", default=None, description="Before this time.")


# The types of stored events, by name.
KINDS = {cls.__name__: kind for kind, cls in EVENT_TYPES.items() if cls is not FeedStarted}


def _kinds_of(types: list[str]) -> list[str]:
    """Return the stored kinds of event types. Raises Invalid for a name that is no event's."""
    unknown = [name for name in types if name not in KINDS]
    if unknown:
        raise Invalid(("filter.types", f"is not a type of event: {unknown[0][:100]}"))
    return [KINDS[name] for name in types]


def _clauses(filter: AuditFilter) -> list[ColumnElement[bool]]:
    clauses: list[tuple[Any, Any]] = [
        (filter.actor_ids, lambda ids: Event.actor_id.in_(ids)),
        (filter.types, lambda types: Event.kind.in_(_kinds_of(types))),
        (filter.subject_id, lambda id: Event.subject == id),
        (filter.since, lambda moment: Event.at >= moment),
        (filter.until, lambda moment: Event.at < moment),
    ]
    return [clause(value) for value, clause in clauses if value is not None]


async def audit_log(
    root: Parent[Any],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[AuditFilter | None, "Only matching entries."] = None,
) -> Page:
    """The changes in this workspace, newest first. For admins; others get FORBIDDEN."""
    if await role_in(info, root.id) is not Role.ADMIN:
        raise Forbidden("Only an admin of the workspace may read its audit log")
    filter = filter or AuditFilter()
    ask = PageArgs(first, after, last, before)
    return await load_page(info.context, AUDIT, NEWEST, ask, root.id, _clauses(filter), repr(filter))


async def subject(root: Parent[Any], info: Info) -> Any:
    """The subject as it is now; null once deleted."""
    return await node(info, root.subject) if root.subject else None
