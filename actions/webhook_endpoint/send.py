"""The sender: tells every endpoint the events of its boards, in the order of each board.

The log itself is the outbox. A cursor says how far an endpoint has been told of a topic; it moves on only with the
log entry of the message, in one transaction. The id of a message follows from its event, so a message that is sent
again after a crash has the same id. An endpoint is told by one process at a time, which holds its lease. A message
that fails holds back its own board only; an endpoint that hangs holds back no other.
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from actions.notice import create_notices
from actions.webhook_endpoint.payload import event_message, type_of
from actions.webhook_endpoint.post import GONE, PostResult, post_message
from actions.webhook_endpoint.text import read_texts
from auth.services import Services
from kit import queue
from kit.completion import complete
from kit.db.clock import database_now
from kit.db.database import Unavailable, utcnow
from kit.db.transaction import Author, Transaction
from kit.eventlog.tables import Topic
from kit.eventlog.topic_cache import page_of
from kit.ids import new_id
from kit.outbound import Outbound
from models.actor import ActorKind
from models.events import EVENT_TYPES
from models.events.board import BoardCreated, BoardLifecycleEvent
from models.events.webhook_endpoint import WebhookEndpointDisabled
from models.notice import NotificationType
from models.topic import board_topic, workspace_scope, workspace_topic
from models.webhook_endpoint import (
    DISABLED_AFTER_DAYS,
    MAX_DELIVERIES,
    MAX_DELIVERY_ERROR_LENGTH,
    RETRY_SECONDS,
    EndpointDelivery,
    EndpointDeliveryStatus,
    EndpointFormat,
    WebhookCursor,
    WebhookEndpoint,
    message_id_of,
)
from models.workspace import Membership, Role

log = logging.getLogger("signalbox.webhook")

POLL_SECONDS = 1.0
IDLE_POLL_SECONDS = 3.0  # while there was nothing to send
MAX_CONCURRENT_ENDPOINTS = 64  # of one process
LEASE_SECONDS = 10.0
HEARTBEAT_SECONDS = 3.0
TURN_SECONDS = 30.0  # then another endpoint may have the place
MAX_TOPICS_PER_TURN = 100
MAX_EVENTS_PER_PAGE = 50
MAX_PAUSE_SECONDS = 300.0  # of an endpoint that fails for every board


# Changes to boards themselves, which are on two feeds: their home is the workspace's.
OF_BOARDS = frozenset(kind for kind, cls in EVENT_TYPES.items() if issubclass(cls, BoardLifecycleEvent))


class LeaseGone(Exception):
    """Another process sends to the endpoint, or it was changed, disabled or deleted."""


def _is_due() -> ColumnElement[bool]:
    now = database_now()
    waits = exists(
        select(WebhookCursor.topic)
        .join(Topic, Topic.name == WebhookCursor.topic)
        .where(
            WebhookCursor.endpoint_id == WebhookEndpoint.id,
            Topic.last > WebhookCursor.seq,
            or_(WebhookCursor.next_attempt_at.is_(None), WebhookCursor.next_attempt_at <= now),
        )
    )
    return and_(
        WebhookEndpoint.is_enabled,
        or_(WebhookEndpoint.lease_until.is_(None), WebhookEndpoint.lease_until < now),
        or_(WebhookEndpoint.next_attempt_at.is_(None), WebhookEndpoint.next_attempt_at <= now),
        waits,
    )


class WebhookSender:
    """Sends to the endpoints of all workspaces until it is cancelled."""

    def __init__(self, services: Services) -> None:
        self.services = services
        # A pool of its own: endpoints that hang take no connection from calls of code hosts.
        self.outbound = Outbound(
            services.settings.outbound_networks, max_connections=MAX_CONCURRENT_ENDPOINTS
        )
        self.sending: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Claim due endpoints and send, for ever."""
        try:
            while True:
                try:
                    await complete(self._claim())
                except Unavailable:
                    log.warning("no webhook sent: the database does not answer")
                except Exception:
                    log.exception("no webhook sent")
                seconds = POLL_SECONDS if self.sending else IDLE_POLL_SECONDS
                pause = asyncio.create_task(asyncio.sleep(seconds * random.uniform(0.7, 1.3)))  # noqa: S311
                full = len(self.sending) >= MAX_CONCURRENT_ENDPOINTS
                waited = self.sending if full else {pause, *self.sending}
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                pause.cancel()
        finally:
            for task in self.sending:
                task.cancel()
            await asyncio.gather(*self.sending, return_exceptions=True)
            await self.outbound.close()

    async def _claim(self) -> None:
        free = MAX_CONCURRENT_ENDPOINTS - len(self.sending)
        due = (
            select(WebhookEndpoint.id)
            .where(_is_due())
            .order_by(WebhookEndpoint.failures, WebhookEndpoint.lease_until)
            .limit(free)
        )
        if not free or not await self.services.database.read(due):
            return
        token = new_id("lease")
        async with self.services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
            ids = list(await tx.scalars(due.with_for_update(skip_locked=True)))
            claimed = WebhookEndpoint.id.in_(ids)
            lease = {"lease_token": token, "lease_until": database_now(LEASE_SECONDS)}
            await tx.execute(update(WebhookEndpoint).where(claimed).values(lease))
        rows = await self.services.database.read(select(WebhookEndpoint.__table__).where(claimed))
        for endpoint in rows:
            task = asyncio.create_task(self._take_turn(endpoint, token))
            self.sending.add(task)
            task.add_done_callback(self.sending.discard)

    async def _take_turn(self, endpoint: Any, token: str) -> None:
        turn = Turn(self.services, self.outbound, endpoint, token)
        beating = asyncio.create_task(turn.extend_lease())
        try:
            await turn.run()
        except LeaseGone:
            return
        except Unavailable:
            log.warning("the database does not answer; the lease of a webhook endpoint expires")
            return
        except Exception:
            log.exception("not sent", extra={"endpoint": endpoint.id})
            turn.pause_seconds = MAX_PAUSE_SECONDS
        finally:
            turn.is_over.set()
            await beating
            await complete(turn.release())


class Turn:
    """The messages to one endpoint under one lease, for at most TURN_SECONDS."""

    def __init__(self, services: Services, outbound: Outbound, endpoint: Any, token: str) -> None:
        self.services, self.outbound, self.endpoint, self.token = services, outbound, endpoint, token
        self.until = time.monotonic() + TURN_SECONDS
        self.is_over = asyncio.Event()
        self.pause_seconds = 0.0  # after an error of our own
        self.wanted = frozenset(endpoint.event_types) if endpoint.event_types is not None else None

    async def run(self) -> None:
        """Tell the endpoint of its topics, those first whose next event is the oldest."""
        while time.monotonic() < self.until:
            query = (
                select(WebhookCursor.topic, WebhookCursor.seq, WebhookCursor.attempts, Topic.epoch)
                .join(Topic, Topic.name == WebhookCursor.topic)
                .where(
                    WebhookCursor.endpoint_id == self.endpoint.id,
                    Topic.last > WebhookCursor.seq,
                    or_(
                        WebhookCursor.next_attempt_at.is_(None),
                        WebhookCursor.next_attempt_at <= database_now(),
                    ),
                )
                .order_by(WebhookCursor.next_attempt_at, WebhookCursor.topic)
                .limit(MAX_TOPICS_PER_TURN)
            )
            cursors = await self._read(query)
            if not cursors:
                return
            for cursor in cursors:
                if time.monotonic() >= self.until or not await self._tell(cursor):
                    return

    async def _tell(self, cursor: Any) -> bool:
        """Tell one page of a topic. Returns whether the endpoint is worth another message now."""
        page = await self._read(page_of(cursor.topic, cursor.seq, MAX_EVENTS_PER_PAGE))
        events = [row for row in page if row.seq is not None]
        if not events:
            await self._keep(cursor.topic, page[0].last if page else cursor.seq, [], None)  # all pruned
            return True
        if events[0].seq > cursor.seq + 1:
            log.warning(
                "events were pruned before an endpoint was told", extra={"endpoint": self.endpoint.id}
            )
        wanted = [event for event in events if self._is_told(event)]
        texts: dict[int, str] = {}
        if self.endpoint.format is not EndpointFormat.STANDARD and wanted:
            page_url = self.services.settings.page_url
            texts = await complete(read_texts(self.services.database, wanted, page_url))
        attempts, settled, done = cursor.attempts, cursor.seq, []
        created = [event.data["board_id"] for event in events if event.kind == BoardCreated.kind]
        since = time.monotonic()
        for event in events:
            if not self._is_told(event):
                settled = event.seq
                continue
            id = message_id_of(self.endpoint.id, event.topic, event.epoch, event.seq, event.at)
            message = event_message(event, self.endpoint.workspace_id)
            result = await post_message(
                self.outbound, self.services.secrets, self.endpoint, id, message, texts.get(event.seq, "")
            )
            done.append((id, event, result, attempts + 1))
            is_last = attempts >= len(RETRY_SECONDS)
            if result.error is not None and not is_last:
                await self._keep(cursor.topic, settled, done, result, created=created)
                return result.code is not None and 400 <= result.code < 500 and result.code != 429
            settled, attempts = event.seq, 0
            if result.error is not None or time.monotonic() > min(since + 2.0, self.until):
                await self._keep(cursor.topic, settled, done, result, created=created)
                done, since = [], time.monotonic()
                if time.monotonic() > self.until:
                    return False
        await self._keep(cursor.topic, settled, done, done[-1][2] if done else None, created=created)
        return True

    def _is_told(self, event: Any) -> bool:
        """Whether an endpoint is told of an event; that of a whole workspace of one copy only.

        That is the home copy, or of a change to a board the copy on the board, where it is in order.
        """
        if self.endpoint.board_ids is None:
            if event.kind in OF_BOARDS:
                if event.topic == workspace_topic(self.endpoint.workspace_id):
                    return False
            elif event.tenant is None:
                return False
        return self.wanted is None or type_of(event.kind) in self.wanted

    async def _read(self, query: Any) -> Sequence[Any]:
        return await complete(self.services.database.read(query))

    async def _keep(self, *args: Any, **more: Any) -> None:
        await complete(self._store(*args, **more))

    async def _store(
        self,
        topic: str,
        settled: int,
        done: Sequence[tuple[str, Any, PostResult, int]],
        last: PostResult | None,
        *,
        created: Sequence[str] = (),
    ) -> None:
        """Store how messages fared and move the cursor on, if the lease is still held. Raises LeaseGone."""
        now = utcnow()
        failed = last is not None and last.error is not None
        async with self.services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
            held = WebhookEndpoint.id == self.endpoint.id, WebhookEndpoint.lease_token == self.token
            endpoint = await tx.scalar(
                select(WebhookEndpoint).where(*held, WebhookEndpoint.is_enabled).with_for_update()
            )
            if endpoint is None:
                raise LeaseGone
            values: dict[str, Any] = {"lease_until": database_now(LEASE_SECONDS)}
            is_settled = not failed or (bool(done) and done[-1][1].seq <= settled)
            retry_at = None
            if failed:
                assert last is not None
                values |= {"failures": endpoint.failures + 1, "failing_since": endpoint.failing_since or now}
                pause = min(MAX_PAUSE_SECONDS, RETRY_SECONDS[0] * 2.0 ** min(endpoint.failures, 10))
                values["next_attempt_at"] = (
                    None if last.code is not None and last.code < 500 else now + timedelta(seconds=pause)
                )
                if not is_settled:
                    wait = max(RETRY_SECONDS[done[-1][3] - 1] * random.uniform(1.0, 1.2), last.retry_after)  # noqa: S311
                    retry_at = now + timedelta(seconds=min(wait, RETRY_SECONDS[-1]))
            elif done:
                values |= {
                    "failures": 0,
                    "failing_since": None,
                    "next_attempt_at": None,
                    "last_success_at": now,
                }
            await tx.execute(update(WebhookEndpoint).where(*held).values(values))
            cursor = {
                "seq": settled,
                "attempts": 0 if is_settled else done[-1][3],
                "next_attempt_at": retry_at,
            }
            await tx.execute(
                update(WebhookCursor)
                .where(WebhookCursor.endpoint_id == endpoint.id, WebhookCursor.topic == topic)
                .values(cursor)
            )
            if self.endpoint.board_ids is None and created:
                await _add_board_cursors(tx, endpoint.id, created)
            if done:
                await store_deliveries(tx, self.endpoint, done, settled, retry_at)
            if failed and last is not None:
                await _disable_if_dead(tx, endpoint, values["failing_since"], last)

    async def extend_lease(self) -> None:
        """Hold the lease while a message waits for its answer. A lost lease is noticed when that is stored."""
        held = WebhookEndpoint.id == self.endpoint.id, WebhookEndpoint.lease_token == self.token
        extended = update(WebhookEndpoint).where(*held).values(lease_until=database_now(LEASE_SECONDS))
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self.is_over.wait()
            if self.is_over.is_set():
                return
            try:
                async with self.services.database.write() as tx:
                    await tx.execute(extended)
            except Unavailable:
                log.warning("the lease of a webhook endpoint was not extended")

    async def release(self) -> None:
        """Give the lease back and delete the oldest entries of the log."""
        try:
            async with self.services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
                held = WebhookEndpoint.id == self.endpoint.id, WebhookEndpoint.lease_token == self.token
                released: dict[str, Any] = {"lease_token": None, "lease_until": database_now()}
                if self.pause_seconds:
                    released["next_attempt_at"] = database_now(self.pause_seconds)
                await tx.execute(update(WebhookEndpoint).where(*held).values(released))
                await trim_deliveries(tx, self.endpoint.id)
        except Unavailable:
            log.warning("the lease of a webhook endpoint was not given back; it expires")


async def _add_board_cursors(tx: Transaction, endpoint_id: str, board_ids: Sequence[str]) -> None:
    """Let an endpoint of a whole workspace be told of new boards, from their first event."""
    upsert = insert_on_postgresql if queue.is_postgres(tx) else insert_on_sqlite
    rows = [
        {"endpoint_id": endpoint_id, "topic": board_topic(id), "seq": 0, "attempts": 0} for id in board_ids
    ]
    await tx.execute(upsert(WebhookCursor).values(rows).on_conflict_do_nothing())


async def store_deliveries(
    tx: Transaction,
    endpoint: Any,
    done: Sequence[tuple[str, Any, PostResult, int]],
    settled: int,
    retry_at: Any,
) -> None:
    """Write messages to the log of an endpoint: one entry for each message, whatever the number of its attempts."""
    upsert = insert_on_postgresql if queue.is_postgres(tx) else insert_on_sqlite
    now = utcnow()
    rows = []
    for id, event, result, attempts in done:
        status = EndpointDeliveryStatus.DELIVERED
        if result.error is not None:
            is_over = event.seq <= settled
            status = EndpointDeliveryStatus.FAILED if is_over else EndpointDeliveryStatus.PENDING
        rows.append(
            {
                "id": id,
                "workspace_id": endpoint.workspace_id,
                "endpoint_id": endpoint.id,
                "topic": event.topic,
                "seq": event.seq,
                "event_type": type_of(event.kind),
                "status": status,
                "attempts": attempts,
                "response_code": result.code,
                "response_body": result.body,
                "error": result.error and result.error[:MAX_DELIVERY_ERROR_LENGTH],
                "duration_ms": result.duration_ms,
                "next_attempt_at": retry_at if status is EndpointDeliveryStatus.PENDING else None,
                "created_at": now,
                "updated_at": now,
            }
        )
    statement = upsert(EndpointDelivery).values(rows)
    kept = {"id", "workspace_id", "endpoint_id", "topic", "seq", "event_type", "created_at"}
    fresh = {name: statement.excluded[name] for name in rows[0] if name not in kept}
    await tx.execute(statement.on_conflict_do_update(index_elements=["id"], set_=fresh))


async def trim_deliveries(tx: Transaction, endpoint_id: str) -> None:
    """Delete all but the newest MAX_DELIVERIES entries of an endpoint's log."""
    own = EndpointDelivery.endpoint_id == endpoint_id
    oldest = select(EndpointDelivery.id).where(own).order_by(EndpointDelivery.id.desc())
    edge = oldest.offset(MAX_DELIVERIES).limit(1).scalar_subquery()
    await tx.execute(
        delete(EndpointDelivery).where(own, EndpointDelivery.id <= edge),
        execution_options={"synchronize_session": False},
    )


async def _disable_if_dead(tx: Transaction, endpoint: Any, failing_since: Any, last: PostResult) -> None:
    """Disable an endpoint that is gone, or has failed for days, and notify the admins of its workspace."""
    is_over = utcnow() - failing_since > timedelta(days=DISABLED_AFTER_DAYS)
    if not is_over and last.code != GONE:
        return
    reason = f"It failed for {DISABLED_AFTER_DAYS} days" if is_over else "It is gone"
    reason = f"{reason}: {last.error}"[:MAX_DELIVERY_ERROR_LENGTH]
    values = {"is_enabled": False, "disabled_reason": reason, "version": endpoint.version + 1}
    await tx.execute(update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint.id).values(values))
    facts = {"workspace_id": endpoint.workspace_id, "endpoint_id": endpoint.id, "name": endpoint.name}
    tx.emit(workspace_scope(endpoint.workspace_id), WebhookEndpointDisabled(**facts, reason=reason))
    admins = Membership.workspace_id == endpoint.workspace_id, Membership.role == Role.ADMIN
    people = list(await tx.scalars(select(Membership.user_id).where(*admins)))
    title = f"The webhook {endpoint.name} was disabled"
    about = {"workspace_id": endpoint.workspace_id}
    await create_notices(tx, people, NotificationType.WARNING, title, reason, **about)
