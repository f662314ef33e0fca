"""Reads of workspaces, their members and their labels."""

from collections.abc import Sequence
from typing import Annotated, Protocol

from sqlalchemy import func, select
from strawberry import ID, Parent

from auth.permissions import sees_card, sees_members, sees_workspace
from models.account import User
from models.actor import Scope
from models.card import CardLabel
from models.workspace import Label, Membership, Role, Workspace
from resolvers.context import Info
from resolvers.loaders import Relation, batched
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page


class CountRow(Protocol):
    """The row of an aggregate that counts."""

    count: int


WORKSPACE = Relation[Workspace | None](
    select(Workspace.__table__),
    Workspace.id,
    lambda actor: sees_workspace(actor, Workspace.id),
    viewer_independent=True,
)
LABEL = Relation[Label | None](
    select(Label.__table__),
    Label.id,
    lambda actor: sees_workspace(actor, Label.workspace_id),
    viewer_independent=True,
)
MEMBERSHIP = Relation[Membership | None](
    select(Membership.__table__),
    Membership.id,
    lambda actor: sees_members(actor, Membership.workspace_id),
)
MY_MEMBERSHIP = Relation[Membership | None](
    select(Membership.__table__), Membership.workspace_id, lambda actor: Membership.user_id == actor.id
)
# A key of one board sees the assignees of its cards, so it may see each person of its workspace, but no list.
USER = Relation[User | None](
    select(User.__table__),
    User.id,
    lambda actor: (
        (User.id == actor.id)
        | User.id.in_(select(Membership.user_id).where(sees_workspace(actor, Membership.workspace_id)))
    ),
)
LABELS_OF_WORKSPACE = Relation[Sequence[Label]](
    select(Label.__table__).order_by(Label.name_folded),
    Label.workspace_id,
    lambda actor: sees_workspace(actor, Label.workspace_id),
    many=True,
    viewer_independent=True,
)
CARDS_OF_LABEL = Relation[CountRow | None](
    select(func.count().label("count")),
    CardLabel.label_id,
    lambda actor: sees_card(actor, CardLabel.board_id, CardLabel.card_id),
    group=True,
)

WORKSPACES = PaginatedQuery(
    "workspaces",
    select(Workspace.__table__),
    None,
    lambda actor: sees_workspace(actor, Workspace.id),
)
BY_NAME = Order("NAME", ((Workspace.name, False), (Workspace.id, False)))


async def workspace(info: Info, id: Annotated[ID, "The workspace."]) -> Workspace | None:
    """A workspace, or null if it does not exist or you may not see it."""
    return await info.context.load(WORKSPACE, id)


async def workspaces(
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Page:
    """Your workspaces, by name."""
    return await load_page(info.context, WORKSPACES, BY_NAME, PageArgs(first, after, last, before))


async def role_in(info: Info, workspace_id: str) -> Role:
    """Find the actor's role in a workspace that it sees."""
    actor = info.context.actor
    if not actor.is_person:
        return Role.MEMBER if Scope.WRITE in actor.scopes else Role.VIEWER
    row = await info.context.load(MY_MEMBERSHIP, workspace_id)
    return row.role if row else Role.VIEWER


async def my_role(root: Parent[Workspace], info: Info) -> Role:
    """Your role. A key with the scope WRITE counts as a MEMBER, any other key as a VIEWER."""
    return await role_in(info, root.id)


@batched(CARDS_OF_LABEL, "id")
def cards_of_label(root: Label, row: CountRow | None) -> int:
    """Number of cards with this label that you may see."""
    return row.count if row else 0
