"""What clients may say and hear about links between cards."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

from auth.permissions import Access
from kit.graphql.types import Node
from models.card import LinkKind
from resolvers import link as links
from resolvers.card import CARD
from schema.fields import mutation, node_type, relation_field
from schema.refusal import Conflict

CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]


@node_type("link")
class CardLink(Node):
    """That one card blocks, is related to, or duplicates another of its board."""

    kind: Annotated[LinkKind, "What the card is to the target."]
    card_id: Annotated[ID, "The card."]
    target_id: Annotated[ID, "The other card."]
    created_at: Annotated[datetime, "When it was made."]
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")
    target: CardLater | None = relation_field(CARD, "target_id", text="The other card.")


@strawberry.type
class LinkMutation:
    link_cards = mutation(links.link_cards, CardLink, Conflict, requires=Access.BOARD)
    unlink_cards = mutation(links.unlink_cards, CardLink, requires=Access.BOARD)
