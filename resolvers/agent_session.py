"""How the conversations of agent programs are answered, and the adapter of their end."""

from typing import Annotated, Any

from sqlalchemy import ColumnElement, select
from strawberry import ID, Parent

import actions.agent_session
from auth.permissions import sees_card
from kit.db.database import utcnow
from kit.graphql.arguments import IfVersion
from models.refusal import Invalid
from models.worker import AgentSession, SessionStatus, session_status
from resolvers.context import Info
from resolvers.loaders import Relation
from resolvers.pagination import PageArgs

MAX_SESSIONS = 100  # in one answer

SESSION = Relation(
    select(AgentSession.__table__),
    AgentSession.id,
    lambda actor: sees_card(actor, AgentSession.board_id, AgentSession.card_id),
)


async def agent_sessions(
    info: Info,
    card_id: Annotated[ID | None, "Those held on this card."] = None,
    worker_id: Annotated[ID | None, "Those held on this worker."] = None,
    first: Annotated[int, "How many of the newest: 1 to 100."] = 20,
) -> Any:
    """Conversations of agent programs, the last used first. Name a card or a worker, or both."""
    asked: list[ColumnElement[bool]] = []
    asked += [AgentSession.card_id == card_id] if card_id is not None else []
    asked += [AgentSession.worker_id == worker_id] if worker_id is not None else []
    if not asked:
        raise Invalid(("cardId", "or a worker must be named"))
    size = PageArgs(first, most=MAX_SESSIONS).size
    query = select(AgentSession.__table__).where(
        sees_card(info.context.actor, AgentSession.board_id, AgentSession.card_id), *asked
    )
    newest = query.order_by(AgentSession.active_at.desc(), AgentSession.id.desc())
    return await info.context.read(newest.limit(size))


async def status_of_session(root: Parent[Any]) -> SessionStatus:
    """Whether a run can go on in it: not once it is TERMINATED."""
    return session_status(root, utcnow())


async def end_agent_session(
    info: Info, id: Annotated[ID, "Which conversation."], if_version: IfVersion = None
) -> Any:
    """End a conversation: the next run on the card begins another. Doing it twice changes nothing."""
    async with info.context.transaction() as tx:
        return await actions.agent_session.end_agent_session(
            tx, info.context.actor, id, if_version=if_version
        )
