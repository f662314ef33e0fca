"""The law of stages: the moves of cards that a board allows, and the gates that refuse them.

`MOVES` is the whole law, and `judge` checks it on every path: creating, moving, bulk changes, restoring, importing
and rules of the system. `card.moves` gives its result in advance. The module reads no database: callers pass the
`Facts`. docs/stages.md is generated from this file.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

from kit.described_enum import DescribedEnum
from models.refusal import Refusal


class Stage(DescribedEnum):
    """The stage of a card. The law of stages decides where a card may move from there."""

    BACKLOG = "BACKLOG", "Not yet planned. New cards start here."
    PLAN = "PLAN", "Being planned."
    TODO = "TODO", "Ready to be worked on."
    IN_PROGRESS = "IN_PROGRESS", "Being worked on."
    REVIEW = "REVIEW", "Waits for a review."
    DONE = "DONE", "Finished."


class Law(DescribedEnum):
    """The law of a board: the moves it allows."""

    PIPELINE = "PIPELINE", "The law of stages: BACKLOG, PLAN, TODO, IN_PROGRESS, REVIEW, DONE."
    FREE = "FREE", "People may move cards anywhere; the gates still apply."


class Mover(enum.StrEnum):
    PERSON = "PERSON"
    SYSTEM = "SYSTEM"


# The stages that people may move a card to, by its stage. Its own stage is always allowed: that is reordering.
MOVES: dict[Stage, tuple[Stage, ...]] = {
    Stage.BACKLOG: (Stage.PLAN, Stage.TODO),
    Stage.PLAN: (Stage.TODO, Stage.BACKLOG),
    Stage.TODO: (Stage.IN_PROGRESS, Stage.PLAN, Stage.BACKLOG),
    Stage.IN_PROGRESS: (Stage.REVIEW, Stage.BACKLOG),
    Stage.REVIEW: (Stage.DONE, Stage.TODO, Stage.PLAN, Stage.IN_PROGRESS, Stage.BACKLOG),
    Stage.DONE: (Stage.BACKLOG,),
}

# The further stages that the system moves a card to: for a claim, a success, a retry, a lost lease, a merge.
SYSTEM_MOVES: dict[Stage, tuple[Stage, ...]] = {
    Stage.TODO: (Stage.IN_PROGRESS,),
    Stage.IN_PROGRESS: (Stage.REVIEW, Stage.TODO),
    Stage.REVIEW: (Stage.DONE,),
}

PREPARING = (Stage.BACKLOG, Stage.PLAN)  # the stages that a card leaves once it is ready
ENTRY = Stage.BACKLOG  # the stage of new cards: a card can be created wherever a card of this stage may go


class MoveGate(DescribedEnum):
    """The reason why a move is refused."""

    LAW = "LAW", "The law of stages does not allow the move."
    BOARD_ARCHIVED = "BOARD_ARCHIVED", "The board is archived; its cards cannot be moved."
    CARD_ARCHIVED = "CARD_ARCHIVED", "The card is archived: unarchive it first."
    NO_COLUMN = "NO_COLUMN", "The board has no column of that stage."
    WIP_LIMIT = "WIP_LIMIT", "The column is full."
    BLOCKED = "BLOCKED", "Cards that block this one are not done."
    ACTIVE_RUN = "ACTIVE_RUN", "The card has an active run."
    OPEN_QUESTION = "OPEN_QUESTION", "A question on the card waits for an answer."
    NOT_READY = "NOT_READY", "The board's policy requires approval, and the card is not approved."
    FORBIDDEN = "FORBIDDEN", "You may read the board, but not change it."
    CHECKS = "CHECKS", "A required check of the card's work has not passed."
    APPROVAL = "APPROVAL", "A required approval is missing."
    REVIEW_LIMIT = "REVIEW_LIMIT", "Too many cards wait for a review."


@dataclass(frozen=True)
class Reason:
    code: MoveGate
    message: str
    card_ids: list[str] = field(default_factory=list)
    limit: int | None = None
    count: int | None = None


class StageRefused(Refusal):
    """The law does not allow the move, or a gate is closed."""

    code = "STAGE_REFUSED"

    def __init__(
        self, at: Stage, to: Stage, allowed: list[Stage], reasons: list[Reason], card_id: str | None
    ) -> None:
        super().__init__("; ".join(reason.message for reason in reasons))
        self.at, self.to, self.allowed, self.reasons = at, to, allowed, reasons
        self.refused_card_id = card_id


@dataclass(frozen=True)
class ColumnState:
    """A column: its stage, its WIP limit and the number of its cards."""

    id: str
    stage: Stage
    wip_limit: int | None = None
    count: int = 0


@dataclass(frozen=True)
class Facts:
    """The facts that decide about a card's moves. A change reads them under the board's lock."""

    at: Stage
    law: Law
    lanes: list[ColumnState]
    column_id: str | None = None  # None while the card is created
    card_id: str | None = None
    board_archived: bool = False
    card_archived: bool = False
    blockers: list[str] = field(default_factory=list)  # unfinished cards that block this one
    active_run: str | None = None
    run_begun: bool = False  # whether a worker has claimed it
    open_question: str | None = None
    lacks_approval: bool = False  # the board requires an approval that the card does not have
    may_write: bool = True  # of the caller; others are refused with Forbidden first
    done_gates: list[Reason] = field(default_factory=list)  # against calling the card's work done
    plan_gates: list[Reason] = field(default_factory=list)  # against beginning to work by the card's plan
    review_gates: list[Reason] = field(default_factory=list)  # against beginning work while reviews wait


def is_lawful(at: Stage, law: Law, by: Mover = Mover.PERSON) -> list[Stage]:
    """Return the stages that the law alone allows from `at`, in the order of the board."""
    if law is Law.FREE:
        return list(Stage)
    more = SYSTEM_MOVES.get(at, ()) if by is Mover.SYSTEM else ()
    return [stage for stage in Stage if stage in (at, *MOVES[at], *more)]


def judge(
    facts: Facts, to: ColumnState, *, by: Mover = Mover.PERSON, cancel_run: bool = False, coming: int = 1
) -> None:
    """Raise StageRefused unless the card may move to `to`.

    `cancel_run`: the caller cancels an active run with the move. `coming`: how many cards enter `to` in the
    same change, this one included.
    """
    reasons = _reasons(facts, to, by, cancel_run, coming)
    if reasons:
        allowed = [stage for stage in Stage if not reasons_against(facts, stage, by=by)]
        raise StageRefused(facts.at, to.stage, allowed, reasons, facts.card_id)


def reasons_against(facts: Facts, to: Stage, *, by: Mover = Mover.PERSON) -> list[Reason]:
    """Return the reasons why the card may not move to stage `to` now; empty if a column of it accepts the card."""
    lane = column_for([facts], to, by=by)
    if lane is None:
        return [Reason(MoveGate.NO_COLUMN, f"The board has no column of stage {to}")]
    return _reasons(facts, lane, by, False, 1)


def column_for(every: Sequence[Facts], to: Stage, *, by: Mover = Mover.PERSON) -> ColumnState | None:
    """Return the column that a move of cards of one board to a stage leads to; None if the board has none.

    Cards that are all in one column of that stage stay in it. Otherwise it is the first column that accepts all of
    them, or the first with the fewest reasons against it.
    """
    lanes = [lane for lane in every[0].lanes if lane.stage is to]
    for lane in lanes:
        if all(facts.column_id == lane.id for facts in every):
            return lane
    if len(lanes) < 2:
        return lanes[0] if lanes else None

    def against(lane: ColumnState) -> int:
        coming = sum(facts.column_id != lane.id for facts in every)
        return sum(len(_reasons(facts, lane, by, False, coming)) for facts in every)

    return min(lanes, key=against)


def _reasons(facts: Facts, to: ColumnState, by: Mover, cancel_run: bool, coming: int) -> list[Reason]:
    reasons: list[Reason] = []
    if not facts.may_write:
        reasons.append(Reason(MoveGate.FORBIDDEN, "A viewer may look, not change"))
    if facts.board_archived:
        reasons.append(Reason(MoveGate.BOARD_ARCHIVED, "The board is archived"))
    if facts.card_archived:
        reasons.append(Reason(MoveGate.CARD_ARCHIVED, "The card is archived; unarchive it first"))
    stages = is_lawful(facts.at, facts.law, by)
    if to.stage not in stages:
        ways = ", ".join(stage for stage in stages if stage is not facts.at)
        reasons.append(Reason(MoveGate.LAW, f"{facts.at} leads to {ways}, not to {to.stage}"))
    if to.id == facts.column_id:
        return reasons  # reordering passes every gate but the archive's
    if to.wip_limit is not None and to.count + coming > to.wip_limit:
        text = f"The column takes {to.wip_limit} cards and has {to.count}"
        reasons.append(Reason(MoveGate.WIP_LIMIT, text, limit=to.wip_limit, count=to.count))
    if to.stage is facts.at:
        return reasons
    if facts.lacks_approval and facts.at in PREPARING and to.stage not in PREPARING:
        reasons.append(Reason(MoveGate.NOT_READY, "The card is not approved; see its readiness"))
    if to.stage is Stage.IN_PROGRESS and facts.blockers:
        text = f"{len(facts.blockers)} unfinished card{'s' * (len(facts.blockers) > 1)} must be done first"
        reasons.append(Reason(MoveGate.BLOCKED, text, card_ids=facts.blockers))
    if to.stage is Stage.DONE:
        reasons += facts.done_gates
    if facts.at in (Stage.BACKLOG, Stage.PLAN) and to.stage not in (Stage.BACKLOG, Stage.PLAN):
        reasons += facts.plan_gates
    # A person who starts a queued card that no agent has started takes it from the queue without `cancelRun`.
    taken = facts.at is Stage.TODO and to.stage is Stage.IN_PROGRESS and not facts.run_begun
    if by is Mover.PERSON and facts.active_run and not cancel_run and not taken:
        what = "An agent is at work on the card" if facts.run_begun else "The card waits for an agent"
        reasons.append(Reason(MoveGate.ACTIVE_RUN, f"{what}; pass cancelRun to stop its run"))
    if by is Mover.PERSON and facts.open_question and not cancel_run:
        reasons.append(Reason(MoveGate.OPEN_QUESTION, "A question on the card waits for an answer"))
    return reasons


def keeps_from_work(facts: Facts, *, is_code: bool) -> Reason | None:
    """Return the first reason why an agent cannot start on a card; None if it can.

    With `is_code` the card would enter IN_PROGRESS."""
    return next(iter(gates_of_work(facts, is_code=is_code)), None)


def gates_of_work(facts: Facts, *, is_code: bool) -> list[Reason]:
    """Return the reasons why an agent cannot start on a card, one for each closed gate."""
    here = ColumnState(facts.column_id or "", facts.at)
    reasons = _reasons(facts, here, Mover.SYSTEM, False, 1)
    if is_code and facts.at is not Stage.IN_PROGRESS:
        reasons += reasons_against(facts, Stage.IN_PROGRESS, by=Mover.SYSTEM)
    gates: dict[MoveGate, Reason] = {}
    begins = is_code and not facts.run_begun  # work that was begun goes on
    for reason in [*reasons, *(facts.review_gates if begins else ())]:
        if reason.code in WORK_GATES:
            gates.setdefault(reason.code, reason)
    return list(gates.values())


# The gates that hold back a queued run. A card that may not enter IN_PROGRESS is worked on in its own stage.
WORK_GATES = (
    *(MoveGate.BOARD_ARCHIVED, MoveGate.CARD_ARCHIVED, MoveGate.BLOCKED, MoveGate.WIP_LIMIT),
    MoveGate.REVIEW_LIMIT,
)
