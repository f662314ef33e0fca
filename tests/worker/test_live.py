"""Workers as people start them, on a real server: nothing is lost when they die, and what is bad says why."""

import asyncio
import json
import os
import signal
import subprocess

import pytest

from tests.warm import command
from tests.worker.live import ANSWER, CONCLUDE, ROOT, STOP, Live

pytestmark = pytest.mark.slow("a server and worker of processes, leases that must expire")

END = ("SUCCEEDED", "FAILED", "CANCELLED")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def kind(request):
    """Here the database makes no difference that tests/scenarios would not see; the long run looks again."""
    return request.param


@pytest.fixture
async def live(serve, tmp_path):
    found = Live(await serve(), tmp_path)
    yield found
    await found.end()


def recording(tmp_path, *steps, name="recording.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(json.dumps(step) for step in steps))
    return {"recording": str(path), "speed": "10"}


def texts(run, type):
    return [event["text"] for event in run["events"]["nodes"] if event["type"] == type]


async def test_a_command_works_a_card_of_ones_own_repository(live):
    await live.begin()
    id = await live.start("COMMAND", command="cat; echo precious > new.txt; echo all done", stdin="close")
    live.worker()
    run = await live.until(id, *END)
    assert (run["status"], run["summary"], run["outcome"]) == ("SUCCEEDED", "all done", "CHANGES"), run
    assert run["card"]["stage"] == "REVIEW"
    assert run["files"] == [{"path": "new.txt", "change": "ADD", "additions": 1}]
    assert "+precious" in run["patch"]
    assert [commit["title"] for commit in run["commits"]] == ["all done"]
    assert "Say hello" in "".join(texts(run, "OUTPUT")), "it was told what the card asks for"
    seqs = [event["seq"] for event in run["events"]["nodes"]]
    assert seqs == list(range(1, len(seqs) + 1))
    head = subprocess.run(
        ["git", "-C", str(live.repository), "rev-parse", run["branch"]], capture_output=True, text=True
    )
    assert head.stdout.strip() == run["headSha"]


async def test_an_agent_asks_and_goes_on_with_the_answer(live, tmp_path):
    await live.begin()
    ask = [{"key": "0", "text": "Which greeting?", "options": [{"label": "hello"}, {"label": "ahoy"}]}]
    spent = {"input_tokens": 10, "output_tokens": 5, "cost_usd": 0.25, "model": "large"}
    steps = [{"say": "I have to ask."}, {"ask": ask}, {"write": "g.txt", "text": "{answer}\n"}]
    steps.append({"type": "USAGE", "data": spent})
    id = await live.start(
        "SCRIPTED", **recording(tmp_path, *steps, {"commit": "Say {answer}"}, {"complete": "Said {answer}"})
    )
    live.worker()
    run = await live.until(id, "WAITING")
    assert run["waitReason"] == "QUESTION"
    [question] = run["questions"]
    await live.ask(ANSWER, id=question["id"], options=["ahoy"])
    run = await live.until(id, *END)
    assert (run["status"], run["summary"]) == ("SUCCEEDED", "Said ahoy"), run
    assert [commit["title"] for commit in run["commits"]] == ["Say ahoy"]
    told = {"inputTokens": 10, "outputTokens": 5, "cachedTokens": 0, "reasoningTokens": 0}
    told |= {"costUsd": 0.25, "model": "large"}
    assert run["metrics"] == told
    said = [(one["type"], one["text"]) for one in run["events"]["nodes"]]
    asked = [line for line in said if line[0] in ("OUTPUT", "QUESTION")]
    assert asked == [("OUTPUT", "I have to ask."), ("QUESTION", ""), ("QUESTION", "ahoy")]


async def test_a_worker_is_killed_and_another_goes_on(live):
    await live.begin()
    command = "if [ -e begun ]; then echo went on; else touch begun; echo begun; sleep 600; fi"
    id = await live.start("COMMAND", command=command)
    first = live.worker("first")
    await live.until(id, "RUNNING", check=lambda run: "begun\n" in texts(run, "OUTPUT"))
    first.kill()
    live.worker("second")
    run = await live.until(id, *END)
    assert (run["status"], run["summary"], run["attempt"]) == ("SUCCEEDED", "went on", 2), run
    assert [attempt["outcome"] for attempt in run["attempts"]] == ["LOST", "SUCCEEDED"]


async def test_the_agent_of_a_frozen_worker_does_not_write_where_the_next_one_works(live):
    await live.begin()
    begin = "touch begun; git add begun; git -c user.name=A -c user.email=a@b.c commit -qm Begun; echo begun"
    command = (
        f"if [ -e begun ]; then echo went on; else {begin}; while :; do date >> more; sleep 0.1; done; fi"
    )
    id = await live.start("COMMAND", command=command)
    first = live.worker("first", at_once=1)
    await live.until(id, "RUNNING", check=lambda run: "begun\n" in texts(run, "OUTPUT"))
    first.signal(signal.SIGSTOP)
    live.worker("second")
    run = await live.until(id, *END)
    assert (run["status"], run["summary"], run["attempt"]) == ("SUCCEEDED", "went on", 2), run
    assert run["branch"].endswith("-say-hello-2"), run["branch"]
    assert [file["path"] for file in run["files"]] == ["begun"]


async def test_a_question_outlives_its_worker(live, tmp_path):
    await live.begin()
    steps = [{"write": "a.txt", "text": "a"}, {"ask": [{"key": "0", "text": "Which?"}]}]
    options = recording(tmp_path, *steps, {"complete": "Said {answer}"})
    id = await live.start("SCRIPTED", **options)
    first = live.worker("first")
    run = await live.until(id, "WAITING")
    first.kill()
    await live.ask(ANSWER, id=run["questions"][0]["id"], text="ahoy")
    live.worker("second")
    run = await live.until(id, *END)
    assert (run["status"], run["summary"]) == ("SUCCEEDED", "Said ahoy"), run
    assert [question["status"] for question in run["questions"]] == ["ANSWERED"], "asked once"


async def test_a_worker_that_is_told_to_leave_gives_everything_back(live):
    await live.begin()
    command = "if [ -e begun ]; then echo went on; else touch begun; echo begun; sleep 600; fi"
    id = await live.start("COMMAND", command=command)
    first = live.worker("first")
    await live.until(id, "RUNNING", check=lambda run: "begun\n" in texts(run, "OUTPUT"))
    first.signal(signal.SIGTERM)
    assert await first.ended() == 0
    run = await live.until(id, "QUEUED")
    assert {attempt["outcome"] for attempt in run["attempts"]} == {"RELEASED"}
    live.worker("second")
    run = await live.until(id, *END)
    assert (run["status"], run["summary"], run["failureReason"]) == ("SUCCEEDED", "went on", None), run


async def test_a_worker_gets_over_a_server_that_dies(live, serve):
    await live.begin(leaseSeconds=30)
    id = await live.start("COMMAND", command="echo begun; sleep 8; echo over")  # kept after 5 seconds
    live.worker()
    await live.until(id, "RUNNING", check=lambda run: "begun\n" in texts(run, "OUTPUT"))
    live.server.kill()
    await asyncio.sleep(1)  # a while without a server
    live.server.start()
    await live.server.ready()
    run = await live.until(id, *END)
    assert (run["status"], run["summary"], run["attempt"]) == ("SUCCEEDED", "over", 1), run
    assert "".join(texts(run, "OUTPUT")) == "begun\nover\n"


async def test_stopping_and_concluding(live):
    await live.begin()
    stopped = await live.start("COMMAND", command="echo precious > new.txt; echo ready; sleep 600")
    concluded = await live.start(
        "COMMAND", command="while read line; do case $line in *conclude*) echo wrapped up; exit;; esac; done"
    )
    live.worker()
    await live.until(stopped, "RUNNING", check=lambda run: "ready\n" in texts(run, "OUTPUT"))
    await live.until(concluded, "RUNNING")
    await live.ask(STOP, id=stopped)
    await live.ask(CONCLUDE, id=concluded)
    run = await live.until(stopped, *END)
    assert run["status"] == "CANCELLED"
    assert [file["path"] for file in run["files"]] == ["new.txt"], "work is kept"
    run = await live.until(concluded, *END)
    assert (run["status"], run["summary"]) == ("SUCCEEDED", "wrapped up"), run


BAD = {
    "garbage": (
        {"command": "head -c 300000 /dev/urandom; echo; exit 3"},
        "FAILED",
        "AGENT_ERROR",
        "exited with 3",
    ),
    "nothing": (
        {"command": "true", "complete": "explicit"},
        "FAILED",
        "AGENT_ERROR",
        "exited without completing",
    ),
    "no program": ({"command": "surely-not-installed"}, "FAILED", "AGENT_ERROR", "exited with 127"),
    "no option": ({}, "FAILED", "WORKSPACE_ERROR", "needs the option `command`"),
    "a long line": (
        {"command": "head -c 10000000 /dev/zero | tr '\\0' x; echo; echo survived"},
        "SUCCEEDED",
        None,
        "survived",
    ),
}


async def test_bad_agents_say_why(live):
    await live.begin(maxAttempts=1, leaseSeconds=30)
    ids = {name: await live.start("COMMAND", **options) for name, (options, *_) in BAD.items()}
    live.worker()
    for name, (_, status, code, reason) in BAD.items():
        run = await live.until(ids[name], *END)
        assert (run["status"], run["failureCode"]) == (status, code), (name, run)
        assert reason in (run["failureReason"] or run["summary"]), (name, run)
        if name == "a long line":
            assert any("10,000,000 bytes was too long" in text for text in texts(run, "WARNING"))


async def test_an_agent_that_never_ends_is_ended(live):
    await live.begin(maxAttempts=1, leaseSeconds=30, attemptSeconds=3)
    id = await live.start("COMMAND", command="trap '' INT TERM; while :; do echo tick; sleep 0.2; done")
    live.worker()
    run = await live.until(id, *END)
    assert (run["status"], run["failureCode"]) == ("FAILED", "TIMEOUT"), run


async def test_a_run_that_ended_is_played_again(live, tmp_path):
    await live.begin()
    steps = [
        {"type": "TODO", "data": {"items": [{"text": "Write", "state": "IN_PROGRESS"}]}},
        {"say": "I will ask."},
        {"ask": [{"key": "0", "text": "Which?"}]},
        {"write": "a.txt", "text": "{answer}\n"},
        {"complete": "Wrote {answer}"},
    ]
    id = await live.start("SCRIPTED", **recording(tmp_path, *steps))
    live.worker()
    run = await live.until(id, "WAITING")
    await live.ask(ANSWER, id=run["questions"][0]["id"], text="ahoy")
    first = await live.until(id, *END)
    status, told, complaints = await command(
        "recording", id, "--url", live.server.http, env=os.environ | {"SIGNALBOX_KEY": live.key}
    )
    assert (status, complaints) == (0, "")
    path = tmp_path / "again.jsonl"
    path.write_text(told)
    [ask] = [json.loads(line)["ask"] for line in told.splitlines() if '"ask"' in line]
    assert ask[0]["default"] == "ahoy"
    again = await live.start("SCRIPTED", recording=str(path), speed="10")
    run = await live.until(again, "WAITING")
    await live.ask(ANSWER, id=run["questions"][0]["id"], text="ahoy")
    run = await live.until(again, *END)
    assert (run["summary"], run["patch"]) == (first["summary"], first["patch"])
    assert texts(run, "OUTPUT") == texts(first, "OUTPUT") == ["I will ask."]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--executor", "nope"], "there is no program 'nope'; known programs: claude_code, codex,"),
        (["--repository", "/"], "/ is not in a git repository; create one with git init"),
        (
            ["--url", "ftp://x"],
            "'ftp://x' is not the address of a server, like http://127.0.0.1:8000/graphql",
        ),
        (
            ["--url", "http://127.0.0.1:1/graphql", "--patience", "0.1"],
            "http://127.0.0.1:1/graphql does not answer: ",
        ),
        (["--option", "nope"], "option 'nope' must be written program.name=value"),
        (["--option", "codex.a=b"], "option 'codex.a=b' is for a program that is not chosen: command"),
        (["--capability", "python=GENIUS"], "capability 'python=GENIUS' must be written name or name=level"),
    ],
    ids=lambda value: value[1] if isinstance(value, list) else "",
)
async def test_what_cannot_be_started_is_one_line(words, line):
    given = ["--executor", "command", "--repository", str(ROOT), *words]
    status, out, err = await command("worker", *given, cwd=ROOT, env=os.environ)
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith(f"signalbox: {line}"), err


async def test_a_key_that_is_none_is_one_line(live):
    one = live.worker(SIGNALBOX_KEY="sb_12345678_wrong")
    assert await one.ended() == 2
    assert "does not admit this worker" in one.errors.read_text()
    assert "wrong" not in one.errors.read_text()
