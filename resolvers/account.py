"""How people are answered, and the adapters of their changes."""

from typing import Annotated, Any

from strawberry import Maybe, Parent

import actions.account
import actions.session
from actions import validation
from auth.passwords import check_password, hash_password
from kit.graphql.arguments import IfVersion, provided_fields
from models.actor import Actor
from models.refusal import Invalid
from resolvers.context import Info
from resolvers.key import API_KEY
from resolvers.run import RUN
from resolvers.workspace import USER


async def me(info: Info) -> Any:
    """The person you are; null for a key."""
    actor = info.context.actor
    return await info.context.load(USER, actor.id) if actor.is_person else None


async def viewer(info: Info) -> Actor:
    """Who you are to this server, and what you signed in with."""
    return info.context.actor


async def user_of_viewer(root: Parent[Any], info: Info) -> Any:
    """The person; null for a key."""
    return await info.context.load(USER, root.id) if root.is_person else None


async def key_of_viewer(root: Parent[Any], info: Info) -> Any:
    """The key; null for a person."""
    return None if root.is_person else await info.context.load(API_KEY, root.id)


async def run_of_viewer(root: Parent[Any], info: Info) -> Any:
    """The run whose agent you are, under the run's own credential; else null."""
    return await info.context.load(RUN, root.run_id) if root.run_id else None


async def scopes_of_viewer(root: Parent[Any]) -> Any:
    """What the key may do; empty for a person, whose role in a workspace says it."""
    return sorted(root.scopes)


async def email_of_user(root: Parent[Any], info: Info) -> str | None:
    """The e-mail address. Only your own is shown."""
    who = info.context.who
    return root.email if who is not None and who.id == root.id else None


async def register(
    info: Info,
    username: Annotated[str, "3 to 40 letters, digits, dots, dashes and underscores; unique."],
    password: Annotated[str, "8 to 1,024 bytes."],
    email: Annotated[str | None, "An e-mail address, unique. You may sign in with it."] = None,
    nickname: Annotated[str | None, "The name to show: 1 to 80 characters."] = None,
    first_name: Annotated[str | None, "First name: 1 to 80 characters."] = None,
    last_name: Annotated[str | None, "Last name: 1 to 80 characters."] = None,
) -> Any:
    """Make an account and sign in. Forbidden where registration is closed.

    An owner is made at the server's own command line, never here.
    """
    context = info.context
    context.services.attempts.count(f"register:{context.network}")
    fields = {
        "username": username,
        "email": email,
        "nickname": nickname,
        "first_name": first_name,
        "last_name": last_name,
    }
    actions.account.validate_user(fields)
    is_open = context.services.settings.registration
    hashed = await hash_password(validation.password("password", password))
    async with context.transaction(context.nobody) as tx:
        user = await actions.account.register(tx, fields, hashed, is_open=is_open)
        return await actions.session.start_session(
            tx, context.services.tokens, user.id, hashed, user_agent=context.user_agent
        )


async def update_me(
    info: Info,
    username: Annotated[Maybe[str], "3 to 40 letters, digits, dots, dashes and underscores; unique."],
    email: Annotated[Maybe[str | None], "An e-mail address, unique; null clears it."],
    nickname: Annotated[Maybe[str | None], "The name to show: 1 to 80 characters; null clears it."],
    first_name: Annotated[Maybe[str | None], "First name: 1 to 80 characters; null clears it."],
    last_name: Annotated[Maybe[str | None], "Last name: 1 to 80 characters; null clears it."],
    if_version: IfVersion = None,
) -> Any:
    """Change your account. What is left out stays, null clears."""
    changes = provided_fields(
        username=username, email=email, nickname=nickname, first_name=first_name, last_name=last_name
    )
    async with info.context.transaction() as tx:
        return await actions.account.update_me(tx, info.context.actor, changes, if_version=if_version)


async def change_password(
    info: Info,
    new_password: Annotated[str, "8 to 1,024 bytes."],
    current_password: Annotated[
        str | None, "The password there is now; nothing only for a first owner who has none yet."
    ] = None,
) -> Any:
    """Change your password. Every other login of yours ends, with its open sockets; keys go on."""
    context = info.context
    actor = context.actor
    validation.password("newPassword", new_password)
    account = await me(info)
    await context.refresh()  # no connection is held while passwords are hashed
    old_hash = account.password_hash if account else None
    if old_hash is not None:
        tries = (f"account:{actor.id}", f"address:{context.network}")
        context.services.attempts.count(*tries)
        if not (await check_password(current_password or "", old_hash))[0]:
            raise Invalid(("currentPassword", "is not your password"))
        context.services.attempts.forgive(*tries)
    hashed = await hash_password(new_password)
    async with context.transaction() as tx:
        return await actions.account.change_password(tx, actor, old_hash, hashed)
