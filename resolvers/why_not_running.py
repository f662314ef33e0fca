"""Why a run is not running: every reason there is, typed, from the queue, the law and the workers there are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from strawberry import Parent

from actions.liveness import is_alive
from actions.stage_facts import facts_of
from auth.permissions import sees_card
from kit import queue
from models.board import Board
from models.card import Card
from models.question import Question, QuestionStatus
from models.run import TERMINAL, Run, RunKind, RunStatus, WhyNotRunningCode
from models.stage import gates_of_work
from models.worker import Worker
from resolvers.context import Context, Info
from resolvers.run import RUN

MAX_HOLDERS = 500  # holders of a full limit that are looked up


@dataclass(frozen=True)
class WhyNotRunning:
    code: WhyNotRunningCode
    message: str
    card_ids: list[str] = field(default_factory=list)
    run_ids: list[str] = field(default_factory=list)
    question_ids: list[str] = field(default_factory=list)
    until: datetime | None = None
    limit: int | None = None
    position: int | None = None


async def why_not_running(root: Parent[Any], info: Info) -> Any:
    """Why it is not running just now, every reason that there is; empty when it is running or has ended."""

    async def load(ids: list[str]) -> list[list[WhyNotRunning]]:
        return await reasons_of_runs(info.context, [await info.context.load(RUN, id) for id in ids])

    if root.status in TERMINAL or root.status == RunStatus.RUNNING:
        return []
    return await info.context.loaders.through("holds", load).load(root.id)


async def reasons_of_runs(context: Context, runs: Sequence[Any]) -> list[list[WhyNotRunning]]:
    """The reasons of each run, in a fixed number of statements."""
    reasons = await queue.reasons_not_running(context.read, [run.id for run in runs])
    gates = await _gates(context, [run for run in runs if run.status == RunStatus.QUEUED])
    unable = await _unable(context, [run for run in runs if run.status == RunStatus.QUEUED])
    seen = await _seen(context, reasons)
    asked = await _asked(context, [run.id for run in runs if run.status == RunStatus.WAITING])
    found: list[list[WhyNotRunning]] = []
    for run in runs:
        mine = list(gates.get(run.id, ()))
        for reason in reasons.get(run.id, ()):
            mine += _held(run, reason, asked.get(run.id, []), seen, is_gated=bool(mine))
        if run.id in unable:
            mine.append(unable[run.id])
        if run.stop_requested_at is not None:
            mine.append(WhyNotRunning(WhyNotRunningCode.STOPPING, "It was asked to stop"))
        found.append(mine)
    return found


def _held(
    run: Any, reason: queue.Reason, questions: list[Any], seen: set[str], *, is_gated: bool
) -> list[WhyNotRunning]:
    if run.status == RunStatus.WAITING and not isinstance(reason, queue.Suspended | queue.LeaseHeld):
        return []  # it wants no place before what it waits for has come
    match reason:
        case queue.DueLater():
            begins = f"It is tried again at {_said(reason.at)} after {reason.code}"
            text = begins if reason.failures and reason.code else f"It begins at {_said(reason.at)}"
            return [WhyNotRunning(WhyNotRunningCode.DUE_LATER, text, until=reason.at)]
        case queue.CapReached():
            text = f"{len(reason.held_by)} of {reason.most} are at work already"
            return [
                WhyNotRunning(
                    WhyNotRunningCode.LIMIT_REACHED,
                    text,
                    run_ids=[id for id in reason.held_by if id in seen],
                    limit=reason.most,
                )
            ]
        case queue.LeaseHeld():
            text = f"A worker holds it until {_said(reason.until)}"
            return [WhyNotRunning(WhyNotRunningCode.LEASE_HELD, text, until=reason.until)]
        case queue.Suspended() if not is_gated and run.status == RunStatus.WAITING:
            since = f", since {_said(reason.since)}" if reason.since else ""
            ends = [one.expires_at for one in questions if one.expires_at is not None]
            ids = [one.id for one in questions]
            text = f"It waits for: {reason.waits_for}{since}"
            return [
                WhyNotRunning(WhyNotRunningCode.WAITS, text, question_ids=ids, until=min(ends, default=None))
            ]
        case queue.Queued() if not is_gated:
            place = (
                f"It is number {reason.position} in the queue" if reason.position else "It is in the queue"
            )
            return [WhyNotRunning(WhyNotRunningCode.IN_QUEUE, place, position=reason.position)]
    return []


def _said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


async def _seen(context: Context, reasons: dict[str, list[queue.Reason]]) -> set[str]:
    """Of the runs that hold the places of a full limit, those the reader may see: a profile's are on any board."""
    every = (reason for some in reasons.values() for reason in some)
    ids = {id for reason in every if isinstance(reason, queue.CapReached) for id in reason.held_by}
    if not ids:
        return set()
    query = select(Run.id).where(
        sees_card(context.actor, Run.board_id, Run.card_id), Run.id.in_(sorted(ids)[:MAX_HOLDERS])
    )
    return {row.id for row in await context.read(query)}


async def _gates(context: Context, runs: Sequence[Any]) -> dict[str, list[WhyNotRunning]]:
    if not runs:
        return {}
    cards = await context.read(select(Card.__table__).where(Card.id.in_({run.card_id for run in runs})))
    boards = await context.read(select(Board.__table__).where(Board.id.in_({run.board_id for run in runs})))
    facts = await facts_of(context.read, {board.id: board for board in boards}, cards)
    by_card = {card.id: fact for card, fact in zip(cards, facts, strict=True)}
    found: dict[str, list[WhyNotRunning]] = {}
    for run in runs:
        fact = by_card.get(run.card_id)
        for gate in gates_of_work(fact, is_code=run.kind == RunKind.CODE) if fact else ():
            cards_seen = gate.card_ids if context.actor.card_id is None else []
            hold = WhyNotRunning(
                WhyNotRunningCode(gate.code), gate.message, card_ids=cards_seen, limit=gate.limit
            )
            found.setdefault(run.id, []).append(hold)
    return found


async def _unable(context: Context, runs: Sequence[Any]) -> dict[str, WhyNotRunning]:
    """For each run that waits for a worker and none that could do it is online: that, and who was there last."""
    if not runs:
        return {}
    jobs = select(queue.Job.id, queue.Job.tenant, queue.Job.capabilities)
    needs = {
        row.id: row for row in await context.read(jobs.where(queue.Job.id.in_([run.id for run in runs])))
    }
    tenants = {row.tenant for row in needs.values()}
    here = Worker.workspace_id.in_(tenants), Worker.deregistered_at.is_(None)
    workers = await context.read(select(Worker.__table__, is_alive().label("is_alive")).where(*here))
    found: dict[str, WhyNotRunning] = {}
    for run in runs:
        able = [worker for worker in workers if run.id in needs and _fits(worker, run, needs[run.id])]
        if run.id not in needs or any(worker.is_alive for worker in able):
            continue
        text = "No worker is there that can do it: none with its executor and capabilities is online"
        if able:
            last = max(able, key=lambda worker: worker.heard_at)
            text += f"; {last.name} was last heard at {_said(last.heard_at)}"
        found[run.id] = WhyNotRunning(WhyNotRunningCode.NO_CAPABLE_WORKER, text)
    return found


def _fits(worker: Any, run: Any, need: Any) -> bool:
    return (
        worker.workspace_id == need.tenant
        and worker.board_id in (None, run.board_id)
        and (not worker.kinds or run.kind in worker.kinds)
        and (run.executor is None or run.executor in worker.executors)
        and set(need.capabilities) <= set(worker.capabilities)
    )


async def _asked(context: Context, run_ids: list[str]) -> dict[str, list[Any]]:
    if not run_ids:
        return {}
    open_ones = Question.run_id.in_(run_ids), Question.status == QuestionStatus.OPEN
    found: dict[str, list[Any]] = {}
    for row in await context.read(
        select(Question.id, Question.run_id, Question.expires_at).where(*open_ones).order_by(Question.id)
    ):
        found.setdefault(row.run_id, []).append(row)
    return found
