"""Mutations for people who are not signed in: a new password or a confirmed address, by a token that was mailed."""

from typing import Annotated

import actions.account_mail
from actions import validation
from actions.account_mail import MailRequested, PasswordSet
from auth.passwords import hash_password
from models.account import User
from resolvers.context import Info


async def request_password_reset(
    info: Info, email: Annotated[str, "The address of your account."]
) -> MailRequested:
    """Mail a link that sets a new password, valid once, for one hour.

    The answer is the same whether or not an account has the address. Raises Forbidden if the server sends no mail.
    After ten calls in a minute from an address, further calls raise RATE_LIMITED.
    """
    context = info.context
    context.services.attempts.count(f"reset:{context.caller.network}")
    async with context.transaction(context.nobody) as tx:
        return await actions.account_mail.request_password_reset(tx, context.services, email)


async def reset_password(
    info: Info,
    token: Annotated[str, "The text after `#reset=` in the link."],
    new_password: Annotated[str, "8 to 1,024 bytes."],
) -> PasswordSet:
    """Set a new password with a token that was mailed, and end all logins of the account. You are not signed in.

    Raises Invalid for a token that is unknown, used or older than an hour. After ten failures in a minute from an
    address, further calls raise RATE_LIMITED.
    """
    context = info.context
    hashed_input = validation.password("newPassword", new_password)
    context.services.attempts.count(attempt := f"token:{context.caller.network}")
    hashed = await hash_password(hashed_input)
    async with context.transaction(context.nobody) as tx:
        done = await actions.account_mail.reset_password(tx, token, hashed)
    context.services.attempts.forgive(attempt)
    return done


async def confirm_address(
    info: Info, token: Annotated[str, "The text after `#address=` in the link."]
) -> User:
    """Confirm the address of an account with a token that was mailed. Raises Invalid as `resetPassword` does."""
    context = info.context
    context.services.attempts.count(attempt := f"token:{context.caller.network}")
    async with context.transaction(context.nobody) as tx:
        user = await actions.account_mail.confirm_address(tx, token)
    context.services.attempts.forgive(attempt)
    return user
