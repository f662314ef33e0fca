"""Building a board from a parcel, by the actions that clients call, in the caller's transaction: all or nothing."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from actions import validation
from actions.board import create_board, update_board, update_column
from actions.card import Making, NewCardInput, set_first_parents
from actions.label import create_labels
from actions.labels_and_assignees import assign_new_card, label_new_card
from actions.link import link_new_cards
from actions.message import ImportedMessage, import_message
from actions.move import DestinationInput
from actions.subtask import NewSubtask, add_first_subtasks
from actions.transfer.board_file import BoardFile, FileCard, FileMessage
from actions.validation import folded
from auth.locking import lock_board, lock_workspace
from auth.permissions import sees_board
from kit.db.transaction import Transaction
from kit.ids import new_id
from models.account import User
from models.actor import Actor
from models.board import Board, BoardColumn
from models.card import Card
from models.message import STRANGER
from models.refusal import Invalid, NotFound, Refusal
from models.stage import ColumnState, Law
from models.workspace import Label, Membership

MAX_ROWS_PER_STATEMENT = 1_000  # written at once
Progress = Callable[[int, int], None]


@dataclass
class ImportedBoard:
    """What became of a parcel."""

    board: Board
    made: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


async def import_board(
    tx: Transaction,
    actor: Actor,
    parcel: BoardFile,
    *,
    workspace_id: str | None = None,
    board_id: str | None = None,
    law: Law | None = None,
    progress: Progress = lambda done, total: None,
) -> ImportedBoard:
    """Make the parcel's board in a workspace, or put its cards on a board there is.

    A new board is built without a law and given one at the end, so that its cards may stand where they stood;
    that is an admin's to do. A board there is keeps its law, and the first card it refuses ends all.
    Raises any refusal of the actions, with the card's title as a note; then nothing was changed.
    """
    if board_id is not None:
        if law is not None:
            raise Invalid(("law", "is the board's own; it cannot be said together with a board"))
        workspace_id = await _workspace_of(tx, actor, board_id)
        await lock_workspace(tx, actor, workspace_id)  # with its labels and members, and before the board
        board = await lock_board(tx, actor, board_id)
    else:
        await lock_workspace(tx, actor, workspace_id or "", admin=True)
        board = await _board(tx, actor, parcel, workspace_id or "")
    columns = list(await tx.scalars(_columns_of(board)))
    brought = ImportedBoard(board, left=Counter(parcel.left), notes=list(parcel.notes))
    builder = _Builder(tx, actor, parcel, brought, columns, is_new=board_id is None)
    await builder.build(progress)
    if board_id is None:
        for column, lane in zip(columns, parcel.columns, strict=True):
            if lane.wip_limit is not None:
                await update_column(tx, actor, column.id, {"wip_limit": lane.wip_limit})
        await update_board(tx, actor, board.id, {"law": law or parcel.law})
    elif any(lane.wip_limit for lane in parcel.columns):
        brought.left["WIP limits (the board keeps its own)"] += sum(1 for c in parcel.columns if c.wip_limit)
    return brought


async def _workspace_of(tx: Transaction, actor: Actor, board_id: str) -> str:
    found = await tx.scalar(
        select(Board.workspace_id).where(Board.id == board_id, sees_board(actor, Board.id))
    )
    if found is None:
        raise NotFound(board_id)
    return found


async def _board(tx: Transaction, actor: Actor, parcel: BoardFile, workspace_id: str) -> Board:
    key = None if parcel.key is None else validation.board_key("key", parcel.key)
    same = select(Board.key).where(Board.workspace_id == workspace_id, Board.key == key)
    if key is not None and await tx.scalar(same) is not None:
        parcel.notes.append(f"another board has the key {key}: this one was given its own")
        key = None
    columns = [(lane.name, lane.stage, None) for lane in parcel.columns]
    more: dict[str, Any] = {"key": key, "description": parcel.description, "columns": columns}
    return await create_board(tx, actor, workspace_id, parcel.name, law=Law.FREE, **more)


def _columns_of(board: Board) -> Any:
    return select(BoardColumn).where(BoardColumn.board_id == board.id).order_by(BoardColumn.rank)


class _Builder:
    """One import: what it has made, by the names the parcel uses."""

    def __init__(
        self,
        tx: Transaction,
        actor: Actor,
        parcel: BoardFile,
        brought: ImportedBoard,
        columns: list[BoardColumn],
        *,
        is_new: bool,
    ) -> None:
        self.tx, self.actor, self.parcel, self.brought = tx, actor, parcel, brought
        self.board, self.columns, self.is_new = brought.board, columns, is_new
        self.cards: dict[int, Card] = {}  # by the parcel's number
        self.waiting = 0  # rows that are not written yet

    async def build(self, progress: Progress) -> None:
        self.people = await self._people()
        self.labels = await self._labels()
        pieces = self.parcel.cards
        making = await Making.on(self.tx, self.actor, self.board, len(pieces))
        for done, (piece, identity) in enumerate(zip(pieces, self._names(), strict=True), 1):
            try:
                await self._card(making, piece, identity)
            except Refusal as refusal:
                refusal.add_note(f"card “{piece.title[:80]}”")
                raise
            progress(done, len(pieces))
        await self.tx.flush()  # cards name others as their parents, whichever came first
        self._ties(making.facts.lanes)
        await making.done()

    async def _people(self) -> dict[str, str]:
        """The ids of the workspace's members, by username."""
        query = select(User.username_folded, User.id).join(Membership, Membership.user_id == User.id)
        rows = await self.tx.execute(query.where(Membership.workspace_id == self.board.workspace_id))
        return dict(rows.all())

    async def _labels(self) -> dict[str, Label]:
        """The labels that the parcel's cards carry, by name; those not there yet are made."""
        query = select(Label).where(Label.workspace_id == self.board.workspace_id)
        there = {label.name_folded: label for label in await self.tx.scalars(query)}
        used = {folded(name) for card in self.parcel.cards for name in card.labels}
        colours = {folded(mark.name): mark for mark in reversed(self.parcel.labels)}
        new = sorted(used - there.keys())
        for name in new:
            if name not in colours:
                raise Invalid(("labels", f"do not tell of “{name[:50]}”, which a card carries"))
        if new:
            marks = [(colours[name].name, colours[name].colour) for name in new]
            made = await create_labels(self.tx, self.actor, self.board.workspace_id, marks)
            there |= zip(new, made, strict=True)
            self.brought.made["labels"] += len(made)
        self.brought.left["labels that no card carries"] += len(colours.keys() - used - there.keys())
        return there

    def _names(self) -> list[tuple[str, int]]:
        """An id and a number for each card: what was made first comes first. WEB-42 of a new board stays WEB-42."""
        pieces, last = self.parcel.cards, self.board.last_number
        names = [("", 0)] * len(pieces)
        for at in sorted(range(len(pieces)), key=lambda at: (pieces[at].number or 0, at)):
            number = pieces[at].number
            last = number if self.is_new and number is not None else last + 1
            names[at] = new_id("card"), last
        return names

    async def _card(self, making: Making, piece: FileCard, identity: tuple[str, int]) -> None:
        new = NewCardInput(
            title=piece.title,
            description=piece.description,
            type=piece.type,
            priority=piece.priority,
            size=piece.size,
            story_points=piece.story_points,
            due_on=piece.due_on,
        )
        card = await making.make(new, self._destination(piece), identity=identity, archived=piece.archived)
        if piece.number is not None:
            self.cards[piece.number] = card
        self.brought.made["cards"] += 1
        if piece.archived:
            self.brought.made["of them archived"] += 1
        await self._hangs_on(card, piece)
        await self._added(1 + len(piece.labels) + len(piece.assignees) + len(piece.subtasks))
        for said in piece.comments:
            self._say(card, said)
            await self._added(1)

    async def _added(self, rows: int) -> None:
        """Write what waits once it is enough: no statement may take too long."""
        self.waiting += rows
        if self.waiting >= MAX_ROWS_PER_STATEMENT:
            await self.tx.flush()
            self.waiting = 0

    def _destination(self, piece: FileCard) -> DestinationInput | None:
        """Return the column of a card; on an existing board that of the same name and stage, else its stage."""
        if self.is_new:
            return DestinationInput(column_id=self.columns[piece.column].id)
        if piece.archived:
            return None  # unarchiving takes it to the backlog
        lane = self.parcel.columns[piece.column]
        for column in self.columns:
            if folded(column.name) == folded(lane.name) and column.stage is lane.stage:
                return DestinationInput(column_id=column.id)
        return DestinationInput(stage=lane.stage)

    async def _hangs_on(self, card: Card, piece: FileCard) -> None:
        tx, board = self.tx, self.board
        labels = dict.fromkeys(folded(name) for name in piece.labels)
        label_new_card(tx, board, card, [self.labels[name] for name in labels])
        assignees = dict.fromkeys(folded(name) for name in piece.assignees)
        here = [self.people[name] for name in assignees if name in self.people]
        assign_new_card(tx, board, card, here)
        strangers = len(assignees) - len(here)
        self.brought.left["assignments of people who are not members here"] += strangers
        steps = [
            NewSubtask(s.title, phase=s.phase, phase_order=s.phase_order, completed=s.completed)
            for s in piece.subtasks
        ]
        await add_first_subtasks(tx, self.actor, board, card.id, steps)
        self.brought.made["subtasks"] += len(steps)

    def _say(self, card: Card, said: FileMessage) -> None:
        """Keep a comment for who wrote it then, at its time. Whoever is not known here is named in the text."""
        name = " ".join((said.author or "").split())[:STRANGER].strip()
        author = self.people.get(folded(name))
        stranger = name if name and author is None else None
        if stranger:
            self.brought.left["authors of comments who are not members here (named in the text)"] += 1
        import_message(
            self.tx, self.board, card, ImportedMessage(said.body, said.at, said.kind, author, stranger)
        )
        self.brought.made["comments"] += 1

    def _ties(self, lanes: Sequence[ColumnState]) -> None:
        cards = self.cards
        under = [
            (cards[piece.number], cards[piece.parent])
            for piece in self.parcel.cards
            if piece.parent is not None and piece.number is not None
        ]
        set_first_parents(self.tx, self.board, under, lanes)
        links = [(cards[tie.card].id, cards[tie.target].id, tie.kind) for tie in self.parcel.links]
        link_new_cards(self.tx, self.board, links)
        self.brought.made["links"] += len(links)
