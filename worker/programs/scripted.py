"""Plays a recording as an agent: for the demo, for tests, and to replay a run.

The player is a subprocess like any other program (worker/programs/player.py) and prints events directly.
"""

import json
import sys
from pathlib import Path
from typing import ClassVar

from protocol.events import AgentEvent
from worker.programs.adapter import ProgramStart, ProgramTask
from worker.programs.command import MARK, ShellCommand


class Scripted(ShellCommand):
    """Options: `recording`, the path of a recording or of a folder of them; `speed`, a factor."""

    name: ClassVar[str] = "scripted"
    program: ClassVar[str] = sys.executable
    asks: ClassVar[bool] = True

    def start(self, work: ProgramTask, folder: Path) -> ProgramStart:
        self._explicit = True
        recording = work.options.get("recording")
        if not recording:
            raise ValueError("the program `scripted` needs the option `recording`, the path of a recording")
        argv = [sys.executable, "-I", str(Path(__file__).with_name("player.py"))]
        argv += [str(Path(recording).absolute()), work.options.get("speed", "1"), work.session]
        env = work.env | {"SIGNALBOX_RUN": work.run}
        stdin = json.dumps({"prompt": work.prompt}).encode() + b"\n"
        return ProgramStart(argv=argv, env=env, stdin=stdin, keep_stdin=True)

    def read(self, line: str) -> list[AgentEvent]:
        return super().read(_marked(line))

    def read_shortened(self, line: str) -> list[AgentEvent]:
        return super().read_shortened(_marked(line))


def _marked(line: str) -> str:
    return f"{MARK}{line}" if line.startswith("{") else line
