"""Erasure of an account: the person disappears, the work and the audit log stay.

The row of the account stays without anything personal, so that what the person wrote has the author "Deleted user".
"""

from dataclasses import dataclass

from sqlalchemy import delete, or_, select, update

from actions.account import lock_own_user
from actions.member import remove_member
from actions.session import end_sessions
from kit.db.transaction import Transaction
from kit.eventlog.tables import EVENTS
from models.account import AccountToken, EndReason, SignInLink, User
from models.actor import Actor
from models.avatar import Avatar
from models.identity import LinkedIdentity
from models.invitation import Invitation
from models.mail import Mail
from models.notice import Notification
from models.refusal import Invalid
from models.second_factor import SecondFactor
from models.topic import user_topic
from models.watch import Watch
from models.workspace import Membership

DELETED_NICKNAME = "Deleted user"


@dataclass(frozen=True)
class ErasedAccount:
    """An account that was erased."""

    username: str


async def erase_me(
    tx: Transaction, actor: Actor, old_hash: str | None, confirm_username: str
) -> ErasedAccount:
    """Erase the actor's account. `old_hash` is the hash that the current password matched; None if there is none.

    Raises Invalid, or Conflict if the person is the last admin of a workspace. Then nothing was changed.
    """
    memberships = (
        select(Membership.id).where(Membership.user_id == actor.id).order_by(Membership.workspace_id)
    )
    for id in list(await tx.scalars(memberships)):
        await remove_member(tx, actor, id=id)
    user = await lock_own_user(tx, actor)
    if user.password_hash != old_hash:
        raise Invalid(("currentPassword", "is not your password"))
    if confirm_username != user.username:
        raise Invalid(("confirmUsername", "is not your username"))
    await end_sessions(tx, user.id, EndReason.ACCOUNT_CLOSED)
    username, folded = user.username, user.email_folded
    for table in (Avatar, LinkedIdentity, AccountToken, SignInLink, Notification, Watch, SecondFactor):
        await tx.execute(delete(table).where(table.user_id == user.id))
    own_mails = or_(Mail.user_id == user.id, Mail.recipient == user.email)
    await tx.execute(delete(Mail).where(own_mails))
    accepted = update(Invitation).where(Invitation.accepted_by == user.id)
    await tx.execute(accepted.values(email=None, email_folded=None))
    if folded is not None:
        waiting = Invitation.email_folded == folded, Invitation.accepted_at.is_(None)
        await tx.execute(delete(Invitation).where(*waiting))
    await tx.execute(delete(EVENTS.table).where(EVENTS.table.c.topic == user_topic(user.id)))
    _clear(user)
    return ErasedAccount(username)


def _clear(user: User) -> None:
    """Take everything personal out of a row."""
    user.username = user.username_folded = f"deleted-{user.id[-26:]}"
    user.nickname = DELETED_NICKNAME
    user.email = user.email_folded = user.email_confirmed_at = None
    user.first_name = user.last_name = user.password_hash = user.avatar_url = user.preferences = None
    user.last_login_at = user.digest_at = None
    user.is_active = user.is_local = False
    user.version += 1
