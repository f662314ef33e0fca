"""Each operation has a fresh context, and each event of a subscription a fresh snapshot."""

from collections.abc import AsyncIterator

from strawberry.extensions import SchemaExtension
from strawberry.types.execution import StreamExecutionResult

from resolvers.context import OperationContext


class SnapshotPerOperation(SchemaExtension):
    """Discard loaded rows after each operation and event: the context of a socket lives longer."""

    async def on_operation(self) -> AsyncIterator[None]:
        given: OperationContext = self.execution_context.context
        context = self.execution_context.context = OperationContext(given.services, given.caller)
        try:
            yield
        finally:
            await context.refresh()

    async def on_stream_result(self, result: StreamExecutionResult) -> AsyncIterator[None]:
        if not self.execution_context.context.is_held:
            await self.execution_context.context.refresh()
        yield
