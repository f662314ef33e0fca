"""Asks people and waits for the answer, across broken connections, until the run ends.

The server keeps the question. Asking again with the same key waits for the same question, so nothing is stored
here.
"""

import asyncio
import time
from typing import Any

from worker.tools.session import McpSession, Row, ToolRefused

WAIT_SLICE_SECONDS = 10.0  # length of one waiting request, and interval of progress reports
TRANSIENT_CODES = {"UNAVAILABLE", "TIMEOUT", "RATE_LIMITED", "UNREACHABLE"}  # codes of temporary failures
MAX_OUTAGE_SECONDS = 600.0  # longest duration of temporary failures
RETRY_DELAY_SECONDS = 2.0

ENDS = {
    "EXPIRED": "Nobody answered in time. Decide by yourself, and say what you decided",
    "CANCELLED": "The question was taken back. Decide by yourself, and say what you decided",
}


async def ask_and_wait(
    session: McpSession, key: str, question: Row, expires: int | None, max_wait_seconds: float | None
) -> Any:
    """Ask a question and return its answer. Raises ToolRefused if there is none, or none in time."""
    given: Row = {
        "key": key,
        "questions": [{name: entry for name, entry in question.items() if entry is not None}],
    }
    given |= {"expiresInSeconds": expires} if expires is not None else {}
    began = time.monotonic()
    await _ask_with_retries(session, "AskQuestion", {"input": given})
    while True:
        waited = time.monotonic() - began
        await session.report_progress(waited, f"Waiting for an answer: {question['text'][:200]}")
        left = (
            WAIT_SLICE_SECONDS
            if max_wait_seconds is None
            else min(WAIT_SLICE_SECONDS, max(0.0, max_wait_seconds - waited))
        )
        [question_row] = await _ask_with_retries(session, "AwaitAnswers", {"key": key, "wait": left}) or [
            None
        ]
        if question_row is None:
            raise ToolRefused("NOT_FOUND", "The question is gone: its card or run was deleted")
        if question_row["status"] != "OPEN":
            return _answer(question_row, key)
        if max_wait_seconds is not None and time.monotonic() - began >= max_wait_seconds:
            raise ToolRefused(
                "STILL_OPEN", "Nobody has answered yet. Ask the same again to go on waiting", key=key
            )


def _answer(question_row: Row, key: str) -> Row:
    if question_row["answer"] is None:
        raise ToolRefused(
            question_row["status"], ENDS.get(question_row["status"], "It was not answered"), key=key
        )
    return {
        "key": key,
        "status": question_row["status"],
        "answer": question_row["answer"],
        "by": question_row["answeredHow"],
    }


async def _ask_with_retries(session: McpSession, name: str, variables: Row) -> Any:
    """Execute an operation, repeating it while the server is unreachable."""
    since: float | None = None
    while True:
        try:
            return await session.ask(name, **variables)
        except ToolRefused as refusal:
            since = since or time.monotonic()
            if refusal.code not in TRANSIENT_CODES or time.monotonic() - since > MAX_OUTAGE_SECONDS:
                raise
            await asyncio.sleep(
                min(30.0, max(RETRY_DELAY_SECONDS, float(refusal.more.get("retryAfter") or 0)))
            )
