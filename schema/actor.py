"""What clients hear about whoever did something, and what it changed."""

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
    """Who did it."""

    kind: Annotated[ActorKind, "What it is."]
    id: Annotated[ID | None, "Which user or key; null for the system."]
    name: str = query_field(actors.name_of_actor)
    user: User | None = query_field(actors.user_of_actor)


def actor_of(kind: str, id: str | None) -> Actor:
    return Actor(kind=ActorKind(kind), id=None if id is None else ID(id))


def actor_named(id: str | None) -> Actor | None:
    """Who is named by an id alone; null where nobody is."""
    return (
        None if id is None else actor_of(ActorKind.USER if prefix_of(id) == "user" else ActorKind.AGENT, id)
    )


def actor_of_event(root: Any) -> Actor:
    return actor_of(root.actor_kind, root.actor_id)


def correlation_id_of(root: Any) -> ID | None:
    return None if root.batch is None else ID(root.batch)


@object_type
class Change:
    """One field that was changed."""

    field: Annotated[str, "Its name, as the schema spells it."]
    before: Annotated[str | None, "What it was, as text."]
    after: Annotated[str | None, "What it is, as text."]


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
        description="What was changed, field by field.",
        directives=[list_size(3, slicing=())],
    )
