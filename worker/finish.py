"""Reports the end of a run, with a substitute summary if there is none, and without what the server refuses.

A refused field costs that field and nothing else: branch, head, files, commits and metrics are dropped only if the
server names them or nothing else is left to drop.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from protocol.events import AgentResult, OutputStream, OutputText, TokenUsage
from protocol.text import plain
from worker.api import FinishedWork, Row, ServerRejected
from worker.worktree import Made

log = logging.getLogger(__name__)

NO_SUMMARY = "Completed without a summary"
MAX_TITLE_CHARS = 72
MAX_STAND_IN_CHARS = 2_000
MAX_REASON_CHARS = 300  # of the server's message in a warning
UNREDUCIBLE_CODES = (
    "CONFLICT",
    "NOT_FOUND",
    "FORBIDDEN",
    "UNAUTHENTICATED",
)  # refusals that no field causes

ReportEnd = Callable[[AgentResult, FinishedWork | None], Awaitable[None]]
Reduction = Callable[[FinishedWork], FinishedWork]
# Droppable parts by their API name, the least important first; used in order if the server names none.
REDUCTIONS: dict[str, Reduction] = {
    "patch": lambda result: replace(result, diff=replace(result.diff, patch="", is_cut=False)),
    "warnings": lambda result: replace(result, warnings=()),
    "sessionId": lambda result: replace(result, session=""),
    "summary": lambda result: replace(result, summary=NO_SUMMARY if result.summary else ""),
    "exitCode": lambda result: replace(result, exit_code=None),
    "metrics": lambda result: replace(result, metrics={}),
    "sessionUsage": lambda result: replace(result, session_usage={}),
    "files": lambda result: replace(result, diff=replace(result.diff, files=())),
    "commits": lambda result: replace(result, commits=()),
    "headSha": lambda result: replace(result, head=""),
    "branch": lambda result: replace(result, branch=""),
}


async def report_end(report: ReportEnd, ended: AgentResult, result: FinishedWork | None) -> bool:
    """Report the end of a run, dropping refused parts of the result. Returns whether the server took the result.

    An end that is itself refused is reported as a failure with the whole result, so that the run does not stay
    open until its lease expires. Raises ServerRejected if the failure is refused too.
    """
    left, is_plainest = result, False
    while True:
        try:
            await report(ended, left)
            return left is not None
        except ServerRejected as error:
            log.warning("the end of a run was refused: %s", error)
            if left and (reduced := without_refused(left, error)):
                left = reduced
            elif not is_plainest:
                reason = f"The server refused how the run ended ({ended.code or 'completed'}): {error}"
                ended, left, is_plainest = AgentResult.failed(reason), result, True
            elif left:
                left = None
            else:
                raise


def extend_output(last: OutputText, now: OutputText) -> OutputText:
    """Return the agent's last output, its chunks joined. Standard error does not count as output."""
    if now.stream == OutputStream.STDERR or not now.text.strip():
        return last
    text = (last.text if now.chunk and now.item == last.item else "") + now.text
    return now.model_copy(update={"text": text[-MAX_STAND_IN_CHARS:]})


def summarize(commits: Sequence[Made], last: OutputText) -> str:
    """Derive a summary for an agent that gave none: the title of its last commit, or its last output."""
    if commits and (title := plain(commits[-1].subject)):
        return title
    lines = plain(last.text).splitlines()
    return "\n".join(lines[-1:] if last.stream == OutputStream.STDOUT else lines)


def title_of(summary: str) -> str:
    """Return the first line with text as a title, without escape sequences and heading marks."""
    lines = (" ".join(line.split()).lstrip("#*> -") for line in plain(summary).splitlines())
    return next((line[:MAX_TITLE_CHARS].strip() for line in lines if line), "")


def without_refused(result: FinishedWork, error: ServerRejected) -> FinishedWork | None:
    """Drop what the server refused from the result and add a warning. Returns None if nothing can be dropped."""
    if error.code in UNREDUCIBLE_CODES:
        return None
    named = [name for name in REDUCTIONS if re.search(rf"\b{name}\b", str(error))]
    for name in [*named, *(name for name in REDUCTIONS if name not in named)]:
        reduced = _without_entries(result, name, str(error)) if name in named else result
        reduced = reduced if reduced != result else REDUCTIONS[name](result)
        if reduced != result:
            why = " ".join(plain(str(error)).split())[:MAX_REASON_CHARS]
            warning = f"The server refused {name} of the result, so it is left out: {why}"
            return reduced if name == "warnings" else replace(reduced, warnings=(*reduced.warnings, warning))
    return None


def _without_entries(result: FinishedWork, name: str, why: str) -> FinishedWork:
    """Drop the files or commits whose indexes the server names."""
    refused = {int(number) for number in re.findall(rf"\b{name}[.\[](\d+)", why)}
    if name == "files":
        files = tuple(file for n, file in enumerate(result.diff.files) if n not in refused)
        return replace(result, diff=replace(result.diff, files=files))
    if name == "commits":
        return replace(result, commits=tuple(c for n, c in enumerate(result.commits) if n not in refused))
    return result


def usage_of(totals: Row) -> TokenUsage:
    """Return usage from the terms of `total_usage`."""
    return TokenUsage(
        input_tokens=totals.get("inputTokens") or 0,
        output_tokens=totals.get("outputTokens") or 0,
        cached_tokens=totals.get("cachedTokens") or 0,
        reasoning_tokens=totals.get("reasoningTokens") or 0,
        cost_usd=totals.get("costUsd"),
        model=totals.get("model") or "",
    )


def total_usage(spent: list[TokenUsage]) -> Row:
    """Sum the tokens and the cost of all processes of a run."""
    costs = [usage.cost_usd for usage in spent if usage.cost_usd is not None]
    return {
        "inputTokens": sum(usage.input_tokens for usage in spent),
        "outputTokens": sum(usage.output_tokens for usage in spent),
        "cachedTokens": sum(usage.cached_tokens for usage in spent),
        "reasoningTokens": sum(usage.reasoning_tokens for usage in spent),
        "costUsd": sum(costs) if costs else None,
        "model": next((usage.model for usage in reversed(spent) if usage.model), ""),
    }
