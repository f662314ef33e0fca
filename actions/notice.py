"""What people should look at: written in the transaction that causes it, and what they do with it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update

from actions import validation
from auth.permissions import sees_workspace
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.ids import new_id
from models.account import User
from models.actor import Actor
from models.board import Board
from models.card import Card, CardAssignee
from models.events.notice import Notified
from models.notice import MAX_KEPT, Notification, NotificationType
from models.refusal import Forbidden, NotFound
from models.run import Run
from models.topic import user_scope
from models.workspace import Membership

MAX_MENTIONED = 20  # in one message
MAX_MARKED_READ = 100  # notifications marked at once
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)  # what is quoted calls nobody
MENTION = re.compile(r"(?<![\w@./-])@(\w[\w.-]{2,39})")


@dataclass(frozen=True)
class NoticeText:
    """What a notification says."""

    type: NotificationType
    title: str
    body: str = ""


async def create_notices(
    tx: Transaction, users: Iterable[str], type: NotificationType, title: str, body: str = "", **about: Any
) -> None:
    """Tell each of these people one thing: see `notify_of`."""
    await notify_of(tx, users, [NoticeText(type, title, body)], **about)


async def notify_of(
    tx: Transaction,
    users: Iterable[str],
    said: Sequence[NoticeText],
    *,
    workspace_id: str,
    board_id: str | None = None,
    card_id: str | None = None,
    run_id: str | None = None,
    question_id: str | None = None,
) -> None:
    """Tell each of these people what is said, in this order. Of one person the newest MAX_KEPT are kept.

    The caller says who may hear it: `people_of`, or members it has looked up. Two statements, whatever is said.
    """
    to = sorted(set(users))
    if not to or not said:
        return
    now = utcnow()
    about = {"board_id": board_id, "card_id": card_id, "run_id": run_id, "question_id": question_id}
    stamps = {"read_at": None, "created_at": now, "updated_at": now}
    rows: list[dict[str, Any]] = [
        {
            "id": new_id("notice"),
            "user_id": user,
            "type": one.type,
            "title": one.title[:255],
            "body": one.body,
            "workspace_id": workspace_id,
            **about,
            **stamps,
        }
        for one in said
        for user in to
    ]
    await tx.execute(insert(Notification), rows)
    await _forget(tx, to)
    for row in rows:
        notified = Notified(
            notification_id=row["id"],
            type=row["type"],
            title=row["title"],
            workspace_id=workspace_id,
            board_id=board_id,
            card_id=card_id,
            run_id=run_id,
            question_id=question_id,
        )
        tx.emit(user_scope(row["user_id"]), notified)


async def _forget(tx: Transaction, users: Sequence[str]) -> None:
    """Let go of what is too old to be kept."""
    place = func.row_number().over(partition_by=Notification.user_id, order_by=Notification.id.desc())
    theirs = select(Notification.id, place.label("place")).where(Notification.user_id.in_(users)).subquery()
    old = select(theirs.c.id).where(theirs.c.place > MAX_KEPT)
    gone = delete(Notification).where(Notification.id.in_(old))
    await tx.execute(gone, execution_options={"synchronize_session": False})


async def people_of(tx: Transaction, card: Card, run: Run | None = None) -> list[str]:
    """Who should hear of a card, or of a run on it: who asked for the run, who made the card, its assignees.

    Only people that are members now. One statement.
    """
    makers = [id for id in (run.created_by if run else None, card.created_by) if id is not None]
    assigned = select(CardAssignee.user_id).where(CardAssignee.card_id == card.id)
    workspace = select(Board.workspace_id).where(Board.id == card.board_id).scalar_subquery()
    query = select(Membership.user_id).where(
        Membership.workspace_id == workspace,
        or_(Membership.user_id.in_(makers), Membership.user_id.in_(assigned)),
    )
    return sorted(set(await tx.scalars(query)))


def mentioned(text: str) -> list[str]:
    """The names that a text calls with @, folded, in order, each once; at most MAX_MENTIONED."""
    names: dict[str, None] = {}
    for name in MENTION.findall(CODE.sub(" ", text)):
        names.setdefault(validation.folded(name.rstrip(".-")))
    return list(names)[:MAX_MENTIONED]


async def notify_mentioned(
    tx: Transaction, actor: Actor, board: Board, card_id: str, text: str, *, before: str = ""
) -> None:
    """Tell the members that a text calls, and that it did not call `before`. Nobody is told of themselves."""
    known = set(mentioned(before))
    names = [name for name in mentioned(text) if name not in known]
    if not names:
        return
    query = select(User.id).join(Membership, Membership.user_id == User.id)
    here = Membership.workspace_id == board.workspace_id, User.username_folded.in_(names)
    users = [id for id in await tx.scalars(query.where(*here)) if id != actor.id]
    card = await tx.get_one(Card, card_id)
    title = f"You were mentioned on {board.key}-{card.number}"
    about = {"workspace_id": board.workspace_id, "board_id": board.id, "card_id": card.id}
    await create_notices(tx, users, NotificationType.MENTIONED, title, card.title, **about)


def lock_own_notifications(actor: Actor) -> list[Any]:
    """That a notification is the actor's to see: addressed to it, and of a workspace it still belongs to."""
    return [Notification.user_id == actor.id, sees_workspace(actor, Notification.workspace_id)]


def _person(actor: Actor) -> None:
    if not actor.is_person:
        raise Forbidden("Notifications are for people")


async def mark_read(tx: Transaction, actor: Actor, ids: Sequence[str]) -> list[Notification]:
    """Note that these were read: all of them, or NotFound names one that is not there."""
    _person(actor)
    validation.at_most("ids", list(ids), MAX_MARKED_READ)
    query = (
        select(Notification)
        .where(*lock_own_notifications(actor), Notification.id.in_(ids))
        .order_by(Notification.id)
    )
    found = {row.id: row for row in await tx.scalars(query.with_for_update(of=Notification))}
    for id in ids:
        if id not in found:
            raise NotFound(id)
    now = utcnow()
    for row in found.values():
        row.read_at = row.read_at or now
    return [found[id] for id in dict.fromkeys(ids)]


async def mark_all_read(tx: Transaction, actor: Actor, workspace_id: str | None = None) -> int:
    """Note that everything was read, or everything of one workspace. Answers how many had not been."""
    _person(actor)
    unread = update(Notification).where(*lock_own_notifications(actor), Notification.read_at.is_(None))
    if workspace_id is not None:
        unread = unread.where(Notification.workspace_id == workspace_id)
    options = {"synchronize_session": False}
    done = await tx.execute(unread.values(read_at=utcnow()), execution_options=options)
    return int(done.rowcount)  # type: ignore[attr-defined]


async def delete_notification(tx: Transaction, actor: Actor, id: str) -> Notification:
    """Let go of a notification. Answers it as it was."""
    _person(actor)
    query = select(Notification).where(*lock_own_notifications(actor), Notification.id == id)
    row: Notification | None = await tx.scalar(query.with_for_update(of=Notification))
    if row is None:
        raise NotFound(id)
    await tx.execute(delete(Notification).where(Notification.id == id))
    tx.expunge(row)
    return row
