"""Reads of plans, and the operations on them that may be rolled back and noted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from graphql import Undefined
from graphql.utilities import coerce_input_value
from sqlalchemy import select
from strawberry import ID, Parent
from strawberry.types.arguments import convert_argument

from actions import plan as plans
from actions.plan_actions import PlanAction, PlanActionInput, plan_action_of
from auth.permissions import sees_batch
from kit.db.transaction import Transaction
from kit.graphql.errors import PublicError
from models.board import Board
from models.plan import ChangeKind, PlanBatch, PlanRejected
from models.refusal import NotFound
from resolvers.context import Info
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

PLAN = Relation[PlanBatch | None](
    select(PlanBatch.__table__),
    PlanBatch.id,
    lambda actor: sees_batch(actor, PlanBatch.board_id),
    viewer_independent=True,
)
PLANS_OF_BOARD = PaginatedQuery(
    "board.plans",
    select(PlanBatch.__table__),
    PlanBatch.board_id,
    lambda actor: sees_batch(actor, PlanBatch.board_id),
)
NEWEST = Order("NEWEST", ((PlanBatch.id, True),))
Actions = Annotated[list[PlanActionInput], "1 to 100 actions, in the order they are applied."]
Message = Annotated[str | None, "The purpose of the plan, Markdown, at most 5,000 characters."]


@dataclass(frozen=True)
class PlanPreview:
    """The changes that a plan would make."""

    changes: list[dict[str, Any]]


class _Undo(Exception):
    """Rolls back a plan that was applied only to see what it would change."""

    def __init__(self, preview: PlanPreview) -> None:
        super().__init__("a preview is rolled back")
        self.preview = preview


async def plans_of_board(
    root: Parent[Board],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page:
    """Its plans, newest first: proposed, accepted and rejected ones."""
    page = PageArgs(first, after, last, before)
    return await load_page(info.context, PLANS_OF_BOARD, NEWEST, page, parent=root.id)


async def plan_batch(
    info: Info,
    board_id: Annotated[ID, "The board."],
    actions: Actions,
    dry_run: Annotated[bool, "Answer with the changes that the plan would make, and change nothing."] = False,
    expected_sequence: Annotated[
        int | None, "Refuse with Stale unless the board's `seq` is this: `version` is the present one."
    ] = None,
    message: Message = None,
) -> Any:
    """Apply up to 100 actions to a board in order: all or none.

    An action is the input of its mutation. It obeys the same rights, laws and limits. `tempId` names what an action
    creates, for later actions. With `dryRun` the answer is a PlanPreview. Raises Stale, or PlanRejected with the
    first refused action; then nothing was changed, and the plan is stored as REJECTED.
    """
    planned: list[PlanAction] = list(actions)
    plans.check_actions(planned)
    context = info.context

    async def apply(tx: Transaction) -> PlanBatch:
        return await plans.apply_plan(
            tx,
            context.actor,
            board_id,
            planned,
            _converter(info),
            message=message,
            expected_sequence=expected_sequence,
        )

    try:
        async with context.transaction() as tx:
            plan = await apply(tx)
            if dry_run:
                raise _Undo(PlanPreview(plans.created_ids_hidden(plan.changes)))
        return plan
    except _Undo as undo:
        return undo.preview
    except PlanRejected as rejected:
        if not dry_run:
            async with context.transaction() as tx:
                stored = await plans.store_rejected(tx, context.actor, board_id, planned, message, rejected)
                rejected.plan_id = stored.id
        raise


async def propose_plan(info: Info, actions: Actions, message: Message = None) -> Any:
    """Propose a plan for the board as the agent of a run, with the run's own credential. A person decides."""
    planned: list[PlanAction] = list(actions)
    plans.check_actions(planned)
    async with info.context.transaction() as tx:
        return await plans.propose_plan(tx, info.context.actor, planned, message)


async def accept_plan(info: Info, id: Annotated[ID, "The plan. It is PROPOSED."]) -> Any:
    """Apply a proposed plan with your own rights.

    Raises Conflict if it was decided already, or PlanRejected with the first refused action; then nothing was
    changed, and the plan is REJECTED.
    """
    context = info.context
    row = await context.load(PLAN, id)
    if row is None:
        raise NotFound(id)
    planned = _stored_actions(info, row)
    try:
        async with context.transaction() as tx:
            return await plans.accept_plan(tx, context.actor, id, planned, _converter(info))
    except PlanRejected as rejected:
        async with context.transaction() as tx:
            rejected.plan_id = (await plans.store_refused(tx, context.actor, id, rejected)).id
        raise


def summary_of_plan(root: Parent[Any]) -> dict[str, int]:
    """Numbers of its changes by kind."""
    kinds = [change["change"] for change in root.changes]
    return {kind.value.lower(): kinds.count(kind.value) for kind in ChangeKind}


def _converter(info: Info) -> Callable[[Any, Any], Any]:
    schema: Any = info.schema
    registry = schema.schema_converter.scalar_registry
    return lambda value, type_: convert_argument(value, type_, registry, schema.config)


def _stored_actions(info: Info, plan: PlanBatch) -> list[PlanAction]:
    """Read stored actions as if they were sent now. Raises PublicError if the schema has changed meanwhile."""
    schema: Any = info.schema
    type_ = schema._schema.type_map["PlanActionInput"]
    coerced = [coerce_input_value(action, type_) for action in plan.actions]
    if Undefined in coerced:
        raise PublicError("The plan was proposed under another schema", code="BAD_USER_INPUT")
    return [plan_action_of(action) for action in coerced]
