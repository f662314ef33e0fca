"""Cancel the query of a client that disconnects.

A mutation runs to its end: half of it may be done, and a client that repeats it with the same idempotency key then
finds its answer. A mutation that only waits reads `current_operation().hung_up` before it continues.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from kit.graphql.operation import current_operation

T = TypeVar("T")

WATCH_AFTER_SECONDS = 0.1  # nearly every operation is done before the connection is watched


class ClientDisconnected(Exception):
    """The client disconnected; nobody waits for an answer."""


async def run_until_disconnect(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Await `work`; cancel it and raise ClientDisconnected if the client disconnects during a query.

    The body of the request must have been read: the next message can only be the disconnect.
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
