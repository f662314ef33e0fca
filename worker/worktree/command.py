"""Runs one git command, so that neither the repository nor the environment can make it run other programs.

No hook, pager, monitor, signature program or transport of a repository is run. Environment variables that select
another repository are removed. An error carries git's own reason.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

TIMEOUT_SECONDS = 60.0
LONG_TIMEOUT_SECONDS = 900.0  # for commands that read or write a whole work tree
QUIET = (
    *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.quotePath=false", "commit.gpgSign=false"),
    *("log.showSignature=false", "submodule.recurse=false", "diff.suppressBlankEmpty=false"),
    "maintenance.auto=false",  # it would run on and keep the lock
)
ALONE = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}  # no transport, hence no ssh and no helper
PLACES = frozenset(  # variables that select another repository
    f"GIT_{name}"
    for name in (
        *("DIR", "WORK_TREE", "INDEX_FILE", "COMMON_DIR", "OBJECT_DIRECTORY", "NAMESPACE", "PREFIX"),
        *("ALTERNATE_OBJECT_DIRECTORIES", "GRAFT_FILE", "SHALLOW_FILE", "REPLACE_REF_BASE", "CONFIG"),
        *("IMPLICIT_WORK_TREE", "INTERNAL_SUPER_PREFIX", "CEILING_DIRECTORIES"),
    )
)


class WorkspaceError(Exception):
    """A workspace cannot be used. The message is one sentence."""


async def git(
    folder: Path,
    *words: str,
    max_bytes: int | None = None,
    check: bool = True,
    held: Sequence[int] = (),
    place: Mapping[str, str] = ALONE,
    given: bytes | None = None,
    good: Sequence[int] = (0,),
    seconds: float = TIMEOUT_SECONDS,
    warned: list[str] | None = None,
) -> str:
    """Run a git command in `folder`. Raises WorkspaceError with git's own reason.

    With `max_bytes`, git is ended when it prints more. The descriptors `held` stay open until git exits, even if
    the worker is killed. `place` is added to the environment, `given` is the input, and lines of standard error
    are appended to `warned`. Bytes that are not UTF-8 are escaped as by os.fsdecode. Without `check`, a failure
    returns an empty text.
    """
    settings = [word for setting in QUIET for word in ("-c", setting)]
    try:
        process = await asyncio.create_subprocess_exec(
            *("git", "-C", str(folder), "--no-pager", *settings, *words),
            stdin=asyncio.subprocess.DEVNULL if given is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**environment_of_git(), **place},
            pass_fds=held,
        )
    except FileNotFoundError:
        raise WorkspaceError("git is not installed on this worker") from None
    assert process.stdout is not None, "a pipe"
    assert process.stderr is not None, "a pipe"
    errors = asyncio.create_task(process.stderr.read())
    writing = asyncio.create_task(_write(process.stdin, given or b""))
    try:
        async with asyncio.timeout(seconds):
            out = await _read(process.stdout, max_bytes)
            if max_bytes is not None and len(out) > max_bytes:
                process.kill()
                await process.wait()
                return out[:max_bytes].decode(errors="replace") + "\0"
            error_text = (await errors).decode(errors="replace").strip()
            code = await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise WorkspaceError(f"git {words[0]} took longer than {seconds:g} s") from None
    finally:
        errors.cancel()
        writing.cancel()
    if warned is not None:
        warned += error_text.splitlines()
    if code not in good and check:
        raise WorkspaceError(f"git {words[0]}: {reason_of(error_text) or f'exit code {code}'}")
    return out.decode(errors="surrogateescape") if code in good else ""


async def _write(stream: asyncio.StreamWriter | None, given: bytes) -> None:
    if stream is None:
        return
    try:
        stream.write(given)
        await stream.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass  # git exited early; its error says why
    finally:
        stream.close()


async def _read(stream: asyncio.StreamReader, max_bytes: int | None) -> bytes:
    out = bytearray()
    while data := await stream.read(65_536):
        out += data
        if max_bytes is not None and len(out) > max_bytes:
            break
    return bytes(out)


def reason_of(error_text: str) -> str:
    """Return the line of git's errors that has the reason: advice follows it, warnings precede it."""
    lines = [line.strip() for line in error_text.splitlines() if line.strip()]
    for mark in ("fatal: ", "error: "):
        for line in lines:
            if line.startswith(mark):
                return line
    return lines[-1] if lines else ""


def environment_of_git() -> dict[str, str]:
    """Return an environment without the machine's settings and without prompts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SIGNALBOX_"))}
    return kept | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
    }
