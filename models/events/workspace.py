"""Events of workspaces, their members and their labels."""

from typing import Annotated, TypedDict

from kit.graphql.arguments import Id
from models.events.base import BoardEvent, Changes, UserEvent, WorkspaceEvent
from models.workspace import Membership, Role


class WorkspaceScopedEvent(WorkspaceEvent):
    """A change to a workspace, or to what belongs to it."""

    workspace_id: Annotated[Id, "The workspace."]


class WorkspaceCreated(WorkspaceScopedEvent, UserEvent):
    """A workspace was created. The first event of its feed."""

    name: Annotated[str, "Its name at that time."]


class WorkspaceUpdated(WorkspaceScopedEvent):
    """A workspace's fields were changed."""

    changes: Changes


class WorkspaceDeleted(WorkspaceScopedEvent, UserEvent):
    """A workspace was deleted with everything in it. The last event of its feed."""

    name: Annotated[str, "Its name at that time."]


class MemberEvent(WorkspaceScopedEvent, UserEvent):
    """A change to a membership. The person's own feed has it too."""

    subject_field = "membership_id"

    membership_id: Annotated[Id, "The membership."]
    user_id: Annotated[Id, "The member."]
    role: Annotated[Role, "The member's role after the change; of a removed member, the last role."]


class MemberFacts(TypedDict):
    workspace_id: str
    membership_id: str
    user_id: str
    role: Role


def member_facts(membership: Membership) -> MemberFacts:
    """Return the fields that all events of a membership share."""
    return {
        "workspace_id": membership.workspace_id,
        "membership_id": membership.id,
        "user_id": membership.user_id,
        "role": membership.role,
    }


class MemberJoined(MemberEvent):
    """A person joined the workspace."""


class MemberRoleChanged(MemberEvent):
    """A member's role was changed."""

    changes: Changes


class MemberRemoved(MemberEvent):
    """A member was removed or left. The person's feeds of the workspace end."""


class LabelEvent(WorkspaceScopedEvent, BoardEvent):
    """A change to a label. The feeds of boards whose cards carry it have it too."""

    subject_field = "label_id"

    label_id: Annotated[Id, "The label."]


class LabelCreated(LabelEvent):
    """A label was created."""

    name: Annotated[str, "Its name at that time."]


class LabelUpdated(LabelEvent):
    """A label was changed."""

    changes: Changes


class LabelDeleted(LabelEvent):
    """A label was deleted, and removed from every card."""

    name: Annotated[str, "Its name at that time."]
    card_count: Annotated[int, "Number of cards that carried it."]
