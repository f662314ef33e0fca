"""Events of the repositories of a workspace."""

from typing import Annotated, TypedDict

from kit.graphql.arguments import Id
from models.events.base import Changes
from models.events.workspace import WorkspaceScopedEvent
from models.repository import Repository


class RepositoryEvent(WorkspaceScopedEvent):
    """A change to a repository."""

    subject_field = "repository_id"

    repository_id: Annotated[Id, "The repository."]
    name: Annotated[str, "owner/name at that time."]


class RepositoryFacts(TypedDict):
    workspace_id: str
    repository_id: str
    name: str


def repository_facts(repository: Repository) -> RepositoryFacts:
    """Return the fields that all events of a repository share."""
    return {
        "workspace_id": repository.workspace_id,
        "repository_id": repository.id,
        "name": repository.full_name,
    }


class RepositoryConnected(RepositoryEvent):
    """A repository was connected, for the first time or again."""


class RepositoryUpdated(RepositoryEvent):
    """A repository was changed, or its host told of a change."""

    changes: Changes


class RepositoryDisconnected(RepositoryEvent):
    """A repository was disconnected. Its pull requests stay, and are not synchronized any more."""
