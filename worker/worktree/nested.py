"""Repositories that an agent made within its folder: their files are work, and their history may be too."""

import os
from pathlib import Path

READ = (".gitignore", ".gitattributes", ".gitmodules")  # git opens these wherever it finds them
LINK = "160000"  # the mode of a commit within a tree


def links_of(listing: str) -> set[str]:
    """Paths of links to commits, in the words of `ls-tree` or `ls-files -s` with `-z`."""
    return {row.partition("\t")[2] for row in listing.split("\0") if row.startswith(LINK)}


def files_of(folder: Path, within: list[str]) -> list[bytes]:
    """All regular files and links of some folders, as git names them, without what is git's own."""
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
    """Remove pipes and devices that git would read for ever, by the names it reads. There is nothing in them."""
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
    """Paths of repositories within a folder whose history is nowhere else. Ignored ones count too."""
    paths, todo = [], [os.fspath(folder)]
    while todo:
        parent = todo.pop()
        try:
            entries = list(os.scandir(parent))
        except OSError:
            continue  # it cannot be read, so nothing was committed from it either: git told so
        is_repository = any(entry.name == ".git" for entry in entries) and parent != os.fspath(folder)
        if is_repository and has_history(Path(parent)):
            paths.append(os.path.relpath(parent, folder))
            continue
        todo += [
            entry.path for entry in entries if entry.name != ".git" and entry.is_dir(follow_symlinks=False)
        ]
    return sorted(paths)


def has_history(folder: Path) -> bool:
    """Whether a folder has a `.git` with branches, stashes or a log of them, or one that points elsewhere."""
    git = folder / ".git"
    if git.is_symlink() or git.is_file():
        return True
    if not git.is_dir():
        return False
    packed = git / "packed-refs"
    return packed.is_file() or any(
        entry.is_file() for name in ("refs", "logs", "reftable") for entry in (git / name).rglob("*")
    )
