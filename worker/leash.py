"""Keeps a program on a leash: `leash.py fd held private program …`. Needs nothing but Python.

The program gets a process group of its own. Each byte that comes by the pipe `fd` is a signal: SIGTERM and SIGKILL
go to everything the program has started, any other to its group, as Ctrl+C does. When the pipe ends, the worker is
gone, however it died: everything is ended too, because somebody else will get its run. When the program exits, all
it left behind is ended before its exit code is passed on.

On Linux the leash is the subreaper of everything below it, so no session, double fork or nohup leads out of its
sight: it has no children left exactly when nothing of the program is left. Elsewhere it reaches the group only.
The files `held` (numbers, by commas) stay open in the program and in what it starts: a lock on them lasts until the
last of them is gone, even if the leash itself is killed. The folder `private` is removed at the end.
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

GRACE_SECONDS = 5.0  # between asking and killing when the worker is gone
LEFTOVER_SECONDS = 2.0  # that what a program left behind gets to end by itself: git removes its lock files
KILL_SECONDS = 30.0  # until the leash gives up what cannot be killed, and says so
LOOK_SECONDS = 0.02  # between two looks for what is left
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # of linux/prctl.h
IS_LINUX = sys.platform == "linux"


class Leash:
    """One program and everything below it."""

    def __init__(self, group: int, *, is_reaper: bool) -> None:
        self.group, self.is_reaper = group, is_reaper
        self.has_killed = False

    def hold(self, pipe: int) -> None:
        """Pass signals on until the worker is gone, then end everything."""
        while said := os.read(pipe, 1):
            self.signal(said[0])
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
        """Wait for the program itself; orphans that were handed to us are reaped meanwhile."""
        while True:
            pid, status = os.waitpid(-1, 0)
            if pid == self.group:
                return os.waitstatus_to_exitcode(status)

    def end_leftovers(self) -> None:
        """End what the program left behind, politely at first, until none is left."""
        if not self.is_reaper:
            self.signal(signal.SIGKILL)
            return
        if not self.has_killed and self._end(signal.SIGTERM, LEFTOVER_SECONDS):
            return
        if not self._end(signal.SIGKILL, KILL_SECONDS):
            left = ", ".join(map(str, descendants(os.getpid())))
            print(f"signalbox: these processes cannot be ended: {left}", file=sys.stderr)

    def _end(self, number: int, seconds: float) -> bool:
        """Signal everything below us, and what it starts meanwhile. True: nothing is left."""
        until, signalled = time.monotonic() + seconds, set[int]()
        while not self._is_childless():
            if time.monotonic() > until or (number == signal.SIGTERM and self.has_killed):
                return False
            self._signal_descendants(number, signalled)
            time.sleep(LOOK_SECONDS)
        return True

    def _is_childless(self) -> bool:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return True
        return False

    def _signal_descendants(self, number: int, signalled: set[int]) -> None:
        """Signal each descendant once: some take a second signal for a stronger wish."""
        for pid in descendants(os.getpid()) if self.is_reaper else []:
            if pid not in signalled:
                signalled.add(pid)
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)


def descendants(of: int) -> list[int]:
    """The processes below one, those that wait to be reaped left out."""
    children: dict[int, list[int]] = {}
    dead = set[int]()
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            with suppress(OSError, ValueError):
                state, parent, *_ = (path / "stat").read_text(errors="replace").rpartition(")")[2].split()
                children.setdefault(int(parent), []).append(int(path.name))
                if state in "ZX":
                    dead.add(int(path.name))
    found, waiting = list[int](), [of]
    while waiting:
        below = children.get(waiting.pop(), [])
        waiting += below
        found += [pid for pid in below if pid not in dead]
    return found


def become_reaper() -> bool:
    """Whether orphans below us are handed to us from now on."""
    if not IS_LINUX or not Path("/proc/self/stat").exists():
        return False
    return bool(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def main(pipe: int, held: list[int], private: str, argv: list[str]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # a handler, because an ignored signal is inherited
    is_reaper = become_reaper()
    prctl = ctypes.CDLL(None).prctl if IS_LINUX else None

    def die_with_leash() -> None:
        """Between fork and exec, while there is one thread: whoever kills the leash kills the program too."""
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
    os._exit(code)  # the thread may still hold the pipe
