"""Runs the checks that a board requires, in the worktree, after the agent has ended.

A check is a command of the shell. It runs below a leash (worker/leash.py), so no process of it survives it, nor the
worker. Its output is read to the end, and its head and tail are kept: memory is bounded for any output. It ends by
its exit, by its time limit, or because the run is stopped; each result says which.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from worker.process import LEASH, READ_BYTES, environment

HALF_OUTPUT_BYTES = 32_000  # kept from the head, and from the tail
GRACE_SECONDS = 2.0  # between SIGTERM and SIGKILL
CLOSE_SECONDS = 2.0  # until the output is given up that a process outside of the leash holds open


@dataclass(frozen=True, kw_only=True)
class RequiredCheck:
    kind: str
    name: str
    command: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class FinishedCheck:
    kind: str
    name: str
    status: str  # PASSED, FAILED, ERROR, SKIPPED
    exit_code: int | None = None
    output: str = ""
    seconds: float = 0.0


@dataclass
class HeadAndTail:
    """The first and the last bytes of an output of any length."""

    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    left_out: int = 0

    def add(self, data: bytes) -> None:
        room = HALF_OUTPUT_BYTES - len(self.head)
        self.head += data[:room]
        self.tail += data[room:] if room > 0 else data
        if (excess := len(self.tail) - HALF_OUTPUT_BYTES) > 0:
            del self.tail[:excess]
            self.left_out += excess

    def text(self) -> str:
        if not self.left_out:
            return (self.head + self.tail).decode(errors="replace")
        head, tail = self.head.decode(errors="replace"), self.tail.decode(errors="replace")
        return f"{head}\n[… {self.left_out:,} bytes are left out …]\n{tail}"


class CheckRunner:
    """Runs checks one after the other. `stop` ends the running one and skips the others."""

    def __init__(self, folder: Path, held: Sequence[int] = ()) -> None:
        self.folder, self.held = folder, tuple(held)
        self._stopped = ""
        self._pipe: int | None = None

    def stop(self, why: str) -> None:
        self._stopped = self._stopped or why
        self._signal(signal.SIGKILL)

    async def run(self, checks: Sequence[RequiredCheck]) -> list[FinishedCheck]:
        return [await self._run_one(check) for check in checks]

    async def _run_one(self, check: RequiredCheck) -> FinishedCheck:
        finished = partial(FinishedCheck, kind=check.kind, name=check.name)
        if self._stopped:
            return finished(status="SKIPPED", output=self._stopped)
        begun, output = time.monotonic(), HeadAndTail()
        try:
            code, is_late = await self._execute(check, output)
        except (OSError, ValueError) as error:
            return finished(status="ERROR", output=f"It could not be started: {error}")
        seconds, text = time.monotonic() - begun, output.text()
        if self._stopped:
            return finished(status="SKIPPED", output=f"{text}\n{self._stopped}", seconds=seconds)
        if is_late:
            text += f"\nIt took longer than {check.seconds:g} s and was ended"
            return finished(status="ERROR", exit_code=code, output=text, seconds=seconds)
        status = "PASSED" if code == 0 else "FAILED"
        return finished(status=status, exit_code=code, output=text, seconds=seconds)

    async def _execute(self, check: RequiredCheck, output: HeadAndTail) -> tuple[int, bool]:
        """Run a command. Returns its exit code, and whether it reached its time limit."""
        private = tempfile.mkdtemp(prefix="signalbox-")  # the leash removes it
        ours, self._pipe = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(LEASH), str(ours), ",".join(map(str, self.held)), private),
                *("/bin/sh", "-c", check.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd=self.folder,
                env=environment(os.environ) | {"CI": "true", "TMPDIR": private},
                pass_fds=(ours, *self.held),
                start_new_session=True,
            )
        except BaseException:
            self._close()
            raise
        finally:
            os.close(ours)
        assert process.stdout is not None, "a pipe"
        reading = asyncio.create_task(_read(process.stdout, output))
        is_late = False
        try:
            try:
                await asyncio.wait_for(process.wait(), check.seconds)
            except TimeoutError:
                is_late = True
                self._signal(signal.SIGTERM)
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), GRACE_SECONDS)
                self._signal(signal.SIGKILL)
                await process.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(reading, CLOSE_SECONDS)
        finally:
            self._close()  # ends everything, if it has not ended
            reading.cancel()
            process._transport.close()  # type: ignore[attr-defined]
        return process.returncode if process.returncode is not None else -1, is_late

    def _signal(self, number: int) -> None:
        if self._pipe is not None:
            with suppress(BrokenPipeError):
                os.write(self._pipe, bytes([number]))

    def _close(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


async def _read(stream: asyncio.StreamReader, output: HeadAndTail) -> None:
    while data := await stream.read(READ_BYTES):
        output.add(data)
