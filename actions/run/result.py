"""The parts of what a worker reports of an attempt, judged: files, commits, and what it measured.

Each function returns what to keep, or raises Invalid with the path of the field that cannot be taken.
"""

from typing import Any

from actions import git, validation
from models.refusal import Invalid
from models.worker import METRICS
from protocol.events import FileChange

MAX_LINES = 2**31 - 1  # of one file's change: GraphQL's Int
MAX_TITLE_CHARACTERS = 500  # of a commit; the rest is cut off

Row = dict[str, Any]


def clean_files(path: str, files: list[Row]) -> list[Row]:
    return [_file(f"{path}.{place}", file) for place, file in enumerate(files)]


def _file(path: str, file: Row) -> Row:
    if file["change"] not in FileChange.__members__:
        raise Invalid((f"{path}.change", f"must be one of {', '.join(FileChange)}"))
    moved = file["moved_from"]
    return {
        "path": validation.sanitize(git.validate_path(f"{path}.path", file["path"])),
        "change": file["change"],
        "additions": validation.in_range(f"{path}.additions", file["additions"], 0, MAX_LINES),
        "deletions": validation.in_range(f"{path}.deletions", file["deletions"], 0, MAX_LINES),
        "moved_from": validation.sanitize(git.validate_path(f"{path}.movedFrom", moved)) if moved else None,
    }


def clean_commits(path: str, commits: list[Row]) -> list[Row]:
    return [
        {
            "sha": git.validate_sha(f"{path}.{place}.sha", commit["sha"]),
            "title": validation.sanitize(commit["title"])[:MAX_TITLE_CHARACTERS],
        }
        for place, commit in enumerate(commits)
    ]


def clean_metrics(path: str, metrics: Row | None) -> Row | None:
    """Tokens, cost and seconds in a worker's own words: none of them is less than nothing."""
    if metrics is None:
        return None
    found = validation.json_document(path, metrics, METRICS)
    level: list[tuple[str, Any]] = [(path, found)]
    while level:
        at, value = level.pop()
        if isinstance(value, dict):
            level += [(f"{at}.{name[:100]}", one) for name, one in value.items()]
        elif isinstance(value, list):
            level += [(f"{at}.{place}", one) for place, one in enumerate(value)]
        elif isinstance(value, int | float) and value < 0:
            raise Invalid((at, "must not be less than 0"))
    return found
