"""Limits on how much is worked at once, exact at every instant, also while they change.

A limit is as many `slot` rows as it allows. A claim locks a free one, so two claims cannot count the same
place. Counting leased jobs instead lets eight workers exceed a limit about seven times in a thousand.
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
    """Let at most `most` jobs that count against `name` be held at once; None is no limit.

    Holders above a lowered limit keep their leases; their places go when they leave. A raised limit wakes
    the workers of `tenant`. Locks the cap against claims until `tx` ends: set one cap in a transaction, and
    reach your own rows before.
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
        assert most >= 0, "a limit is zero or more; None is no limit"
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
    # Held places are changed, never replaced: whoever frees one meanwhile waits for its row, and finds it.
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
    """The ids of the jobs that are held and count against a cap, locked so that none leaves meanwhile."""
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
    """Lock a free place under each of these caps that is a limit: the time, the places, the caps that are full.

    The places are None if any is full. Places that others lock count as full.
    """
    locks = [func.pg_advisory_xact_lock_shared(_key(name)) for name in sorted(names)]
    # The lock is its own statement: the next one sees what committed before the lock was given.
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
    if places:
        taken = update(Slot).where(tuple_(Slot.cap, Slot.n).in_(places)).values(job_id=job_id)
        await tx.execute(taken, execution_options={"synchronize_session": False})


async def free(tx: Transaction, job_ids: Iterable[str]) -> bool:
    """Free the places of these jobs. Returns whether there were any that others may take now."""
    update_ = (
        update(Slot)
        .where(Slot.job_id.in_(list(job_ids)))
        .values(job_id=None)
        .returning(Slot.cap, Slot.n, Slot.surplus)
    )
    places = (await tx.execute(update_, execution_options={"synchronize_session": False})).all()
    return await freed(tx, places)


async def freed(tx: Transaction, places: Sequence[Any], *, are_alone: bool = False) -> bool:
    """Take away which of the freed places are surplus. Returns whether there are any that others may take now.

    `are_alone`: no held place of theirs is surplus. It is known in a statement that began when they were locked.
    """
    gone = [(cap, n) for cap, n, is_surplus, *_ in places if is_surplus]
    kept = [(cap, n) for cap, n, is_surplus, *_ in places if not is_surplus]
    if kept and not are_alone:
        gone += await _instead(tx, kept)
    if gone:
        await tx.execute(delete(Slot).where(tuple_(Slot.cap, Slot.n).in_(gone)))
    return len(places) > len(gone)


async def _instead(tx: Transaction, kept: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """The freed places that go instead of surplus ones, whose holders go on and count from now on.

    Without this a limit that was lowered to one would let another in when the wrong one of two leaves.
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
