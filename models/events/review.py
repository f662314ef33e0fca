"""Events of reviews: threads and findings."""

from typing import Annotated, TypedDict

from kit.graphql.arguments import Id
from models.events.card import CardEvent
from models.review_thread import ReviewThread, ReviewVerdict


class ReviewThreadEvent(CardEvent):
    """A change to a thread of a review."""

    thread_id: Annotated[Id, "The thread."]
    reviewed_run_id: Annotated[Id, "The run whose diff has the line."]
    path: Annotated[str, "The path of the file."]
    line: Annotated[int | None, "The number of the line; null for the whole file."]


class ThreadFacts(TypedDict):
    card_id: str
    thread_id: str
    reviewed_run_id: str
    path: str
    line: int | None


def thread_facts(thread: ReviewThread) -> ThreadFacts:
    """Return the fields that all events of a thread share."""
    return {
        "card_id": thread.card_id,
        "thread_id": thread.id,
        "reviewed_run_id": thread.run_id,
        "path": thread.path,
        "line": thread.line,
    }


class ReviewThreadOpened(ReviewThreadEvent):
    """A thread was opened."""


class ReviewThreadReplied(ReviewThreadEvent):
    """A comment was added to a thread."""


class ReviewThreadResolved(ReviewThreadEvent):
    """A thread was resolved."""


class ReviewThreadReopened(ReviewThreadEvent):
    """A thread was reopened."""


class ReviewThreadCarriedOver(ReviewThreadEvent):
    """A thread was carried over to the diff of the next run, or is outdated because its line is gone."""

    outdated: Annotated[bool, "Whether its line is gone."]


class ReviewCompleted(CardEvent):
    """A review was submitted by a person, or findings by an agent."""

    reviewed_run_id: Annotated[Id, "The run that was reviewed."]
    verdict: Annotated[ReviewVerdict | None, "The verdict of a person; null for an agent."]
    score: Annotated[float | None, "The score that an agent gave, 0 to 1; null if it gave none."]
    findings: Annotated[int, "Number of comments or findings."]
    severe: Annotated[int, "Number of findings that are HIGH or CRITICAL."]
