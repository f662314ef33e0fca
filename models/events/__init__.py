"""Events: a class with its payload for each kind of change."""

from collections.abc import Iterator

from models.events import (
    account,
    answer_rule,
    approval,
    bin,
    board,
    branch_task,
    card,
    card_schedule,
    check,
    connection,
    document,
    feed,
    file,
    group,
    invitation,
    knowledge,
    memory,
    notice,
    plan,
    planned_file,
    profile,
    pull_request,
    question,
    repository,
    review,
    run,
    sprint,
    webhook_endpoint,
    worker,
    workspace,
)
from models.events.base import BaseEvent, BoardEvent, Changes, UserEvent, WorkspaceEvent

__all__ = [
    "EVENT_TYPES",
    "BaseEvent",
    "BoardEvent",
    "Changes",
    "UserEvent",
    "WorkspaceEvent",
    "account",
    "answer_rule",
    "approval",
    "bin",
    "board",
    "branch_task",
    "card",
    "card_schedule",
    "check",
    "connection",
    "document",
    "feed",
    "file",
    "group",
    "invitation",
    "knowledge",
    "memory",
    "notice",
    "plan",
    "planned_file",
    "profile",
    "pull_request",
    "question",
    "repository",
    "review",
    "run",
    "sprint",
    "type_name_of",
    "webhook_endpoint",
    "worker",
    "workspace",
]


def _subclasses_of(cls: type[BaseEvent]) -> Iterator[type[BaseEvent]]:
    """Yield every class under `cls`, each once, after its bases."""
    seen: dict[type[BaseEvent], None] = {}
    pending = list(cls.__subclasses__())
    while pending:
        subclass = pending.pop(0)
        if subclass in seen:
            continue
        if all(base in seen or not issubclass(base, cls) or base is cls for base in subclass.__bases__):
            seen[subclass] = None
            pending += subclass.__subclasses__()
        else:
            pending.append(subclass)
    yield from seen


# The class of every event, by its kind.
EVENT_TYPES: dict[str, type[BaseEvent]] = {
    cls.kind: cls for cls in _subclasses_of(BaseEvent) if not cls.__subclasses__()
}


def type_name_of(kind: str) -> str:
    """Return the type name of the events that are stored as `kind`: CardMoved of CARD_MOVED."""
    return EVENT_TYPES[kind].__name__
