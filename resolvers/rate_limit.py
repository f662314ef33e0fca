"""What an operation may cost, and what is left."""

from typing import Any

from kit.graphql.operation import rate_state
from resolvers.context import Info


async def rate_limit(info: Info) -> Any:
    """Your budget after this operation. Null where nothing is limited."""
    return rate_state()
