"""How workspaces, their members and their labels are answered."""

from sqlalchemy import select

from models.account import User
from models.actor import sees_workspace
from models.workspace import Label, Membership, Workspace
from resolvers.context import Info
from resolvers.loaders import Link
from resolvers.page import After, Ask, Before, First, Last, Listing, Order, Page, page

WORKSPACE = Link(select(Workspace.__table__), Workspace.id, lambda actor: sees_workspace(actor, Workspace.id))
LABEL = Link(select(Label.__table__), Label.id, lambda actor: sees_workspace(actor, Label.workspace_id))
MEMBERSHIP = Link(
    select(Membership.__table__),
    Membership.id,
    lambda actor: sees_workspace(actor, Membership.workspace_id),
)
USER = Link(
    select(User.__table__),
    User.id,
    lambda actor: (
        (User.id == actor.id)
        | User.id.in_(select(Membership.user_id).where(sees_workspace(actor, Membership.workspace_id)))
    ),
)
LABELS_OF_WORKSPACE = Link(
    select(Label.__table__).order_by(Label.name_folded),
    Label.workspace_id,
    lambda actor: sees_workspace(actor, Label.workspace_id),
    many=True,
)

WORKSPACES = Listing(
    "workspaces",
    select(Workspace.__table__),
    None,
    lambda actor: sees_workspace(actor, Workspace.id),
)
MEMBERS = Listing(
    "members",
    select(Membership.__table__).join(User, User.id == Membership.user_id),
    Membership.workspace_id,
    lambda actor: sees_workspace(actor, Membership.workspace_id),
)
BY_NAME = Order("NAME", ((Workspace.name, False), (Workspace.id, False)))
BY_USERNAME = Order("USERNAME", ((User.username_folded, False), (Membership.id, False)))


async def workspaces(
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Page:
    """The workspaces you belong to, by name."""
    return await page(info.context, WORKSPACES, BY_NAME, Ask(first, after, last, before))
