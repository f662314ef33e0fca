"""Server jobs: how they are enqueued, run, retried and cleaned up.

A job exists exactly if the transaction that enqueued it committed. It runs at least once, on any server process,
under a lease of the queue: a job whose process dies runs again on another. Handlers are idempotent.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from auth.locking import lock_server_job
from auth.services import Services
from kit import queue
from kit.db.clock import database_now
from kit.db.database import Unavailable
from kit.db.transaction import Author, Transaction
from kit.graphql.arguments import Id
from kit.ids import new_id
from models.actor import Actor, ActorKind
from models.job import SERVER, ServerJob
from models.refusal import Conflict

log = logging.getLogger("signalbox.job")

MAX_CONCURRENT_JOBS = 8  # of one process
MAX_JOB_ATTEMPTS = 4
JOB_LEASE_SECONDS = 60.0
JOB_HEARTBEAT_SECONDS = 20.0
JOB_LIMIT_SECONDS = 900.0  # of one attempt
JOB_POLL_SECONDS = 30.0  # finds what no message announced
KEPT_SECONDS = 7 * 86_400.0  # finished jobs are kept so long
PRUNE_INTERVAL_SECONDS = 3_600.0
PRUNE_BATCH_SIZE = 1_000
MAX_REASON_LENGTH = 1_000

Handler = Callable[[Services, dict[str, Any]], Awaitable[None]]

# The handlers of every kind of job. A handler opens its own transactions and may run more than once.
HANDLERS: dict[str, Handler] = {}


class JobFailed(Exception):
    """An attempt failed for a known reason, which admins read.

    retry_in: seconds until the next attempt; default: the queue's delay.
    final:    no further attempt.
    """

    def __init__(self, reason: str, *, retry_in: float | None = None, final: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.retry_in, self.final = reason, retry_in, final


async def enqueue_job(
    tx: Transaction,
    kind: str,
    payload: dict[str, Any],
    *,
    workspace_id: str | None = None,
    key: str | None = None,
    delay: float = 0.0,
    at: datetime | None = None,
    max_attempts: int = MAX_JOB_ATTEMPTS,
) -> str | None:
    """Enqueue a job. Returns its id; None if a job with this `key` has not started yet.

    The payload holds ids and never secrets. The job starts after `delay` seconds, or not before `at`.
    """
    id = new_id("job")
    values = {"id": id, "kind": kind, "key": key, "workspace_id": workspace_id, "payload": payload}
    if key is None:
        await tx.execute(insert(ServerJob).values(values))
    else:
        upsert = insert_on_postgresql if queue.is_postgres(tx) else insert_on_sqlite
        statement = upsert(ServerJob).values(values).on_conflict_do_nothing(index_elements=["key"])
        if await tx.scalar(statement.returning(ServerJob.id)) is None:
            return None
    job = queue.NewJob(
        id=id,
        kind=kind,
        tenant=SERVER,
        delay=delay,
        at=at,
        max_attempts=max_attempts,
        attempt_limit=JOB_LIMIT_SECONDS,
    )
    await queue.enqueue(tx, job)
    return id


async def redrive_job(
    tx: Transaction, actor: Actor, *, job_id: Annotated[Id, "The failed job."]
) -> ServerJob:
    """Queue a failed job again, with all its attempts. Raises Conflict unless it failed."""
    job = await lock_server_job(tx, actor, job_id)
    try:
        await queue.rerun(tx, job.id)
    except queue.NotDead as error:
        raise Conflict("Only a failed job can be queued again") from error
    return job


class JobRunner:
    """Runs the jobs of a process until it is cancelled."""

    def __init__(self, services: Services, handlers: Mapping[str, Handler] = HANDLERS) -> None:
        self.services, self.handlers = services, handlers
        self.worker_id = new_id("server")
        self.running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Claim and run jobs forever. Cancellation gives running jobs back to the queue."""
        pubsub = self.services.event_log.pubsub
        pruning = asyncio.create_task(self._prune_periodically())
        try:
            with pubsub.listen(queue.queue_topic(SERVER)) as listener:
                while True:
                    listener.clear()
                    has_claimed = await self._claim_or_wait()
                    if has_claimed and len(self.running) < MAX_CONCURRENT_JOBS:
                        continue
                    waiting = asyncio.create_task(listener.wait(JOB_POLL_SECONDS))
                    try:
                        await asyncio.wait({waiting, *self.running}, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        waiting.cancel()
        finally:
            tasks = [pruning, *self.running]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _claim_or_wait(self) -> bool:
        """Claim jobs up to the limit. Returns whether there were any."""
        try:
            return await self._claim()
        except Unavailable:
            log.warning("no job claimed: the database does not answer")
        except Exception:
            log.exception("no job claimed")
        await asyncio.sleep(random.uniform(0.5, 1.5))  # noqa: S311 - so that processes alternate
        return False

    async def _claim(self) -> bool:
        free = MAX_CONCURRENT_JOBS - len(self.running)
        if not free or not self.handlers:
            return False
        wanted = queue.ClaimFilter(tenant=SERVER, kinds=sorted(self.handlers))
        async with self.services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
            leases = await queue.claim(tx, self.worker_id, wanted, most=free, lease=JOB_LEASE_SECONDS)
            ids = [lease.id for lease in leases]
            rows = await tx.execute(select(ServerJob.id, ServerJob.payload).where(ServerJob.id.in_(ids)))
            payloads = {row.id: row.payload for row in rows}
            # A job with the same key may be enqueued from now on: this one might not see its reason.
            await tx.execute(update(ServerJob).where(ServerJob.id.in_(ids)).values(key=None))
        for lease in leases:
            task = asyncio.create_task(self._work(lease, payloads.get(lease.id)))
            self.running.add(task)
            task.add_done_callback(self.running.discard)
        return bool(leases)

    async def _work(self, lease: queue.Lease, payload: dict[str, Any] | None) -> None:
        """Run one attempt and tell the queue how it ended. A lost lease cancels the handler."""
        if payload is None:  # its workspace was deleted
            return await self._settle(lease, JobFailed("The workspace was deleted", final=True))
        handling = asyncio.ensure_future(self.handlers[lease.kind](self.services, payload))
        beating = asyncio.create_task(self._extend(lease, handling))
        failure: JobFailed | None = None
        try:
            await handling
        except JobFailed as error:
            failure = error
        except asyncio.CancelledError:
            handling.cancel()
            await asyncio.gather(handling, return_exceptions=True)
            await self._release(lease)
            raise
        except Exception as error:
            log.exception("job %s failed", lease.kind, extra={"job": lease.id})
            failure = JobFailed(f"Unexpected error: {type(error).__name__}")
        finally:
            beating.cancel()
        return await self._settle(lease, failure)

    async def _extend(self, lease: queue.Lease, handling: "asyncio.Future[None]") -> None:
        while True:
            await asyncio.sleep(JOB_HEARTBEAT_SECONDS)
            try:
                async with self.services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
                    await queue.heartbeat(tx, lease, lease=JOB_LEASE_SECONDS)
            except queue.JobLeaseLost:
                handling.cancel()
                return
            except Unavailable:
                continue

    async def _settle(self, lease: queue.Lease, failure: JobFailed | None) -> None:
        """Store the end of an attempt. If that fails, the lease expires and the job runs again."""
        try:
            async with self.services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
                if failure is None:
                    await queue.complete(tx, lease)
                else:
                    await queue.fail(
                        tx,
                        lease,
                        code="FAILED",
                        reason=failure.reason[:MAX_REASON_LENGTH],
                        retryable=not failure.final,
                        retry_in=failure.retry_in,
                    )
        except queue.JobLeaseLost:
            log.warning("job %s was taken over", lease.kind, extra={"job": lease.id})
        except Exception:
            log.exception("the end of job %s was not stored", lease.kind, extra={"job": lease.id})

    async def _release(self, lease: queue.Lease) -> None:
        try:
            async with self.services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
                await queue.release(tx, lease)
        except Exception:
            log.warning("job %s was not given back; its lease expires", lease.kind)

    async def _prune_periodically(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_INTERVAL_SECONDS * random.uniform(0.7, 1.3))  # noqa: S311
            try:
                await prune_jobs(self.services)
            except Exception:
                log.exception("jobs not pruned")


async def prune_jobs(services: Services) -> int:
    """Delete the jobs that succeeded more than a week ago. Returns their number."""
    old = (
        select(queue.Job.id)
        .where(
            queue.Job.tenant == SERVER,
            queue.Job.state.in_((queue.JobState.DONE, queue.JobState.CANCELLED)),
            queue.Job.ended_at < database_now(-KEPT_SECONDS),
        )
        .limit(PRUNE_BATCH_SIZE)
    )
    count = 0
    while True:
        async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
            ids = list(await tx.scalars(old))
            await tx.execute(delete(ServerJob).where(ServerJob.id.in_(ids)))
            await tx.execute(delete(queue.Attempt).where(queue.Attempt.job_id.in_(ids)))
            await tx.execute(delete(queue.Job).where(queue.Job.id.in_(ids)))
        count += len(ids)
        if len(ids) < PRUNE_BATCH_SIZE:
            return count
