"""The entries of an audit log."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry import ID

from kit.graphql.types import Node
from models.events import type_name_of
from resolvers import audit
from resolvers.workspace import USER
from schema.account import User
from schema.actor import Actor, Change, actor_of_event, changes
from schema.fields import query_field, relation_field


def _subject_id(root: Any) -> ID | None:
    return ID(root.subject) if root.subject else None


def _type(root: Any) -> str:
    return type_name_of(root.kind)


def _name(root: Any) -> str | None:
    name: str | None = root.data.get("called") or root.data.get("name") or root.data.get("title")
    return name


@strawberry.type(description="A change in a workspace. Entries are never changed.")
class AuditEntry:
    at: datetime = strawberry.field(description="The time of the change.")
    type: str = strawberry.field(resolver=_type, description="The name of the event's type: `CardMoved`.")
    actor: Actor = strawberry.field(resolver=actor_of_event, description="The author of the change.")
    user: User | None = relation_field(
        USER, "actor_id", text="The author; null unless it is a person you may still see."
    )
    subject_id: ID | None = strawberry.field(
        resolver=_subject_id, description="The id of the changed object; null if unknown."
    )
    subject: Node | None = query_field(audit.subject)
    name: str | None = strawberry.field(
        resolver=_name, description="The subject's name at that time, if known; of a member, the username."
    )
    changes: list[Change] = changes()
    request_id: str | None = strawberry.field(
        description="The X-Request-Id of the request that made the change; null if no request did."
    )
    correlation_id: ID | None = strawberry.field(
        description="Shared by the entries of one bulk change; else null."
    )
