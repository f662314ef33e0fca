"""Creates a git worktree and a branch for every run, from the user's repository.

The user's checkout is never touched. A worker holds a folder by a lock on the folder itself, which the agent's
leash holds too, so nobody works where another process still writes. A folder is removed when its branch has
everything in it; a branch with work is never deleted. An interrupted creation is repeated:
`refs/signalbox/of/<run>/<branch>`, written first, names the commit that the branch starts from. Names come from
cards and people, so each is checked before git sees it.

An agent writes in the folder, and files of a folder can make git run programs. Therefore git gets the git
directory and the work tree that the worker created, a folder whose `.git` was changed is refused, and git reads a
copy of the owner's configuration (owner.py).
"""

import asyncio
import logging
import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from worker.worktree import nested
from worker.worktree.changes import Diff, FileDiff, Made, commits_of, conflicts_of, diff_of, printable
from worker.worktree.command import LONG_TIMEOUT_SECONDS, WorkspaceError, git
from worker.worktree.creation import NOTES, WorktreeCreation
from worker.worktree.disposal import remove_tree
from worker.worktree.holding import folders_of, held_still, hold, is_free, lock_root
from worker.worktree.names import TEMPLATE, filled, judged
from worker.worktree.owner import Owner, first_owner, owner_now
from worker.worktree.place import Tampered, check_pointer, commit_of, common_of, mend, own_of

__all__ = [
    "Diff",
    "FileDiff",
    "Made",
    "Settled",
    "Tampered",
    "Unmerged",
    "WorkspaceError",
    "Worktree",
    "filled",
    "git",
    "is_free",
    "tidy",
]
log = logging.getLogger(__name__)
MAX_NAMED_FILES = 10
MAX_NAME_CHARACTERS = 200
UNREAD = re.compile(r"warning: could not open directory '(.*?)(?:': |$)")

LOCK_TIMEOUT_SECONDS = 10.0  # the programs of a killed worker have five seconds to end
KEEP_FOLDER_SECONDS = 7 * 86_400.0  # age at which an abandoned folder is removed
SNAPSHOT_INDEX = "signalbox-index"  # in the work tree's git directory
GONE = ".gone"  # suffix of a folder that is being removed
RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
AUTHOR = ("user.name=Signalbox", "user.email=signalbox@localhost")


class Unmerged(WorkspaceError):
    """The folder has work that exists nowhere else, so it is not removed."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """The state of a folder after its program ended."""

    tree: "Worktree"  # with the branch that has the work
    committed: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Worktree:
    repository: Path
    folder: Path
    branch: str
    base: str  # the commit that the branch starts from
    lock: int = field(compare=False, repr=False)
    common: Path = field(compare=False, repr=False)  # the repository's git directory
    own: Path = field(compare=False, repr=False)  # the work tree's git directory, within `common`
    owner: Owner = field(compare=False, repr=False)  # as the worker first read it
    begun: Owner = field(compare=False, repr=False)  # as of the start of this attempt

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
        """Create a worktree, or find it again. `run` names it: the run that began its branch.

        If another process holds the folder for longer than `patience` seconds, the attempt gets another folder,
        and a branch that starts with the committed work. With `branch`, the run continues that branch. Raises
        WorkspaceError.
        """
        if not RUN.fullmatch(run):
            raise WorkspaceError(f"{run!r} cannot name a folder")
        if not (repository / ".git").exists() and not (repository / "HEAD").exists():
            raise WorkspaceError(f"{repository} is not a git repository")
        common = await common_of(repository)
        begun = await owner_now(repository, common)
        owner = first_owner(common, begun)
        branch_name = await judged(repository, branch or filled(template, {"run": run, **(names or {})}))
        root = root.absolute()
        root.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + patience
        while True:
            async with lock_root(root) as creation_lock:
                folder = folders_of(root, run)[-1]
                if folder.exists() and time.monotonic() >= until and not is_free(folder):
                    last = folder.suffix[1:]
                    folder = root / f"{run}.{max(attempt, int(last or 0) + 1)}"
                folder.mkdir(exist_ok=True)
                if (lock := hold(folder)) is not None:
                    try:
                        creation = WorktreeCreation(
                            repository, common, owner, folder, run, branch_name, base, creation_lock
                        )
                        name, start = await creation.create(branch)
                        lock = held_still(folder, lock)
                        own = own_of(common, folder)
                        assert own is not None, "it was made"
                    except BaseException:
                        with suppress(OSError):
                            folder.rmdir()  # fails unless it is empty
                        os.close(lock)
                        raise
                    os.utime(folder)  # marks the last use
                    return cls(
                        repository=repository,
                        folder=folder,
                        branch=name,
                        base=start,
                        lock=lock,
                        common=common,
                        own=own,
                        owner=owner,
                        begun=begun,
                    )
            await asyncio.sleep(0.1)

    def let_go(self) -> None:
        """Release the folder. Call it once."""
        os.close(self.lock)

    async def git(self, *words: str, **how: Any) -> str:
        """Run git in the folder with the owner's configuration. Raises Tampered."""
        check_pointer(self.folder, self.own, self.lock)
        place = self.owner.write(self.common, self.own) | {"GIT_WORK_TREE": str(self.folder)}
        return await git(self.folder, *words, **({"place": place} | how))

    async def head(self) -> str:
        return (await self.git("rev-parse", "--verify", "--quiet", "HEAD^{commit}")).strip()

    async def changes(self) -> tuple[list[str], list[str]]:
        """Return the uncommitted paths, and the folders that git cannot read. A nested repository ends with a
        slash."""
        words = ("status", "--porcelain", "-z", "-uall", "--no-renames", "--ignore-submodules=all")
        warned: list[str] = []
        output = await self.git(*words, seconds=LONG_TIMEOUT_SECONDS, warned=warned)
        unread = [match[1] for line in warned if (match := UNREAD.match(line))]
        return [entry[3:] for entry in output.split("\0") if entry], unread

    async def is_clean(self) -> bool:
        return not any(await self.changes())

    async def settle(self, message: str, *, commit: bool = True, author: str = "") -> Settled:
        """Commit the agent's work to a branch, and return warnings for people.

        The run's branch is moved forward to commits made elsewhere if they descend from it; otherwise the result
        names another branch that has the work. Files that cannot be committed are named and stay. Without
        `commit`, leftovers are named only. Raises WorkspaceError.
        """
        check_pointer(self.folder, self.own, self.lock)
        await asyncio.to_thread(nested.remove_traps, self.folder)
        tree, warnings = await self._attach()
        committed = False
        if commit:
            committed, left = await tree._commit(message, author)
            warnings += left
        elif changed := [name for names in await tree.changes() for name in names]:
            warnings.append(
                f"The agent must not change files, but changed {_named(changed)}; "
                f"this is not committed and stands in {self.folder}"
            )
        if histories := await tree.histories():
            warnings.append(
                f"There are repositories with a history of their own in {_named(histories)}; it is not on the "
                f"branch and stays in {self.folder}"
            )
        if marked := await conflicts_of(tree.git, await tree._start(), await tree.head()):
            warnings.append(f"Unresolved conflicts were committed in {_named(marked)}")
        if written := (await owner_now(self.repository, self.common)).differs(self.begun):
            warnings.append(
                f"While the run worked, this was changed in {self.common}: {_named(written)}. Look at it before "
                "you use git there: git may run what it names. The worker goes by what was there before"
            )
        return Settled(tree=tree, committed=committed, warnings=tuple(warnings))

    async def commit_rest(self, message: str) -> bool:
        """Commit leftovers. Returns False if there are none. Raises WorkspaceError for files that cannot be
        committed."""
        committed, left = await self._commit(message)
        if left:
            raise WorkspaceError(left[0])
        return committed

    async def _commit(self, message: str, named: str = "") -> tuple[bool, list[str]]:
        """Commit what can be committed. Returns messages about the rest."""
        for name in ("index.lock", "HEAD.lock"):
            (self.own / name).unlink(missing_ok=True)  # left by a killed git; no other process works here
        warnings, (changed, unread) = [], await self.changes()
        links = await self._strange_links()
        if not changed and not links and not unread:
            return False, []
        within = {path.rstrip("/") for path in changed if path.endswith("/")} | links
        linked = nested.links_of(await self.git("ls-files", "-s", "-z"))
        filled = {
            path for path in linked if os.path.lexists(self.folder / path / ".git")
        }  # git would run in it
        paths = [":/", *(f":(exclude,top,literal){path}" for path in sorted(within | filled))]
        given, why = b"".join(os.fsencode(path) + b"\0" for path in paths), ""
        words = ("add", "--all", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul")
        try:
            await self.git(*words, given=given, held=(self.lock,), seconds=LONG_TIMEOUT_SECONDS)
        except WorkspaceError as error:
            why = f" ({error})"
        if within:
            await self._take_in(sorted(within), links)
        name, _, address = named.removesuffix(">").partition(" <")
        identity = (f"user.name={name}", f"user.email={address}") if named else AUTHOR
        author = [word for setting in identity for word in ("-c", setting)]
        staged = await self.git("diff-index", "--cached", "--name-only", "--ignore-submodules=none", "HEAD")
        merging = (self.own / "MERGE_HEAD").exists()
        if staged or merging:
            await self.git(
                *(*author, "commit", "--quiet", "--no-verify", "--cleanup=strip"),
                *("-m", message.strip() or "Work"),
                held=(self.lock,),
                seconds=LONG_TIMEOUT_SECONDS,
            )
        if left := [name for names in await self.changes() for name in names]:
            warnings.append(f"{_named(left)} cannot be committed and stays in {self.folder}{why}")
        return bool(staged) or merging, warnings

    async def _take_in(self, within: list[str], links: set[str]) -> None:
        """Stage the files of nested repositories as ordinary files."""
        if links:
            names = b"".join(os.fsencode(path) + b"\0" for path in sorted(links))
            await self.git("update-index", "-z", "--force-remove", "--stdin", given=names)
        paths = await asyncio.to_thread(nested.files_of, self.folder, within)
        given = b"".join(path + b"\0" for path in paths)
        if not given:
            return
        words = ("check-ignore", "-z", "--no-index", "--stdin")
        output = await self.git(*words, given=given, good=(0, 1), seconds=LONG_TIMEOUT_SECONDS)
        ignored = set(os.fsencode(output).split(b"\0"))
        given = b"".join(path + b"\0" for path in paths if path not in ignored)
        await self.git(
            *("update-index", "-z", "--add", "--stdin"),
            given=given,
            held=(self.lock,),
            seconds=LONG_TIMEOUT_SECONDS,
        )

    async def _strange_links(self) -> set[str]:
        """Return paths staged as links to commits of a nested repository, which exist nowhere else."""
        start = await self._start()
        before = nested.links_of(await self.git("ls-tree", "-r", "-z", "--full-tree", start))
        now = nested.links_of(await self.git("ls-files", "-s", "-z"))
        strange = now - before
        if not strange:
            return set()
        words = ("config", "-z", "--file", str(self.folder / ".gitmodules"), "--get-regexp", r"\.path$")
        plain = (self.folder / ".gitmodules").is_file() and not (self.folder / ".gitmodules").is_symlink()
        output = await self.git(*words, good=(0, 1)) if plain else ""
        return strange - {entry.partition("\n")[2] for entry in output.split("\0")}

    async def _start(self) -> str:
        return self.base or await self.head()

    async def _attach(self) -> "tuple[Worktree, list[str]]":
        """Check out a branch that has everything committed in the folder."""
        now = (await self.git("symbolic-ref", "--quiet", "HEAD", good=(0, 1))).strip()
        own_ref = f"refs/heads/{self.branch}"
        tip = (await self.git("for-each-ref", "--format=%(objectname)", own_ref)).strip()
        if now == own_ref and tip:
            return self, []
        if now == own_ref:
            head = self._last_head()
            await self.git("update-ref", own_ref, head, "0" * len(head))
            return self, [f"The branch {self.branch} was deleted and restored at its last commit"]
        head = await self.head()
        name = now.removeprefix("refs/heads/")
        where = f"the branch {name}" if now else "no branch"
        if await self._goes_on(tip or self.base, head):
            await self.git("update-ref", own_ref, head, tip or "0" * len(head))
            await self.git("symbolic-ref", "HEAD", own_ref)
            done = "was moved on to" if tip else "was gone, and is made again with"
            return self, [
                f"The agent left its branch for {where}; {self.branch} {done} what it committed there"
            ]
        if now.startswith("refs/heads/"):
            return replace(self, branch=name), [
                f"The agent left its branch {self.branch}; its work is on {where}"
            ]
        for number in range(2, 100):
            name = f"{self.branch}-{number}"
            with suppress(WorkspaceError):
                await self.git("update-ref", f"refs/heads/{name}", head, "0" * len(head))
                await self.git("symbolic-ref", "HEAD", f"refs/heads/{name}")
                output = (
                    f"The agent left its branch {self.branch} for no branch; its work is on the branch {name}"
                )
                return replace(self, branch=name), [output]
        raise WorkspaceError(f"no branch can be made for what the agent committed on no branch ({head})")

    def _last_head(self) -> str:
        """Return the commit checked out last, from git's reflog."""
        log = self.own / "logs" / "HEAD"
        lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
        known = [commit for line in lines for commit in line.split(" ")[:2] if commit.strip("0")]
        return known[-1] if known else self.base

    async def histories(self) -> list[str]:
        """Return nested repositories, except ignored ones, whose history may exist nowhere else."""
        repositories = await asyncio.to_thread(nested.histories_in, self.folder)
        given = b"".join(os.fsencode(path) + b"\0" for path in repositories)
        if not given:
            return []
        words = ("check-ignore", "-z", "--no-index", "--stdin")
        ignored = (await self.git(*words, given=given, good=(0, 1))).split("\0")
        return [path for path in repositories if path not in ignored]

    async def _goes_on(self, tip: str, head: str) -> bool:
        return bool(tip) and (await self.git("merge-base", tip, head, good=(0, 1))).strip() == tip

    async def diff(self, first: Sequence[str] = ()) -> Diff:
        """Return the changes committed since the base; paths that match one of the globs `first` come first."""
        return await diff_of(self.git, self.base, await self.head(), first)

    async def snapshot(self) -> str:
        """Store the folder as it is now as a tree, without touching the agent's index. Returns the tree's id.

        Repositories that the agent made within the folder are left out.
        """
        check_pointer(self.folder, self.own, self.lock)
        await asyncio.to_thread(nested.remove_traps, self.folder)
        changed, _ = await self.changes()
        index = self.own / SNAPSHOT_INDEX
        place = self.owner.write(self.common, self.own)
        place |= {"GIT_WORK_TREE": str(self.folder), "GIT_INDEX_FILE": str(index)}
        try:
            await self.git("read-tree", "HEAD", place=place, seconds=LONG_TIMEOUT_SECONDS)
            paths = [path for path in changed if not path.endswith("/")]
            given = b"".join(os.fsencode(path) + b"\0" for path in paths)
            words = ("update-index", "-z", "--add", "--remove", "--replace", "--stdin")
            if given:
                await self.git(
                    *words, given=given, place=place, held=(self.lock,), seconds=LONG_TIMEOUT_SECONDS
                )
            return (await self.git("write-tree", place=place, held=(self.lock,))).strip()
        finally:
            for name in (SNAPSHOT_INDEX, f"{SNAPSHOT_INDEX}.lock"):
                (self.own / name).unlink(missing_ok=True)

    async def diff_to(self, tree: str) -> Diff:
        """Return the changes from the base to a commit or a tree."""
        return await diff_of(self.git, self.base, tree)

    async def restore(self, head: str) -> None:
        """Bring the folder back to a commit, without the files that checks have left. Ignored files stay."""
        await self.git("reset", "--quiet", "--hard", head, held=(self.lock,), seconds=LONG_TIMEOUT_SECONDS)
        await self.git("clean", "--quiet", "-ffd", held=(self.lock,), seconds=LONG_TIMEOUT_SECONDS)

    async def commits(self) -> list[Made]:
        """The commits since the base, oldest first."""
        return await commits_of(self.git, self.base, await self.head())

    async def remove(self, *, finished: bool = False, keep_branch: bool = True) -> None:
        """Remove the folder, because its branch has everything in it. Ignored files are removed too.

        Raises Unmerged, with nothing deleted, while work is uncommitted or on no branch. With `finished`, the
        notes of the run are deleted; without `keep_branch`, also a branch without commits.
        """
        async with lock_root(self.folder.parent) as creation_lock:
            if not await self.is_clean():
                raise Unmerged(f"{self.folder} has changes that are not committed")
            branch, head = f"refs/heads/{self.branch}", await self.head()
            if head != await commit_of(self.repository, branch):
                raise Unmerged(f"{self.folder} has commits that are on no branch")
            if (self.own / "modules").exists():
                raise Unmerged(f"{self.folder} has submodules, whose commits may be nowhere else")
            if histories := await self.histories():
                raise Unmerged(f"{self.folder} has repositories of its own: {_named(histories)}")
            await mend(self.common, self.folder.parent)
            gone = self.folder.with_name(f"{self.folder.name}{GONE}")
            self.folder.rename(gone)  # atomic: a partly removed folder is never reused
            words = ("worktree", "remove", "--force", "--force", str(self.folder))
            await git(self.repository, *words, held=(creation_lock,))
            run = self.folder.name.partition(".")[0]
            if not keep_branch and head == self.base:
                await git(self.repository, "update-ref", "-d", branch, head, held=(creation_lock,))
                await git(
                    self.repository, "update-ref", "-d", f"{NOTES}/{run}/{self.branch}", held=(creation_lock,)
                )
            if finished:
                await _forget_notes(self.repository, run)
        await remove_tree(gone)


def _named(paths: list[str]) -> str:
    """Format a few paths for a message."""
    names = [
        printable(path).encode("unicode_escape").decode() if not path.isprintable() else path
        for path in paths
    ]
    names = [name if len(name) <= MAX_NAME_CHARACTERS else f"{name[:MAX_NAME_CHARACTERS]}…" for name in names]
    more = len(names) - MAX_NAMED_FILES
    return ", ".join(names[:MAX_NAMED_FILES]) + (f" and {more:,} more" if more > 0 else "")


async def _forget_notes(repository: Path, run: str) -> None:
    for ref in (await git(repository, "for-each-ref", "--format=%(refname)", f"{NOTES}/{run}")).split():
        await git(repository, "update-ref", "-d", ref)


async def tidy(root: Path, seconds: float = KEEP_FOLDER_SECONDS) -> None:
    """Remove abandoned folders whose branches have everything in them."""
    if not root.is_dir():
        return
    for folder in sorted(root.absolute().iterdir()):
        try:
            if folder.suffix == GONE:
                await remove_tree(folder)
            elif folder.is_dir() and folder.stat().st_mtime < time.time() - seconds:
                await _remove_idle(folder)
        except (WorkspaceError, OSError) as error:
            log.info("%s is kept: %s", folder, error)


async def _remove_idle(folder: Path) -> None:
    pointer = (folder / ".git").read_text()
    common = Path(pointer.removeprefix("gitdir: ").strip()).parent.parent
    run = folder.name.partition(".")[0]
    if not RUN.fullmatch(run) or (own := own_of(common, folder)) is None:
        return  # in use
    repository = common.parent if common.name == ".git" else common
    if not await git(repository, "for-each-ref", f"{NOTES}/{run}"):
        return
    async with lock_root(folder.parent):
        lock = hold(folder)
    if lock is None:
        return
    try:
        owner = first_owner(common, await owner_now(repository, common))
        tree = Worktree(
            repository=repository,
            folder=folder,
            branch="",
            base="",
            lock=lock,
            common=common,
            own=own,
            owner=owner,
            begun=owner,
        )
        branch = (await tree.git("symbolic-ref", "--short", "HEAD")).strip()
        await replace(tree, branch=branch).remove()
    finally:
        os.close(lock)
