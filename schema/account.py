"""What clients may say and hear about people, their logins, and the keys of machines."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.account
import actions.key
import actions.session
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node, object_type
from models.actor import ActorKind, Scope
from resolvers import account as accounts
from resolvers import session as sessions
from resolvers.board import BOARD
from resolvers.workspace import USER
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.refusal import Conflict, Stale, Unauthenticated

RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]
BoardLater = Annotated["Board", strawberry.lazy("schema.board")]  # type: ignore[name-defined]


@node_type("user")
class User(Node):
    """A person."""

    username: Annotated[str, "Unique, whatever its case."]
    nickname: Annotated[str | None, "The name to show, where there is one."]
    first_name: Annotated[str | None, "First name."]
    last_name: Annotated[str | None, "Last name."]
    email: str | None = query_field(accounts.email_of_user)
    version: Annotated[int, "Grows by one with every change."]
    created_at: Annotated[datetime, "When the person registered."]


@node_type("key")
class ApiKey(Node):
    """What a machine signs in with: `Authorization: Bearer sb_…`. Its secret is shown once."""

    workspace_id: Annotated[ID, "The workspace it is good for."]
    name: Annotated[str, "What it is for."]
    prefix: Annotated[str, "How it begins, to recognise it by."]
    scopes: Annotated[list[Scope], "What it may do."]
    board: BoardLater | None = relation_field(
        BOARD, "board_id", text="The only board it sees; null for every board."
    )
    created_by: User | None = relation_field(USER, "created_by", text="Who made it.")
    created_at: Annotated[datetime, "When it was made."]
    last_used_at: Annotated[datetime | None, "When it was last used, to about a minute."]
    expires_at: Annotated[datetime | None, "Until when it is good; null is for ever."]
    revoked_at: Annotated[datetime | None, "When it was revoked."]


@result_type(actions.key.ApiKeySecret)
class ApiKeySecret:
    """A new key, with its secret: keep it now, it cannot be shown again."""

    secret: Annotated[str, "The whole key, as it is sent."]
    api_key: Annotated[ApiKey, "What the server keeps of it."]


@result_type(actions.session.SignedIn)
class Session:
    """What you hold after signing in."""

    access_token: Annotated[str, "Send it as `Authorization: Bearer …`."]
    expires_at: Annotated[datetime, "When the access token is no longer good."]
    refresh_token: Annotated[str, "Spend it for the next pair with `refreshSession`. Good once."]
    refresh_expires_at: Annotated[datetime, "When the refresh token is no longer good, unless used before."]
    user: Annotated[User, "Who signed in."]


@result_type(actions.session.SignedOut)
class SignedOut:
    """That logins have ended."""

    count: Annotated[int, "How many."]


@object_type
class Login:
    """A login of yours."""

    session_id: ID = query_field(sessions.id_of_login)
    user_agent: Annotated[str | None, "What the client called itself."]
    created_at: Annotated[datetime, "When you signed in."]
    used_at: Annotated[datetime, "When it was last refreshed."]
    expires_at: Annotated[datetime, "When it ends, however often it is refreshed."]
    current: bool = query_field(sessions.is_current)


@object_type
class Viewer:
    """Who asks."""

    kind: Annotated[ActorKind, "A person, or what kind of machine."]
    user: User | None = query_field(accounts.user_of_viewer)
    api_key: ApiKey | None = query_field(accounts.key_of_viewer)
    run: RunLater | None = query_field(accounts.run_of_viewer)
    scopes: list[Scope] = query_field(accounts.scopes_of_viewer)
    may_write: Annotated[bool, "Whether what you signed in with may write at all; your role says where."]
    expires_at: Annotated[datetime | None, "When what you signed in with is no longer good."]
    sessions: list[Login] = query_field(
        sessions.sessions_of_viewer, directives=[list_size(actions.session.MAX_SESSIONS, slicing=())]
    )


@strawberry.type
class AccountQuery:
    viewer: Viewer = query_field(accounts.viewer)
    me: User | None = query_field(accounts.me)


@strawberry.type
class AccountMutation:
    register = mutation(accounts.register, Session, Conflict, requires=Access.ANYONE)
    login = mutation(sessions.login, Session, Unauthenticated, requires=Access.ANYONE)
    redeem_sign_in_link = mutation(
        sessions.redeem_sign_in_link, Session, Unauthenticated, requires=Access.ANYONE
    )
    refresh_session = mutation(sessions.refresh_session, Session, Unauthenticated, requires=Access.ANYONE)
    logout = mutation(sessions.logout, SignedOut, Unauthenticated, requires=Access.ANYONE)
    logout_everywhere = mutation(actions.session.logout_everywhere, SignedOut, requires=Access.PERSON)
    update_me = mutation(actions.account.update_me, User, Stale, Conflict, requires=Access.PERSON)
    change_password = mutation(accounts.change_password, User, requires=Access.PERSON)
    create_api_key = mutation(actions.key.create_api_key, ApiKeySecret, Conflict, requires=Access.ADMIN)
    revoke_api_key = mutation(actions.key.revoke_api_key, ApiKey, requires=Access.ADMIN)


UserLater = Annotated["User", strawberry.lazy("schema.account")]
