"""Operations that answer in many frames on one HTTP response: SSE and multipart.

The framing is the library's but for SSE's line ends: clients in use split frames at LF LF, and
cannot read CR LF CR LF. A stream is chosen only when it is the client's first choice. It ends with
`complete` when the operation does, when the server drains, and, after an error frame with the code
UNAUTHENTICATED, when access ends.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from strawberry.http.streaming import MultipartSubscriptionTransport, SSETransport

from kit.graphql.broadcast.broadcast import StreamedResult
from kit.graphql.http import accept


class SSE(SSETransport):
    headers = {**SSETransport.headers, "Cache-Control": "no-store, no-transform"}

    def accepts(self, accept_header: str) -> bool:
        best = accept.preferred(accept_header)
        return best is not None and best.type == accept.STREAM

    def encode_event(self, event: str, data: str | None = None) -> str:
        return f"event: {event}\ndata: {data or ''}\n\n"

    def encode_comment(self, comment: str) -> str:
        return f": {comment}\n\n"


class Multipart(MultipartSubscriptionTransport):
    def accepts(self, accept_header: str) -> bool:
        best = accept.preferred(accept_header)
        return (
            best is not None
            and best.type == accept.MULTIPART
            and best.parameters.get("subscriptionspec", "").startswith("1.0")
            and best.parameters.get("boundary", "graphql") == "graphql"
        )


@dataclass(frozen=True)
class StreamEnded:
    """The stream was ended from outside. `reason` is None if the server drains."""

    reason: str | None


class Heartbeat:
    """Nothing happened for a while: a sign of life keeps proxies from closing the connection."""


Frame = StreamedResult | StreamEnded | Heartbeat


async def frames(
    source: AsyncIterator[StreamedResult],
    *,
    interval: float,
    ends: list[Callable[[], Awaitable[StreamEnded]]],
) -> AsyncGenerator[Frame, None]:
    """Yield what `source` yields, Heartbeat after `interval` seconds of silence, StreamEnded if cut short.

    Shape: at most one item waits for a slow reader; `source` is closed before this returns.
    One task reads `source` from start to end: what it runs in must not change between two items.
    """
    items: asyncio.Queue[tuple[bool, Any]] = asyncio.Queue()
    room = asyncio.Semaphore(1)

    async def pump() -> None:
        async with aclosing(cast("AsyncGenerator[Any, None]", source)) as values:
            async for value in values:
                await room.acquire()
                items.put_nowait((False, value))
        items.put_nowait((True, None))

    async def watch(end: Callable[[], Awaitable[StreamEnded]]) -> None:
        items.put_nowait((True, await end()))

    tasks = [asyncio.create_task(pump()), *(asyncio.create_task(watch(end)) for end in ends)]
    tasks[0].add_done_callback(lambda task: _pass_on(task, items))
    try:
        while True:
            try:
                async with asyncio.timeout(interval):
                    last, item = await items.get()
            except TimeoutError:
                yield Heartbeat()
                continue
            if isinstance(item, BaseException):
                raise item
            if last and item is None:
                return
            yield item
            if last:
                return
            room.release()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _pass_on(task: asyncio.Task[None], items: "asyncio.Queue[tuple[bool, Any]]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        items.put_nowait((True, error))
