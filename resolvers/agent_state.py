"""The state of agents on a card, for the card's face: computed from rows, and as a condition in SQL."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, case, or_, select
from strawberry import Parent

from actions.run.progress import shown
from models.board import BoardColumn
from models.card import Card
from models.run import ACTIVE, AgentState, Run, RunKind, RunStatus, WaitReason
from models.stage import Stage
from resolvers.board import COLUMN
from resolvers.context import Info
from resolvers.loaders import viewer_independent
from resolvers.run import ACTIVE_RUNS_OF_CARD, LAST_RUN_OF_CARD

# In the order of precedence among several active runs.
BY_STATUS = {
    RunStatus.WAITING: AgentState.BLOCKED,
    RunStatus.RUNNING: AgentState.WORKING,
    RunStatus.CLAIMED: AgentState.STARTING,
    RunStatus.QUEUED: AgentState.QUEUED,
    RunStatus.SUCCEEDED: AgentState.SUCCEEDED,
    RunStatus.FAILED: AgentState.FAILED,
    RunStatus.CANCELLED: AgentState.CANCELLED,
}
OF_ACTIVE = {
    AgentState.QUEUED,
    AgentState.STARTING,
    AgentState.PLANNING,
    AgentState.WORKING,
    AgentState.WAITING_TOOL,
    AgentState.WAITING_INPUT,
    AgentState.BLOCKED,
}
SENT_BACK = (Stage.BACKLOG, Stage.PLAN, Stage.TODO)  # the result was rejected


async def _shown_run(root: Card, info: Info) -> Run | None:
    """Return the run that the card's face shows: an active one, else the last."""
    active: list[Run] = await info.context.load(ACTIVE_RUNS_OF_CARD, root.id)
    if active:
        order = list(BY_STATUS)
        return min(active, key=lambda run: order.index(run.status))
    last: Run | None = await info.context.load(LAST_RUN_OF_CARD, root.id)
    return last


@viewer_independent
async def agent_state(root: Parent[Card], info: Info) -> AgentState:
    """State of the agents on it, from its active run, else its last.

    IDLE without a run, after a finished plan, and after a rejected result.
    """
    run = await _shown_run(root, info)
    if run is None:
        return AgentState.IDLE
    if run.status == RunStatus.SUCCEEDED and run.kind == RunKind.CODE:
        column = await info.context.load(COLUMN, root.column_id)
        return AgentState.IDLE if column and column.stage in SENT_BACK else AgentState.SUCCEEDED
    return state_of(run)


def state_of(run: Run) -> AgentState:
    """Return the state that a run shows."""
    if run.status == RunStatus.WAITING and run.wait_reason == WaitReason.QUESTION:
        return AgentState.WAITING_INPUT
    if run.kind == RunKind.PLAN and run.status in ACTIVE:
        return AgentState.PLANNING
    if run.kind == RunKind.PLAN and run.status == RunStatus.SUCCEEDED:
        return AgentState.IDLE
    if run.status == RunStatus.RUNNING and (run.progress or {}).get("tools"):
        return AgentState.WAITING_TOOL
    return BY_STATUS[RunStatus(run.status)]


# The same in SQL, for a run and the stage of its card.
_STATE: ColumnElement[str] = case(
    (and_(Run.status == RunStatus.WAITING, Run.wait_reason == WaitReason.QUESTION), AgentState.WAITING_INPUT),
    (and_(Run.kind == RunKind.PLAN, Run.status.in_(ACTIVE)), AgentState.PLANNING),
    (and_(Run.kind == RunKind.PLAN, Run.status == RunStatus.SUCCEEDED), AgentState.IDLE),
    (
        and_(Run.kind == RunKind.CODE, Run.status == RunStatus.SUCCEEDED, BoardColumn.stage.in_(SENT_BACK)),
        AgentState.IDLE,
    ),
    (
        and_(Run.status == RunStatus.RUNNING, Run.progress[("tools", 0, "id")].as_string().is_not(None)),
        AgentState.WAITING_TOOL,
    ),
    *((Run.status == status, state) for status, state in BY_STATUS.items()),
)
_PLACES = {status: place for place, status in enumerate(status for status in BY_STATUS if status in ACTIVE)}


def in_state(states: Sequence[AgentState]) -> ColumnElement[bool]:
    """Return the condition that a card is in one of the states. The query joins cards and columns."""
    of_card = Run.__table__.alias("of_card")
    place = case(_PLACES, value=of_card.c.status, else_=len(_PLACES))
    oldest = case(
        (of_card.c.status.in_(ACTIVE), of_card.c.id), else_=""
    )  # of ended runs, the newest is first
    shown_run = (
        select(of_card.c.id)
        .where(of_card.c.card_id == Card.id)
        .order_by(place, oldest, of_card.c.id.desc())
        .limit(1)
        .correlate(Card)
        .scalar_subquery()
    )
    fits = select(Run.id).where(Run.id == shown_run, _STATE.in_(states)).correlate(Card, BoardColumn).exists()
    if set(states) <= OF_ACTIVE:  # few cards have an active run, which an index finds
        return and_(Card.id.in_(select(of_card.c.card_id).where(of_card.c.status.in_(ACTIVE))), fits)
    has_no_run = ~select(Run.id).where(Run.card_id == Card.id).correlate(Card).exists()
    return or_(fits, has_no_run) if AgentState.IDLE in states else fits


@viewer_independent
async def agent_activity(root: Parent[Card], info: Info) -> str | None:
    """Current activity of its agent in one line; null without an active run."""
    run = await _shown_run(root, info)
    return None if run is None or run.status not in ACTIVE else activity_of(run)


def activity_of(run: Run) -> str:
    """Return the activity of an active run in one line."""
    progress = shown(run.progress)
    if run.status == RunStatus.QUEUED:
        return f"Waits: {GATES[run.held_by]}" if run.held_by else "Waits for a worker"
    if run.status == RunStatus.WAITING:
        return WAIT_REASONS[str(run.wait_reason)]
    steps = f"{progress['todos_done']}/{progress['todos_total']}" if progress.get("todos_total") else ""
    doing = progress.get("activity") or progress.get("task") or progress.get("tool") or "At work"
    return " · ".join(part for part in (doing[:160], steps) if part)


GATES = {
    "BLOCKED": "cards that block it are not done",
    "WIP_LIMIT": "the column is full",
    "REVIEW_LIMIT": "too many cards wait for a review",
    "BOARD_ARCHIVED": "the board is archived",
    "CARD_ARCHIVED": "the card is archived",
}
WAIT_REASONS = {
    "QUESTION": "Waits for an answer",
    "APPROVAL": "Waits for an approval",
    "DECISION": "Waits for a decision: nothing was changed",
    "CI": "Waits for checks",
    "CHILDREN": "Waits for other runs",
}
