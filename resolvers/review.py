"""How reviews are read: threads, their comments, and findings."""

from typing import Annotated

from sqlalchemy import ColumnElement, select
from strawberry import Parent

from auth.permissions import sees_card
from models.actor import Actor
from models.card import Card
from models.review_thread import ReviewComment, ReviewFinding, ReviewThread
from resolvers.context import Info
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page


def _sees_thread(actor: Actor) -> ColumnElement[bool]:
    return sees_card(actor, ReviewThread.board_id, ReviewThread.card_id)


def _sees_finding(actor: Actor) -> ColumnElement[bool]:
    return sees_card(actor, ReviewFinding.board_id, ReviewFinding.card_id)


_THREAD, _FINDING = select(ReviewThread.__table__), select(ReviewFinding.__table__)
THREAD = Relation[ReviewThread | None](_THREAD, ReviewThread.id, _sees_thread, viewer_independent=True)
FINDING = Relation[ReviewFinding | None](_FINDING, ReviewFinding.id, _sees_finding, viewer_independent=True)
COMMENTS_OF_THREAD = Relation(
    select(ReviewComment.__table__)
    .join(ReviewThread, ReviewThread.id == ReviewComment.thread_id)
    .order_by(ReviewComment.id),
    ReviewComment.thread_id,
    _sees_thread,
    many=True,
)
FINDINGS_OF_RUN = Relation(
    _FINDING.order_by(ReviewFinding.id), ReviewFinding.run_id, _sees_finding, many=True
)
FINDINGS_ABOUT_RUN = Relation(
    _FINDING.order_by(ReviewFinding.id), ReviewFinding.target_run_id, _sees_finding, many=True
)
THREADS_OF_CARD = PaginatedQuery("card.reviewThreads", _THREAD, ReviewThread.card_id, _sees_thread)
OLDEST = Order("OLDEST", ((ReviewThread.id, False),))


async def threads_of_card(
    root: Parent[Card],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    resolved: Annotated[bool | None, "True: only resolved threads; false: only open ones."] = None,
) -> Page:
    """The threads of its reviews, oldest first."""
    where: list[ColumnElement[bool]] = []
    if resolved is not None:
        where.append(
            ReviewThread.resolved_at.is_not(None) if resolved else ReviewThread.resolved_at.is_(None)
        )
    page = PageArgs(first, after, last, before)
    return await load_page(info.context, THREADS_OF_CARD, OLDEST, page, root.id, where, repr(resolved))
