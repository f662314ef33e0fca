"""What a run that succeeded has mended: its findings name it, and their threads are resolved."""

from sqlalchemy import select

from kit.db.database import utcnow
from kit.db.transaction import Transaction
from models.board import Board
from models.events.review import ReviewThreadResolved, thread_facts
from models.review_thread import ReviewFinding, ReviewThread
from models.run import Run


async def resolve_fixed_findings(tx: Transaction, board: Board, run: Run) -> None:
    """Resolve the findings that a run, or the run that it retries, was asked to mend."""
    asked = [id for id in (run.id, run.retry_of) if id is not None]
    query = select(ReviewFinding).where(
        ReviewFinding.fix_run_id.in_(asked), ReviewFinding.resolved_by_run_id.is_(None)
    )
    findings = list(await tx.scalars(query))
    if not findings:
        return
    for finding in findings:
        finding.resolved_by_run_id = run.id
        finding.version += 1
    of_findings = ReviewThread.finding_id.in_([finding.id for finding in findings])
    open_ones = select(ReviewThread).where(of_findings, ReviewThread.resolved_at.is_(None))
    threads = list(await tx.scalars(open_ones.order_by(ReviewThread.id)))
    for thread in threads:
        thread.resolved_at, thread.resolved_by = utcnow(), run.id
        thread.version += 1
    await tx.flush()
    for thread in threads:
        tx.emit(board, ReviewThreadResolved(**thread_facts(thread)))
