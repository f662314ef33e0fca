"""`mutation @dryRun`: the answer and the events that an operation would have, with nothing written.

The operation is one transaction that is rolled back after its answer was read.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

from graphql import (
    DirectiveLocation,
    GraphQLDirective,
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
)
from graphql.pyutils import snake_to_camel
from strawberry.extensions import SchemaExtension

from kit.db.transaction import PendingEvent, Transaction
from models.events import type_name_of
from models.topic import is_user_topic
from resolvers.context import Context

NAME = "dryRun"


DIRECTIVE = GraphQLDirective(
    NAME,
    [DirectiveLocation.MUTATION],
    description="Execute the operation and undo it. The answer is what it would be; `extensions.dryRun.events`"
    " lists the events that boards, workspaces and runs would have. Nothing is written, nobody is notified, and"
    " an idempotency key stays unused.",
)


class _Rollback(Exception):
    """Ends the transaction of a dry run."""


class DryRun(SchemaExtension):
    """Executes operations with `@dryRun` in a transaction that it rolls back."""

    recorded: list[PendingEvent] | None = None

    async def on_execute(self) -> AsyncIterator[None]:
        if not self._is_wanted():
            yield
            return
        context: Context = self.execution_context.context
        self.recorded = context.recorded = []
        try:
            async with AsyncExitStack() as stack:

                async def begin() -> Transaction:
                    return await stack.enter_async_context(context.services.event_log.transaction(context.by))

                context.opens = begin
                yield
                raise _Rollback
        except _Rollback:
            pass
        finally:
            context.opens = context.tx = None

    def _is_wanted(self) -> bool:
        document, name = self.execution_context.graphql_document, self.execution_context.operation_name
        for node in document.definitions if document else ():
            if isinstance(node, OperationDefinitionNode) and (
                name is None or (node.name and node.name.value == name)
            ):
                directives = {directive.name.value for directive in node.directives or ()}
                return node.operation is OperationType.MUTATION and NAME in directives
        return False

    def get_results(self) -> dict[str, Any]:
        if self.recorded is None:
            return {}
        return {NAME: {"events": [self._shown(event) for event in self.recorded if _is_shown(event)]}}

    def _shown(self, event: PendingEvent) -> dict[str, Any]:
        """Return the fields that the event's GraphQL type has, apart from those that are read from rows."""
        name = type_name_of(event.kind)
        type_ = self.execution_context.schema._schema.type_map[name]
        assert isinstance(type_, GraphQLObjectType), "an event is an object"
        data = {snake_to_camel(key, upper=False): value for key, value in event.data.items()}
        return {"__typename": name, **{key: data[key] for key in type_.fields if key in data}}


def _is_shown(event: PendingEvent) -> bool:
    """Whether it is no copy in another topic, and no other person's."""
    return event.subject is not None and not is_user_topic(event.topic)
