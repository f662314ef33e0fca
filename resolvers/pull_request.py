"""Reads of pull requests."""

from collections.abc import Sequence
from typing import Annotated

from sqlalchemy import select
from strawberry import ID, Parent

from auth.permissions import sees_card, sees_pull_request
from models.automation import BoardAutomation, automation_of
from models.board import Board
from models.card import Card
from models.pull_request import CardPullRequest, PullRequest, PullRequestState
from resolvers.context import Info
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

PULL_REQUEST = Relation[PullRequest | None](
    select(PullRequest.__table__),
    PullRequest.id,
    lambda actor: sees_pull_request(actor, PullRequest.id, PullRequest.workspace_id),
)
PULL_REQUESTS_OF_CARD = Relation[Sequence[PullRequest]](
    select(PullRequest.__table__)
    .join(CardPullRequest, CardPullRequest.pull_request_id == PullRequest.id)
    .order_by(PullRequest.id),
    CardPullRequest.card_id,
    lambda actor: sees_card(actor, CardPullRequest.board_id, CardPullRequest.card_id),
    many=True,
    viewer_independent=True,
)
CARDS_OF_PULL_REQUEST = Relation[Sequence[Card]](
    select(Card.__table__).join(CardPullRequest, CardPullRequest.card_id == Card.id).order_by(Card.id),
    CardPullRequest.pull_request_id,
    lambda actor: sees_card(actor, Card.board_id, Card.id),
    many=True,
)
PULL_REQUESTS = PaginatedQuery(
    "pullRequests",
    select(PullRequest.__table__),
    PullRequest.workspace_id,
    lambda actor: sees_pull_request(actor, PullRequest.id, PullRequest.workspace_id),
)
NEWEST = Order("NEWEST", ((PullRequest.id, True),))


async def pull_requests(
    info: Info,
    workspace_id: Annotated[ID, "The workspace."],
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    states: Annotated[list[PullRequestState] | None, "Only pull requests in one of these states."] = None,
) -> Page:
    """The pull requests of a workspace, newest first."""
    where = [PullRequest.state.in_(states)] if states else []
    args = PageArgs(first, after, last, before)
    return await load_page(
        info.context, PULL_REQUESTS, NEWEST, args, workspace_id, where, str(sorted(states or ()))
    )


async def automation_of_board(root: Parent[Board]) -> BoardAutomation:
    """Where the events of pull requests move its cards."""
    return automation_of(root.automation)
