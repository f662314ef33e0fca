"""A git worktree and a branch for every run, cut from the user's repository.

The user's checkout is never touched. A folder is held by whoever works in it (a lock on the folder itself, which
the agent's leash holds too), so nobody works where another still writes. A folder goes when everything in it is on
its branch; no branch with work is ever deleted. What was half made when its worker was killed is made again: under
`refs/signalbox/of/<run>/<branch>`, written first, stands the commit that the run's branch was cut from. Names come
from cards and people, so every one is judged before git sees it.

An agent writes in the folder, and the files of a folder can make git run programs. So git is told the git
directory and the work tree that we made, a folder whose `.git` was changed is refused, and git reads the owner's
configuration from our own copy of it (owner.py).
"""

import asyncio
import logging
import os
import re
import time
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
MAX_NAMED_FILES = 10  # in one warning
MAX_NAME_CHARACTERS = 200
UNREAD = re.compile(r"warning: could not open directory '(.*?)(?:': |$)")

LOCK_TIMEOUT_SECONDS = (
    10.0  # seconds to wait for a folder: the programs of a worker that was killed have five to end
)
KEEP_FOLDER_SECONDS = 7 * 86_400.0  # seconds that a folder nobody came back to is kept
GONE = ".gone"  # ends the name of a folder that is being removed
RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
AUTHOR = ("user.name=Signalbox", "user.email=signalbox@localhost")


class Unmerged(WorkspaceError):
    """What would be deleted exists nowhere else."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What became of a folder when its program had ended."""

    tree: "Worktree"  # on the branch that the work is on
    committed: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Worktree:
    repository: Path
    folder: Path
    branch: str
    base: str  # the commit that the branch was cut from
    lock: int = field(compare=False, repr=False)
    common: Path = field(compare=False, repr=False)  # the repository's git directory
    own: Path = field(compare=False, repr=False)  # the work tree's, which lies in it
    owner: Owner = field(compare=False, repr=False)  # when the worker first used the repository
    begun: Owner = field(compare=False, repr=False)  # when this attempt began

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
                    folder = root / f"{run}.{attempt}"
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
                            folder.rmdir()  # only if there is nothing in it
                        os.close(lock)
                        raise
                    os.utime(folder)  # when it was last worked in
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
        """Leave the folder to whoever goes on. Called once."""
        os.close(self.lock)

    async def git(self, *words: str, **how: Any) -> str:
        """Run git in the folder by the owner's own configuration. Raises Tampered."""
        check_pointer(self.folder, self.own, self.lock)
        place = self.owner.write(self.common, self.own) | {"GIT_WORK_TREE": str(self.folder)}
        return await git(self.folder, *words, **({"place": place} | how))

    async def head(self) -> str:
        return (await self.git("rev-parse", "--verify", "--quiet", "HEAD^{commit}")).strip()

    async def changes(self) -> tuple[list[str], list[str]]:
        """Name what is not committed, and folders that git cannot read.

        A repository within the folder ends with a slash.
        """
        words = ("status", "--porcelain", "-z", "-uall", "--no-renames", "--ignore-submodules=all")
        warned: list[str] = []
        output = await self.git(*words, seconds=LONG_TIMEOUT_SECONDS, warned=warned)
        unread = [match[1] for line in warned if (match := UNREAD.match(line))]
        return [entry[3:] for entry in output.split("\0") if entry], unread

    async def is_clean(self) -> bool:
        return not any(await self.changes())

    async def settle(self, message: str, *, commit: bool = True) -> Settled:
        """Bring all of the agent's work on a branch, and say what people should know about it.

        The run's branch is moved forward to what the agent committed elsewhere, where that goes on from it; else
        the answer names another branch, where the work is. Files that cannot be committed are named and stay.
        Without `commit`, what the agent left is named only. Raises WorkspaceError where nothing can be said.
        """
        check_pointer(self.folder, self.own, self.lock)
        await asyncio.to_thread(nested.remove_traps, self.folder)
        tree, warnings = await self._attach()
        committed = False
        if commit:
            committed, left = await tree._commit(message)
            warnings += left
        elif changed := [name for names in await tree.changes() for name in names]:
            warnings.append(
                f"The agent was to change no file, and changed {_named(changed)}; "
                f"this is not committed and stands in {self.folder}"
            )
        if histories := await tree.histories():
            warnings.append(
                f"There are repositories with a history of their own in {_named(histories)}; it is not on the "
                f"branch and stays in {self.folder}"
            )
        if marked := await conflicts_of(tree.git, await tree._start(), await tree.head()):
            warnings.append(f"Conflicts were committed that nobody resolved, in {_named(marked)}")
        if written := (await owner_now(self.repository, self.common)).differs(self.begun):
            warnings.append(
                f"While the run worked, this was changed in {self.common}: {_named(written)}. Look at it before "
                "you use git there: git may run what it names. The worker goes by what was there before"
            )
        return Settled(tree=tree, committed=committed, warnings=tuple(warnings))

    async def commit_rest(self, message: str) -> bool:
        """Commit what the agent left. False if there was nothing. Raises WorkspaceError for what cannot be."""
        committed, left = await self._commit(message)
        if left:
            raise WorkspaceError(left[0])
        return committed

    async def _commit(self, message: str) -> tuple[bool, list[str]]:
        """Commit what can be, and tell what cannot."""
        for name in ("index.lock", "HEAD.lock"):
            (self.own / name).unlink(missing_ok=True)  # of a git that was killed: nobody else works here now
        warnings, (changed, unread) = [], await self.changes()
        links = await self._strange_links()
        if not changed and not links and not unread:
            return False, []
        within = {path.rstrip("/") for path in changed if path.endswith("/")} | links
        linked = nested.links_of(await self.git("ls-files", "-s", "-z"))
        filled = {
            path for path in linked if os.path.lexists(self.folder / path / ".git")
        }  # git would run there
        paths = [":/", *(f":(exclude,top,literal){path}" for path in sorted(within | filled))]
        given, why = b"".join(os.fsencode(path) + b"\0" for path in paths), ""
        words = ("add", "--all", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul")
        try:
            await self.git(*words, given=given, held=(self.lock,), seconds=LONG_TIMEOUT_SECONDS)
        except WorkspaceError as error:
            why = f" ({error})"
        if within:
            await self._take_in(sorted(within), links)
        author = [word for setting in AUTHOR for word in ("-c", setting)]
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
        """Stage the files of repositories that the agent made in the folder, as the files they are."""
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
        """Paths where the agent staged a repository of its own as a link to a commit, which is nowhere else."""
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
        """Have the folder on a branch with everything that was committed in it."""
        now = (await self.git("symbolic-ref", "--quiet", "HEAD", good=(0, 1))).strip()
        own_ref = f"refs/heads/{self.branch}"
        tip = (await self.git("for-each-ref", "--format=%(objectname)", own_ref)).strip()
        if now == own_ref and tip:
            return self, []
        if now == own_ref:
            head = self._last_head()
            await self.git("update-ref", own_ref, head, "0" * len(head))
            return self, [f"The branch {self.branch} was deleted, and is made again where it stood last"]
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
        """The commit that was checked out last, by git's own log of it."""
        log = self.own / "logs" / "HEAD"
        lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
        known = [commit for line in lines for commit in line.split(" ")[:2] if commit.strip("0")]
        return known[-1] if known else self.base

    async def histories(self) -> list[str]:
        """Name the repositories in the folder, but for ignored ones, whose history may be nowhere else."""
        repositories = await asyncio.to_thread(nested.histories_in, self.folder)
        given = b"".join(os.fsencode(path) + b"\0" for path in repositories)
        if not given:
            return []
        words = ("check-ignore", "-z", "--no-index", "--stdin")
        ignored = (await self.git(*words, given=given, good=(0, 1))).split("\0")
        return [path for path in repositories if path not in ignored]

    async def _goes_on(self, tip: str, head: str) -> bool:
        return bool(tip) and (await self.git("merge-base", tip, head, good=(0, 1))).strip() == tip

    async def diff(self) -> Diff:
        """Everything that was committed since the base."""
        return await diff_of(self.git, self.base, await self.head())

    async def commits(self) -> list[Made]:
        """The commits since the base, oldest first."""
        return await commits_of(self.git, self.base, await self.head())

    async def remove(self, *, finished: bool = False, keep_branch: bool = True) -> None:
        """Remove the folder, because its branch has everything that is in it. What git ignores goes with it.

        Raises Unmerged, with nothing deleted, while something in the folder is not committed or on no branch. A
        run that is `finished` needs its notes no more; nor, without `keep_branch`, a branch without a commit.
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
            self.folder.rename(gone)  # all at once: nobody ever goes on with half of it
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
    """A few paths in words, as they can be printed."""
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
    """Remove the folders of runs that nobody came back to for so long, where their branches have everything."""
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
        return  # somebody else's
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
