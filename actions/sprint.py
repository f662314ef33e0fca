"""Changes to sprints, and to the cards in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from sqlalchemy import func, select

from actions import validation
from actions.burndown import frozen, read_burndown
from actions.changes import apply_changes
from actions.preferences import check_time_zone
from actions.stage_facts import reader
from auth.locking import lock_board, lock_cards, lock_sprint
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.graphql.types import one_of_input
from kit.ids import new_id
from models.account import User
from models.actor import Actor
from models.board import Board, BoardColumn
from models.card import MAX_AT_ONCE, Card, image
from models.events.card import CardUpdated
from models.events.sprint import (
    SprintCancelled,
    SprintCompleted,
    SprintCreated,
    SprintDeleted,
    SprintStarted,
    SprintUpdated,
)
from models.preferences import preferences_of
from models.refusal import Conflict, Invalid, NotFound
from models.sprint import (
    DEFAULT_CAPACITY_POINTS,
    MAX_CAPACITY_POINTS,
    MAX_SPRINT_CARDS,
    MAX_SPRINT_DAYS,
    MAX_SPRINT_GOAL_LENGTH,
    MAX_SPRINT_NAME_LENGTH,
    MAX_SPRINTS,
    Sprint,
    SprintStatus,
    check_open,
    check_transition,
)
from models.stage import Stage


@one_of_input
class UnfinishedCardsInput:
    """The fate of the cards of a completed sprint that are not done."""

    move_to: Annotated[Id | None, "Put them into this sprint of the board, which is PLANNED or ACTIVE."] = (
        None
    )
    release: Annotated[bool | None, "Leave them in no sprint. Must be true."] = None


@dataclass(frozen=True)
class SprintCards:
    """Cards that were put into a sprint, or taken out of one."""

    cards: list[Card]


async def create_sprint(
    tx: Transaction,
    actor: Actor,
    *,
    board_id: Annotated[Id, "The board. It has at most 500 sprints."],
    name: Annotated[str, "1 to 100 characters."],
    starts_on: Annotated[date, "Its first day."],
    ends_on: Annotated[date, "Its last day, after the first, at most 366 days in all."],
    goal: Annotated[str, "Markdown, at most 2,000 characters."] = "",
    capacity_points: Annotated[
        int, "Story points that it has room for, 0 to 10,000."
    ] = DEFAULT_CAPACITY_POINTS,
    time_zone: Annotated[
        str | None, "IANA name of the time zone that its days begin in; default: of your preferences, or UTC."
    ] = None,
) -> Sprint:
    """Create a sprint that is PLANNED. Overlapping another one is allowed: `overlaps` names it.

    Raises Conflict if the board has 500 sprints.
    """
    board = await lock_board(tx, actor, board_id)
    if time_zone is None:
        user = await tx.get(User, actor.id) if actor.is_person else None
        time_zone = preferences_of(user.preferences if user else None).time_zone
    values = _checked(
        {
            "name": name,
            "goal": goal,
            "starts_on": starts_on,
            "ends_on": ends_on,
            "capacity_points": capacity_points,
            "time_zone": time_zone,
        }
    )
    _check_days(values["starts_on"], values["ends_on"])
    of_board = select(func.count()).select_from(Sprint).where(Sprint.board_id == board.id)
    if (await tx.scalar(of_board) or 0) >= MAX_SPRINTS:
        raise Conflict(f"A board has at most {MAX_SPRINTS} sprints", board.id)
    sprint = Sprint(id=new_id("sprint"), board_id=board.id, version=1, **values)
    tx.add(sprint)
    tx.emit(board, SprintCreated(sprint_id=sprint.id, name=sprint.name))
    await tx.flush()  # the caller reads it
    return sprint


async def update_sprint(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The sprint."],
    name: Annotated[Maybe[str], "1 to 100 characters."] = None,
    goal: Annotated[Maybe[str | None], "Markdown; null empties it."] = None,
    starts_on: Annotated[Maybe[date], "Its first day."] = None,
    ends_on: Annotated[Maybe[date], "Its last day, after the first."] = None,
    capacity_points: Annotated[Maybe[int], "Story points that it has room for, 0 to 10,000."] = None,
    time_zone: Annotated[Maybe[str], "IANA name of the time zone that its days begin in."] = None,
    if_version: IfVersion = None,
) -> Sprint:
    """Change a sprint. Fields that are left out keep their values.

    Raises Stale, or Conflict if it is COMPLETED or CANCELLED.
    """
    board, sprint = await lock_sprint(tx, actor, id)
    sprint.expect(if_version)
    check_open(sprint)
    given = provided_fields(
        name=name,
        goal=goal,
        starts_on=starts_on,
        ends_on=ends_on,
        capacity_points=capacity_points,
        time_zone=time_zone,
    )
    clean = _checked(given)
    _check_days(clean.get("starts_on", sprint.starts_on), clean.get("ends_on", sprint.ends_on))
    changes = apply_changes(sprint, clean)
    if changes:
        tx.emit(board, SprintUpdated(sprint_id=sprint.id, changes=changes))
        await tx.flush()
    return sprint


async def start_sprint(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The sprint."], if_version: IfVersion = None
) -> Sprint:
    """Start a sprint that is PLANNED. Raises Stale, or Conflict if it has another status."""
    board, sprint = await lock_sprint(tx, actor, id)
    sprint.expect(if_version)
    check_transition(sprint, SprintStatus.ACTIVE)
    apply_changes(sprint, {"status": SprintStatus.ACTIVE, "started_at": utcnow()})
    tx.emit(board, SprintStarted(sprint_id=sprint.id))
    return sprint


async def complete_sprint(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The sprint."],
    unfinished: Annotated[UnfinishedCardsInput, "The fate of its cards that are not done."],
    if_version: IfVersion = None,
) -> Sprint:
    """Complete a sprint that is ACTIVE. Its figures are stored, and neither they nor it change any more.

    Raises Stale, or Conflict if it has another status or the next sprint is full or closed.
    """
    board, sprint = await lock_sprint(tx, actor, id)
    sprint.expect(if_version)
    check_transition(sprint, SprintStatus.COMPLETED)
    if unfinished.move_to is None and not unfinished.release:
        raise Invalid(("unfinished.release", "must be true"))
    if unfinished.move_to == id:
        raise Invalid(("unfinished.moveTo", "is the sprint itself"))
    cards = await _cards_of(tx, id)
    open_cards = [card for card, stage in cards if stage is not Stage.DONE]
    if unfinished.move_to is not None:
        await check_room(tx, board.id, unfinished.move_to, len(open_cards))
    now = utcnow()
    burndown = await read_burndown(reader(tx), sprint, now)
    total = sum(card.story_points or 0 for card, _ in cards)
    first = burndown.days[0] if burndown.days else None
    values: dict[str, Any] = {
        "status": SprintStatus.COMPLETED,
        "completed_at": now,
        "committed_points": first.remaining + first.completed if first else total,
        "completed_points": total - sum(card.story_points or 0 for card in open_cards),
        "final": frozen(burndown),
    }
    apply_changes(sprint, values)
    _put(tx, board, [one for one in cards if one[1] is not Stage.DONE], unfinished.move_to)
    completed = SprintCompleted(
        sprint_id=id,
        committed_points=values["committed_points"],
        completed_points=values["completed_points"],
        moved_to=unfinished.move_to,
    )
    tx.emit(board, completed)
    await tx.flush()
    return sprint


async def cancel_sprint(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The sprint."], if_version: IfVersion = None
) -> Sprint:
    """Cancel a sprint that is PLANNED or ACTIVE. Its cards leave it. Raises Stale or Conflict."""
    board, sprint = await lock_sprint(tx, actor, id)
    sprint.expect(if_version)
    check_transition(sprint, SprintStatus.CANCELLED)
    _put(tx, board, await _cards_of(tx, id), None)
    apply_changes(sprint, {"status": SprintStatus.CANCELLED, "cancelled_at": utcnow()})
    tx.emit(board, SprintCancelled(sprint_id=id))
    await tx.flush()
    return sprint


async def delete_sprint(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The sprint."], if_version: IfVersion = None
) -> Sprint:
    """Delete a sprint. Its cards leave it and stay on the board. Returns the sprint as it was. Raises Stale."""
    board, sprint = await lock_sprint(tx, actor, id)
    sprint.expect(if_version)
    _put(tx, board, await _cards_of(tx, id), None)
    tx.emit(board, SprintDeleted(sprint_id=id, name=sprint.name))
    await tx.flush()  # the cards have left before the sprint goes
    await tx.delete(sprint)
    await tx.flush()
    return sprint


async def assign_cards_to_sprint(
    tx: Transaction,
    actor: Actor,
    *,
    ids: Annotated[list[Id], "1 to 100 cards of one board."],
    sprint_id: Annotated[Id | None, "The sprint of that board, PLANNED or ACTIVE; null: none."] = None,
) -> SprintCards:
    """Put up to 100 cards into a sprint, or into none: all or none.

    Raises Conflict if the sprint is full, or it or that of a card is COMPLETED or CANCELLED.
    """
    validation.distinct("ids", validation.at_most("ids", ids, MAX_AT_ONCE))
    board, cards = await lock_cards(tx, actor, ids)
    entering = [card for card in cards if card.sprint_id != sprint_id]
    if sprint_id is not None:
        await check_room(tx, board.id, sprint_id, len(entering))
    await _check_left(tx, {card.sprint_id for card in entering if card.sprint_id is not None})
    columns = select(BoardColumn.id, BoardColumn.stage).where(BoardColumn.board_id == board.id)
    stages = dict(list(await tx.execute(columns)))
    _put(tx, board, [(card, stages[card.column_id]) for card in entering], sprint_id)
    await tx.flush()
    return SprintCards(cards)


async def check_sprint_of_card(tx: Transaction, card: Card, sprint_id: str | None) -> None:
    """Raise NotFound or Conflict unless a card may be put into a sprint; None: into none."""
    if sprint_id == card.sprint_id:
        return
    if sprint_id is not None:
        await check_room(tx, card.board_id, sprint_id, 1)
    await _check_left(tx, {card.sprint_id} if card.sprint_id is not None else set())


async def check_room(tx: Transaction, board_id: str, sprint_id: str, entering: int) -> None:
    """Raise NotFound or Conflict unless cards may enter a sprint of the board."""
    sprint = await tx.scalar(select(Sprint).where(Sprint.id == sprint_id, Sprint.board_id == board_id))
    if sprint is None:
        raise NotFound(sprint_id)
    check_open(sprint)
    inside = await tx.scalar(select(func.count()).select_from(Card).where(Card.sprint_id == sprint_id)) or 0
    if inside + entering > MAX_SPRINT_CARDS:
        raise Conflict(f"A sprint has at most {MAX_SPRINT_CARDS} cards", sprint_id)


async def _check_left(tx: Transaction, ids: set[str]) -> None:
    for sprint in await tx.scalars(select(Sprint).where(Sprint.id.in_(ids))) if ids else ():
        check_open(sprint)


async def _cards_of(tx: Transaction, sprint_id: str) -> list[tuple[Card, Stage]]:
    query = select(Card, BoardColumn.stage).join(BoardColumn, BoardColumn.id == Card.column_id)
    rows = await tx.execute(query.where(Card.sprint_id == sprint_id).order_by(Card.number))
    return [(card, stage) for card, stage in rows]


def _put(tx: Transaction, board: Board, cards: Sequence[tuple[Card, Stage]], sprint_id: str | None) -> None:
    """Put cards of a locked board into a sprint, None: into none. Emits an event for each."""
    batch = new_id("batch") if len(cards) > 1 else None
    for card, stage in cards:
        before = image(card) | {"stage": stage}
        changes = apply_changes(card, {"sprint_id": sprint_id})
        if changes:
            updated = CardUpdated(card_id=card.id, changes=changes, before=before)
            tx.emit(board, updated, correlation_id=batch)


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a sprint, normalized. Raises Invalid."""
    clean = dict(values)
    if "name" in clean:
        clean["name"] = validation.single_line("name", clean["name"], MAX_SPRINT_NAME_LENGTH)
    if "goal" in clean:
        clean["goal"] = validation.multiline("goal", clean["goal"], MAX_SPRINT_GOAL_LENGTH)
    for name, path in (("starts_on", "startsOn"), ("ends_on", "endsOn")):
        if name in clean:
            validation.day(path, validation.required(path, clean[name]))
    if "capacity_points" in clean:
        points = validation.required("capacityPoints", clean["capacity_points"])
        validation.in_range("capacityPoints", points, 0, MAX_CAPACITY_POINTS)
    if "time_zone" in clean:
        clean["time_zone"] = check_time_zone("timeZone", validation.required("timeZone", clean["time_zone"]))
    return clean


def _check_days(starts_on: date, ends_on: date) -> None:
    if ends_on <= starts_on:
        raise Invalid(("endsOn", "must be after startsOn"))
    if (ends_on - starts_on).days >= MAX_SPRINT_DAYS or ends_on.year == date.max.year:
        raise Invalid(("endsOn", f"must make at most {MAX_SPRINT_DAYS} days"))
