"""What clients may say about workspaces, their members and labels."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.label
import models.worker
import models.workspace
from models.workspace import Role
from resolvers import audit
from resolvers import board as boards
from resolvers import key as keys
from resolvers import label as labels
from resolvers import member as members
from resolvers import workspace as workspaces
from resolvers.profile import PROFILES_OF_WORKSPACE
from resolvers.worker import WORKERS_OF_WORKSPACE
from resolvers.workspace import LABELS_OF_WORKSPACE, MY_MEMBERSHIP, USER, WORKSPACE
from runtime.transport.describe import Node
from runtime.transport.sizes import list_size
from schema.account import ApiKey, User
from schema.error import Conflict, Stale
from schema.page import Connection
from schema.profile import AgentProfile
from schema.view import answer, ask, do, link, view

AuditEntryLater: Any = Annotated["AuditEntry", strawberry.lazy("schema.audit")]
BoardLater: Any = Annotated["Board", strawberry.lazy("schema.board")]
WorkerLater: Any = Annotated["Worker", strawberry.lazy("schema.worker")]
WorkspaceLater: Any = Annotated["Workspace", strawberry.lazy("schema.workspace")]


@view("label")
class Label(Node):
    """A label of a workspace, for the cards of its boards."""

    workspace_id: Annotated[ID, "Whose it is."]
    name: Annotated[str, "Unique in the workspace, whatever its case."]
    colour: Annotated[str, "#RRGGBB."]
    version: Annotated[int, "Grows by one with every change."]
    card_count: int = ask(workspaces.cards_of_label)


@answer(actions.label.DeletedLabel)
class DeletedLabel:
    """A label that is gone."""

    label: Annotated[Label, "The label as it was."]
    card_count: Annotated[int, "How many cards carried it."]


@view("membership")
class Membership(Node):
    """That a person belongs to a workspace."""

    workspace_id: Annotated[ID, "Of which workspace."]
    role: Annotated[Role, "What the person may do there."]
    created_at: Annotated[datetime, "Since when."]
    user: User | None = link(USER, "user_id", text="The person.")
    workspace: WorkspaceLater | None = link(WORKSPACE, "workspace_id", text="The workspace.")


@view("workspace")
class Workspace(Node):
    """Where boards stand and people belong. Nothing is visible across workspaces."""

    name: Annotated[str, "1 to 100 characters."]
    version: Annotated[int, "Grows by one with every change."]
    created_at: Annotated[datetime, "When it was made."]
    labels: list[Label] = link(
        LABELS_OF_WORKSPACE, text="Its labels, by name.", size=models.workspace.MOST_LABELS
    )
    api_keys: Connection[ApiKey] = ask(keys.keys_of_workspace, directives=[list_size(50)])
    boards: Connection[BoardLater] = ask(boards.boards_of_workspace, directives=[list_size(50)])
    members: Connection[Membership] = ask(members.members, directives=[list_size(50)])
    agent_profiles: list[AgentProfile] = link(
        PROFILES_OF_WORKSPACE, text="Its agent profiles, by name.", size=models.worker.MOST_PROFILES
    )
    workers: list[WorkerLater] = link(
        WORKERS_OF_WORKSPACE, text="Its workers that have not left, by name.", size=models.worker.MOST_WORKERS
    )
    my_role: Role = ask(workspaces.my_role)
    my_membership: Membership | None = link(MY_MEMBERSHIP, text="Your membership; null for a key.")
    audit_log: Connection[AuditEntryLater] | None = ask(audit.audit_log, directives=[list_size(50)])


@strawberry.type
class WorkspaceQuery:
    workspace: Workspace | None = ask(workspaces.workspace)
    workspaces: Connection[Workspace] = ask(workspaces.workspaces, directives=[list_size(50)])


@strawberry.type
class WorkspaceMutation:
    create_workspace = do(workspaces.create_workspace, Workspace)
    update_workspace = do(workspaces.update_workspace, Workspace, Stale)
    delete_workspace = do(workspaces.delete_workspace, Workspace)
    add_member = do(members.add_member, Membership, Conflict)
    set_member_role = do(members.set_member_role, Membership, Conflict)
    remove_member = do(members.remove_member, Membership, Conflict)
    create_label = do(labels.create_label, Label, Conflict)
    update_label = do(labels.update_label, Label, Stale, Conflict)
    delete_label = do(labels.delete_label, DeletedLabel, Stale)
