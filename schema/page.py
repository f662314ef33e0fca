"""Relay connections."""

from typing import Annotated, Generic, TypeVar

import strawberry

from resolvers.page import Page
from runtime.transport.describe import said

T = TypeVar("T")


@said
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: Annotated[bool, "Whether there is more behind this page."]
    has_previous_page: Annotated[bool, "Whether there is more before it."]
    start_cursor: Annotated[
        str | None, "Cursor of the first node; pass it as `before` to read what lies before."
    ]
    end_cursor: Annotated[str | None, "Cursor of the last node; pass it as `after` to read on."]


@strawberry.type(description="A node with its place in the list.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Opaque; good for the same field with the same order.")
    node: T = strawberry.field(description="What stands there.")


@strawberry.type(description="A page of a list, by cursors that stay true while the list changes.")
class Connection(Generic[T]):
    @strawberry.field(description="What is on the page.")
    def nodes(self: strawberry.Parent[Page]) -> list[T]:
        return list(self.rows)

    @strawberry.field(description="What is on the page, each with its cursor.")
    def edges(self: strawberry.Parent[Page]) -> list[Edge[T]]:
        return [Edge(cursor=self.cursor(row), node=row) for row in self.rows]

    @strawberry.field(description="Where the page stands.")
    def page_info(self: strawberry.Parent[Page]) -> PageInfo:
        rows = self.rows
        return PageInfo(
            has_next_page=self.has_next,
            has_previous_page=self.has_previous,
            start_cursor=self.cursor(rows[0]) if rows else None,
            end_cursor=self.cursor(rows[-1]) if rows else None,
        )

    @strawberry.field(description="How many there are in all; counted only when asked for.")
    async def total_count(self: strawberry.Parent[Page]) -> int:
        count: int = await self.count()
        return count
