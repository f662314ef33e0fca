"""Merges, rebases, pushes and creates branches with git alone, without a checkout.

A merge is computed by `git merge-tree` from commits, so nothing of a repository is run and nothing is changed until
the branch moves, in one `git update-ref` that names the commit it expects there. Before that, the result is noted
under `refs/signalbox/merge/<task>`: a task whose worker was killed after the branch moved finds it there and is not
done twice. A checkout of the moved branch is brought forward, if it was clean.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from worker.api import BranchResult, BranchWork, MergeConflict, Resolution
from worker.worktree.changes import printable
from worker.worktree.command import LONG_TIMEOUT_SECONDS, WorkspaceError, git
from worker.worktree.holding import is_free
from worker.worktree.names import judged
from worker.worktree.owner import first_owner, owner_now
from worker.worktree.place import commit_of, common_of, own_of

NOTES = "refs/signalbox/merge"
TRAILER = "Signalbox-Task"
NAME, EMAIL = "Signalbox", "signalbox@localhost"
IDENTITY = {
    "GIT_AUTHOR_NAME": NAME,
    "GIT_AUTHOR_EMAIL": EMAIL,
    "GIT_COMMITTER_NAME": NAME,
    "GIT_COMMITTER_EMAIL": EMAIL,
}
TRANSPORTS = {"GIT_ALLOW_PROTOCOL": "https:http:ssh:git", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
MAX_TRIES = 5  # of a task whose base branch moves
MAX_CONFLICTS = 100
MAX_VERSION_BYTES = 65_536  # of one version of a file that is reported
MAX_REPORT_BYTES = 600_000  # of all versions; a request has at most 1 MB
MAX_REBASED_COMMITS = 500
PUSH_SECONDS = 300.0


class TaskRefused(Exception):
    """The task cannot be done. Nothing was changed."""

    def __init__(self, fault: str, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault


class BaseMoved(Exception):
    """The branch to move is not at the expected commit any more."""


class InConflict(Exception):
    def __init__(self, conflicts: list[MergeConflict]) -> None:
        super().__init__(f"{len(conflicts)} files are in conflict")
        self.conflicts = conflicts


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A version of a file: its mode and blob."""

    mode: str
    blob: str


async def do_branch_task(
    repository: Path,
    task: BranchWork,
    lock: Callable[[], Awaitable[None]],
    point_of_no_return: Callable[[], None],
) -> BranchResult:
    """Do a task. `lock` takes or renews the repository's lock; it is called before a branch moves.
    After `point_of_no_return`, do not cancel it.

    Raises WorkspaceError for a repository that cannot be used.
    """
    try:
        async with scratch_of(repository) as scratch:
            worker = BranchTaskWork(repository, task, lock, point_of_no_return, scratch)
            return await worker.run()
    except InConflict as conflict:
        paths = ", ".join(one.path for one in conflict.conflicts[:5])
        return BranchResult(summary=f"{conflict}: {paths}", conflicts=tuple(conflict.conflicts))
    except TaskRefused as refused:
        return BranchResult(summary=str(refused), fault=refused.fault)


@asynccontextmanager
async def scratch_of(repository: Path) -> AsyncIterator[Mapping[str, str]]:
    """Make a git directory with an index of its own. Yields the environment that selects it.

    It has the owner's configuration as the worker first read it, and the repository's objects and refs.
    """
    common = await common_of(repository)
    owner = first_owner(common, await owner_now(repository, common))
    with tempfile.TemporaryDirectory(prefix="signalbox-merge-") as folder:
        own = Path(folder)
        (own / "HEAD").write_text("ref: refs/heads/signalbox-scratch\n")
        (own / "commondir").write_text(f"{common}\n")  # for refs, which do not heed GIT_COMMON_DIR
        yield owner.write(common, own)


@dataclass
class BranchTaskWork:
    repository: Path
    task: BranchWork
    lock: Callable[[], Awaitable[None]]
    point_of_no_return: Callable[[], None]  # called before a branch moves
    scratch: Mapping[str, str]
    reported: int = field(default=0)  # bytes of versions in conflict

    async def run(self) -> BranchResult:
        await self.lock()
        await judged(self.repository, self.task.branch)
        match self.task.kind:
            case "CREATE":
                return await self._create()
            case "PUSH":
                return await self._push()
        for _ in range(MAX_TRIES):
            try:
                return await (self._sync() if self.task.kind == "SYNC" else self._merge())
            except BaseMoved:
                continue
        raise TaskRefused("BASE_MOVED", f"The branch moved each of the {MAX_TRIES} times that this was tried")

    async def git(self, *words: str, **how: object) -> str:
        place = {**self.scratch, **IDENTITY, "GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
        return await git(self.repository, *words, **({"place": place} | how))  # type: ignore[arg-type]

    async def _commit(self, name: str) -> str:
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return (await self.git(*words, check=False)).strip()

    async def _base(self) -> str:
        """Return the name of the base branch."""
        base = self.task.base.removeprefix("refs/heads/")
        if not base or base == "HEAD":
            words = ("symbolic-ref", "--quiet", "--short", "HEAD")
            base = (await git(self.repository, *words, good=(0, 1))).strip()
        if not base or not await self._commit(f"refs/heads/{base}"):
            raise TaskRefused("NO_BRANCH", f"There is no base branch {base!r}; set the board's baseBranch")
        return base

    async def _tree(self, commit: str) -> str:
        return (await self.git("rev-parse", f"{commit}^{{tree}}")).strip()

    async def _head(self) -> str:
        head = await self._commit(f"refs/heads/{self.task.branch}")
        if not head:
            raise TaskRefused("NO_BRANCH", f"The repository has no branch {self.task.branch}")
        if self.task.head and head != self.task.head:
            raise TaskRefused(
                "HEAD_MOVED",
                f"{self.task.branch} is at {head[:12]}, not at {self.task.head[:12]}",
            )
        return head

    async def _merge(self) -> BranchResult:
        task, base = self.task, await self._base()
        tip = await self._commit(f"refs/heads/{base}")
        if done := await self._done_before(base, tip):
            return done
        head = await self._head()
        start = (await self.git("merge-base", tip, head, good=(0, 1))).strip()
        if start == head:
            return BranchResult(summary=f"{base} has all of {task.branch} already", sha=tip)
        message = f"{task.message}\n\n{TRAILER}: {task.id}"
        if task.strategy == "REBASE":
            new = await self._replay(start, head, tip)
        elif task.strategy == "SQUASH":
            tree = await self._merged_tree(tip, head)
            new = tip if tree == await self._tree(tip) else await self._make(tree, message, tip)
        else:
            message = f"Merge {task.branch}: {message}"
            new = await self._make(await self._merged_tree(tip, head), message, tip, head)
        if new == tip:
            return BranchResult(summary=f"{base} has all of {task.branch} already", sha=tip)
        await self._advance(base, tip, new)
        return BranchResult(summary=f"{task.branch} is merged into {base} ({task.strategy})", sha=new)

    async def _sync(self) -> BranchResult:
        task, base = self.task, await self._base()
        branch = task.branch
        here = await self._commit(f"refs/heads/{branch}")
        if here and (done := await self._done_before(branch, here)):
            return done
        tip, head = await self._commit(f"refs/heads/{base}"), await self._head()
        start = (await self.git("merge-base", tip, head, good=(0, 1))).strip()
        if start == tip:
            return BranchResult(summary=f"{branch} has all of {base} already", sha=head)
        new = await self._replay(start, head, tip)
        await self._advance(branch, head, new)
        return BranchResult(summary=f"{branch} is rebased on {base}", sha=new)

    async def _done_before(self, branch: str, tip: str) -> BranchResult | None:
        """Return the result of an attempt that was killed after the branch moved."""
        noted = await self._commit(f"{NOTES}/{self.task.id}/result")
        old = await self._commit(f"{NOTES}/{self.task.id}/old")
        if not noted or not old or not await self._contains(tip, noted):
            return None
        if tip == noted:
            for checkout in await self._checkouts(branch):
                await self._bring_forward(checkout, old, noted)
        return BranchResult(summary=f"{branch} was moved by an earlier attempt", sha=noted)

    async def _contains(self, tip: str, commit: str) -> bool:
        return (await self.git("merge-base", tip, commit, good=(0, 1))).strip() == commit

    async def _make(self, tree: str, message: str, *parents: str) -> str:
        words = [word for parent in parents for word in ("-p", parent)]
        return (await self.git("commit-tree", tree, *words, given=message.encode())).strip()

    async def _replay(self, start: str, head: str, onto: str) -> str:
        """Repeat the commits after `start` on top of `onto`, with their authors and messages."""
        listed = (await self.git("rev-list", "--reverse", "--topo-order", f"{start}..{head}")).split()
        if await self.git("rev-list", "--merges", "--max-count=1", f"{start}..{head}"):
            raise TaskRefused("NOT_LINEAR", f"{self.task.branch} has merge commits; use MERGE or SQUASH")
        if len(listed) > MAX_REBASED_COMMITS:
            raise TaskRefused("NOT_LINEAR", f"It has more than {MAX_REBASED_COMMITS} commits; use SQUASH")
        new = onto
        for commit in listed:
            # Its merge base with `commit` is the parent of `commit`, so the merge applies that change only.
            joined = await self._make(f"{new}^{{tree}}", "", f"{commit}^")
            tree = await self._merged_tree(joined, commit)
            if tree == await self._tree(new):
                continue  # the base has that change
            show = ("log", "-1", "--no-color", "--encoding=UTF-8", "--date=raw")
            shown = await self.git(*show, "--format=%an%n%ae%n%ad%n%B", commit)
            name, email, date, message = shown.split("\n", 3)
            author = {"GIT_AUTHOR_NAME": name or "?", "GIT_AUTHOR_EMAIL": email, "GIT_AUTHOR_DATE": date}
            place = {**self.scratch, **IDENTITY, **author, "GIT_ALLOW_PROTOCOL": "none"}
            words = ("commit-tree", tree, "-p", new)
            given = os.fsencode(message.strip() + "\n")
            new = (await git(self.repository, *words, given=given, place=place)).strip()
        return new

    async def _merged_tree(self, ours: str, theirs: str) -> str:
        """Merge two commits to a tree, with the resolutions. Raises InConflict."""
        words = ("merge-tree", "--write-tree", "-z", "--no-messages", "--allow-unrelated-histories")
        output = await self.git(*words, ours, theirs, good=(0, 1), seconds=LONG_TIMEOUT_SECONDS)
        tree, *rows = output.split("\0")
        versions: dict[str, dict[str, Entry]] = {}
        for row in filter(None, rows):
            about, _, path = row.partition("\t")
            mode, blob, stage = about.split(" ")
            versions.setdefault(path, {})[stage] = Entry(mode=mode, blob=blob)
        if not versions:
            return tree
        if len(versions) > MAX_CONFLICTS:
            raise TaskRefused("TOO_MANY_CONFLICTS", f"{len(versions):,} files are in conflict")
        resolutions = {(one.path, one.key): one for one in self.task.resolutions}
        changed, open_conflicts = [], []
        for path, stages in versions.items():
            key = ".".join(stages[n].blob if n in stages else "-" for n in ("1", "2", "3"))
            resolution = resolutions.get((printable(path), key))
            if resolution is None:
                open_conflicts.append(await self._conflict(path, key, stages))
            else:
                changed.append(await self._resolved(path, stages, resolution))
        if open_conflicts:
            raise InConflict(open_conflicts)
        await self.git("read-tree", tree)
        await self.git("update-index", "-z", "--index-info", given=b"".join(changed))
        return (await self.git("write-tree")).strip()

    async def _conflict(self, path: str, key: str, stages: dict[str, Entry]) -> MergeConflict:
        base, ours, theirs = [await self._text(stages.get(stage)) for stage in ("1", "2", "3")]
        return MergeConflict(path=printable(path), key=key, base=base, ours=ours, theirs=theirs)

    async def _text(self, entry: Entry | None) -> str | None:
        if entry is None or not entry.mode.startswith("100"):
            return None
        size = int(await self.git("cat-file", "-s", entry.blob))
        if size > MAX_VERSION_BYTES or self.reported + size > MAX_REPORT_BYTES:
            return None
        self.reported += size
        text = await self.git("cat-file", "blob", entry.blob)
        return None if "\0" in text else printable(text)

    async def _resolved(self, path: str, stages: dict[str, Entry], resolution: Resolution) -> bytes:
        """Return the line of `update-index --index-info` that resolves a file."""
        any_mode = next((stages[n].mode for n in ("2", "3", "1") if n in stages), "100644")
        if resolution.side:
            entry = stages.get("2" if resolution.side == "OURS" else "3")
        else:
            given = resolution.content.encode(errors="surrogateescape")
            blob = (await self.git("hash-object", "-w", "--stdin", given=given)).strip()
            entry = Entry(mode=any_mode if any_mode.startswith("100") else "100644", blob=blob)
        row = f"{entry.mode} {entry.blob} 0\t" if entry else f"0 {'0' * 40} 0\t"
        return row.encode() + os.fsencode(path) + b"\0"

    async def _advance(self, branch: str, old: str, new: str) -> None:
        """Move a branch by compare-and-set, and its checkouts with it. Raises TaskRefused, BaseMoved."""
        checkouts = await self._checkouts(branch)
        for checkout in checkouts:
            await self._check(checkout, old, new)
        await self._update_ref(f"{NOTES}/{self.task.id}/old", old)
        await self._update_ref(f"{NOTES}/{self.task.id}/result", new)
        await self.lock()
        self.point_of_no_return()
        try:
            words = (
                "update-ref",
                "-m",
                f"signalbox: {self.task.kind} {self.task.id}",
                f"refs/heads/{branch}",
            )
            await git(self.repository, *words, new, old)
        except WorkspaceError as error:
            raise BaseMoved from error
        for checkout in checkouts:
            await self._bring_forward(checkout, old, new)

    async def _update_ref(self, ref: str, commit: str) -> None:
        await git(self.repository, "update-ref", ref, commit)

    async def _checkouts(self, branch: str) -> list[tuple[Path, Mapping[str, str]]]:
        """Return the folders that have a branch checked out, with the environment that selects each."""
        common = await common_of(self.repository)
        owner = first_owner(common, await owner_now(self.repository, common))
        found: list[tuple[Path, Mapping[str, str]]] = []
        for entry in (await git(self.repository, "worktree", "list", "--porcelain")).split("\n\n"):
            lines = entry.split("\n")
            folder = Path(lines[0].removeprefix("worktree "))
            if f"branch refs/heads/{branch}" not in lines or not folder.is_dir():
                continue
            own = common if (folder / ".git").is_dir() else own_of(common, folder)
            if own is not None:
                if (folder.parent / ".lock").exists() and not is_free(folder):
                    raise TaskRefused("CHECKOUT_DIRTY", f"An agent is at work in {folder}")
                found.append((folder, {**owner.write(common, own), "GIT_WORK_TREE": str(folder)}))
        return found

    async def _check(self, checkout: tuple[Path, Mapping[str, str]], old: str, new: str) -> None:
        folder, place = checkout
        words = ("status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=all")
        changed = [row[3:] for row in (await git(folder, *words, place=place)).split("\0") if row]
        if changed:
            names = ", ".join(map(printable, changed[:5]))
            raise TaskRefused("CHECKOUT_DIRTY", f"{folder} has changes that are not committed: {names}")
        try:
            await git(folder, "read-tree", "-n", "-m", "-u", old, new, place=place)
        except WorkspaceError as error:
            raise TaskRefused("CHECKOUT_DIRTY", f"{folder} cannot be brought forward: {error}") from error

    async def _bring_forward(self, checkout: tuple[Path, Mapping[str, str]], old: str, new: str) -> None:
        """Bring a checkout from one commit to another, unless an earlier attempt did. Local changes stay."""
        folder, place = checkout
        index = (await git(folder, "write-tree", place=place, check=False)).strip()
        if index == (await git(folder, "rev-parse", f"{new}^{{tree}}")).strip():
            return
        await git(folder, "update-index", "-q", "--refresh", place=place, good=(0, 1))
        await git(folder, "read-tree", "-m", "-u", old, new, place=place, seconds=LONG_TIMEOUT_SECONDS)

    async def _create(self) -> BranchResult:
        task = self.task
        noted = await self._commit(f"{NOTES}/{task.id}/result")
        tip = await self._commit(f"refs/heads/{task.branch}")
        if tip and noted == tip:
            return BranchResult(summary=f"{task.branch} was created by an earlier attempt", sha=tip)
        try:
            start = await commit_of(self.repository, task.base or "HEAD")
        except WorkspaceError as error:
            raise TaskRefused("NO_BRANCH", str(error)) from error
        if not tip:
            await self._update_ref(f"{NOTES}/{task.id}/result", start)
            try:
                await git(self.repository, "update-ref", f"refs/heads/{task.branch}", start, "0" * len(start))
                return BranchResult(summary=f"{task.branch} is created at {start[:12]}", sha=start)
            except WorkspaceError:
                await git(self.repository, "update-ref", "-d", f"{NOTES}/{task.id}/result")
        raise TaskRefused(
            "BRANCH_EXISTS", f"The repository has a branch {task.branch} already, or one in its way"
        )

    async def _push(self) -> BranchResult:
        task, head = self.task, await self._head()
        remotes = (await self.git("remote")).split()
        if "origin" not in remotes:
            raise TaskRefused("NO_REMOTE", "The repository has no remote `origin`")
        pushed = await self._commit(f"{NOTES}/pushed/{task.branch}")
        # The lease lets a rebased branch replace what was pushed before, and nothing that others pushed.
        lease = [f"--force-with-lease=refs/heads/{task.branch}:{pushed}"] if pushed else []
        words = ("push", "--porcelain", "--no-verify", *lease, "origin", f"{head}:refs/heads/{task.branch}")
        try:
            await self.git(*words, place={**self.scratch, **TRANSPORTS}, seconds=PUSH_SECONDS)
        except WorkspaceError as error:
            raise TaskRefused("PUSH_REJECTED", str(error)) from error
        await self._update_ref(f"{NOTES}/pushed/{task.branch}", head)
        return BranchResult(summary=f"{task.branch} is pushed at {head[:12]}", sha=head)
