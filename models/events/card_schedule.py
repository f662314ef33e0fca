"""Events of schedules of cards."""

from datetime import datetime
from typing import Annotated

from kit.graphql.arguments import Id
from models.card_schedule import CardSchedule
from models.events.base import BoardEvent, Changes


class CardScheduleEvent(BoardEvent):
    """A change to a schedule of cards."""

    subject_field = "schedule_id"
    subject_name = (CardSchedule, "title")

    schedule_id: Annotated[Id, "The schedule."]


class CardScheduleCreated(CardScheduleEvent):
    """A schedule was created."""

    title: Annotated[str, "The title of its cards."]


class CardScheduleUpdated(CardScheduleEvent):
    """A schedule was changed, or its creator may no longer create cards, which switches it off."""

    changes: Changes


class CardScheduleRan(CardScheduleEvent):
    """A time of a schedule came."""

    scheduled_card_id: Annotated[Id | None, "The card that was created; null if it was refused."]
    missed: Annotated[int, "Number of earlier times without a card, at which no server was running."]
    failure: Annotated[str | None, "The reason why no card was created."]
    next_at: Annotated[datetime | None, "The next time."]


class CardScheduleDeleted(CardScheduleEvent):
    """A schedule was deleted. Its cards stay."""

    title: Annotated[str, "The title of its cards."]
