"""Creates a worktree in a held folder, whatever a killed worker left in it.

`refs/signalbox/of/<run>/<branch>`, written before the branch, names the commit that the branch starts from.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from worker.worktree.command import LONG_TIMEOUT_SECONDS, WorkspaceError, git
from worker.worktree.disposal import remove_tree
from worker.worktree.holding import is_free
from worker.worktree.owner import Owner
from worker.worktree.place import commit_of, mend, own_of, whole_own_of

NOTES = "refs/signalbox/of"


@dataclass(frozen=True)
class WorktreeCreation:
    """The creation of one worktree in a held folder."""

    repository: Path
    common: Path
    owner: Owner
    folder: Path
    run: str
    new_name: str  # a branch name; a number is added if it is taken
    base: str
    creation_lock: int

    async def create(self, branch: str) -> tuple[str, str]:
        """Create or repair the worktree. Returns its branch and the commit that the branch starts from."""
        await mend(self.common, self.folder.parent)
        noted, base = await self._find_noted_branch()
        if (own := whole_own_of(self.repository, self.common, self.folder)) is not None:
            place = self.owner.write(self.common, own) | {"GIT_WORK_TREE": str(self.folder)}
            words = ("symbolic-ref", "--quiet", "--short", "HEAD")
            name = (await git(self.folder, *words, place=place, good=(0, 1))).strip()
            tip = (await git(self.folder, "rev-parse", "--verify", "HEAD^{commit}", place=place)).strip()
            base = base or await self._base_of(tip)
            if not name:
                name = await self._create_branch(tip, base)
                moved = ("symbolic-ref", "HEAD", f"refs/heads/{name}")
                await git(self.folder, *moved, place=place, held=(self.creation_lock,))
            return name, base
        await empty(self.folder)
        name = noted or branch
        if not name:
            base = await commit_of(self.repository, self.base)
            return await self._add(await self._create_branch(base, base)), base
        tip = await commit_of(self.repository, f"refs/heads/{name}")
        base = base or await self._base_of(tip)
        if not await self._is_checked_out_elsewhere(name):
            with suppress(WorkspaceError):  # a killed git leaves branches locked
                if not noted:
                    await self._git(self.repository, "update-ref", f"{NOTES}/{self.run}/{name}", base)
                return await self._add(name), base
            await empty(self.folder)  # the failed attempt may have left files
        return await self._add(await self._create_branch(tip, base)), base

    async def _add(self, name: str) -> str:
        # Forced twice: for a branch whose folder is idle, and for the remains of an incomplete folder.
        # Locked until its files are written, with the owner's configuration.
        words = ("worktree", "add", "--quiet", "--force", "--force", "--no-checkout", "--lock")
        await self._git(self.repository, *words, str(self.folder), name)
        own = own_of(self.common, self.folder)
        if own is None:
            raise WorkspaceError(f"git created no worktree in {self.folder}")
        place = self.owner.write(self.common, own) | {"GIT_WORK_TREE": str(self.folder)}
        await git(
            self.folder,
            *("reset", "--quiet", "--hard", "--no-recurse-submodules"),
            place=place,
            held=(self.creation_lock,),
            seconds=LONG_TIMEOUT_SECONDS,
        )
        (own / "locked").unlink(missing_ok=True)
        return name

    async def _git(self, folder: Path, *words: str) -> None:
        await git(folder, *words, held=(self.creation_lock,))

    async def _find_noted_branch(self) -> tuple[str, str]:
        """Return the newest existing branch of the run and the base of its first one, or empty texts."""
        words = ("for-each-ref", "--sort=version:refname", "--format=%(objectname) %(refname)")
        rows = (await git(self.repository, *words, f"{NOTES}/{self.run}")).split("\n")
        name, base = "", ""
        for row in filter(None, rows):
            commit, _, ref = row.partition(" ")
            branch_name = ref.removeprefix(f"{NOTES}/{self.run}/")
            if await git(self.repository, "for-each-ref", f"refs/heads/{branch_name}"):
                name, base = branch_name, base or commit
        return name, base

    async def _create_branch(self, tip: str, base: str) -> str:
        """Create a branch at `tip`. Git's creation is atomic, so two runs never get the same name."""
        words, why = ("for-each-ref", "--format=%(refname)"), "too many branches have it"
        for number in range(1, 100):
            name = self.new_name if number == 1 else f"{self.new_name}-{number}"
            note = f"{NOTES}/{self.run}/{name}"
            taken = await git(self.repository, *words, f"refs/heads/{name}", f"{NOTES}/*/{name}")
            if set(taken.split()) - {
                note
            }:  # the run's own note: a worker was killed before it created the branch
                continue
            try:
                await self._git(self.repository, "update-ref", note, base)
                try:
                    await self._git(self.repository, "branch", "--no-track", "--end-of-options", name, tip)
                except WorkspaceError:
                    await self._git(self.repository, "update-ref", "-d", note)
                    raise
            except WorkspaceError as error:
                why = str(error)
                continue
            return name
        raise WorkspaceError(f"no branch can be created from the name {self.new_name}: {why}")

    async def _base_of(self, tip: str) -> str:
        start = await commit_of(self.repository, self.base)
        return (await git(self.repository, "merge-base", start, tip)).strip()

    async def _is_checked_out_elsewhere(self, name: str) -> bool:
        """Return whether a branch must not be moved: checked out by a person, or in a held folder."""
        listed = await git(self.repository, "worktree", "list", "--porcelain")
        for entry in listed.split("\n\n"):
            lines = entry.split("\n")
            folder = Path(lines[0].removeprefix("worktree "))
            if f"branch refs/heads/{name}" not in lines or not folder.exists() or folder == self.folder:
                continue
            if not (folder.parent / ".lock").exists() or not is_free(folder):
                return True
        return False


async def empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            await remove_tree(path)
        else:
            path.unlink()
