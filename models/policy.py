"""The policy of a board for agents: its values with their units, bounds and defaults.

The board stores it as JSON. Only values that differ from the default are stored, so that a new default applies to
existing boards. A run keeps the limits from when it was queued, and its agent's instructions from its first claim.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from kit.described_enum import DescribedEnum
from models.approval import ApprovalKind, Approver
from models.check import CheckKind

MAX_REQUIRED_CHECKS = 20
MAX_COMMAND_LENGTH = 2_000  # characters of a check's command
MAX_CHECK_SECONDS = 7_200
DEFAULT_CHECK_SECONDS = 600
MAX_GLOBS = 50  # of protected paths, and of forbidden ones
MAX_GLOB_LENGTH = 200  # characters


class OnExpiry(DescribedEnum):
    """The effect of an expired question on its run."""

    FAIL = "FAIL", "The run fails with the code QUESTION_EXPIRED."
    CONTINUE = "CONTINUE", "The run continues with the question's default; without a default it fails."
    HOLD = "HOLD", "The run keeps waiting."


class RepeatedQuestions(DescribedEnum):
    """The use of the answer that an equal question of the board got before."""

    SHOW = "SHOW", "It is shown to those who answer."
    ANSWER = "ANSWER", "It answers the question."


class UnplannedFiles(DescribedEnum):
    """The effect of files that a run changed although its card has planned files and these are not among them."""

    ALLOW = "ALLOW", "None."
    WARN = "WARN", "The run has a warning that names them."
    APPROVE = "APPROVE", "They need a person's approval, as protected paths do."
    FORBID = "FORBID", "The run fails with POLICY_VIOLATION."


class NoChange(DescribedEnum):
    """The result of a run that succeeds without a change."""

    SUCCEED = "SUCCEED", "The run succeeds."
    DECIDE = "DECIDE", "The run waits for the decision of a person."


@dataclass(frozen=True, kw_only=True)
class RequiredCheck:
    """A check that must pass before a merge."""

    kind: CheckKind
    name: str
    command: str = ""  # a command of the shell; empty: the result comes from the code host
    seconds: int = DEFAULT_CHECK_SECONDS


@dataclass(frozen=True, kw_only=True)
class RequiredApproval:
    """A step that must be approved, and by whom."""

    kind: ApprovalKind
    by: Approver = Approver.PERSON


@dataclass(frozen=True, kw_only=True)
class BoardPolicy:
    auto_dispatch: bool = False  # start a run for each card that enters TODO
    agent_profile_id: str | None = None  # the profile of cards that name none; None: any worker
    concurrency: int = 1  # concurrent runs on the board; 0: no limit
    max_attempts: int = 3  # failed attempts after which a run fails for good
    queue_seconds: int = 604_800  # maximum time in the queue
    attempt_seconds: int = 3_600  # maximum duration of an attempt without its waits for people
    whole_seconds: int = 86_400  # maximum time from the first claim to the end
    silence_seconds: int = 300  # maximum time without a report from the agent
    lease_seconds: int = 30
    stuck_minutes: int = 10  # without an event, until a run is shown as stuck
    question_seconds: int = 1_800  # until a question expires
    question_expiry: OnExpiry = OnExpiry.FAIL
    repeated_questions: RepeatedQuestions = RepeatedQuestions.SHOW
    no_change: NoChange = NoChange.SUCCEED
    required_requirements: int = 1  # of a card that is approved
    required_planned_files: int = 1
    require_answers: bool = True  # no open question about a card that is approved
    require_review: bool = False  # no drafts in the knowledge of a card that is approved
    require_approval: bool = False  # of a card that leaves BACKLOG and PLAN
    repository: str = ""  # what workers clone or find; empty: the worker's own
    base_branch: str = ""  # empty: the repository's HEAD
    branch_template: str = "signalbox/{card}-{slug}"
    instructions: str = ""  # for every agent of the board
    prompt_length: int = 200_000  # characters of a prompt, beyond which documents are left out
    setup_script: str = ""  # run in a new folder before the agent
    cleanup_script: str = ""  # run in the folder after the agent
    script_seconds: int = 300  # maximum duration of each script
    copy_files: tuple[str, ...] = ()  # globs of ignored files that the owner's checkout has
    subfolder: str = ""  # where agents start; empty: the root of the repository
    commit_author: str = ""  # of the worker's own commits: Name <address>; empty: Signalbox
    checks: tuple[RequiredCheck, ...] = ()
    protected_paths: tuple[str, ...] = ()  # globs; a change of one needs a person's approval
    forbidden_paths: tuple[str, ...] = ()  # globs; a run that changes one fails
    unplanned_files: UnplannedFiles = UnplannedFiles.ALLOW
    approvals: tuple[RequiredApproval, ...] = ()
    review_limit: int = 0  # no work is begun while more cards stand in REVIEW; 0: no limit
    review_limit_per_person: int = 0  # of those that are assigned to one person; 0: no limit

    @property
    def has_gates(self) -> bool:
        needs_approval = self.unplanned_files is UnplannedFiles.APPROVE
        return bool(self.checks or self.approvals or self.protected_paths or needs_approval)


UNCHECKED = ("PLAN", "REVIEW", "BREAKDOWN")  # kinds of runs after which no checks are run


def checks_after(kind: str, policy: BoardPolicy) -> list[RequiredCheck]:
    """Return the checks that a worker runs after an agent has ended a run of a kind."""
    return [] if kind in UNCHECKED else [check for check in policy.checks if check.command]


def check_seconds_of(kind: str, policy: BoardPolicy) -> int:
    """Return the longest time that the checks after a run may take, in seconds."""
    return sum(check.seconds for check in checks_after(kind, policy))


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
    "prompt_length": (10_000, 1_000_000),
    "required_requirements": (0, 100),
    "required_planned_files": (0, 100),
    "script_seconds": (1, 3_600),
    "review_limit": (0, 1_000),
    "review_limit_per_person": (0, 1_000),
}
MAX_LENGTHS = {"instructions": 20_000, "setup_script": 10_000, "cleanup_script": 10_000}


ENUMS: dict[str, type[DescribedEnum]] = {
    "question_expiry": OnExpiry,
    "repeated_questions": RepeatedQuestions,
    "no_change": NoChange,
    "unplanned_files": UnplannedFiles,
}


def board_policy_of(stored: dict[str, Any] | None) -> BoardPolicy:
    """Return the policy of a board: the stored values and the defaults."""
    known = {field.name for field in dataclasses.fields(BoardPolicy)}
    given = {name: value for name, value in (stored or {}).items() if name in known}
    for name, kind in ENUMS.items():
        if name in given:
            given[name] = kind(given[name])
    if "checks" in given:
        given["checks"] = tuple(
            RequiredCheck(**{**check, "kind": CheckKind(check["kind"])}) for check in given["checks"]
        )
    if "approvals" in given:
        given["approvals"] = tuple(
            RequiredApproval(kind=ApprovalKind(one["kind"]), by=Approver(one["by"]))
            for one in given["approvals"]
        )
    for name in ("protected_paths", "forbidden_paths", "copy_files"):
        given[name] = tuple(given.get(name, ()))
    return BoardPolicy(**given)
