"""Events of a person's notifications."""

from typing import Annotated

from kit.graphql.arguments import Id
from models.events.base import UserEvent
from models.notice import NotificationType


class Notified(UserEvent):
    """You were notified of something."""

    notification_id: Annotated[Id, "The notification."]
    type: Annotated[NotificationType, "Its subject."]
    title: Annotated[str, "One line."]
    workspace_id: str
    board_id: str | None
    card_id: str | None
    run_id: str | None
    question_id: str | None
