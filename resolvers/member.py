"""How the members of a workspace are answered, and the adapters of their changes."""

from typing import Annotated, Any

from sqlalchemy import ColumnElement, or_, select
from strawberry import ID, Parent

import actions.member
from actions.validation import folded
from auth.permissions import sees_members
from models.account import User
from models.workspace import Membership, Role
from resolvers.context import Info
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

MEMBERS = PaginatedQuery(
    "members",
    select(Membership.__table__).join(User, User.id == Membership.user_id),
    Membership.workspace_id,
    lambda actor: sees_members(actor, Membership.workspace_id),
)
BY_USERNAME = Order("USERNAME", ((User.username_folded, False), (Membership.id, False)))


async def members(
    root: Parent[Any],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    text: Annotated[
        str | None, "Only those with this text in one of their names, or with exactly this e-mail address."
    ] = None,
) -> Page:
    """Who belongs to it, by username. A key of one board sees nobody here."""
    where = [_named(text.strip())] if text and text.strip() else []
    ask = PageArgs(first, after, last, before)
    return await load_page(info.context, MEMBERS, BY_USERNAME, ask, root.id, where, repr(text))


def _named(text: str) -> ColumnElement[bool]:
    """That a person is called so. An address is matched whole: a part of it would let others be guessed."""
    names = (User.username, User.nickname, User.first_name, User.last_name)
    return or_(
        User.username_folded.contains(folded(text), autoescape=True),
        User.email_folded == folded(text),
        *(name.icontains(text, autoescape=True) for name in names),
    )


async def add_member(
    info: Info,
    workspace_id: Annotated[ID, "Which workspace."],
    username: Annotated[str, "Who: a person that is registered, whatever the name's case."],
    role: Annotated[Role, "What the person may do there."] = Role.MEMBER,
) -> Any:
    """Let a registered person into a workspace, at once and without asking them. Admins only."""
    async with info.context.transaction() as tx:
        return await actions.member.add_member(tx, info.context.actor, workspace_id, username, role)


async def set_member_role(
    info: Info,
    id: Annotated[ID, "Which membership."],
    role: Annotated[Role, "What the person may do from now on."],
) -> Any:
    """Change what a member may do. Admins only; the last admin stays one."""
    async with info.context.transaction() as tx:
        return await actions.member.set_member_role(tx, info.context.actor, id, role)


async def remove_member(info: Info, id: Annotated[ID, "Which membership."]) -> Any:
    """Let a member go, or leave, with your own membership. Their feeds end. The last admin stays."""
    async with info.context.transaction() as tx:
        return await actions.member.remove_member(tx, info.context.actor, id)
