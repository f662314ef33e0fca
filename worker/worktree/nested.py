"""Repositories that an agent made within its folder: their files are work, and their history may be too."""

import os
from pathlib import Path

READ = (".gitignore", ".gitattributes", ".gitmodules")  # git opens these wherever it finds them
LINK = "160000"  # the mode of a commit within a tree


def links_of(said: str) -> set[str]:
    """Paths of links to commits, in the words of `ls-tree` or `ls-files -s` with `-z`."""
    return {row.partition("\t")[2] for row in said.split("\0") if row.startswith(LINK)}


def files_of(folder: Path, within: list[str]) -> list[bytes]:
    """All regular files and links of some folders, as git names them, without what is git's own."""
    found, top = [], os.fsencode(folder)
    for path in within:
        for parent, folders, names in os.walk(os.path.join(top, os.fsencode(path)), onerror=_raise):
            links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
            folders[:] = [name for name in folders if name != b".git" and name not in links]
            here = [os.path.join(parent, name) for name in [*names, *links] if name != b".git"]
            found += [os.path.relpath(one, top) for one in here if os.path.islink(one) or os.path.isfile(one)]
    return found


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
        for one in entries:
            is_plain = one.is_symlink() or one.is_file(follow_symlinks=False)
            if one.is_dir(follow_symlinks=False):
                todo.append(one.path)
            elif one.name in READ and not is_plain:
                os.unlink(one.path)


def histories_in(folder: Path) -> list[str]:
    """Paths of repositories within a folder whose history is nowhere else. Ignored ones count too."""
    found, todo = [], [os.fspath(folder)]
    while todo:
        parent = todo.pop()
        try:
            entries = list(os.scandir(parent))
        except OSError:
            continue  # it cannot be read, so nothing was committed from it either: git told so
        is_repository = any(one.name == ".git" for one in entries) and parent != os.fspath(folder)
        if is_repository and has_history(Path(parent)):
            found.append(os.path.relpath(parent, folder))
            continue
        todo += [one.path for one in entries if one.name != ".git" and one.is_dir(follow_symlinks=False)]
    return sorted(found)


def has_history(folder: Path) -> bool:
    """Whether a folder has a `.git` with branches, stashes or a log of them, or one that points elsewhere."""
    git = folder / ".git"
    if git.is_symlink() or git.is_file():
        return True
    if not git.is_dir():
        return False
    packed = git / "packed-refs"
    return packed.is_file() or any(
        one.is_file() for name in ("refs", "logs", "reftable") for one in (git / name).rglob("*")
    )
