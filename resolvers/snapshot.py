"""One operation at a time: each gets a fresh context, each event of a subscription a fresh moment."""

from collections.abc import AsyncIterator

from strawberry.extensions import SchemaExtension
from strawberry.types.execution import StreamExecutionResult

from resolvers.context import OperationContext


class SnapshotPerOperation(SchemaExtension):
    """A socket's context is made once; what an operation loads must not outlive it, nor an event."""

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
