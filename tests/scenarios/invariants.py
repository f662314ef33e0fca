"""What holds of runs at every instant, whatever happened: read as one snapshot of the database, and compared.

`broken` names all that does not hold. Each rule is one function of everything that was read.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from kit.db.database import Database
from kit.eventlog.tables import Event, Topic
from kit.queue import Attempt, Cap, Job, JobState, Slot, worker_cap
from models.board import Board, BoardColumn
from models.card import Card
from models.question import Question, QuestionStatus
from models.run import TERMINAL, Run, RunKind, RunLogLine, RunStatus, WaitReason, may_become
from models.stage import Stage
from models.topic import board_topic

ATTEMPT = ("job_id", "number", "worker_id", "started_at", "ended_at", "outcome")
ENDS = {"RUN_SUCCEEDED", "RUN_FAILED", "RUN_CANCELLED"}
JOBS = {
    RunStatus.SUCCEEDED: JobState.DONE,
    RunStatus.FAILED: JobState.DEAD,
    RunStatus.CANCELLED: JobState.CANCELLED,
    RunStatus.CLAIMED: JobState.LEASED,
    RunStatus.RUNNING: JobState.LEASED,
    RunStatus.WAITING: JobState.PARKED,
}


@dataclass
class World:
    """Everything about runs, as it was at one instant."""

    runs: dict[str, Any]
    jobs: dict[str, Any]
    attempts: dict[str, list[Any]]
    slots: list[Any]
    caps: dict[str, int]
    questions: list[Any]
    stages: dict[str, Stage]  # by card
    events: dict[str, list[Any]]  # of boards, by their topic
    lines: list[Any]  # topic, how many, the first and the last number
    lasts: dict[str, int]  # the counter of each topic

    def told(self) -> Iterator[tuple[Any, list[Any]]]:
        """Each run with what its board was told of it, in order."""
        mine = defaultdict(list)
        for events in self.events.values():
            for event in events:
                if event.kind.startswith("RUN_"):
                    mine[event.data["run_id"]].append(event)
        for id, run in self.runs.items():
            yield run, mine[id]


async def look(database: Database) -> World:
    snapshot = database.snapshot()
    try:
        return await _look(snapshot.read)
    finally:
        await snapshot.close()


async def _look(read: Callable[[Any], Any]) -> World:
    attempts, events = defaultdict(list), defaultdict(list)
    columns = [getattr(Attempt, name) for name in ATTEMPT]
    for row in await read(select(*columns).order_by(Attempt.job_id, Attempt.number)):
        attempts[row.job_id].append(row)
    topics = [board_topic(row.id) for row in await read(select(Board.id))]
    told = select(Event.topic, Event.seq, Event.kind, Event.data).where(Event.topic.in_(topics))
    for row in await read(told.order_by(Event.topic, Event.seq)):
        events[row.topic].append(row)
    counts = func.count(), func.min(RunLogLine.seq), func.max(RunLogLine.seq)
    others = func.count(), func.min(Event.seq), func.max(Event.seq)
    lines = [
        *await read(select(RunLogLine.topic, *counts).group_by(RunLogLine.topic)),
        *await read(select(Event.topic, *others).group_by(Event.topic)),
    ]
    places = select(Card.id, BoardColumn.stage).join(BoardColumn, BoardColumn.id == Card.column_id)
    asked = Question.id, Question.run_id, Question.status, Question.blocking
    return World(
        runs={row.id: row for row in await read(select(*Run.__table__.c))},
        jobs={row.id: row for row in await read(select(*Job.__table__.c))},
        attempts=attempts,
        slots=list(await read(select(Slot.cap, Slot.n, Slot.job_id, Slot.surplus))),
        caps={row.name: row.most for row in await read(select(Cap.name, Cap.most))},
        questions=list(await read(select(*asked))),
        stages={row.id: row.stage for row in await read(places)},
        events=events,
        lines=lines,
        lasts={row.name: row.last for row in await read(select(Topic.name, Topic.last))},
    )


def a_run_is_where_its_job_is(world: World) -> Iterator[str]:
    for run in world.runs.values():
        job = world.jobs.get(run.id)
        if job is None:
            yield f"{run.id} has no job"
            continue
        mine = f"{run.id} is {run.status} ({run.wait_reason}, {run.held_by})"
        said = f"{mine}, its job {job.state} ({job.parked_for})"
        if run.status is RunStatus.QUEUED:
            if run.held_by is None and job.state != JobState.READY:
                yield said
            if run.held_by is not None and (job.state, job.parked_for) != (JobState.PARKED, run.held_by):
                yield said
        elif job.state != JOBS[run.status]:
            yield said
        if run.status is RunStatus.WAITING and job.parked_for != run.wait_reason:
            yield said
        if (run.wait_reason is not None) != (run.status is RunStatus.WAITING):
            yield f"{run.id} is {run.status} and waits for {run.wait_reason}"
        if run.held_by is not None and run.status is not RunStatus.QUEUED:
            yield f"{run.id} is {run.status} and kept by {run.held_by}"
        if run.attempt != job.attempt:
            yield f"{run.id} is in attempt {run.attempt}, its job in {job.attempt}"
        if job.held and run.status not in (RunStatus.CLAIMED, RunStatus.RUNNING, RunStatus.WAITING):
            yield f"{run.id} is {run.status} and held"


def a_job_without_a_run_has_ended(world: World) -> Iterator[str]:
    for id in world.jobs.keys() - world.runs.keys():
        if world.jobs[id].ended_at is None:
            yield f"{id} has no run, and its job is {world.jobs[id].state}"


def a_job_is_held_by_one_attempt(world: World) -> Iterator[str]:
    for id, job in world.jobs.items():
        attempts = world.attempts[id]
        if [one.number for one in attempts] != list(range(1, job.attempt + 1)):
            yield f"{id} has the attempts {[one.number for one in attempts]}, not 1 to {job.attempt}"
        still = [one.number for one in attempts if one.ended_at is None]
        if still != ([job.attempt] if job.held else []):
            yield f"{id}, held: {job.held}, has the open attempts {still}"
        done = [one.number for one in attempts if one.outcome == "SUCCEEDED"]
        if len(done) > 1 or (
            done and job.state not in (JobState.DONE, JobState.PARKED, JobState.READY, JobState.LEASED)
        ):
            yield f"{id} is {job.state} and the attempts {done} succeeded"


def held_jobs_have_their_places(world: World) -> Iterator[str]:
    taken = Counter((slot.job_id, slot.cap) for slot in world.slots if slot.job_id is not None)
    due: Counter[Any] = Counter()
    for id, job in world.jobs.items():
        if job.held:
            names = [*job.caps, worker_cap(world.attempts[id][-1].worker_id)]
            due.update((id, name) for name in names if name in world.caps)
    if taken != due:
        yield f"places that nobody has: {taken - due}; that are missing: {due - taken}"
    for name, most in world.caps.items():
        mine = [slot for slot in world.slots if slot.cap == name and not slot.surplus]
        if len(mine) != most:
            yield f"{name} allows {most} and has {len(mine)} places"


def questions_are_open_while_somebody_waits(world: World) -> Iterator[str]:
    blocked: Counter[str] = Counter()
    for question in world.questions:
        run = world.runs.get(question.run_id)
        if question.status is not QuestionStatus.OPEN or run is None:
            continue
        if run.status in TERMINAL or run.wait_reason is WaitReason.DECISION:
            yield f"{question.id} is open, its run {run.status} ({run.wait_reason})"
        if question.blocking:
            blocked[run.id] += 1
            if run.wait_reason is not WaitReason.QUESTION:
                yield f"{question.id} blocks, its run is {run.status} ({run.wait_reason})"
    for run in world.runs.values():
        if run.wait_reason is WaitReason.QUESTION and not blocked[run.id] and not run.stop_requested_at:
            yield f"{run.id} waits for a question that is not open"


def cards_stand_where_agents_work_them(world: World) -> Iterator[str]:
    """A card that is coded stands in IN_PROGRESS, unless people put it elsewhere since it was claimed."""
    for run in world.runs.values():
        if run.kind is not RunKind.CODE or run.id not in world.jobs or not world.jobs[run.id].held:
            continue
        if world.stages[run.card_id] is Stage.IN_PROGRESS:
            continue
        events = world.events[f"board:{run.board_id}"]
        claims = [e.seq for e in events if e.kind == "RUN_CLAIMED" and e.data["run_id"] == run.id]
        moves = [e for e in events if e.kind == "CARD_MOVED" and e.data["card_id"] == run.card_id]
        if not any(move.seq > max(claims) and move.data["run_id"] is None for move in moves):
            yield f"{run.id} is {run.status}, its card stands in {world.stages[run.card_id]}"


def numbers_are_dense(world: World) -> Iterator[str]:
    for topic, count, first, last in world.lines:
        if (first, last, world.lasts[topic]) != (1, count, count):
            yield f"{topic} has {count} events from {first} to {last}, and counts {world.lasts[topic]}"


def what_was_told_is_what_is(world: World) -> Iterator[str]:
    """Replayed, the events of a run give the run: every step lawful, each end once."""
    for run, events in world.told():
        was = RunStatus.QUEUED
        for event in events:
            now = RunStatus(event.data["status"])
            if now is not was and not may_become(was, now):
                yield f"{run.id}: {event.kind} told that {was} became {now}"
            if was in TERMINAL:
                yield f"{run.id}: {event.kind} was told after its end"
            was = now
        told = events[-1].data if events else {}
        last = (told.get("status"), told.get("attempt"), told.get("wait_reason"))
        if last != (run.status, run.attempt, run.wait_reason):
            yield f"{run.id} was told to be {last}, is {(run.status, run.attempt, run.wait_reason)}"
        kinds = Counter(event.kind for event in events)
        if sum(kinds[kind] for kind in ENDS) != (run.status in TERMINAL):
            yield f"{run.id} is {run.status} and was told {dict(kinds)}"
        claimed = [event.data["attempt"] for event in events if event.kind == "RUN_CLAIMED"]
        if claimed != list(range(1, run.attempt + 1)):
            yield f"{run.id} is in attempt {run.attempt} and was told to be claimed as {claimed}"


def limits_were_never_exceeded(world: World, board: str, most: int) -> Iterator[str]:
    """The same from the board's feed: who was at work between any two of its events."""
    at_work: set[str] = set()
    for event in world.events[f"board:{board}"]:
        if event.kind == "RUN_CLAIMED":
            at_work.add(event.data["run_id"])
        elif event.kind in ENDS or event.kind == "RUN_REQUEUED":
            at_work.discard(event.data["run_id"])
        if len(at_work) > most:
            yield f"{len(at_work)} at work after event {event.seq}"


RULES: list[Callable[[World], Iterator[str]]] = [
    a_run_is_where_its_job_is,
    a_job_without_a_run_has_ended,
    a_job_is_held_by_one_attempt,
    held_jobs_have_their_places,
    questions_are_open_while_somebody_waits,
    cards_stand_where_agents_work_them,
    numbers_are_dense,
    what_was_told_is_what_is,
]


def broken(world: World) -> list[str]:
    """Every rule that does not hold, as sentences."""
    return [f"{rule.__name__}: {text}" for rule in RULES for text in rule(world)]


async def assert_sound(database: Database | str) -> World:
    """What was read, in which every rule holds."""
    if isinstance(database, str):
        opened = Database(database)
        try:
            return await assert_sound(opened)
        finally:
            await opened.close()
    world = await look(database)
    found = broken(world)
    assert not found, "\n".join(found)
    return world
