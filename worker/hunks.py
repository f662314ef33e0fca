"""Splits a patch into the hunks of its files, with bounds, as the server stores them."""

import hashlib
import json
from typing import Any

from worker.worktree import Diff, FileDiff

MAX_DIFF_FILES = 250
MAX_FILE_PATCH_BYTES = 65_536
MAX_DIFF_BYTES = 400_000  # of all hunks as JSON: a request has at most 1 MB
MAX_COUNT = 2**31 - 1
START = "diff --git "
ESCAPES = dict(zip('\a\b\t\n\v\f\r"\\', (f"\\{char}" for char in 'abtnvfr"\\'), strict=True))
ESCAPES["\x7f"] = "\\177"

Row = dict[str, Any]


def diff_files(diff: Diff) -> tuple[list[Row], dict[str, str]]:
    """Return the files of a diff as the API takes them, and their hunks by hash.

    Hunks that exceed a bound are left out with the reason.
    """
    by_path, complete = hunks_by_path(diff)
    files, contents, size = [], dict[str, str](), 0
    for file in diff.files[:MAX_DIFF_FILES]:
        row: Row = {
            "path": file.path,
            "change": file.change,
            "additions": None if file.additions is None else min(file.additions, MAX_COUNT),
            "deletions": None if file.deletions is None else min(file.deletions, MAX_COUNT),
            "movedFrom": file.moved_from or None,
            "hash": None,
            "cutReason": None,
        }
        hunks, length = by_path.get(file.path), 0
        if hunks is not None:
            length = len(json.dumps(hunks, ensure_ascii=False).encode(errors="replace"))
        if file.additions is None:
            row["cutReason"] = "BINARY"
        elif hunks is None and (file.additions or file.deletions or not complete):
            row["cutReason"] = "DIFF_TOO_LARGE"
        elif length > MAX_FILE_PATCH_BYTES:
            row["cutReason"] = "FILE_TOO_LARGE"
        elif size + length > MAX_DIFF_BYTES:
            row["cutReason"] = "DIFF_TOO_LARGE"
        else:
            hunks = hunks or ""
            row["hash"] = hashlib.sha256(hunks.encode(errors="replace")).hexdigest()
            contents[row["hash"]] = hunks
            size += length
        files.append(row)
    return files, contents


def hunks_by_path(diff: Diff) -> tuple[dict[str, str], bool]:
    """Return the hunks of each file in the order of the patch, and whether the patch is complete.

    The last file of a cut patch is left out.
    """
    parts = split_patch(diff.patch)
    named = [path_of(part, diff.files) for part in parts]
    by_path = {path: hunks_of(part) for path, part in zip(named, parts, strict=True) if path is not None}
    if diff.is_cut and named and named[-1] is not None:
        del by_path[named[-1]]
    return by_path, not diff.is_cut


def split_patch(patch: str) -> list[str]:
    """Split a patch before each line that begins a file. Lines of content begin with a space, a plus or a minus."""
    parts = patch.split(f"\n{START}")
    if not parts[0].startswith(START):
        return []
    return [parts[0], *(START + part for part in parts[1:])]


def path_of(part: str, files: tuple[FileDiff, ...]) -> str | None:
    """Return the path of a file's part of a patch, by the names in its first line."""
    first = part.partition("\n")[0].removeprefix(START)
    for file in files:
        if first == f"{_quoted(f'a/{file.moved_from or file.path}')} {_quoted(f'b/{file.path}')}":
            return file.path
    return None


def _quoted(name: str) -> str:
    """Return a name as git prints it: in quotes if it has a quote, a backslash or a control character."""
    if name.isprintable() and not set('"\\') & set(name):
        return name
    plain = "".join(ESCAPES.get(char) or (f"\\{ord(char):03o}" if ord(char) < 32 else char) for char in name)
    return plain if plain == name else f'"{plain}"'


def hunks_of(part: str) -> str:
    """Return a file's hunks without its header."""
    if part.startswith("@@ "):
        return part
    at = part.find("\n@@ ")
    return part[at + 1 :].rstrip("\n") if at >= 0 else ""
