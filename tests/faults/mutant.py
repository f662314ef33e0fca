"""A server that tells its followers something else than what is kept.

What it does is what a wrong feed would do: leave an event out, as one that is numbered by an identity column does
when a lower number commits late; tell one twice; tell another event under a number.
"""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from kit.eventlog.topic_cache import TopicCache
from server import command_line

Events = Sequence[Any]


def skips(events: Events) -> Events:
    return [event for event in events if event.seq % 5]


def doubles(events: Events) -> Events:
    return [*events, *events[-1:]]


def confuses(events: Events) -> Events:
    """The number is right, what happened is another's."""
    return [
        event if event.seq % 5 else SimpleNamespace(**{**event._mapping, "request_id": "another"})
        for event in events
    ]


MUTANTS: dict[str, Callable[[Events], Events]] = {
    "skips": skips,
    "doubles": doubles,
    "confuses": confuses,
    "none": lambda events: events,
}


def main(name: str) -> None:
    honest, changed = TopicCache.after, MUTANTS[name]
    TopicCache.after = lambda *given: changed(honest(*given))  # type: ignore[method-assign]
    command_line(["serve"])
