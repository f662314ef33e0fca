"""Pages of lists, as connections of the Relay specification."""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from kit.graphql.executor.batch_resolver import METADATA_KEY, BatchResolver, Columns
from kit.graphql.types import object_type
from resolvers.pagination import Page

T = TypeVar("T")


@object_type
class PageInfo:
    """The position of a page in its list."""

    has_next_page: Annotated[bool, "Whether items follow this page."]
    has_previous_page: Annotated[bool, "Whether items precede this page."]
    start_cursor: Annotated[str | None, "Cursor of the first node, for `before`; null for an empty page."]
    end_cursor: Annotated[str | None, "Cursor of the last node, for `after`; null for an empty page."]


@strawberry.type(description="A node and its cursor.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Opaque; valid for the same field with the same order.")
    node: T = strawberry.field(description="The node.")


def _nodes(root: strawberry.Parent[Page]) -> Any:
    return root.rows


async def _nodes_of_all(context: Any, pages: Sequence[Page], columns: Columns) -> list[Sequence[Any]]:
    return [page.rows for page in pages]


def _edges(root: strawberry.Parent[Page]) -> Any:
    return [Edge(cursor=root.cursor(row), node=row) for row in root.rows]


def _page_info(root: strawberry.Parent[Page]) -> PageInfo:
    rows = root.rows
    return PageInfo(
        has_next_page=root.has_next,
        has_previous_page=root.has_previous,
        start_cursor=root.cursor(rows[0]) if rows else None,
        end_cursor=root.cursor(rows[-1]) if rows else None,
    )


async def _total_count(root: strawberry.Parent[Page]) -> int:
    count: int = await root.count()
    return count


@strawberry.type(description="A page of a list. Its cursors stay valid while the list changes.")
class Connection(Generic[T]):
    nodes: list[T] = strawberry.field(
        resolver=_nodes,
        description="The nodes of the page.",
        metadata={METADATA_KEY: BatchResolver(_nodes_of_all, sure=True)},
    )
    edges: list[Edge[T]] = strawberry.field(
        resolver=_edges, description="The nodes of the page, each with its cursor."
    )
    page_info: PageInfo = strawberry.field(resolver=_page_info, description="The position of the page.")
    total_count: int = strawberry.field(
        resolver=_total_count, description="Number of all nodes of the list; counted only if selected."
    )
