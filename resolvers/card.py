"""How cards are answered, and the adapters of their changes."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from sqlalchemy import select
from strawberry import ID, Maybe, Parent

import actions.card
import actions.revision
import actions.run.reject
from actions.card import FIELDS, NewCard
from actions.move import Placement
from actions.stage_facts import facts_of
from auth.permissions import WRITERS, role_in, sees_card
from kit.db.database import utcnow
from kit.eventlog.tables import Event
from kit.graphql.arguments import IfVersion, provided_fields
from kit.graphql.types import input_type
from models.board import Board, BoardColumn
from models.card import MAX_REVISIONS, Card, CardOrder, CardSize, CardType, Priority
from models.stage import MoveGate, Reason, Stage, reasons_against
from resolvers.board import BOARD, COLUMN
from resolvers.card_filter import CardFilter, filter_clauses, order_of
from resolvers.context import Info
from resolvers.loaders import Relation, batched
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

MAX_CARDS = 500  # of a board in one page
FirstOfBoard = Annotated[int | None, "How many, from the top: 1 to 500; 50 where nothing is said."]

CARD = Relation(
    select(Card.__table__), Card.id, lambda actor: sees_card(actor, Card.board_id, Card.id), alike=True
)
CHILDREN_OF_CARD = Relation(
    select(Card.__table__).order_by(Card.number),
    Card.parent_id,
    lambda actor: sees_card(actor, Card.board_id, Card.id),
    many=True,
    alike=True,
)
REVISIONS_OF_CARD = PaginatedQuery(
    "card.revisions",
    select(Event.__table__).where(Event.kind.in_(actions.revision.SNAPSHOTS)),
    Event.subject,
    lambda actor: Event.subject.in_(select(Card.id).where(sees_card(actor, Card.board_id, Card.id))),
)
NEWEST = Order("NEWEST", ((Event.at, True), (Event.seq, True)))

_CARDS = select(Card.__table__).join(BoardColumn, BoardColumn.id == Card.column_id)
CARDS = PaginatedQuery("cards", _CARDS, None, lambda actor: sees_card(actor, Card.board_id, Card.id))
CARDS_OF_BOARD = PaginatedQuery(
    "board.cards", _CARDS, Card.board_id, lambda actor: sees_card(actor, Card.board_id, Card.id)
)
NOT_ARCHIVED = filter_clauses(CardFilter())
CARDS_OF_COLUMN = PaginatedQuery(
    "column.cards", _CARDS, Card.column_id, lambda actor: sees_card(actor, Card.board_id, Card.id)
)


async def card(info: Info, id: Annotated[ID, "Which card."]) -> Any:
    """One card, or null where there is none that you may see."""
    return await info.context.load(CARD, id)


async def cards(
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[CardFilter | None, "Only cards that fit."] = None,
    order_by: Annotated[CardOrder, "In which order."] = CardOrder.CREATED,
) -> Page:
    """Cards of every board you may see."""
    return await _cards(info, CARDS, None, PageArgs(first, after, last, before), filter, order_by)


async def cards_of_board(
    root: Parent[Any],
    info: Info,
    first: FirstOfBoard = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[
        CardFilter | None, "Only cards that fit. Without it, those that are not archived."
    ] = None,
    order_by: Annotated[CardOrder, "In which order."] = CardOrder.BOARD,
) -> Page:
    """Its cards: column by column, from the top."""
    return await _cards(
        info, CARDS_OF_BOARD, root.id, PageArgs(first, after, last, before, MAX_CARDS), filter, order_by
    )


async def cards_of_column(
    root: Parent[Any],
    info: Info,
    first: FirstOfBoard = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[
        CardFilter | None, "Only cards that fit. Without it, those that are not archived."
    ] = None,
    order_by: Annotated[CardOrder, "In which order."] = CardOrder.BOARD,
) -> Page:
    """The cards that stand in it, from the top."""
    return await _cards(
        info,
        CARDS_OF_COLUMN,
        root.id,
        PageArgs(first, after, last, before, MAX_CARDS),
        filter,
        order_by,
    )


async def _cards(
    info: Info,
    listing: PaginatedQuery,
    parent: str | None,
    ask: PageArgs,
    filter: CardFilter | None,
    order: CardOrder,
) -> Page:
    context = info.context
    assert context.actor, "it raises where nobody signed in, before a filter is read"
    where = NOT_ARCHIVED if filter is None else filter_clauses(filter)
    plain = filter is None
    return await load_page(context, listing, order_of(order), ask, parent, where, repr(filter), plain=plain)


@batched(BOARD, "board_id", "number")
def name_of_card(root: Any, board: Any) -> str:
    """How people call it: `WEB-42`, the board's key and the card's number."""
    return f"{board.key if board else ''}-{root.number}"


@batched(COLUMN, "column_id")
def stage_of_card(root: Any, column: Any) -> Stage:
    """The stage of the column it stands in."""
    stage: Stage = column.stage
    return stage


def _column_if_late(card: Any) -> Any:
    return None if card.due_on is None or card.due_on >= utcnow().date() else card.column_id


@batched(COLUMN, _column_if_late, "due_on", "column_id")
def overdue(root: Any, column: Any) -> bool:
    """Whether it was due before today (UTC) and is not done."""
    return bool(column and column.stage is not Stage.DONE)


@dataclass(frozen=True)
class Move:
    stage: Stage
    reasons: list[Reason]

    @property
    def allowed(self) -> bool:
        return not self.reasons


async def moves_of_card(root: Parent[Any], info: Info) -> Any:
    """For each stage, whether the card may move there now, and if not, why: what a move would answer."""

    async def load(cards: list[Any]) -> list[list[Move]]:
        if info.context.actor.run_id is not None:  # and nothing is told of the cards that stand in the way
            never = [Reason(MoveGate.FORBIDDEN, "Its agent does not move a card")]
            return [[Move(stage, never) for stage in Stage] for _ in cards]
        boards = [await info.context.load(BOARD, id) for id in {card.board_id for card in cards}]
        seen = {board.id: board for board in boards if board}
        may = select(Board.id, role_in(info.context.actor, Board.workspace_id)).where(Board.id.in_(seen))
        writable = {id for id, role in await info.context.read(may) if role in WRITERS}
        every = await facts_of(info.context.read, seen, cards, writable=writable)
        return [[Move(stage, reasons_against(facts, stage)) for stage in Stage] for facts in every]

    return await info.context.loaders.through("moves", load).load(root)


async def allowed_stages(root: Parent[Any], info: Info) -> list[Stage]:
    """Where it may go now, in the order of the board: the short form of `moves`."""
    return [move.stage for move in await moves_of_card(root, info) if move.allowed]


async def revisions_of_card(
    root: Parent[Any],
    info: Info,
    first: Annotated[int, "How many of the newest: 1 to 50."] = 20,
) -> Any:
    """What the card said before each change, newest first. Moves and updates make revisions."""
    ask = PageArgs(first, most=MAX_REVISIONS)
    return (await load_page(info.context, REVISIONS_OF_CARD, NEWEST, ask, root.id)).rows


async def create_card(
    info: Info,
    board_id: Annotated[ID, "On which board."],
    title: Annotated[str, "1 to 255 characters."],
    description: Annotated[str, "Markdown."] = "",
    type: Annotated[CardType, "What kind of work it is."] = CardType.FEATURE,
    priority: Annotated[Priority, "How urgent it is."] = Priority.MEDIUM,
    size: Annotated[CardSize | None, "How big it is."] = None,
    story_points: Annotated[int | None, "0 to 99."] = None,
    due_on: Annotated[date | None, "The day it is due."] = None,
    parent_id: Annotated[ID | None, "The card it is a part of, on the same board."] = None,
    agent_profile_id: Annotated[
        ID | None, "The agent profile it is worked with; its board's default if left out."
    ] = None,
    column_id: Annotated[
        ID | None, "In which column; the board's first BACKLOG column if nothing is said."
    ] = None,
    stage: Annotated[Stage | None, "Instead of a column: the first of this stage that takes it."] = None,
    before: Annotated[ID | None, "The card it shall stand in front of."] = None,
    after: Annotated[ID | None, "The card it shall stand behind."] = None,
    top: Annotated[bool, "At the top of the column instead of the end."] = False,
) -> Any:
    """Make a card. It is born in the backlog, so the law lets it be made where a backlog card may go."""
    place = Placement(column_id, stage, before, after, top)
    new = NewCard(
        title,
        description,
        type,
        priority,
        size,
        story_points,
        due_on,
        parent_id,
        place,
        agent_profile_id,
    )
    async with info.context.transaction() as tx:
        return await actions.card.create_card(tx, info.context.actor, board_id, new)


@input_type
class NewCardInput:
    """One of several cards to be made together."""

    title: Annotated[str, "1 to 255 characters."]
    description: Annotated[str, "Markdown."] = ""
    type: Annotated[CardType, "What kind of work it is."] = CardType.FEATURE
    priority: Annotated[Priority, "How urgent it is."] = Priority.MEDIUM
    size: Annotated[CardSize | None, "How big it is."] = None
    story_points: Annotated[int | None, "0 to 99."] = None
    due_on: Annotated[date | None, "The day it is due."] = None
    parent_id: Annotated[ID | None, "The card it is a part of, on the same board."] = None
    agent_profile_id: Annotated[
        ID | None, "The agent profile it is worked with; its board's default if left out."
    ] = None


async def create_cards(
    info: Info,
    board_id: Annotated[ID, "On which board."],
    cards: Annotated[list[NewCardInput], "1 to 100 cards, in their order from the top."],
    column_id: Annotated[
        ID | None, "In which column; the board's first BACKLOG column if nothing is said."
    ] = None,
    stage: Annotated[Stage | None, "Instead of a column: the first of this stage that takes it."] = None,
) -> Any:
    """Make up to 100 cards at the end of one column, in order: all of them or none."""
    place = Placement(column_id, stage)
    news = [NewCard(**{name: getattr(card, name) for name in FIELDS}, place=place) for card in cards]
    async with info.context.transaction() as tx:
        made = await actions.card.create_cards(tx, info.context.actor, board_id, news)
        return ManyCards(made)


@dataclass(frozen=True)
class ManyCards:
    """Cards that were changed together."""

    cards: list[Card]


async def update_card(
    info: Info,
    id: Annotated[ID, "Which card."],
    title: Annotated[Maybe[str], "1 to 255 characters."],
    description: Annotated[Maybe[str | None], "Markdown; null empties it."],
    type: Annotated[Maybe[CardType], "What kind of work it is."],
    priority: Annotated[Maybe[Priority], "How urgent it is."],
    size: Annotated[Maybe[CardSize | None], "How big it is; null clears it."],
    story_points: Annotated[Maybe[int | None], "0 to 99; null clears it."],
    due_on: Annotated[Maybe[date | None], "The day it is due; null clears it."],
    agent_profile_id: Annotated[
        Maybe[ID | None], "The agent profile it is worked with; null: its board's default."
    ],
    column_id: Annotated[ID | None, "Also move it to the end of this column, as `moveCard` would."] = None,
    stage: Annotated[
        Stage | None,
        "Also move it to the first column of this stage that takes it; it stays where it is of that stage already.",
    ] = None,
    cancel_run: Annotated[bool, "Stop the agents that are at it; without it they refuse the move."] = False,
    if_version: IfVersion = None,
) -> Any:
    """Change a card. What is left out stays, null clears. With a column or stage it also moves."""
    changes = provided_fields(
        title=title,
        description=description,
        type=type,
        priority=priority,
        size=size,
        story_points=story_points,
        due_on=due_on,
        agent_profile_id=agent_profile_id,
    )
    async with info.context.transaction() as tx:
        return await actions.card.update_card(
            tx,
            info.context.actor,
            id,
            changes,
            place=Placement(column_id, stage),
            if_version=if_version,
            cancel_run=cancel_run,
        )


async def move_card(
    info: Info,
    id: Annotated[ID, "Which card."],
    column_id: Annotated[ID | None, "To which column; its own if nothing is said."] = None,
    stage: Annotated[Stage | None, "Instead of a column: the first of this stage that takes it."] = None,
    before: Annotated[ID | None, "The card it shall stand in front of."] = None,
    after: Annotated[ID | None, "The card it shall stand behind."] = None,
    top: Annotated[bool, "To the top instead of the end, where no neighbour is named."] = False,
    cancel_run: Annotated[bool, "Stop the agents that are at it; without it they refuse the move."] = False,
    if_version: IfVersion = None,
) -> Any:
    """Move a card to another column, or elsewhere in its own. Refused where the law of stages has no such move."""
    place = Placement(column_id, stage, before, after, top)
    async with info.context.transaction() as tx:
        return await actions.card.move_card(
            tx, info.context.actor, id, place, if_version=if_version, cancel_run=cancel_run
        )


async def move_cards(
    info: Info,
    ids: Annotated[list[ID], "1 to 100 cards of one board, in the order they shall stand in."],
    column_id: Annotated[ID | None, "To which column; their own if nothing is said."] = None,
    stage: Annotated[Stage | None, "Instead of a column: the first of this stage that takes them."] = None,
    before: Annotated[ID | None, "The card they shall stand in front of."] = None,
    after: Annotated[ID | None, "The card they shall stand behind."] = None,
    top: Annotated[bool, "To the top instead of the end, where no neighbour is named."] = False,
    cancel_run: Annotated[bool, "Stop the agents that are at them; without it they refuse the move."] = False,
) -> Any:
    """Move up to 100 cards to one place, one behind the other: all of them or, if one is refused, none."""
    place = Placement(column_id, stage, before, after, top)
    async with info.context.transaction() as tx:
        return ManyCards(
            await actions.card.move_cards(tx, info.context.actor, list(ids), place, cancel_run=cancel_run)
        )


async def archive_card(
    info: Info,
    id: Annotated[ID, "Which card."],
    cancel_run: Annotated[
        bool, "End the runs of agents that are at it; without it they are a Conflict."
    ] = False,
    if_version: IfVersion = None,
) -> Any:
    """Take a card off its board without deleting it."""
    async with info.context.transaction() as tx:
        return await actions.card.archive_card(
            tx, info.context.actor, id, cancel_run=cancel_run, if_version=if_version
        )


async def unarchive_card(
    info: Info,
    id: Annotated[ID, "Which card."],
    if_version: IfVersion = None,
) -> Any:
    """Bring a card back, to the end of the board's first BACKLOG column."""
    async with info.context.transaction() as tx:
        return await actions.card.unarchive_card(tx, info.context.actor, id, if_version=if_version)


async def delete_card(
    info: Info,
    id: Annotated[ID, "Which card."],
    detach_children: Annotated[
        bool, "Let its children go, to no parent; without it, a parent is refused."
    ] = False,
    cancel_run: Annotated[
        bool, "End the runs of agents that are at it; without it they are a Conflict."
    ] = False,
    if_version: IfVersion = None,
) -> Any:
    """Delete a card and what hangs on it. Answers the card as it was."""
    async with info.context.transaction() as tx:
        return await actions.card.delete_card(
            tx,
            info.context.actor,
            id,
            detach_children=detach_children,
            cancel_run=cancel_run,
            if_version=if_version,
        )


async def set_parent_card(
    info: Info,
    id: Annotated[ID, "Which card."],
    parent_id: Annotated[ID | None, "The card it becomes a part of; none if left out."] = None,
    if_version: IfVersion = None,
) -> Any:
    """Put a card under another of the same board, or under none. Circles are refused."""
    async with info.context.transaction() as tx:
        return await actions.card.set_parent(tx, info.context.actor, id, parent_id, if_version=if_version)


async def reject_card(
    info: Info,
    id: Annotated[ID, "Which card. It stands in REVIEW."],
    feedback: Annotated[str, "What is wrong: 1 to 10,000 characters, Markdown. The next run is told."],
) -> Any:
    """Send work back: the card goes to TODO, the feedback stands on it as a message, and a run goes on with it.

    The run goes on with what the last one that succeeded left, or the one that was chosen since that began: its
    branch, its conversation if that lives, its profile, permission and base. A Conflict names a profile that is
    switched off. Where no run succeeded the card only goes back, and the board's rule may ask for one.
    """
    async with info.context.transaction() as tx:
        return await actions.run.reject.reject_card(tx, info.context.actor, id, feedback)


async def restore_card_revision(
    info: Info,
    card_id: Annotated[ID, "Which card."],
    revision: Annotated[int, "The revision's number, `seq`."],
    if_version: IfVersion = None,
) -> Any:
    """Give a card back what it said before a change. Its column comes back too, if the law allows the move."""
    async with info.context.transaction() as tx:
        return await actions.revision.restore_card_revision(
            tx, info.context.actor, card_id, revision, if_version=if_version
        )
