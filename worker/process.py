"""An agent program as a subprocess: started, heard, answered, limited, stopped.

However the program behaves, `run` comes back with an `Outcome` that says why in one sentence. The only end of a
program is its exit: what it declared before says how it ended, and it may go on to declare something else. Success
is only what the program itself declared: a program that exits with 0 and declared nothing has failed. A line of any
length takes bounded memory. Nothing of the program survives it, and nothing of it survives the worker
(worker/leash.py).
"""

import asyncio
import codecs
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from protocol.events import (
    AgentEvent,
    AgentResult,
    AgentStatus,
    AgentWarning,
    ApprovalRequested,
    DecisionState,
    OutputStream,
    OutputText,
    QuestionRaised,
    StatusChanged,
    ToolStatus,
)
from worker.lines import MAX_HEAD_CHARS, Lines, TooLong
from worker.programs.adapter import ProgramAdapter, ProgramTask, shorten
from worker.worktree.command import PLACES

READ_BYTES = 65_536  # bytes at a time
MAX_STDERR_BYTES = 65_536  # bytes of standard error that are kept: the last ones
MAX_STDERR_LOG_BYTES = 1_048_576  # of standard error that go into the log: the first ones
CHECK_INTERVAL_SECONDS = 0.5  # seconds between looks at the limits
LEASH = Path(__file__).with_name("leash.py")
SECRET = ("SIGNALBOX_",)  # variables of the worker that no agent gets

Hear = Callable[[AgentEvent], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class ProcessLimits:
    silence: float = 300.0  # seconds without a word, while no tool runs and nobody is waited for
    wall: float = 3600.0  # seconds of work; waiting for a person is not work
    grace: float = 10.0  # seconds between asking to stop and killing
    background: float = 900.0  # seconds without a word, when it is done but for tasks in its background
    line: int = 8_388_608  # bytes of one line; what a longer one says is shortened


@dataclass(frozen=True, kw_only=True)
class ProcessOutcome:
    ended: AgentResult
    session: str = ""
    exit_code: int | None = None
    stderr: str = ""


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
        self._broken_off = (
            False  # it was stopped while tasks ran in its background: what it declared was no end
        )
        self._overdue = ""  # why it was ended although it had declared how it ended
        self._process: asyncio.subprocess.Process | None = None
        self._pipe: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stderr = bytearray()
        self._private: Path | None = None  # files for this program alone
        self._errors: asyncio.Task[None] | None = None
        self.heard = self._now = time.monotonic()
        self._worked = 0.0

    async def run(self, hear: Hear, env: Mapping[str, str] | None = None) -> ProcessOutcome:
        """Run the program to its end. A slow listener slows the program down, and loses nothing."""
        try:
            await self._start(environment(os.environ if env is None else env), hear)
        except (OSError, ValueError) as error:
            await self._clean()
            return ProcessOutcome(ended=AgentResult.failed(str(error), "WORKSPACE_ERROR"))
        if self._stopped is not None:
            self._spawn(self._end())  # it was stopped before it had begun
        try:
            await self._listen(hear)
            code = await self._exit()
            if self._errors:
                await self._errors
        finally:
            await self._clean()
        stderr = self._stderr.decode(errors="replace")
        status = (
            ToolStatus.SUCCEEDED if self.executor.ended and self.executor.ended.ok else ToolStatus.STOPPED
        )
        for event in self.executor.tool_ends(status):
            await hear(event)
        ended = self._judge(code, stderr)
        if self._overdue:
            await hear(AgentWarning(text=self._overdue, code="LINGERED"))
        elif ended.ok and code != 0 and self._stopped is None:
            await hear(AgentWarning(text=f"It {_how(code)} although it had completed", code="EXIT_CODE"))
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
            self._stopped, self._broken_off = why, bool(self.executor.background)
            self._spawn(self._end())

    async def _start(self, env: dict[str, str], hear: Hear) -> None:
        self._private = Path(tempfile.mkdtemp(prefix="signalbox-"))  # nobody else may look into it
        start = self.executor.start(replace(self.work, private=self._private), self.folder)
        for name, text in start.files.items():
            (self._private / name).touch(0o600)
            (self._private / name).write_text(text, encoding="utf-8", errors="replace")
        env = env | start.env
        if start.prepare:
            start.prepare(env)
        program = shutil.which(start.argv[0], path=env.get("PATH"))
        if program is None:
            raise OSError(f"{start.argv[0]} is not installed on this worker (executor {self.executor.name})")
        ours, self._pipe = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(LEASH), str(ours), ",".join(map(str, self.held))),
                *(str(self._private), program, *start.argv[1:]),
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
        self._errors = self._spawn(self._keep_stderr(hear))
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
            for line in lines.feed(data):
                await self._hear(line, hear)
            self.heard = time.monotonic()  # it may have waited for its listener
            self._look_at_limits()
        for line in lines.close():
            await self._hear(line, hear)

    async def _hear(self, line: str | TooLong, hear: Hear) -> None:
        if isinstance(line, TooLong):
            head = shorten(line.text[:MAX_HEAD_CHARS])
            text = f"A line of {line.size:,} bytes was too long and is left out. It began: {head}"
            await hear(AgentWarning(text=text, code="LINE_TOO_LONG"))
            events = self.executor.read_shortened(line.text)
        else:
            events = self.executor.read(line)
        for event in events:
            await self._notice(event, hear)
        while self.executor.outgoing:
            self._spawn(self._write(self.executor.outgoing.pop(0)))

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
        ended = self.executor.ended
        if self.executor.tools and not ended:
            self.heard = now  # a tool that runs is quiet, not silent; the limit of work still counts
        quiet = now - self.heard
        if ended and not self.executor.background and quiet >= self.executor.settle_seconds:
            self._close_input()  # nothing is left to tell it
        if self._worked > self.limits.wall:
            why = f"The attempt took longer than {self.limits.wall:g} s"
            self._end_overdue(AgentResult.failed(why, "TIMEOUT", retryable=True))
        elif quiet > (self.limits.background if ended and self.executor.background else self.limits.silence):
            why = f"The agent said nothing for {quiet:.0f} s"
            self._end_overdue(AgentResult.failed(why, "SILENT", retryable=True))

    def _end_overdue(self, why: AgentResult) -> None:
        """A limit is reached. What it declared before it went on counts more."""
        ended = self.executor.ended
        if ended and self._stopped is None:
            left = ", tasks in its background with it" if self.executor.background else ""
            self._overdue = f"{why.reason} after it was done, and was ended{left}"
        self.stop(ended or why)

    def _judge(self, code: int, stderr: str) -> AgentResult:
        executor = self.executor
        if self._stopped is None or (executor.ended and executor.ended.ok and not self._broken_off):
            executor.finish(code, stderr)
            if executor.ended:
                return executor.ended
        if self._stopped is not None:
            return self._stopped
        if code == 0:
            return AgentResult.failed("The agent exited without completing")
        last = shorten(stderr.strip().rpartition("\n")[2], 500)
        return AgentResult.failed(f"The agent {_how(code)}{': ' if last else ''}{last}", retryable=code > 128)

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
        if stdin.is_closing():
            return
        with suppress(BrokenPipeError, ConnectionResetError):
            stdin.write(data)
            await stdin.drain()
        if close:
            self._close_input()

    def _close_input(self) -> None:
        assert self._process is not None, "started"
        assert self._process.stdin is not None, "a pipe"
        self._process.stdin.close()

    async def _end(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            self._signal(number)
            await asyncio.sleep(self.limits.grace / 2)

    def _signal(self, number: int) -> None:
        if self._pipe is not None:
            with suppress(BrokenPipeError):
                os.write(self._pipe, bytes([number]))

    async def _keep_stderr(self, hear: Hear) -> None:
        """Put standard error into the log: it is a sign of life, and often the only word about what is wrong."""
        assert self._process is not None, "started"
        stderr = self._process.stderr
        assert stderr is not None, "a pipe"
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        logged, data = 0, b"-"
        while data:
            try:
                data = await asyncio.wait_for(stderr.read(READ_BYTES), CHECK_INTERVAL_SECONDS)
            except TimeoutError:
                if self._process.returncode is not None:
                    break
                continue
            self.heard = time.monotonic()
            self._stderr += data
            del self._stderr[:-MAX_STDERR_BYTES]
            if logged > MAX_STDERR_LOG_BYTES:
                continue
            logged += len(data)
            if text := decoder.decode(data, final=not data):
                await hear(OutputText(text=text, item="stderr", stream=OutputStream.STDERR, chunk=True))
            if logged > MAX_STDERR_LOG_BYTES:
                text = f"Standard error has more than {MAX_STDERR_LOG_BYTES:,} bytes; the rest is left out"
                await hear(AgentWarning(text=text, code="STDERR_TOO_LONG"))

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
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._process:
            # Somebody who left the group may still hold the pipes; there is no public way to let go of them.
            self._process._transport.close()  # type: ignore[attr-defined]
        if self._private:
            shutil.rmtree(self._private, ignore_errors=True)

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


def _how(code: int) -> str:
    return f"was killed by {_signal(code)}" if code > 128 else f"exited with {code}"


def _signal(code: int) -> str:
    with suppress(ValueError):
        return signal.Signals(code - 128).name
    return f"signal {code - 128}"
