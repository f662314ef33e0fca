"""What clients may say and hear about messages."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

from auth.permissions import Access
from kit.graphql.types import Node
from models.message import MessageKind
from resolvers import message as messages
from resolvers.card import CARD
from schema.actor import Actor, actor_of
from schema.fields import mutation, node_type, relation_field
from schema.refusal import Conflict, Stale

TEXT = (
    "Markdown: 1 to 10,000 characters, behind the name of a stranger whose comment was imported; empty once it is"
    " deleted."
)
CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]


def _author(root: Any) -> Actor:
    return actor_of(root.author_kind, root.author_id)


@node_type("message")
class Message(Node):
    """Something that was said on a card."""

    card_id: Annotated[ID, "On which card."]
    kind: Annotated[MessageKind, "What it is for."]
    body: Annotated[str, TEXT]
    edited_at: Annotated[datetime | None, "When it was last edited."]
    deleted_at: Annotated[datetime | None, "When it was deleted."]
    version: Annotated[int, "Grows by one with every change."]
    created_at: Annotated[datetime, "When it was said."]
    author: Actor = strawberry.field(resolver=_author, description="Who said it.")
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")


@strawberry.type
class MessageMutation:
    post_message = mutation(messages.post_message, Message, requires=Access.BOARD)
    edit_message = mutation(messages.edit_message, Message, Stale, Conflict, requires=Access.AUTHOR)
    delete_message = mutation(messages.delete_message, Message, Stale, requires=Access.ADMIN)
