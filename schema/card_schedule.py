"""Schedules of cards: the type and its mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.card_schedule
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.card_schedule import UPCOMING
from models.stage import Stage
from resolvers import card_schedule as schedules
from resolvers.board import BOARD
from resolvers.workspace import USER
from schema.account import User
from schema.fields import mutation, node_type, query_field, relation_field
from schema.refusal import Conflict, Stale

BoardLater: Any = Annotated["Board", strawberry.lazy("schema.board")]


@node_type("schedule")
class CardSchedule(Node):
    """A card that a board gets again and again."""

    board_id: Annotated[ID, "The board."]
    title: Annotated[str, "Title of its cards; `{date}` becomes the day."]
    description: Annotated[str, "Description of its cards, Markdown."]
    stage: Annotated[Stage, "The stage of its cards."]
    starts_run: Annotated[bool, "Whether an agent is started on each card."]
    cron: Annotated[str, "Minute, hour, day of the month, month, day of the week."]
    time_zone: Annotated[str, "Time zone of the cron line."]
    is_enabled: Annotated[bool, "Whether it creates cards."]
    next_at: Annotated[datetime | None, "The next time; null while it is switched off."]
    upcoming: list[datetime] = query_field(
        schedules.upcoming_times, directives=[list_size(UPCOMING, slicing=())]
    )
    last_at: Annotated[datetime | None, "Time of its last card."]
    failure: Annotated[str | None, "The reason why the last time made no card; null: it made one."]
    version: Annotated[int, "Increases by one with each change."]
    created_at: Annotated[datetime, "Time of creation."]
    created_by: User | None = relation_field(USER, "created_by", text="The person who creates its cards.")
    board: BoardLater | None = relation_field(BOARD, "board_id", text="The board.")


@strawberry.type
class CardScheduleMutation:
    create_card_schedule = mutation(
        actions.card_schedule.create_card_schedule, CardSchedule, Conflict, requires=Access.BOARD
    )
    update_card_schedule = mutation(
        actions.card_schedule.update_card_schedule, CardSchedule, Stale, requires=Access.BOARD
    )
    delete_card_schedule = mutation(
        actions.card_schedule.delete_card_schedule, CardSchedule, Stale, requires=Access.BOARD
    )
