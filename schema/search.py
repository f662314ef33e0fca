"""Search: its query and what it finds."""

from typing import Annotated

import strawberry
from strawberry import ID

import kit.search
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.search import SearchType
from resolvers import search as searches
from resolvers.board import BOARD
from resolvers.card import CARD
from schema.board import Board
from schema.card import Card
from schema.fields import query_field, relation_field, result_type
from schema.page import Connection


@result_type(kit.search.TextPart)
class TextPart:
    """A part of a text. All parts in order are the text."""

    text: Annotated[str, "The part."]
    is_match: Annotated[bool, "True if it is a word that was searched for."]


@result_type(searches.Hit)
class SearchResult:
    """A thing that was found."""

    type: Annotated[SearchType, "Its kind."]
    board_id: Annotated[ID | None, "The board; null if it is on none."]
    card_id: Annotated[ID | None, "The card that it is or belongs to; null if there is none."]
    node: Node | None = query_field(searches.node_of_hit)
    title: list[TextPart] = query_field(
        searches.title_of_hit, directives=[list_size(3, maximum=100, slicing=())]
    )
    excerpt: list[TextPart] = query_field(
        searches.excerpt_of_hit, directives=[list_size(5, maximum=100, slicing=())]
    )
    board: Board | None = relation_field(BOARD, "board_id", text="The board; null if it is on none.")
    card: Card | None = relation_field(
        CARD, "card_id", text="The card that it is or belongs to; null if there is none."
    )


@strawberry.type
class SearchQuery:
    search: Connection[SearchResult] = query_field(searches.search, directives=[list_size(50)])
