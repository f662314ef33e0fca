"""Setting up, checking and removing a second factor."""

import hmac
import time
from dataclasses import dataclass
from typing import Annotated

from actions.account import lock_own_user
from auth.passwords import digest, new_secret
from auth.secrets import Secrets
from auth.services import Services
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from models.account import AuthReason, User
from models.actor import Actor
from models.events.account import SecondFactorAdded, SecondFactorRemoved
from models.refusal import Conflict, Invalid, Unauthenticated
from models.second_factor import DRIFT_STEPS, RECOVERY_CODES, STEP_SECONDS, SecondFactor

ISSUER = "Signalbox"
MAX_CODE_LENGTH = 40


@dataclass(frozen=True)
class SecondFactorSetup:
    """A secret that was made, and is not asked for yet."""

    secret: str
    uri: str


@dataclass(frozen=True)
class RecoveryCodes:
    """Codes that each replace one code of the app."""

    codes: list[str]


async def set_up_second_factor(
    tx: Transaction, actor: Actor, services: Services, old_hash: str | None
) -> SecondFactorSetup:
    """Store a new secret for a person whose password matched `old_hash`. One that is confirmed stays."""
    import pyotp

    user = await lock_own_user(tx, actor)
    if user.password_hash != old_hash or old_hash is None:
        raise Invalid(("currentPassword", "is not your password"))
    factor = await tx.get(SecondFactor, user.id)
    if factor is not None and factor.confirmed_at is not None:
        raise Conflict("You have a second factor; remove it first")
    secret = pyotp.random_base32()
    sealed = services.secrets.seal(secret, user.id)
    if factor is None:
        tx.add(SecondFactor(user_id=user.id, secret=sealed))
    else:
        factor.secret, factor.last_step = sealed, 0
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=ISSUER)
    return SecondFactorSetup(secret, uri)


async def confirm_second_factor(
    tx: Transaction,
    actor: Actor,
    services: Services,
    *,
    code: Annotated[str, "The six digits that the app shows for the secret."],
) -> RecoveryCodes:
    """Turn your second factor on: signing in by password asks for a code from now on.

    The recovery codes are shown once. Each of them replaces one code. Raises Invalid for a wrong code, Conflict if
    nothing was set up.
    """
    user = await lock_own_user(tx, actor)
    factor = await tx.get(SecondFactor, user.id, with_for_update=True)
    if factor is None or factor.confirmed_at is not None:
        raise Conflict("There is no second factor to confirm; call setUpSecondFactor first")
    if not _takes(factor, services.secrets, code):
        raise Invalid(("code", "is not the current code of the secret"))
    codes = [new_secret()[:12] for _ in range(RECOVERY_CODES)]
    factor.confirmed_at = utcnow()
    factor.recovery_hashes = [digest(code) for code in codes]
    tx.emit(user, SecondFactorAdded(account_id=user.id))
    return RecoveryCodes(codes)


async def remove_second_factor(
    tx: Transaction, actor: Actor, services: Services, old_hash: str | None, code: str
) -> User:
    """Remove the second factor of a person whose password matched `old_hash`."""
    user = await lock_own_user(tx, actor)
    if user.password_hash != old_hash:
        raise Invalid(("currentPassword", "is not your password"))
    factor = await tx.get(SecondFactor, user.id, with_for_update=True)
    if factor is None or factor.confirmed_at is None:
        raise Conflict("You have no second factor")
    if not _takes(factor, services.secrets, code):
        raise Invalid(("code", "is wrong, or was used before"))
    await drop_second_factor(tx, user)
    return user


async def drop_second_factor(tx: Transaction, user: User) -> None:
    """Remove the second factor of a person, if there is one."""
    factor = await tx.get(SecondFactor, user.id)
    if factor is not None:
        await tx.delete(factor)
        if factor.confirmed_at is not None:
            tx.emit(user, SecondFactorRemoved(account_id=user.id))


async def require_second_factor(tx: Transaction, secrets: Secrets, user: User, code: str | None) -> None:
    """Use up a code of a person who has a second factor. Raises Unauthenticated without a valid one."""
    factor = await tx.get(SecondFactor, user.id, with_for_update=True)
    if factor is None or factor.confirmed_at is None:
        return
    if not code:
        raise Unauthenticated(AuthReason.SECOND_FACTOR, "Send the code of your second factor too, as `code`")
    if not _takes(factor, secrets, code):
        raise Unauthenticated(AuthReason.INVALID, "The code is wrong, or was used before")


def _takes(factor: SecondFactor, secrets: Secrets, code: str) -> bool:
    """Whether a code is valid. It is used up then."""
    import pyotp

    code = code.replace(" ", "")[:MAX_CODE_LENGTH]
    hashed = digest(code)
    if hashed in factor.recovery_hashes:
        factor.recovery_hashes = [one for one in factor.recovery_hashes if one != hashed]
        return True
    totp = pyotp.TOTP(secrets.open(factor.secret, factor.user_id))
    now = int(time.time()) // STEP_SECONDS
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        if step > factor.last_step and hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            factor.last_step = step
            return True
    return False
