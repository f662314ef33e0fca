"""The topics of the event log: a board, a workspace, a person and a run have one each.

A scope is the home of an event. Rows have theirs as `scope`; the functions below make it of ids.
"""

from kit.db.transaction import EventScope


def board_topic(id: str) -> str:
    return f"board:{id}"


def workspace_topic(id: str) -> str:
    return f"workspace:{id}"


def user_topic(id: str) -> str:
    return f"user:{id}"


def run_topic(id: str) -> str:
    return f"run:{id}"


def board_scope(id: str, workspace_id: str) -> EventScope:
    return EventScope(id, board_topic(id), workspace_id)


def workspace_scope(id: str) -> EventScope:
    return EventScope(id, workspace_topic(id), id)


def user_scope(id: str) -> EventScope:
    """Return the scope of a person's own events, which are in no audit log."""
    return EventScope(id, user_topic(id), None)


def is_user_topic(topic: str) -> bool:
    """Whether a topic is a person's own."""
    return topic.startswith(user_topic(""))
