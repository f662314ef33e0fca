"""Mutations of a second factor that check a password outside of their transaction, and whether there is one."""

from typing import Annotated

from sqlalchemy import select

import actions.second_factor
from actions.second_factor import SecondFactorSetup
from models.account import User
from models.second_factor import SecondFactor
from resolvers.account import checked_password
from resolvers.context import Info

OWN = "Your password. An account without one signs in elsewhere, where its second factor is too."


async def set_up_second_factor(info: Info, current_password: Annotated[str, OWN]) -> SecondFactorSetup:
    """Make a secret for an authenticator app (TOTP, RFC 6238). `confirmSecondFactor` turns it on.

    Raises Conflict if you have a second factor. After ten failures in a minute, further calls raise RATE_LIMITED.
    """
    old_hash = await checked_password(info, current_password)
    async with info.context.transaction() as tx:
        return await actions.second_factor.set_up_second_factor(
            tx, info.context.actor, info.context.services, old_hash
        )


async def remove_second_factor(
    info: Info,
    current_password: Annotated[str, OWN],
    code: Annotated[str, "A code of the app, or a recovery code."],
) -> User:
    """Remove your second factor. After ten failures in a minute, further calls raise RATE_LIMITED."""
    old_hash = await checked_password(info, current_password)
    context = info.context
    tries = f"second-factor:{context.actor.id}"
    context.services.attempts.count(tries)
    async with context.transaction() as tx:
        user = await actions.second_factor.remove_second_factor(
            tx, context.actor, context.services, old_hash, code
        )
    context.services.attempts.forgive(tries)
    return user


async def has_second_factor(info: Info) -> bool:
    """Whether signing in by password asks you for a code."""
    query = select(SecondFactor.user_id).where(
        SecondFactor.user_id == info.context.actor.id, SecondFactor.confirmed_at.is_not(None)
    )
    return bool(await info.context.read(query))
