"""Places in an order that people drag: the server turns neighbours into a rank."""

from collections import deque
from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm.attributes import set_committed_value

from actions.ranks import MAX_RANK_LENGTH, REWRITTEN, among
from actions.ranks import after as ranks_after
from kit.db.transaction import Transaction
from kit.ids import new_id
from models.board import Board
from models.events.board import RanksRewritten
from models.refusal import Invalid
from models.topic import workspace_scope


async def rank_for(
    tx: Transaction,
    kind: Any,
    lane: Any,
    moving: str | None,
    before: str | None,
    after: str | None,
    *,
    top: bool = False,
) -> str:
    """The rank of a place in a lane: before or after a neighbour, at the top, or at the end."""
    moved = () if moving is None else (moving,)
    return (await ranks_for(tx, kind, lane, moved, before, after, top=top))[0]


async def ranks_for(
    tx: Transaction,
    kind: Any,
    lane: Any,
    moving: Collection[str],
    before: str | None,
    after: str | None,
    *,
    top: bool = False,
    count: int = 1,
) -> list[str]:
    """The ranks of `count` rows that come to stand there together, in order.

    `lane` is the clause that says which rows stand in it, `moving` names the rows that are being moved, which
    are nobody's neighbours. The caller holds the lock of the lane's owner. With both neighbours named, `after`
    decides and `before` must stand somewhere behind it. Raises Invalid when a neighbour is not in the lane.
    """
    others = lane & kind.id.not_in(moving) if moving else lane
    # One row may keep its own rank. Of several, none may be given a rank that another has not left yet.
    around = others if count == 1 else lane
    low = await _rank(tx, kind, others, "after", after)
    high = await _rank(tx, kind, others, "before", before)
    if low is not None:
        if high is not None and high <= low:
            raise Invalid(("before", "stands in front of `after`"))
        high = await tx.scalar(select(func.min(kind.rank)).where(around, kind.rank > low))
    elif high is not None:
        low = await tx.scalar(select(func.max(kind.rank)).where(around, kind.rank < high))
    elif top:
        high = await tx.scalar(select(func.min(kind.rank)).where(around))
    else:
        low = await tx.scalar(select(func.max(kind.rank)).where(around))
    ranks = among(low, high, count)
    if max(map(len, ranks)) <= MAX_RANK_LENGTH:
        return ranks
    await rewrite_ranks(tx, kind, lane)
    return await ranks_for(tx, kind, lane, moving, before, after, top=top, count=count)


class LastRanks:
    """Ranks for several new rows at the ends of their lanes: asked for once a lane, not once a row.

    Of lanes that are `new`, nothing stands in them yet, nothing is asked.
    """

    def __init__(self, tx: Transaction, kind: Any, *, new: bool = False) -> None:
        self._tx, self._kind, self._new = tx, kind, new
        self._ready: dict[Any, deque[str]] = {}

    async def next(self, name: Any, lane: Callable[[], Any], most: int) -> str:
        """The next rank at the end of the lane of this name; at most `most` more will be asked for."""
        if not self._ready.get(name):
            ends = (
                ranks_after(None, most)
                if self._new
                else await ranks_for(self._tx, self._kind, lane(), (), None, None, count=most)
            )
            self._ready[name] = deque(ends)
        return self._ready[name].popleft()

    def forget(self) -> None:
        """Something was put elsewhere: look again."""
        self._ready.clear()


async def _rank(tx: Transaction, kind: Any, lane: Any, path: str, id: str | None) -> str | None:
    if id is None:
        return None
    rank: str | None = await tx.scalar(select(kind.rank).where(lane, kind.id == id))
    if rank is None:
        raise Invalid((path, "does not stand there"))
    return rank


async def rewrite_ranks(tx: Transaction, kind: Any, lane: Any) -> None:
    """Give every row of a lane a short rank again, in the same order, and tell those who keep it.

    The new ranks lie behind all the old ones, so that none is ever taken twice on the way.
    """
    await tx.flush()
    owner = kind.workspace_id if kind is Board else kind.board_id
    found = (await tx.execute(select(kind.id, kind.rank, owner).where(lane).order_by(kind.rank))).all()
    ids = [id for id, _, _ in found]
    _, last, owner_id = found[-1]
    ranks = ranks_after(last, len(ids))
    table = kind.__table__
    # updated_at stays: nobody changed these rows.
    write = update(table).where(table.c.id == bindparam("which"))
    write = write.values(rank=bindparam("rank"), updated_at=table.c.updated_at)
    rows = [{"which": id, "rank": rank} for id, rank in zip(ids, ranks, strict=True)]
    await (await tx.connection()).execute(write, rows)
    now = dict(zip(ids, ranks, strict=True))
    for row in tx.sync_session.identity_map.values():
        if isinstance(row, kind) and row.id in now:
            set_committed_value(row, "rank", now[row.id])
    batch = new_id("batch") if len(ids) > REWRITTEN else None
    for start in range(0, len(ids), REWRITTEN):
        told = {id: now[id] for id in ids[start : start + REWRITTEN]}
        # Of a list on a board, the board is held: this reads nothing.
        owner = workspace_scope(owner_id) if kind is Board else await tx.get_one(Board, owner_id)
        tx.emit(owner, RanksRewritten(ranks=told), correlation_id=batch)
