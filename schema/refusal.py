"""How refusals look to a client: members of a mutation's union, each a `Refusal` with a code and a message."""

import dataclasses
from typing import Annotated, Any

import strawberry

import models.refusal
import models.stage
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import object_type
from models.account import AuthReason
from models.stage import MoveGate, Stage


@strawberry.interface(description="An answer that says no. Nothing was changed.")
class Refusal:
    code: str = strawberry.field(description="Stable and for programs: NOT_FOUND, FORBIDDEN, INVALID, …")
    message: str = strawberry.field(description="For people; its wording may change.")


@object_type
class NotFound(Refusal):
    """No such thing, or not yours to see: the difference is not told."""

    id: Annotated[strawberry.ID, "The id that was asked for."]


@object_type
class Forbidden(Refusal):
    """You may see it, but not do this to it."""


@object_type
class Issue:
    """What is wrong with one field of an input."""

    path: Annotated[str, "Which field, as a path from the input: `title`, `cards.3.title`."]
    message: Annotated[str, "What is wrong with it."]


@object_type
class Invalid(Refusal):
    """The input cannot be taken."""

    issues: list[Issue] = strawberry.field(
        description="What is wrong, field by field.", directives=[list_size(1, slicing=())]
    )


@object_type
class Stale(Refusal):
    """Somebody changed it since the version you named in `ifVersion`."""

    version: Annotated[int, "The version there is now."]


@object_type
class Conflict(Refusal):
    """It would break what must be unique, or go over a bound."""

    id: Annotated[strawberry.ID | None, "What it collides with, when that can be named."]


@object_type
class LeaseLost(Refusal):
    """That lease is over: the run ended, was given to another attempt, or was never yours. Nothing was changed."""

    run_id: Annotated[strawberry.ID, "Which run."]
    attempt: Annotated[int, "Which attempt you named."]


@object_type
class Unauthenticated(Refusal):
    """You are not who you say, or no longer. Elsewhere than here it is an error with the code UNAUTHENTICATED."""

    reason: Annotated[AuthReason, "What is wrong with what you signed in with."]


@object_type
class MoveReason:
    """One thing that stands against a move."""

    code: Annotated[MoveGate, "Which gate is closed."]
    message: Annotated[str, "For people."]
    card_ids: Annotated[list[strawberry.ID], "The cards that stand in the way, for BLOCKED."]
    limit: Annotated[int | None, "How many cards the column takes, for WIP_LIMIT."]
    count: Annotated[int | None, "How many it has, for WIP_LIMIT."]


@object_type
class StageRefused(Refusal):
    """The law of stages has no such move, or a gate on top of it is closed. Nothing was changed."""

    at: Annotated[Stage, "Where the card stands."]
    to: Annotated[Stage, "Where it should have gone."]
    allowed: Annotated[list[Stage], "Where it may go now."]
    reasons: list[MoveReason] = strawberry.field(
        description="Everything that stands against the move.", directives=[list_size(1, slicing=())]
    )
    card_id: Annotated[strawberry.ID | None, "Which card, when the change was about several."]


def object_field(refusal: type[Exception], error: type) -> Any:
    """Answer `refusal` with `error` in every union that has it; fields are copied by name."""
    names = [field.name for field in dataclasses.fields(error)]

    class Handler(strawberry.ExceptionHandler):  # type: ignore[type-arg]
        exception_type = refusal
        error_type = error

        def handle(self, exception: Exception, *, field: Any, info: Any) -> Any:
            return error(**{name: getattr(exception, name) for name in names})

    return Handler()


# What any write may answer besides its own outcomes.
EVERY_WRITE = (NotFound, Forbidden, Invalid)

REFUSALS = [
    object_field(models.refusal.NotFound, NotFound),
    object_field(models.refusal.Forbidden, Forbidden),
    object_field(models.refusal.Invalid, Invalid),
    object_field(models.refusal.Stale, Stale),
    object_field(models.refusal.Conflict, Conflict),
    object_field(models.refusal.Unauthenticated, Unauthenticated),
    object_field(models.stage.StageRefused, StageRefused),
    object_field(models.refusal.LeaseLost, LeaseLost),
]
