"""Watches: the type, its query and mutations."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID

import actions.watch
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.watch import MAX_WATCHES, WatchLevel
from resolvers import watch as reads
from resolvers.board import BOARD
from resolvers.card import CARD
from schema.board import Board
from schema.card import Card
from schema.fields import mutation, node_type, query_field, relation_field
from schema.refusal import Conflict


@node_type("watch")
class Watch(Node):
    """A board or a card that you watch or mute."""

    level: Annotated[WatchLevel, "The notifications that you want of it."]
    board_id: Annotated[ID, "The board, also of a card."]
    card_id: Annotated[ID | None, "The card; null if it is about the board."]
    created_at: Annotated[datetime, "Time of creation."]
    board: Board | None = relation_field(BOARD, "board_id", text="The board.")
    card: Card | None = relation_field(CARD, "card_id", text="The card.")


@strawberry.type
class WatchQuery:
    watches: list[Watch] = query_field(reads.watches, directives=[list_size(MAX_WATCHES, slicing=())])


@strawberry.type
class WatchMutation:
    watch = mutation(actions.watch.watch, Watch, Conflict, requires=Access.PERSON)
    unwatch = mutation(actions.watch.unwatch, Watch, requires=Access.PERSON)
