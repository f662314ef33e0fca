"""Changes to invitations.

Each locks the workspace's row first, so an address is invited once and a token is used once.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import func, select

from actions import validation
from actions.account import fold_email
from actions.mail import count_mails, enqueue_mail
from actions.member import join_workspace
from actions.notice import create_notices
from auth.locking import lock_workspace
from auth.passwords import digest, new_secret
from auth.services import Services
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from models.account import User, public
from models.actor import Actor
from models.events.invitation import (
    InvitationAccepted,
    InvitationCreated,
    InvitationEvent,
    InvitationResent,
    InvitationRevoked,
    invitation_facts,
)
from models.invitation import (
    INVITATION_LIFETIME,
    MAX_INVITED,
    MAX_PENDING,
    Invitation,
    InvitationProblem,
    InvitationRefused,
    InvitationStatus,
    SkipReason,
    status_of,
)
from models.notice import NotificationType
from models.refusal import Conflict, Forbidden, NotFound
from models.workspace import Membership, Role, Workspace

REFUSED = {
    InvitationStatus.ACCEPTED: InvitationProblem.USED,
    InvitationStatus.REVOKED: InvitationProblem.REVOKED,
    InvitationStatus.EXPIRED: InvitationProblem.EXPIRED,
}


@dataclass(frozen=True)
class InvitationLink:
    """An invitation, and its link if no mail brings it."""

    invitation: Invitation
    link: str | None


@dataclass(frozen=True)
class SkippedAddress:
    """An address that was not invited."""

    email: str
    reason: SkipReason


@dataclass(frozen=True)
class Invited:
    """The result of inviting several addresses."""

    created: list[InvitationLink]
    skipped: list[SkippedAddress]


async def invite_members(
    tx: Transaction,
    actor: Actor,
    services: Services,
    *,
    workspace_id: Annotated[Id, "The workspace."],
    emails: Annotated[list[str], "1 to 10 e-mail addresses."],
    role: Annotated[Role, "The role of the new members."] = Role.MEMBER,
) -> Invited:
    """Invite people by e-mail. Each invitation is valid once, for seven days, for an account with that address.

    Members and addresses with a valid invitation are skipped. Without a mail server the result has the links, and
    you send them. Raises Conflict if the workspace would have more than 200 pending invitations. With a mail
    server, calls after the tenth in a minute raise RATE_LIMITED.
    """
    validation.at_most("emails", emails, MAX_INVITED)
    count_mails(services, actor)
    clean = [validation.required_email(f"emails.{index}", email) for index, email in enumerate(emails)]
    folded = [fold_email(f"emails.{index}", email) for index, email in enumerate(clean)]
    validation.distinct("emails", folded)
    workspace = await lock_workspace(tx, actor, workspace_id, admin=True)
    skip = await _find_skipped(tx, workspace, folded)
    skipped = [
        SkippedAddress(email, skip[key]) for email, key in zip(clean, folded, strict=True) if key in skip
    ]
    new = [(email, key) for email, key in zip(clean, folded, strict=True) if key not in skip]
    await _require_room(tx, workspace, len(new))
    created = [await _create(tx, actor, services, workspace, email, key, role) for email, key in new]
    await _notify_invited(tx, workspace, {one.invitation.email_folded: one.invitation for one in created})
    return Invited(created, skipped)


async def _notify_invited(
    tx: Transaction, workspace: Workspace, invitations: dict[str | None, Invitation]
) -> None:
    """Notify the accounts whose confirmed addresses were invited."""
    if not invitations:
        return
    confirmed = User.email_folded.in_(invitations), User.email_confirmed_at.is_not(None)
    for id, key in await tx.execute(select(User.id, User.email_folded).where(*confirmed)):
        await create_notices(
            tx,
            [id],
            NotificationType.INVITED,
            f"You were invited to {workspace.name}",
            cause=f"invitation {invitations[key].id}",
            workspace_id=workspace.id,
        )


async def create_invitation_link(
    tx: Transaction,
    actor: Actor,
    services: Services,
    *,
    workspace_id: Annotated[Id, "The workspace."],
    role: Annotated[Role, "The role of the new member."] = Role.MEMBER,
) -> InvitationLink:
    """Create a link that lets one person join, whoever opens it first. It is valid once, for seven days.

    The link is shown only in this answer. Raises Conflict if the workspace has 200 pending invitations.
    """
    workspace = await lock_workspace(tx, actor, workspace_id, admin=True)
    await _require_room(tx, workspace, 1)
    return await _create(tx, actor, services, workspace, None, None, role)


async def _find_skipped(tx: Transaction, workspace: Workspace, folded: list[str]) -> dict[str, SkipReason]:
    """Find the addresses that are not to be invited. Revokes their expired invitations, which are in the way."""
    members = select(User.email_folded).join(Membership, Membership.user_id == User.id)
    members = members.where(Membership.workspace_id == workspace.id, User.email_folded.in_(folded))
    skip = {str(key): SkipReason.MEMBER for key in await tx.scalars(members)}
    for invitation in await tx.scalars(_select_open(workspace).where(Invitation.email_folded.in_(folded))):
        if status_of(invitation) is InvitationStatus.PENDING:
            skip.setdefault(str(invitation.email_folded), SkipReason.INVITED)
        elif invitation.email_folded not in skip:
            _revoke(tx, workspace, invitation)
    await tx.flush()  # the index sees them revoked before others are added
    return skip


def _select_open(workspace: Workspace) -> Any:
    """Select the invitations that were neither accepted nor revoked."""
    is_open = Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None)
    return select(Invitation).where(Invitation.workspace_id == workspace.id, *is_open)


async def _require_room(tx: Transaction, workspace: Workspace, count: int) -> None:
    pending = _select_open(workspace).where(Invitation.expires_at > utcnow())
    there = await tx.scalar(select(func.count()).select_from(pending.subquery())) or 0
    if there + count > MAX_PENDING:
        raise Conflict(f"A workspace has at most {MAX_PENDING} pending invitations; revoke some")


async def _create(
    tx: Transaction,
    actor: Actor,
    services: Services,
    workspace: Workspace,
    email: str | None,
    folded: str | None,
    role: Role,
) -> InvitationLink:
    token = new_secret()
    invitation = Invitation(
        workspace_id=workspace.id,
        email=email,
        email_folded=folded,
        role=role,
        token_hash=digest(token),
        invited_by=actor.id,
        expires_at=utcnow() + INVITATION_LIFETIME,
    )
    tx.add(invitation)
    await tx.flush()  # generates invitation.id
    _emit(tx, workspace, InvitationCreated(**invitation_facts(invitation)))
    return await _deliver(tx, services, workspace, invitation, token)


async def _deliver(
    tx: Transaction, services: Services, workspace: Workspace, invitation: Invitation, token: str
) -> InvitationLink:
    """Mail an invitation, or return its link if no mail can bring it."""
    link = f"{services.settings.page_url}/#invitation={token}"
    if invitation.email is None or not services.settings.sends_mail:
        return InvitationLink(invitation, link)
    inviter = await tx.get(User, invitation.invited_by) if invitation.invited_by else None
    mail = await enqueue_mail(
        tx,
        services,
        recipient=invitation.email,
        template="invitation",
        values={
            "inviter": public(inviter) if inviter else "An admin",
            "workspace": workspace.name,
            "link": link,
        },
        workspace_id=workspace.id,
    )
    invitation.mail_id, invitation.delivery, invitation.delivery_error = mail.id, mail.status, None
    await tx.flush()  # the caller reads it
    return InvitationLink(invitation, None)


async def revoke_invitation(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The invitation."]
) -> Invitation:
    """Revoke an invitation for good. Raises Conflict if it was accepted. Idempotent."""
    workspace, invitation = await _lock_invitation(tx, actor, id)
    if invitation.accepted_at is not None:
        raise Conflict("The invitation was accepted; remove the member instead", invitation.id)
    if invitation.revoked_at is None:
        _revoke(tx, workspace, invitation)
    return invitation


async def resend_invitation(
    tx: Transaction, actor: Actor, services: Services, *, id: Annotated[Id, "The invitation."]
) -> InvitationLink:
    """Renew an invitation: a new token, seven more days, another mail. The earlier link is no longer valid.

    Raises Conflict if it was accepted or revoked.
    """
    count_mails(services, actor)
    workspace, invitation = await _lock_invitation(tx, actor, id)
    if status_of(invitation) in (InvitationStatus.ACCEPTED, InvitationStatus.REVOKED):
        raise Conflict("The invitation was accepted or revoked; invite again", invitation.id)
    if status_of(invitation) is InvitationStatus.EXPIRED:
        await _require_room(tx, workspace, 1)
    token = new_secret()
    invitation.token_hash = digest(token)
    invitation.expires_at = utcnow() + INVITATION_LIFETIME
    _emit(tx, workspace, InvitationResent(**invitation_facts(invitation)))
    return await _deliver(tx, services, workspace, invitation, token)


async def accept_invitation(
    tx: Transaction,
    actor: Actor,
    services: Services,
    *,
    token: Annotated[str, "The text after `#invitation=` in the link."],
) -> Membership:
    """Join the workspace of an invitation. It can be accepted once.

    Raises InvitationRefused with the problem, or Conflict if you are a member already. After ten failures in a
    minute, further calls raise RATE_LIMITED.
    """
    if not actor.is_person:
        raise Forbidden("Only a person may accept an invitation")
    user = await tx.get_one(User, actor.id)
    services.attempts.count(attempt := f"invitation:{actor.id}")
    membership = await accept_as(tx, user, token)
    services.attempts.forgive(attempt)
    return membership


async def accept_as(tx: Transaction, user: User, token: str) -> Membership:
    """Let a person join by an invitation. Raises InvitationRefused, or Conflict as `join_workspace` does."""
    workspace_id = await tx.scalar(
        select(Invitation.workspace_id).where(Invitation.token_hash == digest(token))
    )
    if workspace_id is None:
        raise InvitationRefused(InvitationProblem.UNKNOWN)
    workspace = await tx.scalar(select(Workspace).where(Workspace.id == workspace_id).with_for_update())
    query = select(Invitation).where(Invitation.token_hash == digest(token)).with_for_update()
    invitation = await tx.scalar(query.execution_options(populate_existing=True))
    if workspace is None or invitation is None:  # deleted or resent while the lock was waited for
        raise InvitationRefused(InvitationProblem.UNKNOWN)
    if problem := REFUSED.get(status_of(invitation)):
        raise InvitationRefused(problem)
    if invitation.email_folded is not None and invitation.email_folded != user.email_folded:
        raise InvitationRefused(InvitationProblem.OTHER_ADDRESS)
    membership = await join_workspace(tx, workspace, user, invitation.role)
    invitation.accepted_at, invitation.accepted_by = utcnow(), user.id
    _emit(tx, workspace, InvitationAccepted(**invitation_facts(invitation), user_id=user.id))
    return membership


async def _lock_invitation(tx: Transaction, actor: Actor, id: str) -> tuple[Workspace, Invitation]:
    """Lock an invitation after its workspace, for an admin. Raises NotFound."""
    workspace_id = await tx.scalar(select(Invitation.workspace_id).where(Invitation.id == id))
    if workspace_id is None:
        raise NotFound(id)
    try:
        workspace = await lock_workspace(tx, actor, workspace_id, admin=True)
    except NotFound as error:
        raise NotFound(id) from error
    query = select(Invitation).where(Invitation.id == id).with_for_update()
    invitation = await tx.scalar(query.execution_options(populate_existing=True))
    if invitation is None:  # purged while the lock was waited for
        raise NotFound(id)
    return workspace, invitation


def _revoke(tx: Transaction, workspace: Workspace, invitation: Invitation) -> None:
    invitation.revoked_at = utcnow()
    _emit(tx, workspace, InvitationRevoked(**invitation_facts(invitation)))


def _emit(tx: Transaction, workspace: Workspace, event: InvitationEvent) -> None:
    tx.emit(workspace, event)
