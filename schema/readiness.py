"""The readiness of cards: the checks of the ready gate, and the approval."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.readiness
from kit.graphql.limits.list_size import list_size
from schema.actor import Actor, actor_named
from schema.fields import result_type
from schema.refusal import ReadinessCheck


def _approver(root: resolvers.readiness.Readiness) -> Actor | None:
    return actor_named(root.approved_by)


@result_type(resolvers.readiness.Readiness)
class Readiness:
    """The readiness of a card to be worked on."""

    met: Annotated[bool, "True if all checks are met: the card can be approved."]
    needs: list[ReadinessCheck] = strawberry.field(
        description="One check for each need of the board's policy.", directives=[list_size(4, slicing=())]
    )
    approved_at: Annotated[datetime | None, "Time of its approval; null if it is not approved."]
    approved_by: Actor | None = strawberry.field(
        resolver=_approver, description="The actor who approved it; null if it is not approved."
    )
