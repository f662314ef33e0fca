"""The types of events, made of the classes in models/events. This module adds the fields that need a resolver.

A class with subclasses becomes an interface, any other an object type; the values of both are rows of the event
log. `BoardEvent`, `WorkspaceEvent` and `UserEvent` are unions: a feed's events have no field in common.
"""

import inspect
import typing
from collections.abc import Callable, Iterator
from datetime import datetime
from types import NoneType
from typing import Annotated, Any

import strawberry
from graphql import GraphQLTypeResolver
from strawberry import ID
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.union import StrawberryUnion

from actions.ranks import MAX_RANKS_PER_EVENT
from kit.eventlog.tables import Event
from kit.graphql.arguments import graphql_annotation
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import object_type, split_description
from models.events import (
    EVENT_TYPES,
    answer_rule,
    approval,
    board,
    branch_task,
    card,
    card_schedule,
    check,
    connection,
    document,
    feed,
    group,
    invitation,
    knowledge,
    memory,
    notice,
    plan,
    planned_file,
    profile,
    pull_request,
    question,
    repository,
    review,
    run,
    type_name_of,
    webhook_endpoint,
    worker,
    workspace,
)
from models.events.base import BaseEvent, BoardEvent, UserEvent, WorkspaceEvent
from resolvers.answer_rule import ANSWER_RULE
from resolvers.approval import APPROVAL
from resolvers.batch import BATCH
from resolvers.board import BOARD, COLUMN
from resolvers.branch_task import BRANCH_TASK
from resolvers.card import CARD
from resolvers.card_schedule import SCHEDULE
from resolvers.connection import CONNECTION
from resolvers.document import DOCUMENT
from resolvers.group import GROUP
from resolvers.invitation import INVITATION
from resolvers.knowledge import KNOWLEDGE
from resolvers.link import LINK
from resolvers.loaders import Relation
from resolvers.memory import MEMORY
from resolvers.message import MESSAGE
from resolvers.notice import NOTIFICATION
from resolvers.plan import PLAN
from resolvers.planned_file import PLANNED_FILE
from resolvers.profile import PROFILE
from resolvers.pull_request import PULL_REQUEST
from resolvers.question import QUESTION
from resolvers.repository import REPOSITORY
from resolvers.review import THREAD
from resolvers.run import RUN
from resolvers.sprint import SPRINT
from resolvers.subtask import SUBTASK
from resolvers.webhook_endpoint import WEBHOOK_ENDPOINT
from resolvers.worker import WORKER
from resolvers.workspace import LABEL, USER, WORKSPACE
from schema.account import User
from schema.actor import Change, changes
from schema.answer_rule import AnswerRule
from schema.approval import Approval
from schema.batch import RunBatch
from schema.board import Board, Column
from schema.branch_task import BranchTask
from schema.card import Card
from schema.card_schedule import CardSchedule
from schema.connection import ConnectedService
from schema.document import Document
from schema.group import Group
from schema.invitation import Invitation
from schema.knowledge import KnowledgeItem
from schema.link import CardLink
from schema.memory import Memory
from schema.message import Message
from schema.notice import Notification
from schema.plan import PlanBatch
from schema.planned_file import PlannedFile
from schema.profile import AgentProfile
from schema.pull_request import PullRequest
from schema.question import Question
from schema.repository import Repository
from schema.review import ReviewThread
from schema.run import Run, RunProgress
from schema.sprint import Sprint
from schema.subtask import Subtask
from schema.webhook_endpoint import WebhookEndpoint
from schema.worker import Worker
from schema.workspace import Label, Workspace

FEEDS = (BoardEvent, WorkspaceEvent, UserEvent)


class Current(typing.NamedTuple):
    """A field with the row that an event is about, as it is now."""

    name: str
    relation: Relation
    type: type
    key: str  # the field of the event with the row's id
    text: str


CURRENT: dict[type[BaseEvent], tuple[Current, ...]] = {
    board.BoardLifecycleEvent: (
        Current("board", BOARD, Board, "board_id", "The board as it is now; null once deleted."),
    ),
    board.ColumnEvent: (
        Current("column", COLUMN, Column, "column_id", "The column as it is now; null once deleted."),
    ),
    card_schedule.CardScheduleEvent: (
        Current(
            "schedule", SCHEDULE, CardSchedule, "schedule_id", "The schedule as it is now; null once deleted."
        ),
    ),
    group.GroupEvent: (
        Current("sprint", SPRINT, Sprint, "sprint_id", "The sprint as it is now; null once deleted."),
        Current("group", GROUP, Group, "group_id", "The group as it is now; null once deleted."),
    ),
    document.DocumentEvent: (
        Current(
            "document", DOCUMENT, Document, "document_id", "The document as it is now; null once deleted."
        ),
    ),
    card.CardEvent: (Current("card", CARD, Card, "card_id", "The card as it is now; null once deleted."),),
    knowledge.KnowledgeEvent: (
        Current(
            "item", KNOWLEDGE, KnowledgeItem, "knowledge_id", "The item as it is now; null once deleted."
        ),
    ),
    plan.PlanEvent: (Current("plan", PLAN, PlanBatch, "plan_id", "The plan as it is now."),),
    planned_file.PlannedFileEvent: (
        Current(
            "file", PLANNED_FILE, PlannedFile, "planned_file_id", "The file as it is now; null once deleted."
        ),
    ),
    card.CardLinkEvent: (
        Current("link", LINK, CardLink, "link_id", "The link; null once removed."),
        Current("target", CARD, Card, "target_id", "The other card as it is now; null once deleted."),
    ),
    card.SubtaskEvent: (
        Current("subtask", SUBTASK, Subtask, "subtask_id", "The subtask as it is now; null once deleted."),
    ),
    card.CardLabelEvent: (
        Current("label", LABEL, Label, "label_id", "The label as it is now; null once deleted."),
    ),
    card.CardAssigneeEvent: (Current("user", USER, User, "user_id", "The person."),),
    card.MessageEvent: (
        Current("message", MESSAGE, Message, "message_id", "The message as it is now; null once deleted."),
    ),
    card.AssignmentEvent: (
        Current("board", BOARD, Board, "board_id", "The board as it is now; null once deleted."),
        Current("card", CARD, Card, "card_id", "The card as it is now; null once deleted."),
    ),
    branch_task.MergeEvent: (
        Current("branch_task", BRANCH_TASK, BranchTask, "branch_task_id", "The task as it is now."),
    ),
    run.RunEvent: (Current("run", RUN, Run, "run_id", "The run as it is now; null once deleted."),),
    run.BatchEnded: (
        Current("run_batch", BATCH, RunBatch, "batch_id", "The batch as it is now; null once deleted."),
    ),
    question.QuestionEvent: (
        Current("question", QUESTION, Question, "question_id", "The question as it is now."),
        Current("run", RUN, Run, "asking_run_id", "The run that asks, as it is now."),
    ),
    memory.MemoryEvent: (
        Current("memory", MEMORY, Memory, "memory_id", "The memory as it is now; null once deleted."),
    ),
    answer_rule.AnswerRuleEvent: (
        Current("rule", ANSWER_RULE, AnswerRule, "rule_id", "The rule as it is now; null once deleted."),
    ),
    check.ChecksRecorded: (Current("run", RUN, Run, "checked_run_id", "The run, as it is now."),),
    approval.ApprovalEvent: (
        Current("approval", APPROVAL, Approval, "approval_id", "The approval as it is now."),
    ),
    review.ReviewThreadEvent: (
        Current("thread", THREAD, ReviewThread, "thread_id", "The thread as it is now."),
    ),
    review.ReviewCompleted: (Current("run", RUN, Run, "reviewed_run_id", "The run, as it is now."),),
    workspace.WorkspaceScopedEvent: (
        Current("workspace", WORKSPACE, Workspace, "workspace_id", "The workspace; null once deleted."),
    ),
    workspace.MemberEvent: (
        Current("user", USER, User, "user_id", "The member; null if you share no workspace any more."),
    ),
    workspace.LabelEvent: (
        Current("label", LABEL, Label, "label_id", "The label as it is now; null once deleted."),
    ),
    invitation.InvitationEvent: (
        Current("invitation", INVITATION, Invitation, "invitation_id", "Null unless you are an admin."),
    ),
    profile.AgentProfileEvent: (
        Current("profile", PROFILE, AgentProfile, "profile_id", "The profile; null once deleted."),
    ),
    connection.ConnectionEvent: (
        Current(
            "connection",
            CONNECTION,
            ConnectedService,
            "connection_id",
            "Null once deleted, or if you are no admin.",
        ),
    ),
    pull_request.PullRequestEvent: (
        Current(
            "pull_request",
            PULL_REQUEST,
            PullRequest,
            "pull_request_id",
            "The pull request as it is now; or null.",
        ),
    ),
    repository.RepositoryEvent: (
        Current("repository", REPOSITORY, Repository, "repository_id", "The repository as it is now."),
    ),
    webhook_endpoint.WebhookEndpointEvent: (
        Current(
            "endpoint",
            WEBHOOK_ENDPOINT,
            WebhookEndpoint,
            "endpoint_id",
            "Null once deleted, or if you are no admin.",
        ),
    ),
    worker.WorkerEvent: (Current("worker", WORKER, Worker, "worker_id", "The worker as it is now."),),
    notice.Notified: (
        Current("notification", NOTIFICATION, Notification, "notification_id", "Null once you deleted it."),
    ),
}


@object_type
class NewRank:
    """A rank that was rewritten."""

    node_id: Annotated[ID, "The card, subtask, column or board."]
    rank: Annotated[str, "Its new rank."]


def _ranks(root: Event) -> list[NewRank]:
    return [NewRank(node_id=ID(id), rank=rank) for id, rank in root.data["ranks"].items()]


def _new_ranks() -> Any:
    return strawberry.field(
        resolver=_ranks,
        description="The new ranks. A long list is sent as several events with one `correlationId`.",
        directives=[list_size(MAX_RANKS_PER_EVENT, slicing=())],
    )


# Fields that clients see in another form than they are stored in: the type, and what makes the field.
SHOWN: dict[str, tuple[Any, Callable[[], Any]]] = {
    "changes": (list[Change], changes),
    "ranks": (list[NewRank], _new_ranks),
    "progress": (RunProgress, lambda: _payload_field("progress", RunProgress, "Its progress at that time.")),
}


def _payload_field(name: str, annotation: Any, text: str) -> Any:
    """Make a field that reads the stored payload."""
    is_moment = datetime in (annotation, *typing.get_args(annotation))

    def resolve(root: Event) -> Any:
        value = root.data.get(name)
        return datetime.fromisoformat(value) if is_moment and value is not None else value

    return strawberry.field(resolver=resolve, description=text)


def _current_field(row: Current) -> Any:
    async def resolve(root: Event, info: strawberry.Info) -> Any:
        id = root.data.get(row.key)
        return None if id is None else await info.context.load(row.relation, id)

    return strawberry.field(
        resolver=resolve,
        description=row.text,
        metadata={"viewer_independent": row.relation.viewer_independent},
    )


def _own_fields(cls: type[BaseEvent]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the name, the type and the field of everything that a class adds to its bases."""
    for name, annotation in inspect.get_annotations(cls).items():
        bare, text = split_description(annotation)
        if name in SHOWN:
            type_, make_field = SHOWN[name]
            yield name, type_, make_field()
        elif text is not None:
            type_ = graphql_annotation(bare)
            yield name, type_, _payload_field(name, type_, text)
    for row in CURRENT.get(cls, ()):
        yield row.name, row.type | NoneType, _current_field(row)


def event_type(cls: type[BaseEvent]) -> Any:
    """Return the GraphQL type of an event class; it is made once, after those of its bases."""
    if cls not in _types:
        _types[cls] = _make_type(cls)
    return _types[cls]


_types: dict[type[BaseEvent], Any] = {}


def _make_type(cls: type[BaseEvent]) -> Any:
    bases = tuple(event_type(base) for base in cls.__bases__ if base not in (BaseEvent, *FEEDS))
    annotations: dict[str, Any] = {}
    members: dict[str, Any] = {"__annotations__": annotations, "__module__": __name__}
    for name, annotation, field in _own_fields(cls):
        annotations[name], members[name] = annotation, field
    text = inspect.getdoc(cls)
    if cls.__subclasses__():
        return strawberry.interface(type(cls.__name__, bases, members), description=text)
    members["is_type_of"] = classmethod(lambda _, value, info: getattr(value, "kind", None) == cls.kind)
    return strawberry.type(type(cls.__name__, bases, members), description=text)


class EventUnion(StrawberryUnion):
    """The events of a feed. The type of a row is looked up by its kind, which is faster than trying each type."""

    def get_type_resolver(self, type_map: Any) -> GraphQLTypeResolver:
        return lambda root, info, type_: type_name_of(root.kind)


def _union(name: str, text: str, *feeds: type[BaseEvent]) -> EventUnion:
    types = [event_type(cls) for cls in EVENT_TYPES.values() if issubclass(cls, feeds)]
    annotations = tuple(map(StrawberryAnnotation, types))
    return EventUnion(name=name, description=text, type_annotations=annotations)


EVENTS = [event_type(cls) for cls in EVENT_TYPES.values()]
BOARD_EVENT = _union("BoardEvent", "An event of a board's feed.", BoardEvent)
WORKSPACE_EVENT = _union("WorkspaceEvent", "An event of a workspace's feed.", WorkspaceEvent)
USER_EVENT = _union("UserEvent", "An event of your own feed.", UserEvent)
QUESTION_FEED_EVENT = _union(
    "QuestionFeedEvent", "An event of a board's question feed.", question.QuestionEvent, feed.FeedStarted
)
