"""What an operation may cost, and what is left."""

from typing import Any

from resolvers.context import Info
from runtime.transport.operation import rate_state


async def rate_limit(info: Info) -> Any:
    """Your budget after this operation. Null where nothing is limited."""
    return rate_state()
