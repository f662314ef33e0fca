"""Snapshots of a run's changes, as its worker reports them: content-addressed, bounded, the newest kept.

A worker sends the hunks of a file once, then names them by their hash. A report that names unknown hashes stores
nothing and returns them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from sqlalchemy import delete, insert, select

from actions import git, validation
from actions.lease import Lease
from actions.review import carry_threads_over
from actions.run.change import emit_run_event, log_events
from actions.run.finish import leased
from actions.run.result import MAX_FILE_LINES
from kit import queue
from kit.db.transaction import Transaction
from kit.graphql.types import input_type
from kit.ids import new_id
from models.actor import Actor
from models.board import Board
from models.diff import (
    CHANGES,
    MAX_DIFF_BYTES,
    MAX_DIFF_FILES,
    MAX_FILE_PATCH_BYTES,
    MAX_SNAPSHOTS,
    CutReason,
    DiffContent,
    DiffFile,
    DiffSnapshot,
    hash_of_hunks,
)
from models.events.run import DiffChanged, run_facts
from models.refusal import Invalid
from models.run import Run
from protocol.events import DiffReported as DiffLine


@input_type
class DiffFileInput:
    """A changed file."""

    path: Annotated[str, "Path from the root of the repository."]
    change: Annotated[str, "ADD, EDIT, MOVE or DELETE."] = "EDIT"
    additions: Annotated[int | None, "Number of lines added; null for a binary file."] = None
    deletions: Annotated[int | None, "Number of lines deleted; null for a binary file."] = None
    moved_from: Annotated[str | None, "Path before a MOVE."] = None
    hash: Annotated[str | None, "SHA-256 of its hunks, in hexadecimal; null if they are left out."] = None
    hunks: Annotated[
        str | None, "Its hunks in unified format, at most 65,536 bytes; null if the server has them."
    ] = None
    cut_reason: Annotated[CutReason | None, "The reason why its hunks are left out."] = None


@dataclass(frozen=True)
class DiffReported:
    """The result of a report of a diff."""

    run_id: str
    missing_hashes: list[str] = field(default_factory=list)


async def report_diff(
    tx: Transaction,
    actor: Actor,
    *,
    lease: Annotated[Lease, "The lease of the run."],
    base_sha: Annotated[str, "The commit that the work starts from."],
    head_sha: Annotated[str, "The commit, or the tree of the folder, that was compared."],
    files: Annotated[list[DiffFileInput], "Changed files, at most 250."],
    file_count: Annotated[int, "Number of changed files, also of those that are not listed."],
    additions: Annotated[int, "Lines added in all files."],
    deletions: Annotated[int, "Lines deleted in all files."],
    final: Annotated[bool, "Whether the agent has ended and `headSha` is its commit."] = False,
) -> DiffReported:
    """Report the changes of a run so far. It replaces the earlier report of the attempt.

    Send hunks once; later name them by their hash. If hashes are missing, nothing was stored: report again with
    their hunks. Report at most every two seconds. Raises LeaseLost if the lease is not held.
    """
    async with leased(tx, actor, lease) as (board, run):
        await queue.lock_leased_job(tx, lease)
        rows, contents = _validate_files(files)
        numbers = {"fileCount": file_count, "additions": additions, "deletions": deletions}
        for name, number in numbers.items():
            validation.in_range(name, number, 0, MAX_FILE_LINES)
        hashes = {row["hash"] for row in rows if row["hash"]}
        known = await _known_hashes(tx, board.id, hashes)
        if missing := sorted(hashes - known - contents.keys()):
            return DiffReported(run.id, missing)
        shas = git.validate_sha("baseSha", base_sha), git.validate_sha("headSha", head_sha)
        snapshot, old_hashes = await _replace_snapshot(tx, board, run, lease.attempt)
        snapshot.base_sha, snapshot.head_sha, snapshot.is_final = *shas, final
        snapshot.file_count = max(file_count, len(rows))
        snapshot.additions, snapshot.deletions = additions, deletions
        snapshot.cut_reason = _cut_reason(rows, snapshot.file_count)
        await tx.flush()
        if new := [
            {"board_id": board.id, "hash": hash, "hunks": hunks}
            for hash, hunks in contents.items()
            if hash not in known and hash in hashes
        ]:
            await tx.execute(insert(DiffContent), new)
        if rows:
            keys = {"snapshot_id": snapshot.id, "board_id": board.id}
            await tx.execute(insert(DiffFile), [{**row, **keys, "place": n} for n, row in enumerate(rows)])
        old_hashes |= await _forget_old_snapshots(tx, run.card_id)
        await _forget_contents(tx, board.id, old_hashes - hashes)
        if final:
            await carry_threads_over(tx, board, run)
        count = snapshot.file_count
        await log_events(tx, run, DiffLine(files=count, additions=additions, deletions=deletions))
        changed = DiffChanged(**run_facts(run), files=count, additions=additions, deletions=deletions)
        emit_run_event(tx, board, changed)
        return DiffReported(run.id)


def _validate_files(files: Sequence[DiffFileInput]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the rows of files, and the hunks that were sent, by their hash. Raises Invalid."""
    validation.at_most("files", list(files), MAX_DIFF_FILES, least=0)
    rows, contents, size = [], dict[str, str](), 0
    for place, file in enumerate(files):
        path = f"files.{place}"
        if file.change not in CHANGES:
            raise Invalid((f"{path}.change", f"must be one of {', '.join(CHANGES)}"))
        if file.hunks is not None:
            length = len(file.hunks.encode(errors="surrogatepass"))
            size += length
            if length > MAX_FILE_PATCH_BYTES or size > MAX_DIFF_BYTES:
                most = f"{MAX_FILE_PATCH_BYTES} bytes for a file and {MAX_DIFF_BYTES} in all"
                raise Invalid((f"{path}.hunks", f"must have at most {most}"))
            if file.hash != hash_of_hunks(file.hunks):
                raise Invalid((f"{path}.hash", "is not the SHA-256 of the hunks"))
            contents[file.hash] = validation.sanitize(file.hunks)
        moved = file.moved_from
        rows.append(
            {
                "path": validation.sanitize(git.validate_path(f"{path}.path", file.path)),
                "change": file.change,
                "additions": validation.in_range(f"{path}.additions", file.additions, 0, MAX_FILE_LINES),
                "deletions": validation.in_range(f"{path}.deletions", file.deletions, 0, MAX_FILE_LINES),
                "moved_from": validation.sanitize(git.validate_path(f"{path}.movedFrom", moved))
                if moved
                else None,
                "hash": file.hash and git.validate_sha(f"{path}.hash", file.hash),
                "cut_reason": file.cut_reason,
            }
        )
    return rows, contents


def _cut_reason(rows: Sequence[dict[str, Any]], count: int) -> CutReason | None:
    if count > len(rows):
        return CutReason.TOO_MANY_FILES
    reasons = {row["cut_reason"] for row in rows} - {None, CutReason.BINARY}
    return next((reason for reason in CutReason if reason in reasons), None)


async def _known_hashes(tx: Transaction, board_id: str, hashes: set[str]) -> set[str]:
    if not hashes:
        return set()
    query = select(DiffContent.hash).where(DiffContent.board_id == board_id, DiffContent.hash.in_(hashes))
    return set(await tx.scalars(query))


async def _replace_snapshot(
    tx: Transaction, board: Board, run: Run, attempt: int
) -> tuple[DiffSnapshot, set[str]]:
    """Return the snapshot of an attempt without its files, and the hashes that those had."""
    query = select(DiffSnapshot).where(DiffSnapshot.run_id == run.id, DiffSnapshot.attempt == attempt)
    snapshot = await tx.scalar(query)
    if snapshot is None:
        snapshot = DiffSnapshot(
            id=new_id("diff"), board_id=board.id, card_id=run.card_id, run_id=run.id, attempt=attempt
        )
        tx.add(snapshot)
        return snapshot, set()
    snapshot.version += 1
    files = DiffFile.snapshot_id == snapshot.id
    hashes = set(await tx.scalars(select(DiffFile.hash).where(files, DiffFile.hash.is_not(None))))
    await tx.execute(delete(DiffFile).where(files))
    return snapshot, {hash for hash in hashes if hash is not None}


async def _forget_old_snapshots(tx: Transaction, card_id: str) -> set[str]:
    """Delete all but the newest snapshots of a card. Returns the hashes that they had."""
    newest = select(DiffSnapshot.id).where(DiffSnapshot.card_id == card_id).order_by(DiffSnapshot.id.desc())
    old = list(await tx.scalars(newest.offset(MAX_SNAPSHOTS).limit(MAX_SNAPSHOTS)))
    if not old:
        return set()
    files = DiffFile.snapshot_id.in_(old)
    hashes = set(await tx.scalars(select(DiffFile.hash).where(files, DiffFile.hash.is_not(None))))
    await tx.execute(delete(DiffFile).where(files))
    await tx.execute(delete(DiffSnapshot).where(DiffSnapshot.id.in_(old)))
    return {hash for hash in hashes if hash is not None}


async def _forget_contents(tx: Transaction, board_id: str, hashes: set[str]) -> None:
    """Delete the contents of these hashes that no file of the board names any more."""
    if not hashes:
        return
    is_used = select(DiffFile.place).where(
        DiffFile.board_id == DiffContent.board_id, DiffFile.hash == DiffContent.hash
    )
    unused = DiffContent.board_id == board_id, DiffContent.hash.in_(hashes), ~is_used.exists()
    await tx.execute(delete(DiffContent).where(*unused).execution_options(synchronize_session=False))
