"""Seeded bugs: the test of the test. Each is a line of the queue that is changed while it lasts."""

import contextlib
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

from kit.queue import caps, claims, control, leases, state_machine, sweeps

Change = tuple[Any, str, str]

# The first fourteen are those of the specification; the others are bugs that were met in other queues.
MUTANTS: dict[str, list[Change]] = {
    "no fence check on finish": [
        (
            (leases, "LOCK_POSTGRESQL"),
            "AND attempt.number = :number AND attempt.lease_token_hash = :hash",
            "",
        ),
        ((leases, "LOCK_SQLITE"), "AND attempt.number = :number AND attempt.lease_token_hash = :hash", ""),
    ],
    "no fence check on heartbeat": [
        (
            leases.heartbeats,
            ".where(tuple_(Attempt.job_id, Attempt.number, Attempt.lease_token_hash).in_(held))",
            ".where(Attempt.job_id.in_([one[0] for one in held]))",
        )
    ],
    "double done": [
        ((leases, "LOCK_POSTGRESQL"), "AND attempt.ended_at IS NULL", ""),
        ((leases, "LOCK_SQLITE"), "AND attempt.ended_at IS NULL", ""),
    ],
    "slot leak": [
        (leases._settle, "await caps.free(tx, [transition.id])", "True"),
        ((leases, "SETTLE"), "WHERE job_id = :id AND NOT :held", "WHERE job_id = :id AND false"),
    ],
    "no cap": [
        (caps.reserve, "Cap.name.in_(names)", "Cap.name.in_([])"),
        ((claims, "CLAIM"), "WHERE cap.name = ANY (:caps)", "WHERE cap.name = ANY (:caps) AND false"),
        ((claims, "CANDIDATES_POSTGRESQL"), "slot.job_id IS NULL AND NOT slot.surplus", "1 = 1"),
        ((claims, "CANDIDATES_SQLITE"), "slot.job_id IS NULL AND NOT slot.surplus", "1 = 1"),
    ],
    "run_at ignored": [
        (claims._take, ", Job.available_at <= database_now()", ""),
        ((claims, "CLAIM"), "AND available_at <= statement_timestamp()", ""),
        ((claims, "CANDIDATES_POSTGRESQL"), "available_at <= statement_timestamp()", "1 = 1"),
        ((claims, "CANDIDATES_SQLITE"), "available_at <= strftime('%Y-%m-%d %H:%M:%f000', 'now')", "1 = 1"),
    ],
    "attempt not counted": [(state_machine.failed, "job.failures += 1", "pass")],
    "fence not raised": [
        (claims._take, "attempt=job.c.attempt + 1", "attempt=1"),
        ((claims, "CLAIM"), "attempt = attempt + 1", "attempt = 1"),
    ],
    "never dead": [(state_machine.failed, "retryable and job.failures < job.max_attempts", "retryable")],
    "no back-off": [(state_machine.failed, "at + timedelta(seconds=seconds)", "at")],
    "cancelled job retried": [(state_machine.failed, "if job.cancel_requested_at:", "if False:")],
    "missing event": [(sweeps._apply, "return transitions", "return transitions[1:]")],
    "priority ignored": [
        ((claims, "CANDIDATES_POSTGRESQL"), "ORDER BY priority DESC,", "ORDER BY"),
        ((claims, "CANDIDATES_SQLITE"), "ORDER BY priority DESC,", "ORDER BY"),
    ],
    "late reaper": [
        (
            sweeps.overdue,
            "Attempt.lease_until <= database_now()",
            "Attempt.lease_until <= database_now(-100_000)",
        )
    ],
    # More.
    "the heartbeat does not extend": [(leases.heartbeats, "lease_until=database_now(lease), ", "")],
    "reclaim counted as a failure": [
        (state_machine.lost, "job.losses += 1", "job.losses += 1; job.failures += 1")
    ],
    "a soft stop counted": [
        (state_machine.released, "_ready(job, at)", "_ready(job, at); job.failures += 1")
    ],
    "a poisonous job is never stopped": [(state_machine.lost, "job.losses < job.max_losses", "True")],
    "a lost claim burns an attempt": [(claims._repeat, "if not rows:", "if True:")],
    "another tenant's work": [
        ((claims, "CANDIDATES_POSTGRESQL"), "AND tenant = :tenant", ""),
        ((claims, "CANDIDATES_SQLITE"), "AND tenant = :tenant", ""),
        (claims._take, "Job.tenant == tenant, ", ""),
        ((claims, "CLAIM"), "AND tenant = :tenant", ""),
    ],
    "the oldest is not first": [
        (claims._take, ".order_by(Job.available_at, Job.id)", ".order_by(Job.available_at.desc())"),
        ((claims, "CLAIM"), "ORDER BY available_at, id LIMIT", "ORDER BY available_at DESC LIMIT"),
    ],
    "a lost lease of a cancelled job": [(state_machine.lost, "if job.cancel_requested_at:", "if False:")],
    "a surplus place is freed": [(caps.freed, "if is_surplus]", "if False]")],
    "the wrong one leaves a lowered cap": [(caps.freed, "gone += await _instead(tx, kept)", "pass")],
    "a lowered cap forgets its holders": [(caps._limit, "most - len(kept)", "most")],
    "a new cap forgets its holders": [(caps._limit, "if rows:", "if False:")],
    "the sweep leaks slots": [(sweeps._apply, "if not one.held", "if False")],
    "a waiting worker's death frees the job": [(state_machine.lost, "elif was is JobState.LEASED:", "else:")],
    "the clock runs while it waits": [
        (state_machine.overdue, "attempt and job.state is JobState.LEASED", "attempt"),
        (sweeps.overdue, "and_(is_slow, is_working)", "is_slow"),
    ],
    "the wait is not given back": [(state_machine.resumed, "attempt.limit_by += waited", "pass")],
    "silence is not broken": [
        (leases.heartbeats, "database_now(Attempt.silence_limit)", "Attempt.silent_by")
    ],
    "a waiting job does not expire": [(state_machine._ready, "job.wait_limit is not None", "False")],
    "the deadline is forgotten": [
        (sweeps.overdue, "Job.deadline_at <= database_now()", "Job.deadline_at <= database_now(-9e9)")
    ],
    "a worker that left keeps its slots": [
        (control.withdraw, "await caps.free(tx, [one.id for one in transitions])", "True")
    ],
}
SPECIFIED = list(MUTANTS)[:14]


@contextlib.contextmanager
def seeded(name: str) -> Iterator[None]:
    """The queue with a bug in it."""
    with contextlib.ExitStack() as undo:
        for target, old, new in MUTANTS[name]:
            if isinstance(target, tuple):
                _change_text(undo, *target, old, new)
            else:
                _change_code(undo, target, old, new)
        yield


def _change_text(undo: contextlib.ExitStack, module: Any, name: str, old: str, new: str) -> None:
    text = getattr(module, name)
    assert old in text, f"{name} has no {old!r} any more: seed the bug where it is now"
    undo.callback(setattr, module, name, text)
    setattr(module, name, text.replace(old, new))


def _change_code(undo: contextlib.ExitStack, function: Any, old: str, new: str) -> None:
    undo.callback(setattr, function, "__code__", function.__code__)
    if hasattr(function, "__seeded__"):  # its second change
        source = function.__seeded__
    else:
        source = textwrap.dedent(inspect.getsource(function))
        undo.callback(delattr, function, "__seeded__")
    assert old in source, f"{function.__name__} has no {old!r} any more: seed the bug where it is now"
    function.__seeded__ = source.replace(old, new)
    namespace = dict(function.__globals__)
    exec(function.__seeded__, namespace)
    function.__code__ = namespace[function.__name__].__code__
