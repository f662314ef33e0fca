"""Repositories: the type, its queries and mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.repository
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.repository import MAX_REPOSITORIES
from resolvers import repository as reads
from resolvers.connection import CONNECTION
from schema.connection import ConnectedService
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.refusal import Conflict, Stale

BoardLater: Any = Annotated["Board", strawberry.lazy("schema.board")]


@node_type("repository")
class Repository(Node):
    """A repository at a code host that the workspace has connected."""

    workspace_id: Annotated[ID, "The workspace."]
    url: Annotated[str, "Its address, without credentials."]
    host: Annotated[str, "Its host, with a port that is not the default one."]
    full_name: Annotated[str, "owner/name."]
    default_branch: Annotated[str | None, "Its host's default branch; null until it was synchronized."]
    selected_branch: Annotated[str | None, "The branch that work starts from; null: the default branch."]
    latest_commit: Annotated[
        str | None, "Newest commit of the selected or default branch; null until it was synchronized."
    ]
    has_webhook_secret: bool = query_field(reads.has_webhook_secret)
    synced_at: Annotated[
        datetime | None, "Time of the last synchronization that succeeded; null if none did."
    ]
    error: Annotated[str | None, "The reason why the last synchronization failed; null if it did not."]
    disconnected_at: Annotated[datetime | None, "Time when it was disconnected; null if it is connected."]
    connection: ConnectedService | None = relation_field(
        CONNECTION, "connection_id", text="Its connection; null if it has none, or if you are no admin."
    )
    version: Annotated[int, "Increases by one with every change."]
    created_at: Annotated[datetime, "Time when it was first connected."]


@result_type(actions.repository.WebhookSecret)
class WebhookSecret:
    """A new secret for the webhooks of a repository. It is not shown again."""

    secret: Annotated[str, "The secret, to be entered at the host."]
    path: Annotated[str, "The path of this server that the host calls."]
    repository: Annotated[Repository, "The repository."]


@strawberry.type
class RepositoryQuery:
    repository: Repository | None = query_field(reads.repository)
    repositories: list[Repository] = query_field(
        reads.repositories, directives=[list_size(MAX_REPOSITORIES, slicing=())]
    )


@strawberry.type
class RepositoryMutation:
    connect_repository = mutation(
        actions.repository.connect_repository, Repository, Conflict, requires=Access.ADMIN
    )
    select_branch = mutation(actions.repository.select_branch, Repository, Stale, requires=Access.MEMBER)
    sync_repository = mutation(
        actions.repository.sync_repository, Repository, Conflict, requires=Access.MEMBER
    )
    disconnect_repository = mutation(
        actions.repository.disconnect_repository, Repository, Stale, requires=Access.ADMIN
    )
    replace_webhook_secret = mutation(
        actions.repository.replace_webhook_secret, WebhookSecret, Conflict, requires=Access.ADMIN
    )
    set_board_repository = mutation(
        actions.repository.set_board_repository, BoardLater, Stale, Conflict, requires=Access.ADMIN
    )
