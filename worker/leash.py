"""Keeps a program on a leash: `leash.py fd program …`. Needs nothing but Python.

The program gets a process group of its own. Each byte that comes by the pipe `fd` is a signal for the whole group.
When the pipe ends, the worker is gone, however it died: the group is ended too, because somebody else will get its
run. When the program exits, whatever it left behind in its group is ended, and its exit code is passed on.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

KILL_AFTER_SECONDS = 5.0  # seconds between asking and killing when the worker is gone


def tell(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def hold(pipe: int, group: int) -> None:
    while said := os.read(pipe, 1):
        tell(group, said[0])
    tell(group, signal.SIGTERM)
    time.sleep(KILL_AFTER_SECONDS)
    tell(group, signal.SIGKILL)


def main(pipe: int, argv: list[str]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # a handler, because an ignored signal is inherited
    try:
        child = subprocess.Popen(argv, start_new_session=True)
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        return 127
    threading.Thread(target=hold, args=(pipe, child.pid), daemon=True).start()
    code = child.wait()
    tell(child.pid, signal.SIGKILL)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    code = main(int(sys.argv[1]), sys.argv[2:])
    sys.stdout.flush()
    os._exit(code)  # the thread may still hold the pipe
