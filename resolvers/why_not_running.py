"""The reasons why a run is not running: from the queue, from the gates of its card, and from the workers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

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

MAX_HOLDERS = 500  # holders of a full limit that are read


@dataclass(frozen=True)
class WhyNotRunning:
    """A reason why a run is not running."""

    code: WhyNotRunningCode
    message: str
    card_ids: list[str] = field(default_factory=list)
    run_ids: list[str] = field(default_factory=list)
    question_ids: list[str] = field(default_factory=list)
    until: datetime | None = None
    limit: int | None = None
    position: int | None = None


class OpenQuestion(Protocol):
    """The columns of a question that a reason names."""

    @property
    def id(self) -> str: ...
    @property
    def expires_at(self) -> datetime | None: ...


async def why_not_running(root: Parent[Run], info: Info) -> list[WhyNotRunning]:
    """All reasons why it is not running; empty if it is running or has ended."""

    async def load(ids: list[str]) -> list[list[WhyNotRunning]]:
        return await reasons_of_runs(info.context, [await info.context.load(RUN, id) for id in ids])

    if root.status in TERMINAL or root.status == RunStatus.RUNNING:
        return []
    reasons: list[WhyNotRunning] = await info.context.loaders.through("holds", load).load(root.id)
    return reasons


async def reasons_of_runs(context: Context, runs: Sequence[Run]) -> list[list[WhyNotRunning]]:
    """Return the reasons of each run, in a fixed number of statements."""
    reasons = await queue.reasons_not_running(context.read, [run.id for run in runs])
    gates = await _gates(context, [run for run in runs if run.status == RunStatus.QUEUED])
    unable = await _without_worker(context, [run for run in runs if run.status == RunStatus.QUEUED])
    visible = await _visible_holders(context, reasons)
    questions = await _open_questions(context, [run.id for run in runs if run.status == RunStatus.WAITING])
    all_holds: list[list[WhyNotRunning]] = []
    for run in runs:
        holds = list(gates.get(run.id, ()))
        for reason in reasons.get(run.id, ()):
            holds += _holds_of(run, reason, questions.get(run.id, []), visible, is_gated=bool(holds))
        if run.id in unable:
            holds.append(unable[run.id])
        if run.stop_requested_at is not None:
            holds.append(WhyNotRunning(WhyNotRunningCode.STOPPING, "It was asked to stop"))
        all_holds.append(holds)
    return all_holds


def _holds_of(
    run: Run, reason: queue.Reason, questions: list[OpenQuestion], visible: set[str], *, is_gated: bool
) -> list[WhyNotRunning]:
    if run.status == RunStatus.WAITING and not isinstance(reason, queue.Suspended | queue.LeaseHeld):
        return []  # a waiting run is not queued
    match reason:
        case queue.DueLater():
            begins = f"It is tried again at {_format(reason.at)} after {reason.code}"
            text = begins if reason.failures and reason.code else f"It begins at {_format(reason.at)}"
            return [WhyNotRunning(WhyNotRunningCode.DUE_LATER, text, until=reason.at)]
        case queue.CapReached():
            text = f"{len(reason.held_by)} of {reason.most} are running already"
            return [
                WhyNotRunning(
                    WhyNotRunningCode.LIMIT_REACHED,
                    text,
                    run_ids=[id for id in reason.held_by if id in visible],
                    limit=reason.most,
                )
            ]
        case queue.LeaseHeld():
            text = f"A worker holds it until {_format(reason.until)}"
            return [WhyNotRunning(WhyNotRunningCode.LEASE_HELD, text, until=reason.until)]
        case queue.Suspended() if not is_gated and run.status == RunStatus.WAITING:
            since = f", since {_format(reason.since)}" if reason.since else ""
            ends = [question.expires_at for question in questions if question.expires_at is not None]
            ids = [question.id for question in questions]
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


def _format(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


async def _visible_holders(context: Context, reasons: dict[str, list[queue.Reason]]) -> set[str]:
    """Return the holders of full limits that the caller may see; those of a profile may be on any board."""
    flat = (reason for of_run in reasons.values() for reason in of_run)
    ids = {id for reason in flat if isinstance(reason, queue.CapReached) for id in reason.held_by}
    if not ids:
        return set()
    query = select(Run.id).where(
        sees_card(context.actor, Run.board_id, Run.card_id), Run.id.in_(sorted(ids)[:MAX_HOLDERS])
    )
    return {row.id for row in await context.read(query)}


async def _gates(context: Context, runs: Sequence[Run]) -> dict[str, list[WhyNotRunning]]:
    if not runs:
        return {}
    cards = await context.read(select(Card.__table__).where(Card.id.in_({run.card_id for run in runs})))
    boards = await context.read(select(Board.__table__).where(Board.id.in_({run.board_id for run in runs})))
    facts = await facts_of(context.read, {board.id: board for board in boards}, cards)
    by_card = {card.id: fact for card, fact in zip(cards, facts, strict=True)}
    by_run: dict[str, list[WhyNotRunning]] = {}
    for run in runs:
        fact = by_card.get(run.card_id)
        for gate in gates_of_work(fact, is_code=run.kind == RunKind.CODE) if fact else ():
            visible_cards = gate.card_ids if context.actor.card_id is None else []
            hold = WhyNotRunning(
                WhyNotRunningCode(gate.code), gate.message, card_ids=visible_cards, limit=gate.limit
            )
            by_run.setdefault(run.id, []).append(hold)
    return by_run


async def _without_worker(context: Context, runs: Sequence[Run]) -> dict[str, WhyNotRunning]:
    """Return a reason for each run that no online worker can do; it names the last one that could."""
    if not runs:
        return {}
    jobs = select(queue.Job.id, queue.Job.tenant, queue.Job.capabilities)
    needs = {
        row.id: row for row in await context.read(jobs.where(queue.Job.id.in_([run.id for run in runs])))
    }
    tenants = {row.tenant for row in needs.values()}
    is_present = Worker.workspace_id.in_(tenants), Worker.deregistered_at.is_(None)
    workers = await context.read(select(Worker.__table__, is_alive().label("is_alive")).where(*is_present))
    by_run: dict[str, WhyNotRunning] = {}
    for run in runs:
        able = [worker for worker in workers if run.id in needs and _fits(worker, run, needs[run.id])]
        if run.id not in needs or any(worker.is_alive for worker in able):
            continue
        text = "No worker with its executor and capabilities is online"
        if able:
            last = max(able, key=lambda worker: worker.heard_at)
            text += f"; {last.name} was last heard at {_format(last.heard_at)}"
        by_run[run.id] = WhyNotRunning(WhyNotRunningCode.NO_CAPABLE_WORKER, text)
    return by_run


def _fits(worker: Worker, run: Run, need: queue.Job) -> bool:
    return (
        worker.workspace_id == need.tenant
        and worker.board_id in (None, run.board_id)
        and (not worker.kinds or run.kind in worker.kinds)
        and (run.executor is None or run.executor in worker.executors)
        and set(need.capabilities) <= set(worker.capabilities)
    )


async def _open_questions(context: Context, run_ids: list[str]) -> dict[str, list[OpenQuestion]]:
    if not run_ids:
        return {}
    is_open = Question.run_id.in_(run_ids), Question.status == QuestionStatus.OPEN
    by_run: dict[str, list[OpenQuestion]] = {}
    for row in await context.read(
        select(Question.id, Question.run_id, Question.expires_at).where(*is_open).order_by(Question.id)
    ):
        by_run.setdefault(row.run_id, []).append(row)
    return by_run
