"""Password reset and address confirmation: a token by mail, once, within an hour.

A request for a reset does the same whether or not the account exists: it only enqueues a job, and the job looks.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import delete, func, select

from actions import validation
from actions.account import fold_email, lock_own_user, set_password
from actions.job import HANDLERS, enqueue_job
from actions.mail import count_mails, enqueue_mail
from auth.passwords import digest, new_secret
from auth.services import Services
from kit.db.database import utcnow
from kit.db.transaction import Author, Transaction
from models.account import TOKEN_LIFETIME, AccountToken, TokenPurpose, User
from models.actor import Actor, ActorKind
from models.events.account import AddressConfirmed
from models.refusal import Conflict, Forbidden, Invalid

RESET_PASSWORD = "account.reset"  # noqa: S105 - a kind of job
MAX_TOKENS = 3  # of a person and a purpose that are valid: more are not mailed
USED = "is unknown, was used before, or is older than an hour"


@dataclass(frozen=True)
class MailRequested:
    """A mail that was asked for."""

    lifetime_minutes: int = round(TOKEN_LIFETIME.total_seconds() / 60)


@dataclass(frozen=True)
class PasswordSet:
    """The account whose password was set."""

    username: str


def require_mail(services: Services) -> None:
    """Raise Forbidden if this server sends no mail."""
    if not services.settings.sends_mail:
        raise Forbidden("This server sends no mail; ask its owner for a sign-in link")


async def request_password_reset(tx: Transaction, services: Services, email: str) -> MailRequested:
    """Enqueue the look for the account of an address."""
    require_mail(services)
    folded = fold_email("email", validation.required_email("email", email))
    # The address is personal: a job is kept for a while.
    await enqueue_job(tx, RESET_PASSWORD, {"email": services.seal.close(folded)})
    return MailRequested()


async def mail_reset(services: Services, payload: dict[str, Any]) -> None:
    """Mail a token to the account of an address, if there is one."""
    folded = services.seal.open(payload["email"])
    async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        user = await tx.scalar(
            select(User).where(User.email_folded == folded, User.is_active).with_for_update()
        )
        if user is not None:
            await _mail_token(tx, services, user, TokenPurpose.PASSWORD_RESET, "password_reset", "reset")


async def _mail_token(
    tx: Transaction, services: Services, user: User, purpose: TokenPurpose, template: str, name: str
) -> bool:
    """Mail a new token to a person's address. Returns False if several are on their way."""
    assert user.email is not None, "the caller found the person by its address, or checked it"
    now = utcnow()
    await tx.execute(delete(AccountToken).where(AccountToken.expires_at <= now))
    valid = select(func.count()).where(AccountToken.user_id == user.id, AccountToken.purpose == purpose)
    if (await tx.scalar(valid) or 0) >= MAX_TOKENS:
        return False
    token = new_secret()
    tx.add(
        AccountToken(
            token_hash=digest(token),
            user_id=user.id,
            purpose=purpose,
            email_folded=user.email_folded,
            expires_at=now + TOKEN_LIFETIME,
        )
    )
    values = {"username": user.username, "link": f"{services.settings.page_url}/#{name}={token}"}
    await enqueue_mail(tx, services, recipient=user.email, template=template, values=values, user_id=user.id)
    return True


async def redeem_token(tx: Transaction, token: str, purpose: TokenPurpose) -> User:
    """Use up a token. Returns its account, locked. Raises Invalid.

    Of several callers at once one gets the account: the row is deleted by one of them alone.
    """
    used = delete(AccountToken).where(
        AccountToken.token_hash == digest(token), AccountToken.purpose == purpose
    )
    columns = AccountToken.user_id, AccountToken.email_folded, AccountToken.expires_at
    row = (await tx.execute(used.returning(*columns))).one_or_none()
    if row is None or row.expires_at <= utcnow():
        raise Invalid(("token", USED))
    user = await tx.get(User, row.user_id, with_for_update=True, populate_existing=True)
    if user is None or not user.is_active or user.email_folded != row.email_folded:
        raise Invalid(("token", USED))
    tx.set_author(ActorKind.USER, user.id)
    return user


async def reset_password(tx: Transaction, token: str, new_hash: str) -> PasswordSet:
    """Set the password of the account of a token, and end all its logins. Raises Invalid."""
    user = await redeem_token(tx, token, TokenPurpose.PASSWORD_RESET)
    confirm(tx, user)  # the mail arrived
    await tx.execute(delete(AccountToken).where(AccountToken.user_id == user.id))
    await set_password(tx, user, new_hash)
    return PasswordSet(user.username)


async def request_address_confirmation(
    tx: Transaction,
    actor: Actor,
    services: Services,
    *,
    email: Annotated[str | None, "Refuse with Conflict unless this is your address."] = None,
) -> MailRequested:
    """Mail a link that confirms your address, valid once, for one hour.

    Raises Conflict if the account has no address, if it is confirmed, or if three mails are on their way.
    """
    require_mail(services)
    count_mails(services, actor)
    user = await lock_own_user(tx, actor)
    if email is not None and user.email_folded != validation.folded(email):
        raise Conflict("Your account has another address", user.id)
    if user.email is None or user.email_confirmed_at is not None:
        raise Conflict("The account has no address that is not confirmed", user.id)
    if not await _mail_token(tx, services, user, TokenPurpose.ADDRESS, "address", "address"):
        raise Conflict(f"{MAX_TOKENS} mails of the last hour are valid; use the newest", user.id)
    return MailRequested()


async def confirm_address(tx: Transaction, token: str) -> User:
    """Confirm the address of the account of a token. Raises Invalid."""
    user = await redeem_token(tx, token, TokenPurpose.ADDRESS)
    confirm(tx, user)
    await tx.flush()  # the caller reads it
    return user


def confirm(tx: Transaction, user: User) -> None:
    """Note that a person's address is confirmed."""
    if user.email_confirmed_at is None:
        user.email_confirmed_at = utcnow()
        user.version += 1
        tx.emit(user, AddressConfirmed(account_id=user.id))


HANDLERS[RESET_PASSWORD] = mail_reset
