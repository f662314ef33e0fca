"""Changes of many cards at once: all or none, in a fixed number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Annotated, Any

from sqlalchemy import select

from actions import validation
from actions.card import ManyCards, validate_card
from actions.changes import apply_changes
from actions.labels_and_assignees import LIMITS, TOO_MANY
from actions.notice import create_notices
from actions.run.dispatch import reprioritise
from auth.locking import lock_cards
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from kit.graphql.types import input_type, one_of_input
from kit.ids import new_id
from models.actor import Actor
from models.board import Board, BoardColumn
from models.card import MAX_AT_ONCE, Card, CardAssignee, CardLabel, CardSize, CardType, Priority, image
from models.events.card import (
    Assigned,
    AssigneeAdded,
    AssigneeRemoved,
    CardsUpdated,
    CardUpdated,
    LabelAdded,
    LabelRemoved,
    Unassigned,
)
from models.group import Group
from models.notice import NotificationType
from models.refusal import Conflict, Invalid, NotFound
from models.topic import user_scope
from models.workspace import Label, Membership

MAX_SHIFT_DAYS = 3_650


@one_of_input
class PointsChangeInput:
    """A change of story points."""

    set: Annotated[int | None, "0 to 99."] = None
    add: Annotated[int | None, "Added; negative: taken away. Cards without points stay without."] = None
    clear: Annotated[bool | None, "Must be true."] = None


@one_of_input
class DayChangeInput:
    """A change of due dates."""

    set: Annotated[date | None, "The day."] = None
    shift_days: Annotated[int | None, "Days later; negative: earlier. Cards without a date stay without."] = (
        None
    )
    clear: Annotated[bool | None, "Must be true."] = None


@input_type
class TextChangeInput:
    """A change of texts. A text that has the prefix or suffix already gets it again."""

    prefix: Annotated[str, "Put before the text."] = ""
    suffix: Annotated[str, "Put behind the text."] = ""


@one_of_input
class ListChangeInput:
    """A change of labels or assignees."""

    add: Annotated[list[Id] | None, "Added where they are missing."] = None
    remove: Annotated[list[Id] | None, "Removed where they are."] = None
    replace: Annotated[list[Id] | None, "Take the place of all there are; an empty list removes all."] = None


async def bulk_update_cards(
    tx: Transaction,
    actor: Actor,
    *,
    ids: Annotated[list[Id], "1 to 100 cards of one board."],
    title: Annotated[TextChangeInput | None, "Put before and behind each title."] = None,
    description: Annotated[TextChangeInput | None, "Put before and behind each description."] = None,
    type: Annotated[CardType | None, "The kind of work."] = None,
    priority: Annotated[Priority | None, "The urgency."] = None,
    size: Annotated[CardSize | None, "The size of the work."] = None,
    story_points: Annotated[PointsChangeInput | None, "The story points."] = None,
    due_on: Annotated[DayChangeInput | None, "The due dates."] = None,
    group_id: Annotated[Id | None, "The group of the story map that they are put into."] = None,
    labels: Annotated[ListChangeInput | None, "Labels of the workspace."] = None,
    assignees: Annotated[ListChangeInput | None, "Members of the workspace."] = None,
) -> ManyCards:
    """Change up to 100 cards alike: all or none.

    The events of the cards share a correlation id, and `CardsUpdated` with that id ends them. Raises Invalid with
    the path `ids.N.field` for a card whose value would be out of range, NotFound for a label, a person or a group
    of another workspace or board, and Conflict for more than 20 labels or assignees on a card.
    """
    validation.distinct("ids", validation.at_most("ids", ids, MAX_AT_ONCE))
    fixed = {"type": type, "priority": priority, "size": size, "group_id": group_id}
    fixed = {name: value for name, value in fixed.items() if value is not None}
    if not fixed and all(
        part is None for part in (title, description, story_points, due_on, labels, assignees)
    ):
        raise Invalid(("ids", "need at least one change"))
    board, cards = await lock_cards(tx, actor, ids)
    if group_id is not None:
        found = select(Group.id).where(Group.id == group_id, Group.board_id == board.id)
        if await tx.scalar(found) is None:
            raise NotFound(group_id)
    stages = dict(
        list(
            await tx.execute(
                select(BoardColumn.id, BoardColumn.stage).where(BoardColumn.board_id == board.id)
            )
        )
    )
    batch = new_id("batch")
    changed: set[str] = set()
    urgent: list[Card] = []
    with tx.correlated(batch):
        for number, card in enumerate(cards):
            given = {
                **fixed,
                **_text("title", card.title, title),
                **_text("description", card.description, description),
                **_points(card, story_points),
                **_day(card, due_on, f"ids.{number}.dueOn"),
            }
            clean = validate_card(given, f"ids.{number}.")
            before = image(card) | {"stage": stages[card.column_id]}
            if changes := apply_changes(card, clean):
                changed.add(card.id)
                tx.emit(board, CardUpdated(card_id=card.id, changes=changes, before=before))
            if "priority" in changes:
                urgent.append(card)
        if urgent:
            await reprioritise(tx, *urgent)
        changed |= await _change_labels(tx, board, cards, labels)
        changed |= await _change_assignees(tx, actor, board, cards, assignees)
        if changed:
            tx.emit(board, CardsUpdated(board_id=board.id, card_ids=[id for id in ids if id in changed]))
    await tx.flush()
    return ManyCards(cards)


def _text(name: str, text: str, change: TextChangeInput | None) -> dict[str, Any]:
    return {} if change is None else {name: f"{change.prefix}{text}{change.suffix}"}


def _points(card: Card, change: PointsChangeInput | None) -> dict[str, Any]:
    if change is None:
        return {}
    if change.add is not None:
        return {} if card.story_points is None else {"story_points": card.story_points + change.add}
    if change.set is None and not change.clear:
        raise Invalid(("storyPoints.clear", "must be true"))
    return {"story_points": change.set}


def _day(card: Card, change: DayChangeInput | None, path: str) -> dict[str, Any]:
    if change is None:
        return {}
    if change.shift_days is not None:
        validation.in_range("dueOn.shiftDays", change.shift_days, -MAX_SHIFT_DAYS, MAX_SHIFT_DAYS)
        if card.due_on is None:
            return {}
        try:
            return {"due_on": card.due_on + timedelta(days=change.shift_days)}
        except OverflowError:
            raise Invalid((path, "is no day")) from None
    if change.set is None and not change.clear:
        raise Invalid(("dueOn.clear", "must be true"))
    return {"due_on": change.set}


async def _change_labels(
    tx: Transaction, board: Board, cards: Sequence[Card], change: ListChangeInput | None
) -> set[str]:
    """Change the labels of cards. Returns the ids of the cards that changed."""
    if change is None:
        return set()
    named = _named("labels", change)
    query = select(Label).where(Label.id.in_(named), Label.workspace_id == board.workspace_id)
    names = {label.id: label.name for label in await tx.scalars(query.with_for_update(read=True))}
    _require_all(named, names)
    there = await _there(tx, CardLabel, CardLabel.label_id, cards)
    changed = set()
    gone = {id for mine in there.values() for id in mine} - names.keys()
    if change.replace is not None and gone:
        rows = await tx.execute(select(Label.id, Label.name).where(Label.id.in_(gone)))
        names |= {row.id: row.name for row in rows}
    for card, added, removed in _differences(CardLabel, cards, there, change):
        for id in removed:
            await tx.delete(there[card.id][id])
            tx.emit(board, LabelRemoved(card_id=card.id, label_id=id, name=names[id]))
        for id in added:
            tx.add(CardLabel(card_id=card.id, label_id=id, board_id=board.id))
            tx.emit(board, LabelAdded(card_id=card.id, label_id=id, name=names[id]))
        changed.add(card.id)
    return changed


async def _change_assignees(
    tx: Transaction, actor: Actor, board: Board, cards: Sequence[Card], change: ListChangeInput | None
) -> set[str]:
    """Change the assignees of cards, who get one notification each. Returns the ids of the cards that changed."""
    if change is None:
        return set()
    named = _named("assignees", change)
    members = Membership.workspace_id == board.workspace_id, Membership.user_id.in_(named)
    there = await _there(tx, CardAssignee, CardAssignee.user_id, cards)
    known = set(await tx.scalars(select(Membership.user_id).where(*members).with_for_update(read=True)))
    if change.remove is not None:  # who has left may still be assigned
        known |= {id for mine in there.values() for id in mine}
    _require_all(named, known)
    changed = set()
    counts: dict[str, int] = defaultdict(int)
    for card, added, removed in _differences(CardAssignee, cards, there, change):
        for id in removed:
            await tx.delete(there[card.id][id])
            tx.emit(board, AssigneeRemoved(card_id=card.id, user_id=id))
            tx.emit(user_scope(id), Unassigned(board_id=board.id, card_id=card.id, title=card.title))
        for id in added:
            tx.add(CardAssignee(card_id=card.id, user_id=id, board_id=board.id))
            tx.emit(board, AssigneeAdded(card_id=card.id, user_id=id))
            tx.emit(user_scope(id), Assigned(board_id=board.id, card_id=card.id, title=card.title))
            counts[id] += 1
        changed.add(card.id)
    about = {"workspace_id": board.workspace_id, "board_id": board.id, "card_id": None}
    for count in set(counts.values()):
        people = [id for id, number in counts.items() if number == count and id != actor.id]
        title = f"{count} cards of {board.name} were assigned to you"[:200]
        if people:
            await create_notices(tx, people, NotificationType.ASSIGNED, title, "", **about)
    return changed


def _named(path: str, change: ListChangeInput) -> list[str]:
    for name in ("add", "remove", "replace"):
        named: list[str] | None = getattr(change, name)
        if named is not None:
            at = f"{path}.{name}"
            validation.distinct(
                at, validation.at_most(at, named, MAX_AT_ONCE, least=0 if name == "replace" else 1)
            )
            return named
    raise Invalid((path, "must add, remove or replace"))


def _require_all(named: Iterable[str], known: Any) -> None:
    for id in named:
        if id not in known:
            raise NotFound(id)


async def _there(
    tx: Transaction, table: Any, column: Any, cards: Sequence[Card]
) -> dict[str, dict[str, Any]]:
    """Read the rows of a link table by card and target."""
    there: dict[str, dict[str, Any]] = {card.id: {} for card in cards}
    for row in await tx.scalars(select(table).where(table.card_id.in_(list(there))).with_for_update()):
        there[row.card_id][getattr(row, column.key)] = row
    return there


def _differences(
    table: Any, cards: Sequence[Card], there: dict[str, dict[str, Any]], change: ListChangeInput
) -> Iterable[tuple[Card, list[str], list[str]]]:
    """Yield the cards that change, with the ids that they get and lose. Raises Conflict for too many."""
    for card in cards:
        mine = there[card.id]
        wanted = change.replace if change.replace is not None else change.add or []
        added = [id for id in wanted if id not in mine]
        removed = [id for id in change.remove or () if id in mine]
        if change.replace is not None:
            removed = [id for id in mine if id not in change.replace]
        if len(mine) + len(added) - len(removed) > LIMITS[table] and added:
            raise Conflict(TOO_MANY[table], card.id)
        if added or removed:
            yield card, added, removed
