"""Invitations: the type, its query and its mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.invitation
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node, object_type
from models.invitation import MAX_INVITED, InvitationStatus, SkipReason
from models.mail import DeliveryStatus
from models.workspace import Role
from resolvers import invitation as invitations
from resolvers.workspace import USER
from schema.account import User
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.refusal import Conflict, InvitationRefused

MembershipLater: Any = Annotated["Membership", strawberry.lazy("schema.workspace")]


@node_type("invitation")
class Invitation(Node):
    """An invitation to a workspace. Admins see it; its token is in the link and nowhere else."""

    workspace_id: Annotated[ID, "The workspace."]
    email: Annotated[str | None, "The invited address; null: a link for whoever opens it first."]
    role: Annotated[Role, "The role of the new member."]
    status: InvitationStatus = query_field(invitations.status_of_invitation)
    delivery: Annotated[DeliveryStatus | None, "The delivery of its newest mail; null: no mail was sent."]
    delivery_error: Annotated[str | None, "The reason why the mail was not delivered; else null."]
    created_at: Annotated[datetime, "Time of creation."]
    expires_at: Annotated[datetime, "Time after which it cannot be accepted."]
    accepted_at: Annotated[datetime | None, "Time of acceptance; null if it was not accepted."]
    invited_by: User | None = relation_field(USER, "invited_by", text="The inviting admin; null if unknown.")
    accepted_by: User | None = relation_field(USER, "accepted_by", text="The new member; null if unknown.")


@result_type(actions.invitation.InvitationLink)
class InvitationLink:
    """An invitation and its link."""

    invitation: Annotated[Invitation, "The invitation."]
    link: Annotated[str | None, "The link, which is not shown again; null if a mail brings it."]


@object_type
class SkippedAddress:
    """An address that was not invited."""

    email: Annotated[str, "The address."]
    reason: Annotated[SkipReason, "The reason."]


@result_type(actions.invitation.Invited)
class Invited:
    """The result of inviting people."""

    created: list[InvitationLink] = strawberry.field(
        description="The new invitations.", directives=[list_size(MAX_INVITED, slicing=())]
    )
    skipped: list[SkippedAddress] = strawberry.field(
        description="The addresses that were not invited.", directives=[list_size(MAX_INVITED, slicing=())]
    )


@object_type
class InvitationPreview:
    """An invitation as its receiver sees it."""

    workspace_name: Annotated[str, "The name of the workspace."]
    inviter_name: Annotated[str | None, "The display name of the inviting person; null if unknown."]
    email: Annotated[str | None, "The address that your account must have; null: any."]
    role: Annotated[Role, "Your role after accepting."]
    status: Annotated[InvitationStatus, "Its status now."]
    expires_at: Annotated[datetime, "Time after which it cannot be accepted."]


@strawberry.type
class InvitationQuery:
    invitation_preview: InvitationPreview | None = query_field(invitations.invitation_preview)


@strawberry.type
class InvitationMutation:
    invite_members = mutation(actions.invitation.invite_members, Invited, Conflict, requires=Access.ADMIN)
    create_invitation_link = mutation(
        actions.invitation.create_invitation_link, InvitationLink, Conflict, requires=Access.ADMIN
    )
    revoke_invitation = mutation(
        actions.invitation.revoke_invitation, Invitation, Conflict, requires=Access.ADMIN
    )
    resend_invitation = mutation(
        actions.invitation.resend_invitation, InvitationLink, Conflict, requires=Access.ADMIN
    )
    accept_invitation = mutation(
        actions.invitation.accept_invitation,
        MembershipLater,
        InvitationRefused,
        Conflict,
        requires=Access.PERSON,
    )
