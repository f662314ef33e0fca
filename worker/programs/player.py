"""Plays a recording: `player.py recording.jsonl [speed] [session]`. Needs nothing but Python.

A recording has one JSON object in a line; of a folder of recordings, each run gets one. Of the agents that play
such a folder beside each other one at most gets one that asks: the others work on while it waits. `after` is how
many seconds to wait first. Then one of:

    {"type": "OUTPUT", "text": …}            an event of the vocabulary, said as it is; other keys go with it
    {"say": "text", "item": "m1"}            text in small chunks, as a model says it; {"think": …} the same way
    {"plan": ["step", …]}                    the to-do list: the card's subtasks, these if it has none
    {"tick": 1}                              so many of them are done, ticked on the card too
    {"write": "path", "text": "…"}           write a file in the folder, and say so
    {"run": "command"}                       run a command in the folder, and say what it printed
    {"commit": "message"}                    commit everything
    {"apply": "patch"}                       change the folder's files as a patch says
    {"ask": [{"key", "text", "options"}]}    ask, and wait for the answer; {answer} stands for it from then on
    {"print": "raw"}, {"line": bytes}        print past the protocol: garbage, or one very long line
    {"hang": true}, {"exit": code}           what broken agents do
    {"complete": "summary"}, {"fail": "why"} end the work

{card}, {title} and {slug} stand for the card's. What it does on its card it does as every agent would: through the
API, with the token that its run was given (SIGNALBOX_URL, SIGNALBOX_TOKEN, SIGNALBOX_CARD); without one the list
is only told. The session it names is the line to go on with, so a resumed run plays what is left.
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
REQUEST_TIMEOUT_SECONDS = 10.0  # that the server gets to answer
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


def say(said: dict[str, Any]) -> None:
    print(json.dumps(said), flush=True)


class RecordedCard:
    """The card that is worked on, seen with the run's own token."""

    def __init__(self) -> None:
        self.url, self.token = os.environ.get("SIGNALBOX_URL", ""), os.environ.get("SIGNALBOX_TOKEN", "")
        self.id = os.environ.get("SIGNALBOX_CARD", "")
        self.name, self.title = "the card", "the card"
        self.steps: list[dict[str, Any]] = []

    def look(self) -> None:
        """Read the card. Without a token, or when it cannot be read, what is known stays."""
        if found := self.ask(CARD, id=self.id):
            self.name, self.title, self.steps = found["name"], found["title"], found["subtasks"]

    def plan(self, titles: list[str]) -> None:
        self.look()
        if not self.steps:
            for title in titles:
                self.ask(ADD, id=self.id, title=title)
            self.look()
        self.steps = self.steps or [{"title": title, "completed": False} for title in titles]

    def tick(self, count: int) -> None:
        self.look()
        for step in [step for step in self.steps if not step["completed"]][:count]:
            step["completed"] = True
            if "id" in step:
                self.ask(TICK, id=step["id"])

    def ask(self, query: str, **variables: Any) -> Any:
        """What the only field answers; None, and a warning, when there is no answer."""
        if not self.token:
            return None
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(self.url, body, headers)  # noqa: S310 - the worker's own server
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_SECONDS) as answer:  # noqa: S310
                said = json.load(answer)
            if said.get("errors"):
                raise ValueError(said["errors"][0]["message"])
            [value] = said["data"].values()
            if value and "refused" in value:
                raise ValueError(value["message"])
        except (OSError, ValueError) as error:
            text = f"The card cannot be reached: {error}"
            say({"type": "WARNING", "text": text, "data": {"code": "NO_CARD"}})
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
        """Do one step. False ends the recording."""
        time.sleep(step.pop("after", 0) / self.speed)
        step.pop("at", None)
        if "type" in step:
            say(self.filled(step))
            return True
        for name in STEPS:
            if name in step:
                return getattr(self, f"do_{name}")(line, step) is not False
        return True

    def session(self, line: int, state: str = "STARTED", **more: str) -> None:
        """Say where to go on, should this be the last that is heard of us."""
        data = {"state": state, "session": f"{self.name}:{line}", "model": "scripted", **more}
        say({"type": "STATUS", "data": data})

    def filled(self, value: Any) -> Any:
        if isinstance(value, str):
            slug = re.sub(r"[^a-z0-9]+", "-", self.card.title.lower()).strip("-")[:40]
            known = {"answer": self.answer, "card": self.card.name, "title": self.card.title, "slug": slug}
            return re.sub(r"\{(answer|card|title|slug)\}", lambda match: known[match[1]], value)
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
        self.stream("OUTPUT", self.filled(step["say"]), step.get("item", f"line-{line}"))

    def do_think(self, line: int, step: dict[str, Any]) -> None:
        self.stream("THINKING", self.filled(step["think"]), step.get("item", f"line-{line}"))

    def stream(self, type: str, text: str, item: str) -> None:
        for at in range(0, len(text), 8):
            say({"type": type, "text": text[at : at + 8], "data": {"item": item, "chunk": True}})
            time.sleep(0.02 / self.speed)
        say({"type": type, "text": text, "data": {"item": item}})

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
        say({"type": "TODO", "data": {"items": items}})

    def do_apply(self, line: int, step: dict[str, Any]) -> None:
        """A patch that does not fit is said, and is no end: it was made for another state of the repository."""
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
        say({"type": "FILE", "data": {"path": str(path), "change": change, "tool": tool}})

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
            return  # there was nothing to commit: played once more, it had been committed before
        sha = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
        say({"type": "COMMIT", "text": title, "data": {"sha": sha.stdout.strip()}})
        self.session(line + 1, "WORKING")

    def do_ask(self, line: int, step: dict[str, Any]) -> None:
        self.session(line + 1, "WAITING", reason="QUESTION")
        say({"type": "QUESTION", "data": {"key": f"line-{line}", "asks": self.filled(step["ask"])}})
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


def recording_of(path: Path, session: str) -> Path:
    """The recording; of a folder of them the one that the session tells, or the one that falls to this run."""
    if not path.is_dir():
        return path
    found = sorted(path.glob("*.jsonl"))
    lot = zlib.crc32(os.environ.get("SIGNALBOX_RUN", "").encode())
    told = next((one for one in found if one.stem == session), None)
    quiet = [one for one in found if '"ask":' not in one.read_text(encoding="utf-8")]
    fallen = told or found[lot % len(found)]
    if fallen in quiet or may_ask() or told or not quiet:
        return fallen
    return quiet[lot % len(quiet)]


def may_ask() -> bool:
    """Whether nobody else who works beside our folder may. It stays so until we end, however we end."""
    beside = os.open("..", os.O_RDONLY)
    try:
        fcntl.flock(beside, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def main(path: str, speed: str = "1", session: str = "") -> None:
    """A session is called after its run, its recording and the line to go on with, so no two are the same."""
    _, name, begin = ["", "", *session.split(":")][-3:]
    recording = recording_of(Path(path), name)
    lines = [
        line
        for line in recording.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    player, first = Player(float(speed), recording.stem), int(begin) if begin.isdigit() else 0
    prompt = json.loads(sys.stdin.readline() or "{}").get("prompt", "")
    player.card.look()
    if answers := re.findall(r"^  (?:Answer: )?(.+)$", prompt, re.MULTILINE) if first else []:
        player.answer = answers[-1]
    player.session(first)
    for number, line in enumerate(lines):
        if number >= first and not player.play(number, json.loads(line)):
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
