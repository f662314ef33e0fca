"""A TCP proxy that can fail as networks do: go silent without closing, cut, refuse."""

import asyncio
from contextlib import suppress


class Proxy:
    """Forwards connections to `upstream`: (host, port), or the path of a Unix socket.

    `freeze` makes the connections of now silent for ever, in both directions, without closing them;
    new ones are served. `cut` closes all. `refusing` closes new ones at once.
    """

    def __init__(self, upstream: tuple[str, int] | str) -> None:
        self._upstream = upstream
        self._writers: set[asyncio.StreamWriter] = set()
        self._frozen: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.refusing = False
        self.refused = 0

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def freeze(self) -> None:
        self._frozen |= self._writers

    def cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            self.refused += 1
            writer.transport.abort()
            return
        self._tasks.add(task := asyncio.current_task())
        task.add_done_callback(self._tasks.discard)
        if isinstance(self._upstream, str):
            other = await asyncio.open_unix_connection(self._upstream)
        else:
            other = await asyncio.open_connection(*self._upstream)
        self._writers |= {writer, other[1]}
        await asyncio.gather(self._pump(reader, other[1]), self._pump(other[0], writer))
        self._writers -= {writer, other[1]}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if writer not in self._frozen:
                    writer.write(data)
        if writer not in self._frozen:
            writer.transport.abort()
