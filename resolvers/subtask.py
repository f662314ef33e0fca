"""How subtasks are answered, and the adapters of their changes."""

from typing import Annotated, Any, NamedTuple

from sqlalchemy import case, func, select
from strawberry import ID, Maybe

import actions.subtask
from actions.subtask import NewSubtask
from auth.permissions import sees_card
from kit.graphql.arguments import IfVersion, provided_fields
from models.card import Subtask
from resolvers.context import Info
from resolvers.loaders import Relation


class Progress(NamedTuple):
    """How many of a card's subtasks are done, of how many."""

    done: int
    total: int


SUBTASK = Relation(
    select(Subtask.__table__),
    Subtask.id,
    lambda actor: sees_card(actor, Subtask.board_id, Subtask.card_id),
    alike=True,
)
SUBTASKS_OF_CARD = Relation(
    select(Subtask.__table__).order_by(Subtask.phase_order, Subtask.rank, Subtask.id),
    Subtask.card_id,
    lambda actor: sees_card(actor, Subtask.board_id, Subtask.card_id),
    many=True,
    alike=True,
)
SUBTASK_COUNT = Relation(
    select(func.sum(case((Subtask.completed, 1), else_=0)).label("done"), func.count().label("total")),
    Subtask.card_id,
    lambda actor: sees_card(actor, Subtask.board_id, Subtask.card_id),
    group=True,
    missing=Progress(0, 0),
    alike=True,
)


async def add_subtask(
    info: Info,
    card_id: Annotated[ID, "On which card. It has at most 100."],
    title: Annotated[str, "1 to 255 characters."],
    phase: Annotated[str | None, "In which phase: 1 to 80 characters; none if left out."] = None,
    phase_order: Annotated[
        int | None, "The phase's number, 1 to 1000; behind all others if a new one is left without."
    ] = None,
    before: Annotated[ID | None, "The subtask it shall stand in front of, in that phase."] = None,
    after: Annotated[ID | None, "The subtask it shall stand behind, in that phase."] = None,
) -> Any:
    """Add a subtask to a card: at the end of its phase without a neighbour."""
    new = NewSubtask(title, phase, phase_order, before, after)
    async with info.context.transaction() as tx:
        return await actions.subtask.add_subtask(tx, info.context.actor, card_id, new)


async def update_subtask(
    info: Info,
    id: Annotated[ID, "Which subtask."],
    title: Annotated[Maybe[str], "1 to 255 characters."],
    completed: Annotated[Maybe[bool], "Whether it is done."],
    phase: Annotated[Maybe[str | None], "Also move it to the end of this phase; null for none."],
    if_version: IfVersion = None,
) -> Any:
    """Change a subtask. What is left out stays."""
    changes = provided_fields(title=title, completed=completed, phase=phase)
    async with info.context.transaction() as tx:
        return await actions.subtask.update_subtask(
            tx, info.context.actor, id, changes, if_version=if_version
        )


async def move_subtask(
    info: Info,
    id: Annotated[ID, "Which subtask."],
    phase: Annotated[
        Maybe[str | None], "To which phase; null for none. Left out: where its neighbour is, or its own."
    ],
    phase_order: Annotated[int | None, "The phase's number; may stand instead of its name."] = None,
    before: Annotated[ID | None, "The subtask it shall stand in front of."] = None,
    after: Annotated[ID | None, "The subtask it shall stand behind."] = None,
) -> Any:
    """Move a subtask within its phase or to another: to the end without a neighbour."""
    to = provided_fields(phase=phase)
    async with info.context.transaction() as tx:
        return await actions.subtask.move_subtask(
            tx,
            info.context.actor,
            id,
            before=before,
            after=after,
            phase=to.get("phase"),
            phase_order=phase_order,
            leave_phase="phase" in to and to["phase"] is None,
        )


async def delete_subtask(
    info: Info, id: Annotated[ID, "Which subtask."], if_version: IfVersion = None
) -> Any:
    """Delete a subtask. Answers it as it was."""
    async with info.context.transaction() as tx:
        return await actions.subtask.delete_subtask(tx, info.context.actor, id, if_version=if_version)
