"""The order of rows that people drag: clients name a neighbor, the server computes the rank.

Ranks are strict within a lane. The caller holds the lock of the lane's owner, so two drags into one gap get two
ranks. A lane whose ranks have grown too long is rewritten, in the same order.
"""

from collections import deque
from collections.abc import Callable, Collection
from typing import Annotated, Any

from sqlalchemy import ColumnElement, bindparam, func, select, update
from sqlalchemy.orm.attributes import set_committed_value

from actions.ranks import MAX_RANK_LENGTH, MAX_RANKS_PER_EVENT, ranks_after, ranks_between
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from kit.graphql.types import one_of_input
from kit.ids import new_id
from models.answer_rule import AnswerRule
from models.board import Board, BoardColumn
from models.card import Card, Subtask
from models.events.board import RanksRewritten
from models.group import Group
from models.knowledge import KnowledgeItem
from models.planned_file import PlannedFile
from models.refusal import Invalid
from models.topic import workspace_scope

RankedModel = (
    type[AnswerRule]
    | type[Board]
    | type[BoardColumn]
    | type[Card]
    | type[Group]
    | type[KnowledgeItem]
    | type[PlannedFile]
    | type[Subtask]
)


@one_of_input
class PositionInput:
    """A place in an ordered list: next to a neighbor, or at an end."""

    before: Annotated[Id | None, "Directly before this item of the list."] = None
    after: Annotated[Id | None, "Directly after this item of the list."] = None
    top: Annotated[bool | None, "At the beginning of the list. Must be true."] = None
    bottom: Annotated[bool | None, "At the end of the list. Must be true."] = None


Position = Annotated[PositionInput | None, "The place in the list; default: its end."]


async def rank_for(
    tx: Transaction,
    model: RankedModel,
    lane: ColumnElement[bool],
    moving: str | None,
    position: PositionInput | None = None,
) -> str:
    """Compute the rank of one place in a lane; without a position, of its end."""
    return (await ranks_for(tx, model, lane, () if moving is None else (moving,), position))[0]


async def ranks_for(
    tx: Transaction,
    model: RankedModel,
    lane: ColumnElement[bool],
    moving: Collection[str],
    position: PositionInput | None = None,
    *,
    count: int = 1,
) -> list[str]:
    """Compute the ranks of `count` rows that are put at one place together, in order.

    `lane` selects the rows of the list. `moving` names the rows that move; none of them is a neighbor.
    The caller holds the lock of the lane's owner. Raises Invalid if the neighbor is not in the lane.
    """
    position = position or PositionInput(bottom=True)
    for name in ("top", "bottom"):
        if getattr(position, name) is False:
            raise Invalid((f"position.{name}", "must be true"))
    others = lane & model.id.not_in(moving) if moving else lane
    # One row may keep its own rank. Of several, none may be given a rank that another has not left yet.
    around = others if count == 1 else lane
    low: str | None
    high: str | None
    if position.after is not None:
        low = await _rank(tx, model, others, "after", position.after)
        high = await tx.scalar(select(func.min(model.rank)).where(around, model.rank > low))
    elif position.before is not None:
        high = await _rank(tx, model, others, "before", position.before)
        low = await tx.scalar(select(func.max(model.rank)).where(around, model.rank < high))
    elif position.top:
        low, high = None, await tx.scalar(select(func.min(model.rank)).where(around))
    else:
        low, high = await tx.scalar(select(func.max(model.rank)).where(around)), None
    ranks = ranks_between(low, high, count)
    if max(map(len, ranks)) <= MAX_RANK_LENGTH:
        return ranks
    await rewrite_ranks(tx, model, lane)
    return await ranks_for(tx, model, lane, moving, position, count=count)


class LastRanks:
    """Ranks for several new rows at the ends of their lanes: one statement for each lane.

    Lanes that are `new` are empty and take no statement.
    """

    def __init__(self, tx: Transaction, model: RankedModel, *, new: bool = False) -> None:
        self._tx, self._model, self._new = tx, model, new
        self._ready: dict[str | int, deque[str]] = {}

    async def next(self, name: str | int, lane: Callable[[], ColumnElement[bool]], most: int) -> str:
        """Return the next rank at the end of the lane of this name; at most `most` are taken in all."""
        if not self._ready.get(name):
            ranks = (
                ranks_after(None, most)
                if self._new
                else await ranks_for(self._tx, self._model, lane(), (), count=most)
            )
            self._ready[name] = deque(ranks)
        return self._ready[name].popleft()

    def forget(self) -> None:
        """Discard the prepared ranks after a row was put elsewhere."""
        self._ready.clear()


async def _rank(tx: Transaction, model: RankedModel, lane: ColumnElement[bool], field: str, id: str) -> str:
    rank: str | None = await tx.scalar(select(model.rank).where(lane, model.id == id))
    if rank is None:
        raise Invalid((f"position.{field}", "is not in the list"))
    return rank


async def rewrite_ranks(tx: Transaction, model: RankedModel, lane: ColumnElement[bool]) -> None:
    """Give every row of a lane a short rank again, in the same order, and emit the new ranks.

    The new ranks lie behind all the old ones, so no rank is taken twice on the way.
    """
    await tx.flush()
    owner = model.workspace_id if issubclass(model, Board) else model.board_id
    rows = (await tx.execute(select(model.id, model.rank, owner).where(lane).order_by(model.rank))).all()
    ids = [id for id, _, _ in rows]
    _, last, owner_id = rows[-1]
    ranks = ranks_after(last, len(ids))
    table: Any = model.__table__
    # updated_at stays: the rows keep their order.
    write = update(table).where(table.c.id == bindparam("which"))
    write = write.values(rank=bindparam("rank"), updated_at=table.c.updated_at)
    values = [{"which": id, "rank": rank} for id, rank in zip(ids, ranks, strict=True)]
    await (await tx.connection()).execute(write, values)
    now = dict(zip(ids, ranks, strict=True))
    for row in tx.sync_session.identity_map.values():
        if isinstance(row, model) and row.id in now:
            set_committed_value(row, "rank", now[row.id])
    # The caller holds the board, so reading it takes no statement.
    home = workspace_scope(owner_id) if model is Board else (await tx.get_one(Board, owner_id)).scope
    batch = new_id("batch") if len(ids) > MAX_RANKS_PER_EVENT else None
    for start in range(0, len(ids), MAX_RANKS_PER_EVENT):
        event = RanksRewritten(ranks={id: now[id] for id in ids[start : start + MAX_RANKS_PER_EVENT]})
        tx.emit(home, event, correlation_id=batch)
