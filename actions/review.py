"""Reviews of people: threads on lines of a run's diff, replies, resolution, and the verdict.

A thread is on a line that its run's diff shows. With the final diff of the next run it is carried over to the line
with the same text that is nearest; without one it is outdated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import func, select

from actions import git, validation
from actions.approval import approve_head
from actions.message import post_message_of
from actions.run.reject import send_back
from auth.locking import lock_review_thread, lock_run
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from kit.graphql.types import input_type
from kit.ids import new_id
from models.actor import Actor
from models.board import Board, BoardColumn
from models.card import Card
from models.diff import DiffContent, DiffFile, DiffSnapshot
from models.events.review import (
    ReviewCompleted,
    ReviewThreadCarriedOver,
    ReviewThreadEvent,
    ReviewThreadOpened,
    ReviewThreadReopened,
    ReviewThreadReplied,
    ReviewThreadResolved,
    thread_facts,
)
from models.message import MessageKind
from models.refusal import Conflict, Invalid
from models.review_thread import (
    MAX_COMMENT_LENGTH,
    MAX_COMMENTS,
    MAX_OPEN_THREADS,
    MAX_REVIEW_COMMENTS,
    DiffSide,
    ReviewComment,
    ReviewThread,
    ReviewVerdict,
    lines_of,
    nearest_line,
)
from models.run import Run
from models.stage import Stage

Body = Annotated[str, "Markdown: 1 to 10,000 characters."]
Path = Annotated[str, "Path of a file of the run's diff."]
Line = Annotated[int | None, "Number of a line that the diff shows, from 1. Default: the whole file."]
IS_OPEN = ReviewThread.resolved_at.is_(None)


@input_type
class ReviewCommentInput:
    """A comment on a line of a run's diff. It opens a thread."""

    path: Path
    line: Line = None
    side: Annotated[DiffSide, "The side of the diff."] = DiffSide.NEW
    body: Body = ""


@dataclass(frozen=True)
class SubmittedReview:
    """A review of a person that was submitted."""

    card: Card
    verdict: ReviewVerdict
    threads: list[ReviewThread]


class ReviewedDiff:
    """The final, or newest, diff of a run: which lines it shows."""

    def __init__(self, files: dict[str, tuple[str | None, str | None]]) -> None:
        self.files = files  # by path: the old path, and the hunks

    def lines(self, path: str, side: DiffSide) -> dict[int, str]:
        return lines_of(self.files[path][1] or "", side)

    def require_line(
        self, at: str, path: str, line: int | None, side: DiffSide, *, name: str = "line"
    ) -> str:
        """Return the text of a line. Raises Invalid unless the diff shows it; None is the whole file."""
        if path not in self.files:
            raise Invalid((f"{at}path", "is not a changed file of the run"))
        if line is None:
            return ""
        lines = self.lines(path, side)
        if line not in lines:
            raise Invalid((f"{at}{name}", "is not a line that the run's diff shows"))
        return lines[line]


async def load_reviewed_diff(tx: Transaction, run_id: str) -> ReviewedDiff:
    """Load the newest diff of a run. Raises Conflict if it has none."""
    newest = select(DiffSnapshot).where(DiffSnapshot.run_id == run_id).order_by(DiffSnapshot.attempt.desc())
    snapshot = await tx.scalar(newest.limit(1))
    if snapshot is None:
        raise Conflict("The run has no diff", run_id)
    query = (
        select(DiffFile.path, DiffFile.moved_from, DiffContent.hunks)
        .outerjoin(
            DiffContent, (DiffContent.board_id == DiffFile.board_id) & (DiffContent.hash == DiffFile.hash)
        )
        .where(DiffFile.snapshot_id == snapshot.id)
    )
    return ReviewedDiff({row.path: (row.moved_from, row.hunks) for row in await tx.execute(query)})


async def create_review_thread(
    tx: Transaction,
    actor: Actor,
    *,
    run_id: Annotated[Id, "The run."],
    path: Path,
    body: Body,
    line: Line = None,
    side: Annotated[DiffSide, "The side of the diff."] = DiffSide.NEW,
) -> ReviewThread:
    """Open a thread on a line of a run's diff.

    Raises Invalid for a line that the diff does not show, Conflict if the run has no diff or the card has 200 open
    threads.
    """
    board, run = await lock_run(tx, actor, run_id)
    diff = await load_reviewed_diff(tx, run.id)
    comment = ReviewCommentInput(path=path, line=line, side=side, body=body)
    [thread] = await open_threads(tx, board, run, diff, [comment], actor.id)
    return thread


async def open_threads(
    tx: Transaction,
    board: Board,
    run: Run,
    diff: ReviewedDiff,
    comments: Sequence[ReviewCommentInput],
    author_id: str | None,
    *,
    at: str = "",
    finding_ids: Sequence[str] | None = None,
) -> list[ReviewThread]:
    """Open a thread for each comment: all, or none. `at` prefixes the paths of issues."""
    count = await tx.scalar(
        select(func.count()).select_from(ReviewThread).where(ReviewThread.card_id == run.card_id, IS_OPEN)
    )
    if (count or 0) + len(comments) > MAX_OPEN_THREADS:
        raise Conflict(f"A card has at most {MAX_OPEN_THREADS} open threads", run.card_id)
    threads = []
    for place, comment in enumerate(comments):
        prefix = at.format(place)
        path = git.validate_path(f"{prefix}path", comment.path)
        thread = ReviewThread(
            id=new_id("thread"),
            board_id=board.id,
            card_id=run.card_id,
            run_id=run.id,
            first_run_id=run.id,
            finding_id=finding_ids[place] if finding_ids else None,
            path=path,
            side=comment.side,
            line=comment.line,
            line_text=diff.require_line(prefix, path, comment.line, comment.side),
            created_by=author_id,
        )
        body = validation.multiline(f"{prefix}body", comment.body, MAX_COMMENT_LENGTH, least=1)
        tx.add(thread)
        await tx.flush()
        tx.add(ReviewComment(id=new_id("remark"), thread_id=thread.id, author_id=author_id, body=body))
        threads.append(thread)
    await tx.flush()
    for thread in threads:
        tx.emit(board, ReviewThreadOpened(**thread_facts(thread)))
    return threads


async def reply_to_thread(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The thread."], body: Body
) -> ReviewThread:
    """Add a comment to a thread. Raises Conflict if it has 100 comments."""
    board, thread = await lock_review_thread(tx, actor, id)
    of_thread = select(func.count()).select_from(ReviewComment).where(ReviewComment.thread_id == thread.id)
    if (await tx.scalar(of_thread) or 0) >= MAX_COMMENTS:
        raise Conflict(f"A thread has at most {MAX_COMMENTS} comments", thread.id)
    body = validation.multiline("body", body, MAX_COMMENT_LENGTH, least=1)
    tx.add(ReviewComment(id=new_id("remark"), thread_id=thread.id, author_id=actor.id, body=body))
    thread.version += 1
    await tx.flush()
    tx.emit(board, ReviewThreadReplied(**thread_facts(thread)))
    return thread


async def resolve_thread(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The thread."],
    resolved: Annotated[bool, "True: resolve; false: reopen."] = True,
) -> ReviewThread:
    """Resolve or reopen a thread. Doing it twice changes nothing."""
    board, thread = await lock_review_thread(tx, actor, id)
    if (thread.resolved_at is not None) == resolved:
        return thread
    thread.resolved_at, thread.resolved_by = (utcnow(), actor.id) if resolved else (None, None)
    thread.version += 1
    await tx.flush()
    event: type[ReviewThreadEvent] = ReviewThreadResolved if resolved else ReviewThreadReopened
    tx.emit(board, event(**thread_facts(thread)))
    return thread


async def submit_review(
    tx: Transaction,
    actor: Actor,
    *,
    run_id: Annotated[Id, "The run that was reviewed."],
    verdict: Annotated[ReviewVerdict, "The verdict."],
    body: Annotated[str, "A comment on the whole, at most 10,000 characters."] = "",
    comments: Annotated[list[ReviewCommentInput] | None, "Comments on lines, at most 50."] = None,
) -> SubmittedReview:
    """Submit a review of a run's work: its comments become threads, its body a message on the card.

    APPROVE approves the step MERGE for the run's commit, as `decideApproval` does. REQUEST_CHANGES sends a card in
    REVIEW back to TODO, as `rejectCard` does, and needs a body or comments. Raises Forbidden if the policy asks for
    another approver, StageRefused if the card may not go back, and as `createReviewThread`.
    """
    board, run = await lock_run(tx, actor, run_id)
    card = await tx.get_one(Card, run.card_id, populate_existing=True)
    body = validation.multiline("body", body, MAX_COMMENT_LENGTH)
    comments = validation.at_most("comments", comments or [], MAX_REVIEW_COMMENTS, least=0)
    if verdict is not ReviewVerdict.APPROVE and not body and not comments:
        raise Invalid(("body", "must say something, or there must be comments"))
    threads: list[ReviewThread] = []
    if comments:
        diff = await load_reviewed_diff(tx, run.id)
        threads = await open_threads(tx, board, run, diff, comments, actor.id, at="comments.{}.")
    if verdict is ReviewVerdict.APPROVE:
        await approve_head(tx, actor, board, card, run, body)
    elif verdict is ReviewVerdict.COMMENT and body:
        await post_message_of(tx, actor, card.id, body)
    completed = ReviewCompleted(
        card_id=card.id, reviewed_run_id=run.id, verdict=verdict, score=None, findings=len(threads), severe=0
    )
    tx.emit(board, completed)
    if verdict is ReviewVerdict.REQUEST_CHANGES:
        stage = await tx.scalar(select(BoardColumn.stage).where(BoardColumn.id == card.column_id))
        text = body or f"Changes were requested in {len(threads)} comments"
        if stage is Stage.REVIEW:
            await send_back(tx, actor, board, card, text)
        else:
            await post_message_of(tx, actor, card.id, text, MessageKind.FEEDBACK)
    return SubmittedReview(card, verdict, threads)


async def carry_threads_over(tx: Transaction, board: Board, run: Run) -> None:
    """Carry the open threads of a card over to the final diff of a run. The caller holds the board."""
    earlier = ReviewThread.card_id == run.card_id, IS_OPEN, ReviewThread.run_id != run.id
    threads = list(await tx.scalars(select(ReviewThread).where(*earlier).order_by(ReviewThread.id)))
    if not threads:
        return
    diff = await load_reviewed_diff(tx, run.id)
    moved = {before: path for path, (before, _) in diff.files.items() if before}
    for thread in threads:
        path = thread.path if thread.path in diff.files else moved.get(thread.path)
        line = None
        if path is not None and thread.line is not None:
            line = nearest_line(diff.lines(path, thread.side), thread.line_text, thread.line)
        stands = path is not None and (line is not None or thread.line is None)
        if not stands and thread.outdated:
            continue
        if stands and path is not None:
            thread.run_id, thread.path, thread.line = run.id, path, line
        thread.outdated = not stands
        thread.version += 1
        await tx.flush()
        tx.emit(board, ReviewThreadCarriedOver(**thread_facts(thread), outdated=thread.outdated))
