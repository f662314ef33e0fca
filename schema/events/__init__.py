"""What clients hear: one object type for each kind of event, under the interface of each feed that tells it.

A file of this package tells what happens to one noun; importing it puts its types into `EVENTS`.
"""

from collections.abc import AsyncGenerator

import strawberry

from resolvers import feed
from resolvers import question as questions
from schema.events import account, board, card, notice, profile, run, worker, workspace
from schema.events.base import EVENTS, BoardEvent, UserEvent, WorkspaceEvent
from schema.fields import subscription

__all__ = [
    "EVENTS",
    "FeedSubscription",
    "account",
    "board",
    "card",
    "notice",
    "profile",
    "run",
    "worker",
    "workspace",
]


@strawberry.type
class FeedSubscription:
    board_feed: AsyncGenerator[BoardEvent, None] = subscription(feed.board_feed)
    workspace_feed: AsyncGenerator[WorkspaceEvent, None] = subscription(feed.workspace_feed)
    question_feed: AsyncGenerator[BoardEvent, None] = subscription(questions.question_feed)
    user_feed: AsyncGenerator[UserEvent, None] = subscription(feed.user_feed)
