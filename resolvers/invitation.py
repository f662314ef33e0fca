"""Reads of invitations: by admins of the workspace, and by a token before its owner has an account."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from sqlalchemy import select
from strawberry import Parent

from auth.passwords import digest
from auth.permissions import administrates
from models.account import User, public
from models.invitation import Invitation, InvitationStatus, status_of
from models.workspace import Role, Workspace
from resolvers.context import Info
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

INVITATION = Relation[Invitation | None](
    select(Invitation.__table__),
    Invitation.id,
    lambda actor: administrates(actor, Invitation.workspace_id),
)
INVITATIONS = PaginatedQuery(
    "invitations",
    select(Invitation.__table__),
    Invitation.workspace_id,
    lambda actor: administrates(actor, Invitation.workspace_id),
)
NEWEST = Order("NEWEST", ((Invitation.id, True),))
# Whoever has the token may read this much. It needs no actor.
PREVIEW = (
    select(
        Invitation.email,
        Invitation.role,
        Invitation.expires_at,
        Invitation.accepted_at,
        Invitation.revoked_at,
        Workspace.name,
        User.username,
        User.nickname,
    )
    .join(Workspace, Workspace.id == Invitation.workspace_id)
    .outerjoin(User, User.id == Invitation.invited_by)
)


@dataclass(frozen=True)
class Preview:
    """An invitation as its receiver sees it."""

    workspace_name: str
    inviter_name: str | None
    email: str | None
    role: Role
    status: InvitationStatus
    expires_at: datetime


async def invitations_of_workspace(
    root: Parent[Workspace],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    open: Annotated[
        bool, "Only those that were neither accepted nor revoked; false: only the others."
    ] = True,
) -> Page:
    """Its invitations without their tokens, newest first. Empty unless you are an admin."""
    is_open = Invitation.accepted_at.is_(None) & Invitation.revoked_at.is_(None)
    where = is_open if open else ~is_open
    page = PageArgs(first, after, last, before)
    return await load_page(info.context, INVITATIONS, NEWEST, page, root.id, [where], str(open))


async def status_of_invitation(root: Parent[Invitation]) -> InvitationStatus:
    """Its status now."""
    return status_of(root)


async def invitation_preview(
    info: Info, token: Annotated[str, "The text after `#invitation=` in the link."]
) -> Preview | None:
    """An invitation as its receiver sees it, without signing in; null if no invitation has that token.

    After ten unknown tokens in a minute from an address, further calls raise RATE_LIMITED.
    """
    context = info.context
    context.services.attempts.count(attempt := f"invitation:{context.caller.network}")
    rows = await context.read(PREVIEW.where(Invitation.token_hash == digest(token)))
    if not rows:
        return None
    context.services.attempts.forgive(attempt)
    row = rows[0]
    return Preview(
        row.name,
        public(row) if row.username else None,
        row.email,
        row.role,
        status_of(row),
        row.expires_at,
    )
