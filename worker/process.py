"""An agent program as a subprocess: started, heard, answered, limited, stopped.

However the program behaves, `run` comes back with an `Outcome` that says why in one sentence. Success is only what
the program itself declared: a program that exits with 0 and declared nothing has failed. A line of any length takes
bounded memory. Nothing of the program survives it, and nothing of it survives the worker (worker/leash.py).
"""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.events import (
    AgentEvent,
    AgentResult,
    AgentStatus,
    AgentWarning,
    ApprovalRequested,
    DecisionState,
    QuestionRaised,
    StatusChanged,
    ToolStatus,
)
from worker.programs.adapter import ProgramAdapter, ProgramTask, shorten
from worker.worktree.command import PLACES

READ_BYTES = 65_536  # bytes at a time
MAX_STDERR_BYTES = 65_536  # bytes of standard error that are kept: the last ones
CHECK_INTERVAL_SECONDS = 0.5  # seconds between looks at the limits
LEASH = Path(__file__).with_name("leash.py")
SECRET = ("SIGNALBOX_",)  # variables of the worker that no agent gets

Hear = Callable[[AgentEvent], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class ProcessLimits:
    silence: float = 300.0  # seconds without a word, while no tool runs and nobody is waited for
    wall: float = 3600.0  # seconds of work; waiting for a person is not work
    grace: float = 10.0  # seconds between asking to stop and killing
    line: int = 1_048_576  # bytes of one line


@dataclass(frozen=True, kw_only=True)
class ProcessOutcome:
    ended: AgentResult
    session: str = ""
    exit_code: int | None = None
    stderr: str = ""


@dataclass(frozen=True)
class TooLong:
    """What is left of a line that was too long."""

    head: str
    size: int


class Lines:
    """Cuts bytes into lines, with bounded memory."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._rest = bytearray()
        self._lost = 0

    def feed(self, data: bytes) -> Iterator[str | TooLong]:
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._take(line)
            yield self._line()
        self._take(rest)

    def close(self) -> Iterator[str | TooLong]:
        if self._rest:
            yield self._line()

    def _take(self, data: bytes) -> None:
        room = self.most - len(self._rest)
        self._rest += data[:room]
        self._lost += max(0, len(data) - room)

    def _line(self) -> str | TooLong:
        text = self._rest.decode(errors="replace")
        size, lost = len(self._rest) + self._lost, self._lost
        self._rest.clear()
        self._lost = 0
        return TooLong(shorten(text[:1000]), size) if lost else text


class Agent:
    """One run of one agent program."""

    def __init__(
        self,
        executor: ProgramAdapter,
        work: ProgramTask,
        folder: Path,
        limits: ProcessLimits | None = None,
        *,
        held: tuple[int, ...] = (),  # files that stay open until nothing of the program is left
    ) -> None:
        self.executor, self.work, self.folder, self.held = executor, work, folder, held
        self.limits = limits or ProcessLimits()
        self.waiting: set[str] = set()  # questions and approvals that a person has to settle
        self.pid: int | None = None
        self._stopped: AgentResult | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._pipe: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stderr = bytearray()
        self._errors: asyncio.Task[None] | None = None
        self.heard = self._now = time.monotonic()
        self._worked = 0.0

    async def run(self, hear: Hear, env: Mapping[str, str] | None = None) -> ProcessOutcome:
        """Run the program to its end. A slow listener slows the program down, and loses nothing."""
        try:
            await self._start(environment(os.environ if env is None else env))
        except (OSError, ValueError) as error:
            return ProcessOutcome(ended=AgentResult.failed(str(error), "WORKSPACE_ERROR"))
        if self._stopped is not None:
            self._spawn(self._end())  # it was stopped before it had begun
        try:
            await self._listen(hear)
            code = await self._exit()
        finally:
            await self._clean()
        stderr = self._stderr.decode(errors="replace")
        status = (
            ToolStatus.SUCCEEDED if self.executor.ended and self.executor.ended.ok else ToolStatus.STOPPED
        )
        for event in self.executor.tool_ends(status):
            await hear(event)
        ended = self._judge(code, stderr)
        return ProcessOutcome(ended=ended, session=self.executor.session, exit_code=code, stderr=stderr)

    def answer(self, key: str, answers: dict[str, list[str]]) -> bool:
        """Deliver an answer. False: it cannot be told while the program runs; stop it and resume its session."""
        return self._tell(key, self.executor.answer(key, answers))

    def decide(self, key: str, *, allow: bool, note: str = "") -> bool:
        return self._tell(key, self.executor.decide(key, allow=allow, note=note))

    def conclude(self) -> bool:
        """Ask the program to wrap up. False as for `answer`."""
        return self._tell("", self.executor.conclude())

    def stop(self, why: AgentResult) -> None:
        """End the program, politely at first. What it declared before counts."""
        if self._stopped is None:
            self._stopped = why
            self._spawn(self._end())

    async def _start(self, env: dict[str, str]) -> None:
        start = self.executor.start(self.work, self.folder)
        env = env | start.env
        program = shutil.which(start.argv[0], path=env.get("PATH"))
        if program is None:
            raise OSError(f"{start.argv[0]} is not installed on this worker (executor {self.executor.name})")
        ours, self._pipe = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(LEASH), str(ours), program, *start.argv[1:]),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self.folder,
                env=env,
                pass_fds=(ours, *self.held),
                start_new_session=True,
            )
        except BaseException:
            os.close(self._pipe)
            self._pipe = None
            raise
        finally:
            os.close(ours)
        self.pid = self._process.pid
        self.heard = self._now = time.monotonic()
        self._errors = self._spawn(self._keep_stderr())
        self._spawn(self._write(start.stdin, close=not start.keep_stdin))

    async def _listen(self, hear: Hear) -> None:
        assert self._process is not None, "started"
        stdout = self._process.stdout
        assert stdout is not None, "a pipe"
        lines = Lines(self.limits.line)
        while True:
            try:
                data = await asyncio.wait_for(stdout.read(READ_BYTES), CHECK_INTERVAL_SECONDS)
            except TimeoutError:
                if self._process.returncode is not None:
                    break  # somebody who left its group still holds the pipe
                self._look_at_limits()
                continue
            if not data:
                break
            self.heard = time.monotonic()
            for line in lines.feed(data):
                await self._hear(line, hear)
            self._look_at_limits()
        for line in lines.close():
            await self._hear(line, hear)

    async def _hear(self, line: str | TooLong, hear: Hear) -> None:
        had_ended = self.executor.ended is not None
        if isinstance(line, TooLong):
            text = f"A line of {line.size:,} bytes was too long and is left out. It began: {line.head}"
            await hear(AgentWarning(text=text, code="LINE_TOO_LONG"))
            return
        for event in self.executor.read(line):
            await self._notice(event, hear)
        while self.executor.outgoing:
            self._spawn(self._write(self.executor.outgoing.pop(0)))
        if self.executor.ended is not None and not had_ended:
            self._spawn(self._let_go())

    async def _notice(self, event: AgentEvent, hear: Hear) -> None:
        if isinstance(event, QuestionRaised | ApprovalRequested):
            asked = event.decision == DecisionState.ASKED and (
                isinstance(event, ApprovalRequested) or event.blocking
            )
            (self.waiting.add if asked else self.waiting.discard)(event.key)
            if asked and isinstance(event, QuestionRaised):
                await hear(StatusChanged(state=AgentStatus.WAITING, reason="QUESTION"))
            elif asked:
                await hear(StatusChanged(state=AgentStatus.WAITING, reason="APPROVAL"))
        await hear(event)

    def _look_at_limits(self) -> None:
        now = time.monotonic()
        if self.waiting:
            self.heard = now
        else:
            self._worked += now - self._now
        self._now = now
        if self.executor.tools:
            self.heard = now  # a tool that runs is quiet, not silent; the limit of work still counts
        if self.executor.ended:
            return
        if self._worked > self.limits.wall:
            why = f"The attempt took longer than {self.limits.wall:g} s"
            self.stop(AgentResult.failed(why, "TIMEOUT", retryable=True))
        elif now - self.heard > self.limits.silence:
            why = f"The agent said nothing for {self.limits.silence:g} s"
            self.stop(AgentResult.failed(why, "SILENT", retryable=True))

    def _judge(self, code: int, stderr: str) -> AgentResult:
        executor = self.executor
        if self._stopped is None or (executor.ended and executor.ended.ok):
            executor.finish(code, stderr)
            if executor.ended:
                return executor.ended
        if self._stopped is not None:
            return self._stopped
        if code == 0:
            return AgentResult.failed("The agent exited without completing")
        last = shorten(stderr.strip().rpartition("\n")[2], 500)
        how = f"was killed by {_signal(code)}" if code > 128 else f"exited with {code}"
        return AgentResult.failed(f"The agent {how}{': ' if last else ''}{last}", retryable=code > 128)

    def _tell(self, key: str, data: bytes | None) -> bool:
        if data is None or self._process is None or self._process.returncode is not None:
            return False
        self.waiting.discard(key)
        self.heard = time.monotonic()
        self._spawn(self._write(data))
        return True

    async def _write(self, data: bytes, *, close: bool = False) -> None:
        assert self._process is not None, "started"
        stdin = self._process.stdin
        assert stdin is not None, "a pipe"
        with suppress(BrokenPipeError, ConnectionResetError):
            stdin.write(data)
            await stdin.drain()
        if close:
            stdin.close()

    async def _let_go(self) -> None:
        """Its work ended: give it time to leave by itself."""
        await self._write(b"", close=True)
        await asyncio.sleep(self.limits.grace)
        await self._end()

    async def _end(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            self._signal(number)
            await asyncio.sleep(self.limits.grace / 2)

    def _signal(self, number: int) -> None:
        if self._pipe is not None:
            with suppress(BrokenPipeError):
                os.write(self._pipe, bytes([number]))

    async def _keep_stderr(self) -> None:
        assert self._process is not None, "started"
        stderr = self._process.stderr
        assert stderr is not None, "a pipe"
        while data := await stderr.read(READ_BYTES):
            self._stderr += data
            del self._stderr[:-MAX_STDERR_BYTES]

    async def _exit(self) -> int:
        """Wait for the leash. A program may close its output long before it exits."""
        assert self._process, "started"
        while self._process.returncode is None:
            self._look_at_limits()
            await asyncio.sleep(0.01)
        return self._process.returncode

    async def _clean(self) -> None:
        if self._pipe is not None:
            self._signal(signal.SIGKILL)
            os.close(self._pipe)
            self._pipe = None
        if self._errors:
            await asyncio.wait([self._errors], timeout=1.0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._process:
            # Somebody who left the group may still hold the pipes; there is no public way to let go of them.
            self._process._transport.close()  # type: ignore[attr-defined]

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """What an agent may know of the worker's environment: all but the worker's own secrets."""
    return {
        name: value
        for name, value in given.items()
        if not name.startswith(SECRET) and name not in PLACES  # it works in its own folder
    }


def _signal(code: int) -> str:
    with suppress(ValueError):
        return signal.Signals(code - 128).name
    return f"signal {code - 128}"
