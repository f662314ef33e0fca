"""Reads of webhook endpoints and their logs, for admins; and the two calls that send at once."""

from collections.abc import Sequence
from typing import Annotated, Any

from sqlalchemy import ColumnElement, select
from strawberry import ID, Parent

from actions.webhook_endpoint.payload import event_message, ping_message, type_of
from actions.webhook_endpoint.post import PostResult, post_message
from actions.webhook_endpoint.redrive import record_ping, record_redrive
from actions.webhook_endpoint.text import read_texts
from auth.permissions import administrates, require_role, role_in, sees_workspace
from kit.db.database import utcnow
from kit.eventlog.tables import EVENT_COLUMNS, Event, Topic
from kit.graphql.arguments import Id
from kit.ids import new_id
from models.actor import Actor
from models.refusal import Conflict, NotFound
from models.webhook_endpoint import EndpointDelivery, EndpointDeliveryStatus, WebhookEndpoint
from resolvers.context import Context, Info
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

HIDDEN = {"secret", "old_secret", "lease_token", "lease_until"}
_SHOWN = [column for column in WebhookEndpoint.__table__.c if column.name not in HIDDEN]


def _sees(actor: Actor) -> ColumnElement[bool]:
    return administrates(actor, WebhookEndpoint.workspace_id)


def _sees_delivery(actor: Actor) -> ColumnElement[bool]:
    return administrates(actor, EndpointDelivery.workspace_id)


WEBHOOK_ENDPOINT = Relation[WebhookEndpoint | None](select(*_SHOWN), WebhookEndpoint.id, _sees)
ENDPOINTS_OF_WORKSPACE = Relation[Sequence[WebhookEndpoint]](
    select(*_SHOWN).order_by(WebhookEndpoint.id), WebhookEndpoint.workspace_id, _sees, many=True
)
ENDPOINT_DELIVERY = Relation[EndpointDelivery | None](
    select(EndpointDelivery.__table__), EndpointDelivery.id, _sees_delivery
)
DELIVERIES = PaginatedQuery(
    "webhookEndpoint.deliveries",
    select(EndpointDelivery.__table__),
    EndpointDelivery.endpoint_id,
    _sees_delivery,
)
NEWEST = Order("NEWEST", ((EndpointDelivery.id, True),))


async def webhook_endpoints(
    info: Info, workspace_id: Annotated[ID, "The workspace."]
) -> Sequence[WebhookEndpoint]:
    """The webhook endpoints of a workspace, oldest first. At most 20; empty unless you are an admin."""
    return await info.context.load(ENDPOINTS_OF_WORKSPACE, workspace_id)


async def deliveries_of_endpoint(
    root: Parent[WebhookEndpoint],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    status: Annotated[EndpointDeliveryStatus | None, "Only deliveries with this status."] = None,
) -> Page:
    """Its deliveries, those of the newest events first. The newest 2,000 are kept."""
    where = [EndpointDelivery.status == status] if status else []
    page = PageArgs(first, after, last, before)
    return await load_page(info.context, DELIVERIES, NEWEST, page, root.id, where, str(status))


async def _require(context: Context, kind: Any, id: str) -> Any:
    """Return a row for an admin. Raises NotFound, Forbidden."""
    actor = context.actor
    query = select(kind.__table__, role_in(actor, kind.workspace_id).label("role"))
    rows = await context.read(query.where(kind.id == id, sees_workspace(actor, kind.workspace_id)))
    if not rows:
        raise NotFound(id)
    require_role(rows[0].role, admin=True)
    return rows[0]


async def ping_endpoint(info: Info, id: Annotated[Id, "The endpoint."]) -> EndpointDelivery:
    """Send a message of the type Ping to an endpoint now, even if it is disabled. Returns how it fared."""
    context = info.context
    endpoint = await _require(context, WebhookEndpoint, id)
    await context.refresh()  # no connection to the database is held while another system is waited for
    message_id, now = new_id("msg"), utcnow()
    message = ping_message(endpoint.workspace_id, endpoint.id, now)
    result = await _post(context, endpoint, message_id, message, "Signalbox is connected.")
    async with context.transaction() as tx:
        return await record_ping(tx, context.actor, endpoint.id, message_id, result)


async def redrive_delivery(info: Info, id: Annotated[Id, "The delivery."]) -> EndpointDelivery:
    """Send a message again now, with the same id, whatever its status. Returns how it fared.

    Raises Conflict if its event is no longer kept, or if it waits for its turn behind a failed one.
    """
    context = info.context
    delivery = await _require(context, EndpointDelivery, id)
    endpoint = await _require(context, WebhookEndpoint, delivery.endpoint_id)
    message, text = await _message_of(context, delivery)
    await context.refresh()  # no connection to the database is held while another system is waited for
    result = await _post(context, endpoint, delivery.id, message, text)
    async with context.transaction() as tx:
        return await record_redrive(tx, context.actor, delivery.id, result)


async def _message_of(context: Context, delivery: Any) -> tuple[dict[str, Any], str]:
    if delivery.topic is None:
        return ping_message(
            delivery.workspace_id, delivery.endpoint_id, delivery.created_at
        ), "Signalbox is connected."
    query = select(*EVENT_COLUMNS, Topic.epoch).join(Topic, Topic.name == Event.topic)
    rows = await context.read(query.where(Event.topic == delivery.topic, Event.seq == delivery.seq))
    if not rows or type_of(rows[0].kind) != delivery.event_type:
        raise Conflict("Its event is no longer kept", delivery.id)
    services = context.services
    texts = await read_texts(services.database, rows, services.settings.page_url)
    return event_message(rows[0], delivery.workspace_id), texts[rows[0].seq]


async def _post(
    context: Context, endpoint: Any, message_id: str, message: dict[str, Any], text: str
) -> PostResult:
    services = context.services
    return await post_message(services.outbound, services.secrets, endpoint, message_id, message, text)
