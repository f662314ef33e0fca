"""The refusals of a mutation, as members of its union: each is a `Refusal` with a code and a message.

A field of a refusal has the type of a node's field of the same name, so selections of a union need no aliases.
"""

import dataclasses
from typing import Annotated, Any

import strawberry

import models.gate
import models.invitation
import models.readiness
import models.refusal
import models.stage
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import object_type
from models.account import AuthReason
from models.approval import ApprovalKind
from models.gate import GateCode
from models.invitation import InvitationProblem
from models.readiness import Need
from models.stage import MoveGate, Stage


@strawberry.interface(description="A refused operation. Nothing was changed.")
class Refusal:
    code: str = strawberry.field(description="Stable code for programs: NOT_FOUND, FORBIDDEN, INVALID, …")
    message: str = strawberry.field(description="Text for people; its wording may change.")


@object_type
class NotFound(Refusal):
    """The object does not exist, or you may not see it; the response does not distinguish the two."""

    requested_id: Annotated[strawberry.ID, "The requested id."]


@object_type
class Forbidden(Refusal):
    """You may see the object, but not change it this way."""


@object_type
class Issue:
    """One error in an input."""

    path: Annotated[str, "Path of the field in the input: `title`, `cards.3.title`."]
    message: Annotated[str, "Description of the error."]


@object_type
class Invalid(Refusal):
    """The input is invalid."""

    issues: list[Issue] = strawberry.field(
        description="The errors, one for each field.", directives=[list_size(1, slicing=())]
    )


@object_type
class Stale(Refusal):
    """The object was changed since the version given in `ifVersion`."""

    version: Annotated[int, "The current version."]


@object_type
class Conflict(Refusal):
    """The change would violate a uniqueness rule or exceed a limit."""

    conflicting_id: Annotated[
        strawberry.ID | None, "The id of the object it conflicts with; null if there is none."
    ]


@object_type
class LeaseLost(Refusal):
    """The lease has ended: the run ended, was given to another attempt, or was never yours."""

    run_id: Annotated[strawberry.ID, "The run."]
    attempt: Annotated[int, "The attempt of the request."]


@object_type
class Unauthenticated(Refusal):
    """The credential is missing or not valid. Outside of unions: an error with the code UNAUTHENTICATED."""

    reason: Annotated[AuthReason, "The reason why the credential was not accepted."]


@object_type
class InvitationRefused(Refusal):
    """The invitation cannot be accepted."""

    problem: Annotated[InvitationProblem, "The reason."]


@object_type
class MoveReason:
    """One reason why a move is refused."""

    code: Annotated[MoveGate, "The closed gate."]
    message: Annotated[str, "Text for people."]
    card_ids: Annotated[list[strawberry.ID], "For BLOCKED: the blocking cards; else empty."]
    limit: Annotated[int | None, "For WIP_LIMIT: the maximum number of cards in the column; else null."]
    count: Annotated[int | None, "For WIP_LIMIT: the number of cards in the column; else null."]


@object_type
class ReadinessCheck:
    """A need of a card's board, and whether the card meets it."""

    need: Annotated[Need, "The need."]
    met: Annotated[bool, "True if the card meets it."]
    message: Annotated[str, "Text for people."]
    required: Annotated[int, "The number that the board's policy needs; 0: none may be there."]
    count: Annotated[int, "The number that the card has."]


@object_type
class NotReady(Refusal):
    """The card does not meet what its board needs. `card.readiness` has the same checks."""

    card_id: Annotated[strawberry.ID, "The card."]
    needs: list[ReadinessCheck] = strawberry.field(
        description="One check for each need of the board's policy.", directives=[list_size(4, slicing=())]
    )


@object_type
class StageRefused(Refusal):
    """The law of stages does not allow the move, or a gate is closed. Nothing was changed."""

    at: Annotated[Stage, "Current stage of the card."]
    to: Annotated[Stage, "Requested stage."]
    allowed: Annotated[list[Stage], "Stages the card may move to now."]
    reasons: list[MoveReason] = strawberry.field(
        description="All reasons against the move.", directives=[list_size(1, slicing=())]
    )
    refused_card_id: Annotated[
        strawberry.ID | None, "The refused card of an operation on several; else null."
    ]


@object_type
class GateReason:
    """One reason why a gate is closed."""

    code: Annotated[GateCode, "The reason."]
    message: Annotated[str, "Text for people."]
    name: Annotated[str | None, "For a check: its name; else null."]


@object_type
class GateClosed(Refusal):
    """A required check has not passed, or an approval is missing, for the commit that the step is about."""

    step: Annotated[ApprovalKind, "The step."]
    head: Annotated[str, "The commit; may be empty."]
    gate_reasons: list[GateReason] = strawberry.field(
        description="All reasons why the gate is closed.", directives=[list_size(2, slicing=())]
    )


def handler_of(refusal: type[Exception], error: type) -> Any:
    """Make the handler that converts the exception `refusal` to the type `error`; fields are copied by name."""
    names = [field.name for field in dataclasses.fields(error)]

    class Handler(strawberry.ExceptionHandler):  # type: ignore[type-arg]
        exception_type = refusal
        error_type = error

        def handle(self, exception: Exception, *, field: Any, info: Any) -> Any:
            return error(**{name: getattr(exception, name) for name in names})

    return Handler()


EVERY_WRITE = (NotFound, Forbidden, Invalid)  # members of every mutation's union

REFUSALS = [
    handler_of(models.refusal.NotFound, NotFound),
    handler_of(models.refusal.Forbidden, Forbidden),
    handler_of(models.refusal.Invalid, Invalid),
    handler_of(models.refusal.Stale, Stale),
    handler_of(models.refusal.Conflict, Conflict),
    handler_of(models.refusal.Unauthenticated, Unauthenticated),
    handler_of(models.invitation.InvitationRefused, InvitationRefused),
    handler_of(models.stage.StageRefused, StageRefused),
    handler_of(models.refusal.LeaseLost, LeaseLost),
    handler_of(models.readiness.NotReady, NotReady),
    handler_of(models.gate.GateClosed, GateClosed),
]
