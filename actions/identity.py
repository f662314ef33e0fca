"""Changes to linked identities, and signing in with one."""

from datetime import timedelta
from typing import Annotated

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from actions.account import lock_own_user
from actions.session import create_sign_in_link
from auth.services import Services
from auth.tokens import Expired, Forged
from kit.db.transaction import Transaction
from models.account import User
from models.actor import Actor
from models.events.account import IdentityLinked, IdentityUnlinked
from models.identity import LinkedIdentity, SignInProvider
from models.refusal import Conflict, Invalid, Unauthenticated

LINK_PASS = "identity"  # noqa: S105 - the audience of the pass that a sign-in for linking ends with
LINK_PASS_LIFETIME = timedelta(minutes=5)
HANDOVER_LIFETIME = timedelta(minutes=1)  # of the link that brings a login to the page


async def sign_in_with(tx: Transaction, provider: SignInProvider, subject: str) -> str:
    """Return the token of a sign-in link for the person with this identity. Raises Unauthenticated."""
    query = select(User.id).join(LinkedIdentity, LinkedIdentity.user_id == User.id)
    is_linked = LinkedIdentity.provider == provider, LinkedIdentity.subject == subject
    user_id = await tx.scalar(query.where(*is_linked, User.is_active))
    if user_id is None:
        raise Unauthenticated("INVALID", "No account here is linked to this identity; sign in and link it")
    return await create_sign_in_link(tx, user_id, HANDOVER_LIFETIME)


async def link_identity(
    tx: Transaction,
    actor: Actor,
    services: Services,
    *,
    token: Annotated[str, "The text after `#link=` in the address that the sign-in ended at."],
) -> User:
    """Link your account to an identity that signed in for it within five minutes.

    Raises Invalid for a wrong or old token, or Conflict if the identity or the provider is linked already.
    """
    user = await lock_own_user(tx, actor)
    try:
        claims = services.tokens.read_pass(LINK_PASS, token)
    except (Expired, Forged):
        raise Invalid(("token", "is wrong or older than five minutes")) from None
    provider = SignInProvider(claims["provider"])
    identity = LinkedIdentity(
        provider=provider, subject=claims["subject"], user_id=user.id, name=claims["name"]
    )
    try:
        async with tx.begin_nested():
            tx.add(identity)
            await tx.flush()
    except IntegrityError as error:
        raise Conflict("This identity, or another one of the provider, is linked already") from error
    tx.emit(user, IdentityLinked(provider=provider, name=identity.name))
    return user


async def unlink_identity(
    tx: Transaction, actor: Actor, *, provider: Annotated[SignInProvider, "The provider."]
) -> User:
    """Unlink your identity at a provider. Idempotent. Raises Conflict if you could not sign in without it."""
    user = await lock_own_user(tx, actor)
    own = LinkedIdentity.user_id == user.id
    others = await tx.scalar(
        select(LinkedIdentity.subject).where(own, LinkedIdentity.provider != provider).limit(1)
    )
    if user.password_hash is None and others is None and not user.is_local:
        raise Conflict("Set a password or link another identity first", user.id)
    removed = delete(LinkedIdentity).where(own, LinkedIdentity.provider == provider)
    name = await tx.scalar(removed.returning(LinkedIdentity.name))
    if name is not None:
        tx.emit(user, IdentityUnlinked(provider=provider, name=name))
    return user
