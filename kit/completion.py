"""Steps that are completed even if their caller is cancelled: a transaction cut off costs its connection."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def complete(step: Coroutine[Any, Any, T]) -> T:
    """Complete a step, even if the caller is cancelled meanwhile. The cancellation follows."""
    doing = asyncio.create_task(step)
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.gather(doing, return_exceptions=True)
        raise
