"""Messages that an admin sends by hand: their entries in the log of an endpoint."""

from sqlalchemy import update

from actions.webhook_endpoint.post import PostResult
from actions.webhook_endpoint.send import trim_deliveries
from auth.locking import lock_endpoint_delivery, lock_webhook_endpoint
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from models.actor import Actor
from models.webhook_endpoint import (
    MAX_DELIVERY_ERROR_LENGTH,
    EndpointDelivery,
    EndpointDeliveryStatus,
    WebhookCursor,
    WebhookEndpoint,
)


async def record_ping(
    tx: Transaction, actor: Actor, endpoint_id: str, message_id: str, result: PostResult
) -> EndpointDelivery:
    """Write a ping to the log of its endpoint."""
    endpoint = await lock_webhook_endpoint(tx, actor, endpoint_id)
    row = EndpointDelivery(
        id=message_id,
        workspace_id=endpoint.workspace_id,
        endpoint_id=endpoint.id,
        event_type="Ping",
        attempts=0,
        status=EndpointDeliveryStatus.FAILED,
    )
    tx.add(row)
    _settle(row, result)
    await tx.flush()  # the caller reads it
    await trim_deliveries(tx, endpoint.id)
    return row


async def record_redrive(
    tx: Transaction, actor: Actor, delivery_id: str, result: PostResult
) -> EndpointDelivery:
    """Write another attempt to the entry of a message. If its board waits for it, the board goes on."""
    row = await lock_endpoint_delivery(tx, actor, delivery_id)
    was_pending = row.status is EndpointDeliveryStatus.PENDING
    _settle(row, result)
    if was_pending:
        waits = WebhookCursor.endpoint_id == row.endpoint_id, WebhookCursor.topic == row.topic
        waits_for_it = (*waits, WebhookCursor.seq == (row.seq or 0) - 1)
        if result.error is None:
            values = {"seq": row.seq, "attempts": 0, "next_attempt_at": None}
            await tx.execute(update(WebhookCursor).where(*waits_for_it).values(values))
            endpoint = update(WebhookEndpoint).where(WebhookEndpoint.id == row.endpoint_id)
            await tx.execute(endpoint.values(next_attempt_at=None))
        else:
            row.status = EndpointDeliveryStatus.PENDING
    await tx.flush()  # the caller reads it
    return row


def _settle(row: EndpointDelivery, result: PostResult) -> None:
    row.attempts += 1
    is_delivered = result.error is None
    row.status = EndpointDeliveryStatus.DELIVERED if is_delivered else EndpointDeliveryStatus.FAILED
    row.response_code, row.response_body = result.code, result.body
    row.error = result.error and result.error[:MAX_DELIVERY_ERROR_LENGTH]
    row.duration_ms, row.updated_at = result.duration_ms, utcnow()
