"""Notifications of workers: of new work for a tenant, and of orders for one worker."""

from kit.db.transaction import Transaction
from kit.queue.state_machine import Cause, Transition
from kit.queue.tables import JobState


def queue_topic(tenant: str) -> str:
    """The topic of a tenant's queue: notified when a job may have become claimable."""
    return f"queue:{tenant}"


def worker_topic(worker_id: str) -> str:
    """The topic of a worker: notified when its next heartbeat would return something new."""
    return f"worker:{worker_id}"


def notify_transitions(tx: Transaction, *transitions: Transition, freed: bool = False) -> None:
    """Notify the topics that transitions concern, once `tx` has committed."""
    for one in transitions:
        if freed or (one.now is JobState.READY and _is_due(one)):
            tx.notify(queue_topic(one.tenant))
        if one.worker_id and one.cause in (Cause.CANCEL_REQUESTED, Cause.UNPARKED):
            tx.notify(worker_topic(one.worker_id))


def _is_due(one: Transition) -> bool:
    return one.available_at is not None and one.at is not None and one.available_at <= one.at
