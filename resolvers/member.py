"""Reads of the members of a workspace."""

from typing import Annotated

from sqlalchemy import ColumnElement, or_, select
from strawberry import Parent

from actions.validation import folded
from auth.permissions import sees_members
from models.account import User
from models.workspace import Membership, Workspace
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
    root: Parent[Workspace],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    text: Annotated[
        str | None, "Only members with this text in one of their names, or with exactly this e-mail address."
    ] = None,
) -> Page:
    """Its members, by username. Empty for a key of one board."""
    where = [_matches(text.strip())] if text and text.strip() else []
    page = PageArgs(first, after, last, before)
    return await load_page(info.context, MEMBERS, BY_USERNAME, page, root.id, where, repr(text))


def _matches(text: str) -> ColumnElement[bool]:
    """Match a part of a name, or a whole e-mail address: a part of an address would let others guess the rest."""
    names = (User.username, User.nickname, User.first_name, User.last_name)
    return or_(
        User.username_folded.contains(folded(text), autoescape=True),
        User.email_folded == folded(text),
        *(name.icontains(text, autoescape=True) for name in names),
    )
