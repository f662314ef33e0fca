"""What clients may say and hear about notifications."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID

import resolvers.notice
from actions.notice import MOST_READ
from models.notice import NotificationType
from resolvers import notice as notices
from resolvers.board import BOARD
from resolvers.card import CARD
from runtime.transport.describe import Node
from runtime.transport.sizes import list_size
from schema.board import Board
from schema.card import Card
from schema.page import Connection
from schema.view import answer, ask, do, link, view


@view("notice")
class Notification(Node):
    """Something you should look at."""

    workspace_id: Annotated[ID, "In which workspace."]
    type: Annotated[NotificationType, "What it is about."]
    title: Annotated[str, "One line."]
    body: Annotated[str, "More of it, where there is more."]
    board_id: Annotated[ID | None, "On which board."]
    card_id: Annotated[ID | None, "On which card."]
    run_id: Annotated[ID | None, "About which run."]
    question_id: Annotated[ID | None, "About which question."]
    read_at: Annotated[datetime | None, "When you read it."]
    created_at: Annotated[datetime, "When it was told."]
    board: Board | None = link(BOARD, "board_id", text="The board; null once it is gone.")
    card: Card | None = link(CARD, "card_id", text="The card; null once it is gone.")


@answer(resolvers.notice.Read)
class NotificationsRead:
    """Notifications that you have read."""

    notifications: list[Notification] = strawberry.field(
        description="In the order they were named.", directives=[list_size(MOST_READ, slicing=())]
    )


@answer(resolvers.notice.AllRead)
class AllNotificationsRead:
    """That you have read everything."""

    count: Annotated[int, "How many you had not read before."]


@strawberry.type
class NoticeQuery:
    notifications: Connection[Notification] = ask(notices.notifications, directives=[list_size(50)])
    unread_count: int = ask(notices.unread_count)


@strawberry.type
class NoticeMutation:
    mark_notifications_read = do(notices.mark_notifications_read, NotificationsRead)
    mark_all_notifications_read = do(notices.mark_all_notifications_read, AllNotificationsRead)
    delete_notification = do(notices.delete_notification, Notification)
