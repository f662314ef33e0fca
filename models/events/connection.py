"""Events of the connections of a workspace. They never have a secret."""

from typing import Annotated

from kit.graphql.arguments import Id
from models.connection import ConnectionKind
from models.events.base import Changes
from models.events.workspace import WorkspaceScopedEvent


class ConnectionEvent(WorkspaceScopedEvent):
    """A change to a connection."""

    subject_field = "connection_id"

    connection_id: Annotated[Id, "The connection."]
    name: Annotated[str, "Its name at that time."]
    connection_kind: Annotated[ConnectionKind, "Its kind."]


class ConnectionCreated(ConnectionEvent):
    """A connection was created."""


class ConnectionUpdated(ConnectionEvent):
    """A connection was changed."""

    changes: Changes


class ConnectionDeleted(ConnectionEvent):
    """A connection was deleted. The repositories that used it have none now."""
