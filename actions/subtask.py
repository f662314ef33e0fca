"""Changes to subtasks. They are ordered by the number of their phase, then by rank.

On a card a phase has one number, and a number one phase; subtasks without a phase have the number 0. So phases
follow one another in the order of the work, not of the alphabet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from sqlalchemy import ColumnElement, case, func, select

from actions import validation
from actions.changes import apply_changes
from actions.ordering import LastRanks, Position, PositionInput, rank_for
from auth.locking import lock_card, lock_subtask
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, Some, provided_fields
from kit.graphql.types import input_type
from kit.ids import new_id
from models.actor import Actor
from models.board import Board
from models.card import MAX_SUBTASKS, Card, Subtask
from models.events.card import SubtaskCreated, SubtaskDeleted, SubtaskMoved, SubtaskUpdated, subtask_facts
from models.refusal import Conflict, Invalid

MAX_PHASE_LENGTH = 80


@input_type
class PhaseInput:
    """A phase of a card in its new place."""

    name: Annotated[str, "Its present name."]
    rename: Annotated[str | None, "Its new name, 1 to 80 characters; default: the present one."] = None


@dataclass(frozen=True)
class NewSubtask:
    """The fields of a new subtask. Without `phase_order` its phase keeps its number, or gets the next one."""

    title: str
    phase: str | None = None
    phase_order: int | None = None
    position: PositionInput | None = None
    completed: bool = False


async def add_subtask(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: Annotated[Id, "The card. It has at most 100 subtasks."],
    title: Annotated[str, "1 to 255 characters."],
    phase: Annotated[str | None, "The name of its phase, 1 to 80 characters; default: none."] = None,
    phase_order: Annotated[
        int | None, "The number of the phase, 1 to 1000; default for a new phase: after all others."
    ] = None,
    position: Annotated[PositionInput | None, "The place in its phase; default: the end."] = None,
) -> Subtask:
    """Add a subtask to a card.

    Raises Conflict if the card has 100 subtasks, Invalid if the phase has another number.
    """
    return (await add_subtasks(tx, actor, card_id, [NewSubtask(title, phase, phase_order, position)]))[0]


async def add_subtasks(
    tx: Transaction, actor: Actor, card_id: str, news: Sequence[NewSubtask]
) -> list[Subtask]:
    """Add several subtasks to a card, in order: all or none."""
    board, card = await lock_card(tx, actor, card_id, for_run=True)
    progress, phases = await _progress(tx, card.id), await _phases(tx, card.id)
    made = await _add(tx, actor, board, card.id, news, progress, phases, LastRanks(tx, Subtask))
    await tx.flush()  # the response reads the rows
    return made


async def add_first_subtasks(
    tx: Transaction, actor: Actor, board: Board, card_id: str, news: Sequence[NewSubtask]
) -> list[Subtask]:
    """Add subtasks to a new card of a board that the caller holds, without a statement."""
    return await _add(tx, actor, board, card_id, news, (0, 0), {None: 0}, LastRanks(tx, Subtask, new=True))


async def _add(
    tx: Transaction,
    actor: Actor,
    board: Board,
    card_id: str,
    news: Sequence[NewSubtask],
    progress: tuple[int, int],
    phases: dict[str | None, int],
    ends: LastRanks,
) -> list[Subtask]:
    done, total = progress
    if total + len(news) > MAX_SUBTASKS:
        raise Conflict(f"A card has at most {MAX_SUBTASKS} subtasks")
    made = []
    for index, new in enumerate(news):
        title = validation.single_line("title", new.title, 255)
        phase, order = _find_phase(phases, new.phase, new.phase_order)
        phases[phase] = order
        lane = partial(_lane, card_id, order)
        if new.position is not None:
            rank = await rank_for(tx, Subtask, lane(), None, new.position)
            ends.forget()
        else:
            rank = await ends.next(order, lane, len(news) - index)
        subtask = Subtask(
            id=new_id("subtask"),
            card_id=card_id,
            board_id=board.id,
            title=title,
            phase=phase,
            phase_order=order,
            rank=rank,
        )
        _complete(subtask, actor, new.completed)
        tx.add(subtask)
        done, total = done + new.completed, total + 1
        tx.emit(board, SubtaskCreated(**subtask_facts(subtask, done, total)))
        made.append(subtask)
    return made


async def update_subtask(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The subtask."],
    title: Annotated[Maybe[str], "1 to 255 characters."] = None,
    completed: Annotated[Maybe[bool], "True if it is done."] = None,
    phase: Annotated[Maybe[str | None], "Also move it to the end of this phase; null: of none."] = None,
    if_version: IfVersion = None,
) -> Subtask:
    """Change a subtask. Fields that are left out keep their values.

    Raises Stale; then nothing was changed.
    """
    board, subtask = await lock_subtask(tx, actor, id)
    subtask.expect(if_version)
    clean = provided_fields(title=title, completed=completed, phase=phase)
    if "title" in clean:
        clean["title"] = validation.single_line("title", clean["title"], 255)
    old_rank = subtask.rank
    if "phase" in clean:
        clean["phase"], order = _find_phase(await _phases(tx, subtask.card_id), clean["phase"], None)
        if order != subtask.phase_order:
            lane = _lane(subtask.card_id, order)
            subtask.rank = await rank_for(tx, Subtask, lane, subtask.id)
            clean["phase_order"] = order
    changed_fields = apply_changes(subtask, clean)
    if "completed" in changed_fields:
        _complete(subtask, actor, subtask.completed)
    if changed_fields:
        await tx.flush()  # the progress is counted in the database
        progress = await _progress(tx, subtask.card_id)
        facts = subtask_facts(subtask, *progress)
        tx.emit(board, SubtaskUpdated(**facts, changes=changed_fields, from_rank=old_rank))
    return subtask


async def move_subtask(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The subtask."],
    phase: Annotated[
        Maybe[str | None], "The name of the phase; null: none. Default: that of the neighbor, or its own."
    ] = None,
    phase_order: Annotated[int | None, "The number of the phase; may be given instead of its name."] = None,
    position: Position = None,
) -> Subtask:
    """Move a subtask within its phase or to another.

    Raises Invalid if the neighbor is not in the phase, or the phase has another number.
    """
    board, subtask = await lock_subtask(tx, actor, id)
    leaves_phase = phase == Some(None)
    if leaves_phase and phase_order is not None:
        raise Invalid(("phaseOrder", "must not be given for no phase"))
    if leaves_phase:
        name, order = None, 0
    elif phase is not None or phase_order is not None:
        title = phase.value if phase is not None else None
        name, order = _find_phase(await _phases(tx, subtask.card_id), title, phase_order)
    else:
        neighbor = position.after or position.before if position else None
        name, order = await _phase_of(tx, subtask, neighbor)
    rank = await rank_for(tx, Subtask, _lane(subtask.card_id, order), subtask.id, position)
    old_rank, subtask.rank = subtask.rank, rank
    changed_fields = apply_changes(subtask, {"phase": name, "phase_order": order})
    if not changed_fields:
        subtask.version += 1
    progress = await _progress(tx, subtask.card_id)
    facts = subtask_facts(subtask, *progress)
    tx.emit(board, SubtaskMoved(**facts, changes=changed_fields, from_rank=old_rank))
    return subtask


async def set_phases(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: Annotated[Id, "The card."],
    phases: Annotated[
        list[PhaseInput], "All phases of the card, in their new order. They get the numbers 1, 2, …"
    ],
) -> Card:
    """Reorder and rename the phases of a card, all at once. Repeating it changes nothing.

    Raises Invalid if the list lacks a phase of the card, names one that it has not, or gives two the same name.
    """
    board, card = await lock_card(tx, actor, card_id, for_run=True)
    validation.at_most("phases", phases, MAX_SUBTASKS)
    names = [phase.name for phase in phases]
    validation.distinct("phases", names)
    old = {phase for phase in await _phases(tx, card.id) if phase is not None}
    if missing := sorted(old - set(names)):
        raise Invalid(("phases", f"lacks {missing[0]}"))
    if unknown := sorted(set(names) - old):
        raise Invalid(("phases", f"names {unknown[0]}, which the card has not"))
    new = list(names)
    for index, phase in enumerate(phases):
        if phase.rename is not None:
            path = f"phases.{index}.rename"
            new[index] = validation.single_line(path, phase.rename, MAX_PHASE_LENGTH)
    validation.distinct("phases", new)
    place = {name: (new[index], index + 1) for index, name in enumerate(names)}
    progress = await _progress(tx, card.id)
    of_phases = select(Subtask).where(Subtask.card_id == card.id, Subtask.phase.is_not(None))
    with tx.correlated(new_id("batch")):
        for subtask in list(await tx.scalars(of_phases.order_by(Subtask.phase_order, Subtask.rank))):
            name, order = place[subtask.phase or ""]
            changes = apply_changes(subtask, {"phase": name, "phase_order": order})
            if changes:
                facts = subtask_facts(subtask, *progress)
                tx.emit(board, SubtaskMoved(**facts, changes=changes, from_rank=subtask.rank))
    await tx.flush()
    return card


async def return_subtask(
    tx: Transaction, actor: Actor, id: str, phase: str | None, order: int | None, rank: str | None
) -> Subtask:
    """Move a subtask back to a rank in a phase; None: the present phase, or its end if the rank is taken."""
    board, subtask = await lock_subtask(tx, actor, id)
    if order is None:
        phase, order = subtask.phase, subtask.phase_order
    _find_phase(await _phases(tx, subtask.card_id), phase, order)
    lane = _lane(subtask.card_id, order)
    taken = select(Subtask.id).where(lane, Subtask.rank == rank, Subtask.id != subtask.id)
    if rank is None or await tx.scalar(taken) is not None:
        rank = await rank_for(tx, Subtask, lane, subtask.id)
    old_rank, subtask.rank = subtask.rank, rank
    changed_fields = apply_changes(subtask, {"phase": phase, "phase_order": order})
    if not changed_fields:
        subtask.version += 1
    facts = subtask_facts(subtask, *await _progress(tx, subtask.card_id))
    tx.emit(board, SubtaskMoved(**facts, changes=changed_fields, from_rank=old_rank))
    return subtask


async def delete_subtask(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The subtask."], if_version: IfVersion = None
) -> Subtask:
    """Delete a subtask. Returns it as it was. Raises Stale."""
    board, subtask = await lock_subtask(tx, actor, id)
    subtask.expect(if_version)
    await tx.delete(subtask)
    await tx.flush()  # the progress is counted in the database
    progress = await _progress(tx, subtask.card_id)
    tx.emit(board, SubtaskDeleted(**subtask_facts(subtask, *progress)))
    return subtask


def _complete(subtask: Subtask, actor: Actor, completed: bool) -> None:
    subtask.completed = completed
    subtask.completed_at = utcnow() if completed else None
    subtask.completed_by = actor.id if completed else None


def _lane(card_id: str, order: int) -> ColumnElement[bool]:
    return (Subtask.card_id == card_id) & (Subtask.phase_order == order)


async def _phases(tx: Transaction, card_id: str) -> dict[str | None, int]:
    """Load the phases of a card with their numbers; no phase has 0."""
    query = select(Subtask.phase, Subtask.phase_order).where(Subtask.card_id == card_id).distinct()
    return {None: 0} | {row.phase: row.phase_order for row in await tx.execute(query)}


def _find_phase(
    orders: dict[str | None, int], phase: str | None, order: int | None
) -> tuple[str | None, int]:
    """Find a phase by its name, its number, or both; a new phase without a number comes after all others.

    Raises Invalid if the name has another number on this card, or the number another name.
    """
    validation.in_range("phaseOrder", order, 0, 1000)
    names = {number: name for name, number in orders.items()}
    if phase is None:
        if order is None or order in names:
            return names[order or 0], order or 0
        raise Invalid(("phase", f"is required: the card has no phase {order} yet"))
    phase = validation.single_line("phase", phase, MAX_PHASE_LENGTH)
    known = orders.get(phase)
    if order is None:
        return phase, known if known is not None else max(names) + 1
    if known not in (None, order):
        raise Invalid(("phaseOrder", f"is {known} for {phase} on this card"))
    if names.get(order, phase) != phase or order == 0:
        raise Invalid(("phaseOrder", f"{order} belongs to {names.get(order) or 'no phase'}"))
    return phase, order


async def _phase_of(tx: Transaction, subtask: Subtask, neighbor: str | None) -> tuple[str | None, int]:
    query = select(Subtask.phase, Subtask.phase_order)
    query = query.where(Subtask.id == neighbor, Subtask.card_id == subtask.card_id)
    row = (await tx.execute(query)).one_or_none() if neighbor else None
    return (row[0], row[1]) if row else (subtask.phase, subtask.phase_order)


async def _progress(tx: Transaction, card_id: str) -> tuple[int, int]:
    done = func.coalesce(func.sum(case((Subtask.completed, 1), else_=0)), 0)
    row = (await tx.execute(select(done, func.count()).where(Subtask.card_id == card_id))).one()
    return row[0], row[1]
