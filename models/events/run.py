"""Events of runs and their batches."""

from datetime import datetime
from typing import Annotated, Any, TypedDict

from kit.graphql.arguments import Id
from models.batch import BatchStatus
from models.events.base import BoardEvent
from models.events.card import CardEvent
from models.run import FailureCode, Run, RunKind, RunOutcome, RunStatus, WaitReason
from models.stage import MoveGate


class RunEvent(CardEvent):
    """A change to a run."""

    run_id: Annotated[Id, "The run."]
    run_kind: Annotated[RunKind, "The kind of its work."]
    status: Annotated[RunStatus, "Its status at that time."]
    attempt: Annotated[int, "The number of its attempt at that time."]
    wait_reason: WaitReason | None


class RunFacts(TypedDict):
    card_id: str
    run_id: str
    run_kind: RunKind
    status: RunStatus
    attempt: int
    wait_reason: WaitReason | None


def run_facts(run: Run) -> RunFacts:
    """Return the fields that all events of a run share."""
    return {
        "card_id": run.card_id,
        "run_id": run.id,
        "run_kind": run.kind,
        "status": run.status,
        "attempt": run.attempt,
        "wait_reason": run.wait_reason,
    }


class RunQueued(RunEvent):
    """An agent was asked to work on the card."""

    held_by: Annotated[MoveGate | None, "The gate that holds it back; null if it waits for a worker."]


class RunClaimed(RunEvent):
    """A worker claimed the run."""

    worker_id: Annotated[Id, "The worker."]
    worker: Annotated[str, "The worker's name."]


class RunStarted(RunEvent):
    """The run's agent reported its first event."""


class RunProgressed(RunEvent, kind="RUN_PROGRESS"):
    """The run's agent made progress. Sent at most once a second for each run; `runFeed` has every line."""

    progress: Annotated[dict[str, Any], "Its progress at that time."]


class RunWaiting(RunEvent):
    """The run waits. Sent again when it goes on waiting without its worker."""

    wait_reason: Annotated[WaitReason | None, "The reason."]
    detached: bool = False
    cause: str | None = None
    question_ids: list[str] | None = None


class RunResumed(RunEvent):
    """The run's wait is over, and its worker continues it."""


class RunRequeued(RunEvent):
    """The run waits for a worker again: it is retried, its worker was lost or left, or its wait is over."""

    failure_code: Annotated[str | None, "The failure; null if nothing failed."]
    reason: Annotated[str | None, "The failure in words."]
    available_at: Annotated[datetime | None, "It is not started before this time."]
    cause: str | None


class RunStopping(RunEvent):
    """The run was asked to stop; its worker has to confirm."""

    reason: Annotated[str | None, "The reason."]


class RunConcluding(RunEvent):
    """The run's agent was asked to conclude."""


class RunSucceeded(RunEvent):
    """The run succeeded."""

    summary: Annotated[str | None, "The beginning of its summary."]
    outcome: Annotated[RunOutcome | None, "Whether it changed anything."]


class RunFailed(RunEvent):
    """The run failed for good."""

    code: Annotated[FailureCode, "The failure."]
    reason: Annotated[str | None, "The failure in words."]


class RunCancelled(RunEvent):
    """The run was stopped."""

    reason: Annotated[str | None, "The reason."]


class RunChosen(RunEvent):
    """A person preferred this run's result to those of the card's other runs."""

    instead_of: Annotated[Id | None, "The run that was chosen until then."]


class DiffChanged(RunEvent):
    """The changes of the run were reported. At most once in two seconds while its agent works."""

    files: Annotated[int, "Number of changed files."]
    additions: Annotated[int, "Number of lines added."]
    deletions: Annotated[int, "Number of lines deleted."]


class BatchEnded(BoardEvent):
    """The last run of a batch ended. Sent again when some are retried and end."""

    subject_field = "batch_id"

    batch_id: Annotated[Id, "The batch."]
    batch_status: Annotated[BatchStatus, "Its status as it ended."]
    succeeded: Annotated[int, "Number of its runs that succeeded."]
    failed: Annotated[int, "Number of its runs that failed."]
    cancelled: Annotated[int, "Number of its runs that were stopped, or deleted with their cards."]
