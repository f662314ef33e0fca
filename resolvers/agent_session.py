"""Reads of the conversations of agent programs."""

from collections.abc import Sequence
from typing import Annotated

from sqlalchemy import ColumnElement, select
from strawberry import ID, Parent

from auth.permissions import sees_card
from kit.db.database import utcnow
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
    card_id: Annotated[ID | None, "Only conversations on this card."] = None,
    worker_id: Annotated[ID | None, "Only conversations on this worker."] = None,
    first: Annotated[int, "Number of conversations, 1 to 100."] = 20,
) -> Sequence[AgentSession]:
    """Conversations of agent programs on a card, on a worker, or both; the last used first."""
    where: list[ColumnElement[bool]] = []
    where += [AgentSession.card_id == card_id] if card_id is not None else []
    where += [AgentSession.worker_id == worker_id] if worker_id is not None else []
    if not where:
        raise Invalid(("cardId", "or a worker must be named"))
    size = PageArgs(first, most=MAX_SESSIONS).size
    query = select(AgentSession.__table__).where(
        sees_card(info.context.actor, AgentSession.board_id, AgentSession.card_id), *where
    )
    newest = query.order_by(AgentSession.active_at.desc(), AgentSession.id.desc())
    rows: Sequence[AgentSession] = await info.context.read(newest.limit(size))
    return rows


async def status_of_session(root: Parent[AgentSession]) -> SessionStatus:
    """Its status. No run can resume it once it is TERMINATED."""
    return session_status(root, utcnow())
