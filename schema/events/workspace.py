"""What happens to a workspace, its members and its labels."""

import strawberry
from strawberry import ID

from models.event import EventKind as Kind
from models.workspace import Role
from resolvers.workspace import LABEL, USER, WORKSPACE
from schema.account import User
from schema.actor import Change, changes
from schema.events.base import BoardEvent, UserEvent, WorkspaceEvent, event, found
from schema.fields import payload_field
from schema.workspace import Label, Workspace


@strawberry.interface(description="Something that happened to a workspace itself.")
class AboutWorkspace(WorkspaceEvent):
    workspace_id: ID = payload_field("workspace_id", "Which workspace.")
    workspace: Workspace | None = found(WORKSPACE, "workspace_id", "The workspace as it is now.")


@strawberry.interface(description="Something that happened to a member. Whom it is about hears of it too.")
class AboutMember(AboutWorkspace, UserEvent):
    membership_id: ID = payload_field("membership_id", "Which membership.")
    user_id: ID = payload_field("user_id", "Who the member is.")
    user: User | None = found(USER, "user_id", "The person; null once you no longer see each other.")
    role: Role = payload_field("role", "What the member may do after it; on leaving, might do before.")


@strawberry.interface(
    description="Something that happened to a label. Boards whose cards carry it hear of it too."
)
class AboutLabel(AboutWorkspace, BoardEvent):
    label_id: ID = payload_field("label_id", "Which label.")
    label: Label | None = found(LABEL, "label_id", "The label as it is now; null once it is deleted.")


@event(Kind.WORKSPACE_CREATED)
class WorkspaceCreated(AboutWorkspace, UserEvent):
    """A workspace was made. Its first event."""

    name: str = payload_field("name", "What it was called then.")


@event(Kind.WORKSPACE_UPDATED)
class WorkspaceUpdated(AboutWorkspace):
    """A workspace was changed."""

    changes: list[Change] = changes()


@event(Kind.WORKSPACE_DELETED)
class WorkspaceDeleted(AboutWorkspace, UserEvent):
    """A workspace was deleted with everything in it. The last event of its feed."""

    name: str = payload_field("name", "What it was called.")


@event(Kind.MEMBER_JOINED)
class MemberJoined(AboutMember):
    """A person was let in."""


@event(Kind.MEMBER_ROLE_CHANGED)
class MemberRoleChanged(AboutMember):
    """A member may do more than before, or less."""

    changes: list[Change] = changes()


@event(Kind.MEMBER_REMOVED)
class MemberRemoved(AboutMember):
    """A member was let go or left. Their feeds of the workspace end."""


@event(Kind.LABEL_CREATED)
class LabelCreated(AboutLabel):
    """A label was made."""

    name: str = payload_field("name", "What it was called then.")


@event(Kind.LABEL_UPDATED)
class LabelUpdated(AboutLabel):
    """A label was changed."""

    changes: list[Change] = changes()


@event(Kind.LABEL_DELETED)
class LabelDeleted(AboutLabel):
    """A label was deleted, and taken off every card."""

    name: str = payload_field("name", "What it was called.")
    card_count: int = payload_field("card_count", "How many cards carried it.")
