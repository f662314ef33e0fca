"""How a run's end is told: with words for one that said none, and again with less where something is refused.

A refusal costs what was refused and nothing else: branch, head, files, commits and metrics go only when the server
names them, or when nothing else is left to leave out.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from protocol.events import AgentResult, OutputStream, OutputText
from protocol.text import plain
from worker.api import FinishedWork, ServerRejected
from worker.worktree import Made

log = logging.getLogger(__name__)

NO_SUMMARY = "Completed without a summary"
MAX_TITLE_CHARS = 72
MAX_STAND_IN_CHARS = 2_000
MAX_REASON_CHARS = 300  # of what the server said about what it refused
ELSEWHERE = (
    "CONFLICT",
    "NOT_FOUND",
    "FORBIDDEN",
    "UNAUTHENTICATED",
)  # refusals that no field is to blame for

Tell = Callable[[AgentResult, FinishedWork | None], Awaitable[None]]
Less = Callable[[FinishedWork], FinishedWork]
# What can be left out, by its name in the API; what is missed least goes first when the server names nothing.
LESS: dict[str, Less] = {
    "patch": lambda result: replace(result, diff=replace(result.diff, patch="", is_cut=False)),
    "warnings": lambda result: replace(result, warnings=()),
    "sessionId": lambda result: replace(result, session=""),
    "summary": lambda result: replace(result, summary=NO_SUMMARY if result.summary else ""),
    "exitCode": lambda result: replace(result, exit_code=None),
    "metrics": lambda result: replace(result, metrics={}),
    "files": lambda result: replace(result, diff=replace(result.diff, files=())),
    "commits": lambda result: replace(result, commits=()),
    "headSha": lambda result: replace(result, head=""),
    "branch": lambda result: replace(result, branch=""),
}


async def tell_until_taken(tell: Tell, ended: AgentResult, result: FinishedWork | None) -> bool:
    """Tell how the run ended; what the server refuses of it is left out. False: it did not take the result.

    An end that is refused in itself is told as a failure with all that was made, so that the run does not hang
    until its lease ends. Raises Rejected when not even that is taken.
    """
    left, is_plainest = result, False
    while True:
        try:
            await tell(ended, left)
            return left is not None
        except ServerRejected as error:
            log.warning("the end of a run was refused: %s", error)
            if left and (less := without_refused(left, error)):
                left = less
            elif not is_plainest:
                reason = f"The server refused how the run ended ({ended.code or 'completed'}): {error}"
                ended, left, is_plainest = AgentResult.failed(reason), result, True
            elif left:
                left = None
            else:
                raise


def goes_on(said: OutputText, now: OutputText) -> OutputText:
    """The last an agent said, its chunks put together; what it said on standard error is no word of its own."""
    if now.stream == OutputStream.STDERR or not now.text.strip():
        return said
    text = (said.text if now.chunk and now.item == said.item else "") + now.text
    return now.model_copy(update={"text": text[-MAX_STAND_IN_CHARS:]})


def stand_in(commits: Sequence[Made], said: OutputText) -> str:
    """A summary for an agent that gave none: the title of its last commit, or what it said last."""
    if commits and (title := plain(commits[-1].subject)):
        return title
    lines = plain(said.text).splitlines()
    return "\n".join(lines[-1:] if said.stream == OutputStream.STDOUT else lines)


def title_of(summary: str) -> str:
    """The first line that says something, as a title: no escape sequences, no heading's marks."""
    lines = (" ".join(line.split()).lstrip("#*> -") for line in plain(summary).splitlines())
    return next((line[:MAX_TITLE_CHARS].strip() for line in lines if line), "")


def without_refused(result: FinishedWork, error: ServerRejected) -> FinishedWork | None:
    """The result without what the server refused of it, and with a warning. None: nothing is left to leave out."""
    if error.code in ELSEWHERE:
        return None
    named = [name for name in LESS if re.search(rf"\b{name}\b", str(error))]
    for name in [*named, *(name for name in LESS if name not in named)]:
        less = _without_entries(result, name, str(error)) if name in named else result
        less = less if less != result else LESS[name](result)
        if less != result:
            why = " ".join(plain(str(error)).split())[:MAX_REASON_CHARS]
            warning = f"The server refused {name} of the result, so it is left out: {why}"
            return less if name == "warnings" else replace(less, warnings=(*less.warnings, warning))
    return None


def _without_entries(result: FinishedWork, name: str, why: str) -> FinishedWork:
    """Without the files or commits whose numbers the server names."""
    refused = {int(number) for number in re.findall(rf"\b{name}[.\[](\d+)", why)}
    if name == "files":
        files = tuple(one for n, one in enumerate(result.diff.files) if n not in refused)
        return replace(result, diff=replace(result.diff, files=files))
    if name == "commits":
        return replace(result, commits=tuple(c for n, c in enumerate(result.commits) if n not in refused))
    return result
