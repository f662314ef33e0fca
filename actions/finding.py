"""Findings of agents that review: each is about a run of the card, and becomes a thread."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from sqlalchemy import func, select

from actions import git, validation
from actions.lease import Lease
from actions.move import DestinationInput, check_move, move_allowed
from actions.review import ReviewCommentInput, load_reviewed_diff, open_threads
from actions.run.dispatch import on_cards_moved
from actions.run.start import enqueue_runs, retry_request
from actions.run.work_order import find_worked
from auth.locking import lock_leased_run, lock_own_run, lock_run
from kit import queue
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from kit.graphql.types import input_type
from kit.ids import new_id
from models.actor import Actor
from models.board import Board, BoardColumn
from models.card import Card
from models.events.review import ReviewCompleted
from models.refusal import Conflict, Forbidden, Invalid, LeaseLost, NotFound
from models.review_thread import (
    MAX_COMMENT_LENGTH,
    MAX_FINDING_TITLE_LENGTH,
    MAX_FINDINGS,
    MAX_RUN_FINDINGS,
    DiffSide,
    FindingCategory,
    ReviewFinding,
    Severity,
)
from models.run import MAX_INSTRUCTION_LENGTH, TERMINAL, Run, RunKind
from models.stage import Stage
from models.worker import AgentProfile

SEVERE = (Severity.HIGH, Severity.CRITICAL)
MAX_SNIPPET_LENGTH = 4_000  # characters
MAX_TOLD_LENGTH = 300  # characters of a finding's texts in an instruction


@input_type
class FindingInput:
    """A finding about a run's work."""

    path: Annotated[str, "Path of a file that the reviewed run changed."]
    line_start: Annotated[int | None, "First line, from 1; the diff shows it. Default: the whole file."] = (
        None
    )
    line_end: Annotated[int | None, "Last line. Default: the first."] = None
    severity: Annotated[Severity, "The severity."]
    category: Annotated[FindingCategory, "The subject."]
    title: Annotated[str, "1 to 200 characters."]
    description: Annotated[str, "Markdown, at most 10,000 characters."] = ""
    suggestion: Annotated[str | None, "How to mend it, at most 10,000 characters."] = None
    snippet: Annotated[str | None, "The code that it is about, at most 4,000 characters."] = None
    run_id: Annotated[Id | None, "The reviewed run. Default: the run whose work stands on the card."] = None


Score = Annotated[float | None, "Score of the work, 0 to 1."]
Findings = Annotated[list[FindingInput], "At most 50 findings; a review may have 200."]


@dataclass(frozen=True)
class ReportedFindings:
    """Findings that a review reported together."""

    findings: list[ReviewFinding]


async def report_findings(
    tx: Transaction,
    actor: Actor,
    *,
    lease: Annotated[Lease, "The lease of a REVIEW run."],
    findings: Findings,
    score: Score = None,
) -> ReportedFindings:
    """Report findings of a REVIEW run. Each opens a thread on the diff of the run that it is about.

    Raises LeaseLost; Invalid for a line that the diff does not show; Conflict for a run of another kind, a run of
    another card, or a run without a diff.
    """
    board, run = await lock_leased_run(tx, actor, lease.id)
    try:
        await queue.lock_leased_job(tx, lease)
    except queue.JobLeaseLost as error:
        raise LeaseLost(lease.id, lease.attempt) from error
    return await _report(tx, board, run, findings, score)


async def report_findings_as_agent(
    tx: Transaction, actor: Actor, *, findings: Findings, score: Score = None
) -> ReportedFindings:
    """Report findings as the agent of a REVIEW run, with the run's own credential; see `reportFindings`."""
    board, run = await lock_own_run(tx, actor)
    if run.kind is not RunKind.REVIEW:
        raise Forbidden("Only the agent of a REVIEW run reports findings")
    if run.status in TERMINAL or run.attempt != actor.attempt:
        raise LeaseLost(run.id, actor.attempt or 0)
    return await _report(tx, board, run, findings, score)


async def _report(
    tx: Transaction, board: Board, run: Run, findings: Sequence[FindingInput], score: float | None
) -> ReportedFindings:
    if run.kind is not RunKind.REVIEW:
        raise Conflict(f"The run is of kind {run.kind}; only a REVIEW run has findings", run.id)
    validation.at_most("findings", list(findings), MAX_FINDINGS, least=0)
    if score is not None and not 0 <= score <= 1:
        raise Invalid(("score", "must be 0 to 1"))
    count = await tx.scalar(
        select(func.count()).select_from(ReviewFinding).where(ReviewFinding.run_id == run.id)
    )
    if (count or 0) + len(findings) > MAX_RUN_FINDINGS:
        raise Conflict(f"A review has at most {MAX_RUN_FINDINGS} findings", run.id)
    card = await tx.get_one(Card, run.card_id)
    worked = await find_worked(tx, card)
    by_target: dict[str, list[int]] = {}
    for place, finding in enumerate(findings):
        target = finding.run_id or (worked.id if worked is not None else None)
        if target is None:
            raise Invalid((f"findings.{place}.runId", "is required: no work stands on the card"))
        by_target.setdefault(target, []).append(place)
    rows = [_validate_finding(f"findings.{place}.", finding) for place, finding in enumerate(findings)]
    for target_id, places in by_target.items():
        await _open(tx, board, run, target_id, places, rows)
    run.score = score if score is not None else run.score
    run.version += 1
    await tx.flush()
    completed = ReviewCompleted(
        card_id=run.card_id,
        reviewed_run_id=next(iter(by_target), worked.id if worked is not None else run.id),
        verdict=None,
        score=run.score,
        findings=len(rows),
        severe=sum(row.severity in SEVERE for row in rows),
    )
    tx.emit(board, completed)
    return ReportedFindings(rows)


def _validate_finding(path: str, finding: FindingInput) -> ReviewFinding:
    low, high = finding.line_start, finding.line_end
    if high is not None and (low is None or high < low):
        raise Invalid((f"{path}lineEnd", "must not be before the first line"))
    return ReviewFinding(
        id=new_id("finding"),
        path=git.validate_path(f"{path}path", finding.path),
        line_start=low,
        line_end=high if high is not None else low,
        severity=finding.severity,
        category=finding.category,
        title=validation.single_line(f"{path}title", finding.title, MAX_FINDING_TITLE_LENGTH),
        description=validation.multiline(f"{path}description", finding.description, MAX_COMMENT_LENGTH),
        suggestion=validation.multiline(f"{path}suggestion", finding.suggestion, MAX_COMMENT_LENGTH) or None,
        snippet=validation.multiline(f"{path}snippet", finding.snippet, MAX_SNIPPET_LENGTH) or None,
    )


async def _open(
    tx: Transaction, board: Board, run: Run, target_id: str, places: list[int], rows: list[ReviewFinding]
) -> None:
    """Store the findings about one run, and open their threads."""
    target = await tx.get(Run, target_id)
    if target is None or target.board_id != board.id:
        raise NotFound(target_id)
    if target.card_id != run.card_id:
        raise Conflict("The run is of another card", target.id)
    diff, comments = await load_reviewed_diff(tx, target.id), []
    for place in places:
        row, at = rows[place], f"findings.{place}."
        diff.require_line(at, row.path, row.line_start, DiffSide.NEW, name="lineStart")
        diff.require_line(at, row.path, row.line_end, DiffSide.NEW, name="lineEnd")
        row.board_id, row.card_id = board.id, run.card_id
        row.run_id, row.target_run_id = run.id, target.id
        parts = [f"**{row.severity} {row.category}: {row.title}**", row.description, row.suggestion or ""]
        body = "\n\n".join(part for part in parts if part)[:MAX_COMMENT_LENGTH]
        comments.append(ReviewCommentInput(path=row.path, line=row.line_start, side=DiffSide.NEW, body=body))
    mine = [rows[place] for place in places]
    tx.add_all(mine)
    await tx.flush()
    ids = [row.id for row in mine]
    await open_threads(tx, board, target, diff, comments, run.id, finding_ids=ids)


async def create_fix_run(
    tx: Transaction,
    actor: Actor,
    *,
    run_id: Annotated[Id, "The run that the findings are about; the fix continues its branch and session."],
    finding_ids: Annotated[list[Id], "1 to 50 findings about that run."],
    instruction: Annotated[str, "A further instruction, at most 5,000 characters."] = "",
) -> Run:
    """Start a run that mends findings. A card in REVIEW goes back to TODO.

    Once the run has succeeded, the findings name it (`resolvedByRun`) and their threads are resolved. Raises
    NotFound, Conflict for findings about another run, and StageRefused.
    """
    board, target = await lock_run(tx, actor, run_id)
    validation.distinct("findingIds", validation.at_most("findingIds", list(finding_ids), MAX_FINDINGS))
    instruction = validation.multiline("instruction", instruction, 5_000)
    query = select(ReviewFinding).where(
        ReviewFinding.id.in_(finding_ids), ReviewFinding.card_id == target.card_id
    )
    by_id = {finding.id: finding for finding in await tx.scalars(query.with_for_update())}
    for id in finding_ids:
        if id not in by_id:
            raise NotFound(id)
        if by_id[id].target_run_id != target.id:
            raise Conflict("The finding is about another run", id)
    findings = [by_id[id] for id in finding_ids]
    text = _instruction(findings, instruction)
    card = await tx.get_one(Card, target.card_id, populate_existing=True)
    stage = await tx.scalar(select(BoardColumn.stage).where(BoardColumn.id == card.column_id))
    if stage is Stage.REVIEW:
        to = await check_move(tx, board, [card], DestinationInput(stage=Stage.TODO))
        await move_allowed(tx, board, [card], to)
        await on_cards_moved(tx, actor, board, [card], to.left, to.lane.stage, wish=None)
    profile = await tx.get(AgentProfile, target.profile_id) if target.profile_id else None
    again = retry_request(target, profile, instruction=text, resume=True)
    [fix] = await enqueue_runs(tx, actor, board, [(card, replace(again, batch_id=None, place=None))])
    for finding in findings:
        finding.fix_run_id = fix.id
        finding.version += 1
    await tx.flush()
    return fix


def _instruction(findings: Sequence[ReviewFinding], instruction: str) -> str:
    lines = ["Mend what a review found:"]
    for finding in findings:
        place = finding.path if finding.line_start is None else f"{finding.path}:{finding.line_start}"
        lines.append(f"- {place} {finding.severity} {finding.category}: {finding.title}")
        for more in (finding.description, finding.suggestion):
            if more:
                lines.append("  " + more[:MAX_TOLD_LENGTH].replace("\n", "\n  "))
    return "\n".join([*lines, *(["", instruction] if instruction else [])])[:MAX_INSTRUCTION_LENGTH]
