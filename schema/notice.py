"""What clients may say and hear about notifications."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID

import actions.notice
from actions.notice import MAX_MARKED_READ
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.notice import NotificationType
from resolvers import notice as notices
from resolvers.board import BOARD
from resolvers.card import CARD
from schema.board import Board
from schema.card import Card
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.page import Connection


@node_type("notice")
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
    board: Board | None = relation_field(BOARD, "board_id", text="The board; null once it is gone.")
    card: Card | None = relation_field(CARD, "card_id", text="The card; null once it is gone.")


@result_type(actions.notice.NotificationsRead)
class NotificationsRead:
    """Notifications that you have read."""

    notifications: list[Notification] = strawberry.field(
        description="In the order they were named.", directives=[list_size(MAX_MARKED_READ, slicing=())]
    )


@result_type(actions.notice.AllNotificationsRead)
class AllNotificationsRead:
    """That you have read everything."""

    count: Annotated[int, "How many you had not read before."]


@strawberry.type
class NoticeQuery:
    notifications: Connection[Notification] = query_field(notices.notifications, directives=[list_size(50)])
    unread_count: int = query_field(notices.unread_count)


@strawberry.type
class NoticeMutation:
    mark_notifications_read = mutation(
        actions.notice.mark_notifications_read, NotificationsRead, requires=Access.AUTHOR
    )
    mark_all_notifications_read = mutation(
        actions.notice.mark_all_notifications_read, AllNotificationsRead, requires=Access.PERSON
    )
    delete_notification = mutation(actions.notice.delete_notification, Notification, requires=Access.AUTHOR)
