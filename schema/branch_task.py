"""Tasks on the branches of cards: merges with their conflicts, rebases, pushes and new branches."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.branch_task
import actions.run.work_order
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node, object_type
from models.branch_task import (
    MAX_CONFLICTS,
    BranchTaskFault,
    BranchTaskKind,
    BranchTaskStatus,
    MergeSide,
    MergeStrategy,
)
from resolvers.board import BOARD
from resolvers.branch_task import OPEN_BRANCH_TASK_OF_CARD
from resolvers.card import CARD
from resolvers.loaders import batched
from resolvers.run import RUN
from schema.fields import mutation, node_type, relation_field, result_type
from schema.refusal import Conflict, GateClosed

CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]
BoardLater: Any = Annotated["Board", strawberry.lazy("schema.board")]
RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]


@object_type
class MergeConflict:
    """A file in conflict. A version is null if it does not exist, is not text, or is too long."""

    path: Annotated[str, "Path from the root of the repository."]
    base: Annotated[str | None, "The common version, at most 65,536 characters."]
    ours: Annotated[str | None, "The version of the base branch."]
    theirs: Annotated[str | None, "The version of the card's branch."]
    resolved: Annotated[bool, "Whether it is resolved."]
    side: Annotated[MergeSide | None, "The chosen version; null if not resolved, or resolved by content."]


def conflicts_of(rows: list[dict[str, Any]] | None) -> list[MergeConflict]:
    return [
        MergeConflict(
            path=row["path"],
            base=row.get("base"),
            ours=row.get("ours"),
            theirs=row.get("theirs"),
            resolved=bool(row.get("resolved")),
            side=MergeSide(row["side"]) if row.get("side") else None,
        )
        for row in rows or []
    ]


def _conflicts(root: Any) -> list[MergeConflict]:
    """The files in conflict, at most 100."""
    return conflicts_of(root.conflicts)


@batched(OPEN_BRANCH_TASK_OF_CARD, "id")
def merge_conflicts_of_card(root: Any, row: Any) -> list[MergeConflict]:
    """The files in conflict of its open task, at most 100; empty if it has none."""
    return conflicts_of(row.conflicts if row else None)


@node_type("task")
class BranchTask(Node):
    """A task on the branch of a card that a worker does with git: merge it, rebase it, push it, create it."""

    board_id: Annotated[ID, "The board."]
    card_id: Annotated[ID, "The card."]
    run_id: Annotated[ID, "The run that works it; another one after its conflicts were resolved."]
    kind: Annotated[BranchTaskKind, "The kind of the task."]
    strategy: Annotated[MergeStrategy | None, "The strategy of a MERGE; else null."]
    status: Annotated[BranchTaskStatus, "Its status."]
    branch: Annotated[str, "The card's branch."]
    base: Annotated[str, "The base branch; empty: the one that the repository has checked out."]
    head_sha: Annotated[str | None, "The commit of the branch that the task is about; null: any."]
    result_sha: Annotated[str | None, "Once it SUCCEEDED: the new tip of the branch that was moved."]
    fault: Annotated[BranchTaskFault | None, "The reason why its worker refused it; null if it did not."]
    reason: Annotated[str | None, "Its result or the reason of its failure, for people."]
    version: Annotated[int, "Increases by one with each change."]
    created_at: Annotated[datetime, "Time of the request."]
    conflicts: list[MergeConflict] = strawberry.field(
        resolver=_conflicts,
        description="The files in conflict, at most 100.",
        directives=[list_size(5, maximum=MAX_CONFLICTS, slicing=())],
    )
    board: BoardLater | None = relation_field(BOARD, "board_id", text="The board.")
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")
    run: RunLater | None = relation_field(RUN, "run_id", text="The run that works it.")


@object_type
class BranchResolution:
    """A file in conflict as people resolved it."""

    path: Annotated[str, "Path from the root of the repository."]
    key: Annotated[str, "Identifies the three versions, as the worker reported it."]
    side: Annotated[MergeSide | None, "The version to take; null: `content`."]
    content: Annotated[str | None, "The whole content; null: `side`."]


def _resolutions(root: actions.run.work_order.BranchWork) -> list[BranchResolution]:
    """The conflicts that people resolved."""
    return [
        BranchResolution(
            path=row["path"],
            key=row["key"],
            side=MergeSide(row["side"]) if row.get("side") else None,
            content=row.get("content"),
        )
        for row in root.resolutions
    ]


@result_type(actions.run.work_order.BranchWork)
class BranchWork:
    """A task on a branch that the worker does itself, without an agent."""

    task_id: ID = strawberry.field(resolver=lambda root: root.id, description="The task.")
    kind: Annotated[BranchTaskKind, "The kind of the task."]
    strategy: Annotated[MergeStrategy | None, "The strategy of a MERGE; else null."]
    branch: Annotated[str, "The card's branch."]
    base: Annotated[str, "The base branch; empty: the one that the repository has checked out."]
    head_sha: Annotated[str | None, "The expected tip of the branch; null: any."]
    message: Annotated[str, "Title for new commits."]
    resolutions: list[BranchResolution] = strawberry.field(
        resolver=_resolutions,
        description="The conflicts that people resolved.",
        directives=[list_size(5, maximum=MAX_CONFLICTS, slicing=())],
    )


@strawberry.type
class BranchTaskMutation:
    merge_card = mutation(
        actions.branch_task.merge_card, BranchTask, Conflict, GateClosed, requires=Access.BOARD
    )
    sync_branch = mutation(actions.branch_task.sync_branch, BranchTask, Conflict, requires=Access.BOARD)
    push_branch = mutation(actions.branch_task.push_branch, BranchTask, Conflict, requires=Access.BOARD)
    create_branch = mutation(actions.branch_task.create_branch, BranchTask, Conflict, requires=Access.BOARD)
    resolve_conflicts = mutation(
        actions.branch_task.resolve_conflicts, BranchTask, Conflict, requires=Access.BOARD
    )
    complete_merge = mutation(
        actions.branch_task.complete_merge, BranchTask, Conflict, GateClosed, requires=Access.BOARD
    )
    abort_merge = mutation(actions.branch_task.abort_merge, BranchTask, Conflict, requires=Access.BOARD)
