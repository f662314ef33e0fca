"""A second worker for the demo: what to type after the first was killed. Small, because the server prints it."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
RECORDINGS = Path(__file__).with_name("recordings")
AT_ONCE = 2
PID = "worker.pid"  # in the demo's folder: the worker to kill
WORKER_KEY = "worker.key"  # there too: its API key
USUAL = "http://127.0.0.1:8000/graphql"  # where a worker looks when nothing is said


def scripted(repository: Path, speed: str, within: Path | None = None) -> list[str]:
    """The words of a worker that plays the demo's recordings; paths as they are called `within` a folder."""
    words = ["--executor", "scripted", "--at-once", str(AT_ONCE)]
    words += ["--option", f"scripted.recording={called(RECORDINGS, within)}"]
    words += ["--option", f"scripted.speed={speed}"] if speed != "1" else []
    return [*words, "--repository", called(repository, within)]


def called(path: Path, within: Path | None) -> str:
    return str(path.relative_to(within) if within and path.is_relative_to(within) else path)


def second(address: str, folder: Path, speed: str, within: Path) -> list[str]:
    """The words of the command that starts another worker for the demo, typed `within` a folder."""
    program = [called(Path(sys.executable), within), called(ROOT / "server.py", within), "worker"]
    elsewhere = ["--url", address] if address != USUAL else []
    return [*program, *elsewhere, *scripted(folder / "repository", speed, within)]
