"""Refusals: what the law, a limit or a permission says no to. Each carries what the client needs to go on.

    Refusal
    ├── NotFound        no such thing, or not the actor's to see: the difference is not told
    ├── Forbidden       seen, but not the actor's to do
    ├── Invalid         an input that cannot be taken, field by field
    ├── Stale           somebody changed it since the version that was named
    ├── Conflict        it would break what must be unique or at most so many
    ├── StageRefused    the law of stages, or a gate on top of it (models/stage.py)
    ├── LeaseLost       a worker reports about a run that is not its own any more
    └── Unauthenticated who is it? with the reason

A refusal is raised before anything has changed; the transaction rolls back whatever came before it.
"""

from dataclasses import dataclass


class Refusal(Exception):
    code = "REFUSED"
    keeps = False  # whether what was written before it is committed all the same

    @property
    def message(self) -> str:
        return str(self)


class NotFound(Refusal):
    code = "NOT_FOUND"

    def __init__(self, id: str) -> None:
        super().__init__("There is nothing of that kind and id that you may see")
        self.id = id[:100]


class Forbidden(Refusal):
    code = "FORBIDDEN"

    def __init__(self, why: str) -> None:
        super().__init__(why)


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
        super().__init__(f"It was changed meanwhile; its version is {version}")
        self.version = version


class Conflict(Refusal):
    code = "CONFLICT"

    def __init__(self, message: str, id: str | None = None) -> None:
        super().__init__(message)
        self.id = id


class LeaseLost(Refusal):
    code = "LEASE_LOST"

    def __init__(self, run_id: str, attempt: int) -> None:
        super().__init__(
            "That lease is over: the run ended, was given to another attempt, or was never yours"
        )
        self.run_id, self.attempt = run_id[:100], attempt


class Unauthenticated(Refusal):
    """`reason` is MISSING, EXPIRED, INVALID or REVOKED."""

    code = "UNAUTHENTICATED"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Reused(Unauthenticated):
    """A refresh token came a second time. The login that it ended stays ended."""

    keeps = True
