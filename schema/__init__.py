"""The root types of the GraphQL API, merged from the queries, mutations and subscriptions of the modules here."""

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
from schema.answer_rule import AnswerRuleMutation, AnswerRuleQuery
from schema.approval import ApprovalMutation, ApprovalQuery
from schema.batch import BatchMutation, BatchQuery
from schema.board import BoardMutation, BoardQuery
from schema.branch_task import BranchTaskMutation
from schema.card import CardMutation, CardQuery
from schema.card_schedule import CardScheduleMutation
from schema.check import CheckMutation
from schema.connection import ConnectionMutation, ConnectionQuery
from schema.diff import DiffMutation, DiffQuery
from schema.document import DocumentMutation, DocumentQuery
from schema.feed import FeedSubscription
from schema.fields import query_field
from schema.file import FileMutation, FileQuery
from schema.group import GroupMutation
from schema.invitation import InvitationMutation, InvitationQuery
from schema.job import JobMutation
from schema.knowledge import KnowledgeMutation
from schema.link import LinkMutation
from schema.memory import MemoryMutation
from schema.message import MessageMutation
from schema.notice import NoticeMutation, NoticeQuery
from schema.plan import PlanMutation
from schema.planned_file import PlannedFileMutation
from schema.profile import ProfileMutation, ProfileQuery
from schema.pull_request import PullRequestMutation, PullRequestQuery
from schema.question import QuestionMutation, QuestionQuery
from schema.queue import QueueQuery, QueueSubscription
from schema.repository import RepositoryMutation, RepositoryQuery
from schema.review import ReviewMutation
from schema.run import RunMutation, RunQuery
from schema.run_log import LogMutation, LogSubscription
from schema.search import SearchQuery
from schema.sprint import SprintMutation
from schema.subtask import SubtaskMutation
from schema.watch import WatchMutation, WatchQuery
from schema.webhook_endpoint import WebhookEndpointMutation, WebhookEndpointQuery
from schema.worker import WorkerMutation, WorkerQuery, WorkerSubscription
from schema.workspace import WorkspaceMutation, WorkspaceQuery


@object_type
class RateLimit:
    """Your budget for operations, in points. Spent points return continuously."""

    limit: Annotated[int, "Maximum number of points."]
    cost: Annotated[int, "Cost of this operation in points."]
    remaining: Annotated[int, "Remaining points."]
    reset_at: Annotated[datetime, "Time when the budget is full again."]


@strawberry.type
class NodeQuery:
    node: Node | None = query_field(nodes.node)
    rate_limit: RateLimit | None = query_field(rate_limit.rate_limit)
    nodes: list[Node | None] = query_field(nodes.nodes, directives=[list_size(100, slicing=("ids",))])


@strawberry.type(description="The queries.")
class Query(
    NodeQuery,
    AccountQuery,
    WorkspaceQuery,
    InvitationQuery,
    BoardQuery,
    CardQuery,
    RunQuery,
    BatchQuery,
    QuestionQuery,
    AnswerRuleQuery,
    ApprovalQuery,
    DiffQuery,
    ProfileQuery,
    ConnectionQuery,
    RepositoryQuery,
    PullRequestQuery,
    WorkerQuery,
    ConversationQuery,
    QueueQuery,
    NoticeQuery,
    SearchQuery,
    WebhookEndpointQuery,
    WatchQuery,
    DocumentQuery,
    FileQuery,
):
    pass


@strawberry.type(description="The mutations. Each returns a union: the changed object, or a refusal.")
class Mutation(
    DocumentMutation,
    AccountMutation,
    WorkspaceMutation,
    InvitationMutation,
    BoardMutation,
    GroupMutation,
    CardScheduleMutation,
    SprintMutation,
    BranchTaskMutation,
    CardMutation,
    SubtaskMutation,
    KnowledgeMutation,
    MemoryMutation,
    PlannedFileMutation,
    PlanMutation,
    LinkMutation,
    MessageMutation,
    FileMutation,
    RunMutation,
    BatchMutation,
    QuestionMutation,
    AnswerRuleMutation,
    CheckMutation,
    DiffMutation,
    ReviewMutation,
    ApprovalMutation,
    LogMutation,
    ProfileMutation,
    ConnectionMutation,
    RepositoryMutation,
    PullRequestMutation,
    WorkerMutation,
    ConversationMutation,
    NoticeMutation,
    JobMutation,
    WebhookEndpointMutation,
    WatchMutation,
):
    pass


@strawberry.type(description="The subscriptions. A feed replays events after a cursor, then continues live.")
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
    description="A time with its offset from UTC, in RFC 3339 format. The offset is required.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=lambda moment: moment.isoformat().replace("+00:00", "Z"),
    parse_value=_moment,
)
