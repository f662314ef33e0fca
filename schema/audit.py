"""What clients may read of an audit log."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry import ID

from kit.graphql.types import Node
from models.events import type_name_of
from resolvers import audit
from resolvers.workspace import USER
from schema.account import User
from schema.actor import Actor, Change, actor_of_event, changes, correlation_id_of
from schema.fields import query_field, relation_field


def _subject_id(root: Any) -> ID | None:
    return ID(root.subject) if root.subject else None


def _type(root: Any) -> str:
    return type_name_of(root.kind)


def _name(root: Any) -> str | None:
    name: str | None = root.data.get("called") or root.data.get("name") or root.data.get("title")
    return name


@strawberry.type(description="One thing that was done. Entries are never changed.")
class AuditEntry:
    at: datetime = strawberry.field(description="When it was done.")
    type: str = strawberry.field(resolver=_type, description="The name of the event's type: `CardMoved`.")
    actor: Actor = strawberry.field(resolver=actor_of_event, description="Who did it.")
    user: User | None = relation_field(
        USER, "actor_id", text="Who did it, where it was a person you still see."
    )
    subject_id: ID | None = strawberry.field(resolver=_subject_id, description="What it was done to.")
    subject: Node | None = query_field(audit.subject)
    name: str | None = strawberry.field(
        resolver=_name, description="What that was called then, where it was told; a member by username."
    )
    changes: list[Change] = changes()
    request_id: str | None = strawberry.field(
        description="The request that did it, as in its answer's headers."
    )
    correlation_id: ID | None = strawberry.field(
        resolver=correlation_id_of, description="Shared by the entries of one bulk change."
    )
