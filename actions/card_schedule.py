"""Changes to schedules of cards, and what happens when a time of one comes.

The next time of a schedule is a server job. The job creates the card and enqueues its successor in one transaction.
"""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from actions import validation
from actions.card import create_card
from actions.changes import apply_changes
from actions.job import HANDLERS, enqueue_job
from actions.move import DestinationInput
from actions.preferences import check_time_zone
from actions.run.start import start_run
from auth.locking import lock_board, lock_card_schedule
from auth.services import Services
from kit.db.database import utcnow
from kit.db.transaction import Author, Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.ids import new_id
from models.account import ApiKey
from models.actor import Actor, ActorKind
from models.board import Board
from models.card_schedule import (
    MAX_CRON_LENGTH,
    MAX_SCHEDULES,
    MIN_INTERVAL_SECONDS,
    CardSchedule,
)
from models.events.card_schedule import (
    CardScheduleCreated,
    CardScheduleDeleted,
    CardScheduleRan,
    CardScheduleUpdated,
)
from models.preferences import UTC_ZONE
from models.refusal import Conflict, Forbidden, Invalid, NotFound, Refusal
from models.stage import Stage

RUN_JOB = "card_schedule.run"
MAX_MISSED = 1_000  # times that are counted
DATE = "{date}"  # in a title: the day of the card, such as 2026-12-01

Title = Annotated[
    str, "Title of its cards, 1 to 255 characters. `{date}` becomes the day, such as 2026-12-01."
]
Cron = Annotated[
    str,
    "Five fields: minute, hour, day of the month, month, day of the week, such as `0 9 * * MON`. At least ten"
    " minutes between two times.",
]
TimeZone = Annotated[str, "IANA name of the time zone of the cron line, such as Europe/Paris."]


def times_after(cron: str, time_zone: str, moment: datetime) -> Any:
    """Yield the times of a schedule after a moment, in UTC."""
    from cronsim import CronSim

    for at in CronSim(cron, moment.astimezone(ZoneInfo(time_zone))):
        yield at.astimezone(UTC)


def check_cron(cron: str, time_zone: str) -> str:
    """Return the cron line. Raises Invalid for one that is none, never comes, or comes too often."""
    from cronsim import CronSimError

    cron = validation.single_line("cron", cron, MAX_CRON_LENGTH)
    if len(cron.split()) != 5:
        raise Invalid(("cron", "must have five fields: minute, hour, day, month, day of the week"))
    try:
        times = list(islice(times_after(cron, time_zone, utcnow()), 20))
    except CronSimError as error:
        raise Invalid(("cron", f"is no cron line: {error}")) from error
    if not times:
        raise Invalid(("cron", "never comes"))
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    if gaps and min(gaps) < MIN_INTERVAL_SECONDS:
        raise Invalid(("cron", f"must leave at least {MIN_INTERVAL_SECONDS // 60} minutes between two times"))
    return cron


async def create_card_schedule(
    tx: Transaction,
    actor: Actor,
    *,
    board_id: Annotated[Id, "The board. It has at most 50 schedules."],
    title: Title,
    cron: Cron,
    time_zone: TimeZone = UTC_ZONE,
    description: Annotated[str, "Description of its cards, Markdown."] = "",
    stage: Annotated[Stage, "Its cards are created in the first column of this stage."] = Stage.BACKLOG,
    starts_run: Annotated[bool, "Whether an agent is started on each card."] = False,
) -> CardSchedule:
    """Create a card again and again, at the times of a cron line, in your name or in that of a key's creator.

    Raises Conflict if the board has 50 schedules.
    """
    board = await lock_board(tx, actor, board_id)
    person = actor.id
    if not actor.is_person:
        person = await tx.scalar(select(ApiKey.created_by).where(ApiKey.id == actor.id))
        if person is None:
            raise Forbidden("Its cards are created in a person's name, and the creator of this key is gone")
    of_board = select(func.count()).select_from(CardSchedule).where(CardSchedule.board_id == board.id)
    if (await tx.scalar(of_board) or 0) >= MAX_SCHEDULES:
        raise Conflict(f"A board has at most {MAX_SCHEDULES} schedules", board.id)
    schedule = CardSchedule(
        id=new_id("schedule"),
        board_id=board.id,
        title=validation.single_line("title", title, 255),
        description=validation.multiline("description", description, 50_000),
        stage=stage,
        starts_run=starts_run,
        time_zone=check_time_zone("timeZone", time_zone),
        cron=check_cron(cron, time_zone),
        is_enabled=True,
        created_by=person,
        version=1,
    )
    tx.add(schedule)
    tx.emit(board, CardScheduleCreated(schedule_id=schedule.id, title=schedule.title))
    await _plan_next(tx, board, schedule)
    await tx.flush()
    return schedule


async def update_card_schedule(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The schedule."],
    title: Annotated[Maybe[str], "Title of its cards."] = None,
    description: Annotated[Maybe[str | None], "Description of its cards; null empties it."] = None,
    cron: Annotated[Maybe[str], "The cron line."] = None,
    time_zone: Annotated[Maybe[str], "IANA name of its time zone."] = None,
    stage: Annotated[Maybe[Stage], "The stage of its cards."] = None,
    starts_run: Annotated[Maybe[bool], "Whether an agent is started on each card."] = None,
    is_enabled: Annotated[
        Maybe[bool], "False switches it off. Times that pass meanwhile are not missed."
    ] = None,
    if_version: IfVersion = None,
) -> CardSchedule:
    """Change a schedule. Fields that are left out keep their values. Raises Stale."""
    board, schedule = await lock_card_schedule(tx, actor, id)
    schedule.expect(if_version)
    clean = provided_fields(
        title=title,
        description=description,
        cron=cron,
        time_zone=time_zone,
        stage=stage,
        starts_run=starts_run,
        is_enabled=is_enabled,
    )
    if "title" in clean:
        clean["title"] = validation.single_line("title", clean["title"], 255)
    if "description" in clean:
        clean["description"] = validation.multiline("description", clean["description"], 50_000)
    if "time_zone" in clean:
        check_time_zone("timeZone", clean["time_zone"])
    if clean.keys() & {"cron", "time_zone"}:
        zone = clean.get("time_zone", schedule.time_zone)
        clean["cron"] = check_cron(clean.get("cron", schedule.cron), zone)
    changes = apply_changes(schedule, clean)
    if changes:
        tx.emit(board, CardScheduleUpdated(schedule_id=schedule.id, changes=changes))
    if changes.keys() & {"cron", "time_zone", "is_enabled"}:
        schedule.failure = None
        await _plan_next(tx, board, schedule)
    return schedule


async def delete_card_schedule(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The schedule."], if_version: IfVersion = None
) -> CardSchedule:
    """Delete a schedule. Its cards stay. Returns the schedule as it was. Raises Stale."""
    board, schedule = await lock_card_schedule(tx, actor, id)
    schedule.expect(if_version)
    await tx.delete(schedule)
    tx.emit(board, CardScheduleDeleted(schedule_id=schedule.id, title=schedule.title))
    await tx.flush()
    return schedule


async def _plan_next(tx: Transaction, board: Board, schedule: CardSchedule) -> None:
    """Set the next time of a schedule, and enqueue its job."""
    schedule.next_at = None
    if not schedule.is_enabled:
        return
    schedule.next_at = next(times_after(schedule.cron, schedule.time_zone, utcnow()), None)
    if schedule.next_at is not None:
        payload = {"schedule_id": schedule.id, "at": schedule.next_at.isoformat()}
        await enqueue_job(tx, RUN_JOB, payload, workspace_id=board.workspace_id, at=schedule.next_at)


async def run_schedule(services: Services, payload: dict[str, Any]) -> None:
    """Create the card of a time that has come, unless the schedule was changed, switched off or run since."""
    at = datetime.fromisoformat(payload["at"])
    async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        schedule = await tx.get(CardSchedule, payload["schedule_id"])
        board = await tx.get(Board, schedule.board_id, with_for_update=True) if schedule else None
        if schedule is None or board is None:
            return
        await tx.refresh(schedule, with_for_update=True)
        if schedule.next_at != at or not schedule.is_enabled:
            return
        tx.set_author(ActorKind.USER, schedule.created_by)
        now = utcnow()
        passed = [at, *_until(times_after(schedule.cron, schedule.time_zone, at), now)]
        card_id, failure, is_over = await _make_card(tx, schedule, passed[-1])
        schedule.failure = failure
        if card_id is not None:
            schedule.last_at = now
        if is_over:
            changes = apply_changes(schedule, {"is_enabled": False})
            tx.emit(board, CardScheduleUpdated(schedule_id=schedule.id, changes=changes))
        await _plan_next(tx, board, schedule)
        ran = CardScheduleRan(
            schedule_id=schedule.id,
            scheduled_card_id=card_id,
            missed=len(passed) - 1,
            failure=failure,
            next_at=schedule.next_at,
        )
        tx.emit(board, ran)


def _until(times: Any, now: datetime) -> list[datetime]:
    """Return the times that have passed, at most MAX_MISSED."""
    found = []
    for at in islice(times, MAX_MISSED):
        if at > now + timedelta(seconds=1):
            break
        found.append(at)
    return found


async def _make_card(
    tx: Transaction, schedule: CardSchedule, at: datetime
) -> tuple[str | None, str | None, bool]:
    """Create the card, or nothing. Returns its id, the reason of a refusal, and whether that is for good."""
    actor = Actor(ActorKind.USER, schedule.created_by)
    day = at.astimezone(ZoneInfo(schedule.time_zone)).date().isoformat()
    try:
        async with tx.begin_nested():
            card = await create_card(
                tx,
                actor,
                board_id=schedule.board_id,
                title=schedule.title.replace(DATE, day)[:255],
                description=schedule.description,
                destination=DestinationInput(stage=schedule.stage),
            )
            if schedule.starts_run:
                await start_run(tx, actor, card_id=card.id)
            await tx.flush()
            return card.id, None, False
    except (NotFound, Forbidden):
        return None, "Who created the schedule may no longer create cards here", True
    except Refusal as refusal:
        return None, str(refusal)[:500], False


HANDLERS[RUN_JOB] = run_schedule
