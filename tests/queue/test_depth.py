"""The depth of the queue does not slow it: what the hot statements read is found by an index, on both databases."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text

from kit import queue
from kit.db.database import Database
from kit.queue import ClaimFilter, NewJob

JOBS = 4_000


@pytest.fixture
async def deep(fresh: Callable[[], Any]) -> Any:
    database = Database(await fresh())
    works = [
        NewJob(
            id=f"job{n:05}",
            kind="CODE",
            tenant="t",
            scope=f"s{n % 10}",
            priority=n % 3,
            wait_limit=9_000,
            capabilities=["gpu"] if n % 2 else [],
        )
        for n in range(JOBS)
    ]
    async with database.write() as tx:
        await queue.enqueue(tx, *works)
        await queue.set_cap(tx, queue.scope_cap("s0"), 2)
    async with database.write() as tx:
        await tx.execute(text("ANALYZE"))
    yield database
    await database.close()


async def plan(tx: Any, statement: str, parameters: Any, is_sqlite: bool) -> list[str]:
    connection = await tx.connection()
    prefix = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    rows = await connection.exec_driver_sql(prefix + statement, parameters)
    return [str(row[-1]) for row in rows]


async def test_no_statement_walks_through_all_jobs(deep: Database) -> None:
    sent: list[tuple[str, Any]] = []

    def heard(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if ("job" in statement or "attempt" in statement) and not statement.startswith(("INSERT", "EXPLAIN")):
            sent.append((statement, parameters))

    event.listen(deep.engine.sync_engine, "before_cursor_execute", heard)
    async with deep.write() as tx:
        [lease] = await queue.claim(tx, "w", ClaimFilter(tenant="t"), key="k")
        await queue.heartbeat(tx, lease)
        await queue.sweep(tx, since=lease.until)
        await queue.complete(tx, lease)
        await queue.cancel(tx, "job00007")
    assert len(sent) >= 10
    for statement, parameters in sent:
        async with deep.write() as tx:
            steps = await plan(tx, statement, parameters, deep.is_sqlite)
        walks = [
            step
            for step in steps
            if "Seq Scan on job" in step or step in ("SCAN job", "SCAN next", "SCAN attempt")
        ]
        assert not walks, "\n".join([statement, *steps])


async def test_a_claim_seeks_once_for_each_lane(deep: Database) -> None:
    """PostgreSQL tells how many jobs a look has read; SQLite's runs the same search in the same index."""
    if deep.is_sqlite:
        return
    sent: list[tuple[str, Any]] = []

    def heard(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    event.listen(deep.engine.sync_engine, "before_cursor_execute", heard)
    async with deep.write() as tx:
        await queue.peek(tx, ClaimFilter(tenant="t"))
    [(statement, parameters), *_] = sent
    async with deep.write() as tx:
        connection = await tx.connection()
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
        [(found,)] = (await connection.exec_driver_sql(explain, parameters)).all()
    lanes = 30  # ten scopes of three priorities each
    assert 1 < _rows_of_jobs(found[0]["Plan"]) <= lanes + 1


def _rows_of_jobs(node: Any) -> float:
    mine = node["Actual Rows"] * node["Actual Loops"] if node.get("Relation Name") == "job" else 0
    return float(mine) + sum(_rows_of_jobs(child) for child in node.get("Plans", ()))
