"""Reads of API keys."""

from typing import Annotated

from sqlalchemy import ColumnElement, select
from strawberry import Parent

from models.account import ApiKey
from models.actor import Actor
from models.workspace import Membership, Role, Workspace
from resolvers.context import Info
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page


def _sees(actor: Actor) -> ColumnElement[bool]:
    """Admins see the keys of their workspaces; a key sees itself."""
    if not actor.is_person:
        return ApiKey.id == actor.id
    memberships = select(Membership.workspace_id).where(Membership.user_id == actor.id)
    return ApiKey.workspace_id.in_(memberships.where(Membership.role == Role.ADMIN))


API_KEY = Relation[ApiKey | None](select(ApiKey.__table__), ApiKey.id, _sees)
API_KEYS = PaginatedQuery("apiKeys", select(ApiKey.__table__), ApiKey.workspace_id, _sees)
NEWEST = Order("NEWEST", ((ApiKey.id, True),))


async def keys_of_workspace(
    root: Parent[Workspace],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    revoked: Annotated[bool, "Only revoked keys, instead of only others."] = False,
) -> Page:
    """Its API keys without their secrets, newest first. Empty unless you are an admin."""
    where = ApiKey.revoked_at.is_not(None) if revoked else ApiKey.revoked_at.is_(None)
    return await load_page(
        info.context, API_KEYS, NEWEST, PageArgs(first, after, last, before), root.id, [where], str(revoked)
    )
