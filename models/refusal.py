"""Refusals: an operation that a law, a limit or a permission forbids. Each has the data to go on.

    Refusal
    ├── NotFound         does not exist, or the actor may not see it; the two are not told apart
    ├── Forbidden        visible, but the actor may not change it this way
    ├── Invalid          an invalid input, with one issue for each field
    ├── Stale            changed since the version that the client gave
    ├── Conflict         violates a uniqueness rule or exceeds a limit
    ├── StageRefused     against the law of stages or one of its gates (models/stage.py)
    ├── LeaseLost        a worker reports about a run that it no longer holds
    └── Unauthenticated  no valid credential, with the reason

A refusal is raised before anything has changed; otherwise the transaction rolls back the earlier changes.
"""

from dataclasses import dataclass

MAX_ID_LENGTH = 100  # characters of a client's id that are repeated to it


class Refusal(Exception):
    """An expected error. With `keeps` the transaction commits its changes nevertheless."""

    code = "REFUSED"
    keeps = False

    @property
    def message(self) -> str:
        return str(self)


class NotFound(Refusal):
    code = "NOT_FOUND"

    def __init__(self, id: str, message: str = "Nothing with that id exists that you may see") -> None:
        super().__init__(message)
        self.requested_id = id[:MAX_ID_LENGTH]


class Forbidden(Refusal):
    code = "FORBIDDEN"


@dataclass(frozen=True)
class Issue:
    path: str
    message: str


class Invalid(Refusal):
    code = "INVALID"

    def __init__(self, *issues: tuple[str, str]) -> None:
        self.issues = [Issue(path, message) for path, message in issues]
        super().__init__("; ".join(f"{issue.path}: {issue.message}" for issue in self.issues))


class Stale(Refusal):
    code = "STALE"

    def __init__(self, version: int) -> None:
        super().__init__(f"It was changed in the meantime; the current version is {version}")
        self.version = version


class Conflict(Refusal):
    code = "CONFLICT"

    def __init__(self, message: str, conflicting_id: str | None = None) -> None:
        super().__init__(message)
        self.conflicting_id = conflicting_id


class LeaseLost(Refusal):
    code = "LEASE_LOST"

    def __init__(self, run_id: str, attempt: int) -> None:
        super().__init__(
            "The lease has ended: the run ended, was given to another attempt, or was never yours"
        )
        self.run_id, self.attempt = run_id[:MAX_ID_LENGTH], attempt


class Unauthenticated(Refusal):
    """The caller has no valid credential. `reason` is a member of AuthReason."""

    code = "UNAUTHENTICATED"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Reused(Unauthenticated):
    """A refresh token was used twice. The login is ended nevertheless."""

    keeps = True
