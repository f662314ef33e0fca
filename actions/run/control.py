"""What people do to a run: stop it, wrap it up, go on with it, choose it before the others."""

from sqlalchemy import select

from actions import validation
from actions.run.change import emit_run_event, follow_transition, send_command
from actions.run.dispatch import stop_run_of_card
from actions.run.start import retry_run
from auth.locking import lock_run
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from models.actor import Actor
from models.events.run import RunChosen, RunConcluding, run_facts
from models.refusal import Conflict
from models.run import MAX_INSTRUCTION_LENGTH, TERMINAL, CommandKind, Run, RunStatus, WaitReason


async def stop_run(tx: Transaction, actor: Actor, id: str, reason: str | None = None) -> Run:
    """Stop a run. One that a worker has ends when the worker confirms; its branch and its work are kept.

    Stopping twice changes nothing. Raises Conflict for a run that has ended.
    """
    board, run = await lock_run(tx, actor, id)
    if run.status in TERMINAL:
        raise Conflict(f"The run has ended: {run.status}", run.id)
    if run.stop_requested_at is None:
        text = validation.single_line("reason", reason, 500) if reason is not None else "A person stopped it"
        await stop_run_of_card(tx, board, run, text)
    return run


async def conclude_run(tx: Transaction, actor: Actor, id: str) -> Run:
    """Ask the agent to wrap up and finish; or, of a run that waits for a decision, take what it brought."""
    board, run = await lock_run(tx, actor, id)
    if run.status is RunStatus.WAITING and run.wait_reason is WaitReason.DECISION:
        transition = await queue.complete_suspended(tx, run.id)
        if transition is not None:
            await follow_transition(tx, board, run, transition)
        return run
    held = await tx.scalar(select(queue.Job.held).where(queue.Job.id == run.id))
    if not held or run.stop_requested_at:
        state = "stopping" if run.stop_requested_at else run.status
        raise Conflict(f"The run is {state}; only one that a worker has is wrapped up", run.id)
    await send_command(tx, run, CommandKind.CONCLUDE, CommandKind.CONCLUDE, {})
    emit_run_event(tx, board, RunConcluding(**run_facts(run)))
    return run


async def resume_run(tx: Transaction, actor: Actor, id: str, *, instruction: str | None = None) -> Run:
    """Go on with a run that failed, was stopped, or waits for a decision: on its branch, in its session.

    One that waits goes on itself; of one that has ended, a new run goes on, which names it.
    """
    board, run = await lock_run(tx, actor, id)
    if run.status is RunStatus.WAITING and run.wait_reason is WaitReason.DECISION:
        if instruction is not None:
            run.instruction = (
                validation.multiline("instruction", instruction, MAX_INSTRUCTION_LENGTH) or run.instruction
            )
        transition = await queue.resume(tx, run.id)
        if transition is not None:
            await follow_transition(tx, board, run, transition)
        return run
    return await retry_run(tx, actor, id, instruction=instruction, resume=True)


async def choose_run(tx: Transaction, actor: Actor, id: str) -> Run:
    """Choose what a run brought before what all others on its card brought. They stay, to be compared.

    Choosing twice changes nothing, choosing another one moves it. Raises Conflict for a run that did not succeed.
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
        await tx.flush()  # before the other is: a card has one
    run.chosen_at = utcnow()
    run.version += 1
    chosen_run = RunChosen(**run_facts(run), instead_of=before.id if before else None)
    emit_run_event(tx, board, chosen_run)
    return run
