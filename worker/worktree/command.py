"""One git command, run so that neither the repository nor the environment decides what else is run.

No hook, pager, monitor, signature program or transport of a repository is run. Variables of the environment that
name another repository are dropped. A failure carries git's own reason.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

TIMEOUT = 60.0  # seconds of one git command
LONG_TIMEOUT_SECONDS = 900.0  # of one that reads or writes a whole work tree
QUIET = (
    *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.quotePath=false", "commit.gpgSign=false"),
    *("log.showSignature=false", "submodule.recurse=false", "diff.suppressBlankEmpty=false"),
    "maintenance.auto=false",  # it would go on by itself, and hold what we hold
)
ALONE = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}  # no transport, so no ssh and no helper
PLACES = frozenset(  # variables of git by which another repository would be worked in
    f"GIT_{name}"
    for name in (
        *("DIR", "WORK_TREE", "INDEX_FILE", "COMMON_DIR", "OBJECT_DIRECTORY", "NAMESPACE", "PREFIX"),
        *("ALTERNATE_OBJECT_DIRECTORIES", "GRAFT_FILE", "SHALLOW_FILE", "REPLACE_REF_BASE", "CONFIG"),
        *("IMPLICIT_WORK_TREE", "INTERNAL_SUPER_PREFIX", "CEILING_DIRECTORIES"),
    )
)


class WorkspaceError(Exception):
    """A workspace that cannot be had, in one sentence."""


async def git(
    folder: Path,
    *words: str,
    max_bytes: int | None = None,
    check: bool = True,
    held: Sequence[int] = (),
    place: Mapping[str, str] = ALONE,
    given: bytes | None = None,
    good: Sequence[int] = (0,),
    seconds: float = TIMEOUT,
    warned: list[str] | None = None,
) -> str:
    """Run one git command in `folder`. Raises WorkspaceError with git's own reason.

    With `most`, at most so many bytes are read and git is ended when there is more. What is `held` stays so until
    git has ended, also when we are killed meanwhile. `place` is added to git's environment, `given` is its input.
    The lines of its errors are added to `warned`, also when it succeeds.
    Bytes that are not UTF-8 are escaped as os.fsdecode does. Without `check`, a failure answers an empty text.
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
        pass  # git ended without it, and says why
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
    """Find the line of git's errors that says why: below it git gives advice, above it warnings."""
    lines = [line.strip() for line in error_text.splitlines() if line.strip()]
    for mark in ("fatal: ", "error: "):
        for line in lines:
            if line.startswith(mark):
                return line
    return lines[-1] if lines else ""


def environment_of_git() -> dict[str, str]:
    """Git as it is installed, without the machine's settings and without a person to ask."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SIGNALBOX_"))}
    return kept | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
    }
