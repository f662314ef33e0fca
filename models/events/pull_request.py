"""Events of pull requests, on the feed of each board that has a card of them."""

from typing import Annotated, TypedDict

from kit.graphql.arguments import Id
from models.events.base import Changes
from models.events.card import CardEvent
from models.pull_request import CiStatus, PullRequest, PullRequestState


class PullRequestEvent(CardEvent):
    """A change to a pull request of a card."""

    pull_request_id: Annotated[Id, "The pull request."]
    number: Annotated[int | None, "Its number; null until the host has opened it."]
    state: Annotated[PullRequestState, "Its state after the change."]
    pull_request_sha: Annotated[str | None, "Its newest commit; null if unknown."]


class PullRequestFacts(TypedDict):
    pull_request_id: str
    number: int | None
    state: PullRequestState
    pull_request_sha: str | None


def pull_request_facts(row: PullRequest) -> PullRequestFacts:
    """Return the fields that all events of a pull request share."""
    return {
        "pull_request_id": row.id,
        "number": row.number,
        "state": row.state,
        "pull_request_sha": row.head_sha,
    }


class PullRequestLinked(PullRequestEvent):
    """A pull request was linked with the card."""


class PullRequestUnlinked(PullRequestEvent):
    """A pull request was unlinked from the card."""


class PullRequestOpened(PullRequestEvent):
    """A pull request was opened, or opened again."""


class PullRequestUpdated(PullRequestEvent):
    """A pull request was changed: its text, commits, approvals or mergeability."""

    changes: Changes


class PullRequestMerged(PullRequestEvent):
    """A pull request was merged."""


class PullRequestClosed(PullRequestEvent):
    """A pull request was closed without a merge."""


class CiChanged(PullRequestEvent):
    """The results of CI for a pull request changed."""

    ci: Annotated[CiStatus | None, "The results together; null if there are none."]
