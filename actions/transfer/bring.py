"""Building a board from a parcel, by the actions that clients call, in the caller's transaction: all or nothing."""

from bisect import insort
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from actions.board import create_board, update_board, update_column
from actions.card import NewCard, archive_card, create_card, set_parent
from actions.label import create_label
from actions.link import link_cards
from actions.mark import add_label, assign_card
from actions.message import post_message
from actions.move import Place
from actions.reach import reach_board, reach_workspace
from actions.subtask import NewSubtask, add_subtasks
from actions.transfer.parcel import Parcel, Piece, Said
from models import words
from models.account import User
from models.actor import Actor, ActorKind
from models.board import Board, BoardColumn
from models.card import Card
from models.message import LONGEST
from models.refusal import Invalid, Refusal
from models.stage import Law
from models.words import folded
from models.workspace import Label, Membership

Progress = Callable[[int, int], None]


@dataclass
class Brought:
    """What became of a parcel."""

    board: Board
    made: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


async def bring(
    tx: AsyncSession,
    actor: Actor,
    parcel: Parcel,
    *,
    workspace_id: str | None = None,
    board_id: str | None = None,
    law: Law | None = None,
    progress: Progress = lambda done, total: None,
) -> Brought:
    """Make the parcel's board in a workspace, or put its cards on a board there is.

    A new board is built without a law and given one at the end, so that its cards may stand where they stood;
    that is an admin's to do. A board there is keeps its law, and the first card it refuses ends all.
    Raises any refusal of the actions, with the card's title as a note; then nothing was changed.
    """
    if board_id is not None:
        if law is not None:
            raise Invalid(("law", "is the board's own; it cannot be said together with a board"))
        board = await reach_board(tx, actor, board_id)
        columns = list(await tx.scalars(_columns_of(board)))
    else:
        await reach_workspace(tx, actor, workspace_id or "", admin=True)
        board = await _board(tx, actor, parcel, workspace_id or "")
        columns = list(await tx.scalars(_columns_of(board)))
    brought = Brought(board, left=Counter(parcel.left), notes=list(parcel.notes))
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


async def _board(tx: AsyncSession, actor: Actor, parcel: Parcel, workspace_id: str) -> Board:
    key = None if parcel.key is None else words.board_key("key", parcel.key)
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
        tx: AsyncSession,
        actor: Actor,
        parcel: Parcel,
        brought: Brought,
        columns: list[BoardColumn],
        *,
        is_new: bool,
    ) -> None:
        self.tx, self.actor, self.parcel, self.brought = tx, actor, parcel, brought
        self.board, self.columns, self.is_new = brought.board, columns, is_new
        self.cards: dict[int, str] = {}  # by the parcel's number
        self.standing: dict[int, list[tuple[int, str]]] = {}  # by column: the place in the parcel, the card

    async def build(self, progress: Progress) -> None:
        self.people = await self._people()
        self.labels = await self._labels()
        pieces = sorted(enumerate(self.parcel.cards), key=lambda pair: (pair[1].number or 0, pair[0]))
        for done, (place, piece) in enumerate(pieces, 1):
            try:
                await self._card(place, piece)
            except Refusal as refusal:
                refusal.add_note(f"card “{piece.title[:80]}”")
                raise
            progress(done, len(pieces))
        await self._ties()

    async def _people(self) -> dict[str, str]:
        """The ids of the workspace's members, by username."""
        query = select(User.username_folded, User.id).join(Membership, Membership.user_id == User.id)
        rows = await self.tx.execute(query.where(Membership.workspace_id == self.board.workspace_id))
        return dict(rows.all())

    async def _labels(self) -> dict[str, str]:
        """The ids of the labels that the parcel's cards carry, by name; those not there yet are made."""
        query = select(Label.name_folded, Label.id).where(Label.workspace_id == self.board.workspace_id)
        there = dict((await self.tx.execute(query)).all())
        used = {folded(name) for card in self.parcel.cards for name in card.labels}
        colours = {folded(mark.name): mark for mark in reversed(self.parcel.labels)}
        for name in sorted(used - there.keys()):
            if name not in colours:
                raise Invalid(("labels", f"do not tell of “{name[:50]}”, which a card carries"))
            mark = colours[name]
            label = await create_label(self.tx, self.actor, self.board.workspace_id, mark.name, mark.colour)
            there[name] = label.id
            self.brought.made["labels"] += 1
        self.brought.left["labels that no card carries"] += len(colours.keys() - used - there.keys())
        return there

    async def _card(self, at: int, piece: Piece) -> None:
        if self.is_new and piece.number is not None:
            self.board.last_number = piece.number - 1  # so that WEB-42 stays WEB-42
        new = NewCard(
            title=piece.title,
            description=piece.description,
            type=piece.type,
            priority=piece.priority,
            size=piece.size,
            story_points=piece.story_points,
            due_on=piece.due_on,
            place=self._place(at, piece),
        )
        card = await create_card(self.tx, self.actor, self.board.id, new)
        insort(self.standing.setdefault(piece.column, []), (at, card.id))
        if piece.number is not None:
            self.cards[piece.number] = card.id
        self.brought.made["cards"] += 1
        await self._hangs_on(card, piece)
        if piece.archived:
            await archive_card(self.tx, self.actor, card.id)
            self.brought.made["of them archived"] += 1

    def _place(self, at: int, piece: Piece) -> Place:
        """Behind the card it stood behind. On a board there is: where its column's name or stage leads."""
        if self.is_new:
            before = [id for place, id in self.standing.get(piece.column, []) if place < at]
            here = self.columns[piece.column].id
            return Place(column_id=here, after=before[-1]) if before else Place(column_id=here, top=True)
        if piece.archived:
            return Place()  # it stands nowhere, and comes back to the backlog
        lane = self.parcel.columns[piece.column]
        for column in self.columns:
            if folded(column.name) == folded(lane.name) and column.stage is lane.stage:
                return Place(column_id=column.id)
        return Place(stage=lane.stage)

    async def _hangs_on(self, card: Card, piece: Piece) -> None:
        tx, actor = self.tx, self.actor
        for name in dict.fromkeys(folded(name) for name in piece.labels):
            await add_label(tx, actor, card.id, self.labels[name])
        for name in dict.fromkeys(folded(name) for name in piece.assignees):
            if name in self.people:
                await assign_card(tx, actor, card.id, self.people[name])
            else:
                self.brought.left["assignments of people who are not members here"] += 1
        if piece.subtasks:
            steps = [
                NewSubtask(s.title, phase=s.phase, phase_order=s.phase_order, completed=s.completed)
                for s in piece.subtasks
            ]
            await add_subtasks(tx, actor, card.id, steps)
            self.brought.made["subtasks"] += len(steps)
        for said in piece.comments:
            await self._say(card, said)

    async def _say(self, card: Card, said: Said) -> None:
        """Post a comment for who wrote it then, at its time. Whoever is not known here is named in the text."""
        author = self.people.get(folded(said.author or ""))
        body = said.body
        if said.author and author is None:
            self.brought.left["authors of comments who are not members here (named in the text)"] += 1
            body = f"**{said.author[:100]}**:\n\n{body}"[:LONGEST]
        message = await post_message(self.tx, self.actor, card.id, body)
        if said.author is None:
            message.author_kind, message.author_id = ActorKind.SYSTEM, None
        elif author is not None:
            message.author_kind, message.author_id = ActorKind.USER, author
        if said.at is not None:
            message.created_at = said.at
        await self.tx.flush()
        self.brought.made["comments"] += 1

    async def _ties(self) -> None:
        for piece in self.parcel.cards:
            if piece.parent is not None and piece.number is not None:
                await set_parent(self.tx, self.actor, self.cards[piece.number], self.cards[piece.parent])
        for tie in self.parcel.links:
            await link_cards(self.tx, self.actor, self.cards[tie.card], self.cards[tie.target], tie.kind)
            self.brought.made["links"] += 1
