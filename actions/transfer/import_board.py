"""Import of a board through the actions that clients call, in the caller's transaction: all or nothing."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from actions import validation
from actions.answer_rule import add_first_rules
from actions.board import NewColumn, create_board_of, update_board, update_column
from actions.card import Making, NewCardInput, set_first_parents
from actions.context import PersonaInput, add_first_context
from actions.document_import import NewDocument, NewDocumentLink, add_board_documents
from actions.group import create_group
from actions.knowledge import NewKnowledge, add_first_knowledge
from actions.label import create_labels
from actions.labels_and_assignees import assign_new_card, label_new_card
from actions.link import link_new_cards
from actions.message import ImportedMessage, import_message
from actions.move import DestinationInput
from actions.planned_file import NewPlannedFile, add_first_planned_files
from actions.subtask import NewSubtask, add_first_subtasks
from actions.transfer.board_file import BoardFile, FileCard, FileMessage
from actions.validation import folded
from auth.locking import lock_board, lock_workspace
from auth.permissions import sees_board
from kit.db.transaction import Transaction
from kit.graphql.arguments import Some
from kit.ids import new_id
from models.account import User
from models.actor import Actor
from models.board import Board, BoardColumn
from models.card import Card
from models.message import STRANGER
from models.refusal import Invalid, NotFound, Refusal
from models.stage import ColumnState, Law
from models.workspace import MAX_LABELS, Label, Membership

MAX_ROWS_PER_STATEMENT = 1_000  # rows before a flush
Progress = Callable[[int, int], None]


@dataclass
class ImportedBoard:
    """The result of an import."""

    board: Board
    made: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


async def import_board(
    tx: Transaction,
    actor: Actor,
    file: BoardFile,
    *,
    workspace_id: str | None = None,
    board_id: str | None = None,
    law: Law | None = None,
    progress: Progress = lambda done, total: None,
) -> ImportedBoard:
    """Create the board of a file in a workspace, or add its cards to an existing board.

    A new board gets its law at the end, so that its cards may be in any column; this requires an admin. An existing
    board keeps its law. Raises any refusal of the actions, with the card's title as a note; then nothing changed.
    """
    if board_id is not None:
        if law is not None:
            raise Invalid(("law", "must not be given for an existing board"))
        workspace_id = await _workspace_of(tx, actor, board_id)
        await lock_workspace(tx, actor, workspace_id)  # and with it labels and members, before the board
        board = await lock_board(tx, actor, board_id)
    else:
        await lock_workspace(tx, actor, workspace_id or "", admin=True)
        board = await _board(tx, actor, file, workspace_id or "")
    columns = list(await tx.scalars(_columns_of(board)))
    result = ImportedBoard(board, left=Counter(file.left), notes=list(file.notes))
    builder = _Builder(tx, actor, file, result, columns, is_new=board_id is None)
    await builder.build(progress)
    if board_id is None:
        for column, lane in zip(columns, file.columns, strict=True):
            if lane.wip_limit is not None:
                await update_column(tx, actor, id=column.id, wip_limit=Some(lane.wip_limit))
        await update_board(tx, actor, id=board.id, law=Some(law or file.law))
    elif any(lane.wip_limit for lane in file.columns):
        result.left["WIP limits (the board keeps its own)"] += sum(1 for c in file.columns if c.wip_limit)
    return result


async def _workspace_of(tx: Transaction, actor: Actor, board_id: str) -> str:
    workspace_id = await tx.scalar(
        select(Board.workspace_id).where(Board.id == board_id, sees_board(actor, Board.id))
    )
    if workspace_id is None:
        raise NotFound(board_id)
    return workspace_id


async def _board(tx: Transaction, actor: Actor, file: BoardFile, workspace_id: str) -> Board:
    key = None if file.key is None else validation.board_key("key", file.key)
    same = select(Board.key).where(Board.workspace_id == workspace_id, Board.key == key)
    if key is not None and await tx.scalar(same) is not None:
        file.notes.append(f"another board has the key {key}: this one was given its own")
        key = None
    return await create_board_of(
        tx,
        actor,
        [NewColumn(name=column.name, stage=column.stage) for column in file.columns],
        workspace_id=workspace_id,
        name=file.name,
        key=key,
        law=Law.FREE,
        description=file.description,
    )


def _columns_of(board: Board) -> Any:
    return select(BoardColumn).where(BoardColumn.board_id == board.id).order_by(BoardColumn.rank)


class _Builder:
    """One import: what it has created, by the names of the file."""

    def __init__(
        self,
        tx: Transaction,
        actor: Actor,
        file: BoardFile,
        result: ImportedBoard,
        columns: list[BoardColumn],
        *,
        is_new: bool,
    ) -> None:
        self.tx, self.actor, self.file, self.result = tx, actor, file, result
        self.board, self.columns, self.is_new = result.board, columns, is_new
        self.cards: dict[int, Card] = {}  # by the number in the file
        self.waiting = 0  # rows that are not flushed yet

    async def build(self, progress: Progress) -> None:
        self.people = await self._people()
        self.labels = await self._labels()
        self.groups = await self._groups()
        file_cards = self.file.cards
        making = await Making.on(self.tx, self.actor, self.board, len(file_cards))
        for done, (file_card, identity) in enumerate(zip(file_cards, self._names(), strict=True), 1):
            try:
                await self._card(making, file_card, identity)
            except Refusal as refusal:
                refusal.add_note(f"card “{file_card.title[:80]}”")
                raise
            progress(done, len(file_cards))
        await self.tx.flush()  # parents are set once all cards exist
        await self._add_parts()
        self._link_cards(making.facts.lanes)
        await making.done()

    async def _people(self) -> dict[str, str]:
        """Load the ids of the workspace's members, by username."""
        query = select(User.username_folded, User.id).join(Membership, Membership.user_id == User.id)
        rows = await self.tx.execute(query.where(Membership.workspace_id == self.board.workspace_id))
        return dict(rows.all())

    async def _labels(self) -> dict[str, Label]:
        """Load the labels of the file's cards, by name; create missing ones."""
        query = select(Label).where(Label.workspace_id == self.board.workspace_id)
        there = {label.name_folded: label for label in await self.tx.scalars(query)}
        used = {folded(name) for card in self.file.cards for name in card.labels}
        if self.is_new:
            used |= {folded(name) for rule in self.file.answer_rules for name in rule.labels}
        colours = {folded(mark.name): mark for mark in reversed(self.file.labels)}
        new = sorted(used - there.keys())
        if self.file.is_foreign and len(there) + len(new) > MAX_LABELS:
            new = self._drop_rare_labels(new, MAX_LABELS - len(there))
        for name in new:
            if name not in colours:
                raise Invalid(("labels", f"must contain “{name[:50]}”, which a card carries"))
        if new:
            marks = [(colours[name].name, colours[name].colour) for name in new]
            made = await create_labels(self.tx, self.actor, self.board.workspace_id, marks)
            there |= zip(new, made, strict=True)
            self.result.made["labels"] += len(made)
        self.result.left["labels that no card carries"] += len(colours.keys() - used - there.keys())
        return there

    def _drop_rare_labels(self, names: list[str], most: int) -> list[str]:
        """Take all but the `most` labels of the most cards off the cards of the file. Returns the kept ones."""
        uses = Counter(folded(name) for card in self.file.cards for name in card.labels)
        ranked = sorted(names, key=lambda name: (-uses[name], name))
        dropped = set(ranked[max(most, 0) :])
        for card in self.file.cards:
            card.labels = [name for name in card.labels if folded(name) not in dropped]
        self.result.left[f"labels beyond {MAX_LABELS} in the workspace (of the fewest cards)"] += len(dropped)
        return [name for name in names if name not in dropped]

    async def _groups(self) -> list[str]:
        """Create the groups of the file. Returns their ids."""
        ids: list[str] = []
        for group in self.file.groups:
            made = await create_group(
                self.tx,
                self.actor,
                board_id=self.board.id,
                title=group.title,
                description=group.description,
                colour=group.colour,
                parent_id=None if group.parent is None else ids[group.parent],
            )
            ids.append(made.id)
        if ids:
            self.result.made["groups"] += len(ids)
        return ids

    def _names(self) -> list[tuple[str, int]]:
        """Return an id and a number for each card, in order of number. On a new board WEB-42 stays WEB-42."""
        file_cards, last = self.file.cards, self.board.last_number
        names = [("", 0)] * len(file_cards)
        for at in sorted(range(len(file_cards)), key=lambda at: (file_cards[at].number or 0, at)):
            number = file_cards[at].number
            last = number if self.is_new and number is not None else last + 1
            names[at] = new_id("card"), last
        return names

    async def _card(self, making: Making, file_card: FileCard, identity: tuple[str, int]) -> None:
        new = NewCardInput(
            title=file_card.title,
            description=file_card.description,
            type=file_card.type,
            priority=file_card.priority,
            size=file_card.size,
            story_points=file_card.story_points,
            due_on=file_card.due_on,
            group_id=None if file_card.group is None else self.groups[file_card.group],
        )
        card = await making.make(
            new,
            self._destination(file_card),
            identity=identity,
            archived=file_card.archived,
            approved_at=file_card.approved_at,
            approved_by=self.people.get(folded(file_card.approved_by or "")),
        )
        if file_card.number is not None:
            self.cards[file_card.number] = card
        self.result.made["cards"] += 1
        if file_card.archived:
            self.result.made["of them archived"] += 1
        await self._add_children(card, file_card)
        await self._add_plans(card, file_card)
        await self._added(1 + len(file_card.labels) + len(file_card.assignees) + len(file_card.subtasks))
        self.result.left["files, whose contents are not in the file of the board"] += len(file_card.files)
        for comment in file_card.comments:
            self._add_comment(card, comment)
            await self._added(1)

    async def _added(self, rows: int) -> None:
        """Flush once enough rows wait, so that no statement takes too long."""
        self.waiting += rows
        if self.waiting >= MAX_ROWS_PER_STATEMENT:
            await self.tx.flush()
            self.waiting = 0

    def _destination(self, file_card: FileCard) -> DestinationInput | None:
        """Return the column of a card; on an existing board that of the same name and stage, else its stage."""
        if self.is_new:
            return DestinationInput(column_id=self.columns[file_card.column].id)
        if file_card.archived:
            return None  # unarchiving takes it to the backlog
        lane = self.file.columns[file_card.column]
        for column in self.columns:
            if folded(column.name) == folded(lane.name) and column.stage is lane.stage:
                return DestinationInput(column_id=column.id)
        return DestinationInput(stage=lane.stage)

    async def _add_children(self, card: Card, file_card: FileCard) -> None:
        tx, board = self.tx, self.board
        labels = dict.fromkeys(folded(name) for name in file_card.labels)
        label_new_card(tx, board, card, [self.labels[name] for name in labels])
        assignees = dict.fromkeys(folded(name) for name in file_card.assignees)
        here = [self.people[name] for name in assignees if name in self.people]
        assign_new_card(tx, board, card, here)
        strangers = len(assignees) - len(here)
        self.result.left["assignments of people who are not members here"] += strangers
        steps = [
            NewSubtask(s.title, phase=s.phase, phase_order=s.phase_order, completed=s.completed)
            for s in file_card.subtasks
        ]
        await add_first_subtasks(tx, self.actor, board, card.id, steps)
        self.result.made["subtasks"] += len(steps)

    async def _add_plans(self, card: Card, file_card: FileCard) -> None:
        """Add the knowledge and the planned files of a card."""
        tx, board = self.tx, self.board
        items = [
            NewKnowledge(k.kind, k.text, k.evidence, k.confidence, k.state, k.origin)
            for k in file_card.knowledge
        ]
        await add_first_knowledge(tx, self.actor, board, card.id, items)
        files = [
            NewPlannedFile(f.path, f.kind, f.action, f.module, f.intent, f.contract, f.status)
            for f in file_card.planned_files
        ]
        await add_first_planned_files(tx, self.actor, board, card.id, files)
        for what, count in (("knowledge items", len(items)), ("planned files", len(files))):
            if count:
                self.result.made[what] += count
        await self._added(len(items) + len(files))

    async def _add_parts(self) -> None:
        """Add the documents; to a new board also the context and the answer rules."""
        tx, board, file = self.tx, self.board, self.file
        if self.is_new:
            context = file.context
            personas = [PersonaInput(name=name, text=text) for name, text in context.personas]
            await add_first_context(tx, board, context.fields, personas, context.variables)
            rules = [
                {name: value for name, value in vars(rule).items() if name != "labels"}
                | {"label_ids": [self.labels[folded(name)].id for name in rule.labels]}
                for rule in file.answer_rules
            ]
            await add_first_rules(tx, board, rules)
            if rules:
                self.result.made["answer rules"] += len(rules)
        else:
            self.result.left["answer rules (the board keeps its own)"] += len(file.answer_rules)
            has_context = file.context.fields or file.context.personas or file.context.variables
            self.result.left["context (the board keeps its own)"] += bool(has_context)
        news = [
            NewDocument(
                one.title,
                one.kind,
                one.values,
                one.tags,
                [
                    NewDocumentLink(
                        None if link.card is None else self.cards[link.card].id,
                        None if link.group is None else self.groups[link.group],
                        link.role,
                        link.usage_hint,
                    )
                    for link in one.links
                ],
            )
            for one in file.documents
        ]
        await add_board_documents(tx, self.actor, board, news)
        if news:
            self.result.made["documents"] += len(news)

    def _add_comment(self, card: Card, comment: FileMessage) -> None:
        """Add a comment with its author and time. A stranger is named in the text."""
        name = " ".join((comment.author or "").split())[:STRANGER].strip()
        author = self.people.get(folded(name))
        stranger = name if name and author is None else None
        if stranger:
            self.result.left["authors of comments who are not members here (named in the text)"] += 1
        import_message(
            self.tx,
            self.board,
            card,
            ImportedMessage(comment.body, comment.at, comment.kind, author, stranger),
        )
        self.result.made["comments"] += 1

    def _link_cards(self, lanes: Sequence[ColumnState]) -> None:
        cards = self.cards
        under = [
            (cards[file_card.number], cards[file_card.parent])
            for file_card in self.file.cards
            if file_card.parent is not None and file_card.number is not None
        ]
        set_first_parents(self.tx, self.board, under, lanes)
        links = [(cards[link.card].id, cards[link.target].id, link.kind) for link in self.file.links]
        link_new_cards(self.tx, self.board, links)
        self.result.made["links"] += len(links)
