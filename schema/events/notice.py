"""What a person is notified of."""

from strawberry import ID

from models.event import EventKind as Kind
from models.notice import NotificationType
from resolvers.notice import NOTIFICATION
from schema.events.base import UserEvent, event, found
from schema.fields import payload_field
from schema.notice import Notification


@event(Kind.NOTIFIED)
class Notified(UserEvent):
    """You should look at something."""

    notification_id: ID = payload_field("notification_id", "Which notification.")
    type: NotificationType = payload_field("type", "What it is about.")
    title: str = payload_field("title", "One line.")
    notification: Notification | None = found(
        NOTIFICATION, "notification_id", "The notification as it is now; null once you let go of it."
    )
