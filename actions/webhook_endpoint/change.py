"""Changes to webhook endpoints. A secret is sealed before it is stored, and shown only when it is made."""

import base64
import secrets as random_secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, delete, func, insert, literal, select, update

from actions import validation
from actions.changes import apply_changes
from actions.webhook_endpoint.post import seal_name
from auth.locking import lock_webhook_endpoint, lock_workspace
from auth.services import Services
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.eventlog.tables import Topic
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.ids import new_id
from models.actor import Actor
from models.board import Board
from models.events import EVENT_TYPES
from models.events.feed import FeedStarted
from models.events.webhook_endpoint import (
    WebhookEndpointCreated,
    WebhookEndpointDeleted,
    WebhookEndpointEvent,
    WebhookEndpointUpdated,
    WebhookSecretRotated,
)
from models.refusal import Conflict, Invalid, NotFound
from models.topic import board_topic, workspace_scope, workspace_topic
from models.webhook_endpoint import (
    MAX_ENDPOINT_BOARDS,
    MAX_ENDPOINT_EVENT_TYPES,
    MAX_ENDPOINT_NAME_LENGTH,
    MAX_ENDPOINTS,
    MAX_URL_LENGTH,
    EndpointFormat,
    WebhookCursor,
    WebhookEndpoint,
)

SECRET_PREFIX = "whsec_"  # noqa: S105 - of Standard Webhooks
SECRET_BYTES = 32
MAX_OVERLAP_HOURS = 168
DEFAULT_OVERLAP_HOURS = 24
# The types of events that are told, by name.
KNOWN_TYPES = frozenset(cls.__name__ for cls in EVENT_TYPES.values() if cls is not FeedStarted)
# The types that a chat is told of, unless an admin chooses others: ready to merge, completed, failed, warnings.
CHAT_TYPES = (
    "ApprovalDecided",
    "ApprovalRequested",
    "MergeCompleted",
    "MergeConflicts",
    "MergeFailed",
    "PullRequestMerged",
    "QuestionAsked",
    "QuestionExpired",
    "RunFailed",
    "RunSucceeded",
    "WebhookEndpointDisabled",
)


@dataclass(frozen=True)
class EndpointSecret:
    """An endpoint and its signing secret; None for a chat, which has none."""

    secret: str | None
    endpoint: WebhookEndpoint


Name = Annotated[str, "Its purpose, 1 to 100 characters."]
Boards = Annotated[list[Id] | None, "Only events of these boards, 1 to 100; default: the whole workspace."]
Types = Annotated[
    list[str] | None, "Only events of these types, such as CardMoved; default: all, for a chat a choice."
]


async def create_webhook_endpoint(
    tx: Transaction,
    actor: Actor,
    services: Services,
    *,
    workspace_id: Annotated[Id, "The workspace."],
    name: Name,
    url: Annotated[str, "Its address, https, at most 2,000 characters. That of a chat is kept secret."],
    format: Annotated[EndpointFormat, "The form of the messages."] = EndpointFormat.STANDARD,
    board_ids: Boards = None,
    event_types: Types = None,
) -> EndpointSecret:
    """Create a webhook endpoint. It is told every later event. Its signing secret is shown only in this answer.

    A workspace has at most 20. An address in a private network is Invalid unless OUTBOUND_NETWORKS allows it.
    """
    workspace = await lock_workspace(tx, actor, workspace_id, admin=True)
    count = select(func.count()).where(WebhookEndpoint.workspace_id == workspace.id)
    if (await tx.scalar(count) or 0) >= MAX_ENDPOINTS:
        raise Conflict(f"A workspace has at most {MAX_ENDPOINTS} webhook endpoints")
    id, is_chat = new_id("endpoint"), format is not EndpointFormat.STANDARD
    url = _validate_url(services, url)
    types = _validate_types(event_types)
    secret = None if is_chat else new_signing_secret()
    endpoint = WebhookEndpoint(
        id=id,
        workspace_id=workspace.id,
        name=validation.single_line("name", name, MAX_ENDPOINT_NAME_LENGTH),
        format=format,
        url=_shown_url(format, url),
        board_ids=await _validate_boards(tx, workspace.id, board_ids),
        event_types=list(CHAT_TYPES) if is_chat and types is None else types,
        secret=services.secrets.seal(secret or url, seal_name(id, format)),
    )
    tx.add(endpoint)
    await tx.flush()  # its cursors refer to it
    await _add_cursors(tx, endpoint, endpoint.board_ids)
    _emit(tx, endpoint, WebhookEndpointCreated)
    return EndpointSecret(secret, endpoint)


async def update_webhook_endpoint(
    tx: Transaction,
    actor: Actor,
    services: Services,
    *,
    id: Annotated[Id, "The endpoint."],
    name: Annotated[Maybe[str], "Its purpose, 1 to 100 characters."] = None,
    url: Annotated[Maybe[str], "Its address; the events that wait go there too."] = None,
    board_ids: Annotated[
        Maybe[list[Id] | None], "Only events of these boards; null: the whole workspace. From now on."
    ] = None,
    event_types: Annotated[Maybe[list[str] | None], "Only events of these types; null: all."] = None,
    is_enabled: Annotated[
        Maybe[bool], "False pauses it. True goes on where it stopped: no event is left out."
    ] = None,
    skip_waiting: Annotated[bool, "True leaves out the events that wait: it goes on from now."] = False,
    if_version: IfVersion = None,
) -> WebhookEndpoint:
    """Change a webhook endpoint. Omitted fields stay. Raises Stale."""
    endpoint = await lock_webhook_endpoint(tx, actor, id)
    endpoint.expect(if_version)
    clean = provided_fields(
        name=name, url=url, board_ids=board_ids, event_types=event_types, is_enabled=is_enabled
    )
    if "name" in clean:
        clean["name"] = validation.single_line("name", clean["name"], MAX_ENDPOINT_NAME_LENGTH)
    if "event_types" in clean:
        clean["event_types"] = _validate_types(clean["event_types"])
    is_moved = False
    if "url" in clean:
        whole = _validate_url(services, clean["url"])
        clean["url"] = _shown_url(endpoint.format, whole)
        if endpoint.format is not EndpointFormat.STANDARD:
            endpoint.secret = services.secrets.seal(whole, seal_name(id, endpoint.format))
            is_moved = True
    if "board_ids" in clean:
        clean["board_ids"] = await _validate_boards(tx, endpoint.workspace_id, clean["board_ids"])
        await _replace_cursors(tx, endpoint, clean["board_ids"])
    if skip_waiting:
        await tx.execute(delete(WebhookCursor).where(WebhookCursor.endpoint_id == id))
        await _add_cursors(tx, endpoint, clean.get("board_ids", endpoint.board_ids))
    if clean.get("is_enabled") or "url" in clean:
        endpoint.failures, endpoint.failing_since, endpoint.next_attempt_at = 0, None, None
        endpoint.disabled_reason = None
        await _retry_at_once(tx, id)
    changed = apply_changes(endpoint, clean)
    if is_moved and not changed:
        endpoint.version += 1
    if changed or is_moved:
        _emit(tx, endpoint, WebhookEndpointUpdated, changes={k: v for k, v in changed.items() if k != "url"})
    await tx.flush()  # the caller reads it
    return endpoint


async def delete_webhook_endpoint(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The endpoint."], if_version: IfVersion = None
) -> WebhookEndpoint:
    """Delete a webhook endpoint with its log. Returns it as it was. Raises Stale."""
    endpoint = await lock_webhook_endpoint(tx, actor, id)
    endpoint.expect(if_version)
    await tx.execute(delete(WebhookEndpoint).where(WebhookEndpoint.id == id))
    tx.expunge(endpoint)
    _emit(tx, endpoint, WebhookEndpointDeleted)
    return endpoint


async def rotate_webhook_secret(
    tx: Transaction,
    actor: Actor,
    services: Services,
    *,
    id: Annotated[Id, "The endpoint."],
    overlap_hours: Annotated[int, "Hours for which the old secret signs too, 0 to 168."] = (
        DEFAULT_OVERLAP_HOURS
    ),
) -> EndpointSecret:
    """Give a webhook endpoint a new signing secret, which is shown only in this answer.

    Messages have a signature of each secret until the overlap ends. Raises Conflict for a chat, which has none.
    """
    endpoint = await lock_webhook_endpoint(tx, actor, id)
    if endpoint.format is not EndpointFormat.STANDARD:
        raise Conflict("A chat has no signing secret; change its address instead")
    hours = validation.in_range("overlapHours", overlap_hours, 0, MAX_OVERLAP_HOURS) or 0
    secret = new_signing_secret()
    endpoint.old_secret, endpoint.old_secret_until = endpoint.secret, utcnow() + timedelta(hours=hours)
    endpoint.secret = services.secrets.seal(secret, seal_name(id, endpoint.format))
    endpoint.version += 1
    _emit(tx, endpoint, WebhookSecretRotated)
    await tx.flush()  # the caller reads it
    return EndpointSecret(secret, endpoint)


def new_signing_secret() -> str:
    """Make a random secret in the form of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(random_secrets.token_bytes(SECRET_BYTES)).decode()


async def _retry_at_once(tx: Transaction, endpoint_id: str) -> None:
    cursors = update(WebhookCursor).where(WebhookCursor.endpoint_id == endpoint_id)
    await tx.execute(cursors.values(next_attempt_at=None, attempts=0))


async def _add_cursors(tx: Transaction, endpoint: WebhookEndpoint, board_ids: list[str] | None) -> None:
    """Let an endpoint be told of boards from now on; with None of the workspace and all its boards."""
    boards = select(literal("board:").concat(Board.id)).where(Board.workspace_id == endpoint.workspace_id)
    if board_ids is not None:
        boards = boards.where(Board.id.in_(board_ids))
    there = select(WebhookCursor.topic).where(WebhookCursor.endpoint_id == endpoint.id)
    is_told: ColumnElement[bool] = Topic.name.in_(boards)
    if board_ids is None:
        is_told |= Topic.name == workspace_topic(endpoint.workspace_id)
    rows = select(literal(endpoint.id), Topic.name, Topic.last, literal(0))
    rows = rows.where(is_told, Topic.name.not_in(there))
    await tx.execute(insert(WebhookCursor).from_select(["endpoint_id", "topic", "seq", "attempts"], rows))


async def _replace_cursors(tx: Transaction, endpoint: WebhookEndpoint, board_ids: list[str] | None) -> None:
    """Let an endpoint be told of other boards. Those that it was told of before go on where they are."""
    if board_ids is not None:
        others = WebhookCursor.topic.not_in([board_topic(id) for id in board_ids])
        await tx.execute(delete(WebhookCursor).where(WebhookCursor.endpoint_id == endpoint.id, others))
    await _add_cursors(tx, endpoint, board_ids)


async def _validate_boards(tx: Transaction, workspace_id: str, ids: list[str] | None) -> list[str] | None:
    if ids is None:
        return None
    validation.distinct("boardIds", validation.at_most("boardIds", ids, MAX_ENDPOINT_BOARDS))
    known = set(
        await tx.scalars(select(Board.id).where(Board.workspace_id == workspace_id, Board.id.in_(ids)))
    )
    for id in ids:
        if id not in known:
            raise NotFound(id)
    return sorted(ids)


def _validate_types(types: list[str] | None) -> list[str] | None:
    if types is None:
        return None
    validation.distinct("eventTypes", validation.at_most("eventTypes", types, MAX_ENDPOINT_EVENT_TYPES))
    for index, name in enumerate(types):
        if name not in KNOWN_TYPES:
            raise Invalid((f"eventTypes.{index}", f"is not a type of event: {name[:60]}"))
    return sorted(types)


def _validate_url(services: Services, url: str) -> str:
    """Return the address of an endpoint. A refusal never quotes it."""
    url = url.strip()
    why = services.outbound.why_not(url)
    if why is None and services.outbound.is_private_literal(url):
        why = "names a private address; OUTBOUND_NETWORKS names those that may be called"
    if why is None and (len(url) > MAX_URL_LENGTH or not url.isascii() or "#" in url):
        why = f"must have at most {MAX_URL_LENGTH} ASCII characters and no fragment"
    if why is not None:
        raise Invalid(("url", why))
    return url


def _shown_url(format: EndpointFormat, url: str) -> str:
    """Return what is shown of an address: its origin for a chat, whose path is a secret."""
    parts = urlsplit(url)
    return url if format is EndpointFormat.STANDARD else f"{parts.scheme}://{parts.netloc}"


def _emit(tx: Transaction, row: WebhookEndpoint, event: type[WebhookEndpointEvent], **more: Any) -> None:
    facts = {"workspace_id": row.workspace_id, "endpoint_id": row.id, "name": row.name}
    tx.emit(workspace_scope(row.workspace_id), event(**facts, **more))
