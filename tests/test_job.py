"""Server jobs: they run exactly if their transaction committed, and again after a crash; admins see how."""

import asyncio
import contextlib
from datetime import timedelta

from sqlalchemy import func, select, update

from actions.job import KEPT_SECONDS, JobFailed, JobRunner, enqueue_job, prune_jobs
from kit import queue
from kit.db.database import utcnow
from models.job import ServerJob

JOBS = """query($id: ID!, $status: JobStatus) { workspace(id: $id) { jobs(status: $status) {
  totalCount nodes { id kind status failures reason nextAttemptAt endedAt } } } }"""
REDRIVE = """mutation($input: RedriveJobInput!) {
  redriveJob(input: $input) { __typename ... on ServerJob { id status } } }"""


async def listed(app, workspace, status=None):
    data = await app.data(JOBS, id=workspace, status=status)
    return data["jobs"]["nodes"]


async def until(condition):
    async with asyncio.timeout(20):
        while not (found := await condition()):
            await asyncio.sleep(0.02)
    return found


@contextlib.asynccontextmanager
async def runner(app, **handlers):
    """Run jobs of the given kinds in this process."""
    running = asyncio.create_task(JobRunner(app.services, handlers).run())
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def workspace_of(app):
    board, _ = await app.has_board()
    return (await app.data("query($id: ID!) { board(id: $id) { workspace { id } } }", id=board))["workspace"][
        "id"
    ]


async def test_a_job_runs_once_its_transaction_has_committed(run):
    async with run() as app:
        workspace, worked = await workspace_of(app), []

        async def work(services, payload):
            worked.append(payload)

        async with runner(app, work=work):
            with contextlib.suppress(ZeroDivisionError):
                async with app.begin() as tx:
                    await enqueue_job(tx, "work", {"n": 1}, workspace_id=workspace)
                    await tx.flush()
                    raise ZeroDivisionError
            async with app.begin() as tx:
                await enqueue_job(tx, "work", {"n": 2}, workspace_id=workspace)
            await until(lambda: listed(app, workspace, "DONE"))
        assert worked == [{"n": 2}]
        [job] = await listed(app, workspace)
        assert (job["kind"], job["failures"], job["reason"]) == ("work", 0, None)
        assert job["endedAt"] is not None


async def test_a_key_holds_one_job_until_it_starts(run):
    async with run() as app:
        workspace, started, release = await workspace_of(app), asyncio.Event(), asyncio.Event()

        async def work(services, payload):
            started.set()
            await release.wait()

        async def enqueue():
            async with app.begin() as tx:
                return await enqueue_job(tx, "work", {}, workspace_id=workspace, key="same")

        assert await enqueue() is not None
        assert await enqueue() is None
        async with runner(app, work=work):
            await started.wait()
            assert await enqueue() is not None  # the running one may have read too early
            release.set()

            async def both():
                return len(await listed(app, workspace, "DONE")) == 2

            await until(both)


async def test_a_failed_job_is_tried_again_then_listed_and_redriven(run):
    async with run() as app:
        workspace, attempts = await workspace_of(app), []

        async def work(services, payload):
            attempts.append(payload)
            if len(attempts) == 1:
                raise JobFailed("The server answered 503", retry_in=0)
            if len(attempts) == 2:
                raise JobFailed("The server answered 404", final=True)

        async with app.begin() as tx:
            await enqueue_job(tx, "work", {}, workspace_id=workspace)
        async with runner(app, work=work):
            [job] = await until(lambda: listed(app, workspace, "FAILED"))
            assert (job["failures"], job["reason"]) == (2, "The server answered 404")
            answer = await app.data(REDRIVE, input={"jobId": job["id"]})
            assert answer["__typename"] == "ServerJob"
            await until(lambda: listed(app, workspace, "DONE"))
        again = await app.data(REDRIVE, input={"jobId": job["id"]})
        assert again["__typename"] == "Conflict"
        assert len(attempts) == 3


async def test_an_unexpected_error_is_a_failure_without_its_text(run):
    async with run() as app:
        workspace = await workspace_of(app)

        async def work(services, payload):
            raise RuntimeError("password=hunter2")

        async with app.begin() as tx:
            await enqueue_job(tx, "work", {}, workspace_id=workspace, max_attempts=1)
        async with runner(app, work=work):
            [job] = await until(lambda: listed(app, workspace, "FAILED"))
        assert job["reason"] == "Unexpected error: RuntimeError"


async def test_a_job_of_a_process_that_ends_runs_on_another(run):
    async with run() as app:
        workspace, started, worked = await workspace_of(app), asyncio.Event(), []

        async def hang(services, payload):
            started.set()
            await asyncio.Event().wait()

        async def work(services, payload):
            worked.append(payload)

        async with app.begin() as tx:
            await enqueue_job(tx, "work", {"n": 1}, workspace_id=workspace)
        async with runner(app, work=hang):
            await started.wait()  # it is given back
        async with runner(app, work=work):
            await until(lambda: listed(app, workspace, "DONE"))
        assert worked == [{"n": 1}]


async def test_a_job_whose_process_was_killed_runs_on_another(run):
    async with run() as app:
        workspace, worked = await workspace_of(app), []

        async def work(services, payload):
            worked.append(payload)

        async with app.begin() as tx:
            await enqueue_job(tx, "work", {"n": 1}, workspace_id=workspace)
            [lease] = await queue.claim(tx, "server_dead", queue.ClaimFilter(tenant="server"), lease=0.1)
        async with runner(app, work=work):
            await until(lambda: listed(app, workspace, "DONE"))  # after the sweep of its lease
        assert worked == [{"n": 1}]
        assert lease.attempt == 1


async def test_jobs_that_succeeded_are_kept_for_a_week(run):
    async with run() as app:
        workspace = await workspace_of(app)

        async def work(services, payload):
            pass

        for _ in range(2):
            async with app.begin() as tx:
                await enqueue_job(tx, "work", {}, workspace_id=workspace)
        async with runner(app, work=work):

            async def both():
                return len(await listed(app, workspace, "DONE")) == 2

            await until(both)
        [newest, oldest] = await listed(app, workspace)
        async with app.begin() as tx:
            old = utcnow() - timedelta(seconds=KEPT_SECONDS + 60)
            await tx.execute(update(queue.Job).where(queue.Job.id == oldest["id"]).values(ended_at=old))
        assert await prune_jobs(app.services) == 1
        assert [job["id"] for job in await listed(app, workspace)] == [newest["id"]]
        for table in (ServerJob, queue.Job):
            query = select(func.count()).select_from(table).where(table.id == oldest["id"])
            assert (await app.services.database.read(query))[0][0] == 0
