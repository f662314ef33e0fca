"""Descriptions that stand beside what they describe: `title: Annotated[str, "One line."]`."""

import enum as enums
import inspect
import typing
from typing import Annotated, Any, TypeVar

import strawberry
from strawberry.types.field import StrawberryField

T = TypeVar("T", bound=type)


def split(annotation: Any) -> tuple[Any, str | None]:
    """Take the description out of `Annotated[type, "description"]`."""
    if typing.get_origin(annotation) is not Annotated:
        return annotation, None
    texts = [m for m in annotation.__metadata__ if isinstance(m, str)]
    rest = tuple(m for m in annotation.__metadata__ if not isinstance(m, str))
    bare = annotation.__origin__
    return (Annotated[(bare, *rest)] if rest else bare), (texts[-1] if texts else None)


def describe(cls: type) -> None:
    """Give each annotated attribute of a class its description."""
    for name, annotation in list(cls.__annotations__.items()):
        cls.__annotations__[name], text = split(annotation)
        field = cls.__dict__.get(name)
        if isinstance(field, StrawberryField):
            field.description = field.description or text
        elif text:
            default: Any = {"default": field} if name in cls.__dict__ else {}
            setattr(cls, name, strawberry.field(description=text, **default))


@typing.dataclass_transform(kw_only_default=True)
def said(cls: T) -> T:
    """Make a plain GraphQL type: its values are instances of it."""
    describe(cls)
    made: T = strawberry.type(cls, description=inspect.getdoc(cls))
    return made


@typing.dataclass_transform(kw_only_default=True)
def takes(cls: T) -> T:
    """Make a described GraphQL input."""
    describe(cls)
    made: T = strawberry.input(cls, description=inspect.getdoc(cls))
    return made


def enum(cls: type[enums.Enum], description: str, *, name: str | None = None, **values: str) -> None:
    """Make a GraphQL enum of a Python one, by its own name or by `name`; every member is described."""
    assert set(values) == {member.name for member in cls}, f"describe every member of {cls}"
    made: Any = strawberry.enum(cls, name=name, description=description)
    for value in made.__strawberry_definition__.values:
        value.description = values[value.name]


@strawberry.interface(description="Anything that is stored, found again by its id.")
class Node:
    id: strawberry.ID = strawberry.field(
        description="Typed, sortable, globally unique: a prefix that names the type, then 26 characters."
    )
