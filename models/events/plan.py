"""Events of plans."""

from typing import Annotated

from kit.graphql.arguments import Id
from models.events.base import BoardEvent


class PlanEvent(BoardEvent):
    """A plan of a board was proposed or decided."""

    subject_field = "plan_id"

    plan_id: Annotated[Id, "The plan."]
    action_count: Annotated[int, "Number of its actions."]


class PlanProposed(PlanEvent):
    """An agent proposed a plan."""


class PlanApplied(PlanEvent):
    """The actions of a plan were applied, all of them. Their events have the plan's id as `correlationId`."""


class PlanRefused(PlanEvent):
    """A plan was rejected, by a person or because an action of it was refused. Nothing was changed."""

    refused_index: Annotated[int | None, "The refused action; null if a person rejected the plan."]
    reason: Annotated[str | None, "The reason, for people."]
