"""Notifications: written in the transaction of their cause, then read and deleted by their owner."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from actions import validation
from actions.job import enqueue_job
from auth.permissions import sees_workspace
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from kit.ids import new_id
from models.account import User
from models.actor import Actor
from models.board import Board
from models.card import Card, CardAssignee
from models.events.notice import Notified
from models.notice import MAX_CAUSE_LENGTH, MAX_KEPT, Notification, NotificationType
from models.preferences import Preferences, preferences_of
from models.refusal import Forbidden, NotFound
from models.run import Run
from models.topic import user_scope
from models.watch import Watch, WatchLevel
from models.workspace import Membership

NOTICE_MAIL = "notice.mail"  # its handler: actions/notice_mail.py
MAX_ROWS_PER_INSERT = 500
MAX_MENTIONED = 20  # in one message
MAX_MARKED_READ = 100  # notifications marked at once
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)  # code mentions nobody
MENTION = re.compile(r"(?<![\w@./-])@(\w[\w.-]{2,39})")


@dataclass(frozen=True)
class NoticeText:
    """The content of a notification."""

    type: NotificationType
    title: str
    body: str = ""


async def create_notices(
    tx: Transaction, users: Iterable[str], type: NotificationType, title: str, body: str = "", **about: Any
) -> None:
    """Create one notification for each of these people; see `notify_of`."""
    await notify_of(tx, users, [NoticeText(type, title, body)], **about)


async def notify_of(
    tx: Transaction,
    users: Iterable[str],
    texts: Sequence[NoticeText],
    *,
    workspace_id: str,
    board_id: str | None = None,
    card_id: str | None = None,
    run_id: str | None = None,
    question_id: str | None = None,
    cause: str | None = None,
) -> None:
    """Create these notifications, in this order, for each of these people. A person keeps the newest MAX_KEPT.

    The caller checks that they may see them: `people_of`, or members it has looked up. Those who muted a type, the
    board or the card do not get it. Of one `cause` a person is notified once. Takes three statements.
    """
    recipients = sorted(set(users))
    if not recipients or not texts:
        return
    wishes = await _load_wishes(tx, recipients, board_id, card_id)
    now = utcnow()
    about = {"board_id": board_id, "card_id": card_id, "run_id": run_id, "question_id": question_id}
    stamps = {"read_at": None, "mailed_at": None, "created_at": now, "updated_at": now}
    rows: list[dict[str, Any]] = [
        {
            "id": new_id("notice"),
            "user_id": user,
            "type": text.type,
            "title": text.title[:255],
            "body": text.body,
            "workspace_id": workspace_id,
            "cause": cause and cause[:MAX_CAUSE_LENGTH],
            **about,
            **stamps,
        }
        for text in texts
        for user in recipients
        if user not in wishes or wishes[user].wants(text.type)
    ]
    if cause is not None:
        assert len(texts) == 1, "a cause has one notification"
        rows = await _insert_new(tx, rows)
    elif rows:
        await tx.execute(insert(Notification), rows)
    if not rows:
        return
    await _delete_oldest(tx, recipients)
    mailed = [
        row["id"]
        for row in rows
        if row["user_id"] in wishes and wishes[row["user_id"]].is_mailed(row["type"])
    ]
    if mailed:
        await enqueue_job(tx, NOTICE_MAIL, {"ids": mailed}, workspace_id=workspace_id)
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


@dataclass(frozen=True)
class _Wishes:
    """The wishes of a person about notifications of a board or a card."""

    preferences: Preferences
    is_muted: bool

    def wants(self, type: NotificationType) -> bool:
        return not self.is_muted and type not in self.preferences.muted_notifications

    def is_mailed(self, type: NotificationType) -> bool:
        return type in self.preferences.mailed_notifications


async def _load_wishes(
    tx: Transaction, users: Sequence[str], board_id: str | None, card_id: str | None
) -> dict[str, _Wishes]:
    """Load the wishes of those who have any. A card's own level counts before its board's."""
    own = Watch.user_id == User.id
    level_of_card = select(Watch.level).where(own, Watch.subject_id == (card_id or "")).scalar_subquery()
    level_of_board = select(Watch.level).where(own, Watch.subject_id == (board_id or "")).scalar_subquery()
    level = func.coalesce(level_of_card, level_of_board)
    query = select(User.id, User.preferences, level).where(User.id.in_(users))
    rows = await tx.execute(query.where(or_(User.preferences.is_not(None), level == WatchLevel.MUTED)))
    return {
        id: _Wishes(preferences_of(stored), is_muted=str(level) == WatchLevel.MUTED)
        for id, stored, level in rows
    }


async def _insert_new(tx: Transaction, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Insert the rows whose person was not notified of their cause. Returns them."""
    upsert = insert_on_postgresql if queue.is_postgres(tx) else insert_on_sqlite
    ids: set[str] = set()
    for start in range(0, len(rows), MAX_ROWS_PER_INSERT):
        statement = upsert(Notification).values(rows[start : start + MAX_ROWS_PER_INSERT])
        statement = statement.on_conflict_do_nothing(index_elements=["user_id", "cause"])
        ids |= set(await tx.scalars(statement.returning(Notification.id)))
    return [row for row in rows if row["id"] in ids]


def message_cause(message_id: str) -> str:
    """Return the cause of the notifications of a message: to those it mentions, and to watchers."""
    return f"message {message_id}"


async def _delete_oldest(tx: Transaction, users: Sequence[str]) -> None:
    """Delete all but the newest MAX_KEPT notifications of each person."""
    place = func.row_number().over(partition_by=Notification.user_id, order_by=Notification.id.desc())
    ranked = select(Notification.id, place.label("place")).where(Notification.user_id.in_(users)).subquery()
    old = select(ranked.c.id).where(ranked.c.place > MAX_KEPT)
    deletion = delete(Notification).where(Notification.id.in_(old))
    await tx.execute(deletion, execution_options={"synchronize_session": False})


async def people_of(tx: Transaction, card: Card, run: Run | None = None) -> list[str]:
    """List the people concerned with a card, or a run on it: the creators of both, the assignees and the watchers.

    Only current members of the workspace are listed. Takes one statement.
    """
    creators = [id for id in (run.created_by if run else None, card.created_by) if id is not None]
    assigned = select(CardAssignee.user_id).where(CardAssignee.card_id == card.id)
    watched = Watch.subject_id.in_([card.id, card.board_id]), Watch.level == WatchLevel.WATCHING
    watching = select(Watch.user_id).where(*watched)
    workspace = select(Board.workspace_id).where(Board.id == card.board_id).scalar_subquery()
    query = select(Membership.user_id).where(
        Membership.workspace_id == workspace,
        or_(
            Membership.user_id.in_(creators),
            Membership.user_id.in_(assigned),
            Membership.user_id.in_(watching),
        ),
    )
    return sorted(set(await tx.scalars(query)))


def mentioned(text: str) -> list[str]:
    """List the distinct usernames that a text mentions with @, folded, in order; at most MAX_MENTIONED."""
    names: dict[str, None] = {}
    for name in MENTION.findall(CODE.sub(" ", text)):
        names.setdefault(validation.folded(name.rstrip(".-")))
    return list(names)[:MAX_MENTIONED]


async def notify_mentioned(
    tx: Transaction,
    actor: Actor,
    board: Board,
    card_id: str,
    text: str,
    *,
    before: str = "",
    cause: str | None = None,
) -> None:
    """Notify the members that a text mentions, except those that `before` mentions already and the actor."""
    known = set(mentioned(before))
    names = [name for name in mentioned(text) if name not in known]
    if not names:
        return
    query = select(User.id).join(Membership, Membership.user_id == User.id)
    query = query.where(Membership.workspace_id == board.workspace_id, User.username_folded.in_(names))
    users = [id for id in await tx.scalars(query) if id != actor.id]
    card = await tx.get_one(Card, card_id)
    title = f"You were mentioned on {board.key}-{card.number}"
    about = {"workspace_id": board.workspace_id, "board_id": board.id, "card_id": card.id}
    await create_notices(tx, users, NotificationType.MENTIONED, title, card.title, cause=cause, **about)


@dataclass(frozen=True)
class NotificationsRead:
    """Notifications that were marked as read."""

    notifications: list[Notification]


@dataclass(frozen=True)
class AllNotificationsRead:
    """The number of notifications that were marked as read."""

    count: int


def sees_notification(actor: Actor) -> ColumnElement[bool]:
    """A notification of the actor, in a workspace that it may still see."""
    is_invitation = Notification.type == NotificationType.INVITED  # to a workspace that it does not see yet
    return and_(
        Notification.user_id == actor.id, or_(is_invitation, sees_workspace(actor, Notification.workspace_id))
    )


def _require_person(actor: Actor) -> None:
    if not actor.is_person:
        raise Forbidden("Only a person has notifications")


async def mark_notifications_read(
    tx: Transaction, actor: Actor, *, ids: Annotated[list[Id], "Your notifications, 1 to 100."]
) -> NotificationsRead:
    """Mark notifications as read: all of them or none. Idempotent. Raises NotFound for the first unknown id."""
    _require_person(actor)
    validation.at_most("ids", ids, MAX_MARKED_READ)
    query = select(Notification).where(sees_notification(actor), Notification.id.in_(ids))
    locked = await tx.scalars(query.order_by(Notification.id).with_for_update(of=Notification))
    by_id = {row.id: row for row in locked}
    for id in ids:
        if id not in by_id:
            raise NotFound(id)
    now = utcnow()
    for row in by_id.values():
        row.read_at = row.read_at or now
    return NotificationsRead([by_id[id] for id in dict.fromkeys(ids)])


async def mark_all_notifications_read(
    tx: Transaction,
    actor: Actor,
    *,
    workspace_id: Annotated[Id | None, "Only notifications of this workspace; default: all."] = None,
) -> AllNotificationsRead:
    """Mark all your notifications as read."""
    _require_person(actor)
    unread = update(Notification).where(sees_notification(actor), Notification.read_at.is_(None))
    if workspace_id is not None:
        unread = unread.where(Notification.workspace_id == workspace_id)
    options = {"synchronize_session": False}
    result = await tx.execute(unread.values(read_at=utcnow()), execution_options=options)
    return AllNotificationsRead(int(result.rowcount))  # type: ignore[attr-defined]


async def delete_notification(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "Your notification."]
) -> Notification:
    """Delete a notification. Returns it as it was."""
    _require_person(actor)
    query = select(Notification).where(sees_notification(actor), Notification.id == id)
    row: Notification | None = await tx.scalar(query.with_for_update(of=Notification))
    if row is None:
        raise NotFound(id)
    await tx.execute(delete(Notification).where(Notification.id == id))
    tx.expunge(row)
    return row
