"""The author of a change, and the changed fields."""

from typing import Annotated, Any

import strawberry
from strawberry import ID

from kit.graphql.limits.list_size import list_size
from kit.graphql.types import object_type
from kit.ids import prefix_of
from models.actor import ActorKind
from resolvers import actor as actors
from schema.account import User
from schema.fields import query_field


@object_type
class Actor:
    """The author of a change."""

    kind: Annotated[ActorKind, "A person, an agent, a worker or the system."]
    actor_id: Annotated[ID | None, "The id of the user, the key or the run; null for the system."]
    name: str = query_field(actors.name_of_actor)
    user: User | None = query_field(actors.user_of_actor)


def actor_of(kind: str, id: str | None) -> Actor:
    return Actor(kind=ActorKind(kind), actor_id=None if id is None else ID(id))


def actor_named(id: str | None) -> Actor | None:
    """Return the actor with this id; None for None."""
    return (
        None if id is None else actor_of(ActorKind.USER if prefix_of(id) == "user" else ActorKind.AGENT, id)
    )


def actor_of_event(root: Any) -> Actor:
    return actor_of(root.actor_kind, root.actor_id)


@object_type
class Change:
    """A changed field."""

    field: Annotated[str, "Its name, as in the schema."]
    before: Annotated[str | None, "Its value before, as text."]
    after: Annotated[str | None, "Its value after, as text."]


def change_of(name: str, before: Any, after: Any) -> Change:
    return Change(field=_camel(name), before=_text(before), after=_text(after))


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _text(value: Any) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _changes(root: Any) -> list[Change]:
    return [change_of(name, *pair) for name, pair in root.data.get("changes", {}).items()]


def changes() -> Any:
    return strawberry.field(
        resolver=_changes,
        description="Changed fields with their values before and after.",
        directives=[list_size(3, slicing=())],
    )
