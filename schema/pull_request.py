"""Pull requests: the types, their query and mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.automation
import actions.pull_request
import models.automation
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.pull_request import CiStatus, PullRequestOrigin, PullRequestState
from models.stage import Stage
from resolvers import pull_request as reads
from resolvers.pull_request import CARDS_OF_PULL_REQUEST
from resolvers.repository import REPOSITORY
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.page import Connection
from schema.refusal import Conflict, GateClosed, Stale
from schema.repository import Repository

BoardLater: Any = Annotated["Board", strawberry.lazy("schema.board")]
CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]


@node_type("pull")
class PullRequest(Node):
    """A pull request at a code host."""

    workspace_id: Annotated[ID, "The workspace."]
    origin: Annotated[PullRequestOrigin, "The way in which it came to its cards."]
    state: Annotated[PullRequestState, "Its state."]
    number: Annotated[int | None, "Its number in the repository; null until the host has opened it."]
    url: Annotated[str | None, "Its address; null until the host has opened it."]
    title: Annotated[str, "Its title; empty until the host told it."]
    body: Annotated[str, "Its text, Markdown."]
    head_branch: Annotated[str, "The branch with the work."]
    base_branch: Annotated[str, "The branch that it is to be merged into."]
    head_sha: Annotated[str | None, "Its newest commit; null if unknown."]
    mergeable: Annotated[
        bool | None, "Whether it can be merged without conflicts; null if the host does not know."
    ]
    approvals: Annotated[int, "Number of people whose last decisive review approves it."]
    commits: Annotated[int | None, "Number of its commits; null if unknown."]
    ci: Annotated[CiStatus | None, "The results of CI together; null if there are none."]
    error: Annotated[str | None, "The reason why the last call of the host failed; null if it did not."]
    synced_at: Annotated[datetime | None, "Time when the host was last asked; null if it was not."]
    repository: Repository | None = relation_field(REPOSITORY, "repository_id", text="Its repository.")
    cards: list[CardLater] = relation_field(
        CARDS_OF_PULL_REQUEST, text="The cards that it is about, of those you may see.", size=3
    )
    version: Annotated[int, "Increases by one with every change."]
    created_at: Annotated[datetime, "Time when it became known here."]


@result_type(models.automation.BoardAutomation)
class BoardAutomation:
    """Where pull requests move the cards of a board. No card is moved back, nor against the law of stages."""

    opened: Annotated[Stage | None, "Where an opened pull request moves its card; null: nowhere."]
    merged: Annotated[Stage | None, "Where a merged pull request moves its card; null: nowhere."]
    any_merged: Annotated[bool, "Whether one merged pull request is enough; else all of the card's."]
    stale_days: Annotated[int, "Days without a change after which a pull request is stale."]


@strawberry.type
class PullRequestQuery:
    pull_requests: Connection[PullRequest] = query_field(reads.pull_requests, directives=[list_size(50)])


@strawberry.type
class PullRequestMutation:
    create_pull_request = mutation(
        actions.pull_request.create_pull_request, PullRequest, Conflict, GateClosed, requires=Access.BOARD
    )
    link_pull_request = mutation(
        actions.pull_request.link_pull_request, PullRequest, Conflict, requires=Access.BOARD
    )
    unlink_pull_request = mutation(actions.pull_request.unlink_pull_request, CardLater, requires=Access.BOARD)
    discover_pull_requests = mutation(
        actions.pull_request.discover_pull_requests, CardLater, Conflict, requires=Access.BOARD
    )
    update_pull_request = mutation(
        actions.pull_request.update_pull_request, PullRequest, Stale, Conflict, requires=Access.BOARD
    )
    regenerate_pull_request_text = mutation(
        actions.pull_request.regenerate_pull_request_text, PullRequest, Conflict, requires=Access.BOARD
    )
    sync_pull_request = mutation(
        actions.pull_request.sync_pull_request, PullRequest, Conflict, requires=Access.BOARD
    )
    undo_pull_request_move = mutation(
        actions.automation.undo_pull_request_move, CardLater, Conflict, requires=Access.BOARD
    )
    update_board_automation = mutation(
        actions.automation.update_board_automation, BoardLater, Stale, requires=Access.ADMIN
    )
