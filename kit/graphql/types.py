"""Descriptions that stand beside what they describe: `title: Annotated[str, "One line."]`."""

import enum as enums
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import strawberry
from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from kit.graphql.arguments import graphql_annotation

T = TypeVar("T", bound=type)
Convert = TypeVar("Convert", bound=Callable[[Mapping[str, Any]], Any])


def split_description(annotation: Any) -> tuple[Any, str | None]:
    """Take the description out of `Annotated[type, "description"]`."""
    if typing.get_origin(annotation) is not Annotated:
        return annotation, None
    texts = [m for m in annotation.__metadata__ if isinstance(m, str)]
    rest = tuple(m for m in annotation.__metadata__ if not isinstance(m, str))
    bare = annotation.__origin__
    return (Annotated[(bare, *rest)] if rest else bare), (texts[-1] if texts else None)


def apply_descriptions(cls: type) -> None:
    """Give each annotated attribute of a class its description."""
    for name, annotation in list(cls.__annotations__.items()):
        cls.__annotations__[name], text = split_description(annotation)
        field = cls.__dict__.get(name)
        if isinstance(field, StrawberryField):
            field.description = field.description or text
        elif text:
            default: Any = {"default": field} if name in cls.__dict__ else {}
            setattr(cls, name, strawberry.field(description=text, **default))


@typing.dataclass_transform(kw_only_default=True)
def object_type(cls: T) -> T:
    """Make a plain GraphQL type: its values are instances of it."""
    apply_descriptions(cls)
    made: T = strawberry.type(cls, description=inspect.getdoc(cls))
    return made


@typing.dataclass_transform(kw_only_default=True)
def input_type(cls: T) -> T:
    """Make a described GraphQL input. Its fields may be annotated as an action's parameters are."""
    _translate_annotations(cls)
    made: T = strawberry.input(cls, description=inspect.getdoc(cls))
    return made


@typing.dataclass_transform(kw_only_default=True)
def one_of_input(cls: T) -> T:
    """Make a described GraphQL input of which a client sets exactly one field. The others are None."""
    names = list(cls.__annotations__)
    for name in names:
        delattr(cls, name)  # GraphQL allows no default here, not even null
    _translate_annotations(cls)
    made: T = strawberry.input(cls, description=inspect.getdoc(cls), one_of=True)
    set_every_field = made.__init__  # type: ignore[misc]

    def set_one_field(self: Any, **given: Any) -> None:
        set_every_field(self, **dict.fromkeys(names) | given)

    made.__init__ = set_one_field  # type: ignore[misc]
    return made


def _translate_annotations(cls: type) -> None:
    cls.__annotations__ = {name: graphql_annotation(a) for name, a in cls.__annotations__.items()}
    apply_descriptions(cls)


def as_row(cls: type) -> Callable[[Convert], Convert]:
    """Give an input to its resolver as what `convert` makes of its coerced fields, by their GraphQL names.

    For inputs that come in hundreds: an instance of each, made field by field, costs more than all the rest.
    """

    def wrap(convert: Convert) -> Convert:
        definition: Any = cls.__strawberry_definition__  # type: ignore[attr-defined]
        definition.from_input = lambda cls, given, context: convert(given)
        ROWS[cls] = convert
        return convert

    return wrap


ROWS: dict[Any, Callable[[Mapping[str, Any]], Any]] = {}  # how the inputs are made that are given as rows


def install_fast_reader(definition: Any, cannot_be_null: Callable[[list[str]], Exception]) -> None:
    """Read an input without the library, where it has lists of such rows, or fields that may be left out only.

    `cannot_be_null` makes what is raised of the names of such fields that are null.
    """
    lists = {field.name: ROWS[of] for field in definition.fields if (of := _listed(field.type)) in ROWS}
    fields = [(field.name, to_camel_case(field.name), field) for field in definition.fields]
    never = [graphql_name for _, graphql_name, field in fields if _is_never_null(field.type)]
    if not lists and not never:
        return

    def make(cls: type, given: Mapping[str, Any], context: InputContext) -> Any:
        nulls = [
            graphql_name for graphql_name in never if graphql_name in given and given[graphql_name] is None
        ]
        if nulls:
            raise cannot_be_null(nulls)
        made: dict[str, Any] = {}
        for name, graphql_name, field in fields:
            if name in lists and given.get(graphql_name) is not None:
                made[name] = [lists[name](one) for one in given[graphql_name]]
            elif graphql_name in given:
                made[name] = context.convert(
                    given[graphql_name], field.resolve_type(type_definition=definition), graphql_name
                )
        return cls(**made)

    definition.from_input = make


def _is_never_null(type_: Any) -> bool:
    return isinstance(type_, StrawberryMaybe) and not isinstance(type_.of_type, StrawberryOptional)


def _listed(type_: Any) -> Any:
    return type_.of_type if isinstance(type_, StrawberryList) else None


def graphql_enum(cls: type[enums.Enum], *, name: str | None = None) -> None:
    """Make a GraphQL enum, by its own name or by `name`. Its docstring and its members have the descriptions."""
    made: Any = cls
    if not hasattr(cls, "__strawberry_definition__"):  # an input that was made earlier may have made it
        made = strawberry.enum(cls)
    definition = made.__strawberry_definition__
    definition.name, definition.description = name or cls.__name__, inspect.getdoc(cls)
    for value in definition.values:
        value.description = cls[value.name].description  # type: ignore[attr-defined]


@strawberry.interface(description="An object with a globally unique id.")
class Node:
    id: strawberry.ID = strawberry.field(
        description="Globally unique and sortable: a prefix that names the type, then 26 characters."
    )
