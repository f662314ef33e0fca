"""Messages on cards: the type and its mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.message
from auth.permissions import Access
from kit.graphql.types import Node
from models.message import Message as MessageRow
from models.message import MessageKind
from resolvers.card import CARD
from resolvers.file import FILES_OF_MESSAGE
from schema.actor import Actor, actor_of
from schema.fields import mutation, node_type, relation_field
from schema.file import File
from schema.refusal import Conflict, Stale

TEXT = "Markdown, at most 10,000 characters; empty if deleted. An imported message starts with its author's name."
CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]


def _author(root: MessageRow) -> Actor:
    return actor_of(root.author_kind, root.author_id)


@node_type("message")
class Message(Node):
    """A message on a card."""

    card_id: Annotated[ID, "The card."]
    kind: Annotated[MessageKind, "Its purpose."]
    body: Annotated[str, TEXT]
    edited_at: Annotated[datetime | None, "Time of the last edit; null if it was never edited."]
    deleted_at: Annotated[datetime | None, "Time of deletion; null if it is not deleted."]
    version: Annotated[int, "Increases by one with each change."]
    created_at: Annotated[datetime, "Time of posting."]
    author: Actor = strawberry.field(resolver=_author, description="The author.")
    files: list[File] = relation_field(FILES_OF_MESSAGE, text="Its files, oldest first.", size=1)
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")


@strawberry.type
class MessageMutation:
    post_message = mutation(actions.message.post_message, Message, requires=Access.BOARD)
    edit_message = mutation(actions.message.edit_message, Message, Stale, Conflict, requires=Access.AUTHOR)
    delete_message = mutation(actions.message.delete_message, Message, Stale, requires=Access.ADMIN)
