"""Changes to the memory of a board."""

from typing import Annotated, Any

from sqlalchemy import func, select

from actions import validation
from actions.changes import apply_changes
from auth.locking import lock_board, lock_memory
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.ids import new_id
from models.actor import Actor
from models.events.memory import MemoryCreated, MemoryDeleted, MemoryUpdated
from models.knowledge import title_of
from models.memory import MAX_MEMORIES, MAX_MEMORY_LENGTH, Memory, content_hash_of
from models.refusal import Conflict
from models.review import ReviewState


async def create_memory(
    tx: Transaction,
    actor: Actor,
    *,
    board_id: Annotated[Id, "The board. It has at most 200 memories."],
    text: Annotated[str, "Markdown, 1 to 8,000 characters."],
    state: Annotated[ReviewState, "Agents are told of it once it is APPROVED."] = ReviewState.DRAFT,
) -> Memory:
    """Add a memory to a board. Returns the one that is there if its text is the same but for case and white space.

    Raises Conflict if the board has 200 of them.
    """
    board = await lock_board(tx, actor, board_id)
    text = validation.multiline("text", text, MAX_MEMORY_LENGTH, least=1)
    digest = content_hash_of(text)
    same = select(Memory).where(Memory.board_id == board.id, Memory.content_hash == digest)
    if (found := await tx.scalar(same)) is not None:
        return found
    of_board = select(func.count()).select_from(Memory).where(Memory.board_id == board.id)
    if (await tx.scalar(of_board) or 0) >= MAX_MEMORIES:
        raise Conflict(f"A board has at most {MAX_MEMORIES} memories", board.id)
    memory = Memory(
        id=new_id("memory"), board_id=board.id, text=text, content_hash=digest, state=state, version=1
    )
    tx.add(memory)
    tx.emit(board, MemoryCreated(**_facts(memory)))
    await tx.flush()
    return memory


async def update_memory(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The memory."],
    text: Annotated[Maybe[str], "Markdown, 1 to 8,000 characters."] = None,
    state: Annotated[Maybe[ReviewState], "Whether agents are told of it."] = None,
    if_version: IfVersion = None,
) -> Memory:
    """Change, approve or reject a memory. Fields that are left out keep their values.

    Raises Stale, or Conflict if another memory of the board has that text.
    """
    board, memory = await lock_memory(tx, actor, id)
    clean = provided_fields(text=text, state=state)
    if "state" in clean:
        validation.required("state", clean["state"])
    if "text" in clean:
        clean["text"] = validation.multiline("text", clean["text"], MAX_MEMORY_LENGTH, least=1)
    memory.expect(if_version)
    if "text" in clean:
        digest = content_hash_of(clean["text"])
        same = select(Memory.id).where(
            Memory.board_id == board.id, Memory.content_hash == digest, Memory.id != memory.id
        )
        if (other := await tx.scalar(same)) is not None:
            raise Conflict("Another memory of the board has this text", other)
        memory.content_hash = digest
    changes = apply_changes(memory, clean)
    if changes:
        tx.emit(board, MemoryUpdated(**_facts(memory), changes=changes))
    return memory


async def delete_memory(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The memory."], if_version: IfVersion = None
) -> Memory:
    """Delete a memory. Returns it as it was. Raises Stale."""
    board, memory = await lock_memory(tx, actor, id)
    memory.expect(if_version)
    await tx.delete(memory)
    tx.emit(board, MemoryDeleted(**_facts(memory)))
    await tx.flush()
    return memory


def _facts(memory: Memory) -> Any:
    return {"memory_id": memory.id, "title": title_of(memory.text)}
