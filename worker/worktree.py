"""A git worktree and a branch for every run, cut from the user's repository.

The user's checkout is never touched. A folder is held by whoever works in it (a lock on the folder itself, which
the agent's leash holds too), so nobody works where another still writes. A folder goes when everything in it is on
its branch; no branch is ever deleted. What was half made when its worker was killed is made again: under
`refs/signalbox/of/<run>/<branch>`, written first, stands the commit that the run's branch was cut from. Names come
from cards and people, so every one is judged before git sees it, and no hook, pager, external diff or monitor of
the repository is run by us.
"""

import asyncio
import fcntl
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

GIT_TIMEOUT_SECONDS = 60.0  # seconds of one git command
MAX_PATCH_BYTES = 1_048_576  # bytes of a patch that are kept
MAX_FILES = 1000  # files of a diff that are listed
MAX_COMMITS = 250
MAX_BRANCH_LENGTH = 200  # characters of a branch's name
LOCK_TIMEOUT_SECONDS = (
    10.0  # seconds to wait for a folder: the programs of a worker that was killed have five to end
)
KEEP_FOLDER_SECONDS = 7 * 86_400.0  # seconds that a folder nobody came back to is kept
GONE = ".gone"  # ends the name of a folder that is being removed
NOTES = "refs/signalbox/of"
RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
TEMPLATE = "signalbox/{card}-{slug}"
QUIET = (
    *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.quotePath=false", "commit.gpgSign=false"),
    "maintenance.auto=false",  # it would go on by itself, and hold what we hold
)
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


async def git(
    folder: Path, *words: str, most: int | None = None, check: bool = True, held: Sequence[int] = ()
) -> str:
    """Run one git command in `folder`. Raises WorkspaceError with git's own last line.

    With `most`, at most so many bytes are read and git is ended when there is more. What is `held` stays so until
    git has ended, also when we are killed meanwhile.
    """
    settings = [word for setting in QUIET for word in ("-c", setting)]
    try:
        process = await asyncio.create_subprocess_exec(
            *("git", "-C", str(folder), "--no-pager", *settings, *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
            pass_fds=held,
        )
    except FileNotFoundError:
        raise WorkspaceError("git is not installed on this worker") from None
    assert process.stdout is not None, "a pipe"
    assert process.stderr is not None, "a pipe"
    try:
        async with asyncio.timeout(GIT_TIMEOUT_SECONDS):
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
        raise WorkspaceError(f"git {words[0]} took longer than {GIT_TIMEOUT_SECONDS:g} s") from None
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
async def alone(root: Path) -> AsyncIterator[int]:
    """Nobody else makes or removes a worktree under `root` meanwhile: git fails where it meets one half made."""
    with (root / ".lock").open("w") as file:  # closing it lets the others go on, also when a process dies
        while not _locked(file.fileno()):  # noqa: ASYNC110 - another process holds it
            await asyncio.sleep(0.02)
        yield file.fileno()


def _locked(file: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def hold(folder: Path) -> int | None:
    """Hold a folder, so that nobody else works in it, until what is returned is closed. None: it is held."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    if _locked(lock):
        return lock
    os.close(lock)
    return None


def _held_still(folder: Path, lock: int) -> int:
    """The lock of a folder that we hold: git removes a folder when it fails, and may have made it again since."""
    if os.path.samestat(os.fstat(lock), folder.stat()):
        return lock
    again = hold(folder)
    if again is None:
        raise WorkspaceError(f"{folder} is held by another worker")
    os.close(lock)
    return again


def is_free(folder: Path) -> bool:
    if (lock := hold(folder)) is not None:
        os.close(lock)
    return lock is not None


def folders_of(root: Path, run: str) -> list[Path]:
    """The folders of a run, the one to go on in last: its own, then those of attempts that found it held."""
    beside = [path for path in root.glob(f"{run}.*") if path.suffix[1:].isdecimal()]
    return [root / run, *sorted(beside, key=lambda path: int(path.suffix[1:]))]


@dataclass(frozen=True, kw_only=True)
class Worktree:
    repository: Path
    folder: Path
    branch: str
    base: str  # the commit that the branch was cut from
    lock: int = field(compare=False, repr=False)

    @classmethod
    async def cut(
        cls,
        repository: Path,
        root: Path,
        run: str,
        *,
        attempt: int = 1,
        template: str = TEMPLATE,
        names: dict[str, str] | None = None,
        base: str = "HEAD",
        branch: str = "",
        patience: float = LOCK_TIMEOUT_SECONDS,
    ) -> Self:
        """Make the worktree of a run, or find it again: a run that goes on goes on in the same folder.

        Where somebody else holds that folder for longer than `patience`, the attempt gets another one, and a branch
        that begins with what was committed. With `branch`, go on with that branch instead of cutting a new one.
        """
        if not RUN.fullmatch(run):
            raise WorkspaceError(f"{run!r} cannot name a folder")
        if not (repository / ".git").exists() and not (repository / "HEAD").exists():
            raise WorkspaceError(f"{repository} is not a git repository")
        wanted = await judged(repository, branch or filled(template, {"run": run, **(names or {})}))
        root = root.absolute()
        root.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + patience
        while True:
            async with alone(root) as making:
                folder = folders_of(root, run)[-1]
                if folder.exists() and time.monotonic() >= until and not is_free(folder):
                    folder = root / f"{run}.{attempt}"
                folder.mkdir(exist_ok=True)
                if (lock := hold(folder)) is not None:
                    try:
                        make = _Making(repository, folder, run, wanted, base, making)
                        name, start = await make.ready(branch)
                        lock = _held_still(folder, lock)
                    except BaseException:
                        with suppress(OSError):
                            folder.rmdir()  # only if there is nothing in it
                        os.close(lock)
                        raise
                    os.utime(folder)  # when it was last worked in
                    return cls(repository=repository, folder=folder, branch=name, base=start, lock=lock)
            await asyncio.sleep(0.1)

    def let_go(self) -> None:
        """Leave the folder to whoever goes on. Called once."""
        os.close(self.lock)

    async def head(self) -> str:
        return (await git(self.folder, "rev-parse", "HEAD")).strip()

    async def is_clean(self) -> bool:
        return not (await git(self.folder, "status", "--porcelain", "-uall")).strip()

    async def commit_rest(self, message: str) -> bool:
        """Commit what the agent left. False if there was nothing."""
        if await self.is_clean():
            return False
        await git(self.folder, "add", "--all", held=(self.lock,))
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
            held=(self.lock,),
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
        patch = await git(self.folder, *plain, self.base, most=MAX_PATCH_BYTES)
        return Diff(
            files=tuple(files[:MAX_FILES]),
            more_files=max(0, len(files) - MAX_FILES),
            additions=sum(file.additions or 0 for file in files),
            deletions=sum(file.deletions or 0 for file in files),
            patch=patch.removesuffix("\0"),
            is_cut=patch.endswith("\0"),
        )

    async def commits(self) -> list[Made]:
        """The commits since the base, oldest first."""
        words = (
            "log",
            "--no-color",
            "--reverse",
            f"--max-count={MAX_COMMITS}",
            "--format=%H%x1f%s%x1f%an%x1e",
        )
        said = await git(self.folder, *words, f"{self.base}..HEAD")
        rows = [row.strip("\n").split("\x1f") for row in said.split("\x1e") if row.strip()]
        return [Made(sha=sha, subject=subject, author=author) for sha, subject, author in rows]

    async def remove(self) -> None:
        """Remove the folder, because its branch has everything that is in it. What git ignores goes with it.

        Raises Unmerged, with nothing deleted, while something in the folder is not committed or on no branch.
        """
        async with alone(self.folder.parent) as making:
            if not await self.is_clean():
                raise Unmerged(f"{self.folder} has changes that are not committed")
            branch = f"refs/heads/{self.branch}"
            if await self.head() != await commit_of(self.repository, branch):
                raise Unmerged(f"{self.folder} has commits that are on no branch")
            own = await git(self.folder, "rev-parse", "--absolute-git-dir")
            if (Path(own.strip()) / "modules").exists():
                raise Unmerged(f"{self.folder} has submodules, whose commits may be nowhere else")
            await _mend(self.repository, self.folder.parent)
            gone = self.folder.with_name(f"{self.folder.name}{GONE}")
            self.folder.rename(gone)  # all at once: nobody ever goes on with half of it
            words = ("worktree", "remove", "--force", "--force", str(self.folder))
            await git(self.repository, *words, held=(making,))
        await asyncio.to_thread(shutil.rmtree, gone, ignore_errors=True)


@dataclass(frozen=True)
class _Making:
    """A folder that we hold becomes a worktree, whatever a killed worker may have left in it."""

    repository: Path
    folder: Path
    run: str
    wanted: str  # a branch's name; where it is taken, it gets a number
    base: str
    making: int

    async def ready(self, told: str) -> tuple[str, str]:
        """The branch that is checked out in the folder in the end, and the commit that it was cut from."""
        await _mend(self.repository, self.folder.parent)
        noted, base = await self._noted()
        if await is_whole(self.repository, self.folder):
            name = (await git(self.folder, "symbolic-ref", "--quiet", "--short", "HEAD", check=False)).strip()
            tip = await commit_of(self.folder, "HEAD")
            base = base or await self._base_of(tip)
            if not name:
                name = await self._named(tip, base)
                await self._do(self.folder, "symbolic-ref", "HEAD", f"refs/heads/{name}")
            return name, base
        await asyncio.to_thread(_empty, self.folder)
        name = noted or told
        if not name:
            base = await commit_of(self.repository, self.base)
            return await self._added(await self._named(base, base)), base
        tip = await commit_of(self.repository, f"refs/heads/{name}")
        base = base or await self._base_of(tip)
        if not await self._is_worked_elsewhere(name):
            with suppress(WorkspaceError):  # a git that was killed leaves branches locked
                if not noted:
                    await self._do(self.repository, "update-ref", f"{NOTES}/{self.run}/{name}", base)
                return await self._added(name), base
        return await self._added(await self._named(tip, base)), base

    async def _added(self, name: str) -> str:
        # Twice forced: once for a branch whose folder stands idle, once for what is left of a folder half made.
        words = ("worktree", "add", "--quiet", "--force", "--force", str(self.folder), name)
        await self._do(self.repository, *words)
        return name

    async def _do(self, folder: Path, *words: str) -> None:
        await git(folder, *words, held=(self.making,))

    async def _noted(self) -> tuple[str, str]:
        """The newest branch of the run that is there, and what its first one was cut from; empty without any."""
        words = ("for-each-ref", "--sort=version:refname", "--format=%(objectname) %(refname)")
        rows = (await git(self.repository, *words, f"{NOTES}/{self.run}")).split("\n")
        name, base = "", ""
        for row in filter(None, rows):
            commit, _, ref = row.partition(" ")
            one = ref.removeprefix(f"{NOTES}/{self.run}/")
            if await git(self.repository, "for-each-ref", f"refs/heads/{one}"):
                name, base = one, base or commit
        return name, base

    async def _named(self, tip: str, base: str) -> str:
        """A new branch at `tip`. Making it decides who has the name, so two runs never get the same."""
        words = ("for-each-ref", "--format=%(refname)")
        for number in range(1, 100):
            name = self.wanted if number == 1 else f"{self.wanted}-{number}"
            note = f"{NOTES}/{self.run}/{name}"
            found = await git(self.repository, *words, f"refs/heads/{name}", f"{NOTES}/*/{name}")
            if set(found.split()) - {note}:  # our own: a worker was killed before it made the branch
                continue
            with suppress(WorkspaceError):
                await self._do(self.repository, "update-ref", note, base)
                try:
                    await self._do(self.repository, "branch", "--no-track", "--end-of-options", name, tip)
                except WorkspaceError:
                    await self._do(self.repository, "update-ref", "-d", note)
                    continue
                return name
        raise WorkspaceError(f"no branch can be made from the name {self.wanted}")

    async def _base_of(self, tip: str) -> str:
        start = await commit_of(self.repository, self.base)
        return (await git(self.repository, "merge-base", start, tip)).strip()

    async def _is_worked_elsewhere(self, name: str) -> bool:
        """Whether a branch is checked out where it may not be moved: by a person, or in a folder that is held."""
        listed = await git(self.repository, "worktree", "list", "--porcelain")
        for entry in listed.split("\n\n"):
            lines = entry.split("\n")
            folder = Path(lines[0].removeprefix("worktree "))
            if f"branch refs/heads/{name}" not in lines or not folder.exists() or folder == self.folder:
                continue
            if not (folder.parent / ".lock").exists() or not is_free(folder):
                return True
        return False


async def is_whole(repository: Path, folder: Path) -> bool:
    """Whether a worktree of the repository stands in a folder. False: what is there was never finished.

    Raises WorkspaceError where something else is there.
    """
    words = ("rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir", "--git-dir")
    top, common, own = [*(await git(folder, *words, check=False)).split("\n"), "", ""][:3]
    theirs = (await git(repository, "rev-parse", "--path-format=absolute", "--git-common-dir")).strip()
    if not top or Path(top).resolve() != folder.resolve():
        if {path.name for path in folder.iterdir()} <= {".git"}:
            return False
        raise WorkspaceError(f"{folder} exists and is not a worktree of {repository}")
    if Path(common).resolve() != Path(theirs).resolve():
        raise WorkspaceError(f"{folder} exists and is not a worktree of {repository}")
    locked = Path(own) / "locked"  # git says so itself until a worktree is complete
    return not locked.exists() or "initializing" not in locked.read_text()


async def _mend(repository: Path, root: Path) -> None:
    """Forget the worktrees under `root` that a killed git left half written: git gives up at the first it meets.

    Called while nobody makes or removes one there, so who was writing is dead.
    """
    words = ("rev-parse", "--path-format=absolute", "--git-common-dir")
    common = Path((await git(repository, *words)).strip())
    await asyncio.to_thread(_forget_half_written, common / "worktrees", root.resolve())


def _forget_half_written(noted: Path, root: Path) -> None:
    for own in noted.glob("*"):
        with suppress(OSError):
            folder = Path((own / "gitdir").read_text().strip()).parent
            if not (own / "commondir").stat().st_size and folder.parent.resolve() == root:
                shutil.rmtree(own)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


async def tidy(root: Path, seconds: float = KEEP_FOLDER_SECONDS) -> None:
    """Remove the folders of runs that nobody came back to for so long, where their branches have everything."""
    if not root.is_dir():
        return
    for folder in sorted(root.absolute().iterdir()):
        with suppress(WorkspaceError, OSError):
            if folder.suffix == GONE:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            elif folder.is_dir() and folder.stat().st_mtime < time.time() - seconds:
                await _remove_idle(folder)


async def _remove_idle(folder: Path) -> None:
    repository = Path((await git(folder, "rev-parse", "--path-format=absolute", "--git-common-dir")).strip())
    run = folder.name.partition(".")[0]
    if not RUN.fullmatch(run) or not await git(repository, "for-each-ref", f"{NOTES}/{run}"):
        return  # somebody else's
    async with alone(folder.parent):
        lock = hold(folder)
    if lock is None:
        return
    try:
        branch = (await git(folder, "symbolic-ref", "--short", "HEAD")).strip()
        await Worktree(repository=repository, folder=folder, branch=branch, base="", lock=lock).remove()
    finally:
        os.close(lock)


async def commit_of(folder: Path, ref: str) -> str:
    """The commit that a name stands for."""
    try:
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        return (await git(folder, *words)).strip()
    except WorkspaceError as error:
        raise WorkspaceError(f"{folder} has no commit {ref!r}") from error


async def judged(repository: Path, name: str) -> str:
    """A branch's name that git takes, and that no command can take for an option."""
    if len(name) > MAX_BRANCH_LENGTH or name.startswith(("-", "refs/")) or not name.isprintable():
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
    return re.sub(r"-{2,}", "-", name).strip("-/ ")[:MAX_BRANCH_LENGTH].strip("-/.")


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
