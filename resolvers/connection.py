"""Reads of connections, for admins only; and the check of one, which calls its system."""

from collections.abc import Sequence
from typing import Annotated

from sqlalchemy import select
from strawberry import ID

import actions.connection
from actions.hosts.host import HostFailed, RemotePage
from actions.hosts.providers import host_of, try_connection
from auth.permissions import administrates, require_role, role_in, sees_workspace
from kit.graphql.arguments import Id
from models.connection import Connection
from models.refusal import Invalid, NotFound
from resolvers.context import Context, Info
from resolvers.loaders import Relation

MAX_REMOTE_PAGE = 1_000

CONNECTION = Relation[Connection | None](
    select(Connection.__table__), Connection.id, lambda actor: administrates(actor, Connection.workspace_id)
)
CONNECTIONS_OF_WORKSPACE = Relation[Sequence[Connection]](
    select(Connection.__table__).order_by(Connection.name_folded),
    Connection.workspace_id,
    lambda actor: administrates(actor, Connection.workspace_id),
    many=True,
)


async def connections(info: Info, workspace_id: Annotated[ID, "The workspace."]) -> Sequence[Connection]:
    """The connections of a workspace, by name. At most 50; empty unless you are an admin."""
    return await info.context.load(CONNECTIONS_OF_WORKSPACE, workspace_id)


async def require_connection(context: Context, id: str) -> Connection:
    """Return a connection for an admin, with its sealed secret. Raises NotFound, Forbidden."""
    actor = context.actor
    query = select(Connection.__table__, role_in(actor, Connection.workspace_id).label("role"))
    rows = await context.read(
        query.where(Connection.id == id, sees_workspace(actor, Connection.workspace_id))
    )
    if not rows:
        raise NotFound(id)
    require_role(rows[0].role, admin=True)
    row: Connection = rows[0]
    return row


async def check_connection(info: Info, id: Annotated[Id, "The connection."]) -> Connection:
    """Call the system of a connection once, and record whether its secret is accepted: see `error`.

    For CHAT_HOOK it posts "Signalbox is connected."
    """
    context = info.context
    row = await require_connection(context, id)
    await context.refresh()  # no connection to the database is held while another system is waited for
    account = error = None
    try:
        account = await try_connection(context.services, row)
    except HostFailed as failure:
        error = failure.message
    async with context.transaction() as tx:
        return await actions.connection.record_check(
            tx, context.actor, context.services, row.id, row.version, account, error
        )


def _page(page: int) -> int:
    if not 1 <= page <= MAX_REMOTE_PAGE:
        raise Invalid(("page", f"must be 1 to {MAX_REMOTE_PAGE}"))
    return page


async def remote_repositories(
    info: Info,
    connection_id: Annotated[ID, "The connection; only for admins."],
    page: Annotated[int, "The page, from 1."] = 1,
) -> RemotePage:
    """The repositories that a connection may see at its host, 100 on a page.

    Raises HOST_FAILED if the host does not answer or refuses.
    """
    row = await require_connection(info.context, connection_id)
    await info.context.refresh()
    return await host_of(info.context.services, row).repositories(_page(page))


async def remote_branches(
    info: Info,
    connection_id: Annotated[ID, "The connection; only for admins."],
    full_name: Annotated[str, "The repository: owner/name."],
    page: Annotated[int, "The page, from 1."] = 1,
) -> RemotePage:
    """The branches of a repository at the host of a connection, by name, 100 on a page.

    Raises HOST_FAILED if the host does not answer or refuses.
    """
    if full_name.count("/") != 1 or not all(full_name.split("/")) or len(full_name) > 200:
        raise Invalid(("fullName", "must be owner/name"))
    row = await require_connection(info.context, connection_id)
    await info.context.refresh()
    return await host_of(info.context.services, row).branches(full_name, _page(page))
