"""The event that opens a feed. It is sent, never stored."""

from typing import Annotated

from models.events.base import BoardEvent, UserEvent, WorkspaceEvent


class FeedStarted(BoardEvent, WorkspaceEvent, UserEvent):
    """The feed was opened without `after`. Its item has the first cursor, and the `seq` that the feed starts after.

    Resume with that cursor if the connection is lost before the next item.
    """

    oldest_cursor: Annotated[
        str, "The cursor before the oldest event that is kept; as `after` it replays the feed."
    ]
