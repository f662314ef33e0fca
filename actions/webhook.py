"""Webhooks of code hosts: each delivery is proved, stored once, and applied by a job.

A delivery is answered before it is applied. The host's id of it makes a repetition known, and words that are older
than those stored change nothing, so that deliveries may come twice and in any order.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from actions.changes import apply_changes
from actions.hosts.github import pull_of
from actions.job import HANDLERS, JobFailed, enqueue_job
from actions.pull_request_sync import (
    adopt_remote,
    enqueue_pull_sync,
    lock_repository_for_host,
)
from actions.repository import emit_repository_event, enqueue_sync
from auth.secrets import SecretLost
from auth.services import Services
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Author, Transaction
from kit.ids import new_id
from models.actor import ActorKind
from models.events.repository import RepositoryUpdated
from models.pull_request import LIVE, PullRequest, WebhookDelivery
from models.repository import Repository

PROVIDERS = ("github",)
MAX_WEBHOOK_BYTES = 2 << 20  # so that reading a stranger's body holds the loop for less than 100 ms
MAX_CANDIDATES = 50  # workspaces that have connected one repository
DELIVERY_JOB = "webhook.apply"
KEPT_DAYS = 7  # of deliveries that were applied; hosts repeat for three days
SETTLE_SECONDS = 1.0  # deliveries of one change come together
DELIVERY_ID = re.compile(r"[0-9A-Za-z-]{1,100}")
EVENT = re.compile(r"[a-z_]{1,60}")
CI_EVENTS = ("check_run", "check_suite", "status", "workflow_run", "workflow_job")


@dataclass(frozen=True)
class Receipt:
    """The answer to a delivery, as a status of HTTP and one word."""

    status: int
    word: str


async def receive_webhook(services: Services, provider: str, headers: Any, body: bytes) -> Receipt:
    """Store a delivery if its signature proves it. Raises Unavailable."""
    if provider not in PROVIDERS:
        return Receipt(404, "unknown provider")
    delivery_id, event = headers.get("x-github-delivery", ""), headers.get("x-github-event", "")
    if not DELIVERY_ID.fullmatch(delivery_id) or not EVENT.fullmatch(event):
        return Receipt(400, "not a webhook")
    try:
        payload = orjson.loads(body)
        place = payload["repository"]
        external_id, name = str(int(place["id"])), str(place["full_name"]).lower()
    except (ValueError, KeyError, TypeError, RecursionError):
        return Receipt(400, "no repository is named")
    proved = await _proved_by(services, external_id, name, headers.get("x-hub-signature-256", ""), body)
    if not proved:
        return Receipt(401, "signature refused")
    try:
        reduced = reduce_payload(event, payload)
    except (KeyError, TypeError, ValueError):
        return Receipt(422, "unexpected payload")
    async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        for repository in proved:
            await _store_delivery(tx, repository, delivery_id, event, reduced)
    return Receipt(202, "accepted")


async def _proved_by(
    services: Services, external_id: str, name: str, signature: str, body: bytes
) -> list[Any]:
    """Return the connected repositories whose own secret signed a body."""
    columns = Repository.id, Repository.workspace_id, Repository.webhook_secret
    unknown = Repository.external_id.is_(None) & (func.lower(Repository.full_name) == name)
    query = select(*columns).where(
        Repository.webhook_secret.is_not(None),
        Repository.disconnected_at.is_(None),
        or_(Repository.external_id == external_id, unknown),
    )
    proved = []
    for row in await services.database.read(query.order_by(Repository.id).limit(MAX_CANDIDATES)):
        try:
            secret = services.secrets.open(row.webhook_secret, row.id)
        except SecretLost:
            continue
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        if hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
            proved.append(row)
    return proved


async def _store_delivery(
    tx: Transaction, repository: Any, delivery_id: str, event: str, payload: dict[str, Any]
) -> None:
    """Store a delivery and enqueue the job that applies it, unless it was stored before."""
    values = {
        "id": new_id("delivery"),
        "repository_id": repository.id,
        "delivery_id": delivery_id,
        "event": event,
        "payload": payload,
        "received_at": utcnow(),
    }
    upsert = insert_on_postgresql if queue.is_postgres(tx) else insert_on_sqlite
    statement = upsert(WebhookDelivery).values(values)
    statement = statement.on_conflict_do_nothing(index_elements=["repository_id", "delivery_id"])
    if await tx.scalar(statement.returning(WebhookDelivery.id)) is not None:
        given = {"delivery_id": values["id"]}
        await enqueue_job(tx, DELIVERY_JOB, given, workspace_id=repository.workspace_id)


PULL_FIELDS = (
    *(
        "id",
        "number",
        "html_url",
        "title",
        "body",
        "state",
        "draft",
        "merged_at",
        "merge_commit_sha",
        "mergeable",
    ),
    *("commits", "updated_at"),
)


def reduce_payload(event: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a payload that is needed to apply it. Raises KeyError or TypeError if it lacks some."""
    reduced: dict[str, Any] = {
        "action": payload.get("action"),
        "full_name": payload["repository"]["full_name"],
    }
    if event == "pull_request":
        given = payload["pull_request"]
        pull = {name: given.get(name) for name in PULL_FIELDS}
        for side in ("head", "base"):
            repository = given[side].get("repo")
            own = {"id": repository["id"]} if repository else None
            pull[side] = {"ref": given[side]["ref"], "sha": given[side]["sha"], "repo": own}
        pull["user"] = {"login": (given.get("user") or {}).get("login", "")}
        pull_of(pull)  # raises if it cannot be read later
        reduced["pull_request"] = pull
    elif event == "pull_request_review":
        reduced["numbers"] = [int(payload["pull_request"]["number"])]
    elif event in CI_EVENTS:
        about = payload if event == "status" else payload[event]
        reduced["sha"] = str(about["sha"] if event == "status" else about["head_sha"])
    elif event == "push":
        reduced["ref"] = str(payload["ref"])
    return reduced


async def run_delivery(services: Services, payload: dict[str, Any]) -> None:
    """Apply a delivery, in the transaction that marks it as applied."""
    rows = await services.database.read(
        select(WebhookDelivery.repository_id).where(WebhookDelivery.id == payload["delivery_id"])
    )
    if not rows:
        return
    async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        repository = await lock_repository_for_host(tx, rows[0].repository_id)
        query = select(WebhookDelivery).where(WebhookDelivery.id == payload["delivery_id"])
        delivery = await tx.scalar(query.with_for_update())
        if delivery is None or delivery.applied_at is not None:
            return
        if repository is not None and delivery.payload is not None:
            try:
                await _apply(tx, repository, delivery.event, delivery.payload)
            except (KeyError, TypeError, ValueError) as error:
                raise JobFailed(
                    f"The payload cannot be applied: {type(error).__name__}", final=True
                ) from error
        delivery.applied_at, delivery.payload = utcnow(), None
        old = WebhookDelivery.applied_at < utcnow() - timedelta(days=KEPT_DAYS)
        is_own = WebhookDelivery.repository_id == delivery.repository_id
        await tx.execute(delete(WebhookDelivery).where(is_own, old))


async def _apply(tx: Transaction, repository: Repository, event: str, payload: dict[str, Any]) -> None:
    can_ask = repository.connection_id is not None
    if event == "pull_request":
        row = await adopt_remote(tx, repository, pull_of(payload["pull_request"]), is_read=False)
        if row is not None and can_ask:
            await enqueue_pull_sync(tx, row, delay=SETTLE_SECONDS)
        return
    if event == "repository" and payload["action"] in ("renamed", "transferred"):
        await _rename(tx, repository, payload["full_name"])
    if not can_ask:
        return
    if event == "push":
        branch = payload["ref"].removeprefix("refs/heads/")
        if branch == repository.base_branch:
            await enqueue_sync(tx, repository, delay=SETTLE_SECONDS)
        await _sync_live(tx, repository, PullRequest.head_branch == branch)
    elif event in CI_EVENTS:
        await _sync_live(tx, repository, PullRequest.head_sha == payload["sha"])
    elif event == "pull_request_review":
        await _sync_live(tx, repository, PullRequest.number.in_(payload["numbers"]))


async def _sync_live(tx: Transaction, repository: Repository, about: Any) -> None:
    live = PullRequest.repository_id == repository.id, PullRequest.state.in_(LIVE)
    for row in (await tx.scalars(select(PullRequest).where(*live, about).limit(20))).all():
        await enqueue_pull_sync(tx, row, delay=SETTLE_SECONDS)


async def _rename(tx: Transaction, repository: Repository, full_name: str) -> None:
    """Follow a repository to its new name, unless the workspace has another one of that name."""
    key = f"{repository.host}/{full_name}".lower()
    same = Repository.workspace_id == repository.workspace_id, Repository.key == key
    if full_name.count("/") != 1 or await tx.scalar(select(Repository.id).where(*same)) is not None:
        return
    url = repository.url.removesuffix(repository.full_name) + full_name
    changed = apply_changes(repository, {"full_name": full_name, "key": key, "url": url})
    emit_repository_event(tx, repository, RepositoryUpdated, changes=changed)


HANDLERS[DELIVERY_JOB] = run_delivery
