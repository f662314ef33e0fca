"""Events of tasks on branches."""

from typing import Annotated, TypedDict

from kit.graphql.arguments import Id
from models.branch_task import BranchTask, BranchTaskFault, BranchTaskKind, MergeStrategy
from models.events.card import CardEvent

TASK = "The task."


class MergeEvent(CardEvent):
    """A change to a task on the card's branch."""

    branch_task_id: Annotated[Id, TASK]
    task_kind: Annotated[BranchTaskKind, "The kind of the task."]
    branch: Annotated[str, "The card's branch."]


class MergeStarted(MergeEvent):
    """A task on the card's branch was requested."""

    strategy: Annotated[MergeStrategy | None, "The strategy of a merge; else null."]
    run_id: Annotated[Id, "The run that works it."]


class MergeConflicts(MergeEvent):
    """The task has conflicts. Nothing was changed; people resolve them or abort it."""

    paths: Annotated[list[str], "The files in conflict."]


class MergeResolved(MergeEvent):
    """Conflicts were resolved. The task goes on with `completeMerge`."""

    paths: Annotated[list[str], "The files that were resolved."]
    open_count: Annotated[int, "Number of files that are still in conflict."]


class MergeCompleted(MergeEvent):
    """The task succeeded."""

    result_sha: Annotated[str | None, "The new tip of the branch that was moved."]


class MergeFailed(MergeEvent):
    """The task failed, and changed nothing."""

    fault: Annotated[BranchTaskFault | None, "Its worker's refusal; null for another failure."]
    reason: Annotated[str | None, "The reason for people."]


class MergeAborted(MergeEvent):
    """The task was aborted or stopped, and changed nothing."""


class TaskFacts(TypedDict):
    card_id: str
    branch_task_id: str
    task_kind: BranchTaskKind
    branch: str


def task_facts(task: BranchTask) -> TaskFacts:
    """Return the fields that all events of a task share."""
    return {
        "card_id": task.card_id,
        "branch_task_id": task.id,
        "task_kind": task.kind,
        "branch": task.branch,
    }
