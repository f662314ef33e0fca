"""Webhook endpoints and their deliveries: the types, the query and the mutations."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID

import actions.webhook_endpoint.change
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.webhook_endpoint import MAX_ENDPOINTS, EndpointDeliveryStatus, EndpointFormat
from resolvers import webhook_endpoint as reads
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.page import Connection
from schema.refusal import Conflict, Stale


@node_type("endpoint")
class WebhookEndpoint(Node):
    """An address that is told the events of a workspace. For admins only."""

    workspace_id: Annotated[ID, "The workspace."]
    name: Annotated[str, "Its purpose."]
    format: Annotated[EndpointFormat, "The form of the messages."]
    url: Annotated[str, "Its address; of a chat only the server, because the rest is a secret."]
    board_ids: Annotated[list[ID] | None, "The boards whose events it is told; null: the whole workspace."]
    event_types: Annotated[list[str] | None, "The types of events that it is told; null: all."]
    is_enabled: Annotated[bool, "Whether it is told of events."]
    disabled_reason: Annotated[str | None, "The reason why the server disabled it; null if it did not."]
    failures: Annotated[int, "Number of failed attempts since the last success."]
    failing_since: Annotated[datetime | None, "Time of the first of these; null if the last one succeeded."]
    last_success_at: Annotated[datetime | None, "Time of the last success; null if there was none."]
    old_secret_until: Annotated[datetime | None, "End of the time in which the old secret signs too."]
    version: Annotated[int, "Increases by one with every change."]
    created_at: Annotated[datetime, "Time of creation."]
    deliveries: Connection["WebhookDelivery"] = query_field(
        reads.deliveries_of_endpoint, directives=[list_size(50)]
    )


@node_type("msg")
class WebhookDelivery(Node):
    """A message to a webhook endpoint. Its id is the `webhook-id` of every attempt."""

    endpoint_id: Annotated[ID, "The endpoint."]
    event_type: Annotated[str, "The type of the event; `Ping` of a ping."]
    seq: Annotated[int | None, "The event's number on the feed of its board or workspace; null of a ping."]
    status: Annotated[EndpointDeliveryStatus, "Its status."]
    attempts: Annotated[int, "Number of attempts."]
    response_code: Annotated[int | None, "HTTP status of the last answer; null if there was none."]
    response_body: Annotated[str | None, "The first 500 characters of the last answer."]
    error: Annotated[str | None, "The reason why the last attempt failed; null if it succeeded."]
    duration_ms: Annotated[int, "Milliseconds that the last attempt took."]
    next_attempt_at: Annotated[
        datetime | None, "Earliest time of the next attempt; null unless it is PENDING."
    ]
    created_at: Annotated[datetime, "Time of the first attempt."]
    updated_at: Annotated[datetime, "Time of the last attempt."]
    endpoint: WebhookEndpoint | None = relation_field(
        reads.WEBHOOK_ENDPOINT, "endpoint_id", text="The endpoint."
    )


@result_type(actions.webhook_endpoint.change.EndpointSecret)
class WebhookEndpointSecret:
    """A webhook endpoint with its signing secret, which is not shown again."""

    secret: Annotated[str | None, "whsec_ and base64: the key of Standard Webhooks; null for a chat."]
    endpoint: Annotated[WebhookEndpoint, "The endpoint."]


@strawberry.type
class WebhookEndpointQuery:
    webhook_endpoints: list[WebhookEndpoint] = query_field(
        reads.webhook_endpoints, directives=[list_size(MAX_ENDPOINTS, slicing=())]
    )


@strawberry.type
class WebhookEndpointMutation:
    create_webhook_endpoint = mutation(
        actions.webhook_endpoint.change.create_webhook_endpoint,
        WebhookEndpointSecret,
        Conflict,
        requires=Access.ADMIN,
    )
    update_webhook_endpoint = mutation(
        actions.webhook_endpoint.change.update_webhook_endpoint, WebhookEndpoint, Stale, requires=Access.ADMIN
    )
    delete_webhook_endpoint = mutation(
        actions.webhook_endpoint.change.delete_webhook_endpoint, WebhookEndpoint, Stale, requires=Access.ADMIN
    )
    rotate_webhook_secret = mutation(
        actions.webhook_endpoint.change.rotate_webhook_secret,
        WebhookEndpointSecret,
        Conflict,
        requires=Access.ADMIN,
    )
    ping_endpoint = mutation(reads.ping_endpoint, WebhookDelivery, requires=Access.ADMIN)
    redrive_delivery = mutation(reads.redrive_delivery, WebhookDelivery, Conflict, requires=Access.ADMIN)
