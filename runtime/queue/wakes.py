"""Who is woken: workers that wait for work, and the one worker that has to hear something."""

from sqlalchemy.ext.asyncio import AsyncSession

from runtime.feed import wake
from runtime.queue.law import Cause, Transition
from runtime.queue.tables import State


def queue_wake(tenant: str) -> str:
    """The name to listen to for work of a tenant: something may be claimable that was not."""
    return f"queue:{tenant}"


def worker_wake(worker_id: str) -> str:
    """The name to listen to for a worker: a heartbeat now would tell it something new."""
    return f"worker:{worker_id}"


def rouse(tx: AsyncSession, *transitions: Transition, freed: bool = False) -> None:
    """Wake whom these concern, once `tx` has committed."""
    for one in transitions:
        if freed or (one.now is State.READY and _is_due(one)):
            wake(tx, queue_wake(one.tenant))
        if one.worker_id and one.cause in (Cause.CANCEL_REQUESTED, Cause.UNPARKED):
            wake(tx, worker_wake(one.worker_id))


def _is_due(one: Transition) -> bool:
    return one.available_at is not None and one.at is not None and one.available_at <= one.at
