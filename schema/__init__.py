"""WORDS: what a client may say and hear. The nouns' queries, mutations and subscriptions, merged."""

from datetime import UTC, datetime
from typing import Annotated

import strawberry
from graphql import GraphQLError

from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node, object_type
from resolvers import node as nodes
from resolvers import rate_limit
from schema.account import AccountMutation, AccountQuery
from schema.agent_session import ConversationMutation, ConversationQuery
from schema.batch import BatchMutation, BatchQuery
from schema.board import BoardMutation, BoardQuery
from schema.card import CardMutation, CardQuery
from schema.feed import FeedSubscription
from schema.fields import query_field
from schema.link import LinkMutation
from schema.message import MessageMutation
from schema.notice import NoticeMutation, NoticeQuery
from schema.profile import ProfileMutation, ProfileQuery
from schema.question import QuestionMutation, QuestionQuery
from schema.queue import QueueQuery, QueueSubscription
from schema.run import RunMutation, RunQuery
from schema.run_log import LogMutation, LogSubscription
from schema.subtask import SubtaskMutation
from schema.worker import WorkerMutation, WorkerQuery, WorkerSubscription
from schema.workspace import WorkspaceMutation, WorkspaceQuery


@object_type
class RateLimit:
    """What operations may cost you, in points. Points come back all the time."""

    limit: Annotated[int, "The most you may have saved up."]
    cost: Annotated[int, "What this operation cost."]
    remaining: Annotated[int, "What is left."]
    reset_at: Annotated[datetime, "When all of it will have come back."]


@strawberry.type
class NodeQuery:
    node: Node | None = query_field(nodes.node)
    rate_limit: RateLimit | None = query_field(rate_limit.rate_limit)
    nodes: list[Node | None] = query_field(nodes.nodes, directives=[list_size(100, slicing=("ids",))])


@strawberry.type(description="What may be asked.")
class Query(
    NodeQuery,
    AccountQuery,
    WorkspaceQuery,
    BoardQuery,
    CardQuery,
    RunQuery,
    BatchQuery,
    QuestionQuery,
    ProfileQuery,
    WorkerQuery,
    ConversationQuery,
    QueueQuery,
    NoticeQuery,
):
    pass


@strawberry.type(description="What may be changed. Each answers a union: what changed, or why nothing did.")
class Mutation(
    AccountMutation,
    WorkspaceMutation,
    BoardMutation,
    CardMutation,
    SubtaskMutation,
    LinkMutation,
    MessageMutation,
    RunMutation,
    BatchMutation,
    QuestionMutation,
    LogMutation,
    ProfileMutation,
    WorkerMutation,
    ConversationMutation,
    NoticeMutation,
):
    pass


@strawberry.type(description="What may be followed. A feed replays from a cursor, then goes on.")
class Subscription(FeedSubscription, LogSubscription, WorkerSubscription, QueueSubscription):
    pass


def _moment(text: object) -> datetime:
    if not isinstance(text, str):
        raise GraphQLError("DateTime is text, like 2026-01-31T12:00:00Z")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise GraphQLError("DateTime is written like 2026-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        raise GraphQLError("DateTime needs an offset from UTC: Z, or +02:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise GraphQLError("DateTime is from the year 1 to the year 9999 of UTC") from None


DateTime = strawberry.scalar(
    name="DateTime",
    description="A moment with its offset from UTC, as RFC 3339 writes it. Without an offset it is refused.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=lambda moment: moment.isoformat().replace("+00:00", "Z"),
    parse_value=_moment,
)
