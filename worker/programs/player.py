"""Plays a recording: `player.py recording.jsonl [speed] [session]`. Needs nothing but Python.

A recording has one JSON object per line. From a folder of recordings, each run gets one; of the agents that play
the folder side by side, at most one gets a recording with questions, so that others work while it waits. `after`
is a delay in seconds. A step is one of:

    {"type": "OUTPUT", "text": …}            an event, with its other fields
    {"say": "text", "item": "m1"}            text in small chunks; {"think": …} likewise
    {"plan": ["step", …]}                    the to-do list: the card's subtasks, or these
    {"tick": 1}                              complete this many, on the card too
    {"write": "path", "text": "…"}           write a file in the folder
    {"run": "command"}                       run a command in the folder
    {"commit": "message"}                    commit everything
    {"apply": "patch"}                       apply a patch to the folder
    {"ask": [{"key", "text", "options"}]}    ask and wait; {answer} is replaced from then on
    {"print": "raw"}, {"line": bytes}        print invalid output, or a very long line
    {"hang": true}, {"exit": code}           misbehave
    {"complete": "summary"}, {"fail": "why"} end the work

{card}, {title} and {slug} are replaced by the card's values. The card is changed through the API with the run's
token (SIGNALBOX_URL, SIGNALBOX_TOKEN, SIGNALBOX_CARD); without a token, the list is only printed. The session
names the next line, so a resumed run plays the rest.
"""

import fcntl
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
import zlib
from pathlib import Path
from typing import Any

CARD = "query Card($id: ID!) { card(id: $id) { name title subtasks { id title completed } } }"
ADD = """mutation Add($id: ID!, $title: String!) { addSubtask(input: {cardId: $id, title: $title}) {
  __typename ... on Refusal { refused: code message } } }"""
TICK = """mutation Tick($id: ID!) { updateSubtask(input: {id: $id, completed: true}) {
  __typename ... on Refusal { refused: code message } } }"""
REQUEST_TIMEOUT_SECONDS = 10.0
STEPS = (
    "say",
    "think",
    "plan",
    "tick",
    "write",
    "run",
    "commit",
    "apply",
    "ask",
    "print",
    "line",
    "hang",
    "exit",
    "complete",
    "fail",
)


def print_event(payload: dict[str, Any]) -> None:
    print(json.dumps(payload), flush=True)


class RecordedCard:
    """The card of the run, accessed with the run's token."""

    def __init__(self) -> None:
        self.url, self.token = os.environ.get("SIGNALBOX_URL", ""), os.environ.get("SIGNALBOX_TOKEN", "")
        self.id = os.environ.get("SIGNALBOX_CARD", "")
        self.name, self.title = "the card", "the card"
        self.steps: list[dict[str, Any]] = []

    def read_card(self) -> None:
        """Read the card. Without a token, or on failure, the known values stay."""
        if card := self.ask(CARD, id=self.id):
            self.name, self.title, self.steps = card["name"], card["title"], card["subtasks"]

    def plan(self, titles: list[str]) -> None:
        self.read_card()
        if not self.steps:
            for title in titles:
                self.ask(ADD, id=self.id, title=title)
            self.read_card()
        self.steps = self.steps or [{"title": title, "completed": False} for title in titles]

    def tick(self, count: int) -> None:
        self.read_card()
        for step in [step for step in self.steps if not step["completed"]][:count]:
            step["completed"] = True
            if "id" in step:
                self.ask(TICK, id=step["id"])

    def ask(self, query: str, **variables: Any) -> Any:
        """Execute an operation and return its only field, or print a warning and return None."""
        if not self.token:
            return None
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(self.url, body, headers)  # noqa: S310 - the worker's own server
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_SECONDS) as answer:  # noqa: S310
                payload = json.load(answer)
            if payload.get("errors"):
                raise ValueError(payload["errors"][0]["message"])
            [value] = payload["data"].values()
            if value and "refused" in value:
                raise ValueError(value["message"])
        except (OSError, ValueError) as error:
            text = f"The card cannot be reached: {error}"
            print_event({"type": "WARNING", "text": text, "data": {"code": "NO_CARD"}})
            return None
        return value


class Player:
    def __init__(self, speed: float, name: str) -> None:
        self.speed = speed
        self.name = f"{os.environ.get('SIGNALBOX_RUN', '')}:{name}"
        self.answer = ""
        self.tools = 0
        self.card = RecordedCard()

    def play(self, line: int, step: dict[str, Any]) -> bool:
        """Play one step. Returns False at the end of the recording."""
        time.sleep(step.pop("after", 0) / self.speed)
        step.pop("at", None)
        if "type" in step:
            print_event(self.filled(step))
            return True
        for name in STEPS:
            if name in step:
                return getattr(self, f"do_{name}")(line, step) is not False
        return True

    def session(self, line: int, state: str = "STARTED", **more: str) -> None:
        """Print the session to resume from this line."""
        data = {"state": state, "session": f"{self.name}:{line}", "model": "scripted", **more}
        print_event({"type": "STATUS", "data": data})

    def filled(self, value: Any) -> Any:
        if isinstance(value, str):
            slug = re.sub(r"[^a-z0-9]+", "-", self.card.title.lower()).strip("-")[:40]
            known = {"answer": self.answer, "card": self.card.name, "title": self.card.title, "slug": slug}
            return re.sub(r"\{(answer|card|title|slug)\}", lambda match: known[match[1]], value)
        if isinstance(value, dict):
            return {key: self.filled(entry) for key, entry in value.items()}
        return [self.filled(entry) for entry in value] if isinstance(value, list) else value

    def tool(self, name: str, kind: str, text: str) -> str:
        self.tools += 1
        tool = f"tool-{self.tools}"
        print_event(
            {"type": "TOOL_STARTED", "text": text, "data": {"tool": tool, "name": name, "kind": kind}}
        )
        return tool

    def tool_ended(self, tool: str, name: str, text: str, code: int = 0) -> None:
        status = "FAILED" if code else "SUCCEEDED"
        data = {"tool": tool, "name": name, "status": status, "exit_code": code}
        print_event({"type": "TOOL_FINISHED", "text": text[-16_384:], "data": data})

    def do_say(self, line: int, step: dict[str, Any]) -> None:
        self.stream("OUTPUT", self.filled(step["say"]), step.get("item", f"line-{line}"))

    def do_think(self, line: int, step: dict[str, Any]) -> None:
        self.stream("THINKING", self.filled(step["think"]), step.get("item", f"line-{line}"))

    def stream(self, type: str, text: str, item: str) -> None:
        for at in range(0, len(text), 8):
            print_event({"type": type, "text": text[at : at + 8], "data": {"item": item, "chunk": True}})
            time.sleep(0.02 / self.speed)
        print_event({"type": type, "text": text, "data": {"item": item}})

    def do_plan(self, line: int, step: dict[str, Any]) -> None:
        self.card.plan(self.filled(step["plan"]))
        self.todo()

    def do_tick(self, line: int, step: dict[str, Any]) -> None:
        self.card.tick(int(step["tick"]))
        self.todo()

    def todo(self) -> None:
        items, now = [], "IN_PROGRESS"
        for step in self.card.steps:
            items.append({"text": step["title"], "state": "DONE" if step["completed"] else now})
            now = now if step["completed"] else "PENDING"
        print_event({"type": "TODO", "data": {"items": items}})

    def do_apply(self, line: int, step: dict[str, Any]) -> None:
        """Apply a patch. A patch that does not apply is reported and does not end the run."""
        tool = self.tool("apply", "EDIT", "git apply")
        ran = subprocess.run(
            ["git", "apply", "--index", "-"], input=step["apply"], capture_output=True, text=True
        )
        self.tool_ended(tool, "apply", ran.stderr, ran.returncode)

    def do_write(self, line: int, step: dict[str, Any]) -> None:
        path, text = Path(self.filled(step["write"])), self.filled(step.get("text", ""))
        tool = self.tool("write", "EDIT", str(path))
        change = "EDIT" if path.exists() else "ADD"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.tool_ended(tool, "write", "")
        print_event({"type": "FILE", "data": {"path": str(path), "change": change, "tool": tool}})

    def do_run(self, line: int, step: dict[str, Any]) -> None:
        command = self.filled(step["run"])
        tool = self.tool("shell", "EXECUTE", command)
        ran = subprocess.run(command, shell=True, capture_output=True, text=True, errors="replace")  # noqa: S602
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
        title = self.filled(step["commit"])
        if subprocess.run([*git, "commit", "-qm", title], capture_output=True).returncode != 0:
            return  # nothing to commit: an earlier attempt committed it
        sha = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
        print_event({"type": "COMMIT", "text": title, "data": {"sha": sha.stdout.strip()}})
        self.session(line + 1, "WORKING")

    def do_ask(self, line: int, step: dict[str, Any]) -> None:
        self.session(line + 1, "WAITING", reason="QUESTION")
        print_event({"type": "QUESTION", "data": {"key": f"line-{line}", "asks": self.filled(step["ask"])}})
        for answer in sys.stdin:
            try:
                answers = json.loads(answer).get("answers")
            except ValueError:
                continue
            if answers is not None:
                self.answer = ", ".join(entry for few in answers.values() for entry in few)
                return print_event({"type": "STATUS", "data": {"state": "WORKING"}})
        raise SystemExit(0)  # no answer can follow

    def do_print(self, line: int, step: dict[str, Any]) -> None:
        print(step["print"], flush=True)

    def do_line(self, line: int, step: dict[str, Any]) -> None:
        print("x" * step["line"], flush=True)

    def do_hang(self, line: int, step: dict[str, Any]) -> None:
        time.sleep(86_400)

    def do_exit(self, line: int, step: dict[str, Any]) -> None:
        raise SystemExit(step["exit"])

    def do_complete(self, line: int, step: dict[str, Any]) -> bool:
        print_event({"complete": self.filled(step["complete"])})
        return False

    def do_fail(self, line: int, step: dict[str, Any]) -> bool:
        print_event({"fail": step["fail"]})
        return False


def recording_of(path: Path, session: str) -> Path:
    """Choose the recording: in a folder, that of the session, or the next one for this run."""
    if not path.is_dir():
        return path
    recordings = sorted(path.glob("*.jsonl"))
    lot = zlib.crc32(os.environ.get("SIGNALBOX_RUN", "").encode())
    resumed = next((entry for entry in recordings if entry.stem == session), None)
    quiet = [entry for entry in recordings if '"ask":' not in entry.read_text(encoding="utf-8")]
    chosen = resumed or recordings[lot % len(recordings)]
    if chosen in quiet or may_ask() or resumed or not quiet:
        return chosen
    return quiet[lot % len(quiet)]


def may_ask() -> bool:
    """Return whether no neighbouring player asks. The claim lasts until this process ends."""
    beside = os.open("..", os.O_RDONLY)
    try:
        fcntl.flock(beside, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def main(path: str, speed: str = "1", session: str = "") -> None:
    """Play. A session is named by run, recording and next line, so it is unique."""
    _, name, begin = ["", "", *session.split(":")][-3:]
    recording = recording_of(Path(path), name)
    lines = [
        line
        for line in recording.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    player, first = Player(float(speed), recording.stem), int(begin) if begin.isdigit() else 0
    prompt = json.loads(sys.stdin.readline() or "{}").get("prompt", "")
    player.card.read_card()
    if answers := re.findall(r"^  (?:Answer: )?(.+)$", prompt, re.MULTILINE) if first else []:
        player.answer = answers[-1]
    player.session(first)
    for number, line in enumerate(lines):
        if number >= first and not player.play(number, json.loads(line)):
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
