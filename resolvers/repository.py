"""Reads of repositories."""

from collections.abc import Sequence
from typing import Annotated

from sqlalchemy import ColumnElement, select
from strawberry import ID, Parent

from auth.permissions import sees_workspace
from models.actor import Actor
from models.board import Board
from models.repository import Repository
from resolvers.context import Info
from resolvers.loaders import Relation


def sees_repository(actor: Actor) -> ColumnElement[bool]:
    """The actor may see a repository of its workspace; a key of one board only that of its board."""
    clause = sees_workspace(actor, Repository.workspace_id)
    if actor.board_id is not None:
        own = select(Board.repository_id).where(Board.id == actor.board_id)
        return clause & Repository.id.in_(own)
    return clause


REPOSITORY = Relation[Repository | None](
    select(Repository.__table__), Repository.id, sees_repository, viewer_independent=True
)
REPOSITORIES_OF_WORKSPACE = Relation[Sequence[Repository]](
    select(Repository.__table__).order_by(Repository.key),
    Repository.workspace_id,
    sees_repository,
    many=True,
)


async def repository(info: Info, id: Annotated[ID, "The repository."]) -> Repository | None:
    """A repository, also a disconnected one; null if you may not see it."""
    return await info.context.load(REPOSITORY, id)


async def repositories(info: Info, workspace_id: Annotated[ID, "The workspace."]) -> Sequence[Repository]:
    """The repositories of a workspace, by host and name, also those that are disconnected. At most 200."""
    return await info.context.load(REPOSITORIES_OF_WORKSPACE, workspace_id)


async def has_webhook_secret(root: Parent[Repository]) -> bool:
    """Whether a secret for webhooks was made."""
    return root.webhook_secret is not None
