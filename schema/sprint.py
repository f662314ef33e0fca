"""Sprints: the types and their mutations."""

from datetime import date, datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.burndown
import actions.sprint
import resolvers.sprint
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.card import MAX_AT_ONCE
from models.sprint import MAX_OVERLAPS, VELOCITY_SPRINTS, CapacityState, SprintStatus
from resolvers import sprint as sprints
from resolvers.board import BOARD
from resolvers.workspace import USER
from schema.account import User
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.refusal import Conflict, Stale

BoardLater: Any = Annotated["Board", strawberry.lazy("schema.board")]
CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]


@result_type(resolvers.sprint.PersonPoints)
class PersonPoints:
    """The story points in a sprint that are assigned to a person."""

    user_id: Annotated[ID, "The person."]
    points: Annotated[int, "Story points of the cards that are assigned to the person."]
    capacity_points: Annotated[int, "Story points that the person has room for."]
    state: Annotated[CapacityState, "The use of the person's capacity."]
    user: User | None = relation_field(USER, "user_id", text="The person.")


@result_type(resolvers.sprint.Capacity)
class Capacity:
    """The use of a sprint's capacity."""

    capacity_points: Annotated[int, "Story points that the sprint has room for."]
    points: Annotated[int, "Story points of its cards, each counted once."]
    state: Annotated[CapacityState, "The use of the capacity."]
    people: list[PersonPoints] = strawberry.field(
        description="The points of each assignee.", directives=[list_size(10, slicing=())]
    )
    unassigned_points: Annotated[int, "Story points of the cards without an assignee."]


@result_type(actions.burndown.BurndownDay)
class BurndownDay:
    """The story points of a sprint at the end of a day."""

    day: Annotated[date, "The day in the sprint's time zone."]
    remaining: Annotated[int, "Points of the cards that are not done."]
    completed: Annotated[int, "Points of the cards that are done."]
    ideal: Annotated[float, "The straight line from the points of the first day to 0 on the last."]
    added: Annotated[int, "Points that entered the sprint on this day."]
    removed: Annotated[int, "Points that left the sprint on this day."]


@result_type(actions.burndown.Burndown)
class Burndown:
    """The burndown of a sprint."""

    days: list[BurndownDay] = strawberry.field(
        description="Its days up to today, at most 366.", directives=[list_size(14, slicing=())]
    )
    is_complete: Annotated[
        bool, "False if events of its first days are no longer kept: those days are left out."
    ]


@result_type(resolvers.sprint.VelocitySprint)
class VelocitySprint:
    """The figures of a completed sprint."""

    sprint_id: Annotated[ID, "The sprint."]
    name: Annotated[str, "Its name."]
    completed_at: Annotated[datetime, "Time of its completion."]
    committed_points: Annotated[int, "Points in it at the end of its first day."]
    completed_points: Annotated[int, "Points of its cards that were done."]


@result_type(resolvers.sprint.Velocity)
class Velocity:
    """The story points that a board completes in a sprint."""

    sprints: list[VelocitySprint] = strawberry.field(
        description="The last six completed sprints, newest first.",
        directives=[list_size(VELOCITY_SPRINTS, slicing=())],
    )
    average: Annotated[float | None, "Mean of their completed points; null if there are none."]
    forecast: Annotated[float | None, "Mean of the newest three; null if there are none."]


@node_type("sprint")
class Sprint(Node):
    """A sprint of a board."""

    board_id: Annotated[ID, "The board."]
    name: Annotated[str, "1 to 100 characters."]
    goal: Annotated[str, "Markdown; may be empty."]
    starts_on: Annotated[date, "Its first day."]
    ends_on: Annotated[date, "Its last day."]
    time_zone: Annotated[str, "IANA name of the time zone that its days begin in."]
    capacity_points: Annotated[int, "Story points that it has room for."]
    status: Annotated[SprintStatus, "Its status."]
    started_at: Annotated[datetime | None, "Time of its start; null if it was not started."]
    completed_at: Annotated[datetime | None, "Time of its completion; null if it is not completed."]
    cancelled_at: Annotated[datetime | None, "Time of its cancellation; null if it is not cancelled."]
    version: Annotated[int, "Increases by one with each change."]
    created_at: Annotated[datetime, "Time of creation."]
    updated_at: Annotated[datetime, "Time of the last change."]
    board: BoardLater | None = relation_field(BOARD, "board_id", text="The board.")
    overlaps: list["Sprint"] = query_field(
        sprints.overlaps_of_sprint, directives=[list_size(1, maximum=MAX_OVERLAPS, slicing=())]
    )
    capacity: Capacity = query_field(sprints.capacity_of_sprint)
    burndown: Burndown = query_field(sprints.burndown_of_sprint)


@result_type(actions.sprint.SprintCards)
class SprintCards:
    """Cards that were put into a sprint, or taken out of one."""

    cards: list[CardLater] = strawberry.field(
        description="The cards in the order of the input.",
        directives=[list_size(10, maximum=MAX_AT_ONCE, slicing=())],
    )


@strawberry.type
class SprintMutation:
    create_sprint = mutation(actions.sprint.create_sprint, Sprint, Conflict, requires=Access.BOARD)
    update_sprint = mutation(actions.sprint.update_sprint, Sprint, Stale, Conflict, requires=Access.BOARD)
    start_sprint = mutation(actions.sprint.start_sprint, Sprint, Stale, Conflict, requires=Access.BOARD)
    complete_sprint = mutation(actions.sprint.complete_sprint, Sprint, Stale, Conflict, requires=Access.BOARD)
    cancel_sprint = mutation(actions.sprint.cancel_sprint, Sprint, Stale, Conflict, requires=Access.BOARD)
    delete_sprint = mutation(actions.sprint.delete_sprint, Sprint, Stale, requires=Access.BOARD)
    assign_cards_to_sprint = mutation(
        actions.sprint.assign_cards_to_sprint, SprintCards, Conflict, requires=Access.BOARD
    )
