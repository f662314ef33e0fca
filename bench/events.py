"""How many lines of runs' logs a second are kept for good, in reports of a hundred, several runs at once.

api     a server process, asked over HTTP: what workers do
action  the change alone, in this process: the same law and the same statements, without GraphQL
hand    what somebody writes who knows only how to insert: two statements a report, no law, no key, no lease
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson
from sqlalchemy import select

import actions.report
import actions.run.claim
import actions.run.start
from actions.account import ensure_owner
from auth.services import Services
from bench import boards
from bench.environment import KEY, sign_in
from bench.load import Connection
from bench.peers import Peer
from bench.reads import Turns, free_port
from kit.db.database import normalize_url, utcnow
from kit.db.migrate import migrate
from kit.db.transaction import Author
from kit.queue import Ticket
from kit.settings import load
from models.actor import Actor, ActorKind
from models.card import Card
from models.run import RunKind
from models.worker import Worker
from models.workspace import Workspace
from server import make_services

NAMES = ["api", "action", "hand"]
BATCH = 100  # lines of a report
REPORT = (
    "mutation($input: ReportRunEventsInput!) { reportRunEvents(input: $input)"
    " { __typename ... on RunReported { lastSeq } ... on Refusal { message } } }"
)
Report = Callable[[Ticket, str], Awaitable[None]]


def lines() -> list[dict[str, Any]]:
    """What an agent says while it reads and tests 25 files."""
    said: list[dict[str, Any]] = []
    for n in range(BATCH // 4):
        path, tool = f"src/module_{n}.py", f"tool_{n}"
        look = f"I look at file {n} and think about what is to be done with it, and what it may break."
        call = {"tool": tool, "name": "Read", "kind": "READ", "input": {"path": path, "limit": 200}}
        said += [
            {"type": "OUTPUT", "text": look, "data": {"item": "1", "part": n}},
            {"type": "TOOL_STARTED", "text": path, "data": call},
            {
                "type": "TOOL_FINISHED",
                "text": "def work():\n    return 1\n" * 4,
                "data": {"tool": tool, "name": "Read"},
            },
            {"type": "PROGRESS", "text": f"{n} of 25", "data": {"percent": 4.0 * n, "step": n, "steps": 25}},
        ]
    return said


@dataclass
class Held:
    """A house on a database, and runs that a worker of its owner holds."""

    services: Services
    actor: Actor
    leases: list[Ticket]


@asynccontextmanager
async def held(url: str, runs: int) -> AsyncIterator[Held]:
    services = make_services(load(database_url=url, secret_key=KEY))
    try:
        await migrate(services.database)
        async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
            actor = await ensure_owner(tx)
        assert actor is not None, "a fresh database has an owner without a password"
        yield Held(services, actor, [await _run(services, actor, n) for n in range(runs)])
    finally:
        await services.database.close()


async def _run(services: Services, actor: Actor, n: int) -> Ticket:
    board = await boards.fill(services.database, 1)
    async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        workspace = await tx.scalar(select(Workspace.id).limit(1))
        card = str(await tx.scalar(select(Card.id).where(Card.board_id == board)))
        await actions.run.start.start_run(tx, actor, card_id=card, kind=RunKind.TEST)
        own = {"workspace_id": workspace, "owner_id": actor.id, "board_id": board, "executors": ["SCRIPTED"]}
        worker = Worker(**own, name=f"Worker {n} {board}", heard_at=utcnow())
        tx.add(worker)
        await tx.flush()
        [claim] = await actions.run.claim.claim_runs(tx, actor, worker.id)
        return Ticket(claim.run.id, claim.attempt, claim.token)


@asynccontextmanager
async def api(url: str, held: Held) -> AsyncIterator[Report]:
    """Over HTTP, a connection for each run."""
    authorization = await sign_in(url)
    peer = Peer("signalbox", url, free_port(), authorization)
    said, places = orjson.dumps(lines()), {lease.id: n for n, lease in enumerate(held.leases)}
    try:
        await peer.ready(b'{"query": "{ __typename }"}')
        async with AsyncExitStack() as stack:
            open_ = [
                await stack.enter_async_context(Connection("127.0.0.1", peer.port, authorization))
                for _ in held.leases
            ]

            async def report(lease: Ticket, key: str) -> None:
                shown = {"runId": lease.id, "attempt": lease.attempt, "token": lease.token}
                head = orjson.dumps({"lease": shown, "key": key})[:-1]
                body = b'{"query":"%s","variables":{"input":%s,"events":%s}}}' % (REPORT.encode(), head, said)
                _, answer = await open_[places[lease.id]].post("/graphql", body)
                assert b'"lastSeq"' in answer, answer

            report.pid = peer.pid  # type: ignore[attr-defined]
            yield report
    finally:
        peer.stop()


@asynccontextmanager
async def action(url: str, held: Held) -> AsyncIterator[Report]:
    said = lines()

    async def report(lease: Ticket, key: str) -> None:
        async with held.services.event_log.transaction(Author(held.actor.kind, held.actor.id)) as tx:
            await actions.report.report_run_events(tx, held.actor, lease=lease, key=key, events=said)

    yield report


NUMBER = "UPDATE topic SET last = last + $2 WHERE name = $1 RETURNING last"
INSERT = (
    "INSERT INTO run_event (topic, seq, attempt, type, level, agent, text, data, at)"
    " SELECT $1, $2 + n, 1, type, 'INFO', NULL, said, data, now()"
    " FROM unnest($3::text[], $4::text[], $5::jsonb[]) WITH ORDINALITY AS line (type, said, data, n)"
)


@asynccontextmanager
async def hand(url: str, held: Held) -> AsyncIterator[Report]:
    said = lines()
    columns = [[line["type"] for line in said], [line["text"] for line in said]]
    columns.append([json.dumps(line["data"]) for line in said])
    dsn = normalize_url(url).replace("+asyncpg", "")
    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=len(held.leases))

    async def report(lease: Ticket, key: str) -> None:
        async with pool.acquire() as connection, connection.transaction():
            last = await connection.fetchval(NUMBER, f"run:{lease.id}", BATCH)
            await connection.execute(INSERT, f"run:{lease.id}", last - BATCH, *columns)

    try:
        yield report
    finally:
        await pool.close()


WAYS = {"api": api, "action": action, "hand": hand}


async def compare(url: str, *, runs: int, turns: int, seconds: float, names: list[str] = NAMES) -> Turns:
    """Let each way have its turns; what it reached in lines a second."""
    names = [name for name in names if name != "hand" or url.startswith("postgresql")]
    found = Turns({name: [] for name in names})
    async with held(url, runs) as ready, AsyncExitStack() as stack:
        ways = {name: await stack.enter_async_context(WAYS[name](url, ready)) for name in names}
        for name, report in ways.items():
            await _turn(report, ready.leases, f"{name} warm", seconds / 2)
        for turn in range(turns):
            for name, report in ways.items():
                found.of[name].append(await _turn(report, ready.leases, f"{name} {turn}", seconds))
    return found


async def _turn(report: Report, leases: list[Ticket], key: str, seconds: float) -> float:
    """Lines a second when every run reports without a pause."""
    end, count = time.perf_counter() + seconds, 0

    async def run(lease: Ticket) -> None:
        nonlocal count
        sent = 0
        while time.perf_counter() < end:
            await report(lease, f"{key} {sent}")
            sent += 1
        count += sent

    pid = getattr(report, "pid", os.getpid())
    began, worked = time.perf_counter(), _worked(pid)
    await asyncio.gather(*(run(lease) for lease in leases))
    taken = time.perf_counter() - began
    if os.environ.get("BENCH_PROCESSOR"):
        print(f"{key}: {(_worked(pid) - worked) / count * 1e3:.2f} ms of one processor a report")
    return count * BATCH / taken


def _worked(pid: int) -> float:
    """Processor seconds of a process until now."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
