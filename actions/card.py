"""Changes to cards. Each action is one change in the caller's transaction, judged by the law of stages."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any

from sqlalchemy import ColumnElement, delete, func, select

from actions import validation
from actions.bin import bin_cards
from actions.changes import apply_changes
from actions.file import free_files
from actions.move import DestinationInput, check_move, find_column, move_allowed
from actions.ordering import LastRanks, Position, PositionInput, rank_for
from actions.profile_choice import NamedProfiles, profiles_by_id
from actions.run.change import reopen
from actions.run.dispatch import cancel_runs_of, on_cards_moved, reprioritise
from actions.sprint import check_sprint_of_card
from actions.stage_facts import facts_of, facts_of_new, reader
from auth.locking import lock_board, lock_card, lock_cards
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.graphql.types import input_type
from kit.ids import new_id
from models.actor import Actor
from models.board import Board, BoardColumn
from models.card import EDITABLE_FIELDS, MAX_AT_ONCE, MAX_CHILDREN, Card, CardSize, CardType, Priority, image
from models.events.card import CardArchived, CardCreated, CardDeleted, CardUpdated, unarchived
from models.file import File
from models.group import Group
from models.refusal import Conflict, Forbidden, Invalid, NotFound
from models.stage import ENTRY, ColumnState, Facts, Stage, judge

Title = Annotated[str, "1 to 255 characters."]
Description = Annotated[str, "Markdown, at most 50,000 characters."]
Type = Annotated[CardType, "The kind of work."]
Urgency = Annotated[Priority, "The urgency."]
Size = Annotated[CardSize | None, "The size of the work."]
StoryPoints = Annotated[int | None, "0 to 99."]
DueOn = Annotated[date | None, "The day it is due, 1970 or later."]
ParentId = Annotated[Id | None, "The card it is a part of, on the same board."]
GroupId = Annotated[Id | None, "The group of the story map that it is in, on the same board."]
AgentProfileId = Annotated[Id | None, "The agent profile that works it; default: that of its board."]
FirstDestination = Annotated[
    DestinationInput | None, "The column; default: the board's first BACKLOG column."
]
CancelRun = Annotated[bool, "Cancel the active runs on the card. Without it they refuse the change."]


@input_type
class NewCardInput:
    """The fields of a new card."""

    title: Title
    description: Description = ""
    type: Type = CardType.FEATURE
    priority: Urgency = Priority.MEDIUM
    size: Size = None
    story_points: StoryPoints = None
    due_on: DueOn = None
    parent_id: ParentId = None
    group_id: GroupId = None
    agent_profile_id: AgentProfileId = None


@dataclass(frozen=True)
class ManyCards:
    """Cards that were changed together."""

    cards: list[Card]


def validate_card(values: dict[str, Any], at: str = "") -> dict[str, Any]:
    """Return the fields of a card, normalized. `at` prefixes the paths of issues. Raises Invalid."""
    clean = dict(values)
    if "title" in clean:
        clean["title"] = validation.single_line(f"{at}title", clean["title"], 255)
    if "description" in clean:
        clean["description"] = validation.multiline(f"{at}description", clean["description"])
    if "story_points" in clean:
        validation.in_range(f"{at}storyPoints", clean["story_points"], 0, 99)
    if "due_on" in clean:
        validation.day(f"{at}dueOn", clean["due_on"])
    for name in ("type", "priority"):
        if name in clean:
            validation.required(f"{at}{name}", clean[name])
    return clean


async def create_card(
    tx: Transaction,
    actor: Actor,
    *,
    board_id: Annotated[Id, "The board."],
    title: Title,
    description: Description = "",
    type: Type = CardType.FEATURE,
    priority: Urgency = Priority.MEDIUM,
    size: Size = None,
    story_points: StoryPoints = None,
    due_on: DueOn = None,
    parent_id: ParentId = None,
    group_id: GroupId = None,
    agent_profile_id: AgentProfileId = None,
    destination: FirstDestination = None,
    position: Position = None,
) -> Card:
    """Create a card. It enters at BACKLOG, so the law of stages allows the columns that a BACKLOG card may go to.

    Raises StageRefused; Conflict if the parent has too many children or the agent profile is switched off.
    """
    new = NewCardInput(
        title=title,
        description=description,
        type=type,
        priority=priority,
        size=size,
        story_points=story_points,
        due_on=due_on,
        parent_id=parent_id,
        group_id=group_id,
        agent_profile_id=agent_profile_id,
    )
    return (await _create(tx, actor, board_id, [new], destination, position))[0]


async def create_cards(
    tx: Transaction,
    actor: Actor,
    *,
    board_id: Annotated[Id, "The board."],
    cards: Annotated[list[NewCardInput], "1 to 100 cards, in their order from the top."],
    destination: FirstDestination = None,
) -> ManyCards:
    """Create up to 100 cards at the end of one column, in order: all or none.

    Raises as `createCard` does.
    """
    validation.at_most("cards", cards, MAX_AT_ONCE)
    return ManyCards(await _create(tx, actor, board_id, cards, destination, at="cards."))


async def _create(
    tx: Transaction,
    actor: Actor,
    board_id: str,
    news: Sequence[NewCardInput],
    destination: DestinationInput | None,
    position: PositionInput | None = None,
    *,
    at: str = "",
) -> list[Card]:
    profiles = await profiles_by_id(tx, actor, *(new.agent_profile_id for new in news))
    board = await lock_board(tx, actor, board_id, for_run=True)
    making = await Making.on(tx, actor, board, len(news), profiles)
    for index, new in enumerate(news):
        await making.make(new, destination, position, at=f"{at}{index}." if at else "")
    return await making.done()


@dataclass
class Making:
    """Cards in creation on a board that the caller holds: `make` each, then call `done`.

    At the ends of columns any number of cards takes a fixed number of statements.
    """

    tx: Transaction
    actor: Actor
    board: Board
    facts: Facts
    count: int  # cards to be made in all
    profiles: NamedProfiles
    batch: str | None
    ends: LastRanks
    cards: list[Card] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)  # of the board, as far as they were looked up

    @classmethod
    async def on(
        cls, tx: Transaction, actor: Actor, board: Board, count: int, profiles: NamedProfiles | None = None
    ) -> "Making":
        facts = await facts_of_new(reader(tx), board)
        batch = new_id("batch") if count > 1 else None
        return cls(tx, actor, board, facts, count, profiles or NamedProfiles(()), batch, LastRanks(tx, Card))

    async def make(
        self,
        new: NewCardInput,
        destination: DestinationInput | None = None,
        position: PositionInput | None = None,
        *,
        at: str = "",
        identity: tuple[str, int] | None = None,
        archived: bool = False,
        approved_at: datetime | None = None,
        approved_by: str | None = None,
    ) -> Card:
        """Make one card. `identity` is its id and number; default: the next. `at` prefixes the paths of issues.

        Raises Forbidden, Invalid, NotFound, Conflict, StageRefused.
        """
        lane = find_column([self.facts], destination)
        is_placed = destination is not None or position is not None
        _check_agent(self.actor, new, lane, is_placed=is_placed)
        judge(self.facts if approved_at is None else replace(self.facts, lacks_approval=False), lane)
        values = {name: getattr(new, name) for name in FIELDS}
        clean = validate_card(values, at)
        self.profiles.judge(self.board, new.agent_profile_id)
        if new.parent_id is not None:
            await _check_parent(self.tx, self.board.id, None, new.parent_id)
        if new.group_id is not None and new.group_id not in self.groups:
            await _check_group(self.tx, self.board.id, new.group_id)
            self.groups.add(new.group_id)
        id, number = identity or (new_id("card"), self.board.last_number + 1)
        card = Card(
            id=id,
            board_id=self.board.id,
            column_id=lane.id,
            rank=await self._rank(lane, position),
            number=number,
            version=1,
            created_by=self.actor.id,
            approved_at=approved_at,
            approved_by=approved_by,
            **clean,
        )
        self.board.last_number = max(self.board.last_number, number)
        self.tx.add(card)
        self.cards.append(card)
        created = CardCreated(
            card_id=card.id, column_id=lane.id, rank=card.rank, stage=lane.stage, title=card.title
        )
        self.tx.emit(self.board, created, correlation_id=self.batch)
        if archived:
            _archive(self.tx, self.board, card, batch=self.batch)
        else:
            self.facts = _joined(self.facts, lane)
        return card

    async def _rank(self, lane: ColumnState, position: PositionInput | None) -> str:
        if position is not None:
            self.ends.forget()
            return await rank_for(self.tx, Card, Card.column_id == lane.id, None, position)
        return await self.ends.next(lane.id, lambda: Card.column_id == lane.id, self.count - len(self.cards))

    async def done(self) -> list[Card]:
        """Write the cards, give those that agents shall work to agents, and return them all."""
        await self.tx.flush()  # the response reads the rows
        by_lane = {lane.id: lane.stage for lane in self.facts.lanes}
        for stage in dict.fromkeys(by_lane[card.column_id] for card in self.cards):
            entered = [card for card in self.cards if by_lane[card.column_id] is stage]
            await on_cards_moved(self.tx, self.actor, self.board, entered, [None] * len(entered), stage)
        return self.cards


def _check_agent(actor: Actor, new: NewCardInput, lane: ColumnState, *, is_placed: bool) -> None:
    """Raise Forbidden unless an agent creates a child of its own card, in the backlog."""
    if actor.run_id is not None and (new.parent_id != actor.card_id or is_placed):
        raise Forbidden("With its run's credential an agent creates cards under its own card, in the backlog")
    if actor.run_id is not None and lane.stage is not Stage.BACKLOG:
        raise Forbidden(
            "With its run's credential an agent creates cards in the backlog; this board has none"
        )


def _joined(facts: Facts, to: ColumnState) -> Facts:
    """Return the facts for the next card, with one more card in `to`."""
    lanes = [replace(lane, count=lane.count + 1) if lane == to else lane for lane in facts.lanes]
    return replace(facts, lanes=lanes)


FIELDS = (*EDITABLE_FIELDS, "agent_profile_id")
CYCLE = "A card cannot be a child of itself or of its own descendants"
AGENT_FIELDS = {"title", "description"}  # fields that an agent may change of its own card


async def update_card(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The card."],
    title: Annotated[Maybe[str], "1 to 255 characters."] = None,
    description: Annotated[Maybe[str | None], "Markdown; null empties it."] = None,
    type: Annotated[Maybe[CardType], "The kind of work."] = None,
    priority: Annotated[Maybe[Priority], "The urgency."] = None,
    size: Annotated[Maybe[CardSize | None], "The size of the work; null clears it."] = None,
    story_points: Annotated[Maybe[int | None], "0 to 99; null clears them."] = None,
    due_on: Annotated[Maybe[date | None], "The day it is due; null clears it."] = None,
    group_id: Annotated[Maybe[Id | None], "The group that it is in; null: none."] = None,
    sprint_id: Annotated[Maybe[Id | None], "The sprint that it is in; null: none."] = None,
    agent_profile_id: Annotated[
        Maybe[Id | None], "The agent profile that works it; null: that of its board."
    ] = None,
    destination: Annotated[
        DestinationInput | None,
        "Also move it to the end of this column, as `moveCard` does. It stays if it is in that stage already.",
    ] = None,
    cancel_run: CancelRun = False,
    if_version: IfVersion = None,
) -> Card:
    """Change a card. Fields that are left out keep their values, null clears. With a destination it also moves.

    Raises Stale; StageRefused for a move that the law of stages refuses; Conflict if the agent profile is switched
    off. Then nothing was changed.
    """
    changes = provided_fields(
        title=title,
        description=description,
        type=type,
        priority=priority,
        size=size,
        story_points=story_points,
        due_on=due_on,
        group_id=group_id,
        sprint_id=sprint_id,
        agent_profile_id=agent_profile_id,
    )
    return await change_card(
        tx, actor, id, changes, destination, if_version=if_version, cancel_run=cancel_run
    )


async def change_card(
    tx: Transaction,
    actor: Actor,
    id: str,
    changes: dict[str, Any],
    destination: DestinationInput | None = None,
    *,
    if_version: int | None = None,
    cancel_run: bool = False,
) -> Card:
    """Change the given fields of a card, None clears; with a destination also move it.

    Raises NotFound, Stale, Invalid, StageRefused, or Conflict for a parent or an agent profile.
    """
    for_run = destination is None and changes.keys() <= AGENT_FIELDS
    profiles = await profiles_by_id(tx, actor, changes.get("agent_profile_id"))
    board, card = await lock_card(tx, actor, id, for_run=for_run)
    card.expect(if_version)
    clean = validate_card(changes)
    profiles.judge(board, changes.get("agent_profile_id"), before=card.agent_profile_id)
    if clean.get("parent_id") is not None:
        await _check_parent(tx, board.id, card.id, clean["parent_id"])
    if clean.get("group_id") is not None:
        await _check_group(tx, board.id, clean["group_id"])
    if "sprint_id" in clean:
        await check_sprint_of_card(tx, card, clean["sprint_id"])
    to = await check_move(tx, board, [card], destination, cancel_run=cancel_run) if destination else None
    before = await _image(tx, card)
    changed_fields = apply_changes(card, clean)
    if changed_fields:
        tx.emit(board, CardUpdated(card_id=card.id, changes=changed_fields, before=before))
    if "priority" in changed_fields:
        await reprioritise(tx, card)
    if to is not None:
        await move_allowed(tx, board, [card], to)
        await on_cards_moved(tx, actor, board, [card], to.left, to.lane.stage, cancel_run=cancel_run)
    return card


async def move_card(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The card."],
    destination: Annotated[DestinationInput | None, "The column; default: its own."] = None,
    position: Position = None,
    cancel_run: CancelRun = False,
    if_version: IfVersion = None,
) -> Card:
    """Move a card to another column, or to another position in its own.

    Raises StageRefused for a move that the law of stages refuses, Stale, or Invalid if the neighbor is not in the
    column. Then nothing was changed.
    """
    board, card = await lock_card(tx, actor, id)
    card.expect(if_version)
    to = await check_move(tx, board, [card], destination, cancel_run=cancel_run)
    await move_allowed(tx, board, [card], to, position)
    await on_cards_moved(tx, actor, board, [card], to.left, to.lane.stage, cancel_run=cancel_run)
    return card


async def move_cards(
    tx: Transaction,
    actor: Actor,
    *,
    ids: Annotated[list[Id], "1 to 100 cards of one board, in the order they take."],
    destination: Annotated[DestinationInput | None, "The column; default: their own."] = None,
    position: Position = None,
    cancel_run: Annotated[
        bool, "Cancel the active runs on the cards. Without it they refuse the change."
    ] = False,
) -> ManyCards:
    """Move up to 100 cards to one place, one after the other: all or none.

    Raises StageRefused, or Invalid if the neighbor is not in the column, is one of the cards, or a card is named
    twice. Then nothing was changed.
    """
    validation.distinct("ids", validation.at_most("ids", ids, MAX_AT_ONCE))
    if position is not None and {position.before, position.after} & set(ids):
        raise Invalid(("ids", "must not contain the neighbor of the position"))
    board, cards = await lock_cards(tx, actor, ids)
    to = await check_move(tx, board, cards, destination, cancel_run=cancel_run)
    await move_allowed(tx, board, cards, to, position, batch=new_id("batch"))
    await on_cards_moved(tx, actor, board, cards, to.left, to.lane.stage, cancel_run=cancel_run)
    return ManyCards(cards)


async def archive_card(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The card."],
    cancel_run: CancelRun = False,
    if_version: IfVersion = None,
) -> Card:
    """Archive a card: it leaves its board and is not deleted. Archiving twice changes nothing.

    Raises Stale, or Conflict if runs are active on it and `cancelRun` is false.
    """
    board, card = await lock_card(tx, actor, id)
    card.expect(if_version)
    if card.archived_at is None:
        await cancel_runs_of(tx, board, [card.id], cancel_run=cancel_run)
        _archive(tx, board, card)
        await reopen(tx, board)
    return card


def _archive(tx: Transaction, board: Board, card: Card, *, batch: str | None = None) -> None:
    apply_changes(card, {"archived_at": utcnow()})
    tx.emit(board, CardArchived(card_id=card.id), correlation_id=batch)


async def unarchive_card(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The card."], if_version: IfVersion = None
) -> Card:
    """Restore an archived card at the end of the board's first BACKLOG column; without one, of its first column.

    Raises Stale or StageRefused.
    """
    board, card = await lock_card(tx, actor, id)
    card.expect(if_version)
    if card.archived_at is None:
        return card
    [facts] = await facts_of(reader(tx), {board.id: board}, [card])
    facts = replace(facts, at=ENTRY, column_id=None, card_archived=False)  # it enters as a new card does
    lane = find_column([facts], None)
    judge(facts, lane)
    source, old_rank = card.column_id, card.rank
    card.rank = await rank_for(tx, Card, Card.column_id == lane.id, card.id)
    card.column_id = lane.id
    apply_changes(card, {"archived_at": None})
    tx.emit(board, unarchived(card, source, old_rank))
    await reopen(tx, board)
    return card


async def delete_card(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The card."],
    detach_children: Annotated[
        bool, "Detach its children, which lose their parent. Without it children refuse the deletion."
    ] = False,
    cancel_run: CancelRun = False,
    if_version: IfVersion = None,
) -> Card:
    """Delete a card with its questions and runs; the rest is in the bin of its board. Returns the card as it was.

    Raises Stale, or Conflict if it has children or active runs and their option is false.
    """
    board, card = await lock_card(tx, actor, id)
    card.expect(if_version)
    await cancel_runs_of(tx, board, [card.id], cancel_run=cancel_run)
    await remove(tx, board, [card], Card.id == card.id, detach_children=detach_children)
    await reopen(tx, board)
    return card


async def remove(
    tx: Transaction,
    board: Board,
    cards: Sequence[Card],
    these: ColumnElement[bool],
    *,
    detach_children: bool,
    batch: str | None = None,
) -> None:
    """Delete `cards` of one column, selected by `these`, with everything on them. No runs are active on them.

    Raises Conflict if other cards are their children, unless `detach_children`.
    """
    gone = select(Card.id).where(these).correlate(None)
    query = select(Card).where(Card.parent_id.in_(gone), Card.id.not_in(gone)).order_by(Card.id)
    children = list(await tx.scalars(query))
    if children and not detach_children:
        some = "1 card is a child" if len(children) == 1 else f"{len(children)} cards are children"
        raise Conflict(f"{some} of what is deleted; set detachChildren, or delete them first", children[0].id)
    columns = select(BoardColumn.id, BoardColumn.stage).where(BoardColumn.board_id == board.id)
    stages = dict(list(await tx.execute(columns)))
    batch = batch or (new_id("batch") if children else None)
    detached: dict[str | None, list[str]] = {}
    for child in children:
        detached.setdefault(child.parent_id, []).append(child.id)
        before = image(child) | {"stage": stages[child.column_id]}
        changed_fields = apply_changes(child, {"parent_id": None})
        tx.emit(
            board, CardUpdated(card_id=child.id, changes=changed_fields, before=before), correlation_id=batch
        )
    await tx.flush()  # the children are written before their parents are deleted
    await bin_cards(tx, board, cards, these, stages)
    await free_files(tx, File.card_id.in_(gone))
    await tx.execute(delete(Card).where(these))
    for card in cards:
        tx.expunge(card)
        deleted = CardDeleted(
            card_id=card.id,
            number=card.number,
            title=card.title,
            column_id=card.column_id,
            detached=detached.get(card.id, []),
            before=image(card) | {"stage": stages[card.column_id]},
        )
        tx.emit(board, deleted, correlation_id=batch)


async def set_parent_card(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The card."],
    parent_id: Annotated[Id | None, "The card it becomes a part of; null: none."] = None,
    if_version: IfVersion = None,
) -> Card:
    """Make a card a part of another card of its board, or of none.

    Raises Stale, or Conflict for a cycle or a parent with too many children.
    """
    return await change_card(tx, actor, id, {"parent_id": parent_id}, if_version=if_version)


def set_first_parents(
    tx: Transaction, board: Board, parents: Sequence[tuple[Card, Card]], lanes: Sequence[ColumnState]
) -> None:
    """Set the parents of new cards, each `(card, parent)`, on a board that the caller holds; without a statement.

    Raises Conflict for a cycle or a parent with too many children.
    """
    for id, count in Counter(parent.id for _, parent in parents).items():
        if count > MAX_CHILDREN:
            raise _too_many_children(id)
    try:
        TopologicalSorter({card.id: {parent.id} for card, parent in parents}).prepare()
    except CycleError as error:
        raise Conflict(CYCLE, error.args[1][0]) from None
    stages = {lane.id: lane.stage for lane in lanes}
    for card, parent in parents:
        before = image(card) | {"stage": stages[card.column_id]}
        changed_fields = apply_changes(card, {"parent_id": parent.id})
        tx.emit(board, CardUpdated(card_id=card.id, changes=changed_fields, before=before))


async def _check_parent(tx: Transaction, board_id: str, card_id: str | None, parent_id: str) -> None:
    """Raise NotFound or Conflict unless `parent_id` may become the parent of a card of the board."""
    above = select(Card.id, Card.parent_id).where(Card.id == parent_id, Card.board_id == board_id)
    line = above.cte("line", recursive=True)
    line = line.union(select(Card.id, Card.parent_id).join(line, Card.id == line.c.parent_id))
    ids = list(await tx.scalars(select(line.c.id)))
    if not ids:
        raise NotFound(parent_id)
    if card_id in ids:
        raise Conflict(CYCLE, parent_id)
    children = select(func.count()).select_from(Card).where(Card.parent_id == parent_id, Card.id != card_id)
    if (await tx.scalar(children) or 0) >= MAX_CHILDREN:
        raise _too_many_children(parent_id)


async def _check_group(tx: Transaction, board_id: str, group_id: str) -> None:
    """Raise NotFound unless the group is on the board."""
    query = select(Group.id).where(Group.id == group_id, Group.board_id == board_id)
    if await tx.scalar(query) is None:
        raise NotFound(group_id)


def _too_many_children(id: str) -> Conflict:
    return Conflict(f"A card has at most {MAX_CHILDREN} children", id)


async def _image(tx: Transaction, card: Card) -> dict[str, Any]:
    stage = await tx.scalar(select(BoardColumn.stage).where(BoardColumn.id == card.column_id))
    return image(card) | {"stage": stage}
