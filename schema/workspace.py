"""Workspaces, their members and labels: the types, queries and mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.label
import actions.member
import actions.workspace
import models.worker
import models.workspace
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.workspace import Role
from resolvers import audit
from resolvers import board as boards
from resolvers import invitation as invitations
from resolvers import job as jobs
from resolvers import key as keys
from resolvers import member as members
from resolvers import workspace as workspaces
from resolvers.profile import PROFILES_OF_WORKSPACE
from resolvers.worker import WORKERS_OF_WORKSPACE
from resolvers.workspace import LABELS_OF_WORKSPACE, MY_MEMBERSHIP, USER, WORKSPACE
from schema.account import ApiKey, User
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.job import ServerJob
from schema.page import Connection
from schema.profile import AgentProfile
from schema.refusal import Conflict, Stale

AuditEntryLater: Any = Annotated["AuditEntry", strawberry.lazy("schema.audit")]
InvitationLater: Any = Annotated["Invitation", strawberry.lazy("schema.invitation")]
BoardLater: Any = Annotated["Board", strawberry.lazy("schema.board")]
WorkerLater: Any = Annotated["Worker", strawberry.lazy("schema.worker")]
WorkspaceLater: Any = Annotated["Workspace", strawberry.lazy("schema.workspace")]


@node_type("label")
class Label(Node):
    """A label of a workspace, for the cards of its boards."""

    workspace_id: Annotated[ID, "The workspace."]
    name: Annotated[str, "Unique in the workspace ignoring case."]
    colour: Annotated[str, "#RRGGBB."]
    version: Annotated[int, "Increases by one with every change."]
    card_count: int = query_field(workspaces.cards_of_label)


@result_type(actions.label.DeletedLabel)
class DeletedLabel:
    """A deleted label."""

    label: Annotated[Label, "The label before its deletion."]
    card_count: Annotated[int, "Number of cards that carried it."]


@node_type("membership")
class Membership(Node):
    """The membership of a person in a workspace."""

    workspace_id: Annotated[ID, "The workspace."]
    role: Annotated[Role, "The person's role."]
    created_at: Annotated[datetime, "Time of joining."]
    user: User | None = relation_field(USER, "user_id", text="The person.")
    workspace: WorkspaceLater | None = relation_field(WORKSPACE, "workspace_id", text="The workspace.")


@node_type("workspace")
class Workspace(Node):
    """A workspace: boards, members and labels. Nothing is visible across workspaces."""

    name: Annotated[str, "1 to 100 characters."]
    version: Annotated[int, "Increases by one with every change."]
    created_at: Annotated[datetime, "Time of creation."]
    labels: list[Label] = relation_field(
        LABELS_OF_WORKSPACE, text="Its labels, by name.", size=models.workspace.MAX_LABELS
    )
    api_keys: Connection[ApiKey] = query_field(keys.keys_of_workspace, directives=[list_size(50)])
    jobs: Connection[ServerJob] = query_field(jobs.jobs_of_workspace, directives=[list_size(50)])
    boards: Connection[BoardLater] = query_field(boards.boards_of_workspace, directives=[list_size(50)])
    members: Connection[Membership] = query_field(members.members, directives=[list_size(50)])
    invitations: Connection[InvitationLater] = query_field(
        invitations.invitations_of_workspace, directives=[list_size(50)]
    )
    agent_profiles: list[AgentProfile] = relation_field(
        PROFILES_OF_WORKSPACE, text="Its agent profiles, by name.", size=models.worker.MAX_PROFILES
    )
    workers: list[WorkerLater] = relation_field(
        WORKERS_OF_WORKSPACE, text="Its registered workers, by name.", size=models.worker.MAX_WORKERS
    )
    my_role: Role = query_field(workspaces.my_role)
    my_membership: Membership | None = relation_field(MY_MEMBERSHIP, text="Your membership; null for a key.")
    audit_log: Connection[AuditEntryLater] | None = query_field(audit.audit_log, directives=[list_size(50)])


@strawberry.type
class WorkspaceQuery:
    workspace: Workspace | None = query_field(workspaces.workspace)
    workspaces: Connection[Workspace] = query_field(workspaces.workspaces, directives=[list_size(50)])


@strawberry.type
class WorkspaceMutation:
    create_workspace = mutation(actions.workspace.create_workspace, Workspace, requires=Access.PERSON)
    update_workspace = mutation(actions.workspace.update_workspace, Workspace, Stale, requires=Access.ADMIN)
    delete_workspace = mutation(
        actions.workspace.delete_workspace, Workspace, Conflict, requires=Access.ADMIN
    )
    add_member = mutation(actions.member.add_member, Membership, Conflict, requires=Access.ADMIN)
    set_member_role = mutation(actions.member.set_member_role, Membership, Conflict, requires=Access.ADMIN)
    remove_member = mutation(actions.member.remove_member, Membership, Conflict, requires=Access.ADMIN)
    create_label = mutation(actions.label.create_label, Label, Conflict, requires=Access.MEMBER)
    update_label = mutation(actions.label.update_label, Label, Stale, Conflict, requires=Access.MEMBER)
    delete_label = mutation(actions.label.delete_label, DeletedLabel, Stale, requires=Access.MEMBER)
