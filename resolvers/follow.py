"""Following a topic: the access of subscribers is checked again with every step."""

from auth.subscriber_access import Who, can_see
from kit.graphql.broadcast.broadcast import AccessByMember, Group
from resolvers.context import Context


async def recheck_access(context: "Context", group: Group, who: Who | None, id: str) -> AccessByMember:
    """Who of a group may be told what is read at this moment, and whether it may be read as its founder."""
    actors = {context.actor, *group.people}
    if who is None:
        return dict.fromkeys(actors, True)
    people = sorted({actor.id for actor in actors})
    seeing = frozenset(row[0] for row in await context.read(who(id, people)))
    return {actor: can_see(actor, seeing) for actor in actors}
