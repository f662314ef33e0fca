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

MAX_FOLDED_LENGTH = Label.name_folded.type.length


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
    tx: Transaction, actor: Actor, workspace_id: str, values: Sequence[tuple[str, str]]
) -> list[Label]:
    """Create labels, each of a name and a color: all or none. Takes a fixed number of statements."""
    workspace = await lock_workspace(tx, actor, workspace_id)
    names = select(Label.name_folded, Label.id).where(Label.workspace_id == workspace.id)
    existing: dict[str, str] = dict(list(await tx.execute(names)))
    labels = []
    for name, colour in values:
        fields = _validate({"name": name, "colour": colour})
        if fields["name_folded"] in existing:
            raise _name_taken(existing[fields["name_folded"]])
        if len(existing) >= MAX_LABELS:
            raise Conflict(f"A workspace has at most {MAX_LABELS} labels")
        label = Label(id=new_id("label"), workspace_id=workspace.id, **fields)
        existing[label.name_folded] = label.id
        tx.add(label)
        tx.emit(workspace, LabelCreated(workspace_id=label.workspace_id, label_id=label.id, name=label.name))
        labels.append(label)
    await tx.flush()  # the caller reads them
    return labels


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
    changes = await _validate_change(tx, label, provided_fields(name=name, colour=colour))
    label.name_folded = changes.pop("name_folded", label.name_folded)
    changed = apply_changes(label, changes)
    if changed:
        query = select(CardLabel.board_id).where(CardLabel.label_id == label.id).distinct()
        boards = sorted(await tx.scalars(query))
        updated = LabelUpdated(
            workspace_id=label.workspace_id, label_id=label.id, called=label.name, changes=changed
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


async def _validate_change(tx: Transaction, label: Label, values: dict[str, Any]) -> dict[str, Any]:
    """Return the new fields of a label as they are stored. The caller holds the workspace's lock.

    Raises Invalid, or Conflict if another label has the name.
    """
    clean = _validate(values)
    if "name" in clean:
        query = select(Label.id).where(Label.workspace_id == label.workspace_id)
        existing = await tx.scalar(query.where(Label.name_folded == clean["name_folded"]))
        if existing not in (None, label.id):
            raise _name_taken(existing)
    return clean


def _validate(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a label as they are stored; a name with its folded form. Raises Invalid."""
    clean = dict(values)
    if "colour" in clean:
        clean["colour"] = validation.colour("colour", clean["colour"])
    if "name" in clean:
        clean["name"] = validation.single_line("name", clean["name"], 50)
        clean["name_folded"] = validation.folded(clean["name"])
        if len(clean["name_folded"]) > MAX_FOLDED_LENGTH:  # folding may triple a letter
            raise Invalid(("name", "is too long after case folding"))
    return clean


def _name_taken(id: str) -> Conflict:
    return Conflict("Another label of the workspace has that name", id)
