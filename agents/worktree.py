"""A git worktree and a branch for every run, cut from the user's repository.

The user's checkout is never touched. What an agent leaves uncommitted is committed on its branch, so nothing is
lost when the folder goes; the branch goes only when it is merged. Names come from cards and people, so every one is
judged before git sees it, and no hook, pager, external diff or monitor of the repository is run by us.
"""

import asyncio
import fcntl
import os
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

TIMEOUT = 60.0  # seconds of one git command
PATCH = 1_048_576  # bytes of a patch that are kept
FILES = 1000  # files of a diff that are listed
COMMITS = 250
NAME = 200  # characters of a branch's name
RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
TEMPLATE = "signalbox/{card}-{slug}"
QUIET = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.quotePath=false", "commit.gpgSign=false")
AUTHOR = ("user.name=Signalbox", "user.email=signalbox@localhost")


class WorkspaceError(Exception):
    """A workspace that cannot be had, in one sentence."""


class Unmerged(WorkspaceError):
    """What would be deleted exists nowhere else."""


@dataclass(frozen=True, kw_only=True)
class FileDiff:
    path: str
    additions: int | None  # None for a binary file
    deletions: int | None
    change: str = "EDIT"  # ADD, EDIT, MOVE, DELETE
    moved_from: str = ""


@dataclass(frozen=True, kw_only=True)
class Diff:
    files: tuple[FileDiff, ...] = ()
    more_files: int = 0
    additions: int = 0
    deletions: int = 0
    patch: str = ""
    is_cut: bool = False  # the patch was longer than PATCH


@dataclass(frozen=True, kw_only=True)
class Made:
    """A commit of the run."""

    sha: str
    subject: str
    author: str


async def git(folder: Path, *words: str, most: int | None = None, check: bool = True) -> str:
    """Run one git command in `folder`. Raises WorkspaceError with git's own last line.

    With `most`, at most so many bytes are read and git is ended when there is more.
    """
    settings = [word for setting in QUIET for word in ("-c", setting)]
    try:
        process = await asyncio.create_subprocess_exec(
            *("git", "-C", str(folder), "--no-pager", *settings, *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
        )
    except FileNotFoundError:
        raise WorkspaceError("git is not installed on this worker") from None
    assert process.stdout is not None, "a pipe"
    assert process.stderr is not None, "a pipe"
    try:
        async with asyncio.timeout(TIMEOUT):
            errors = asyncio.create_task(process.stderr.read())
            out = await _read(process.stdout, most)
            if most is not None and len(out) > most:
                process.kill()
                await process.wait()
                errors.cancel()
                return out[:most].decode(errors="replace") + "\0"
            said = (await errors).decode(errors="replace").strip()
            code = await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise WorkspaceError(f"git {words[0]} took longer than {TIMEOUT:g} s") from None
    if check and code != 0:
        raise WorkspaceError(f"git {words[0]}: {said.rpartition(chr(10))[2] or f'exit code {code}'}")
    return out.decode(errors="replace") if code == 0 else ""


async def _read(stream: asyncio.StreamReader, most: int | None) -> bytes:
    out = bytearray()
    while data := await stream.read(65_536):
        out += data
        if most is not None and len(out) > most:
            break
    return bytes(out)


def _environment() -> dict[str, str]:
    """Git as it is installed, without the machine's settings and without a person to ask."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SIGNALBOX_"))}
    return kept | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
    }


@asynccontextmanager
async def alone(root: Path) -> AsyncIterator[None]:
    """Nobody else makes a worktree under `root` meanwhile: git fails where it meets another that is half made."""
    with (root / ".lock").open("w") as file:  # closing it lets the others go on, also when a process dies
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            await asyncio.sleep(0.02)
        yield


@dataclass(frozen=True, kw_only=True)
class Worktree:
    repository: Path
    folder: Path
    branch: str
    base: str  # the commit that the branch was cut from

    @classmethod
    async def cut(
        cls,
        repository: Path,
        root: Path,
        run: str,
        *,
        template: str = TEMPLATE,
        names: dict[str, str] | None = None,
        base: str = "HEAD",
        branch: str = "",
    ) -> Self:
        """Make the worktree of a run, or find it again: a run that goes on goes on in the same folder.

        With `branch`, go on with that branch instead of cutting a new one.
        """
        if not RUN.fullmatch(run):
            raise WorkspaceError(f"{run!r} cannot name a folder")
        if not (repository / ".git").exists() and not (repository / "HEAD").exists():
            raise WorkspaceError(f"{repository} is not a git repository")
        folder = root.absolute() / run
        if folder.exists():
            return await cls.find(repository, folder)
        start = await commit_of(repository, base)
        root.mkdir(parents=True, exist_ok=True)
        async with alone(root):
            return await cls._made(repository, folder, start, branch, template, {"run": run, **(names or {})})

    @classmethod
    async def _made(
        cls, repository: Path, folder: Path, start: str, branch: str, template: str, names: dict[str, str]
    ) -> Self:
        if branch:
            await judged(repository, branch)
            start = await cls._base_of(repository, branch, start)
            await git(repository, "worktree", "add", "--quiet", "--force", str(folder), branch)
            return await cls(repository=repository, folder=folder, branch=branch, base=start)._noted()
        wanted = await judged(repository, filled(template, names))
        for number in range(1, 100):
            name = wanted if number == 1 else f"{wanted}-{number}"
            # Making the branch decides who has the name, so two runs never get the same.
            with suppress(WorkspaceError):
                await git(repository, "branch", "--no-track", "--end-of-options", name, start)
                break
        else:
            raise WorkspaceError(f"no branch can be made from the name {wanted}")
        try:
            await git(repository, "worktree", "add", "--quiet", str(folder), name)
        except WorkspaceError:
            await git(repository, "branch", "-D", "--end-of-options", name, check=False)
            raise
        return await cls(repository=repository, folder=folder, branch=name, base=start)._noted()

    @classmethod
    async def find(cls, repository: Path, folder: Path) -> Self:
        """The worktree that stands in `folder` already."""
        top = (await git(folder, "rev-parse", "--show-toplevel")).strip()
        common = (await git(folder, "rev-parse", "--path-format=absolute", "--git-common-dir")).strip()
        theirs = (await git(repository, "rev-parse", "--path-format=absolute", "--git-common-dir")).strip()
        if Path(top).resolve() != folder.resolve() or Path(common).resolve() != Path(theirs).resolve():
            raise WorkspaceError(f"{folder} exists and is not a worktree of {repository}")
        branch = (await git(folder, "symbolic-ref", "--short", "HEAD")).strip()
        base = await commit_of(repository, f"refs/signalbox/{folder.name}")
        return cls(repository=repository, folder=folder, branch=branch, base=base)

    async def _noted(self) -> Self:
        """Keep the base as a ref, so that it is known when the run goes on after anything."""
        await git(self.repository, "update-ref", self._note, self.base)
        return self

    @property
    def _note(self) -> str:
        return f"refs/signalbox/{self.folder.name}"

    @staticmethod
    async def _base_of(repository: Path, branch: str, other: str) -> str:
        return (await git(repository, "merge-base", other, f"refs/heads/{branch}")).strip()

    async def head(self) -> str:
        return (await git(self.folder, "rev-parse", "HEAD")).strip()

    async def is_clean(self) -> bool:
        return not (await git(self.folder, "status", "--porcelain", "-uall")).strip()

    async def commit_rest(self, message: str) -> bool:
        """Commit what the agent left. False if there was nothing."""
        if await self.is_clean():
            return False
        await git(self.folder, "add", "--all")
        author = [word for setting in AUTHOR for word in ("-c", setting)]
        await git(
            self.folder,
            *author,
            "commit",
            "--quiet",
            "--no-verify",
            "--cleanup=strip",
            "-m",
            message or "Work",
        )
        return True

    async def diff(self) -> Diff:
        """Everything since the base, committed or not; new files too once they are committed."""
        plain = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames")
        numbers = await git(self.folder, *plain, "--numstat", "-z", self.base)
        kinds = _changes(await git(self.folder, *plain, "--name-status", "-z", self.base))
        files = []
        for file in _numstat(numbers):
            change, before = kinds.get(file.path, ("EDIT", ""))
            files.append(replace(file, change=change, moved_from=before))
        patch = await git(self.folder, *plain, self.base, most=PATCH)
        return Diff(
            files=tuple(files[:FILES]),
            more_files=max(0, len(files) - FILES),
            additions=sum(file.additions or 0 for file in files),
            deletions=sum(file.deletions or 0 for file in files),
            patch=patch.removesuffix("\0"),
            is_cut=patch.endswith("\0"),
        )

    async def commits(self) -> list[Made]:
        """The commits since the base, oldest first."""
        words = ("log", "--no-color", "--reverse", f"--max-count={COMMITS}", "--format=%H%x1f%s%x1f%an%x1e")
        said = await git(self.folder, *words, f"{self.base}..HEAD")
        rows = [row.strip("\n").split("\x1f") for row in said.split("\x1e") if row.strip()]
        return [Made(sha=sha, subject=subject, author=author) for sha, subject, author in rows]

    async def is_merged(self, into: Sequence[str] = ()) -> bool:
        """Whether every commit of the branch is in one of `into`, or in the repository's own HEAD."""
        tip = await commit_of(self.repository, f"refs/heads/{self.branch}")
        for ref in into or ("HEAD",):
            there = await commit_of(self.repository, ref)
            if (await git(self.repository, "merge-base", tip, there, check=False)).strip() == tip:
                return True
        return False

    async def remove(self, *, into: Sequence[str] = ()) -> bool:
        """Remove the folder; and the branch, if it is merged. True if the branch is gone too.

        Raises Unmerged, with nothing deleted, while something in the folder is not committed.
        """
        if self.folder.exists():
            if not await self.is_clean():
                raise Unmerged(f"{self.folder} has changes that are not committed")
            if await commit_of(self.folder, "HEAD") != await commit_of(
                self.repository, f"refs/heads/{self.branch}"
            ):
                raise Unmerged(f"{self.folder} has commits that are on no branch")
            # git itself refuses here too, should something have changed meanwhile
            await git(self.repository, "worktree", "remove", str(self.folder))
        tip = await commit_of(self.repository, f"refs/heads/{self.branch}")
        if not await self.is_merged(into):
            return False
        await git(
            self.repository, "update-ref", "-d", f"refs/heads/{self.branch}", tip
        )  # only if it is still that
        await git(self.repository, "update-ref", "-d", self._note)
        return True

    async def discard(self) -> None:
        """Delete the folder and the branch with everything in them. Only ever at a person's word."""
        await git(self.repository, "worktree", "remove", "--force", "--force", str(self.folder), check=False)
        if self.folder.exists():
            await asyncio.to_thread(shutil.rmtree, self.folder)
            await git(self.repository, "worktree", "prune")
        await git(self.repository, "branch", "-D", "--end-of-options", self.branch)
        await git(self.repository, "update-ref", "-d", self._note)


async def commit_of(folder: Path, ref: str) -> str:
    """The commit that a name stands for."""
    try:
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        return (await git(folder, *words)).strip()
    except WorkspaceError as error:
        raise WorkspaceError(f"{folder} has no commit {ref!r}") from error


async def judged(repository: Path, name: str) -> str:
    """A branch's name that git takes, and that no command can take for an option."""
    if len(name) > NAME or name.startswith(("-", "refs/")) or not name.isprintable():
        raise WorkspaceError(f"{name[:80]!r} cannot name a branch")
    if name.split("/")[0] in ("HEAD", "FETCH_HEAD", "ORIG_HEAD") or name == "@":
        raise WorkspaceError(f"{name!r} cannot name a branch")
    try:
        await git(repository, "check-ref-format", "--branch", name)
    except (WorkspaceError, ValueError) as error:
        raise WorkspaceError(f"{name!r} cannot name a branch") from error
    return name


def filled(template: str, names: dict[str, str]) -> str:
    """Fill a branch template: `{card}`, `{slug}`, `{run}`. Values become words that a branch can hold."""

    def value(match: re.Match[str]) -> str:
        return slug(names.get(match[1], "")) if match[1] in names else ""

    name = re.sub(r"\{(\w+)\}", value, template)
    return re.sub(r"-{2,}", "-", name).strip("-/ ")[:NAME].strip("-/.")


def slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")[:50].strip("-")


def _numstat(said: str) -> list[FileDiff]:
    """`added TAB deleted TAB path NUL`; a rename has an empty path and two more fields."""
    out, parts = [], iter(said.split("\0"))
    for part in parts:
        if part.count("\t") < 2:
            continue
        added, deleted, path = part.split("\t", 2)
        if not path:
            next(parts, "")
            path = next(parts, "")
        numbers = [None if n == "-" else int(n) for n in (added, deleted)]
        out.append(FileDiff(path=path, additions=numbers[0], deletions=numbers[1]))
    return out


def _changes(said: str) -> dict[str, tuple[str, str]]:
    """`letter NUL path NUL`; a rename has a number behind its letter and two paths."""
    kinds, parts = {"A": "ADD", "D": "DELETE", "R": "MOVE", "C": "ADD"}, iter(said.split("\0"))
    out = {}
    for letter in parts:
        if not letter:
            continue
        path = before = next(parts, "")
        if letter[0] in "RC":
            path = next(parts, "")
        out[path] = kinds.get(letter[0], "EDIT"), before if letter[0] == "R" else ""
    return out
