"""The command for a second worker of the demo. Few imports, because the server prints it at its start."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
RECORDINGS = Path(__file__).with_name("recordings")
AT_ONCE = 2
PID = "worker.pid"  # file with the worker's process id, in the demo's folder
WORKER_KEY = "worker.key"  # file with the worker's API key, in the demo's folder
USUAL = "http://127.0.0.1:8000/graphql"  # the default of a worker


def scripted(repository: Path, speed: str, within: Path | None = None) -> list[str]:
    """Return arguments of a worker that plays the demo's recordings, with paths relative to `within`."""
    words = ["--executor", "scripted", "--at-once", str(AT_ONCE)]
    words += ["--option", f"scripted.recording={called(RECORDINGS, within)}"]
    words += ["--option", f"scripted.speed={speed}"] if speed != "1" else []
    return [*words, "--repository", called(repository, within)]


def called(path: Path, within: Path | None) -> str:
    return str(path.relative_to(within) if within and path.is_relative_to(within) else path)


def second(address: str, folder: Path, speed: str, within: Path) -> list[str]:
    """Return the command that starts another worker for the demo, for use in `within`."""
    program = [called(Path(sys.executable), within), called(ROOT / "server.py", within), "worker"]
    elsewhere = ["--url", address] if address != USUAL else []
    return [*program, *elsewhere, *scripted(folder / "repository", speed, within)]
