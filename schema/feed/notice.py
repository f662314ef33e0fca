"""What a person is notified of."""

from strawberry import ID

from models.event import EventKind as Kind
from models.notice import NotificationType
from resolvers.notice import NOTIFICATION
from schema.feed.base import UserEvent, event, found
from schema.notice import Notification
from schema.view import told


@event(Kind.NOTIFIED)
class Notified(UserEvent):
    """You should look at something."""

    notification_id: ID = told("notification_id", "Which notification.")
    type: NotificationType = told("type", "What it is about.")
    title: str = told("title", "One line.")
    notification: Notification | None = found(
        NOTIFICATION, "notification_id", "The notification as it is now; null once you let go of it."
    )
