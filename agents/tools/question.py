"""Asking people and waiting for them: as long as it takes, through broken connections, until the run ends.

The question is kept by the server. Whoever asks it again by its key goes on waiting for the same one, so nothing
here needs to be remembered.
"""

import asyncio
import time
from typing import Any

from agents.tools.desk import Desk, Refused, Row

SLICE = 10.0  # seconds of one request that waits, and until progress is told again
AGAIN = {"UNAVAILABLE", "TIMEOUT", "RATE_LIMITED", "UNREACHABLE"}  # codes that pass by themselves
PATIENCE = 600.0  # seconds that they may last
PAUSE = 2.0

ENDS = {
    "EXPIRED": "Nobody answered in time. Decide by yourself, and say what you decided",
    "CANCELLED": "The question was taken back. Decide by yourself, and say what you decided",
}


async def ask_and_wait(desk: Desk, key: str, asked: Row, expires: int | None, longest: float | None) -> Any:
    """The answer to one question. Raises Refused when there will be none, or none in time."""
    given: Row = {"key": key, "questions": [{name: one for name, one in asked.items() if one is not None}]}
    given |= {"expiresInSeconds": expires} if expires is not None else {}
    began = time.monotonic()
    await _patiently(desk, "AskQuestion", {"input": given})
    while True:
        waited = time.monotonic() - began
        await desk.tell(waited, f"Waiting for an answer: {asked['text'][:200]}")
        left = SLICE if longest is None else min(SLICE, max(0.0, longest - waited))
        [found] = await _patiently(desk, "AwaitAnswers", {"key": key, "wait": left}) or [None]
        if found is None:
            raise Refused("NOT_FOUND", "The question is gone: its card or run was deleted")
        if found["status"] != "OPEN":
            return _answer(found, key)
        if longest is not None and time.monotonic() - began >= longest:
            raise Refused(
                "STILL_OPEN", "Nobody has answered yet. Ask the same again to go on waiting", key=key
            )


def _answer(found: Row, key: str) -> Row:
    if found["answer"] is None:
        raise Refused(found["status"], ENDS.get(found["status"], "It was not answered"), key=key)
    return {"key": key, "status": found["status"], "answer": found["answer"], "by": found["answeredHow"]}


async def _patiently(desk: Desk, name: str, variables: Row) -> Any:
    """Ask; while the server cannot be had, ask again."""
    since: float | None = None
    while True:
        try:
            return await desk.ask(name, **variables)
        except Refused as refusal:
            since = since or time.monotonic()
            if refusal.code not in AGAIN or time.monotonic() - since > PATIENCE:
                raise
            await asyncio.sleep(min(30.0, max(PAUSE, float(refusal.more.get("retryAfter") or 0))))
