"""Decorators and functions that build GraphQL types and fields over rows and resolvers without copying.

`node_type` and `result_type` make types; `query_field`, `mutation`, `subscription`, `relation_field` and
`payload_field` make fields. The docstring of a resolver or an action is the description of its field.
"""

import functools
import inspect
import operator
import typing
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, Any, TypeVar

import strawberry
from strawberry.field_extensions import InputMutationExtension
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case as camel

from auth.permissions import Access
from kit.graphql.arguments import parameters_of
from kit.graphql.broadcast.broadcast import unwrap_deliveries
from kit.graphql.limits.list_size import list_size
from kit.graphql.operation import current_operation
from kit.graphql.types import apply_descriptions, install_fast_reader, split_description
from kit.ids import prefix_of
from models.refusal import Invalid
from resolvers.loaders import Relation, relation_resolver
from schema.refusal import EVERY_WRITE

T = TypeVar("T", bound=type)


def node_type(prefix: str) -> Callable[[T], T]:
    """Return a decorator that makes a GraphQL type over rows whose ids have the prefix."""

    def wrap(cls: T) -> T:
        apply_descriptions(cls)
        cls.is_type_of = classmethod(  # type: ignore[attr-defined]
            lambda cls, value, info: _prefix(value) == prefix
        )
        made: T = strawberry.type(cls, description=inspect.getdoc(cls))
        TYPES[prefix] = made
        return made

    return wrap


def result_type(of: type) -> Callable[[T], T]:
    """Return a decorator that makes a GraphQL type, no node, over instances of the class `of`."""

    def wrap(cls: T) -> T:
        apply_descriptions(cls)
        cls.is_type_of = classmethod(  # type: ignore[attr-defined]
            lambda cls, value, info: isinstance(value, of)
        )
        made: T = strawberry.type(cls, description=inspect.getdoc(cls))
        return made

    return wrap


TYPES: dict[str, type] = {}  # node types by the prefix of their ids


def _prefix(value: Any) -> str | None:
    id = getattr(value, "id", None)
    return prefix_of(id) if isinstance(id, str) else None


def _described(resolver: Callable[..., Any]) -> Callable[..., Any]:
    """Convert the descriptions of a resolver's parameters to Strawberry's form."""
    for name, annotation in list(resolver.__annotations__.items()):
        bare, text = split_description(annotation)
        if text:
            resolver.__annotations__[name] = Annotated[bare, strawberry.argument(description=text)]
    if hasattr(resolver, "__signature__"):
        signature = resolver.__signature__
        described = [
            parameter.replace(annotation=resolver.__annotations__[parameter.name])
            for parameter in signature.parameters.values()
        ]
        resolver.__signature__ = signature.replace(parameters=described)
    return resolver


def query_field(resolver: Callable[..., Any], **options: Any) -> Any:
    """Make a field that `resolver` resolves and its docstring describes."""
    field = strawberry.field(resolver=_described(resolver), description=inspect.getdoc(resolver), **options)
    for name in ("together", "viewer_independent"):
        if hasattr(resolver, name):
            field.metadata = {**field.metadata, name: getattr(resolver, name)}
    return field


def subscription(resolver: Callable[..., Any]) -> Any:
    """Make a subscription of a resolver that yields deliveries, or rows.

    A client of SSE that reconnects with Last-Event-ID resumes there: it replaces the argument `after`.
    """
    can_resume = "after" in inspect.signature(resolver).parameters

    @functools.wraps(resolver)
    async def resolve(*args: Any, **given: Any) -> AsyncGenerator[Any, None]:
        resumed_at = current_operation().last_event_id
        if can_resume and resumed_at:
            given["after"] = resumed_at
        async with aclosing(unwrap_deliveries(resolver(*args, **given))) as items:
            async for item in items:
                yield item

    return strawberry.subscription(resolver=_described(resolve), description=inspect.getdoc(resolver))


class SingleInputExtension(InputMutationExtension):
    """Collects a resolver's parameters into one described argument `input`."""

    def apply(self, field: StrawberryField) -> None:
        super().apply(field)
        [argument] = field.arguments
        argument.description = "The input."
        definition = typing.cast(Any, argument.type_annotation).raw_annotation.__strawberry_definition__
        definition.description = f"Input of `{camel(field.python_name)}`."
        install_fast_reader(
            definition, lambda names: Invalid(*((name, "cannot be cleared") for name in names))
        )

    def map_arguments(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        # A field of the input that is left out arrives as UNSET, which is no Some and no None.
        given = super().map_arguments(kwargs)
        return {name: None if value is strawberry.UNSET else value for name, value in given.items()}


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="The required access. Other callers get Forbidden, or NotFound if they may not see the object.",
)
class Requires:
    role: Access


def _resolver_of(action: Callable[..., Any]) -> Callable[..., Any]:
    """Make the resolver of an action: it opens the transaction and passes the client's input."""
    parameters = parameters_of(action)
    needs_services = "services" in inspect.signature(action).parameters

    async def resolve(info: Any, **given: Any) -> Any:
        actor = info.context.actor
        if needs_services:
            given["services"] = info.context.services
        async with info.context.transaction() as tx:
            return await action(tx, actor, **given)

    functools.update_wrapper(resolve, action)
    del resolve.__wrapped__  # type: ignore[attr-defined]
    info = inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=strawberry.Info)
    resolve.__signature__ = inspect.Signature([info, *parameters], return_annotation=Any)  # type: ignore[attr-defined]
    annotations = {parameter.name: parameter.annotation for parameter in parameters}
    resolve.__annotations__ = {"info": strawberry.Info, **annotations, "return": Any}
    return resolve


def mutation(action: Callable[..., Any], *outcomes: Any, requires: Access, **options: Any) -> Any:
    """Make a mutation of an action: its parameters are the `input`, its docstring the description.

    An action takes `tx` and `actor` first, then `services` if it needs them. A resolver, which takes `info` first,
    is used as it is: it does more than open a transaction. The result is a union of `outcomes` and the refusals
    that every write knows. `requires` is the access that it needs; the schema prints it, and the
    action's locks enforce it.
    """
    resolver = _resolver_of(action) if "tx" in inspect.signature(action).parameters else action
    directives = [Requires(role=requires), *options.pop("directives", ())]
    name = "".join(word.capitalize() for word in resolver.__name__.split("_")) + "Result"
    members = dict.fromkeys((*outcomes, *EVERY_WRITE))
    text = f"Result of `{camel(resolver.__name__)}`: the changed object, or a refusal."
    return strawberry.mutation(
        resolver=_described(resolver),
        description=inspect.getdoc(resolver),
        graphql_type=Annotated[
            functools.reduce(operator.or_, members), strawberry.union(name, description=text)
        ],
        extensions=[SingleInputExtension()],
        directives=directives,
        **options,
    )


def relation_field(to: Relation, by: str = "id", *, text: str, size: int | None = None) -> Any:
    """Make a field that a loader resolves: the rows of `to` whose key is this row's attribute `by`.

    The relation is data, so an executor can load it once for a whole list. `size` is the usual length of the list.
    """

    async def resolve(root: Any, info: strawberry.Info) -> Any:
        key = getattr(root, by)
        return None if key is None else await info.context.load(to, key)

    directives = [list_size(size, slicing=())] if size else []
    field = strawberry.field(resolver=resolve, description=text, directives=directives)
    field.metadata = {
        "link": to,
        "by": by,
        "together": relation_resolver(to, by),
        "viewer_independent": to.viewer_independent,
    }
    return field


def payload_field(key: str, text: str) -> Any:
    """Make a field that reads `key` of an event's data."""

    def resolve(root: Any) -> Any:
        return root.data.get(key)

    return strawberry.field(resolver=resolve, description=text)
