"""What can be done to a card. Each function is one change, in the caller's transaction, judged by the law."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from graphlib import CycleError, TopologicalSorter
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select

from actions import validation
from actions.changes import apply_changes
from actions.move import Placement, check_move, move_allowed, target
from actions.ordering import LastRanks, rank_for
from actions.profile_choice import NamedProfiles, profiles_by_id
from actions.run.change import reopen
from actions.run.dispatch import cancel_runs_of, on_cards_moved, reprioritise
from actions.stage_facts import facts_of, facts_of_new, reader
from auth.locking import lock_board, lock_card, lock_cards
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.ids import new_id
from models.actor import Actor
from models.board import Board, BoardColumn
from models.card import EDITABLE_FIELDS, MAX_AT_ONCE, MAX_CHILDREN, Card, CardSize, CardType, Priority, image
from models.events.card import CardArchived, CardCreated, CardDeleted, CardUnarchived, CardUpdated
from models.refusal import Conflict, Forbidden, Invalid, NotFound
from models.stage import ENTRY, ColumnState, Facts, Stage, judge


@dataclass(frozen=True)
class NewCard:
    """What a card is made of."""

    title: str
    description: str = ""
    type: CardType = CardType.FEATURE
    priority: Priority = Priority.MEDIUM
    size: CardSize | None = None
    story_points: int | None = None
    due_on: date | None = None
    parent_id: str | None = None
    place: Placement = field(default_factory=Placement)
    agent_profile_id: str | None = None


def validate_card(values: dict[str, Any], at: str = "") -> dict[str, Any]:
    """The fields of a card, cleaned. Raises Invalid."""
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


async def create_card(tx: Transaction, actor: Actor, board_id: str, new: NewCard) -> Card:
    """Make a card. Without a place it goes to the end of the board's first BACKLOG column."""
    return (await create_cards(tx, actor, board_id, [new], at=""))[0]


async def create_cards(
    tx: Transaction, actor: Actor, board_id: str, news: Sequence[NewCard], *, at: str = "cards."
) -> list[Card]:
    """Make several cards, in order, all or none."""
    validation.at_most("cards", list(news), MAX_AT_ONCE)
    profiles = await profiles_by_id(tx, actor, *(new.agent_profile_id for new in news))
    board = await lock_board(tx, actor, board_id, for_run=True)
    making = await Making.on(tx, actor, board, len(news), profiles)
    for index, new in enumerate(news):
        await making.make(new, at=f"{at}{index}." if at else "")
    return await making.done()


@dataclass
class Making:
    """Cards that are made on a board, which the caller holds: `make` each, and then say `done`.

    A card is born in the backlog, so the law lets it be made where a card of the backlog may go. At the ends of
    columns that is a fixed number of statements, however many are made.
    """

    tx: Transaction
    actor: Actor
    board: Board
    facts: Facts
    count: int  # how many there will be
    profiles: NamedProfiles
    batch: str | None
    ends: LastRanks
    cards: list[Card] = field(default_factory=list)

    @classmethod
    async def on(
        cls, tx: Transaction, actor: Actor, board: Board, count: int, profiles: NamedProfiles | None = None
    ) -> "Making":
        facts = await facts_of_new(reader(tx), board)
        batch = new_id("batch") if count > 1 else None
        return cls(tx, actor, board, facts, count, profiles or NamedProfiles(()), batch, LastRanks(tx, Card))

    async def make(
        self, new: NewCard, *, at: str = "", called: tuple[str, int] | None = None, archived: bool = False
    ) -> Card:
        """Make one card; `called`: its id and its number, where they are not the next."""
        lane = target([self.facts], new.place)
        _for_run(self.actor, new, lane)
        judge(self.facts, lane)
        values = {name: getattr(new, name) for name in FIELDS}
        clean = validate_card(values, at)
        self.profiles.judge(self.board, new.agent_profile_id)
        if new.parent_id is not None:
            await _parent(self.tx, self.board.id, None, new.parent_id)
        id, number = called or (new_id("card"), self.board.last_number + 1)
        card = Card(
            id=id,
            board_id=self.board.id,
            column_id=lane.id,
            rank=await self._rank(lane, new.place),
            number=number,
            version=1,
            created_by=self.actor.id,
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

    async def _rank(self, lane: ColumnState, place: Placement) -> str:
        if place.before or place.after or place.top:
            self.ends.forget()
            here = Card.column_id == lane.id
            return await rank_for(self.tx, Card, here, None, place.before, place.after, top=place.top)
        return await self.ends.next(lane.id, lambda: Card.column_id == lane.id, self.count - len(self.cards))

    async def done(self) -> list[Card]:
        """The cards that were made, and what follows from it: work for agents."""
        await self.tx.flush()  # what was made is read by whoever asked for it
        by_lane = {lane.id: lane.stage for lane in self.facts.lanes}
        for stage in dict.fromkeys(by_lane[card.column_id] for card in self.cards):
            those = [card for card in self.cards if by_lane[card.column_id] is stage]
            await on_cards_moved(self.tx, self.actor, self.board, those, [None] * len(those), stage)
        return self.cards


def _for_run(actor: Actor, new: NewCard, lane: ColumnState) -> None:
    """Raise Forbidden where an agent would make a card that is not a part of its own, or give it to an agent."""
    if actor.run_id is not None and (new.parent_id != actor.card_id or new.place != Placement()):
        raise Forbidden("Under its run's credential an agent makes cards under its own, in the backlog")
    if actor.run_id is not None and lane.stage is not Stage.BACKLOG:
        raise Forbidden(
            "Under its run's credential an agent makes cards in the backlog, and this board has none"
        )


def _joined(facts: Facts, to: ColumnState) -> Facts:
    """The facts for the next card, once one more stands in `to`."""
    lanes = [replace(lane, count=lane.count + 1) if lane == to else lane for lane in facts.lanes]
    return replace(facts, lanes=lanes)


FIELDS = (*EDITABLE_FIELDS, "agent_profile_id")
CIRCLE = "A card cannot stand under itself or under its own descendants"
OF_A_RUN = {"title", "description"}  # fields that an agent may change of its own card


async def update_card(
    tx: Transaction,
    actor: Actor,
    id: str,
    changes: dict[str, Any],
    *,
    place: Placement | None = None,
    if_version: int | None = None,
    cancel_run: bool = False,
) -> Card:
    """Change the given fields of a card: absent keeps, None clears. With `place`, it also moves, as by a move."""
    moving = place is not None and (place.column_id or place.stage)
    by_run = not moving and changes.keys() <= OF_A_RUN
    profiles = await profiles_by_id(tx, actor, changes.get("agent_profile_id"))
    board, card = await lock_card(tx, actor, id, for_run=by_run)
    card.expect(if_version)
    clean = validate_card(changes)
    profiles.judge(board, changes.get("agent_profile_id"), before=card.agent_profile_id)
    if clean.get("parent_id") is not None:
        await _parent(tx, board.id, card.id, clean["parent_id"])
    to = await check_move(tx, board, [card], place, cancel_run=cancel_run) if place and moving else None
    before = await _image(tx, card)
    told = apply_changes(card, clean)
    if told:
        tx.emit(board, CardUpdated(card_id=card.id, changes=told, before=before))
    if "priority" in told:
        await reprioritise(tx, card)
    if place and to:
        await move_allowed(tx, board, [card], place, to)
        await on_cards_moved(tx, actor, board, [card], to.left, to.lane.stage, cancel_run=cancel_run)
    return card


async def move_card(
    tx: Transaction,
    actor: Actor,
    id: str,
    place: Placement,
    *,
    if_version: int | None = None,
    cancel_run: bool = False,
) -> Card:
    """Move a card to another column, or elsewhere in its own. `cancel_run` stops the agents that are at it.

    Raises NotFound, Stale, StageRefused, or Invalid for a neighbour that is not there; then nothing was changed.
    """
    board, card = await lock_card(tx, actor, id)
    card.expect(if_version)
    to = await check_move(tx, board, [card], place, cancel_run=cancel_run)
    await move_allowed(tx, board, [card], place, to)
    await on_cards_moved(tx, actor, board, [card], to.left, to.lane.stage, cancel_run=cancel_run)
    return card


async def move_cards(
    tx: Transaction, actor: Actor, ids: list[str], place: Placement, *, cancel_run: bool = False
) -> list[Card]:
    """Move several cards of one board to one place, in the order given, all or none."""
    validation.distinct("ids", validation.at_most("ids", ids, MAX_AT_ONCE))
    if {place.before, place.after} & set(ids):
        raise Invalid(("ids", "names the neighbour they are moved to"))
    board, cards = await lock_cards(tx, actor, ids)
    to = await check_move(tx, board, cards, place, cancel_run=cancel_run)
    await move_allowed(tx, board, cards, place, to, batch=new_id("batch"))
    await on_cards_moved(tx, actor, board, cards, to.left, to.lane.stage, cancel_run=cancel_run)
    return cards


async def archive_card(
    tx: Transaction, actor: Actor, id: str, *, cancel_run: bool = False, if_version: int | None = None
) -> Card:
    """Take a card off the board without deleting it. Archiving twice changes nothing.

    Raises Conflict while agents are at it, unless `cancel_run` ends their runs.
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


async def unarchive_card(tx: Transaction, actor: Actor, id: str, *, if_version: int | None = None) -> Card:
    """Bring a card back, to the end of the first BACKLOG column, or of the first column where there is none."""
    board, card = await lock_card(tx, actor, id)
    card.expect(if_version)
    if card.archived_at is None:
        return card
    [facts] = await facts_of(reader(tx), {board.id: board}, [card])
    facts = replace(facts, at=ENTRY, column_id=None, card_archived=False)  # it comes in as a new card does
    lane = target([facts], Placement())
    judge(facts, lane)
    card.rank = await rank_for(tx, Card, Card.column_id == lane.id, card.id, None, None)
    card.column_id = lane.id
    apply_changes(card, {"archived_at": None})
    tx.emit(board, CardUnarchived(card_id=card.id, column_id=lane.id, rank=card.rank))
    await reopen(tx, board)
    return card


async def delete_card(
    tx: Transaction,
    actor: Actor,
    id: str,
    *,
    detach_children: bool = False,
    cancel_run: bool = False,
    if_version: int | None = None,
) -> Card:
    """Delete a card and what hangs on it. Its children are refused, or let go with `detach_children`.

    Raises Conflict while agents are at it, unless `cancel_run` ends their runs.
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
    """Delete `cards` of one column, which are `these`, with what hangs on them; no agent is at them any more.

    Raises Conflict for children that stay, unless `detach_children` lets them go.
    """
    gone = select(Card.id).where(these).correlate(None)
    query = select(Card).where(Card.parent_id.in_(gone), Card.id.not_in(gone)).order_by(Card.id)
    children = list(await tx.scalars(query))
    if children and not detach_children:
        some = "1 card stands" if len(children) == 1 else f"{len(children)} cards stand"
        raise Conflict(
            f"{some} under what is deleted; say detachChildren, or delete them first", children[0].id
        )
    columns = select(BoardColumn.id, BoardColumn.stage).where(BoardColumn.board_id == board.id)
    stages = dict(list(await tx.execute(columns)))
    batch = batch or (new_id("batch") if children else None)
    detached: dict[str | None, list[str]] = {}
    for child in children:
        detached.setdefault(child.parent_id, []).append(child.id)
        before = image(child) | {"stage": stages[child.column_id]}
        told = apply_changes(child, {"parent_id": None})
        tx.emit(board, CardUpdated(card_id=child.id, changes=told, before=before), correlation_id=batch)
    await tx.flush()  # the children's, before what they stood under is gone
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


async def set_parent(
    tx: Transaction, actor: Actor, id: str, parent_id: str | None, *, if_version: int | None = None
) -> Card:
    """Put a card under another of the same board, or under none."""
    return await update_card(tx, actor, id, {"parent_id": parent_id}, if_version=if_version)


def set_first_parents(
    tx: Transaction, board: Board, parents: Sequence[tuple[Card, Card]], lanes: Sequence[ColumnState]
) -> None:
    """Put new cards under others, each `(card, parent)`, of a board that the caller holds with its `lanes`.

    Raises Conflict for a circle and for too many children of one; without a statement.
    """
    for id, count in Counter(parent.id for _, parent in parents).items():
        if count > MAX_CHILDREN:
            raise _too_many(id)
    try:
        TopologicalSorter({card.id: {parent.id} for card, parent in parents}).prepare()
    except CycleError as circle:
        raise Conflict(CIRCLE, circle.args[1][0]) from None
    stages = {lane.id: lane.stage for lane in lanes}
    for card, parent in parents:
        before = image(card) | {"stage": stages[card.column_id]}
        told = apply_changes(card, {"parent_id": parent.id})
        tx.emit(board, CardUpdated(card_id=card.id, changes=told, before=before))


async def _parent(tx: Transaction, board_id: str, card_id: str | None, parent_id: str) -> None:
    """Raise unless `parent_id` is a card of the board that does not descend from `card_id`."""
    above = select(Card.id, Card.parent_id).where(Card.id == parent_id, Card.board_id == board_id)
    line = above.cte("line", recursive=True)
    line = line.union(select(Card.id, Card.parent_id).join(line, Card.id == line.c.parent_id))
    ids = list(await tx.scalars(select(line.c.id)))
    if not ids:
        raise NotFound(parent_id)
    if card_id in ids:
        raise Conflict(CIRCLE, parent_id)
    children = select(func.count()).select_from(Card).where(Card.parent_id == parent_id, Card.id != card_id)
    if (await tx.scalar(children) or 0) >= MAX_CHILDREN:
        raise _too_many(parent_id)


def _too_many(id: str) -> Conflict:
    return Conflict(f"A card has at most {MAX_CHILDREN} children", id)


async def _image(tx: Transaction, card: Card) -> dict[str, Any]:
    stage = await tx.scalar(select(BoardColumn.stage).where(BoardColumn.id == card.column_id))
    return image(card) | {"stage": stage}
