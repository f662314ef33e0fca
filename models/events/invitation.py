"""Events of invitations. Members read them, so they do not say the address; the audit log does."""

from typing import Annotated, TypedDict

from kit.graphql.arguments import Id
from models.events.workspace import WorkspaceScopedEvent
from models.invitation import Invitation
from models.mail import DeliveryStatus
from models.workspace import Role


class InvitationEvent(WorkspaceScopedEvent):
    """A change to an invitation."""

    subject_field = "invitation_id"

    invitation_id: Annotated[Id, "The invitation."]
    role: Annotated[Role, "The role that it gives."]


class InvitationFacts(TypedDict):
    workspace_id: str
    invitation_id: str
    role: Role
    called: str | None


def invitation_facts(invitation: Invitation) -> InvitationFacts:
    """Return the fields that all events of an invitation share."""
    return {
        "workspace_id": invitation.workspace_id,
        "invitation_id": invitation.id,
        "role": invitation.role,
        "called": invitation.email,
    }


class InvitationCreated(InvitationEvent):
    """A person was invited, or a link was created."""


class InvitationResent(InvitationEvent):
    """An invitation got a new token and seven more days."""


class InvitationRevoked(InvitationEvent):
    """An invitation was revoked."""


class InvitationAccepted(InvitationEvent):
    """An invitation was accepted."""

    user_id: Annotated[Id, "The new member."]


class InvitationDeliveryChanged(InvitationEvent):
    """The delivery of an invitation's mail changed."""

    delivery: Annotated[DeliveryStatus, "Its delivery since then."]
