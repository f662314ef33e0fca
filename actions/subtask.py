"""What can be done to a card's subtasks. They stand in phases, each with its number, and in order within one.

On a card a phase has one number and a number one phase; 0 is for the subtasks of no phase. So sorting by
number, then rank, shows the phases one after another, in the order of the work and not of the alphabet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import case, func, select

from actions import validation
from actions.changes import apply_changes
from actions.ordering import LastRanks, rank_for
from auth.locking import lock_card, lock_subtask
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.ids import new_id
from models.actor import Actor
from models.board import Board
from models.card import MAX_SUBTASKS, Subtask
from models.events.card import SubtaskCreated, SubtaskDeleted, SubtaskMoved, SubtaskUpdated, subtask_facts
from models.refusal import Conflict, Invalid


@dataclass(frozen=True)
class NewSubtask:
    """What a subtask is made of. `phase_order` may be left out: the phase's own, or the next one."""

    title: str
    phase: str | None = None
    phase_order: int | None = None
    before: str | None = None
    after: str | None = None
    completed: bool = False


async def add_subtask(tx: Transaction, actor: Actor, card_id: str, new: NewSubtask) -> Subtask:
    """Add a subtask to a card: before or after another of its phase, or at the phase's end."""
    return (await add_subtasks(tx, actor, card_id, [new]))[0]


async def add_subtasks(
    tx: Transaction, actor: Actor, card_id: str, news: Sequence[NewSubtask]
) -> list[Subtask]:
    """Add several subtasks to a card, in order, all or none."""
    board, card = await lock_card(tx, actor, card_id, for_run=True)
    progress, phases = await _progress(tx, card.id), await _phases(tx, card.id)
    made = await _add(tx, actor, board, card.id, news, progress, phases, LastRanks(tx, Subtask))
    await tx.flush()  # what was made is read by whoever asked for it
    return made


async def add_first_subtasks(
    tx: Transaction, actor: Actor, board: Board, card_id: str, news: Sequence[NewSubtask]
) -> list[Subtask]:
    """Add subtasks to the end of a new card, of a board that the caller holds: without a statement."""
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
        phase, order = _phase(phases, new.phase, new.phase_order)
        phases[phase] = order
        lane = partial(_lane, card_id, order)
        if new.before or new.after:
            rank = await rank_for(tx, Subtask, lane(), None, new.before, new.after)
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
    id: str,
    changes: dict[str, Any],
    *,
    if_version: int | None = None,
) -> Subtask:
    """Change a subtask's title, tick it, or put it at the end of another phase."""
    board, subtask = await lock_subtask(tx, actor, id)
    subtask.expect(if_version)
    clean = dict(changes)
    if "title" in clean:
        clean["title"] = validation.single_line("title", clean["title"], 255)
    if "completed" in clean:
        validation.required("completed", clean["completed"])
    if "phase" in clean:
        clean["phase"], order = _phase(await _phases(tx, subtask.card_id), clean["phase"], None)
        if order != subtask.phase_order:
            lane = _lane(subtask.card_id, order)
            subtask.rank = await rank_for(tx, Subtask, lane, subtask.id, None, None)
            subtask.phase_order = order
    told = apply_changes(subtask, clean)
    if "completed" in told:
        _complete(subtask, actor, subtask.completed)
    if told:
        await tx.flush()  # the progress is counted in the database
        progress = await _progress(tx, subtask.card_id)
        tx.emit(board, SubtaskUpdated(**subtask_facts(subtask, *progress), changes=told))
    return subtask


async def move_subtask(
    tx: Transaction,
    actor: Actor,
    id: str,
    *,
    before: str | None = None,
    after: str | None = None,
    phase: str | None = None,
    phase_order: int | None = None,
    leave_phase: bool = False,
) -> Subtask:
    """Move a subtask within its phase or into another: before or after a neighbour, or to the end.

    Without a phase it goes where its neighbour is, or stays in its own.
    """
    board, subtask = await lock_subtask(tx, actor, id)
    if leave_phase and (phase is not None or phase_order is not None):
        raise Invalid(("leavePhase", "cannot be said together with a phase"))
    if leave_phase:
        name, order = None, 0
    elif phase is not None or phase_order is not None:
        name, order = _phase(await _phases(tx, subtask.card_id), phase, phase_order)
    else:
        name, order = await _phase_of(tx, subtask, after or before)
    lane = _lane(subtask.card_id, order)
    subtask.rank = await rank_for(tx, Subtask, lane, subtask.id, before, after)
    told = apply_changes(subtask, {"phase": name, "phase_order": order})
    if not told:
        subtask.version += 1
    progress = await _progress(tx, subtask.card_id)
    tx.emit(board, SubtaskMoved(**subtask_facts(subtask, *progress), changes=told))
    return subtask


async def delete_subtask(tx: Transaction, actor: Actor, id: str, *, if_version: int | None = None) -> Subtask:
    """Delete a subtask. Answers it as it was."""
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


def _lane(card_id: str, order: int) -> Any:
    return (Subtask.card_id == card_id) & (Subtask.phase_order == order)


async def _phases(tx: Transaction, card_id: str) -> dict[str | None, int]:
    """The phases of a card and their numbers. No phase is 0."""
    query = select(Subtask.phase, Subtask.phase_order).where(Subtask.card_id == card_id).distinct()
    return {None: 0} | {row.phase: row.phase_order for row in await tx.execute(query)}


def _phase(orders: dict[str | None, int], phase: str | None, order: int | None) -> tuple[str | None, int]:
    """The phase that is meant, and its number. A new one without a number comes after all others.

    Raises Invalid where the name has another number on this card, or the number another name.
    """
    validation.in_range("phaseOrder", order, 0, 1000)
    names = {number: name for name, number in orders.items()}
    if phase is None:
        if order is None or order in names:
            return names[order or 0], order or 0
        raise Invalid(("phase", f"must be named: the card has no phase {order} yet"))
    phase = validation.single_line("phase", phase, 80)
    known = orders.get(phase)
    if order is None:
        return phase, known if known is not None else max(names) + 1
    if known not in (None, order):
        raise Invalid(("phaseOrder", f"is {known} for {phase} on this card"))
    if names.get(order, phase) != phase or order == 0:
        raise Invalid(("phaseOrder", f"{order} belongs to {names.get(order) or 'no phase'}"))
    return phase, order


async def _phase_of(tx: Transaction, subtask: Subtask, neighbour: str | None) -> tuple[str | None, int]:
    query = select(Subtask.phase, Subtask.phase_order)
    query = query.where(Subtask.id == neighbour, Subtask.card_id == subtask.card_id)
    row = (await tx.execute(query)).one_or_none() if neighbour else None
    return (row[0], row[1]) if row else (subtask.phase, subtask.phase_order)


async def _progress(tx: Transaction, card_id: str) -> tuple[int, int]:
    done = func.coalesce(func.sum(case((Subtask.completed, 1), else_=0)), 0)
    row = (await tx.execute(select(done, func.count()).where(Subtask.card_id == card_id))).one()
    return row[0], row[1]
