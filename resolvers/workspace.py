"""How workspaces, their members and their labels are answered, and the adapters of a workspace's changes."""

from typing import Annotated, Any

from sqlalchemy import func, select
from strawberry import ID, Maybe, Parent

import actions.workspace
from auth.permissions import sees_card, sees_members, sees_workspace
from kit.graphql.arguments import IfVersion, provided_fields
from models.account import User
from models.actor import Scope
from models.card import CardLabel
from models.workspace import Label, Membership, Role, Workspace
from resolvers.context import Info
from resolvers.loaders import Relation, batched
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

WORKSPACE = Relation(
    select(Workspace.__table__), Workspace.id, lambda actor: sees_workspace(actor, Workspace.id), alike=True
)
LABEL = Relation(
    select(Label.__table__), Label.id, lambda actor: sees_workspace(actor, Label.workspace_id), alike=True
)
MEMBERSHIP = Relation(
    select(Membership.__table__),
    Membership.id,
    lambda actor: sees_members(actor, Membership.workspace_id),
)
MY_MEMBERSHIP = Relation(
    select(Membership.__table__), Membership.workspace_id, lambda actor: Membership.user_id == actor.id
)
# A key of one board sees who stands on its cards, so it may see the people of its workspace one by one.
USER = Relation(
    select(User.__table__),
    User.id,
    lambda actor: (
        (User.id == actor.id)
        | User.id.in_(select(Membership.user_id).where(sees_workspace(actor, Membership.workspace_id)))
    ),
)
LABELS_OF_WORKSPACE = Relation(
    select(Label.__table__).order_by(Label.name_folded),
    Label.workspace_id,
    lambda actor: sees_workspace(actor, Label.workspace_id),
    many=True,
    alike=True,
)
CARDS_OF_LABEL = Relation(
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


async def workspace(info: Info, id: Annotated[ID, "Which workspace."]) -> Any:
    """One workspace, or null where there is none that you may see."""
    return await info.context.load(WORKSPACE, id)


async def workspaces(
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Page:
    """The workspaces you belong to, by name."""
    return await load_page(info.context, WORKSPACES, BY_NAME, PageArgs(first, after, last, before))


async def role_in(info: Info, workspace_id: str) -> Role:
    """What the actor may do in a workspace that it sees."""
    actor = info.context.actor
    if not actor.is_person:
        return Role.MEMBER if Scope.WRITE in actor.scopes else Role.VIEWER
    row = await info.context.load(MY_MEMBERSHIP, workspace_id)
    return row.role if row else Role.VIEWER


async def my_role(root: Parent[Any], info: Info) -> Role:
    """What you may do here. A key that may write counts as a MEMBER, any other as a VIEWER."""
    return await role_in(info, root.id)


@batched(CARDS_OF_LABEL, "id")
def cards_of_label(root: Any, row: Any) -> int:
    """How many cards that you may see carry it."""
    return row.count if row else 0


async def create_workspace(info: Info, name: Annotated[str, "1 to 100 characters."]) -> Any:
    """Make a workspace. You are its first admin."""
    async with info.context.transaction() as tx:
        return await actions.workspace.create_workspace(tx, info.context.actor, name)


async def update_workspace(
    info: Info,
    id: Annotated[ID, "Which workspace."],
    name: Annotated[Maybe[str], "1 to 100 characters."],
    if_version: IfVersion = None,
) -> Any:
    """Change a workspace. What is left out stays. Admins only."""
    changes = provided_fields(name=name)
    async with info.context.transaction() as tx:
        return await actions.workspace.update_workspace(
            tx, info.context.actor, id, changes, if_version=if_version
        )


async def delete_workspace(
    info: Info,
    id: Annotated[ID, "Which workspace."],
    confirm_name: Annotated[str, "Its name, to show that you mean it."],
    cancel_runs: Annotated[
        bool, "End the runs of agents on its boards; without it they are a Conflict."
    ] = False,
) -> Any:
    """Delete a workspace with everything in it. Admins only. Answers the workspace as it was."""
    async with info.context.transaction() as tx:
        return await actions.workspace.delete_workspace(
            tx, info.context.actor, id, confirm_name, cancel_runs=cancel_runs
        )
