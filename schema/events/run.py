"""What happens to runs on a board, and to the questions they ask."""

from datetime import datetime

import strawberry
from strawberry import ID

from models.batch import BatchStatus
from models.event import EventKind as Kind
from models.run import FailureCode, RunKind, RunOutcome, RunStatus, WaitReason
from models.stage import MoveGate
from resolvers.batch import BATCH
from resolvers.question import QUESTION
from resolvers.run import RUN
from schema.batch import RunBatch
from schema.events.base import BoardEvent, WorkspaceEvent, event, found
from schema.events.board import AboutCard
from schema.fields import payload_field
from schema.question import Question
from schema.run import Run, RunProgress


@strawberry.interface(description="Something that happened to a run.")
class AboutRun(AboutCard):
    run_id: ID = payload_field("run_id", "Which run.")
    run: Run | None = found(RUN, "run_id", "The run as it is now.")
    run_kind: RunKind = payload_field("run_kind", "What it is to do.")
    status: RunStatus = payload_field("status", "Where it stood then.")
    attempt: int = payload_field("attempt", "The number of its attempt then.")


@strawberry.interface(description="Something that happened to a question. Its workspace hears of it too.")
class AboutQuestion(AboutCard, WorkspaceEvent):
    board_id: ID = payload_field("board_id", "On which board.")
    question_id: ID = payload_field("question_id", "Which question.")
    question: Question | None = found(QUESTION, "question_id", "The question as it is now.")
    run_id: ID | None = payload_field("run_id", "Of which run; null: a person asks.")
    run: Run | None = found(RUN, "run_id", "The run as it is now.")


def moment(key: str, text: str) -> datetime | None:
    def resolve(root: object) -> datetime | None:
        said = root.data.get(key)  # type: ignore[attr-defined]
        return None if said is None else datetime.fromisoformat(said)

    return strawberry.field(resolver=resolve, description=text)


@event(Kind.RUN_QUEUED)
class RunQueued(AboutRun):
    """An agent was asked to work on the card."""

    held_by: MoveGate | None = payload_field(
        "held_by", "The gate it waits behind; null: it waits for a worker."
    )


@event(Kind.RUN_CLAIMED)
class RunClaimed(AboutRun):
    """A worker has it."""

    worker_id: ID = payload_field("worker_id", "Which worker.")
    worker: str = payload_field("worker", "The worker's name.")


@event(Kind.RUN_STARTED)
class RunStarted(AboutRun):
    """Its agent said its first word."""


@event(Kind.RUN_PROGRESS)
class RunProgressed(AboutRun):
    """Its agent went forward. Told at most once a second for each run; the whole is in `runFeed`."""

    progress: RunProgress = payload_field("progress", "How far it was then.")


@event(Kind.RUN_WAITING)
class RunWaiting(AboutRun):
    """It waits for something; told again when it goes on waiting without its worker."""

    wait_reason: WaitReason | None = payload_field("wait_reason", "What for.")


@event(Kind.RUN_RESUMED)
class RunResumed(AboutRun):
    """What it waited for is there, and its worker goes on."""


@event(Kind.RUN_REQUEUED)
class RunRequeued(AboutRun):
    """It waits for a worker again: it is tried again, its worker was lost or left, or its wait is over."""

    code: str | None = payload_field("code", "What went wrong; null when nothing did.")
    reason: str | None = payload_field("reason", "The same, for people.")
    available_at: datetime | None = moment("available_at", "Not before then.")


@event(Kind.RUN_STOPPING)
class RunStopping(AboutRun):
    """It was asked to stop; its worker has to confirm."""

    reason: str | None = payload_field("reason", "Why.")


@event(Kind.RUN_CONCLUDING)
class RunConcluding(AboutRun):
    """Its agent was asked to wrap up."""


@event(Kind.RUN_SUCCEEDED)
class RunSucceeded(AboutRun):
    """It succeeded."""

    summary: str | None = payload_field("summary", "What was done; its beginning.")
    outcome: RunOutcome | None = payload_field("outcome", "Whether it changed anything.")


@event(Kind.RUN_FAILED)
class RunFailed(AboutRun):
    """It failed for good."""

    code: FailureCode = payload_field("code", "What went wrong.")
    reason: str | None = payload_field("reason", "The same, for people.")


@event(Kind.RUN_CANCELLED)
class RunCancelled(AboutRun):
    """It was stopped."""

    reason: str | None = payload_field("reason", "Why.")


@event(Kind.RUN_CHOSEN)
class RunChosen(AboutRun):
    """A person chose what it brought before what the others on its card brought."""

    instead_of: ID | None = payload_field("instead_of", "Which run was chosen before.")


@event(Kind.BATCH_ENDED)
class BatchEnded(BoardEvent):
    """The last run of a batch ended. Told again when some are tried again and end."""

    batch_id: ID = payload_field("batch_id", "Which batch.")
    run_batch: RunBatch | None = found(BATCH, "batch_id", "The batch as it is now.")
    batch_status: BatchStatus = payload_field("batch_status", "What became of it, as it ended.")
    succeeded: int = payload_field("succeeded", "How many of its runs succeeded.")
    failed: int = payload_field("failed", "How many failed.")
    cancelled: int = payload_field("cancelled", "How many were stopped, or went with their cards.")


@event(Kind.QUESTION_ASKED)
class QuestionAsked(AboutQuestion):
    """An agent asks, or a person about a card."""


@event(Kind.QUESTION_ANSWERED)
class QuestionAnswered(AboutQuestion):
    """Somebody answered."""


@event(Kind.QUESTION_EXPIRED)
class QuestionExpired(AboutQuestion):
    """Nobody answered in time."""


@event(Kind.QUESTION_CANCELLED)
class QuestionCancelled(AboutQuestion):
    """It need not be answered any more."""
