"""Real processes of `python server.py`, without its seconds of imports: forked from one that has done them.

Each has its own memory, descriptors, environment and folder, and dies as any process does. That it starts from
nothing as well is what tests/test_start.py shows.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.preload"])


class Warm:
    """A process, with what the tests use of subprocess.Popen: of the command line, or of another `main`."""

    def __init__(
        self,
        *arguments: str,
        main: Callable[..., None] | None = None,
        cwd: str | Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | Path = os.devnull,
        stdout: str | Path = os.devnull,
        stderr: str | Path = os.devnull,
    ) -> None:
        given = dict(os.environ if env is None else env)
        files = [str(stdin), str(stdout), str(stderr)]
        self._process: Any = FORKS.Process(
            target=_run,
            args=(main or _cli, arguments, str(cwd or tempfile.gettempdir()), given, files),
            daemon=True,
        )
        self._process.start()
        self.pid = int(self._process.pid)

    @property
    def returncode(self) -> int | None:
        code: int | None = self._process.exitcode
        return code

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.returncode is None:
            raise TimeoutExpired(["server.py"], timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _run(
    main: Callable[..., None], arguments: tuple[str, ...], cwd: str, env: dict[str, str], files: list[str]
) -> None:
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    for number, path in enumerate(files):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - multiprocessing has put another in its place
    main(*arguments)


def _cli(*arguments: str) -> None:
    from server import command_line

    sys.argv = ["server.py", *arguments]
    command_line()


async def command(
    *arguments: str,
    env: Mapping[str, str],
    cwd: str | Path | None = None,
    given: str = "",
    seconds: float = 60,
    main: Callable[..., None] | None = None,
) -> tuple[int, str, str]:
    """Run a command to its end, `given` on its standard input: its status, what it printed, its complaints."""
    with tempfile.TemporaryDirectory(prefix="signalbox-") as folder:
        files = {name: Path(folder, name) for name in ("stdin", "stdout", "stderr")}
        for name, file in files.items():
            file.write_text(given if name == "stdin" else "")
        process = Warm(*arguments, main=main, cwd=cwd, env=env, **files)
        try:
            status = await asyncio.to_thread(process.wait, seconds)
        finally:
            process.kill()
        return status, files["stdout"].read_text(), files["stderr"].read_text()
