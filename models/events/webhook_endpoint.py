"""Events of the webhook endpoints of a workspace. They have no URL and no secret."""

from typing import Annotated

from kit.graphql.arguments import Id
from models.events.base import Changes
from models.events.workspace import WorkspaceScopedEvent


class WebhookEndpointEvent(WorkspaceScopedEvent):
    """A change to a webhook endpoint."""

    subject_field = "endpoint_id"

    endpoint_id: Annotated[Id, "The endpoint."]
    name: Annotated[str, "Its name at that time."]


class WebhookEndpointCreated(WebhookEndpointEvent):
    """A webhook endpoint was created."""


class WebhookEndpointUpdated(WebhookEndpointEvent):
    """A webhook endpoint was changed."""

    changes: Changes


class WebhookSecretRotated(WebhookEndpointEvent):
    """A webhook endpoint has a new signing secret."""


class WebhookEndpointDisabled(WebhookEndpointEvent):
    """A webhook endpoint was disabled, because it failed for too long."""

    reason: Annotated[str, "The reason."]


class WebhookEndpointDeleted(WebhookEndpointEvent):
    """A webhook endpoint was deleted."""
