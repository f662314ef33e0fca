"""Links between cards: the type and its mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.link
from auth.permissions import Access
from kit.graphql.types import Node
from models.card import LinkKind
from resolvers.card import CARD
from schema.fields import mutation, node_type, relation_field
from schema.refusal import Conflict

CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]


@node_type("link")
class CardLink(Node):
    """A link between two cards of a board: one blocks, is related to, or duplicates the other."""

    kind: Annotated[LinkKind, "The relation of the card to the target."]
    card_id: Annotated[ID, "The card."]
    target_id: Annotated[ID, "The target."]
    created_at: Annotated[datetime, "Time of creation."]
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")
    target: CardLater | None = relation_field(CARD, "target_id", text="The target.")


@strawberry.type
class LinkMutation:
    link_cards = mutation(actions.link.link_cards, CardLink, Conflict, requires=Access.BOARD)
    unlink_cards = mutation(actions.link.unlink_cards, CardLink, requires=Access.BOARD)
