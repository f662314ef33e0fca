"""The open threads of a card as a part of the instruction of its next run."""

from sqlalchemy import func, select

from kit.db.transaction import Transaction
from models.review_thread import ReviewComment, ReviewThread

MAX_THREADS_TOLD = 50
MAX_COMMENT_TOLD = 1_000  # characters
MAX_THREADS_LENGTH = 9_000  # characters of all; an instruction has at most 20,000


async def open_threads_text(tx: Transaction, card_id: str) -> str:
    """Return the open threads of a card for an agent, each with its first and its newest comment; or nothing."""
    query = (
        select(ReviewThread)
        .where(ReviewThread.card_id == card_id, ReviewThread.resolved_at.is_(None))
        .order_by(ReviewThread.path, ReviewThread.line, ReviewThread.id)
        .limit(MAX_THREADS_TOLD)
    )
    threads = list(await tx.scalars(query))
    if not threads:
        return ""
    of_threads = ReviewComment.thread_id.in_([thread.id for thread in threads])
    ends = select(func.min(ReviewComment.id), func.max(ReviewComment.id)).where(of_threads)
    ids = {id for row in await tx.execute(ends.group_by(ReviewComment.thread_id)) for id in row}
    comments = select(ReviewComment).where(ReviewComment.id.in_(ids)).order_by(ReviewComment.id)
    bodies: dict[str, list[str]] = {}
    for comment in await tx.scalars(comments):
        bodies.setdefault(comment.thread_id, []).append(comment.body[:MAX_COMMENT_TOLD])
    lines, length = ["Open comments of the review:"], 0
    for thread in threads:
        place = thread.path if thread.line is None else f"{thread.path}:{thread.line}"
        text = f"- {place}{' (the line is gone)' if thread.outdated else ''}"
        if thread.line_text:
            text += f"\n  > {thread.line_text.strip()[:200]}"
        for body in bodies.get(thread.id, []):
            text += "\n  " + body.replace("\n", "\n  ")
        length += len(text)
        if length > MAX_THREADS_LENGTH:
            lines.append("- and more, which are on the card")
            break
        lines.append(text)
    return "\n".join(lines)
