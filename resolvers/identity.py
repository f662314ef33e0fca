"""Who asks: from the Authorization of a request or a socket to an actor."""

from models.actor import Actor
from models.refusal import Unauthenticated
from resolvers.context import House


async def identify(house: House, authorization: str | None) -> tuple[Actor | None, Unauthenticated | None]:
    """The actor, or why there is none."""
    if not authorization:
        return house.local_owner, None
    return None, Unauthenticated("INVALID", "The token is not ours")
