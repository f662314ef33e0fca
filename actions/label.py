"""Changes to labels. Boards whose cards carry a label are told of its changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import delete, select

from actions import validation
from actions.changes import apply_changes
from auth.locking import lock_label, lock_workspace
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.ids import new_id
from models.actor import Actor
from models.card import CardLabel
from models.events.card import LabelRemoved
from models.events.workspace import LabelCreated, LabelDeleted, LabelUpdated
from models.refusal import Conflict, Invalid
from models.topic import board_scope, board_topic, workspace_scope
from models.workspace import MAX_LABELS, Label

FOLDED = Label.name_folded.type.length


@dataclass(frozen=True)
class DeletedLabel:
    """A label that is gone, and how many cards carried it."""

    label: Label
    card_count: int


async def create_label(
    tx: Transaction,
    actor: Actor,
    *,
    workspace_id: Annotated[Id, "The workspace."],
    name: Annotated[str, "1 to 50 characters, unique in the workspace ignoring case."],
    colour: Annotated[str, "#RRGGBB."],
) -> Label:
    """Create a label. A workspace has at most 200.

    Raises Conflict if another label of the workspace has that name.
    """
    return (await create_labels(tx, actor, workspace_id, [(name, colour)]))[0]


async def create_labels(
    tx: Transaction, actor: Actor, workspace_id: str, news: Sequence[tuple[str, str]]
) -> list[Label]:
    """Make labels, each of a name and a colour: all, or none. A fixed number of statements."""
    workspace = await lock_workspace(tx, actor, workspace_id)
    names = select(Label.name_folded, Label.id).where(Label.workspace_id == workspace.id)
    there: dict[str, str] = dict(list(await tx.execute(names)))
    made = []
    for name, colour in news:
        values = _cleaned({"name": name, "colour": colour})
        if values["name_folded"] in there:
            raise _taken(there[values["name_folded"]])
        if len(there) >= MAX_LABELS:
            raise Conflict(f"A workspace has at most {MAX_LABELS} labels")
        label = Label(id=new_id("label"), workspace_id=workspace.id, **values)
        there[label.name_folded] = label.id
        tx.add(label)
        tx.emit(workspace, LabelCreated(workspace_id=label.workspace_id, label_id=label.id, name=label.name))
        made.append(label)
    await tx.flush()  # what was made is read by whoever asked for it
    return made


async def update_label(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The label."],
    name: Annotated[
        Maybe[str], "New name: 1 to 50 characters, unique in the workspace ignoring case."
    ] = None,
    colour: Annotated[Maybe[str], "New color, #RRGGBB."] = None,
    if_version: IfVersion = None,
) -> Label:
    """Rename or recolor a label.

    Raises Stale, or Conflict if another label of the workspace has that name; then nothing was changed.
    """
    label = await lock_label(tx, actor, id, to_change=True)
    label.expect(if_version)
    clean = await _checked(tx, label, provided_fields(name=name, colour=colour))
    label.name_folded = clean.pop("name_folded", label.name_folded)
    told = apply_changes(label, clean)
    if told:
        used = select(CardLabel.board_id).where(CardLabel.label_id == label.id).distinct()
        boards = sorted(await tx.scalars(used))
        updated = LabelUpdated(
            workspace_id=label.workspace_id, label_id=label.id, called=label.name, changes=told
        )
        tx.emit(workspace_scope(label.workspace_id), updated, also=map(board_topic, boards))
    return label


async def delete_label(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The label."], if_version: IfVersion = None
) -> DeletedLabel:
    """Delete a label and remove it from every card. Returns the label as it was and the number of its cards."""
    label = await lock_label(tx, actor, id, to_change=True)
    label.expect(if_version)
    query = select(CardLabel.board_id, CardLabel.card_id).where(CardLabel.label_id == label.id)
    cards = sorted((board_id, card_id) for board_id, card_id in await tx.execute(query))
    await tx.execute(delete(Label).where(Label.id == label.id))
    tx.expunge(label)
    batch = new_id("batch") if cards else None
    for board_id, card_id in cards:
        removed = LabelRemoved(card_id=card_id, label_id=label.id, name=label.name)
        tx.emit(board_scope(board_id, label.workspace_id), removed, correlation_id=batch)
    boards = sorted({board_id for board_id, _ in cards})
    deleted = LabelDeleted(
        workspace_id=label.workspace_id, label_id=label.id, name=label.name, card_count=len(cards)
    )
    scope = workspace_scope(label.workspace_id)
    tx.emit(scope, deleted, also=map(board_topic, boards), correlation_id=batch)
    return DeletedLabel(label, len(cards))


async def _checked(tx: Transaction, label: Label, values: dict[str, Any]) -> dict[str, Any]:
    """The new fields of a label, cleaned. The caller holds the workspace."""
    clean = _cleaned(values)
    if "name" in clean:
        same = Label.workspace_id == label.workspace_id, Label.name_folded == clean["name_folded"]
        taken = await tx.scalar(select(Label.id).where(*same))
        if taken not in (None, label.id):
            raise _taken(taken)
    return clean


def _cleaned(values: dict[str, Any]) -> dict[str, Any]:
    """The fields of a label, cleaned; a name comes with its folded form. Raises Invalid."""
    clean = dict(values)
    if "colour" in clean:
        clean["colour"] = validation.colour("colour", clean["colour"])
    if "name" in clean:
        clean["name"] = validation.single_line("name", clean["name"], 50)
        clean["name_folded"] = validation.folded(clean["name"])
        if len(clean["name_folded"]) > FOLDED:  # folding may triple a letter
            raise Invalid(("name", "is too long once its case is folded"))
    return clean


def _taken(id: str) -> Conflict:
    return Conflict("Another label of the workspace has that name", id)
