"""The actions of a plan: each is a mutation of its own, with its input and a temporary id for what it creates.

The input of an action is made of the mutation's parameters, so a plan can say what the mutation can.
Its board is the plan's. An input is kept as it was sent: ids are replaced in it, then it is converted.
"""

import enum
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from actions import card, group, knowledge, link, planned_file, question, subtask
from kit.graphql.arguments import bare_type, graphql_name, is_id, is_never_null, parameters_of
from kit.graphql.types import input_type, one_of_input
from models.plan import MAX_TEMPORARY_ID_LENGTH, ChangeKind
from models.refusal import Invalid

CREATED, UPDATED, MOVED, DELETED = ChangeKind
PREFIX = "$"  # of a temporary id; no other id begins with it
Convert = Callable[[Any, Any], Any]  # a coerced value to an instance of its type
TempId = Annotated[
    str | None,
    "A name for what is created, by which later actions of the plan name it as an id: `$` and 1 to 49 characters.",
]


@dataclass(frozen=True)
class ActionKind:
    """A kind of action: its function, its effect, and its input."""

    name: str  # of the mutation
    do: Callable[..., Awaitable[Any]]
    change: ChangeKind
    takes_board: bool
    input: Any

    @property
    def fields(self) -> Any:
        return self.input.__strawberry_definition__.fields


@dataclass(frozen=True)
class PlanAction:
    """An action as it was sent: its input by GraphQL names, with enums and dates as Python has them."""

    name: str
    given: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {self.name: _as_json(self.given)}


def _kind_of(do: Callable[..., Awaitable[Any]], change: ChangeKind) -> ActionKind:
    name = graphql_name(do.__name__)
    members: dict[str, Any] = {"__annotations__": {}, "__module__": __name__}
    members["__doc__"] = f"An action of a plan: the input of `{name}`, whose board is the plan's."
    takes_board = False
    for parameter in parameters_of(do):
        if parameter.name == "board_id":
            takes_board = True
            continue
        members["__annotations__"][parameter.name] = parameter.annotation
        if parameter.default is not inspect.Parameter.empty:
            members[parameter.name] = parameter.default
    if change is CREATED:
        members["__annotations__"]["temp_id"] = TempId
        members["temp_id"] = None
    return ActionKind(
        name, do, change, takes_board, input_type(type(f"Plan{name[0].upper()}{name[1:]}Input", (), members))
    )


KINDS = {
    kind.name: kind
    for kind in (
        _kind_of(group.create_group, CREATED),
        _kind_of(group.update_group, UPDATED),
        _kind_of(group.move_group, MOVED),
        _kind_of(group.delete_group, DELETED),
        _kind_of(card.create_card, CREATED),
        _kind_of(card.update_card, UPDATED),
        _kind_of(card.move_card, MOVED),
        _kind_of(card.set_parent_card, UPDATED),
        _kind_of(group.set_card_group, UPDATED),
        _kind_of(card.delete_card, DELETED),
        _kind_of(subtask.add_subtask, CREATED),
        _kind_of(subtask.update_subtask, UPDATED),
        _kind_of(subtask.move_subtask, MOVED),
        _kind_of(subtask.delete_subtask, DELETED),
        _kind_of(knowledge.add_knowledge, CREATED),
        _kind_of(knowledge.update_knowledge, UPDATED),
        _kind_of(knowledge.move_knowledge, MOVED),
        _kind_of(knowledge.delete_knowledge, DELETED),
        _kind_of(planned_file.add_planned_file, CREATED),
        _kind_of(planned_file.update_planned_file, UPDATED),
        _kind_of(planned_file.move_planned_file, MOVED),
        _kind_of(planned_file.delete_planned_file, DELETED),
        _kind_of(link.link_cards, CREATED),
        _kind_of(link.unlink_cards, DELETED),
        _kind_of(question.ask_question, CREATED),
        _kind_of(question.answer_question, UPDATED),
        _kind_of(question.cancel_question, UPDATED),
    )
}


def _one_of() -> Any:
    """Make the input of one action: a client sets the field of its kind."""
    members: dict[str, Any] = {"__annotations__": {}, "__module__": __name__}
    members["__doc__"] = "An action of a plan: exactly one kind, with the input of its mutation."
    for kind in KINDS.values():
        members["__annotations__"][kind.do.__name__] = Annotated[kind.input | None, f"As `{kind.name}`."]
        members[kind.do.__name__] = None
    made: Any = one_of_input(type("PlanActionInput", (), members))
    made.__strawberry_definition__.from_input = lambda cls, given, context: plan_action_of(given)
    return made


def plan_action_of(coerced: Mapping[str, Any]) -> PlanAction:
    """Return the action of a coerced `PlanActionInput`."""
    [(name, given)] = coerced.items()
    return PlanAction(name, given)


PlanActionInput: Any = _one_of()


def ids_in(actions: Sequence[PlanAction]) -> Iterator[str]:
    """Yield every id that the actions name, temporary ones too."""
    found: list[str] = []

    def note(id: str, path: str) -> str:
        found.append(id)
        return id

    for action in actions:
        _replace(action.given, KINDS[action.name].fields, note, "")
    yield from found


def arguments_of(action: PlanAction, names: Mapping[str, str], convert: Convert) -> dict[str, Any]:
    """Return the arguments of an action's function, with the temporary ids in it replaced. Raises Invalid."""

    def replace(id: str, path: str) -> str:
        if not id.startswith(PREFIX):
            return id
        if id not in names:
            raise Invalid(
                (path, f"{id[:MAX_TEMPORARY_ID_LENGTH]} names nothing that an earlier action creates")
            )
        return names[id]

    kind = KINDS[action.name]
    given = _replace(action.given, kind.fields, replace, "")
    arguments = {}
    for field in kind.fields:
        name = graphql_name(field.python_name)
        if field.python_name == "temp_id" or name not in given:
            continue
        if given[name] is None and is_never_null(field.type):
            raise Invalid((name, "cannot be cleared"))
        arguments[field.python_name] = convert(given[name], field.type)
    return arguments


def temporary_id(action: PlanAction, names: Mapping[str, str]) -> str | None:
    """Return the temporary id that an action gives to what it creates. Raises Invalid."""
    name: str | None = action.given.get("tempId")
    if name is None:
        return None
    if not name.startswith(PREFIX) or not 2 <= len(name) <= MAX_TEMPORARY_ID_LENGTH or not name.isprintable():
        raise Invalid(
            ("tempId", f"must be {PREFIX} and 1 to {MAX_TEMPORARY_ID_LENGTH - 1} printable characters")
        )
    if name in names:
        raise Invalid(("tempId", f"{name} is the name of what an earlier action creates"))
    return name


def _replace(
    given: Mapping[str, Any], fields: Any, replace: Callable[[str, str], str], at: str
) -> dict[str, Any]:
    """Return a coerced input with `replace` applied to its ids, also to those of inputs in it."""
    made = dict(given)
    for field in fields:
        name = graphql_name(field.python_name)
        value, type_ = made.get(name), bare_type(field.type)
        if value is None:
            continue
        if is_id(type_):
            many = isinstance(value, list)
            made[name] = [replace(id, at + name) for id in value] if many else replace(value, at + name)
        elif isinstance(value, Mapping) and hasattr(type_, "__strawberry_definition__"):
            made[name] = _replace(value, type_.__strawberry_definition__.fields, replace, f"{at}{name}.")
    return made


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _as_json(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_json(one) for one in value]
    if isinstance(value, enum.Enum):
        return value.name
    return value.isoformat() if isinstance(value, date) else value
