"""The conversations of agent programs: their type and mutation."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID

import actions.agent_session
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.worker import SessionStatus
from resolvers import agent_session as conversations
from resolvers.agent_session import SESSION
from resolvers.board import BOARD
from resolvers.card import CARD
from resolvers.worker import WORKER
from schema.board import Board
from schema.card import Card
from schema.fields import mutation, node_type, query_field, relation_field
from schema.refusal import Stale
from schema.worker import Worker


@node_type("chat")
class AgentSession(Node):
    """A conversation of an agent program. It can be resumed on its worker only."""

    board_id: Annotated[ID, "The board."]
    card_id: Annotated[ID, "The card."]
    worker_id: Annotated[ID, "The worker, the only one on which it can be resumed."]
    external_id: Annotated[str, "The program's own id of it, unique on its worker."]
    executor: Annotated[str, "The agent program."]
    agent: Annotated[str | None, "The program's agent; null: its main agent."]
    status: SessionStatus = query_field(conversations.status_of_session)
    active_at: Annotated[datetime, "Time of its last use."]
    terminated_at: Annotated[datetime | None, "Time when a person ended it; null if nobody did."]
    version: Annotated[int, "Increases by one with every use and change."]
    created_at: Annotated[datetime, "Time of its start."]
    board: Board | None = relation_field(BOARD, "board_id", text="The board.")
    card: Card | None = relation_field(CARD, "card_id", text="The card.")
    worker: Worker | None = relation_field(WORKER, "worker_id", text="The worker.")
    parent: Annotated[
        "AgentSession | None",
        "The conversation that it continues; null if it continues none.",
    ] = relation_field(
        SESSION,
        "parent_id",
        text="The conversation that it continues; null if it continues none.",
    )


@strawberry.type
class ConversationQuery:
    agent_sessions: list[AgentSession] = query_field(
        conversations.agent_sessions, directives=[list_size(20, slicing=("first",))]
    )


@strawberry.type
class ConversationMutation:
    end_agent_session = mutation(
        actions.agent_session.end_agent_session, AgentSession, Stale, requires=Access.BOARD
    )
