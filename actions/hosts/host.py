"""The values that every code host is reduced to, and the failure of a call to one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.refusal import Refusal

MAX_MESSAGE_LENGTH = 300  # characters of a host's own words that are repeated


class HostFailed(Refusal):
    """Another system did not answer, or refused.

    status:      of its answer; None without one.
    retry_after: seconds after which a repetition may succeed, 0 if unknown; None if only a change helps.
    sent:        whether the other system may have acted on the request.
    """

    code = "HOST_FAILED"

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: int | None = None, sent: bool = False
    ) -> None:
        super().__init__(message[:MAX_MESSAGE_LENGTH])
        self.status, self.retry_after, self.sent = status, retry_after, sent


@dataclass(frozen=True)
class RemoteAccount:
    """The account that a credential belongs to."""

    login: str


@dataclass(frozen=True)
class RemoteRepository:
    """A repository of a code host."""

    external_id: str
    full_name: str
    url: str
    default_branch: str
    is_private: bool
    is_archived: bool


@dataclass(frozen=True)
class RemoteBranch:
    """A branch of a code host's repository."""

    name: str
    commit: str
    is_protected: bool


@dataclass(frozen=True)
class RemotePage:
    """One page of a list. `next_page` is None on the last page."""

    items: Sequence[RemoteRepository | RemoteBranch]
    next_page: int | None


@dataclass(frozen=True)
class RemotePullRequest:
    """A pull request of a code host."""

    external_id: str
    number: int
    url: str
    title: str
    body: str
    head_branch: str
    head_sha: str
    base_branch: str
    is_open: bool
    is_draft: bool
    is_merged: bool
    merge_sha: str | None
    mergeable: bool | None
    commits: int | None
    author: str
    head_repository_id: str | None
    updated_at: datetime | None


@dataclass(frozen=True)
class RemoteCheck:
    """A result of CI on a commit. `log_id` names a job whose log can be read."""

    key: str
    name: str
    status: str  # SUCCESS, FAILURE, ERROR, PENDING, SKIPPED
    summary: str
    url: str | None
    log_id: str | None
