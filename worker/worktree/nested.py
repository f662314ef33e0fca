"""Finds repositories that an agent created within its folder: their files are work, and maybe their history."""

import os
from pathlib import Path

READ = (".gitignore", ".gitattributes", ".gitmodules")  # git opens these in every folder
LINK = "160000"  # mode of a commit within a tree


def links_of(listing: str) -> set[str]:
    """Parse the paths of links to commits from `ls-tree` or `ls-files -s` with `-z`."""
    return {row.partition("\t")[2] for row in listing.split("\0") if row.startswith(LINK)}


def files_of(folder: Path, within: list[str]) -> list[bytes]:
    """Return all regular files and links of folders, as git names them, without git's own."""
    paths, top = [], os.fsencode(folder)
    for path in within:
        for parent, folders, names in os.walk(os.path.join(top, os.fsencode(path)), onerror=_raise):
            links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
            folders[:] = [name for name in folders if name != b".git" and name not in links]
            here = [os.path.join(parent, name) for name in [*names, *links] if name != b".git"]
            paths += [
                os.path.relpath(path, top) for path in here if os.path.islink(path) or os.path.isfile(path)
            ]
    return paths


def _raise(error: OSError) -> None:
    raise error


def remove_traps(folder: Path) -> None:
    """Remove pipes and devices with names that git reads, on which it would block. They have no content."""
    todo = [os.fspath(folder)]
    while todo:
        try:
            entries = list(os.scandir(todo.pop()))
        except OSError:
            continue  # git cannot read it either
        for entry in entries:
            is_plain = entry.is_symlink() or entry.is_file(follow_symlinks=False)
            if entry.is_dir(follow_symlinks=False):
                todo.append(entry.path)
            elif entry.name in READ and not is_plain:
                os.unlink(entry.path)


def histories_in(folder: Path) -> list[str]:
    """Return paths of repositories within a folder whose history exists nowhere else, ignored ones too."""
    paths, todo = [], [os.fspath(folder)]
    while todo:
        parent = todo.pop()
        try:
            entries = list(os.scandir(parent))
        except OSError:
            continue  # unreadable, so nothing in it was committed; git reported it
        is_repository = any(entry.name == ".git" for entry in entries) and parent != os.fspath(folder)
        if is_repository and has_history(Path(parent)):
            paths.append(os.path.relpath(parent, folder))
            continue
        todo += [
            entry.path for entry in entries if entry.name != ".git" and entry.is_dir(follow_symlinks=False)
        ]
    return sorted(paths)


def has_history(folder: Path) -> bool:
    """Return whether a folder's `.git` has branches, stashes or their log, or points elsewhere."""
    git = folder / ".git"
    if git.is_symlink() or git.is_file():
        return True
    if not git.is_dir():
        return False
    packed = git / "packed-refs"
    return packed.is_file() or any(
        entry.is_file() for name in ("refs", "logs", "reftable") for entry in (git / name).rglob("*")
    )
