"""Changes to groups: the tree of two levels that a story map shows, and the cards in it."""

from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import ColumnElement, delete, func, select

from actions import validation
from actions.card import change_card
from actions.changes import apply_changes
from actions.ordering import Position, rank_for
from auth.locking import lock_board, lock_group
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.graphql.types import one_of_input
from kit.ids import new_id
from models.actor import Actor
from models.board import Board, BoardColumn
from models.card import Card, image
from models.events.card import CardUpdated
from models.events.group import GroupCreated, GroupDeleted, GroupMoved, GroupUpdated
from models.group import MAX_GROUP_DESCRIPTION_LENGTH, MAX_GROUP_TITLE_LENGTH, MAX_GROUPS, Group
from models.refusal import Conflict, Invalid, NotFound

GREY = "#B3BAC5"  # of a group without a color
TWO_LEVELS = "A workflow has activities, and an activity has none: a group with a parent has no groups in it"


@one_of_input
class GroupCardsInput:
    """The fate of the cards of a deleted group and of its activities."""

    move_to: Annotated[Id | None, "Move them to this group, which is not deleted with it."] = None
    ungroup: Annotated[bool | None, "Leave them on the board without a group. Must be true."] = None


@dataclass(frozen=True)
class DeletedGroup:
    """A group that is gone, and the number of its cards."""

    group: Group
    card_count: int


async def create_group(
    tx: Transaction,
    actor: Actor,
    *,
    board_id: Annotated[Id, "The board. It has at most 200 groups."],
    title: Annotated[str, "1 to 100 characters."],
    description: Annotated[str, "Markdown, at most 10,000 characters."] = "",
    colour: Annotated[str, "#RRGGBB; default: grey."] = GREY,
    parent_id: Annotated[Id | None, "The workflow it is an activity of; default: it is a workflow."] = None,
    position: Position = None,
) -> Group:
    """Create a group of cards: a workflow, or an activity of one.

    Raises Conflict if the board has 200 groups or the parent is an activity, Invalid if the neighbor has another
    parent.
    """
    board = await lock_board(tx, actor, board_id)
    title = validation.single_line("title", title, MAX_GROUP_TITLE_LENGTH)
    description = validation.multiline("description", description, MAX_GROUP_DESCRIPTION_LENGTH)
    colour = validation.colour("colour", colour)
    of_board = select(func.count()).select_from(Group).where(Group.board_id == board.id)
    if (await tx.scalar(of_board) or 0) >= MAX_GROUPS:
        raise Conflict(f"A board has at most {MAX_GROUPS} groups", board.id)
    if parent_id is not None:
        await _check_parent(tx, board, parent_id)
    group = Group(
        id=new_id("group"),
        board_id=board.id,
        parent_id=parent_id,
        title=title,
        description=description,
        colour=colour,
        rank=await rank_for(tx, Group, _lane(board.id, parent_id), None, position),
        version=1,
    )
    tx.add(group)
    created = GroupCreated(group_id=group.id, title=group.title, parent_id=group.parent_id, rank=group.rank)
    tx.emit(board, created)
    await tx.flush()  # the caller reads it
    return group


async def update_group(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The group."],
    title: Annotated[Maybe[str], "1 to 100 characters."] = None,
    description: Annotated[Maybe[str | None], "Markdown; null empties it."] = None,
    colour: Annotated[Maybe[str], "#RRGGBB."] = None,
    if_version: IfVersion = None,
) -> Group:
    """Change a group. Fields that are left out keep their values. Raises Stale."""
    board, group = await lock_group(tx, actor, id)
    group.expect(if_version)
    clean = provided_fields(title=title, description=description, colour=colour)
    if "title" in clean:
        clean["title"] = validation.single_line("title", clean["title"], MAX_GROUP_TITLE_LENGTH)
    if "description" in clean:
        text = validation.multiline("description", clean["description"], MAX_GROUP_DESCRIPTION_LENGTH)
        clean["description"] = text
    if "colour" in clean:
        clean["colour"] = validation.colour("colour", clean["colour"])
    changes = apply_changes(group, clean)
    if changes:
        tx.emit(board, GroupUpdated(group_id=group.id, changes=changes))
    return group


async def move_group(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The group."],
    parent_id: Annotated[
        Maybe[Id | None],
        "The workflow it becomes an activity of; null: it becomes a workflow. Default: its own.",
    ] = None,
    position: Position = None,
    if_version: IfVersion = None,
) -> Group:
    """Move a group with its activities and cards: among its siblings, or to another parent.

    Raises Stale, Conflict if that made a third level, or Invalid if the neighbor has another parent.
    """
    board, group = await lock_group(tx, actor, id)
    group.expect(if_version)
    to = provided_fields(parent_id=parent_id).get("parent_id", group.parent_id)
    if to is not None and to != group.parent_id:
        if to == group.id:
            raise Invalid(("parentId", "is the group itself"))
        await _check_parent(tx, board, to)
        inside = await tx.scalar(select(Group.id).where(Group.parent_id == group.id).limit(1))
        if inside is not None:
            raise Conflict(TWO_LEVELS, inside)
    group.rank = await rank_for(tx, Group, _lane(board.id, to), group.id, position)
    changes = apply_changes(group, {"parent_id": to})
    if not changes:
        group.version += 1
    tx.emit(board, GroupMoved(group_id=group.id, parent_id=to, rank=group.rank, changes=changes))
    await tx.flush()
    return group


async def delete_group(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The group."],
    cards: Annotated[
        GroupCardsInput | None,
        "The fate of its cards and of those of its activities. Required if there are any.",
    ] = None,
    if_version: IfVersion = None,
) -> DeletedGroup:
    """Delete a group with its activities. Returns the group as it was and the number of its cards.

    Raises Stale, Conflict if cards are in it and `cards` is not given, or NotFound for a group of another board.
    """
    board, group = await lock_group(tx, actor, id)
    group.expect(if_version)
    activities = list(await tx.scalars(select(Group.id).where(Group.parent_id == id).order_by(Group.rank)))
    gone = [id, *activities]
    target = await _target(tx, board, cards, gone)
    inside = list(await tx.scalars(select(Card).where(Card.group_id.in_(gone)).order_by(Card.number)))
    if inside and cards is None:
        count = "1 card" if len(inside) == 1 else f"{len(inside)} cards"
        raise Conflict(f"The group has {count}; give cards: moveTo or ungroup", inside[0].id)
    batch = new_id("batch") if inside else None
    if inside:
        columns = select(BoardColumn.id, BoardColumn.stage).where(BoardColumn.board_id == board.id)
        stages = dict(list(await tx.execute(columns)))
        for card in inside:
            before = image(card) | {"stage": stages[card.column_id]}
            changes = apply_changes(card, {"group_id": target})
            updated = CardUpdated(card_id=card.id, changes=changes, before=before)
            tx.emit(board, updated, correlation_id=batch)
    await tx.flush()  # the cards have left before the group goes
    await tx.execute(delete(Group).where(Group.id.in_(gone)).execution_options(synchronize_session=False))
    for row in [row for row in tx.sync_session.identity_map.values() if isinstance(row, Group)]:
        if row.id in gone:
            tx.expunge(row)
    deleted = GroupDeleted(
        group_id=id,
        title=group.title,
        moved_to=target,
        activity_ids=activities,
        card_ids=[card.id for card in inside],
    )
    tx.emit(board, deleted, correlation_id=batch)
    return DeletedGroup(group, len(inside))


async def set_card_group(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The card."],
    group_id: Annotated[Id | None, "The group it is put into; null: none."] = None,
    if_version: IfVersion = None,
) -> Card:
    """Put a card into a group of its board, or into none. Raises Stale."""
    return await change_card(tx, actor, id, {"group_id": group_id}, if_version=if_version)


async def _target(
    tx: Transaction, board: Board, cards: GroupCardsInput | None, gone: list[str]
) -> str | None:
    """Return the group that the cards are moved to; None: they are in none. Raises NotFound, Invalid."""
    if cards is None or cards.move_to is None:
        if cards is not None and not cards.ungroup:
            raise Invalid(("cards.ungroup", "must be true"))
        return None
    if cards.move_to in gone:
        raise Invalid(("cards.moveTo", "is deleted with the group"))
    found = await tx.scalar(select(Group.id).where(Group.id == cards.move_to, Group.board_id == board.id))
    if found is None:
        raise NotFound(cards.move_to)
    return found


async def _check_parent(tx: Transaction, board: Board, parent_id: str) -> None:
    """Raise NotFound or Conflict unless a group of the board may have activities."""
    query = select(Group.id, Group.parent_id).where(Group.id == parent_id, Group.board_id == board.id)
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        raise NotFound(parent_id)
    if row.parent_id is not None:
        raise Conflict(TWO_LEVELS, parent_id)


def _lane(board_id: str, parent_id: str | None) -> ColumnElement[bool]:
    return (Group.board_id == board_id) & (Group.parent_id == parent_id)  # None becomes IS NULL
