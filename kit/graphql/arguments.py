"""Types that actions use for their parameters, and that become GraphQL inputs.

    async def rename(tx: Transaction, actor: Actor, *, id: Annotated[Id, "The label."], name: Maybe[str] = None)

`Id` is text in Python and `ID` in GraphQL. `Annotated[X, SomeInput]` is an `X` in Python, a `SomeInput` in GraphQL.
`Maybe` tells an absent value (None) from null (`Some(None)`).
"""

import inspect
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any

from strawberry import ID, Maybe, Some
from strawberry.scalars import JSON
from strawberry.types.base import StrawberryContainer, StrawberryMaybe, StrawberryOptional
from strawberry.utils.str_converters import to_camel_case

__all__ = [
    "JSON",
    "Id",
    "IfVersion",
    "Maybe",
    "Some",
    "graphql_annotation",
    "parameters_of",
    "provided_fields",
]

Id = Annotated[str, ID]
IfVersion = Annotated[int | None, "Refuse with Stale unless this is the current version."]


def provided_fields(**fields: Any) -> dict[str, Any]:
    """Return the fields of a patch that were sent: absent keeps, null clears."""
    return {name: some.value for name, some in fields.items() if isinstance(some, Some)}


def graphql_annotation(annotation: Any) -> Any:
    """Replace every type that is annotated with a GraphQL type by that type."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        names = [item for item in annotation.__metadata__ if _is_graphql_type(item)]
        rest = tuple(item for item in annotation.__metadata__ if item not in names)
        bare = names[0] if names else graphql_annotation(annotation.__origin__)
        return Annotated[(bare, *rest)] if rest else bare
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(graphql_annotation(argument) for argument in arguments)]  # noqa: UP007
    if origin is not None and arguments:
        return origin[tuple(graphql_annotation(argument) for argument in arguments)]
    return annotation


def _is_graphql_type(item: Any) -> bool:
    return item is ID or hasattr(item, "__strawberry_definition__")


def parameters_of(action: Callable[..., Any]) -> list[inspect.Parameter]:
    """List the parameters of an action that a client gives, with their GraphQL types.

    All but `tx`, `actor` and `services`.

    `**changes: Unpack[Changes]` stands for the optional fields of the TypedDict `Changes`.
    """
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(action).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            [fields] = typing.get_args(parameter.annotation)
            for name, annotation in typing.get_type_hints(fields, include_extras=True).items():
                field = inspect.Parameter(name, parameter.KEYWORD_ONLY, default=None, annotation=annotation)
                parameters.append(field)
        elif parameter.name not in ("tx", "actor", "services"):
            parameters.append(parameter)
    return [
        parameter.replace(annotation=graphql_annotation(parameter.annotation), kind=parameter.KEYWORD_ONLY)
        for parameter in parameters
    ]


def graphql_name(name: str) -> str:
    """Return the name of a field or argument in GraphQL."""
    return to_camel_case(name)


def bare_type(type_: Any) -> Any:
    """Return a type of an input's field without its wrappers: optional, maybe, list."""
    while isinstance(type_, StrawberryContainer):
        type_ = type_.of_type
    return type_


def is_id(type_: Any) -> bool:
    return type_ is ID


def is_never_null(type_: Any) -> bool:
    """Return whether an input's field may be left out, and is not null."""
    return isinstance(type_, StrawberryMaybe) and not isinstance(type_.of_type, StrawberryOptional)
