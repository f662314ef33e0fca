"""Changes to the knowledge of a card.

An agent with its run's credential writes drafts on its card, and changes only drafts of agents; it decides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import func, select

from actions import validation
from actions.changes import apply_changes
from actions.ordering import LastRanks, Position, PositionInput, rank_for
from auth.locking import lock_card, lock_knowledge
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.ids import new_id
from models.actor import Actor
from models.board import Board
from models.events.knowledge import (
    KnowledgeAdded,
    KnowledgeDeleted,
    KnowledgeMoved,
    KnowledgeUpdated,
)
from models.knowledge import MAX_KNOWLEDGE, MAX_KNOWLEDGE_LENGTH, KnowledgeItem, KnowledgeKind, title_of
from models.refusal import Conflict, Forbidden, Invalid
from models.review import Origin, ReviewState

AGENTS_DRAFT = "With its run's credential an agent changes only drafts that agents wrote, and decides nothing"
TOO_MANY = f"A card has at most {MAX_KNOWLEDGE} knowledge items"


@dataclass(frozen=True)
class NewKnowledge:
    """The fields of a new knowledge item. Without `origin` it is that of the actor."""

    kind: KnowledgeKind
    text: str
    evidence: str | None = None
    confidence: float | None = None
    state: ReviewState = ReviewState.DRAFT
    origin: Origin | None = None
    position: PositionInput | None = None


async def add_knowledge(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: Annotated[Id, "The card. It has at most 100 knowledge items."],
    kind: Annotated[KnowledgeKind, "Its kind."],
    text: Annotated[str, "Markdown, 1 to 5,000 characters."],
    evidence: Annotated[
        str | None, "Required for a FACT, and for nothing else: where it is seen; at most 5,000 characters."
    ] = None,
    confidence: Annotated[float | None, "0 to 1; default: unknown."] = None,
    state: Annotated[
        ReviewState, "Whether it is accepted. An agent of a run writes drafts only."
    ] = ReviewState.DRAFT,
    position: Position = None,
) -> KnowledgeItem:
    """Add a requirement, a fact or an assumption to a card.

    Raises Conflict if the card has 100 of them.
    """
    new = NewKnowledge(kind, text, evidence, confidence, state, position=position)
    return (await add_knowledge_items(tx, actor, card_id, [new]))[0]


async def add_knowledge_items(
    tx: Transaction, actor: Actor, card_id: str, news: Sequence[NewKnowledge]
) -> list[KnowledgeItem]:
    """Add several knowledge items to a card, in order: all or none."""
    board, card = await lock_card(tx, actor, card_id, for_run=True)
    of_card = select(func.count()).select_from(KnowledgeItem).where(KnowledgeItem.card_id == card.id)
    count = await tx.scalar(of_card) or 0
    items = await _add(tx, actor, board, card.id, news, count, LastRanks(tx, KnowledgeItem))
    await tx.flush()  # the response reads the rows
    return items


async def add_first_knowledge(
    tx: Transaction, actor: Actor, board: Board, card_id: str, news: Sequence[NewKnowledge]
) -> list[KnowledgeItem]:
    """Add knowledge to a new card of a board that the caller holds, without a statement."""
    return await _add(tx, actor, board, card_id, news, 0, LastRanks(tx, KnowledgeItem, new=True))


async def _add(
    tx: Transaction,
    actor: Actor,
    board: Board,
    card_id: str,
    news: Sequence[NewKnowledge],
    count: int,
    ends: LastRanks,
) -> list[KnowledgeItem]:
    if count + len(news) > MAX_KNOWLEDGE:
        raise Conflict(TOO_MANY, card_id)
    lane = KnowledgeItem.card_id == card_id
    items = []
    for index, new in enumerate(news):
        if actor.run_id is not None and new.state is not ReviewState.DRAFT:
            raise Forbidden(AGENTS_DRAFT)
        clean = _validate(
            {
                "kind": new.kind,
                "text": new.text,
                "evidence": new.evidence,
                "confidence": new.confidence,
                "state": new.state,
            }
        )
        _check_evidence(clean["kind"], clean["evidence"])
        if new.position is not None:
            ends.forget()
            rank = await rank_for(tx, KnowledgeItem, lane, None, new.position)
        else:
            rank = await ends.next(card_id, lambda: lane, len(news) - index)
        item = KnowledgeItem(
            id=new_id("knowledge"),
            board_id=board.id,
            card_id=card_id,
            origin=new.origin or (Origin.HUMAN if actor.is_person else Origin.AGENT),
            run_id=actor.run_id,
            rank=rank,
            version=1,
            **clean,
        )
        tx.add(item)
        tx.emit(board, KnowledgeAdded(**_facts(item)))
        items.append(item)
    return items


async def update_knowledge(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The knowledge item."],
    kind: Annotated[Maybe[KnowledgeKind], "Its kind. A FACT needs evidence; the others have none."] = None,
    text: Annotated[Maybe[str], "Markdown, 1 to 5,000 characters."] = None,
    evidence: Annotated[Maybe[str | None], "Where a FACT is seen; null clears it."] = None,
    confidence: Annotated[Maybe[float | None], "0 to 1; null: unknown."] = None,
    state: Annotated[Maybe[ReviewState], "Whether it is accepted."] = None,
    if_version: IfVersion = None,
) -> KnowledgeItem:
    """Change, approve or reject a knowledge item. Fields that are left out keep their values. Raises Stale."""
    board, item = await lock_knowledge(tx, actor, id)
    clean = _validate(
        provided_fields(kind=kind, text=text, evidence=evidence, confidence=confidence, state=state)
    )
    _check_agent(actor, item, decides="state" in clean)
    item.expect(if_version)
    _check_evidence(clean.get("kind", item.kind), clean.get("evidence", item.evidence))
    changes = apply_changes(item, clean)
    if changes:
        tx.emit(board, KnowledgeUpdated(**_facts(item), changes=changes))
    return item


async def move_knowledge(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The knowledge item."],
    position: Position = None,
) -> KnowledgeItem:
    """Move a knowledge item among those of its card. Raises Invalid if the neighbor is not on the card."""
    board, item = await lock_knowledge(tx, actor, id)
    _check_agent(actor, item)
    lane = KnowledgeItem.card_id == item.card_id
    item.rank = await rank_for(tx, KnowledgeItem, lane, item.id, position)
    item.version += 1
    tx.emit(board, KnowledgeMoved(**_facts(item)))
    await tx.flush()
    return item


async def delete_knowledge(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The knowledge item."], if_version: IfVersion = None
) -> KnowledgeItem:
    """Delete a knowledge item. Returns it as it was. Raises Stale."""
    board, item = await lock_knowledge(tx, actor, id)
    _check_agent(actor, item)
    item.expect(if_version)
    await tx.delete(item)
    tx.emit(board, KnowledgeDeleted(**_facts(item)))
    await tx.flush()
    return item


def _check_agent(actor: Actor, item: KnowledgeItem, *, decides: bool = False) -> None:
    """Raise Forbidden if an agent would change what people wrote or decided, or decide itself."""
    is_own = item.origin is Origin.AGENT and item.state is ReviewState.DRAFT
    if actor.run_id is not None and (decides or not is_own):
        raise Forbidden(AGENTS_DRAFT)


def _validate(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a knowledge item, normalized. Raises Invalid."""
    clean = dict(values)
    if "text" in clean:
        clean["text"] = validation.multiline("text", clean["text"], MAX_KNOWLEDGE_LENGTH, least=1)
    if "evidence" in clean:
        clean["evidence"] = validation.multiline("evidence", clean["evidence"], MAX_KNOWLEDGE_LENGTH) or None
    if clean.get("confidence") is not None and not 0 <= clean["confidence"] <= 1:
        raise Invalid(("confidence", f"must be 0 to 1, not {clean['confidence']}"))
    for name in ("kind", "state"):
        if name in clean:
            validation.required(name, clean[name])
    return clean


def _check_evidence(kind: KnowledgeKind, evidence: str | None) -> None:
    if kind is KnowledgeKind.FACT and evidence is None:
        raise Invalid(("evidence", "is required for a FACT"))
    if kind is not KnowledgeKind.FACT and evidence is not None:
        raise Invalid(("evidence", f"must not be given for {kind}"))


def _facts(item: KnowledgeItem) -> Any:
    """Return the fields that all events of a knowledge item share."""
    return {
        "card_id": item.card_id,
        "knowledge_id": item.id,
        "knowledge_kind": item.kind,
        "title": title_of(item.text),
        "rank": item.rank,
    }
