"""Connections: the types, their queries and mutations. No field shows a secret."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID

import actions.connection
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node, object_type
from models.connection import MAX_CONNECTIONS, ConnectionKind, ConnectionSource
from resolvers import connection as reads
from schema.fields import mutation, node_type, query_field
from schema.refusal import Conflict, Stale


@node_type("connection")
class ConnectedService(Node):
    """A connection: a credential of the workspace for another system. For admins only."""

    workspace_id: Annotated[ID, "The workspace."]
    kind: Annotated[ConnectionKind, "The system, and the form of the secret."]
    source: Annotated[ConnectionSource, "The place of its secret."]
    name: Annotated[str, "Unique in the workspace ignoring case."]
    url: Annotated[str | None, "Address of the system; null: the provider's own."]
    app_id: Annotated[str | None, "Id of the GitHub App; null for other kinds."]
    installation_id: Annotated[str | None, "Id of the App's installation; null for other kinds."]
    secret_hint: Annotated[str, "The last 4 characters of the secret; empty if it is short."]
    account: Annotated[str | None, "The account that the last check found; null if unknown."]
    checked_at: Annotated[datetime | None, "Time of the last check; null if the secret was not checked."]
    error: Annotated[str | None, "The reason why the last check failed; null if it did not."]
    version: Annotated[int, "Increases by one with every change."]
    created_at: Annotated[datetime, "Time of creation."]


@object_type
class RemoteRepository:
    """A repository at a code host."""

    external_id: Annotated[str, "The host's own id of it."]
    full_name: Annotated[str, "owner/name."]
    url: Annotated[str, "Its address, for `connectRepository`."]
    default_branch: Annotated[str, "Its default branch."]
    is_private: Annotated[bool, "Whether it is private."]
    is_archived: Annotated[bool, "Whether it is archived."]


@object_type
class RemoteRepositoryPage:
    """A page of the repositories at a code host."""

    items: list[RemoteRepository] = strawberry.field(
        description="The repositories.", directives=[list_size(100, slicing=())]
    )
    next_page: Annotated[int | None, "The next page; null on the last."]


@object_type
class RemoteBranch:
    """A branch at a code host."""

    name: Annotated[str, "Its name."]
    commit: Annotated[str, "Its newest commit."]
    is_protected: Annotated[bool, "Whether it is protected."]


@object_type
class RemoteBranchPage:
    """A page of the branches of a repository at a code host."""

    items: list[RemoteBranch] = strawberry.field(
        description="The branches.", directives=[list_size(100, slicing=())]
    )
    next_page: Annotated[int | None, "The next page; null on the last."]


@strawberry.type
class ConnectionQuery:
    connections: list[ConnectedService] = query_field(
        reads.connections, directives=[list_size(MAX_CONNECTIONS, slicing=())]
    )
    remote_repositories: RemoteRepositoryPage = query_field(reads.remote_repositories)
    remote_branches: RemoteBranchPage = query_field(reads.remote_branches)


@strawberry.type
class ConnectionMutation:
    create_connection = mutation(
        actions.connection.create_connection, ConnectedService, Conflict, requires=Access.ADMIN
    )
    update_connection = mutation(
        actions.connection.update_connection, ConnectedService, Stale, Conflict, requires=Access.ADMIN
    )
    delete_connection = mutation(
        actions.connection.delete_connection, ConnectedService, Stale, requires=Access.ADMIN
    )
    check_connection = mutation(reads.check_connection, ConnectedService, requires=Access.ADMIN)
