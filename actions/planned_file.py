"""Changes to the planned files of a card.

An agent with its run's credential proposes files for its own card, and changes only what is still proposed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import select

from actions import git, validation
from actions.changes import apply_changes
from actions.ordering import LastRanks, Position, PositionInput, rank_for
from auth.locking import lock_card, lock_planned_file
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.ids import new_id
from models.actor import Actor
from models.board import Board
from models.events.planned_file import (
    PlannedFileAdded,
    PlannedFileDeleted,
    PlannedFileMoved,
    PlannedFileUpdated,
)
from models.planned_file import (
    MAX_CONTRACT_LENGTH,
    MAX_INTENT_LENGTH,
    MAX_MODULE_LENGTH,
    MAX_PLANNED_FILES,
    MAX_PLANNED_PATH_LENGTH,
    ArtifactKind,
    FileAction,
    PlannedFile,
    PlannedFileStatus,
)
from models.refusal import Conflict, Forbidden, Invalid

PROPOSES = (
    "With its run's credential an agent changes only planned files that are PROPOSED, and approves none"
)
Path = Annotated[
    str,
    "Path from the root of the repository, at most 500 characters; a folder ends with a slash. Unique on the card.",
]
Status = Annotated[PlannedFileStatus, "Its status. An agent of a run proposes only."]


@dataclass(frozen=True)
class NewPlannedFile:
    """The fields of a new planned file."""

    path: str
    kind: ArtifactKind = ArtifactKind.CODE
    action: FileAction = FileAction.EDIT
    module: str | None = None
    intent: str = ""
    contract: str | None = None
    status: PlannedFileStatus = PlannedFileStatus.PROPOSED
    position: PositionInput | None = None


async def add_planned_file(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: Annotated[Id, "The card. It has at most 100 planned files."],
    path: Path,
    kind: Annotated[ArtifactKind, "The kind of file."] = ArtifactKind.CODE,
    action: Annotated[FileAction, "The planned change."] = FileAction.EDIT,
    module: Annotated[str | None, "The module that it belongs to, at most 100 characters."] = None,
    intent: Annotated[str, "The purpose of the change, Markdown, at most 2,000 characters."] = "",
    contract: Annotated[
        str | None, "The interface that it must keep or offer, at most 10,000 characters."
    ] = None,
    status: Status = PlannedFileStatus.PROPOSED,
    position: Position = None,
) -> PlannedFile:
    """Add a file that the work on a card will create or edit.

    Raises Conflict if the card has 100 of them, or one with that path.
    """
    new = NewPlannedFile(path, kind, action, module, intent, contract, status, position)
    return (await add_planned_files(tx, actor, card_id, [new]))[0]


async def add_planned_files(
    tx: Transaction, actor: Actor, card_id: str, news: Sequence[NewPlannedFile]
) -> list[PlannedFile]:
    """Add several planned files to a card, in order: all or none."""
    board, card = await lock_card(tx, actor, card_id, for_run=True)
    known = await _paths(tx, card.id)
    files = await _add(tx, actor, board, card.id, news, known, LastRanks(tx, PlannedFile))
    await tx.flush()  # the response reads the rows
    return files


async def add_first_planned_files(
    tx: Transaction, actor: Actor, board: Board, card_id: str, news: Sequence[NewPlannedFile]
) -> list[PlannedFile]:
    """Add planned files to a new card of a board that the caller holds, without a statement."""
    return await _add(tx, actor, board, card_id, news, {}, LastRanks(tx, PlannedFile, new=True))


async def _add(
    tx: Transaction,
    actor: Actor,
    board: Board,
    card_id: str,
    news: Sequence[NewPlannedFile],
    known: dict[str, str],
    ends: LastRanks,
) -> list[PlannedFile]:
    if len(known) + len(news) > MAX_PLANNED_FILES:
        raise Conflict(f"A card has at most {MAX_PLANNED_FILES} planned files", card_id)
    lane = PlannedFile.card_id == card_id
    files = []
    for index, new in enumerate(news):
        if actor.run_id is not None and new.status is not PlannedFileStatus.PROPOSED:
            raise Forbidden(PROPOSES)
        clean = _validate(
            {
                "path": new.path,
                "kind": new.kind,
                "action": new.action,
                "module": new.module,
                "intent": new.intent,
                "contract": new.contract,
                "status": new.status,
            }
        )
        _check_free(known, clean["path"], None)
        if new.position is not None:
            ends.forget()
            rank = await rank_for(tx, PlannedFile, lane, None, new.position)
        else:
            rank = await ends.next(card_id, lambda: lane, len(news) - index)
        file = PlannedFile(
            id=new_id("plannedfile"),
            board_id=board.id,
            card_id=card_id,
            run_id=actor.run_id,
            rank=rank,
            version=1,
            **clean,
        )
        known[file.path] = file.id
        tx.add(file)
        tx.emit(board, PlannedFileAdded(**_facts(file)))
        files.append(file)
    return files


async def update_planned_file(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The planned file."],
    path: Annotated[Maybe[str], "Path from the root of the repository; a folder ends with a slash."] = None,
    kind: Annotated[Maybe[ArtifactKind], "The kind of file."] = None,
    action: Annotated[Maybe[FileAction], "The planned change."] = None,
    module: Annotated[Maybe[str | None], "The module that it belongs to; null: none."] = None,
    intent: Annotated[Maybe[str | None], "The purpose of the change; null empties it."] = None,
    contract: Annotated[Maybe[str | None], "The interface that it must keep or offer; null: none."] = None,
    status: Annotated[
        Maybe[PlannedFileStatus], "Its status. Default: EDITED if a person changes another field."
    ] = None,
    if_version: IfVersion = None,
) -> PlannedFile:
    """Change or approve a planned file. Fields that are left out keep their values.

    Raises Stale, or Conflict if the card has another one with that path.
    """
    board, file = await lock_planned_file(tx, actor, id)
    clean = _validate(
        provided_fields(
            path=path,
            kind=kind,
            action=action,
            module=module,
            intent=intent,
            contract=contract,
            status=status,
        )
    )
    _check_agent(actor, file, decides="status" in clean)
    file.expect(if_version)
    if "path" in clean and clean["path"] != file.path:
        _check_free(await _paths(tx, file.card_id), clean["path"], file.id)
    is_edited = any(getattr(file, name) != value for name, value in clean.items())
    if is_edited and actor.run_id is None:
        clean.setdefault("status", PlannedFileStatus.EDITED)
    changes = apply_changes(file, clean)
    if changes:
        tx.emit(board, PlannedFileUpdated(**_facts(file), changes=changes))
    await tx.flush()
    return file


async def move_planned_file(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The planned file."], position: Position = None
) -> PlannedFile:
    """Move a planned file among those of its card. Raises Invalid if the neighbor is not on the card."""
    board, file = await lock_planned_file(tx, actor, id)
    _check_agent(actor, file)
    file.rank = await rank_for(tx, PlannedFile, PlannedFile.card_id == file.card_id, file.id, position)
    file.version += 1
    tx.emit(board, PlannedFileMoved(**_facts(file)))
    await tx.flush()
    return file


async def delete_planned_file(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The planned file."], if_version: IfVersion = None
) -> PlannedFile:
    """Delete a planned file. Returns it as it was. Raises Stale."""
    board, file = await lock_planned_file(tx, actor, id)
    _check_agent(actor, file)
    file.expect(if_version)
    await tx.delete(file)
    tx.emit(board, PlannedFileDeleted(**_facts(file)))
    await tx.flush()
    return file


def planned_path(path: str, text: str) -> str:
    """Return a planned path, normalized: relative, without `./` at its start; a folder keeps its last slash.

    Raises Invalid for a path outside of the repository.
    """
    text = text.strip()
    while text.startswith("./"):
        text = text[2:].lstrip("/")
    is_folder = text.endswith("/")
    name = git.validate_path(path, text.rstrip("/"))
    if validation.UNMEANT.search(name) or "\n" in name or "\t" in name:
        raise Invalid((path, "has a control character"))
    if len(name) + is_folder > MAX_PLANNED_PATH_LENGTH:
        raise Invalid((path, f"must have at most {MAX_PLANNED_PATH_LENGTH} characters"))
    return f"{name}/" if is_folder else name


async def _paths(tx: Transaction, card_id: str) -> dict[str, str]:
    """Load the planned files of a card: their ids by their paths."""
    query = select(PlannedFile.path, PlannedFile.id).where(PlannedFile.card_id == card_id)
    return dict(list(await tx.execute(query)))


def _check_free(known: dict[str, str], path: str, id: str | None) -> None:
    if known.get(path) not in (None, id):
        raise Conflict("The card has a planned file with that path", known[path])


def _check_agent(actor: Actor, file: PlannedFile, *, decides: bool = False) -> None:
    """Raise Forbidden if an agent would change what people edited or approved, or approve itself."""
    is_proposed = file.run_id is not None and file.status is PlannedFileStatus.PROPOSED
    if actor.run_id is not None and (decides or not is_proposed):
        raise Forbidden(PROPOSES)


def _validate(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a planned file, normalized. Raises Invalid."""
    clean = dict(values)
    for name in ("path", "kind", "action", "status"):
        if name in clean:
            validation.required(name, clean[name])
    if "path" in clean:
        clean["path"] = planned_path("path", clean["path"])
    if clean.get("module") is not None:
        clean["module"] = validation.single_line("module", clean["module"], MAX_MODULE_LENGTH)
    if "intent" in clean:
        clean["intent"] = validation.multiline("intent", clean["intent"], MAX_INTENT_LENGTH)
    if clean.get("contract") is not None:
        clean["contract"] = validation.multiline("contract", clean["contract"], MAX_CONTRACT_LENGTH) or None
    return clean


def _facts(file: PlannedFile) -> Any:
    """Return the fields that all events of a planned file share."""
    return {"card_id": file.card_id, "planned_file_id": file.id, "title": file.path, "rank": file.rank}
