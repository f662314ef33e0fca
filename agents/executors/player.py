"""Plays a recording: `player.py recording.jsonl [speed] [from]`. Needs nothing but Python.

A recording has one JSON object in a line. `after` is how many seconds to wait first. Then one of:

    {"type": "OUTPUT", "text": …}            an event of the vocabulary, said as it is; other keys go with it
    {"say": "text", "item": "m1"}            text in small chunks, as a model says it
    {"write": "path", "text": "…"}           write a file in the folder, and say so
    {"run": "command"}                       run a command in the folder, and say what it printed
    {"commit": "message"}                    commit everything
    {"ask": [{"key", "text", "options"}]}    ask, and wait for the answer; {answer} stands for it from then on
    {"print": "raw"}, {"line": bytes}        print past the protocol: garbage, or one very long line
    {"hang": true}, {"exit": code}           what broken agents do
    {"complete": "summary"}, {"fail": "why"} end the work

The session it names is the line to go on with, so a resumed run plays what is left.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def say(said: dict[str, Any]) -> None:
    print(json.dumps(said), flush=True)


class Player:
    def __init__(self, speed: float) -> None:
        self.speed = speed
        self.answer = ""
        self.tools = 0

    def play(self, line: int, step: dict[str, Any]) -> bool:
        """Do one step. False ends the recording."""
        time.sleep(step.pop("after", 0) / self.speed)
        step.pop("at", None)
        if "type" in step:
            say(self.filled(step))
            return True
        for name in (
            "say",
            "write",
            "run",
            "commit",
            "ask",
            "print",
            "line",
            "hang",
            "exit",
            "complete",
            "fail",
        ):
            if name in step:
                return getattr(self, f"do_{name}")(line, step) is not False
        return True

    def filled(self, value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("{answer}", self.answer)
        if isinstance(value, dict):
            return {key: self.filled(one) for key, one in value.items()}
        return [self.filled(one) for one in value] if isinstance(value, list) else value

    def tool(self, name: str, kind: str, text: str) -> str:
        self.tools += 1
        tool = f"tool-{self.tools}"
        say({"type": "TOOL_STARTED", "text": text, "data": {"tool": tool, "name": name, "kind": kind}})
        return tool

    def tool_ended(self, tool: str, name: str, text: str, code: int = 0) -> None:
        status = "FAILED" if code else "SUCCEEDED"
        data = {"tool": tool, "name": name, "status": status, "exit_code": code}
        say({"type": "TOOL_FINISHED", "text": text[-16_384:], "data": data})

    def do_say(self, line: int, step: dict[str, Any]) -> None:
        text, item = self.filled(step["say"]), step.get("item", f"line-{line}")
        for at in range(0, len(text), 8):
            say({"type": "OUTPUT", "text": text[at : at + 8], "data": {"item": item, "chunk": True}})
            time.sleep(0.02 / self.speed)
        say({"type": "OUTPUT", "text": text, "data": {"item": item}})

    def do_write(self, line: int, step: dict[str, Any]) -> None:
        tool = self.tool("write", "EDIT", step["write"])
        path, text = Path(step["write"]), self.filled(step.get("text", ""))
        change = "EDIT" if path.exists() else "ADD"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.tool_ended(tool, "write", "")
        say({"type": "FILE", "data": {"path": step["write"], "change": change, "tool": tool}})

    def do_run(self, line: int, step: dict[str, Any]) -> None:
        tool = self.tool("shell", "EXECUTE", step["run"])
        ran = subprocess.run(step["run"], shell=True, capture_output=True, text=True, errors="replace")  # noqa: S602
        self.tool_ended(tool, "shell", ran.stdout + ran.stderr, ran.returncode)

    def do_commit(self, line: int, step: dict[str, Any]) -> None:
        git = [
            "git",
            "-c",
            "user.name=Scripted agent",
            "-c",
            "user.email=agent@localhost",
        ]  # of the recording
        subprocess.run([*git, "add", "-A"], check=True, capture_output=True)
        subprocess.run([*git, "commit", "-qm", self.filled(step["commit"])], check=True, capture_output=True)
        sha = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
        say({"type": "COMMIT", "text": self.filled(step["commit"]), "data": {"sha": sha.stdout.strip()}})

    def do_ask(self, line: int, step: dict[str, Any]) -> None:
        say({"type": "STATUS", "data": {"state": "WAITING", "reason": "QUESTION", "session": str(line + 1)}})
        say({"type": "QUESTION", "data": {"key": f"line-{line}", "asks": step["ask"]}})
        for answer in sys.stdin:
            try:
                answers = json.loads(answer).get("answers")
            except ValueError:
                continue
            if answers is not None:
                self.answer = ", ".join(one for few in answers.values() for one in few)
                return say({"type": "STATUS", "data": {"state": "WORKING"}})
        raise SystemExit(0)  # nobody will answer any more

    def do_print(self, line: int, step: dict[str, Any]) -> None:
        print(step["print"], flush=True)

    def do_line(self, line: int, step: dict[str, Any]) -> None:
        print("x" * step["line"], flush=True)

    def do_hang(self, line: int, step: dict[str, Any]) -> None:
        time.sleep(86_400)

    def do_exit(self, line: int, step: dict[str, Any]) -> None:
        raise SystemExit(step["exit"])

    def do_complete(self, line: int, step: dict[str, Any]) -> bool:
        say({"complete": self.filled(step["complete"])})
        return False

    def do_fail(self, line: int, step: dict[str, Any]) -> bool:
        say({"fail": step["fail"]})
        return False


def main(path: str, speed: str = "1", begin: str = "0") -> None:
    lines = [
        line for line in Path(path).read_text().splitlines() if line.strip() and not line.startswith("#")
    ]
    player, first = Player(float(speed)), int(begin) if begin.isdigit() else 0
    prompt = sys.stdin.readline()
    if first:
        player.answer = prompt.rpartition("Answer: ")[2].strip()
    else:
        say({"type": "STATUS", "data": {"state": "STARTED", "session": "0", "model": "scripted"}})
    for number, line in enumerate(lines):
        if number >= first and not player.play(number, json.loads(line)):
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
