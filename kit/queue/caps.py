"""Limits on concurrent jobs, exact at every instant, also while a limit changes.

A limit has one `slot` row for each job that it allows. A claim locks a free slot, so two claims cannot take the
same one. Counting leased jobs instead let eight workers exceed a limit about seven times in a thousand claims.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, tuple_, update

from kit.db.clock import database_now
from kit.db.transaction import Transaction
from kit.queue.enqueue import worker_cap
from kit.queue.notifications import queue_topic
from kit.queue.tables import Attempt, Cap, Job, Slot


def is_postgres(tx: Transaction) -> bool:
    return tx.get_bind().dialect.name == "postgresql"


async def set_cap(tx: Transaction, name: str, most: int | None, *, tenant: str | None = None) -> None:
    """Limit the jobs of the cap `name` that are held at once to `most`; None removes the limit.

    Holders above a lowered limit keep their leases; their slots are deleted when they end. A raised limit wakes
    the workers of `tenant`. Locks the cap against claims until `tx` ends: set one cap in a transaction, and lock
    your own rows first.
    """
    if is_postgres(tx):
        await tx.execute(select(func.pg_advisory_xact_lock(_key(name))))
    before = await tx.scalar(select(Cap.most).where(Cap.name == name).with_for_update())
    if before == most:
        return
    if most is None:
        await tx.execute(delete(Slot).where(Slot.cap == name))
        await tx.execute(delete(Cap).where(Cap.name == name))
    else:
        assert most >= 0, "a limit is zero or more; None removes it"
        await _limit(tx, name, most, is_new=before is None)
    if tenant and (most is None or (before is not None and most > before)):
        tx.notify(queue_topic(tenant))


async def _limit(tx: Transaction, name: str, most: int, *, is_new: bool) -> None:
    if is_new:
        await tx.execute(insert(Cap).values(name=name, most=most))
        holders = await _holders(tx, name)
        rows = [{"cap": name, "n": n, "job_id": id, "surplus": False} for n, id in enumerate(holders, 1)]
        if rows:
            await tx.execute(insert(Slot), rows)
    else:
        await tx.execute(update(Cap).where(Cap.name == name).values(most=most))
    # Held slots are updated, never replaced: a transaction that frees one waits for its row, and finds it.
    query = select(Slot.n, Slot.job_id).where(Slot.cap == name).order_by(Slot.n).with_for_update()
    slots = (await tx.execute(query)).all()
    held = [slot.n for slot in slots if slot.job_id is not None]
    kept, surplus = held[:most], held[most:]
    await tx.execute(delete(Slot).where(Slot.cap == name, Slot.job_id.is_(None)))
    await tx.execute(update(Slot).where(Slot.cap == name).values(surplus=Slot.n.in_(surplus)))
    start = max(held, default=0) + 1
    free = [{"cap": name, "n": start + i, "surplus": False} for i in range(most - len(kept))]
    if free:
        await tx.execute(insert(Slot), free)


async def _holders(tx: Transaction, name: str) -> list[str]:
    """Return the ids of the held jobs that count against a cap, locked so that none ends in the meantime."""
    query = (
        select(Job.id, Job.caps, Attempt.worker_id)
        .join(Attempt, Attempt.job_id == Job.id)
        .where(Attempt.ended_at.is_(None))
    )
    if name.startswith("worker:"):
        query = query.where(Attempt.worker_id == name.removeprefix("worker:"))
    rows = (await tx.execute(query)).all()
    mine = sorted(id for id, caps, worker in rows if name in caps or name == worker_cap(worker))
    locked = select(Job.id).where(Job.id.in_(mine), Job.held).order_by(Job.id).with_for_update()
    return list((await tx.scalars(locked)).all())


async def reserve(
    tx: Transaction, names: Sequence[str]
) -> tuple[Any, list[tuple[str, int]] | None, set[str]]:
    """Lock a free slot of each cap that has a limit. Returns the time, the slots and the names of full caps.

    The slots are None if any cap is full. Slots that others lock count as taken.
    """
    locks = [func.pg_advisory_xact_lock_shared(_key(name)) for name in sorted(names)]
    # The lock is a statement of its own: the next one sees all that was committed before the lock.
    row = (await tx.execute(select(database_now(), *(locks if is_postgres(tx) else ())))).one()
    free = (
        select(Slot.n)
        .where(Slot.cap == Cap.name, Slot.job_id.is_(None), Slot.surplus.is_(False))
        .order_by(Slot.n)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    slots = (await tx.execute(select(Cap.name, free).where(Cap.name.in_(names)))).all()
    full = {name for name, n in slots if n is None}
    return row[0], None if full else [(name, n) for name, n in slots], full


async def occupy(tx: Transaction, places: Sequence[tuple[str, int]], job_id: str) -> None:
    """Assign locked slots to a job."""
    if places:
        taken = update(Slot).where(tuple_(Slot.cap, Slot.n).in_(places)).values(job_id=job_id)
        await tx.execute(taken, execution_options={"synchronize_session": False})


async def free(tx: Transaction, job_ids: Iterable[str]) -> bool:
    """Free the slots of jobs. Returns whether other jobs may take any of them."""
    update_ = (
        update(Slot)
        .where(Slot.job_id.in_(list(job_ids)))
        .values(job_id=None)
        .returning(Slot.cap, Slot.n, Slot.surplus)
    )
    places = (await tx.execute(update_, execution_options={"synchronize_session": False})).all()
    return await freed(tx, places)


async def freed(tx: Transaction, places: Sequence[Any], *, are_alone: bool = False) -> bool:
    """Delete the surplus among freed slots. Returns whether other jobs may take any of the rest.

    `are_alone`: no held slot of these caps is surplus, as read by a statement that began after they were locked.
    """
    gone = [(cap, n) for cap, n, is_surplus, *_ in places if is_surplus]
    kept = [(cap, n) for cap, n, is_surplus, *_ in places if not is_surplus]
    if kept and not are_alone:
        gone += await _instead(tx, kept)
    if gone:
        await tx.execute(delete(Slot).where(tuple_(Slot.cap, Slot.n).in_(gone)))
    return len(places) > len(gone)


async def _instead(tx: Transaction, kept: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return the freed slots to delete in place of surplus ones, whose holders count from now on.

    Otherwise a limit lowered to one would admit another job when the wrong one of two ends.
    """
    query = (
        select(Slot.cap, Slot.n)
        .where(Slot.cap.in_({cap for cap, _ in kept}), Slot.surplus, Slot.job_id.is_not(None))
        .order_by(Slot.cap, Slot.n)
        .with_for_update()
    )
    surplus = [(cap, n) for cap, n in await tx.execute(query)]
    gone: list[tuple[str, int]] = []
    for place in kept:
        if heir := next((one for one in surplus if one[0] == place[0]), None):
            surplus.remove(heir)
            gone.append(place)
            await tx.execute(update(Slot).where(tuple_(Slot.cap, Slot.n).in_([heir])).values(surplus=False))
    return gone


def _key(name: str) -> Any:
    return func.hashtextextended(name, 0)
