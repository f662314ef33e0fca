"""Reads the changes between two commits in a fixed format, independent of a person's diff settings."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from protocol.globs import matching

PATCH = 1_048_576  # bytes
FILES = 1000  # files
COMMITS = 250
MAX_PATHS_AT_ONCE = 200  # per command line
PLAIN = (
    *("diff-tree", "-r", "--no-commit-id", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames"),
    *("-l1000", "--src-prefix=a/", "--dst-prefix=b/", "--full-index", "--no-relative"),
)
Git = Callable[..., Awaitable[str]]


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
    is_cut: bool = False  # the patch was longer than PATCH bytes


@dataclass(frozen=True, kw_only=True)
class Made:
    """A commit of the run."""

    sha: str
    subject: str
    author: str


async def diff_of(git: Git, base: str, head: str, first: Sequence[str] = ()) -> Diff:
    numbers = await git(*PLAIN, "--numstat", "-z", base, head)
    kinds = _changes(await git(*PLAIN, "--name-status", "-z", base, head))
    files = []
    for file in _numstat(numbers):
        change, before = kinds.get(file.path, ("EDIT", ""))
        path, before = printable(file.path), printable(before)
        files.append(replace(file, path=path, change=change, moved_from=before))
    if first:
        files.sort(key=lambda file: not matching([file.path, file.moved_from], first))  # stable
    patch = await git(*PLAIN, "--patch", "--unified=3", base, head, max_bytes=PATCH)
    return Diff(
        files=tuple(files[:FILES]),
        more_files=max(0, len(files) - FILES),
        additions=sum(file.additions or 0 for file in files),
        deletions=sum(file.deletions or 0 for file in files),
        patch=printable(patch.removesuffix("\0")),
        is_cut=patch.endswith("\0"),
    )


async def commits_of(git: Git, base: str, head: str) -> list[Made]:
    """Return the newest commits since the base, oldest first."""
    words = ("log", "-z", "--no-color", "--encoding=UTF-8", f"--max-count={COMMITS}", "--format=%H%n%an%n%s")
    output = await git(*words, f"{base}..{head}")
    rows = [printable(row).split("\n", 2) for row in output.split("\0") if row]
    return [Made(sha=sha, subject=subject, author=author) for sha, author, subject in reversed(rows)]


async def conflicts_of(git: Git, base: str, head: str) -> list[str]:
    """Return the changed files with both conflict marks that the base does not have."""
    output = await git(*PLAIN, "--diff-filter=d", "--name-only", "-z", base, head)
    changed, conflicts = [path for path in output.split("\0") if path][:FILES], set[str]()
    for start in range(0, len(changed), MAX_PATHS_AT_ONCE):
        paths = changed[start : start + MAX_PATHS_AT_ONCE]
        now, before = [await _marked(git, commit, paths) for commit in (head, base)]
        conflicts |= now - before
    return sorted(map(printable, conflicts))


async def _marked(git: Git, commit: str, paths: list[str]) -> set[str]:
    words = ("--literal-pathspecs", "grep", "-l", "-z", "-I", "--no-textconv", "--all-match", "-G")
    marks = ("-e", "^<<<<<<< ", "-e", "^>>>>>>> ")
    output = await git(*words, *marks, commit, "--", *paths, good=(0, 1))
    return {name.removeprefix(f"{commit}:") for name in output.split("\0") if name}


def printable(text: str) -> str:
    """Convert git's text to UTF-8; invalid bytes become the replacement character."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _numstat(output: str) -> list[FileDiff]:
    """Parse `added TAB deleted TAB path NUL`; a rename has an empty path and two more fields."""
    out, parts = [], iter(output.split("\0"))
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


def _changes(output: str) -> dict[str, tuple[str, str]]:
    """Parse `letter NUL path NUL`; a rename has a number after its letter and two paths."""
    kinds, parts = {"A": "ADD", "D": "DELETE", "R": "MOVE", "C": "ADD"}, iter(output.split("\0"))
    out = {}
    for letter in parts:
        if not letter:
            continue
        path = before = next(parts, "")
        if letter[0] in "RC":
            path = next(parts, "")
        out[path] = kinds.get(letter[0], "EDIT"), before if letter[0] == "R" else ""
    return out
