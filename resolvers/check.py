"""How checks are read."""

from sqlalchemy import select
from strawberry import Parent

from auth.permissions import sees_card
from models.card import Card
from models.check import MAX_CHECKS, Check
from models.run import Run
from resolvers.context import Info
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

CHECK = Relation[Check | None](
    select(Check.__table__), Check.id, lambda actor: sees_card(actor, Check.board_id, Check.card_id)
)
CHECKS_OF_RUN = Relation(
    select(Check.__table__).order_by(Check.kind, Check.name),
    Check.run_id,
    lambda actor: sees_card(actor, Check.board_id, Check.card_id),
    many=True,
    viewer_independent=True,
)
CHECKS_OF_CARD = PaginatedQuery(
    "card.checks",
    select(Check.__table__),
    Check.card_id,
    lambda actor: sees_card(actor, Check.board_id, Check.card_id),
)
NEWEST = Order("NEWEST", ((Check.id, True),))


async def checks_of_run(root: Parent[Run], info: Info) -> list[Check]:
    """The checks that its worker ran first, by kind and name; at most 100."""
    checks: list[Check] = await info.context.load(CHECKS_OF_RUN, root.id)
    return checks[:MAX_CHECKS]


async def checks_of_card(
    root: Parent[Card],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page:
    """The checks of its newest commits, the newest first. The checks of 20 commits are kept."""
    return await load_page(
        info.context, CHECKS_OF_CARD, NEWEST, PageArgs(first, after, last, before), root.id
    )
