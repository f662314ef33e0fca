"""Control of a run by people: stop it, conclude it, resume it, choose its result over the others of its card."""

from typing import Annotated

from sqlalchemy import func, select

from actions import validation
from actions.message import post_message_of
from actions.run.change import emit_run_event, follow_transition, send_command
from actions.run.dispatch import MAX_STOP_REASON_LENGTH, stop_run_of_card
from actions.run.start import restart_run
from auth.locking import lock_run
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from models.actor import Actor
from models.events.run import RunChosen, RunConcluding, run_facts
from models.message import MessageKind
from models.refusal import Conflict
from models.run import (
    MAX_INSTRUCTION_LENGTH,
    MAX_UNDELIVERED,
    TERMINAL,
    CommandKind,
    MessageMode,
    Run,
    RunCommand,
    RunStatus,
    WaitReason,
)


async def stop_run(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The run. It has not ended."],
    reason: Annotated[str | None, "The reason, 1 to 500 characters, for people."] = None,
) -> Run:
    """Stop a run. Its branch and its work are kept; stopping it twice changes nothing.

    Without a worker the run is CANCELLED at once; else its worker is told to stop, and confirms. The card stays, or
    goes from IN_PROGRESS to REVIEW if this was the last run at work and a sibling succeeded. Raises Conflict if the
    run has ended.
    """
    board, run = await lock_run(tx, actor, id)
    if run.status in TERMINAL:
        raise Conflict(f"The run has ended: {run.status}", run.id)
    if run.stop_requested_at is None:
        text = "A person stopped it"
        if reason is not None:
            text = validation.single_line("reason", reason, MAX_STOP_REASON_LENGTH)
        await stop_run_of_card(tx, board, run, text)
    return run


async def conclude_run(tx: Transaction, actor: Actor, *, id: Annotated[Id, "The run."]) -> Run:
    """Ask the agent of a run to wrap up. A run that WAITS for a DECISION succeeds with the result it has.

    Raises Conflict if no worker holds the run, or if it is being stopped.
    """
    board, run = await lock_run(tx, actor, id)
    if run.status is RunStatus.WAITING and run.wait_reason is WaitReason.DECISION:
        transition = await queue.complete_suspended(tx, run.id)
        if transition is not None:
            await follow_transition(tx, board, run, transition)
        return run
    is_held = await tx.scalar(select(queue.Job.held).where(queue.Job.id == run.id))
    if not is_held or run.stop_requested_at:
        state = "stopping" if run.stop_requested_at else run.status
        raise Conflict(f"The run is {state}; only one that a worker has is wrapped up", run.id)
    await send_command(tx, run, CommandKind.CONCLUDE, CommandKind.CONCLUDE, {})
    emit_run_event(tx, board, RunConcluding(**run_facts(run)))
    return run


async def send_message(
    tx: Transaction,
    actor: Actor,
    *,
    run_id: Annotated[Id, "The run. A worker holds it."],
    body: Annotated[str, "Markdown: 1 to 10,000 characters."],
    mode: Annotated[MessageMode, "The time of delivery."] = MessageMode.QUEUE,
) -> Run:
    """Send a message to the agent of a run while it works. It is also posted on the card.

    It is delivered once, as a command to the worker. A program that takes no input while it runs gets it when its
    turn has ended, or is stopped and resumed with it. Raises Conflict if no worker holds the run, if it is being
    stopped, or if 20 messages are undelivered.
    """
    _, run = await lock_run(tx, actor, run_id)
    is_held = await tx.scalar(select(queue.Job.held).where(queue.Job.id == run.id))
    if not is_held or run.stop_requested_at:
        state = "stopping" if run.stop_requested_at else run.status
        raise Conflict(f"The run is {state}; only one that a worker has takes messages", run.id)
    undelivered = (
        *(RunCommand.run_id == run.id, RunCommand.attempt == run.attempt),
        *(RunCommand.kind == CommandKind.MESSAGE, RunCommand.acknowledged_at.is_(None)),
    )
    count = await tx.scalar(select(func.count()).select_from(RunCommand).where(*undelivered))
    if (count or 0) >= MAX_UNDELIVERED:
        raise Conflict(f"{count} messages wait to be delivered", run.id)
    message = await post_message_of(tx, actor, run.card_id, body, MessageKind.INSTRUCTION)
    data = {"body": message.body, "mode": mode}
    await send_command(tx, run, CommandKind.MESSAGE, message.id, data)
    return run


async def resume_run(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The run. It failed, was stopped, or WAITS for a DECISION."],
    instruction: Annotated[str | None, "New instruction for the agent. Default: as in the run."] = None,
) -> Run:
    """Resume a run on its branch and in its session.

    If the run has ended, a new run continues it and is returned; its `retryOf` names the old one. Raises
    StageRefused, and Conflict if the run has not ended, succeeded, or has a profile that is switched off.
    """
    board, run = await lock_run(tx, actor, id)
    if run.status is not RunStatus.WAITING or run.wait_reason is not WaitReason.DECISION:
        return await restart_run(tx, actor, board, run, instruction=instruction, resume=True)
    if instruction is not None:
        text = validation.multiline("instruction", instruction, MAX_INSTRUCTION_LENGTH)
        run.instruction = text or run.instruction
    transition = await queue.resume(tx, run.id)
    if transition is not None:
        await follow_transition(tx, board, run, transition)
    return run


async def choose_run(tx: Transaction, actor: Actor, *, id: Annotated[Id, "The run. It succeeded."]) -> Run:
    """Choose the result of a run over those of the other runs on its card, which stay for comparison.

    A card has one chosen run: choosing another moves the choice, choosing twice changes nothing. `rejectCard`
    continues from the chosen run, unless a run that was started later has succeeded. Raises Conflict if the run did
    not succeed.
    """
    board, run = await lock_run(tx, actor, id)
    if run.status is not RunStatus.SUCCEEDED:
        raise Conflict(f"The run is {run.status}; only one that succeeded is chosen", run.id)
    if run.chosen_at is not None:
        return run
    chosen = Run.card_id == run.card_id, Run.chosen_at.is_not(None)
    before = await tx.scalar(select(Run).where(*chosen).with_for_update())
    if before is not None:
        before.chosen_at = None
        before.version += 1
        await tx.flush()  # first, because a unique index allows one chosen run on a card
    run.chosen_at = utcnow()
    run.version += 1
    chosen_run = RunChosen(**run_facts(run), instead_of=before.id if before else None)
    emit_run_event(tx, board, chosen_run)
    return run
