"""A plain shell command as an agent, in the user's own repository.

It gets the prompt in SIGNALBOX_PROMPT, and whole, however long, in the file SIGNALBOX_PROMPT_FILE. Its standard
input stays open for answers, and has nothing else, unless the option `stdin` asks for the prompt there: `prompt`
before the answers, or `close` alone, for programs that read to the end. What it prints is its output. What follows
`::signalbox ` in a line is one event of the vocabulary, or `{"complete": "summary"}`, so a script can tick a list
or report progress. An exit code is all that most commands ever say, so here, and only here, 0 is the word that the
work is complete; its last line is the summary. With the option `complete: explicit` it has to say so.
"""

import json
from pathlib import Path
from typing import ClassVar

from protocol.events import (
    AgentEvent,
    AgentResult,
    AgentStatus,
    AgentWarning,
    OutputStream,
    OutputText,
    QuestionRaised,
    StatusChanged,
)
from protocol.rows import from_row
from protocol.text import clean
from worker.programs.adapter import Json, ProgramAdapter, ProgramStart, ProgramTask, answered, shorten

MARK = "::signalbox "
PROMPT = "prompt.md"  # the file for one process
INPUTS = ("answers", "prompt", "close")  # what the standard input brings
MAX_ENV = 100_000  # bytes of one variable; systems refuse more than 131,072


class ShellCommand(ProgramAdapter):
    name: ClassVar[str] = "command"
    program: ClassVar[str] = "sh"
    asks: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self._explicit = False
        self._last = ""
        self._asked: dict[str, QuestionRaised] = {}

    def start(self, work: ProgramTask, folder: Path) -> ProgramStart:
        self._explicit = work.options.get("complete") == "explicit"
        command = work.options.get("command")
        if not command:
            raise ValueError("the executor `command` needs the option `command`: what to run")
        prompt = clean(work.prompt)
        env = {
            "SIGNALBOX_RUN": work.run,
            "SIGNALBOX_PROMPT": prompt if len(prompt.encode()) < MAX_ENV else "",
            "SIGNALBOX_PROMPT_FILE": str(work.private / PROMPT),
        }
        env |= work.env | ({"SIGNALBOX_SESSION": work.session} if work.session else {})
        said = work.options.get("stdin", "answers")
        if said not in INPUTS:
            raise ValueError(f"the option `stdin` can be {', '.join(INPUTS)}, not {said!r}")
        return ProgramStart(
            argv=["sh", "-c", command],
            env=env,
            stdin=b"" if said == "answers" else work.prompt.encode(errors="replace") + b"\n",
            keep_stdin=said != "close",
            files={PROMPT: prompt},
        )

    def read(self, line: str) -> list[AgentEvent]:
        line = line.rstrip("\r\n")
        if line.startswith(MARK):
            return self._watch(self._marked(line.removeprefix(MARK)))
        if line.strip():
            self._last = line
        return [OutputText(text=f"{line}\n", item="stdout", stream=OutputStream.STDOUT, chunk=True)]

    def read_shortened(self, line: str) -> list[AgentEvent]:
        """Of what is too long only what was said to us is understood."""
        return self.read(line) if line.startswith(MARK) else []

    def _marked(self, text: str) -> list[AgentEvent]:
        try:
            said = json.loads(text)
            if "complete" in said:
                self.ended = AgentResult(ok=True, summary=str(said["complete"]))
                return [StatusChanged(state=AgentStatus.IDLE, reason="completed")]
            if "fail" in said:
                self.ended = _failure(said["fail"])
                return []
            event = from_row(said)
        except (ValueError, TypeError, RecursionError) as error:
            return [AgentWarning(text=f"{error}: {shorten(text)}", code="UNREADABLE")]
        if isinstance(event, QuestionRaised):
            self._asked[event.key] = event
        return [event]

    def answer(self, key: str, answers: dict[str, list[str]]) -> bytes | None:
        """One JSON line: the answers by the keys of the questions, and the same in words."""
        question = self._asked.pop(key, None)
        if question is None:
            return None
        said = {"answer": key, "answers": answers, "text": answered(question.asks, answers)}
        return json.dumps(said).encode() + b"\n"

    def conclude(self) -> bytes | None:
        return b'{"conclude": true}\n'

    def finish(self, code: int, stderr: str) -> None:
        if self.ended is not None:
            return
        if code != 0:
            last = shorten(stderr.strip().rpartition("\n")[2] or self._last, 500)
            self.ended = AgentResult.failed(f"The command exited with {code}: {last}".rstrip(": "))
        elif not self._explicit:
            self.ended = AgentResult(ok=True, summary=self._last.strip() or "The command exited with 0")


def _failure(said: Json | str) -> AgentResult:
    if isinstance(said, str):
        return AgentResult.failed(said)
    code, retryable = str(said.get("code", "AGENT_ERROR")), bool(said.get("retryable"))
    return AgentResult.failed(str(said.get("reason", "")), code, retryable=retryable)
