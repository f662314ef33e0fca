"""Globs of paths, as boards name protected and forbidden paths. Matching takes time linear in the path.

`*`, `?` and `[…]` match within one name; `**` as a whole name matches any number of folders. A glob without a
slash matches a name at any depth. A glob that matches a folder matches everything in it. Case is ignored, because
the file systems of some workers ignore it.
"""

import fnmatch
import re
from collections.abc import Iterable
from functools import lru_cache

ANY = "**"


@lru_cache(maxsize=1_024)
def _name_pattern(name: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(name), re.DOTALL)


def is_match(path: str, glob: str) -> bool:
    """Return whether a glob matches a path, or a folder that holds it."""
    glob, names = glob.casefold().strip("/"), path.casefold().split("/")
    parts = glob.split("/")
    if len(parts) == 1 and parts != [ANY]:
        return any(_name_pattern(glob).match(name) for name in names)
    reached = _with_any({0}, parts)
    for name in names:
        now: set[int] = set()  # numbers of parts that are matched so far
        for at in reached:
            if at == len(parts):
                continue
            if parts[at] == ANY:
                now.add(at)
            elif _name_pattern(parts[at]).match(name):
                now.add(at + 1)
        reached = _with_any(now, parts)
        if len(parts) in reached:
            return True  # what follows is in a folder that matches
    return False


def _with_any(reached: set[int], parts: list[str]) -> set[int]:
    """Add the parts that are matched too because `**` also matches no folder."""
    for at in sorted(reached):
        while at < len(parts) and parts[at] == ANY:
            at += 1
            reached.add(at)
    return reached


def matching(paths: Iterable[str], globs: Iterable[str]) -> list[str]:
    """Return the paths that one of the globs matches, in order."""
    globs = list(globs)
    return [path for path in paths if any(is_match(path, glob) for glob in globs)]
