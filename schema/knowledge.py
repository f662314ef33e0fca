"""Knowledge of cards: the type and its mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.knowledge
from auth.permissions import Access
from kit.graphql.types import Node
from models.knowledge import KnowledgeKind
from models.review import Origin, ReviewState
from resolvers.card import CARD
from resolvers.run import RUN
from schema.fields import mutation, node_type, relation_field
from schema.refusal import Conflict, Stale

CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]
RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]


@node_type("knowledge")
class KnowledgeItem(Node):
    """A requirement, a fact or an assumption of a card. Acceptance criteria are requirements."""

    card_id: Annotated[ID, "The card."]
    kind: Annotated[KnowledgeKind, "Its kind."]
    text: Annotated[str, "Markdown, 1 to 5,000 characters."]
    state: Annotated[ReviewState, "Whether people accept it."]
    origin: Annotated[Origin, "Its source."]
    evidence: Annotated[str | None, "Where a FACT is seen; null for the others."]
    confidence: Annotated[float | None, "0 to 1; null if unknown."]
    rank: Annotated[
        str, "A fractional index: orders its card's items, compared byte by byte, smallest first."
    ]
    version: Annotated[int, "Increases by one with each change."]
    created_at: Annotated[datetime, "Time of creation."]
    updated_at: Annotated[datetime, "Time of the last change."]
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")
    run: RunLater | None = relation_field(RUN, "run_id", text="The run whose agent wrote it; null: none.")


@strawberry.type
class KnowledgeMutation:
    add_knowledge = mutation(actions.knowledge.add_knowledge, KnowledgeItem, Conflict, requires=Access.BOARD)
    update_knowledge = mutation(
        actions.knowledge.update_knowledge, KnowledgeItem, Stale, requires=Access.BOARD
    )
    move_knowledge = mutation(actions.knowledge.move_knowledge, KnowledgeItem, requires=Access.BOARD)
    delete_knowledge = mutation(
        actions.knowledge.delete_knowledge, KnowledgeItem, Stale, requires=Access.BOARD
    )
