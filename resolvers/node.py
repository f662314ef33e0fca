"""Nodes by their ids: the prefix of an id names the relation that reads it."""

import asyncio
from typing import Annotated

from strawberry import ID

from kit.ids import prefix_of
from models.refusal import Invalid
from resolvers.agent_session import SESSION
from resolvers.answer_rule import ANSWER_RULE
from resolvers.approval import APPROVAL
from resolvers.batch import BATCH
from resolvers.board import BOARD, COLUMN
from resolvers.branch_task import BRANCH_TASK
from resolvers.card import CARD
from resolvers.card_schedule import SCHEDULE
from resolvers.check import CHECK
from resolvers.connection import CONNECTION
from resolvers.context import Info
from resolvers.diff import DIFF
from resolvers.document import DOCUMENT, DOCUMENT_LINK
from resolvers.file import FILE
from resolvers.group import GROUP
from resolvers.invitation import INVITATION
from resolvers.job import JOB
from resolvers.key import API_KEY
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
from resolvers.review import FINDING, THREAD
from resolvers.run import RUN
from resolvers.sprint import SPRINT
from resolvers.subtask import SUBTASK
from resolvers.watch import WATCH
from resolvers.webhook_endpoint import ENDPOINT_DELIVERY, WEBHOOK_ENDPOINT
from resolvers.worker import WORKER
from resolvers.workspace import LABEL, MEMBERSHIP, USER, WORKSPACE

MAX_IDS = 100  # of one call

RELATIONS: dict[str, Relation] = {
    "workspace": WORKSPACE,
    "membership": MEMBERSHIP,
    "user": USER,
    "key": API_KEY,
    "invitation": INVITATION,
    "label": LABEL,
    "document": DOCUMENT,
    "doclink": DOCUMENT_LINK,
    "board": BOARD,
    "column": COLUMN,
    "group": GROUP,
    "schedule": SCHEDULE,
    "sprint": SPRINT,
    "file": FILE,
    "task": BRANCH_TASK,
    "card": CARD,
    "link": LINK,
    "subtask": SUBTASK,
    "knowledge": KNOWLEDGE,
    "memory": MEMORY,
    "plannedfile": PLANNED_FILE,
    "plan": PLAN,
    "message": MESSAGE,
    "run": RUN,
    "batch": BATCH,
    "question": QUESTION,
    "rule": ANSWER_RULE,
    "check": CHECK,
    "diff": DIFF,
    "thread": THREAD,
    "finding": FINDING,
    "approval": APPROVAL,
    "profile": PROFILE,
    "connection": CONNECTION,
    "repository": REPOSITORY,
    "pull": PULL_REQUEST,
    "worker": WORKER,
    "notice": NOTIFICATION,
    "chat": SESSION,
    "job": JOB,
    "watch": WATCH,
    "endpoint": WEBHOOK_ENDPOINT,
    "msg": ENDPOINT_DELIVERY,
}


async def node(info: Info, id: Annotated[ID, "The id of a node."]) -> object:
    """A node by its id, or null if it does not exist or you may not see it."""
    relation = RELATIONS.get(prefix_of(id) or "")
    return await info.context.load(relation, id) if relation else None


async def nodes(info: Info, ids: Annotated[list[ID], "Up to 100 ids, of any types."]) -> list[object]:
    """Nodes by their ids, in the same order; null for each that does not exist or that you may not see."""
    if len(ids) > MAX_IDS:
        raise Invalid(("ids", f"must have at most {MAX_IDS} ids"))
    return list(
        await asyncio.gather(*(node(info, id) for id in ids))
    )  # concurrently: one statement for each type
