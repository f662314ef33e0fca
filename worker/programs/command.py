"""Runs a shell command as an agent.

The command gets the prompt in SIGNALBOX_PROMPT, and in full in the file SIGNALBOX_PROMPT_FILE. Standard input stays
open for answers; the option `stdin` puts the prompt first (`prompt`), or the prompt and the end of input (`close`).
Output is logged. A line `::signalbox {…}` is an event, or `{"complete": "summary"}`. Exit code 0 completes the run,
with the last line as its summary, because most commands report nothing else. With the option `complete: explicit`,
the command must print `complete`.
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
PROMPT = "prompt.md"  # private file of the process
INPUTS = ("answers", "prompt", "close")  # values of the option `stdin`
MAX_ENV = 100_000  # bytes of a variable; Linux refuses more than 131,072


class ShellCommand(ProgramAdapter):
    name: ClassVar[str] = "command"
    program: ClassVar[str] = "sh"
    asks: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.hears = True  # whether its input stays open
        self._explicit = False
        self._last = ""
        self._asked: dict[str, QuestionRaised] = {}

    def start(self, work: ProgramTask, folder: Path) -> ProgramStart:
        self._explicit = work.options.get("complete") == "explicit"
        command = work.options.get("command")
        if not command:
            raise ValueError("the program `command` needs the option `command`, a shell command")
        prompt = clean(work.prompt)
        env = {
            "SIGNALBOX_RUN": work.run,
            "SIGNALBOX_PROMPT": prompt if len(prompt.encode()) < MAX_ENV else "",
            "SIGNALBOX_PROMPT_FILE": str(work.private / PROMPT),
        }
        env |= work.env | ({"SIGNALBOX_SESSION": work.session} if work.session else {})
        input_mode = work.options.get("stdin", "answers")
        if input_mode not in INPUTS:
            raise ValueError(f"the option `stdin` can be {', '.join(INPUTS)}, not {input_mode!r}")
        self.hears = input_mode != "close"
        return ProgramStart(
            argv=["sh", "-c", command],
            env=env,
            stdin=b"" if input_mode == "answers" else work.prompt.encode(errors="replace") + b"\n",
            keep_stdin=input_mode != "close",
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
        """Parse a line that was too long only if it is addressed to Signalbox."""
        return self.read(line) if line.startswith(MARK) else []

    def _marked(self, text: str) -> list[AgentEvent]:
        try:
            payload = json.loads(text)
            if "complete" in payload:
                self.ended = AgentResult(ok=True, summary=str(payload["complete"]))
                return [StatusChanged(state=AgentStatus.IDLE, reason="completed")]
            if "fail" in payload:
                self.ended = _failure(payload["fail"])
                return []
            event = from_row(payload)
        except (ValueError, TypeError, RecursionError) as error:
            return [AgentWarning(text=f"{error}: {shorten(text)}", code="UNREADABLE")]
        if isinstance(event, QuestionRaised):
            self._asked[event.key] = event
        return [event]

    def answer(self, key: str, answers: dict[str, list[str]]) -> bytes | None:
        """Return one JSON line: the answers by question key, and as text."""
        question = self._asked.pop(key, None)
        if question is None:
            return None
        payload = {"answer": key, "answers": answers, "text": answered(question.asks, answers)}
        return json.dumps(payload).encode() + b"\n"

    def conclude(self) -> bytes | None:
        return b'{"conclude": true}\n'

    def tell(self, text: str, *, interrupts: bool) -> bytes | None:
        line = {"message": text, "mode": "INTERRUPT" if interrupts else "QUEUE"}
        return json.dumps(line, ensure_ascii=False).encode(errors="replace") + b"\n" if self.hears else None

    def finish(self, code: int, stderr: str) -> None:
        if self.ended is not None:
            return
        if code != 0:
            last = shorten(stderr.strip().rpartition("\n")[2] or self._last, 500)
            self.ended = AgentResult.failed(f"The command exited with {code}: {last}".rstrip(": "))
        elif not self._explicit:
            self.ended = AgentResult(ok=True, summary=self._last.strip() or "The command exited with 0")


def _failure(payload: Json | str) -> AgentResult:
    if isinstance(payload, str):
        return AgentResult.failed(payload)
    code, retryable = str(payload.get("code", "AGENT_ERROR")), bool(payload.get("retryable"))
    return AgentResult.failed(str(payload.get("reason", "")), code, retryable=retryable)
