"""Notifications: the type, its query and mutations."""

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
    """A notification to you."""

    workspace_id: Annotated[ID, "The workspace."]
    type: Annotated[NotificationType, "Its subject."]
    title: Annotated[str, "One line, at most 255 characters."]
    body: Annotated[str, "More text; may be empty."]
    board_id: Annotated[ID | None, "The board; null if it is about none."]
    card_id: Annotated[ID | None, "The card; null if it is about none."]
    run_id: Annotated[ID | None, "The run; null if it is about none."]
    question_id: Annotated[ID | None, "The question; null if it is about none."]
    read_at: Annotated[datetime | None, "Time when you read it; null while it is unread."]
    created_at: Annotated[datetime, "Time of creation."]
    board: Board | None = relation_field(BOARD, "board_id", text="The board; null once deleted.")
    card: Card | None = relation_field(CARD, "card_id", text="The card; null once deleted.")


@result_type(actions.notice.NotificationsRead)
class NotificationsRead:
    """Notifications that you have read."""

    notifications: list[Notification] = strawberry.field(
        description="The notifications in the order of the input.",
        directives=[list_size(MAX_MARKED_READ, slicing=())],
    )


@result_type(actions.notice.AllNotificationsRead)
class AllNotificationsRead:
    """The result of marking all notifications as read."""

    count: Annotated[int, "Number of notifications that were unread."]


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
