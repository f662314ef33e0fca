"""The policy of a board for agents: its values with their units, bounds and defaults.

The board stores it as JSON. Only values that differ from the default are stored, so that a new default applies to
existing boards. A run keeps the limits from when it was queued, and its agent's instructions from its first claim.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from kit.described_enum import DescribedEnum


class OnExpiry(DescribedEnum):
    """The effect of an expired question on its run."""

    FAIL = "FAIL", "The run fails with the code QUESTION_EXPIRED."
    CONTINUE = "CONTINUE", "The run continues with the question's default; without a default it fails."
    HOLD = "HOLD", "The run keeps waiting."


class NoChange(DescribedEnum):
    """The result of a run that succeeds without a change."""

    SUCCEED = "SUCCEED", "The run succeeds."
    DECIDE = "DECIDE", "The run waits for the decision of a person."


@dataclass(frozen=True, kw_only=True)
class BoardPolicy:
    auto_dispatch: bool = False  # a card that enters TODO is given to an agent
    agent_profile_id: str | None = None  # whom, where the card names none; None: any worker
    concurrency: int = 1  # runs held at once on the board; 0 is no limit
    max_attempts: int = 3  # failures that may be retried end a run after so many
    queue_seconds: int = 604_800  # longest wait in the queue
    attempt_seconds: int = 3_600  # longest attempt; waiting for people does not count
    whole_seconds: int = 86_400  # longest time from the first claim to the end
    silence_seconds: int = 300  # longest silence of an agent
    lease_seconds: int = 30
    stuck_minutes: int = 10  # without an event: flagged
    question_seconds: int = 1_800  # until a question expires
    question_expiry: OnExpiry = OnExpiry.FAIL
    no_change: NoChange = NoChange.SUCCEED
    repository: str = ""  # what workers clone or find; empty: the worker's own
    base_branch: str = ""  # empty: what the repository's HEAD is
    branch_template: str = "signalbox/{card}-{slug}"
    instructions: str = ""  # told to every agent of the board


BOUNDS: dict[str, tuple[int, int]] = {
    "concurrency": (0, 1_000),
    "max_attempts": (1, 10),
    "queue_seconds": (1, 2_592_000),
    "attempt_seconds": (1, 604_800),
    "whole_seconds": (1, 2_592_000),
    "silence_seconds": (1, 86_400),
    "lease_seconds": (2, 3_600),
    "stuck_minutes": (1, 1_440),
    "question_seconds": (1, 2_592_000),
}
MAX_LENGTHS = {"instructions": 20_000}


def board_policy_of(stored: dict[str, Any] | None) -> BoardPolicy:
    """Return the policy of a board: the stored values and the defaults."""
    known = {field.name for field in dataclasses.fields(BoardPolicy)}
    given = {name: value for name, value in (stored or {}).items() if name in known}
    for name, kind in (("question_expiry", OnExpiry), ("no_change", NoChange)):
        if name in given:
            given[name] = kind(given[name])
    return BoardPolicy(**given)
