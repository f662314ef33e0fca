"""Supervises a program: `leash.py fd held private program …`. Needs only Python's standard library.

The program gets its own process group. Each byte read from the pipe `fd` is a signal: SIGTERM and SIGKILL go to
every descendant of the program, any other signal to its group, as with Ctrl+C. The end of the pipe means that the
worker is gone, however it died: all processes are ended, because another worker will get the run. When the program
exits, its remaining descendants are ended before its exit code is passed on.

On Linux, the leash is the subreaper of all processes below it, so sessions, double forks and nohup do not escape:
it has no children exactly when nothing of the program is left. Elsewhere it reaches the process group only. The
files `held` (descriptors, separated by commas) stay open in the program and its descendants: a lock on them lasts
until the last of them exits, even if the leash is killed. The folder `private` is removed at the end.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

GRACE_SECONDS = 5.0  # between SIGTERM and SIGKILL when the worker is gone
LEFTOVER_SECONDS = 2.0  # between SIGTERM and SIGKILL for leftovers: git removes its lock files
KILL_SECONDS = 30.0  # until the leash gives up on processes that survive SIGKILL
POLL_INTERVAL_SECONDS = 0.02
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # from linux/prctl.h
IS_LINUX = sys.platform == "linux"


class Leash:
    """A program and its descendants."""

    def __init__(self, group: int, *, is_reaper: bool) -> None:
        self.group, self.is_reaper = group, is_reaper
        self.has_killed = False

    def hold(self, pipe: int) -> None:
        """Pass signals on until the worker is gone, then end all processes."""
        while signals := os.read(pipe, 1):
            self.signal(signals[0])
        self.signal(signal.SIGTERM)
        time.sleep(GRACE_SECONDS)
        self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        self.has_killed = self.has_killed or number == signal.SIGKILL
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, number)
        if number in (signal.SIGTERM, signal.SIGKILL):
            self._signal_descendants(number, {self.group})

    def wait(self) -> int:
        """Wait for the program and return its exit code. Reaps orphans meanwhile."""
        while True:
            pid, status = os.waitpid(-1, 0)
            if pid == self.group:
                return os.waitstatus_to_exitcode(status)

    def end_leftovers(self) -> None:
        """End the remaining descendants: SIGTERM first, then SIGKILL."""
        if not self.is_reaper:
            self.signal(signal.SIGKILL)
            return
        if not self.has_killed and self._end(signal.SIGTERM, LEFTOVER_SECONDS):
            return
        if not self._end(signal.SIGKILL, KILL_SECONDS):
            left = ", ".join(map(str, descendants(os.getpid())))
            print(f"signalbox: these processes cannot be ended: {left}", file=sys.stderr)

    def _end(self, number: int, seconds: float) -> bool:
        """Signal all descendants, including new ones. Returns whether none is left."""
        until, signalled = time.monotonic() + seconds, set[int]()
        while not self._is_childless():
            if time.monotonic() > until or (number == signal.SIGTERM and self.has_killed):
                return False
            self._signal_descendants(number, signalled)
            time.sleep(POLL_INTERVAL_SECONDS)
        return True

    def _is_childless(self) -> bool:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return True
        return False

    def _signal_descendants(self, number: int, signalled: set[int]) -> None:
        """Signal each descendant once, because some programs treat a second signal as more urgent."""
        for pid in descendants(os.getpid()) if self.is_reaper else []:
            if pid not in signalled:
                signalled.add(pid)
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)


def descendants(of: int) -> list[int]:
    """Return the ids of the live processes below a process."""
    children: dict[int, list[int]] = {}
    dead = set[int]()
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            with suppress(OSError, ValueError):
                state, parent, *_ = (path / "stat").read_text(errors="replace").rpartition(")")[2].split()
                children.setdefault(int(parent), []).append(int(path.name))
                if state in "ZX":
                    dead.add(int(path.name))
    processes, waiting = list[int](), [of]
    while waiting:
        below = children.get(waiting.pop(), [])
        waiting += below
        processes += [pid for pid in below if pid not in dead]
    return processes


def become_reaper() -> bool:
    """Become the subreaper of all descendants. Returns whether the system supports it."""
    if not IS_LINUX or not Path("/proc/self/stat").exists():
        return False
    return bool(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def main(pipe: int, held: list[int], private: str, argv: list[str]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # a handler, because an ignored signal is inherited
    is_reaper = become_reaper()
    prctl = ctypes.CDLL(None).prctl if IS_LINUX else None

    def die_with_leash() -> None:
        """Have the kernel kill the program if the leash is killed. Runs between fork and exec."""
        if prctl:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    try:
        child = subprocess.Popen(
            argv,
            start_new_session=True,
            pass_fds=held,
            preexec_fn=die_with_leash,  # no thread has been started yet
        )
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        return 127
    leash = Leash(child.pid, is_reaper=is_reaper)
    threading.Thread(target=leash.hold, args=(pipe,), daemon=True).start()
    code = leash.wait()
    leash.end_leftovers()
    if private:
        shutil.rmtree(private, ignore_errors=True)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    numbers = [int(number) for number in sys.argv[2].split(",") if number]
    code = main(int(sys.argv[1]), numbers, sys.argv[3], sys.argv[4:])
    sys.stdout.flush()
    os._exit(code)  # the thread may still read the pipe
