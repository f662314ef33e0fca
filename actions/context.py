"""Changes to a board's context. Secret variables are sealed, and no event tells a value of any variable."""

from typing import Annotated, Any, TypedDict, Unpack

from actions import validation
from actions.events import emit_board_event
from auth.locking import lock_board
from auth.secrets import hint_of
from auth.services import Services
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.graphql.types import input_type
from models.actor import Actor
from models.board import Board
from models.context import (
    CONTEXT_FIELDS,
    MAX_FIELD_LENGTH,
    MAX_PERSONA_LENGTH,
    MAX_PERSONAS,
    MAX_VALUE_LENGTH,
    MAX_VARIABLES,
    RESERVED_NAME,
    VARIABLE_NAME,
    BoardContext,
)
from models.events.board import BoardContextUpdated, board_facts
from models.refusal import Conflict, Invalid, Stale


@input_type
class VariableInput:
    """A variable of the environment of a board's agents."""

    name: Annotated[
        str, "Capital letters, digits and underscores; no name that programs are found or run by."
    ]
    value: Annotated[str, "The value, 1 to 4,000 characters."]
    secret: Annotated[bool, "True: it is encrypted, and no read shows it."] = False


@input_type
class PersonaInput:
    """A person that the project is for."""

    name: Annotated[str, "1 to 100 characters."]
    text: Annotated[str, "Needs and habits, at most 4,000 characters."] = ""


class ContextChanges(TypedDict, total=False):
    """The fields of a context that a client may change; each text has at most 20,000 characters."""

    overview: Annotated[Maybe[str | None], "The project and its purpose."]
    tech_stack: Annotated[Maybe[str | None], "Languages, frameworks and versions."]
    conventions: Annotated[Maybe[str | None], "Conventions of code."]
    testing: Annotated[Maybe[str | None], "How tests are written and run."]
    api: Annotated[Maybe[str | None], "The API."]
    infrastructure: Annotated[Maybe[str | None], "Servers and services."]
    environments: Annotated[Maybe[str | None], "Environments, such as staging."]
    deployment: Annotated[Maybe[str | None], "How it is deployed."]
    communication: Annotated[Maybe[str | None], "Languages and tone of texts."]
    design: Annotated[Maybe[str | None], "Design, and what inspires it."]
    personas: Annotated[Maybe[list[PersonaInput] | None], "All personas, at most 20."]


async def update_board_context(
    tx: Transaction,
    actor: Actor,
    services: Services,
    *,
    board_id: Annotated[Id, "The board."],
    set_variables: Annotated[
        list[VariableInput] | None,
        "Variables to add or to replace. Only admins may; a board has at most 100.",
    ] = None,
    remove_variables: Annotated[list[str] | None, "Names of variables to remove. Only admins may."] = None,
    if_version: IfVersion = None,
    **fields: Unpack[ContextChanges],
) -> Board:
    """Change a board's context. Omitted fields and variables stay; null clears a field.

    Agents are told of the fields from their run's first claim on. Variables are in their environment from the next
    claim on. `ifVersion` is that of the context. Raises Stale, or Conflict for more than 100 variables.
    """
    changes = provided_fields(**fields)
    has_variables = set_variables is not None or remove_variables is not None
    board = await lock_board(tx, actor, board_id, admin=has_variables)
    context = await tx.get(BoardContext, board.id)
    version = context.version if context else 0
    if if_version not in (None, version):
        raise Stale(version)
    if context is None:
        context = BoardContext(board_id=board.id, fields={}, personas=[], variables={}, version=0)
    clean = {name: _validate(name, value) for name, value in changes.items()}
    personas = clean.pop("personas", context.personas)
    stored = {name: text for name, text in (context.fields | clean).items() if text}
    variables = _change_variables(services, context, set_variables or [], remove_variables or [])
    changed = [name for name in CONTEXT_FIELDS if stored.get(name) != context.fields.get(name)]
    changed += ["personas"] * (personas != context.personas)
    names = sorted(
        name
        for name in context.variables.keys() | variables.keys()
        if context.variables.get(name) != variables.get(name)
    )
    if changed or names:
        context.fields, context.personas, context.variables = stored, personas, variables
        context.version += 1
        tx.add(context)
        await tx.flush()
        updated = BoardContextUpdated(**board_facts(board), fields=changed, variables=names)
        emit_board_event(tx, board, updated)
    return board


async def add_first_context(
    tx: Transaction,
    board: Board,
    fields: dict[str, str],
    personas: list[PersonaInput],
    variables: dict[str, str],
) -> None:
    """Add the context of a new board that the caller holds. Its variables are not secret."""
    given = [VariableInput(name=name, value=value) for name, value in variables.items()]
    context = BoardContext(board_id=board.id, fields={}, personas=[], variables={}, version=1)
    texts = {name: _validate(name, text) for name, text in fields.items()}
    context.fields = {name: text for name, text in texts.items() if text}
    context.personas = _validate("personas", personas)
    context.variables = _change_variables(None, context, given, [])
    if not (context.fields or context.personas or context.variables):
        return
    tx.add(context)
    changed = [name for name in CONTEXT_FIELDS if name in context.fields] + ["personas"] * bool(personas)
    names = sorted(context.variables)
    emit_board_event(tx, board, BoardContextUpdated(**board_facts(board), fields=changed, variables=names))


def _validate(name: str, value: Any) -> Any:
    """Return a field as it is stored. Raises Invalid."""
    if name != "personas":
        head, *rest = name.split("_")
        path = head + "".join(word.capitalize() for word in rest)
        return validation.multiline(path, value, MAX_FIELD_LENGTH)
    personas = validation.at_most("personas", value or [], MAX_PERSONAS, least=0)
    return [
        {
            "name": validation.single_line(f"personas.{place}.name", one.name, 100),
            "text": validation.multiline(f"personas.{place}.text", one.text, MAX_PERSONA_LENGTH),
        }
        for place, one in enumerate(personas)
    ]


def _change_variables(
    services: Services | None, context: BoardContext, given: list[VariableInput], removed: list[str]
) -> dict[str, Any]:
    validation.at_most("setVariables", given, MAX_VARIABLES, least=0)
    validation.at_most("removeVariables", removed, MAX_VARIABLES, least=0)
    validation.distinct("setVariables", [one.name for one in given])
    variables = {name: one for name, one in context.variables.items() if name not in removed}
    for place, one in enumerate(given):
        path = f"setVariables.{place}"
        if not VARIABLE_NAME.fullmatch(one.name):
            raise Invalid((f"{path}.name", "must be a capital letter, then capitals, digits and underscores"))
        if RESERVED_NAME.fullmatch(one.name):
            raise Invalid((f"{path}.name", "is reserved for the worker and its programs"))
        if not 1 <= len(one.value) <= MAX_VALUE_LENGTH or validation.UNMEANT.search(one.value):
            raise Invalid(
                (f"{path}.value", f"must have 1 to {MAX_VALUE_LENGTH} characters and no control character")
            )
        if one.secret:
            assert services is not None, "a secret needs a key"
            sealed = services.secrets.seal(one.value, context.board_id)
            variables[one.name] = {"sealed": sealed, "hint": hint_of(one.value)}
        else:
            variables[one.name] = {"value": one.value}
    if len(variables) > MAX_VARIABLES:
        raise Conflict(f"A board has at most {MAX_VARIABLES} variables", context.board_id)
    return variables
