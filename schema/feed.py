"""Feeds: their items and subscriptions. An item wraps an event with the fields that all feeds share."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

import strawberry
from strawberry import ID

from kit.eventlog.event_log import START, Cursor
from resolvers import feed
from resolvers import question as questions
from resolvers.feed import FeedItem as Item
from schema.actor import Actor, actor_of_event
from schema.events import BOARD_EVENT, QUESTION_FEED_EVENT, USER_EVENT, WORKSPACE_EVENT
from schema.fields import subscription


def _cursor(root: Item) -> str:
    return str(Cursor(root.epoch, root.seq)) if root.epoch else START


def _event(root: Item) -> Any:
    return root


def event_field(union: Any) -> Any:
    return strawberry.field(resolver=_event, graphql_type=union, description="The event.")


@strawberry.type(description="An item of a feed: an event with the fields that all events share.")
class FeedItem:
    seq: int = strawberry.field(
        description="The event's number on this feed: the previous number plus one."
        " Of `FeedStarted`, the number that the feed starts after."
    )
    cursor: str = strawberry.field(
        resolver=_cursor, description="Pass it as `after` to resume after this item."
    )
    at: datetime = strawberry.field(description="The time of the change.")
    actor: Actor = strawberry.field(resolver=actor_of_event, description="The author of the change.")
    request_id: str | None = strawberry.field(
        description="The X-Request-Id of the request that made the change; null if no request did."
    )
    correlation_id: ID | None = strawberry.field(
        description="Shared by the events of one bulk change; else null."
    )

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return True  # a feed has items of one type


@strawberry.type(description="An item of a board's feed.")
class BoardFeedItem(FeedItem):
    event: Any = event_field(BOARD_EVENT)


@strawberry.type(description="An item of a workspace's feed.")
class WorkspaceFeedItem(FeedItem):
    event: Any = event_field(WORKSPACE_EVENT)


@strawberry.type(description="An item of your own feed.")
class UserFeedItem(FeedItem):
    event: Any = event_field(USER_EVENT)


@strawberry.type(description="An item of a board's question feed.")
class QuestionFeedItem(FeedItem):
    event: Any = event_field(QUESTION_FEED_EVENT)


@strawberry.type
class FeedSubscription:
    board_feed: AsyncGenerator[BoardFeedItem, None] = subscription(feed.board_feed)
    workspace_feed: AsyncGenerator[WorkspaceFeedItem, None] = subscription(feed.workspace_feed)
    question_feed: AsyncGenerator[QuestionFeedItem, None] = subscription(questions.question_feed)
    user_feed: AsyncGenerator[UserFeedItem, None] = subscription(feed.user_feed)
