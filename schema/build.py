"""Putting the words together into the one schema of a process."""

from datetime import datetime
from functools import cache
from typing import Any

from graphql import build_schema, lexicographic_sort_schema, print_schema
from strawberry.schema.config import StrawberryConfig

import schema
from kit.db.database import Unavailable
from kit.eventlog.event_log import CursorExpired, CursorUnknown
from kit.graphql.executor import ListExecutor
from kit.graphql.limits.guard import RequestPolicy
from kit.graphql.limits.rate import TokenBucket
from kit.graphql.schema import Schema
from models.refusal import Refusal, Unauthenticated
from resolvers.context import OperationContext
from resolvers.idempotency import IdempotencyExtension
from resolvers.snapshot import SnapshotPerOperation
from schema.events import EVENTS
from schema.fields import TYPES
from schema.refusal import REFUSALS
from schema.run_log import ITEMS
from schema.timeline import ENTRIES


def explain(error: Exception) -> tuple[str, dict[str, Any]] | None:
    """The code and extensions of an error that is meant for the client; None for any other."""
    if isinstance(error, Unauthenticated):
        return error.code, {"reason": error.reason}
    if isinstance(error, CursorExpired):
        return error.code, {"cursor": error.cursor, "oldest": error.oldest}
    if isinstance(error, CursorUnknown):
        return error.code, {"cursor": error.cursor}
    if isinstance(error, Unavailable):
        return error.code, {"retryable": True}
    return (error.code, {}) if isinstance(error, Refusal) else None


def make_schema(
    *, bucket: TokenBucket | None = None, origins: TokenBucket | None = None, introspection: bool = True
) -> Schema:
    """The schema of this process, and whom it charges. The documents it has read are the process's too."""
    made = _built()
    policy = RequestPolicy(
        made.policy.documents,
        bucket=bucket,
        principal=_principal,
        origins=origins,
        origin=_origin,
        explain=explain,
        introspection=introspection,
    )
    return made.under(policy)


def _principal(context: OperationContext) -> str:
    return context.caller.principal


def _origin(context: OperationContext) -> str | None:
    return context.caller.origin


@cache
def _built() -> Schema:
    return Schema(
        schema.Query,
        policy=RequestPolicy(),
        mutation=schema.Mutation,
        subscription=schema.Subscription,
        types=[*EVENTS, *ITEMS, *ENTRIES, *TYPES.values()],
        extensions=[SnapshotPerOperation, IdempotencyExtension],
        exception_handlers=REFUSALS,
        execution_context_class=ListExecutor,
        config=StrawberryConfig(scalar_map={datetime: schema.DateTime}),
    )


def print_sorted(made: Schema) -> str:
    """The schema as it is committed: sorted, so that a diff shows what changed."""
    built = build_schema(made.as_str())
    for directive in built.directives:
        # strawberry keeps no description of a directive's arguments
        for name, argument in directive.args.items():
            argument.description = argument.description or ARGUMENTS[name]
    return print_schema(lexicographic_sort_schema(built)) + "\n"


ARGUMENTS = {
    "assumedSize": "Items when no slicing argument is given.",
    "slicingArguments": "Arguments that bound the list.",
    "sizedFields": "Fields of the answered connection that hold the items.",
    "maximum": "The most a slicing argument may ask for.",
    "within": "All lists of this field inside one object of this type share one size.",
    "weight": "Points of one answer.",
    "role": "The least that a caller must be.",
}
