"""How API keys are answered, and the adapters of their changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import ColumnElement, select
from strawberry import ID, Parent

import actions.key
from models.account import ApiKey
from models.actor import Actor, Scope
from models.workspace import Membership, Role
from resolvers.context import Info
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page


def _sees(actor: Actor) -> ColumnElement[bool]:
    """Keys are the business of the workspace's admins; a key sees itself."""
    if not actor.is_person:
        return ApiKey.id == actor.id
    mine = Membership.user_id == actor.id, Membership.role == Role.ADMIN
    return ApiKey.workspace_id.in_(select(Membership.workspace_id).where(*mine))


API_KEY = Relation(select(ApiKey.__table__), ApiKey.id, _sees)
API_KEYS = PaginatedQuery("apiKeys", select(ApiKey.__table__), ApiKey.workspace_id, _sees)
NEWEST = Order("NEWEST", ((ApiKey.id, True),))


@dataclass(frozen=True)
class ApiKeySecret:
    secret: str
    api_key: ApiKey


async def keys_of_workspace(
    root: Parent[Any],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    revoked: Annotated[bool, "Show the revoked ones, instead of the others."] = False,
) -> Page:
    """Its API keys, the newest first, never their secrets. Empty unless you are an admin of it."""
    shown = ApiKey.revoked_at.is_not(None) if revoked else ApiKey.revoked_at.is_(None)
    return await load_page(
        info.context, API_KEYS, NEWEST, PageArgs(first, after, last, before), root.id, [shown], str(revoked)
    )


async def create_api_key(
    info: Info,
    workspace_id: Annotated[ID, "For which workspace."],
    name: Annotated[str, "What it is for: 1 to 100 characters."],
    scopes: Annotated[list[Scope], "What it may do."],
    board_id: Annotated[ID | None, "The only board it shall see; every board if left out."] = None,
    expires_at: Annotated[datetime | None, "Until when it is good; for ever if left out."] = None,
) -> Any:
    """Make a key for a machine. Admins only. Its secret is in this answer and is never shown again."""
    async with info.context.transaction() as tx:
        key, secret = await actions.key.create_api_key(
            tx,
            info.context.actor,
            workspace_id,
            name,
            scopes,
            board_id=board_id,
            expires_at=expires_at,
        )
        return ApiKeySecret(secret, key)


async def revoke_api_key(info: Info, id: Annotated[ID, "Which key."]) -> Any:
    """End a key for good, with the sockets it opened. Admins only."""
    async with info.context.transaction() as tx:
        return await actions.key.revoke_api_key(tx, info.context.actor, id)
