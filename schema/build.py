"""Build the GraphQL schema of a process, and print it as it is committed."""

import re
from datetime import datetime
from functools import cache
from typing import Any

from graphql import GraphQLSchema, build_schema, lexicographic_sort_schema, print_ast, print_schema
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
from schema.dry_run import DIRECTIVE, DryRun
from schema.events import EVENTS
from schema.fields import TYPES
from schema.refusal import REFUSALS
from schema.run_log import ITEMS
from schema.timeline import ENTRIES


def explain(error: Exception) -> tuple[str, dict[str, Any]] | None:
    """Return the code and the extensions of an error that clients may see; None for any other error."""
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
    """Return the schema with the budgets that it charges. All schemas of a process share one cache of documents."""
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
    built = Schema(
        schema.Query,
        policy=RequestPolicy(),
        mutation=schema.Mutation,
        subscription=schema.Subscription,
        types=[*EVENTS, *ITEMS, *ENTRIES, *TYPES.values()],
        extensions=[SnapshotPerOperation, DryRun, IdempotencyExtension],
        exception_handlers=REFUSALS,
        execution_context_class=ListExecutor,
        config=StrawberryConfig(scalar_map={datetime: schema.DateTime}),
    )
    # Not by the library: with a directive of its own it wraps every resolver.
    built._schema.directives += (DIRECTIVE,)
    return built


def print_sorted(made: Schema) -> str:
    """Print the schema as it is committed: sorted, so that a diff shows the changes only."""
    built = build_schema(made.as_str())
    for directive in built.directives:
        # strawberry keeps no description of a directive's arguments
        for name, argument in directive.args.items():
            argument.description = argument.description or ARGUMENTS[name]
    text = _compact(print_schema(lexicographic_sort_schema(built)))
    return _print_access(built, text) + "\n"


def _print_access(built: GraphQLSchema, text: str) -> str:
    """Print `@requires` behind each mutation: graphql-core prints no applied directives."""
    assert built.mutation_type is not None, "the schema has mutations"
    for field in built.mutation_type.fields.values():
        assert field.ast_node is not None, "the schema was built from text"
        for directive in field.ast_node.directives:
            end = f"): {field.type}\n"  # no two mutations have the same type of result
            assert text.count(end) == 1, f"{field.type} is the result of one mutation"
            text = text.replace(end, f"{end.rstrip()} {print_ast(directive)}\n")
    return text


def _compact(sdl: str) -> str:
    """Put a description on one line where it fits, and enum members and arguments without blank lines between."""
    text = LONG_DESCRIPTION.sub(_on_one_line, sdl)
    return GAP_IN_ENUM_OR_ARGUMENTS.sub(lambda block: block[0].replace("\n\n", "\n"), text)


def _on_one_line(block: re.Match[str]) -> str:
    line = f'{block["indent"]}"""{block["text"]}"""\n'
    return line if len(line) <= MAX_LINE_LENGTH + 1 and block["text"][-1] not in '"\\' else block[0]


MAX_LINE_LENGTH = 116
LONG_DESCRIPTION = re.compile(
    r'^(?P<indent> *)"""\n(?P=indent)(?P<text>\S.*)\n(?P=indent)"""\n', re.MULTILINE
)
GAP_IN_ENUM_OR_ARGUMENTS = re.compile(r"^enum .*\{\n(?:.*\n)*?\}\n|^  \w+\(\n(?:.*\n)*?  \)", re.MULTILINE)
ARGUMENTS = {
    "assumedSize": "Number of items if no slicing argument is given.",
    "slicingArguments": "Arguments that bound the list.",
    "sizedFields": "Fields of the returned connection that hold the items.",
    "maximum": "Maximum value of a slicing argument.",
    "within": "All lists of this field inside one object of this type share one size.",
    "weight": "Cost of one call in points.",
    "role": "The required access.",
}
