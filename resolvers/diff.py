"""How diffs are read and compared."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import aliased
from strawberry import ID, Parent

from auth.permissions import sees_card
from models.actor import Actor
from models.card import Card
from models.diff import CutReason, DiffContent, DiffFile, DiffSnapshot
from models.interdiff import interdiff
from models.refusal import Invalid, NotFound
from models.run import Run
from resolvers.context import Info
from resolvers.loaders import Relation


def _sees_card_of_diff(actor: Actor) -> ColumnElement[bool]:
    return sees_card(actor, DiffSnapshot.board_id, DiffSnapshot.card_id)


_newer = aliased(DiffSnapshot)
_SNAPSHOT = select(DiffSnapshot.__table__)
DIFF = Relation[DiffSnapshot | None](_SNAPSHOT, DiffSnapshot.id, _sees_card_of_diff, viewer_independent=True)
DIFF_OF_RUN = Relation[DiffSnapshot | None](
    _SNAPSHOT.where(
        DiffSnapshot.attempt
        == select(func.max(_newer.attempt)).where(_newer.run_id == DiffSnapshot.run_id).scalar_subquery()
    ),
    DiffSnapshot.run_id,
    _sees_card_of_diff,
    viewer_independent=True,
)
DIFFS_OF_RUN = Relation(
    _SNAPSHOT.order_by(DiffSnapshot.attempt), DiffSnapshot.run_id, _sees_card_of_diff, many=True
)
# The newest run with a diff. Ids grow with time.
DIFF_OF_CARD = Relation[DiffSnapshot | None](
    _SNAPSHOT.where(
        DiffSnapshot.id
        == select(func.max(_newer.id)).where(_newer.card_id == DiffSnapshot.card_id).scalar_subquery()
    ),
    DiffSnapshot.card_id,
    _sees_card_of_diff,
    viewer_independent=True,
)
FILES_OF_DIFF = Relation(
    select(*DiffFile.__table__.c, DiffContent.hunks)
    .join(DiffSnapshot, DiffSnapshot.id == DiffFile.snapshot_id)
    .outerjoin(
        DiffContent, and_(DiffContent.board_id == DiffFile.board_id, DiffContent.hash == DiffFile.hash)
    )
    .order_by(DiffFile.place),
    DiffFile.snapshot_id,
    _sees_card_of_diff,
    many=True,
)


@dataclass(frozen=True)
class ComparedFile:
    """A file that differs between two snapshots."""

    path: str
    moved_from: str | None
    hunks: str | None
    additions: int | None
    deletions: int | None
    cut_reason: CutReason | None


@dataclass(frozen=True)
class DiffComparison:
    """The files that differ between two snapshots."""

    base_diff_id: str
    head_diff_id: str
    files: list[ComparedFile]
    comparable: bool


async def diff(
    info: Info,
    base: Annotated[ID, "The snapshot to compare with: of another attempt, a sibling, or an earlier run."],
    head: Annotated[ID, "The snapshot."],
) -> DiffComparison:
    """The files that differ between two snapshots of work on one card. `DiffSnapshot.files` compares with the base.

    Both must start from the same base commit, else `comparable` is false and no hunks are given. Raises NOT_FOUND.
    """
    one, two = await asyncio.gather(*(info.context.load(DIFF, id) for id in (base, head)))
    if one is None or two is None:
        raise NotFound(base if one is None else head)
    if one.card_id != two.card_id:
        raise Invalid(("head", "is a diff of another card"))
    before, after = await asyncio.gather(*(info.context.load(FILES_OF_DIFF, id) for id in (one.id, two.id)))
    comparable = one.base_sha == two.base_sha
    files = await asyncio.to_thread(_compare, before, after, comparable=comparable)
    return DiffComparison(one.id, two.id, files, comparable)


def _compare(before: Sequence[Any], after: Sequence[Any], *, comparable: bool) -> list[ComparedFile]:
    ours, theirs = ({file.moved_from or file.path: file for file in files} for files in (before, after))
    compared = []
    for key in dict.fromkeys([*theirs, *ours]):
        one, two = ours.get(key), theirs.get(key)
        shown = two if two is not None else ours[key]
        if one is not None and two is not None and one.hash == two.hash and one.hash and one.path == two.path:
            continue
        cut = next((file.cut_reason for file in (one, two) if file is not None and file.cut_reason), None)
        hunks = None
        if comparable and cut is None:
            hunks = interdiff((one.hunks if one else None) or "", (two.hunks if two else None) or "")
            if not hunks and one is not None and two is not None and one.path == two.path:
                continue
        lines = hunks.split("\n") if hunks else []
        compared.append(
            ComparedFile(
                path=shown.path,
                moved_from=one.path if one is not None and two is not None and one.path != two.path else None,
                hunks=hunks,
                additions=None if hunks is None else sum(line.startswith("+") for line in lines),
                deletions=None if hunks is None else sum(line.startswith("-") for line in lines),
                cut_reason=cut,
            )
        )
    return compared


async def diff_of_run(root: Parent[Run], info: Info) -> DiffSnapshot | None:
    """The changes of its newest attempt, also while its agent works; null until it changed anything."""
    row: DiffSnapshot | None = await info.context.load(DIFF_OF_RUN, root.id)
    return row


async def diff_of_card(root: Parent[Card], info: Info) -> DiffSnapshot | None:
    """The changes of the newest attempt at it, also while an agent works; null if there are none."""
    row: DiffSnapshot | None = await info.context.load(DIFF_OF_CARD, root.id)
    return row
