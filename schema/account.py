"""People, their logins and API keys: the types, queries and mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID
from strawberry.scalars import JSON

import actions.account
import actions.account_mail
import actions.avatar
import actions.erasure
import actions.identity
import actions.key
import actions.preferences
import actions.second_factor
import actions.session
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node, object_type
from models.actor import ActorKind, Scope
from models.identity import SignInProvider
from models.notice import NotificationType
from models.preferences import CodingMode, DigestPeriod
from resolvers import account as accounts
from resolvers import account_mail
from resolvers import identity as identities
from resolvers import second_factor as second_factors
from resolvers import session as sessions
from resolvers.board import BOARD
from resolvers.workspace import USER
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.refusal import Conflict, InvitationRefused, Stale, Unauthenticated

RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]
BoardLater = Annotated["Board", strawberry.lazy("schema.board")]  # type: ignore[name-defined]


@node_type("user")
class User(Node):
    """A person."""

    username: Annotated[str, "Unique ignoring case."]
    nickname: Annotated[str | None, "Display name; null: the username is shown."]
    first_name: Annotated[str | None, "First name; null if unset."]
    last_name: Annotated[str | None, "Last name; null if unset."]
    email: str | None = query_field(accounts.email_of_user)
    avatar_url: Annotated[str | None, "Address of the picture on this server; null: none."]
    version: Annotated[int, "Increases by one with every change."]
    created_at: Annotated[datetime, "Time of registration."]


@node_type("key")
class ApiKey(Node):
    """A credential of a program: `Authorization: Bearer sb_…`. Its secret is shown once."""

    workspace_id: Annotated[ID, "The workspace it gives access to."]
    name: Annotated[str, "Its purpose."]
    prefix: Annotated[str, "Its first characters, to identify it."]
    scopes: Annotated[list[Scope], "Its scopes."]
    board: BoardLater | None = relation_field(
        BOARD, "board_id", text="The only board it may see; null: every board."
    )
    created_by: User | None = relation_field(USER, "created_by", text="The creator; null if unknown.")
    created_at: Annotated[datetime, "Time of creation."]
    last_used_at: Annotated[
        datetime | None, "Time of its last use, to about a minute; null if it was never used."
    ]
    expires_at: Annotated[datetime | None, "Time of expiry; null: never."]
    revoked_at: Annotated[datetime | None, "Time of revocation; null if it is not revoked."]


@result_type(actions.key.ApiKeySecret)
class ApiKeySecret:
    """A new API key with its secret, which is not shown again."""

    secret: Annotated[str, "The whole key, to be sent as the bearer token."]
    api_key: Annotated[ApiKey, "The key without its secret."]


@result_type(actions.session.SignedIn)
class Session:
    """The tokens of a login."""

    access_token: Annotated[str, "Send it as `Authorization: Bearer …`."]
    expires_at: Annotated[datetime, "Time when the access token expires."]
    refresh_token: Annotated[str, "Exchange it for a new pair with `refreshSession`. It is valid once."]
    refresh_expires_at: Annotated[datetime, "Time when the refresh token expires."]
    user: Annotated[User, "The person who signed in."]


@result_type(actions.session.SignedOut)
class SignedOut:
    """The result of signing out."""

    count: Annotated[int, "Number of logins that were ended."]


@object_type
class Login:
    """A login of yours."""

    session_id: ID = query_field(sessions.id_of_login)
    user_agent: Annotated[str | None, "The client's User-Agent; null if it sent none."]
    created_at: Annotated[datetime, "Time of signing in."]
    used_at: Annotated[datetime, "Time of its last refresh."]
    expires_at: Annotated[datetime, "Time when it ends, regardless of refreshes."]
    current: bool = query_field(sessions.is_current)


@object_type
class Preferences:
    """Your preferences. Clients offer them; the server obeys those about notifications."""

    time_zone: Annotated[str, "IANA name of your time zone; UTC by default."]
    base_branch: Annotated[str | None, "Branch that runs begin from."]
    branch_prefix: Annotated[str | None, "Prefix of new branches."]
    agent_profile_id: Annotated[ID | None, "Agent profile for new runs."]
    coding_mode: Annotated[CodingMode | None, "How agents work."]
    muted_notifications: list[NotificationType] = strawberry.field(
        description="The types of notification that you do not get.",
        directives=[list_size(len(NotificationType), slicing=())],
    )
    mailed_notifications: list[NotificationType] = strawberry.field(
        description="The types of notification that you also get by mail, at once.",
        directives=[list_size(len(NotificationType), slicing=())],
    )
    digest: Annotated[DigestPeriod, "How often your unread notifications are mailed to you."]


@result_type(actions.account_mail.MailRequested)
class MailRequested:
    """A mail that was asked for."""

    lifetime_minutes: Annotated[int, "Minutes for which its link is valid."]


@result_type(actions.account_mail.PasswordSet)
class PasswordSet:
    """An account with a new password."""

    username: Annotated[str, "The username to sign in with."]


@result_type(actions.erasure.ErasedAccount)
class ErasedAccount:
    """An account that was erased."""

    username: Annotated[str, "The username that it had."]


@object_type
class LinkedIdentity:
    """Your account at another server, with which you sign in."""

    provider: Annotated[SignInProvider, "The provider."]
    name: Annotated[str, "Your name there."]
    created_at: Annotated[datetime, "Time of linking."]


@result_type(actions.second_factor.SecondFactorSetup)
class SecondFactorSetup:
    """A secret for an authenticator app. It is not asked for until it is confirmed."""

    secret: Annotated[str, "The secret in base32, shown once."]
    uri: Annotated[str, "The same as otpauth://… for a QR code."]


@result_type(actions.second_factor.RecoveryCodes)
class RecoveryCodes:
    """Codes for the day on which the app is lost. Each is valid once."""

    codes: Annotated[list[str], "Ten codes, shown once."]


@object_type
class Viewer:
    """You, as the caller of this request."""

    kind: Annotated[ActorKind, "A person, an agent or a worker."]
    user: User | None = query_field(accounts.user_of_viewer)
    api_key: ApiKey | None = query_field(accounts.key_of_viewer)
    run: RunLater | None = query_field(accounts.run_of_viewer)
    scopes: list[Scope] = query_field(accounts.scopes_of_viewer)
    may_write: Annotated[bool, "Whether your credential may write; your role in a workspace decides where."]
    preferences: Preferences | None = query_field(accounts.preferences_of_viewer)
    identities: list[LinkedIdentity] = query_field(
        identities.identities_of_viewer, directives=[list_size(len(SignInProvider), slicing=())]
    )
    personal_data: JSON | None = query_field(accounts.personal_data_of_viewer)
    has_second_factor: bool = query_field(second_factors.has_second_factor)
    email_confirmed: bool = query_field(accounts.is_email_confirmed)
    expires_at: Annotated[datetime | None, "Time when your credential expires; null: never."]
    sessions: list[Login] = query_field(
        sessions.sessions_of_viewer, directives=[list_size(actions.session.MAX_SESSIONS, slicing=())]
    )


@strawberry.type
class AccountQuery:
    viewer: Viewer = query_field(accounts.viewer)
    me: User | None = query_field(accounts.me)


@strawberry.type
class AccountMutation:
    register = mutation(accounts.register, Session, InvitationRefused, Conflict, requires=Access.ANYONE)
    login = mutation(sessions.login, Session, Unauthenticated, requires=Access.ANYONE)
    redeem_sign_in_link = mutation(
        sessions.redeem_sign_in_link, Session, Unauthenticated, requires=Access.ANYONE
    )
    refresh_session = mutation(sessions.refresh_session, Session, Unauthenticated, requires=Access.ANYONE)
    logout = mutation(sessions.logout, SignedOut, Unauthenticated, requires=Access.ANYONE)
    logout_everywhere = mutation(actions.session.logout_everywhere, SignedOut, requires=Access.PERSON)
    update_me = mutation(actions.account.update_me, User, Stale, Conflict, requires=Access.PERSON)
    set_up_second_factor = mutation(
        second_factors.set_up_second_factor, SecondFactorSetup, Conflict, requires=Access.PERSON
    )
    confirm_second_factor = mutation(
        actions.second_factor.confirm_second_factor, RecoveryCodes, Conflict, requires=Access.PERSON
    )
    remove_second_factor = mutation(
        second_factors.remove_second_factor, User, Conflict, requires=Access.PERSON
    )
    change_password = mutation(accounts.change_password, User, requires=Access.PERSON)
    update_preferences = mutation(actions.preferences.update_preferences, User, Stale, requires=Access.PERSON)
    remove_avatar = mutation(actions.avatar.remove_avatar, User, Stale, requires=Access.PERSON)
    request_password_reset = mutation(
        account_mail.request_password_reset, MailRequested, requires=Access.ANYONE
    )
    reset_password = mutation(account_mail.reset_password, PasswordSet, requires=Access.ANYONE)
    request_address_confirmation = mutation(
        actions.account_mail.request_address_confirmation, MailRequested, Conflict, requires=Access.PERSON
    )
    confirm_address = mutation(account_mail.confirm_address, User, requires=Access.ANYONE)
    link_identity = mutation(actions.identity.link_identity, User, Conflict, requires=Access.PERSON)
    unlink_identity = mutation(actions.identity.unlink_identity, User, Conflict, requires=Access.PERSON)
    delete_me = mutation(accounts.delete_me, ErasedAccount, Conflict, requires=Access.PERSON)
    create_api_key = mutation(actions.key.create_api_key, ApiKeySecret, Conflict, requires=Access.ADMIN)
    revoke_api_key = mutation(actions.key.revoke_api_key, ApiKey, requires=Access.ADMIN)


UserLater = Annotated["User", strawberry.lazy("schema.account")]
