"""Diffs of runs: the types, the comparison of two, and the worker's report."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.diff
import resolvers.diff
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node, object_type
from models.diff import MAX_DIFF_FILES, CutReason
from resolvers import diff as diffs
from resolvers.diff import FILES_OF_DIFF
from resolvers.run import RUN
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.refusal import LeaseLost

RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]


@object_type
class DiffFile:
    """A changed file."""

    path: Annotated[str, "Path from the root of the repository."]
    change: Annotated[str, "ADD, EDIT, MOVE or DELETE."]
    additions: Annotated[int | None, "Number of lines added; null for a binary file."]
    deletions: Annotated[int | None, "Number of lines deleted; null for a binary file."]
    moved_from: Annotated[str | None, "For MOVE: the old path; else null."]
    hunks: Annotated[str | None, "Its hunks in unified format; null if they are left out."]
    cut_reason: Annotated[CutReason | None, "The reason why its hunks are left out; null if they are not."]


@node_type("diff")
class DiffSnapshot(Node):
    """The changes of one attempt at a run, compared with the base. It is replaced while the agent works."""

    board_id: Annotated[ID, "The board."]
    card_id: Annotated[ID, "The card."]
    run_id: Annotated[ID, "The run."]
    attempt: Annotated[int, "The attempt."]
    base_sha: Annotated[str, "The commit that the work starts from."]
    head_sha: Annotated[str, "The commit that was compared; while the agent works, a tree."]
    is_final: Annotated[bool, "Whether the agent has ended."]
    file_count: Annotated[int, "Number of changed files, also of those that are not listed."]
    additions: Annotated[int, "Number of lines added."]
    deletions: Annotated[int, "Number of lines deleted."]
    cut_reason: Annotated[CutReason | None, "The reason why something is left out; null if nothing is."]
    updated_at: Annotated[datetime, "Time of the newest report."]
    version: Annotated[int, "Increases by one with each report."]
    files: list[DiffFile] = relation_field(FILES_OF_DIFF, text="The changed files, at most 250.", size=10)
    run: RunLater | None = relation_field(RUN, "run_id", text="The run.")


@result_type(resolvers.diff.ComparedFile)
class ComparedFile:
    """A file that differs between two snapshots."""

    path: Annotated[str, "Path in the head, or where it is not changed there, in the base."]
    moved_from: Annotated[str | None, "Path in the base if it is another; else null."]
    hunks: Annotated[str | None, "Hunks that lead from the base's file to the head's; null if unknown."]
    additions: Annotated[int | None, "Number of lines added; null if unknown."]
    deletions: Annotated[int | None, "Number of lines deleted; null if unknown."]
    cut_reason: Annotated[CutReason | None, "The reason why the hunks of a snapshot are left out."]


@result_type(resolvers.diff.DiffComparison)
class DiffComparison:
    """The files that differ between two snapshots."""

    base_diff_id: Annotated[ID, "The snapshot that was compared with."]
    head_diff_id: Annotated[ID, "The snapshot."]
    comparable: Annotated[bool, "Whether both start from the same commit; else no hunks are given."]
    files: list[ComparedFile] = strawberry.field(
        description="The files.", directives=[list_size(10, maximum=2 * MAX_DIFF_FILES, slicing=())]
    )


@result_type(actions.diff.DiffReported)
class DiffReported:
    """The result of a report of a diff."""

    run_id: Annotated[ID, "The run."]
    missing_hashes: list[str] = strawberry.field(
        description="Hashes that the server does not have; nothing was stored. Empty: stored.",
        directives=[list_size(1, maximum=MAX_DIFF_FILES, slicing=())],
    )


@strawberry.type
class DiffQuery:
    diff: DiffComparison = query_field(diffs.diff)


@strawberry.type
class DiffMutation:
    report_diff = mutation(actions.diff.report_diff, DiffReported, LeaseLost, requires=Access.WORKER)
