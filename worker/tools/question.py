"""Asking people and waiting for them: as long as it takes, through broken connections, until the run ends.

The question is kept by the server. Whoever asks it again by its key goes on waiting for the same one, so nothing
here needs to be remembered.
"""

import asyncio
import time
from typing import Any

from worker.tools.session import McpSession, Row, ToolRefused

WAIT_SLICE_SECONDS = 10.0  # seconds of one request that waits, and until progress is told again
TRANSIENT_CODES = {"UNAVAILABLE", "TIMEOUT", "RATE_LIMITED", "UNREACHABLE"}  # codes that pass by themselves
MAX_OUTAGE_SECONDS = 600.0  # seconds that they may last
RETRY_DELAY_SECONDS = 2.0

ENDS = {
    "EXPIRED": "Nobody answered in time. Decide by yourself, and say what you decided",
    "CANCELLED": "The question was taken back. Decide by yourself, and say what you decided",
}


async def ask_and_wait(
    desk: McpSession, key: str, asked: Row, expires: int | None, longest: float | None
) -> Any:
    """The answer to one question. Raises Refused when there will be none, or none in time."""
    given: Row = {"key": key, "questions": [{name: one for name, one in asked.items() if one is not None}]}
    given |= {"expiresInSeconds": expires} if expires is not None else {}
    began = time.monotonic()
    await _patiently(desk, "AskQuestion", {"input": given})
    while True:
        waited = time.monotonic() - began
        await desk.tell(waited, f"Waiting for an answer: {asked['text'][:200]}")
        left = WAIT_SLICE_SECONDS if longest is None else min(WAIT_SLICE_SECONDS, max(0.0, longest - waited))
        [found] = await _patiently(desk, "AwaitAnswers", {"key": key, "wait": left}) or [None]
        if found is None:
            raise ToolRefused("NOT_FOUND", "The question is gone: its card or run was deleted")
        if found["status"] != "OPEN":
            return _answer(found, key)
        if longest is not None and time.monotonic() - began >= longest:
            raise ToolRefused(
                "STILL_OPEN", "Nobody has answered yet. Ask the same again to go on waiting", key=key
            )


def _answer(found: Row, key: str) -> Row:
    if found["answer"] is None:
        raise ToolRefused(found["status"], ENDS.get(found["status"], "It was not answered"), key=key)
    return {"key": key, "status": found["status"], "answer": found["answer"], "by": found["answeredHow"]}


async def _patiently(desk: McpSession, name: str, variables: Row) -> Any:
    """Ask; while the server cannot be had, ask again."""
    since: float | None = None
    while True:
        try:
            return await desk.ask(name, **variables)
        except ToolRefused as refusal:
            since = since or time.monotonic()
            if refusal.code not in TRANSIENT_CODES or time.monotonic() - since > MAX_OUTAGE_SECONDS:
                raise
            await asyncio.sleep(
                min(30.0, max(RETRY_DELAY_SECONDS, float(refusal.more.get("retryAfter") or 0)))
            )
