"""The conversations of agent programs, stored with the worker that holds them, so that a run can resume one."""

from typing import Annotated

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from actions import validation
from auth.locking import lock_agent_session
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion
from kit.ids import new_id
from models.actor import Actor
from models.worker import AgentSession

MAX_EXTERNAL_ID_LENGTH = 200  # characters of the program's own id


async def keep_session(
    tx: Transaction,
    board_id: str,
    card_id: str,
    worker_id: str,
    external_id: str,
    executor: str,
    *,
    parent_id: str | None = None,
) -> AgentSession:
    """Store a conversation as used now; `external_id` is unique on the worker.

    An ended conversation stays ended. Concurrent calls for one conversation store one row. `parent_id` names the
    conversation that a new one continues.
    """
    external_id = validation.single_line("sessionId", external_id, MAX_EXTERNAL_ID_LENGTH)
    now = utcnow()
    current = {
        "board_id": board_id,
        "card_id": card_id,
        "executor": executor,
        "active_at": now,
        "updated_at": now,
    }
    key = {"worker_id": worker_id, "external_id": external_id}
    new = {"id": new_id("chat"), "created_at": now, "version": 1, "parent_id": parent_id, **key, **current}
    dialect = postgresql if tx.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(AgentSession).values(new)
    changes = {**current, "version": AgentSession.version + 1}
    await tx.execute(insert.on_conflict_do_update(index_elements=list(key), set_=changes))
    is_same = AgentSession.worker_id == worker_id, AgentSession.external_id == external_id
    query = select(AgentSession).where(*is_same).execution_options(populate_existing=True)
    return (await tx.scalars(query)).one()


async def end_agent_session(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The conversation."],
    if_version: IfVersion = None,
) -> AgentSession:
    """End a conversation: the next run on the card begins another. Ending it twice changes nothing.

    Raises Stale.
    """
    session = await lock_agent_session(tx, actor, id)
    session.expect(if_version)
    if session.terminated_at is None:
        session.terminated_at, session.version = utcnow(), session.version + 1
    return session
