"""A client that hung up is not worked for.

The server would otherwise run its query to the end. A mutation runs on: half of it may be done,
and the client that asks again with the same idempotency key then finds its answer. One that only waits
looks at `running().hung_up` before it goes on.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from kit.graphql.operation import current_operation

T = TypeVar("T")

WATCH_AFTER_SECONDS = 0.1  # seconds before the connection is watched; nearly every operation is done by then


class ClientDisconnected(Exception):
    """The client hung up; nobody waits for an answer."""


async def run_until_disconnect(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Await `work`, or cancel it and raise Gone when the client hangs up during a query.

    The request's body must have been read: what arrives now can only be the end.
    """
    task, operation = asyncio.current_task(), current_operation()
    assert task is not None, "A request is answered in a task"
    watches: list[asyncio.Task[None]] = []
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await request.receive())["type"] != "http.disconnect":
            pass
        operation.hung_up = True
        if operation.type != "mutation":
            gone = True
            task.cancel()

    timer = asyncio.get_running_loop().call_later(
        WATCH_AFTER_SECONDS, lambda: watches.append(asyncio.create_task(watch()))
    )
    try:
        return await work
    except asyncio.CancelledError:
        if gone:
            task.uncancel()
            raise ClientDisconnected from None
        raise
    finally:
        timer.cancel()
        for each in watches:
            each.cancel()
