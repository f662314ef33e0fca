"""Results of checks: recorded for a commit of a card, by the worker of a run or from a code host.

A commit has one result for each kind and name; a new result replaces it. Results of the newest commits are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import delete, func, select

from actions import git, validation
from actions.lease import Lease
from actions.run.finish import leased
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.types import input_type
from kit.ids import new_id
from models.actor import Actor
from models.board import Board
from models.check import (
    MAX_CHECK_NAME_LENGTH,
    MAX_CHECKS,
    MAX_COMMITS_CHECKED,
    Check,
    CheckKind,
    CheckStatus,
    fitted_output,
)
from models.events.check import ChecksRecorded
from models.refusal import Invalid
from models.run import Run
from protocol.text import plain

MAX_URL_LENGTH = 2_000  # characters
FAILURES = (CheckStatus.FAILED, CheckStatus.ERROR)


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The result of a check, as it is recorded."""

    kind: CheckKind
    name: str
    status: CheckStatus
    exit_code: int | None = None
    output: str = ""
    url: str | None = None
    external_id: str | None = None
    seconds: float | None = None
    finished_at: datetime | None = None


@input_type
class CheckInput:
    """The result of a check."""

    kind: Annotated[CheckKind, "The kind."]
    name: Annotated[str, "1 to 100 characters, as in the board's policy."]
    status: Annotated[CheckStatus, "The status."]
    exit_code: Annotated[int | None, "Exit code of its command; null if it has none."] = None
    output: Annotated[str, "Its output; of more than 65,536 bytes the head and the tail are kept."] = ""
    seconds: Annotated[float | None, "Its duration in seconds."] = None


@dataclass(frozen=True)
class RecordedChecks:
    """The checks of a commit after results were recorded."""

    checks: list[Check]


async def report_checks(
    tx: Transaction,
    actor: Actor,
    *,
    lease: Annotated[Lease, "The lease of the run."],
    sha: Annotated[str, "The commit that was checked."],
    checks: Annotated[list[CheckInput], "1 to 100 results, each with another kind or name."],
) -> RecordedChecks:
    """Report the results of checks that a worker ran on a run's work. A later result replaces an earlier one.

    Raises LeaseLost if the lease is not held.
    """
    async with leased(tx, actor, lease) as (board, run):
        await queue.lock_leased_job(tx, lease)
        sha = git.validate_sha("sha", sha)
        validation.at_most("checks", checks, MAX_CHECKS)
        results = [_validate_result(f"checks.{place}", check) for place, check in enumerate(checks)]
        validation.distinct("checks", [(result.kind, result.name) for result in results])
        return RecordedChecks(await record_checks(tx, board, run.card_id, sha, results, run=run))


def _validate_result(path: str, check: CheckInput) -> CheckResult:
    if check.seconds is not None and not 0 <= check.seconds < 1e9:
        raise Invalid((f"{path}.seconds", "must be 0 or more"))
    return CheckResult(
        kind=check.kind,
        name=validation.single_line(f"{path}.name", check.name, MAX_CHECK_NAME_LENGTH),
        status=check.status,
        exit_code=check.exit_code,
        output=check.output,
        seconds=check.seconds,
    )


async def record_checks(
    tx: Transaction,
    board: Board,
    card_id: str,
    sha: str,
    results: Sequence[CheckResult],
    *,
    run: Run | None = None,
) -> list[Check]:
    """Record results for a commit of a card. Results that change nothing emit no event.

    The caller holds the board, which serializes the results of a commit. Returns all checks of the commit.
    """
    known = {(check.kind, check.name): check for check in await load_checks(tx, card_id, sha)}
    has_changed = False
    for result in results:
        values = _columns_of(result)
        check = known.get((result.kind, result.name))
        if check is None:
            if len(known) >= MAX_CHECKS:
                raise Invalid(("checks", f"a commit has at most {MAX_CHECKS} checks"))
            check = Check(
                id=new_id("check"), board_id=board.id, card_id=card_id, sha=sha, kind=result.kind, **values
            )
            tx.add(check)
            known[result.kind, result.name] = check
        elif any(getattr(check, name) != value for name, value in values.items() if name != "finished_at"):
            for name, value in values.items():
                setattr(check, name, value)
            check.version += 1
        else:
            continue
        check.run_id = check.run_id or (run.id if run is not None else None)
        has_changed = True
    if has_changed:
        await tx.flush()
        checks = list(known.values())
        recorded = ChecksRecorded(
            card_id=card_id,
            checked_run_id=run.id if run is not None else None,
            sha=sha,
            pending=sum(check.status is CheckStatus.PENDING for check in checks),
            passed=sum(check.status is CheckStatus.PASSED for check in checks),
            failed=sum(check.status in FAILURES for check in checks),
        )
        tx.emit(board, recorded)
        await _forget_old_commits(tx, card_id)
    return sorted(known.values(), key=lambda check: (check.kind, check.name))


def _columns_of(result: CheckResult) -> dict[str, Any]:
    is_pending = result.status is CheckStatus.PENDING
    return {
        "name": result.name[:MAX_CHECK_NAME_LENGTH],
        "status": result.status,
        "exit_code": result.exit_code,
        "output": fitted_output(validation.sanitize(plain(result.output))),
        "url": result.url if result.url and len(result.url) <= MAX_URL_LENGTH else None,
        "external_id": result.external_id,
        "seconds": result.seconds,
        "finished_at": None if is_pending else result.finished_at or utcnow(),
    }


async def load_checks(tx: Transaction, card_id: str, sha: str) -> list[Check]:
    """Load the checks of a commit of a card."""
    query = select(Check).where(Check.card_id == card_id, Check.sha == sha).order_by(Check.kind, Check.name)
    return list(await tx.scalars(query))


async def _forget_old_commits(tx: Transaction, card_id: str) -> None:
    newest = (
        select(Check.sha)
        .where(Check.card_id == card_id)
        .group_by(Check.sha)
        .order_by(func.max(Check.updated_at).desc(), Check.sha)
    )
    old = list(await tx.scalars(newest.offset(MAX_COMMITS_CHECKED).limit(MAX_CHECKS)))
    if old:
        await tx.execute(delete(Check).where(Check.card_id == card_id, Check.sha.in_(old)))
