"""The conversations of agent programs: kept where they were held, so that a run can go on in one."""

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from actions import validation
from auth.locking import lock_agent_session
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.ids import new_id
from models.actor import Actor
from models.worker import AgentSession

EXTERNAL = 200  # characters of the program's own name


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
    """Remember that a conversation was held just now. A program's name for it is unique on its worker.

    One that was ended stays ended. Two that keep the same at once keep one. `parent_id` is the conversation that a
    new one takes over from.
    """
    external_id = validation.single_line("sessionId", external_id, EXTERNAL)
    now = utcnow()
    here = {
        "board_id": board_id,
        "card_id": card_id,
        "executor": executor,
        "active_at": now,
        "updated_at": now,
    }
    key = {"worker_id": worker_id, "external_id": external_id}
    new = {"id": new_id("chat"), "created_at": now, "version": 1, "parent_id": parent_id, **key, **here}
    dialect = postgresql if tx.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(AgentSession).values(new)
    changes = {**here, "version": AgentSession.version + 1}
    await tx.execute(insert.on_conflict_do_update(index_elements=list(key), set_=changes))
    mine = AgentSession.worker_id == worker_id, AgentSession.external_id == external_id
    query = select(AgentSession).where(*mine).execution_options(populate_existing=True)
    return (await tx.scalars(query)).one()


async def end_agent_session(
    tx: Transaction, actor: Actor, id: str, *, if_version: int | None = None
) -> AgentSession:
    """End a conversation: the next run on the card begins another. Ending twice changes nothing."""
    session = await lock_agent_session(tx, actor, id)
    session.expect(if_version)
    if session.terminated_at is None:
        session.terminated_at, session.version = utcnow(), session.version + 1
    return session
