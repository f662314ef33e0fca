"""The result of an attempt, as its worker reports it: validated, bounded and stored on the run.

Every validation error names the path of its field. Lists longer than a run keeps are cut, with a warning on the
run.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from actions import git, validation
from actions.gate import PROTECTED_KEY
from kit.graphql.arguments import JSON
from kit.graphql.types import input_type
from models.planned_file import compare_with_plan
from models.policy import BoardPolicy, UnplannedFiles
from models.refusal import Invalid
from models.run import MAX_COMMITS, MAX_FILES, MAX_PATCH, MAX_SUMMARY_LENGTH, MAX_WARNINGS, Run, RunOutcome
from models.worker import METRICS
from protocol.events import FileChange
from protocol.globs import matching
from protocol.text import plain

MAX_FILE_LINES = 2**31 - 1  # of one file's change: GraphQL's Int
MAX_TITLE_LENGTH = 500  # characters of a commit's title; the rest is cut off
MAX_WARNING_LENGTH = 2_000  # characters of a warning; the rest is cut off
MAX_PROTECTED_SHOWN = 50  # paths kept of those that need a person's approval
MAX_FORBIDDEN_SHOWN = 10  # paths named in the reason of a failure

Row = dict[str, Any]


@input_type
class FileInput:
    """A changed file."""

    path: Annotated[str, "Path from the root of the repository, with slashes."]
    change: Annotated[str, "ADD, EDIT, MOVE or DELETE."] = "EDIT"
    additions: Annotated[int | None, "Number of lines added."] = None
    deletions: Annotated[int | None, "Number of lines removed."] = None
    moved_from: Annotated[str | None, "Path before a MOVE."] = None


@input_type
class CommitInput:
    """A commit made by the attempt."""

    sha: Annotated[str, "Id of the commit."]
    title: Annotated[str, "First line of its message."] = ""


@input_type
class RunResultInput:
    """The result of an attempt. Lists longer than their limit are cut, and a warning is added to the run."""

    summary: Annotated[str, "Summary of the work, for people. Required to complete a run."] = ""
    outcome: Annotated[RunOutcome | None, "Whether anything was changed."] = None
    branch: Annotated[str | None, "Branch of the work."] = None
    head_sha: Annotated[str | None, "Newest commit of the branch."] = None
    session_id: Annotated[str | None, "The agent program's own id of the conversation."] = None
    exit_code: Annotated[int | None, "Exit code of the agent program."] = None
    files: Annotated[list[FileInput] | None, "Changed files; the first 500 are kept."] = None
    commits: Annotated[list[CommitInput] | None, "Commits; the first 100 are kept."] = None
    warnings: Annotated[list[str] | None, "Warnings for people; the first 50 are kept."] = None
    patch: Annotated[str | None, "The whole change as a patch, at most 524,288 characters."] = None
    metrics: Annotated[JSON | None, "An object: tokens, cost, seconds."] = None
    session_usage: Annotated[
        JSON | None, "Tokens and cost of the whole conversation, of which `metrics` has this attempt's part."
    ] = None


def store_result(run: Run, result: RunResultInput) -> None:
    """Store the result of an attempt on its run. Raises Invalid."""
    summary = validation.sanitize(plain(result.summary))
    run.summary = validation.multiline("result.summary", summary, MAX_SUMMARY_LENGTH) or run.summary
    run.outcome = result.outcome or run.outcome
    run.branch = git.validate_branch("result.branch", result.branch) if result.branch else run.branch
    run.head_sha = git.validate_sha("result.headSha", result.head_sha) if result.head_sha else run.head_sha
    files = validate_files("result.files", result.files or ())
    commits = validate_commits("result.commits", result.commits or ())
    run.exit_code = result.exit_code
    warnings = [validation.sanitize(text[:MAX_WARNING_LENGTH]) for text in result.warnings or ()]
    if len(files) > MAX_FILES:
        warnings.append(f"{len(files)} files were changed; the first {MAX_FILES} are listed")
    if result.patch is not None and len(result.patch) > MAX_PATCH:
        raise Invalid(("result.patch", f"must have at most {MAX_PATCH} characters, not {len(result.patch)}"))
    run.patch = validation.sanitize(result.patch) if result.patch is not None else run.patch
    run.result = {
        "files": files[:MAX_FILES],
        "commits": commits[:MAX_COMMITS],
        "warnings": warnings[:MAX_WARNINGS],
        "metrics": validate_metrics("result.metrics", result.metrics),
        "file_count": len(files),
    }


def validate_files(path: str, files: Sequence[FileInput]) -> list[Row]:
    return [_validate_file(f"{path}.{place}", file) for place, file in enumerate(files)]


def _validate_file(path: str, file: FileInput) -> Row:
    if file.change not in FileChange.__members__:
        raise Invalid((f"{path}.change", f"must be one of {', '.join(FileChange)}"))
    moved = file.moved_from
    return {
        "path": validation.sanitize(git.validate_path(f"{path}.path", file.path)),
        "change": file.change,
        "additions": validation.in_range(f"{path}.additions", file.additions, 0, MAX_FILE_LINES),
        "deletions": validation.in_range(f"{path}.deletions", file.deletions, 0, MAX_FILE_LINES),
        "moved_from": validation.sanitize(git.validate_path(f"{path}.movedFrom", moved)) if moved else None,
    }


def validate_commits(path: str, commits: Sequence[CommitInput]) -> list[Row]:
    return [
        {
            "sha": git.validate_sha(f"{path}.{place}.sha", commit.sha),
            "title": validation.sanitize(plain(commit.title))[:MAX_TITLE_LENGTH],
        }
        for place, commit in enumerate(commits)
    ]


def validate_metrics(path: str, metrics: object) -> Row | None:
    """Validate tokens, cost and seconds, in the worker's own terms. No number may be negative."""
    if metrics is None:
        return None
    document = validation.json_document(path, metrics, METRICS)
    level: list[tuple[str, Any]] = [(path, document)]
    while level:
        at, value = level.pop()
        if isinstance(value, dict):
            level += [(f"{at}.{name[:100]}", item) for name, item in value.items()]
        elif isinstance(value, list):
            level += [(f"{at}.{place}", item) for place, item in enumerate(value)]
        elif isinstance(value, int | float) and value < 0:
            raise Invalid((at, "must not be less than 0"))
    return document


def changed_paths(run: Run) -> list[str]:
    """Return the paths of a run's result, also those that files were moved from."""
    files = (run.result or {}).get("files", [])
    return list({path: None for file in files for path in (file["path"], file["moved_from"]) if path})


def unplanned_paths(run: Run) -> list[str]:
    """Return the paths that a run changed and its card did not plan at the first claim; none without a plan."""
    planned = [file["path"] for file in (run.snapshot or {}).get("planned_files") or []]
    return compare_with_plan(planned, changed_paths(run)).unplanned if planned else []


def judge_paths(run: Run, policy: BoardPolicy) -> str | None:
    """Return why a run violates the path rules of its board, or None; note the protected paths that it changed.

    The rules are those of the run's first claim and those of now: a change of the policy only tightens them.
    """
    frozen = (run.snapshot or {}).get("policy", {})
    result: Row = run.result or {}
    paths = changed_paths(run)
    unplanned = unplanned_paths(run) if policy.unplanned_files is not UnplannedFiles.ALLOW else []
    protected = matching(paths, {*policy.protected_paths, *frozen.get("protected_paths", ())})
    if policy.unplanned_files is UnplannedFiles.APPROVE:
        protected = list(dict.fromkeys([*protected, *unplanned]))
    if protected:
        run.result = result | {PROTECTED_KEY: protected[:MAX_PROTECTED_SHOWN]}
    if forbidden := matching(paths, {*policy.forbidden_paths, *frozen.get("forbidden_paths", ())}):
        return f"It changed what the board forbids: {brief_list(forbidden)}"
    if unplanned and policy.unplanned_files is UnplannedFiles.FORBID:
        return f"It changed what was not planned: {brief_list(unplanned)}"
    return None


def brief_list(paths: Sequence[str]) -> str:
    """Return the first 10 paths and the number of the others."""
    rest = len(paths) - MAX_FORBIDDEN_SHOWN
    return ", ".join(paths[:MAX_FORBIDDEN_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
