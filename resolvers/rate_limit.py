"""The caller's budget of operations."""

from kit.graphql.limits.rate import RateState
from kit.graphql.operation import rate_state
from resolvers.context import Info


async def rate_limit(info: Info) -> RateState | None:
    """Your budget after this operation; null if there is no limit."""
    return rate_state()
