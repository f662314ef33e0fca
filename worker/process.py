"""Runs an agent program as a subprocess: start, output, answers, limits, stop.

`run` always returns a `ProcessOutcome` with a reason in one sentence, however the program behaves. A program ends
only by its exit; what it declared before says how it ended, and it may go on and declare something else. Only the
program itself can declare success: exit code 0 without a declaration is a failure. Memory is bounded for lines of
any length. No process of the program survives it, and none survives the worker (worker/leash.py).
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

READ_BYTES = 65_536
MAX_STDERR_BYTES = 65_536  # kept from the end of standard error
MAX_STDERR_LOG_BYTES = 1_048_576  # logged from the beginning of standard error
CHECK_INTERVAL_SECONDS = 0.5  # between two checks of the limits
LEASH = Path(__file__).with_name("leash.py")
SECRET = ("SIGNALBOX_",)  # prefixes of variables that agents do not get

EventHandler = Callable[[AgentEvent], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class ProcessLimits:
    silence: float = 300.0  # seconds without output while no tool runs and no person is waited for
    wall: float = 3600.0  # seconds of work, without the time spent waiting for people
    grace: float = 10.0  # seconds between the first signal and SIGKILL
    background: float = 900.0  # seconds without output after a result, while background tasks run
    line: int = 8_388_608  # bytes; longer lines are shortened


@dataclass(frozen=True, kw_only=True)
class ProcessOutcome:
    ended: AgentResult
    session: str = ""
    exit_code: int | None = None
    stderr: str = ""


class Agent:
    """One process of an agent program."""

    def __init__(
        self,
        adapter: ProgramAdapter,
        work: ProgramTask,
        folder: Path,
        limits: ProcessLimits | None = None,
        *,
        held: tuple[int, ...] = (),  # descriptors that stay open until no process of the program is left
    ) -> None:
        self.adapter, self.work, self.folder, self.held = adapter, work, folder, held
        self.limits = limits or ProcessLimits()
        self.waiting: set[str] = set()  # keys of open questions and approvals
        self.pid: int | None = None
        self._stopped: AgentResult | None = None
        self._broken_off = False  # stopped while background tasks ran, so its declared result was not final
        self._overdue = ""  # the reason for stopping it after it declared a result
        self._process: asyncio.subprocess.Process | None = None
        self._pipe: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stderr = bytearray()
        self._private: Path | None = None  # private files of this process
        self._errors: asyncio.Task[None] | None = None
        self.last_sign_of_life = self._now = time.monotonic()
        self._worked = 0.0

    async def run(self, on_event: EventHandler, env: Mapping[str, str] | None = None) -> ProcessOutcome:
        """Run the program until it exits. A slow `on_event` slows the program down; no event is lost."""
        try:
            await self._start(environment(os.environ if env is None else env), on_event)
        except (OSError, ValueError) as error:
            await self._clean()
            return ProcessOutcome(ended=AgentResult.failed(str(error), "WORKSPACE_ERROR"))
        if self._stopped is not None:
            self._spawn(self._end())  # stopped before it started
        try:
            await self._listen(on_event)
            code = await self._exit()
            if self._errors:
                await self._errors
        finally:
            await self._clean()
        stderr = self._stderr.decode(errors="replace")
        status = ToolStatus.SUCCEEDED if self.adapter.ended and self.adapter.ended.ok else ToolStatus.STOPPED
        for event in self.adapter.tool_ends(status):
            await on_event(event)
        ended = self._judge(code, stderr)
        if self._overdue:
            await on_event(AgentWarning(text=self._overdue, code="LINGERED"))
        elif ended.ok and code != 0 and self._stopped is None:
            await on_event(AgentWarning(text=f"It {_how(code)} although it had completed", code="EXIT_CODE"))
        return ProcessOutcome(ended=ended, session=self.adapter.session, exit_code=code, stderr=stderr)

    def answer(self, key: str, answers: dict[str, list[str]]) -> bool:
        """Deliver an answer. Returns False if the program cannot take it while it runs: stop it and resume its
        session."""
        return self._tell(key, self.adapter.answer(key, answers))

    def decide(self, key: str, *, allow: bool, note: str = "") -> bool:
        return self._tell(key, self.adapter.decide(key, allow=allow, note=note))

    def conclude(self) -> bool:
        """Ask the program to wrap up. Returns False as `answer` does."""
        return self._tell("", self.adapter.conclude())

    def tell(self, text: str, *, interrupts: bool) -> bool:
        """Give the program a message. Returns False as `answer` does."""
        return self._tell("", self.adapter.tell(text, interrupts=interrupts))

    def stop(self, why: AgentResult) -> None:
        """Stop the program with increasing force. A result that it declared earlier still counts."""
        if self._stopped is None:
            self._stopped, self._broken_off = why, bool(self.adapter.background)
            self._spawn(self._end())

    async def _start(self, env: dict[str, str], on_event: EventHandler) -> None:
        self._private = Path(tempfile.mkdtemp(prefix="signalbox-"))  # mode 0700
        start = self.adapter.start(replace(self.work, private=self._private), self.folder)
        for name, text in start.files.items():
            (self._private / name).touch(0o600)
            (self._private / name).write_text(text, encoding="utf-8", errors="replace")
        env = env | start.env
        if start.prepare:
            start.prepare(env)
        program = shutil.which(start.argv[0], path=env.get("PATH"))
        if program is None:
            raise OSError(f"{start.argv[0]} is not installed on this worker (program {self.adapter.name})")
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
        self.last_sign_of_life = self._now = time.monotonic()
        self._errors = self._spawn(self._keep_stderr(on_event))
        self._spawn(self._write(start.stdin, close=not start.keep_stdin))

    async def _listen(self, on_event: EventHandler) -> None:
        assert self._process is not None, "started"
        stdout = self._process.stdout
        assert stdout is not None, "a pipe"
        lines = Lines(self.limits.line)
        while True:
            try:
                data = await asyncio.wait_for(stdout.read(READ_BYTES), CHECK_INTERVAL_SECONDS)
            except TimeoutError:
                if self._process.returncode is not None:
                    break  # a process outside of the group still holds the pipe
                self._look_at_limits()
                continue
            if not data:
                break
            for line in lines.feed(data):
                await self._read_line(line, on_event)
            self.last_sign_of_life = time.monotonic()  # `on_event` may have blocked
            self._look_at_limits()
        for line in lines.close():
            await self._read_line(line, on_event)

    async def _read_line(self, line: str | TooLong, on_event: EventHandler) -> None:
        if isinstance(line, TooLong):
            head = shorten(line.text[:MAX_HEAD_CHARS])
            text = f"A line of {line.size:,} bytes was too long and is left out. It began: {head}"
            await on_event(AgentWarning(text=text, code="LINE_TOO_LONG"))
            events = self.adapter.read_shortened(line.text)
        else:
            events = self.adapter.read(line)
        for event in events:
            await self._notice(event, on_event)
        while self.adapter.outgoing:
            self._spawn(self._write(self.adapter.outgoing.pop(0)))

    async def _notice(self, event: AgentEvent, on_event: EventHandler) -> None:
        if isinstance(event, QuestionRaised | ApprovalRequested):
            is_open = event.decision == DecisionState.ASKED and (
                isinstance(event, ApprovalRequested) or event.blocking
            )
            (self.waiting.add if is_open else self.waiting.discard)(event.key)
            if is_open and isinstance(event, QuestionRaised):
                await on_event(StatusChanged(state=AgentStatus.WAITING, reason="QUESTION"))
            elif is_open:
                await on_event(StatusChanged(state=AgentStatus.WAITING, reason="APPROVAL"))
        await on_event(event)

    def _look_at_limits(self) -> None:
        now = time.monotonic()
        if self.waiting:
            self.last_sign_of_life = now
        else:
            self._worked += now - self._now
        self._now = now
        ended = self.adapter.ended
        if self.adapter.tools and not ended:
            self.last_sign_of_life = now  # a running tool may be quiet; `wall` still applies
        quiet = now - self.last_sign_of_life
        if ended and not self.adapter.background and quiet >= self.adapter.settle_seconds:
            self._close_input()  # no further input follows
        if self._worked > self.limits.wall:
            why = f"The attempt took longer than {self.limits.wall:g} s"
            self._end_overdue(AgentResult.failed(why, "TIMEOUT", retryable=True))
        elif quiet > (self.limits.background if ended and self.adapter.background else self.limits.silence):
            why = f"The agent said nothing for {quiet:.0f} s"
            self._end_overdue(AgentResult.failed(why, "SILENT", retryable=True))

    def _end_overdue(self, why: AgentResult) -> None:
        """Stop a program that reached a limit. A result that it declared earlier takes precedence."""
        ended = self.adapter.ended
        if ended and self._stopped is None:
            left = ", tasks in its background with it" if self.adapter.background else ""
            self._overdue = f"{why.reason} after it was done, and was ended{left}"
        self.stop(ended or why)

    def _judge(self, code: int, stderr: str) -> AgentResult:
        adapter = self.adapter
        if self._stopped is None or (adapter.ended and adapter.ended.ok and not self._broken_off):
            adapter.finish(code, stderr)
            if adapter.ended:
                return adapter.ended
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
        self.last_sign_of_life = time.monotonic()
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

    async def _keep_stderr(self, on_event: EventHandler) -> None:
        """Log standard error. It is a sign of life, and often the only explanation of a failure."""
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
            self.last_sign_of_life = time.monotonic()
            self._stderr += data
            del self._stderr[:-MAX_STDERR_BYTES]
            if logged > MAX_STDERR_LOG_BYTES:
                continue
            logged += len(data)
            if text := decoder.decode(data, final=not data):
                await on_event(OutputText(text=text, item="stderr", stream=OutputStream.STDERR, chunk=True))
            if logged > MAX_STDERR_LOG_BYTES:
                text = f"Standard error has more than {MAX_STDERR_LOG_BYTES:,} bytes; the rest is left out"
                await on_event(AgentWarning(text=text, code="STDERR_TOO_LONG"))

    async def _exit(self) -> int:
        """Wait for the leash to exit. A program may close its output long before it exits."""
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
            # A process outside of the group may still hold the pipes; asyncio has no public way to close them.
            self._process._transport.close()  # type: ignore[attr-defined]
        if self._private:
            shutil.rmtree(self._private, ignore_errors=True)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of an agent: the worker's own, without the worker's secrets."""
    return {
        name: value
        for name, value in given.items()
        if not name.startswith(SECRET) and name not in PLACES  # its working directory is another
    }


def _how(code: int) -> str:
    return f"was killed by {_signal(code)}" if code > 128 else f"exited with {code}"


def _signal(code: int) -> str:
    with suppress(ValueError):
        return signal.Signals(code - 128).name
    return f"signal {code - 128}"
