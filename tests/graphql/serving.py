"""A real server in a process of its own."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"http://[\d.]+:\d+")


@dataclass
class Server:
    url: str
    process: asyncio.subprocess.Process
    log: list[str]

    async def stop(self, seconds: float) -> int:
        """Send SIGTERM and return the exit status. Errors: TimeoutError."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(seconds):
            return await self.process.wait()


@asynccontextmanager
async def serving(*arguments: str) -> AsyncIterator[Server]:
    """Run the toy server on a free port; kill it if it does not end by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.graphql.toy",
        *arguments,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    log: list[str] = []
    async with asyncio.timeout(20):
        while True:
            line = (await process.stderr.readline()).decode()
            assert line, "".join(log)
            log.append(line)
            if found := ADDRESS.search(line):
                break
    rest = asyncio.create_task(_drain(process.stderr, log))
    try:
        await _listens(found[0])
        yield Server(found[0], process, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await rest


async def _listens(url: str) -> None:
    """Wait until somebody listens: uvicorn prints the address when it is only bound."""
    host, port = url.removeprefix("http://").split(":")
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection(host, int(port))
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            return


async def _drain(stream: asyncio.StreamReader, log: list[str]) -> None:
    async for line in stream:
        log.append(line.decode())
