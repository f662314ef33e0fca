"""The whole worker on real git and real subprocesses, against a server in memory."""

import asyncio
import json
import os
import signal
import subprocess
import time

import pytest

from tests.worker.fake import Fake
from worker.api import ClaimedWork, Conclude, LeaseTicket, QuestionAnswer, Stop
from worker.settings import WorkerSettings
from worker.worker import WorkerProcess

pytestmark = pytest.mark.processes


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    for words in (
        ["init", "-q", "-b", "main"],
        ["config", "user.name", "Ann"],
        ["config", "user.email", "a@b.c"],
    ):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    (folder / "readme.md").write_text("hello\n")
    for words in (["add", "-A"], ["commit", "-qm", "Begin"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    return folder


@pytest.fixture
async def services(repository, tmp_path):
    """A server, and workers on it that leave at the end."""
    api, tasks = Fake(), []

    async def worker(at_once=1, executors=("command", "scripted")):
        settings = WorkerSettings(
            name="w",
            repository=repository,
            worktrees=tmp_path / "work",
            executors=executors,
            at_once=at_once,
            grace=1.0,
        )
        one = WorkerProcess(api, settings)
        tasks.append((one, asyncio.create_task(one.work())))
        return one

    api.worker = worker
    yield api
    api.away = False
    for one, task in tasks:
        one.leave()
        await asyncio.wait_for(task, 30)


def enqueue(
    api,
    run="run_1",
    *,
    executor="command",
    lease=60.0,
    session="",
    wall=20.0,
    whole="",
    branch="",
    keeps_files=False,
    **options,
):
    def make(token):
        return ClaimedWork(
            lease=LeaseTicket(run=run, attempt=api.attempts[run] + 1, token=token),
            executor=executor,
            prompt="Do it",
            whole=whole,
            names={"card": "WEB-1", "slug": "Do it"},
            options=options,
            lease_seconds=lease,
            session=session,
            wall=wall,
            branch=branch,
            keeps_files=keeps_files,
        )

    api.queue.append(make)


def record(tmp_path, *steps):
    path = tmp_path / "recording.jsonl"
    path.write_text("\n".join(map(json.dumps, steps)))
    return {"recording": str(path), "speed": "20"}


def kinds(api, run="run_1"):
    return [row["type"] for row in api.rows[run] if not row.get("data", {}).get("chunk")]


async def ended(api, run="run_1", seconds=30.0):
    await api.until(lambda: run in api.ended, seconds)
    return api.ended[run][:2]


def shown(repository, result, path):
    """A file as the branch of a result has it."""
    words = ["git", "-C", str(repository), "show", f"{result.branch}:{path}"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


async def gone(folder):
    deadline = time.monotonic() + 15
    while folder.exists():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_a_run_from_its_claim_to_its_result(services, tmp_path, repository):
    steps = [
        {"type": "TODO", "data": {"items": [{"text": "Write", "state": "IN_PROGRESS"}]}},
        {"say": "I will write two files."},
        {"write": "a.txt", "text": "a\n"},
        {"commit": "Add a"},
        {"write": "b.txt", "text": "b\nb\n"},
        {"type": "USAGE", "data": {"input_tokens": 10, "output_tokens": 5, "cost_usd": 0.25}},
        {"complete": "Wrote a and b"},
    ]
    await services.worker()
    enqueue(services, executor="scripted", **record(tmp_path, *steps))
    how, result = await ended(services)
    assert (how, result.summary, result.outcome) == ("complete", "Wrote a and b", "CHANGES")
    assert [(f.path, f.additions) for f in result.diff.files] == [("a.txt", 1), ("b.txt", 2)]
    assert [c.subject for c in result.commits] == ["Add a", "Wrote a and b"]
    assert (result.branch, result.exit_code) == ("signalbox/WEB-1-Do-it", 0)
    assert (result.metrics["inputTokens"], result.metrics["costUsd"]) == (10, 0.25)
    assert kinds(services)[:4] == ["ATTEMPT", "PROMPT", "STATUS", "TODO"]
    assert kinds(services)[-2:] == ["COMMIT", "COMMIT"]
    said = [row for row in services.rows["run_1"] if row["type"] == "OUTPUT"]
    assert "".join(r["text"] for r in said if r["data"].get("chunk")) == "I will write two files."
    assert [r["text"] for r in said if not r["data"].get("chunk")] == ["I will write two files."]
    assert not (repository / "a.txt").exists()


@pytest.mark.parametrize("command", ["echo precious > new.txt", "echo precious > new.txt; exit 7"])
async def test_a_folder_goes_once_the_server_has_the_result(services, tmp_path, repository, command):
    await services.worker()
    enqueue(services, command=command)
    how, result = await ended(services)
    await gone(tmp_path / "work" / "run_1")
    assert shown(repository, result if how == "complete" else result.result, "new.txt") == "precious\n"


async def test_a_folder_stays_when_its_result_was_not_accepted(services, tmp_path):
    worker, new = await services.worker(), tmp_path / "work" / "run_1" / "new.txt"
    enqueue(services, command="echo precious > new.txt; sleep 0.5", lease=60)
    await services.until(lambda: new.exists() and new.read_text())
    services.live["run_1"] = "somebody else's"
    await services.until(lambda: not worker.runs)
    assert new.read_text() == "precious\n"


async def test_a_lock_that_a_killed_git_left_loses_nothing(services, tmp_path, repository):
    await services.worker()
    enqueue(services, command="touch $(git rev-parse --git-path index.lock); echo precious > new.txt")
    how, result = await ended(services)
    assert (how, result.outcome, result.warnings) == ("complete", "CHANGES", ())
    assert shown(repository, result, "new.txt") == "precious\n"
    await gone(tmp_path / "work" / "run_1")


async def test_work_that_cannot_be_committed_fails_the_run_and_stays(services, tmp_path, repository):
    worker = await services.worker()
    lock = repository / ".git" / "refs" / "heads" / "signalbox" / "WEB-1-Do-it.lock"
    enqueue(services, command=f"touch {lock}; echo precious > new.txt")
    how, failure = await ended(services)
    assert (how, failure.code) == ("fail", "WORKSPACE_ERROR")
    assert "WEB-1-Do-it" in failure.reason, "git's own reason"
    assert failure.result.warnings == (failure.reason,)
    await services.until(lambda: not worker.runs)
    assert (tmp_path / "work" / "run_1" / "new.txt").read_text() == "precious\n"
    assert "WARNING" in kinds(services), "what was not committed is said"


async def test_what_git_cannot_take_is_named_and_its_folder_kept(services, tmp_path, repository):
    worker = await services.worker()
    enqueue(services, command="rm readme.md; mkfifo readme.md; echo precious > new.txt")
    how, result = await ended(services)
    assert how == "complete"
    assert shown(repository, result, "new.txt") == "precious\n"
    [warning] = result.warnings
    assert "readme.md cannot be committed" in warning
    assert str(tmp_path / "work" / "run_1") in warning
    await services.until(lambda: not worker.runs)
    assert (tmp_path / "work" / "run_1" / "new.txt").exists()


SCAFFOLD = "mkdir -p shop/.sub; git init -q shop; cd shop; echo x > app.rb; echo y > .sub/b; echo '*.log' > "
SCAFFOLD += ".gitignore"
COMMITTED = f"{SCAFFOLD}; touch a.log; git add -A; git -c user.name=A -c user.email=a@b.c commit -qm i"
INNER = {
    "begun": SCAFFOLD,
    "committed": COMMITTED,
    "added": f"{COMMITTED}; cd ..; git add -A 2>&1; git commit -qm outer",
    "stashed": f"{COMMITTED}; echo z > app.rb; git -c user.name=A -c user.email=a@b.c stash -q",
    "branched": f"{COMMITTED}; git checkout -q -b more; echo m > m; git add m; "
    "git -c user.name=A -c user.email=a@b.c commit -qm m; git checkout -q -",
}


@pytest.mark.parametrize("how", INNER)
async def test_the_files_of_a_repository_that_the_agent_makes_are_work(services, tmp_path, repository, how):
    """Its history is on no branch of ours: it stays in the folder, and a warning says so."""
    worker = await services.worker()
    enqueue(services, command=f"echo two >> readme.md; {INNER[how]}")
    told, result = await ended(services)
    assert told == "complete"
    assert shown(repository, result, "readme.md") == "hello\ntwo\n"
    assert (shown(repository, result, "shop/app.rb"), shown(repository, result, "shop/.sub/b")) == (
        "x\n",
        "y\n",
    )
    assert not {"shop", "shop/a.log"} & {file.path for file in result.diff.files}
    folder = tmp_path / "work" / "run_1"
    if how == "begun":
        assert result.warnings == ()
        await gone(folder)
        return
    [warning] = result.warnings
    assert "history" in warning
    assert "shop" in warning
    assert str(folder) in warning
    await services.until(lambda: not worker.runs)
    assert (folder / "shop" / ".git" / "HEAD").exists()


COMMIT = "echo precious > new.txt; git add -A; git commit -qm Work"
ASTRAY = {
    "detached": f"git checkout -q --detach; {COMMIT}",
    "other": f"git checkout -q -b other; {COMMIT}",
    "renamed": f"{COMMIT}; git branch -m renamed",
    "deleted": f"git checkout -q --detach; {COMMIT}; git branch -q -D signalbox/WEB-1-Do-it",
    "unborn": f"{COMMIT}; git update-ref -d refs/heads/signalbox/WEB-1-Do-it",
    "not committed": "git checkout -q --detach; echo precious > new.txt",
}


@pytest.mark.parametrize("how", ASTRAY)
async def test_work_off_the_branch_is_brought_on_it(services, tmp_path, repository, how):
    await services.worker()
    enqueue(services, command=ASTRAY[how])
    told, result = await ended(services)
    assert (told, result.branch) == ("complete", "signalbox/WEB-1-Do-it")
    assert shown(repository, result, "new.txt") == "precious\n"
    assert [file.path for file in result.diff.files] == ["new.txt"]
    [warning] = result.warnings
    assert "signalbox/WEB-1-Do-it" in warning
    assert [row["text"] for row in services.rows["run_1"] if row["type"] == "WARNING"] == [warning]
    await gone(tmp_path / "work" / "run_1")


@pytest.mark.parametrize(
    ("words", "branch"), [("-b elsewhere", "elsewhere"), ("", "signalbox/WEB-1-Do-it-2")]
)
async def test_work_that_does_not_go_on_from_the_branch_is_told_with_its_own(
    services, repository, words, branch
):
    await services.worker()
    off = "git commit -q --allow-empty -m Before; git checkout -q --detach HEAD~1"
    enqueue(services, command=f"{off}; {f'git checkout -q {words}' if words else 'true'}; {COMMIT}")
    told, result = await ended(services)
    assert (told, result.branch) == ("complete", branch)
    assert shown(repository, result, "new.txt") == "precious\n"
    assert branch in result.warnings[0]


async def test_conflicts_that_nobody_resolved_are_told(services, repository):
    await services.worker()
    command = """git checkout -q -b theirs; echo theirs > readme.md; git commit -qam Theirs
git checkout -q signalbox/WEB-1-Do-it; echo ours > readme.md; git commit -qam Ours; git merge -q theirs; true"""
    enqueue(services, command=command)
    told, result = await ended(services)
    assert told == "complete"
    assert result.warnings == ("Unresolved conflicts were committed in readme.md",)


async def test_an_agent_that_is_to_change_no_file_has_nothing_committed(services, tmp_path, repository):
    worker = await services.worker()
    enqueue(services, command="echo left > left.txt; echo Fine", keeps_files=True)
    told, result = await ended(services)
    assert (told, result.outcome, result.summary) == ("complete", "NO_CHANGES", "Fine")
    [warning] = result.warnings
    assert "left.txt" in warning
    await services.until(lambda: not worker.runs)
    assert (tmp_path / "work" / "run_1" / "left.txt").exists()


async def test_runs_that_change_nothing_leave_nothing(services, tmp_path, repository):
    worker = await services.worker()
    for number in range(3):
        enqueue(services, f"run_{number}", command="true")
        _, result = await ended(services, f"run_{number}")
        assert result.branch == ""
    enqueue(services, "run_4", command="echo work > work.txt")
    _, result = await ended(services, "run_4")
    await services.until(lambda: not worker.runs)
    await gone(tmp_path / "work" / "run_4")
    words = ["git", "-C", str(repository), "for-each-ref", "--format=%(refname)"]
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert listed == ["refs/heads/main", f"refs/heads/{result.branch}"]


async def test_a_branch_that_was_there_before_stays(services, repository):
    subprocess.run(["git", "-C", str(repository), "branch", "card"], check=True)
    worker = await services.worker()
    enqueue(services, command="true", branch="card")
    _, result = await ended(services)
    assert result.branch == "card"
    await services.until(lambda: not worker.runs)
    subprocess.run(["git", "-C", str(repository), "rev-parse", "-q", "--verify", "card"], check=True)


async def test_a_worker_that_leaves_does_not_claim_what_it_gives_back(services):
    claim, release, waiting = services.claim, services.release, asyncio.Event()

    async def patient(worker, most):
        """As the server does, wait for work for long."""
        while not services.queue:
            waiting.set()
            await asyncio.sleep(0)
        return await claim(worker, most)

    async def released(lease, *about):
        await release(lease, *about)
        enqueue(services, command="echo ready; sleep 60")  # it is queued again at once
        for _ in range(10):  # and whoever waits for work has it before this answer comes
            await asyncio.sleep(0)

    services.claim, services.release = patient, released
    worker = await services.worker(at_once=2)
    enqueue(services, command="echo ready; sleep 60")
    await services.until(lambda: any(r.get("text") == "ready\n" for r in services.rows.get("run_1", [])))
    waiting.clear()
    await services.until(waiting.is_set)
    worker.leave()
    await services.until(lambda: "left" in services.registered)
    assert services.attempts["run_1"] == 1


async def test_nothing_is_said_twice_when_answers_are_lost(services):
    services.flaky = 3
    await services.worker()
    enqueue(services, command="for i in 1 2 3; do echo $i; sleep 0.2; done")
    how, _ = await ended(services)
    assert how == "complete"
    text = "".join(
        r["text"] for r in services.rows["run_1"] if r["type"] == "OUTPUT" and not r["data"].get("chunk")
    )
    assert text == "1\n2\n3\n"


async def test_a_server_that_is_away_for_a_while_costs_nothing(services):
    await services.worker()
    enqueue(services, command="echo begun; sleep 0.5; echo over")
    await services.until(lambda: "run_1" in services.rows)
    services.away = True
    await asyncio.sleep(1)
    services.away = False
    how, result = await ended(services, seconds=15)
    assert (how, result.summary) == ("complete", "over")


async def test_a_question_is_answered_while_the_agent_waits(services, tmp_path):
    await services.worker()
    steps = [
        {"ask": [{"key": "0", "text": "Which?", "options": [{"label": "ahoy"}]}]},
        {"complete": "Said {answer}"},
    ]
    enqueue(services, executor="scripted", **record(tmp_path, *steps))
    await services.until(lambda: services.asked)
    [key] = services.asked
    answer = QuestionAnswer(id="c1", run="run_1", key=key, answers={"0": ["ahoy"]})
    services.pushed.put_nowait(answer)
    services.pushed.put_nowait(answer)  # delivered at least once
    _, result = await ended(services)
    assert result.summary == "Said ahoy"
    assert services.acknowledged == ["c1"]
    assert "QUESTION" not in kinds(services)  # the server says it, of whatever is asked


async def test_what_was_said_before_a_question_is_heard_before_it(services, tmp_path):
    await services.worker()
    asks = [{"key": "0", "text": "Which?"}]
    steps = [{"say": "I have to ask."}, {"ask": asks}, {"complete": "Said {answer}"}]
    heard, ask, report = [], services.ask, services.report

    async def slow(*about):
        await asyncio.sleep(0.3)
        await report(*about)

    async def noted(lease, *about, **how):
        heard.extend(services.rows["run_1"])
        return await ask(lease, *about, **how)

    services.ask, services.report = noted, slow
    services.known["line-1"] = {"0": ["ahoy"]}
    enqueue(services, executor="scripted", **record(tmp_path, *steps))
    _, result = await ended(services)
    assert result.summary == "Said ahoy"
    assert "I have to ask." in [row.get("text") for row in heard if not row.get("data", {}).get("chunk")]


async def test_of_agents_that_play_a_folder_one_at_most_asks(services, tmp_path):
    """Whatever falls to whom: were all of them to wait for an answer, nothing would be done until it comes."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name in ("one", "two"):
        steps = {"ask": [{"key": "0", "text": "Which?"}]}, {"complete": "Said {answer}"}
        (folder / f"{name}-asks.jsonl").write_text("\n".join(map(json.dumps, steps)))
    (folder / "works.jsonl").write_text(json.dumps({"complete": "Done"}))
    for number in range(1, 7):  # to the first and the second falls one that asks
        enqueue(services, f"run_{number}", executor="scripted", recording=str(folder))
    await services.worker(at_once=2)
    await services.until(lambda: len(services.ended) == 5)
    assert {result.summary for _, result, _ in services.ended.values()} == {"Done"}
    assert len(services.asked) == 1


async def test_a_run_goes_on_with_its_answer_after_its_worker_left(services, tmp_path):
    steps = [
        {"write": "a.txt", "text": "a"},
        {"ask": [{"key": "0", "text": "Which?"}]},
        {"complete": "Said {answer}"},
    ]
    options = record(tmp_path, *steps)
    first = await services.worker()
    enqueue(services, executor="scripted", **options)
    await services.until(lambda: services.asked)
    first.leave()
    how, (_, session) = await ended(services)
    assert (how, session) == ("release", "run_1:recording:2")
    await services.worker()
    services.ended.clear()

    def make(token):
        lease = LeaseTicket(run="run_1", attempt=2, token=token)
        prompt = "Your questions were answered:\n- Which?\n  ahoy"
        return ClaimedWork(lease=lease, executor="scripted", prompt=prompt, session=session, options=options)

    services.queue.append(make)
    how, result = await ended(services)
    assert (how, result.summary) == ("complete", "Said ahoy")
    assert [f.path for f in result.diff.files] == ["a.txt"]  # the same folder, nothing lost


async def test_what_was_answered_to_an_attempt_before_is_not_waited_for(services, tmp_path):
    services.known["line-0"] = {"0": ["ahoy"]}
    await services.worker()
    steps = [{"ask": [{"key": "0", "text": "Which?"}]}, {"complete": "Said {answer}"}]
    enqueue(services, executor="scripted", **record(tmp_path, *steps))
    _, result = await ended(services)
    assert result.summary == "Said ahoy"


async def test_stopping_keeps_the_work(services, repository):
    await services.worker()
    enqueue(services, command="echo precious > new.txt; echo ready; sleep 60")
    await services.until(lambda: any(r.get("text") == "ready\n" for r in services.rows.get("run_1", [])))
    services.pushed.put_nowait(Stop(id="c1", run="run_1"))
    how, result = await ended(services)
    assert how == "stop"
    assert shown(repository, result, "new.txt") == "precious\n"


async def test_commands_come_by_heartbeat_too(services):
    await services.worker()
    services.pending["run_1"] = [Conclude(id="c1", run="run_1")]
    command = "read line; case $line in *conclude*) echo concluded;; esac"
    enqueue(services, command=command, lease=3)
    how, result = await ended(services)
    assert how == "complete", result
    assert result.summary == "concluded"
    assert services.acknowledged == ["c1"]


async def test_a_stale_lease_ends_the_agent_and_changes_nothing(services, tmp_path):
    await services.worker()
    pid = tmp_path / "pid"
    enqueue(services, command=f"echo $$ > {pid}; while :; do echo tick; sleep 0.1; done", lease=30)
    await services.until(lambda: "OUTPUT" in [r["type"] for r in services.rows.get("run_1", [])])
    services.live["run_1"] = "somebody else's"
    before = len(services.rows["run_1"])
    deadline = time.monotonic() + 15  # less than the wall time it was given
    while not_gone(int(pid.read_text())):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    assert len(services.rows["run_1"]) == before
    assert "run_1" not in services.ended


def not_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_lease_that_may_have_run_out_is_lost(services, tmp_path):
    worker = await services.worker()
    pid = tmp_path / "pid"
    enqueue(services, command=f"echo $$ > {pid}; echo ready; sleep 60", lease=0.5)
    await services.until(lambda: any(r.get("text") == "ready\n" for r in services.rows.get("run_1", [])))
    services.away = True
    deadline = time.monotonic() + 15  # less than the wall time it was given
    while worker.runs:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    assert not not_gone(int(pid.read_text()))


async def test_what_the_server_refuses_is_left_out_and_said(services):
    await services.worker()
    enqueue(
        services, command='echo refuse this; sleep 0.3; echo \'::signalbox {"type": "PROGRESS"}\'; echo fine'
    )
    how, result = await ended(services)
    assert (how, result.summary) == ("complete", "fine")
    said = [row["text"] for row in services.rows["run_1"] if row["type"] == "WARNING"]
    assert said == ["An event (OUTPUT) was refused and is left out: events.0.text: is not wanted"] * 2
    assert "PROGRESS" in kinds(services), "what came in the same batch is kept"


async def test_a_worker_leaves_although_its_server_is_gone(services, monkeypatch):
    monkeypatch.setattr("worker.worker.LEAVE_TIMEOUT_SECONDS", 0.5)
    worker = await services.worker()
    enqueue(services, command="echo ready; sleep 60", lease=600)
    await services.until(lambda: any(r.get("text") == "ready\n" for r in services.rows.get("run_1", [])))
    services.away = True
    worker.leave()
    deadline = time.monotonic() + 10
    while worker.runs:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_one_heartbeat_carries_all_leases(services):
    await services.worker(at_once=3)
    calls = []
    beat = services.heartbeat

    async def counted(worker, beats):
        calls.append({one.lease.run for one in beats})
        return await beat(worker, beats)

    services.heartbeat = counted
    for n in range(3):
        enqueue(services, f"run_{n}", command="sleep 2", lease=0.9)
    for n in range(3):
        assert (await ended(services, f"run_{n}"))[0] == "complete"
    assert {"run_0", "run_1", "run_2"} in calls


async def test_leaving_gives_everything_back(services):
    worker = await services.worker(at_once=2)
    for run in ("run_1", "run_2"):
        enqueue(services, run, command="echo ready; sleep 60")
    await services.until(lambda: len(services.rows) == 2)
    os.kill(os.getpid(), signal.SIGTERM)
    assert {(await ended(services, run))[0] for run in ("run_1", "run_2")} == {"release"}
    await services.until(lambda: "left" in services.registered)
    assert worker.runs == {}


@pytest.mark.parametrize(
    ("executor", "options", "code", "reason"),
    [
        ("gemini", {}, "WORKSPACE_ERROR", "This worker has no program 'gemini'"),
        ("scripted", {}, "WORKSPACE_ERROR", "the program `scripted` needs the option `recording`"),
        ("command", {"command": "exit 7"}, "AGENT_ERROR", "The command exited with 7"),
        ("command", {"command": "true", "complete": "explicit"}, "AGENT_ERROR", "exited without completing"),
    ],
)
async def test_a_failure_says_why(services, executor, options, code, reason):
    await services.worker()
    enqueue(services, executor=executor, **options)
    how, failure = await ended(services)
    assert (how, failure.code) == ("fail", code)
    assert reason in failure.reason


async def test_no_more_at_once_than_was_said(services, tmp_path):
    await services.worker(at_once=2)
    for n in range(5):
        enqueue(
            services,
            f"run_{n}",
            command=f"touch {tmp_path}/on-$$; ls {tmp_path} | grep -c '^on-'; sleep 1; rm {tmp_path}/on-$$",
        )
    for n in range(5):
        assert (await ended(services, f"run_{n}"))[0] == "complete"
    counts = [
        int(r["text"].split()[0]) for rows in services.rows.values() for r in rows if r["type"] == "OUTPUT"
    ]
    assert max(counts) == 2


CODEX = """#!/bin/sh
echo "$@" >> "$PWD/asked"; cat >> "$PWD/asked"
echo '{"type": "thread.started", "thread_id": "thread-1"}'
case "$*" in *resume\\ thread-1*) text=Concluded;; *) echo '{"type": "turn.started"}'; sleep 60;; esac
echo '{"type": "item.completed", "item": {"id": "i", "type": "agent_message", "text": "'$text'"}}'
echo '{"type": "turn.completed", "usage": {"input_tokens": 7}}'
"""


@pytest.fixture
def put_codex(tmp_path, monkeypatch):
    """Puts a program where `codex` is looked for."""

    def put(script):
        program = tmp_path / "bin" / "codex"
        program.parent.mkdir()
        program.write_text(script)
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    return put


async def test_a_program_that_cannot_be_told_is_resumed(services, repository, put_codex):
    """Concluding a program without a way in: it is ended, and its session goes on with the wish."""
    put_codex(CODEX)
    await services.worker(executors=("codex",))
    enqueue(services, executor="codex")
    await services.until(
        lambda: any(r.get("data", {}).get("state") == "WORKING" for r in services.rows.get("run_1", []))
    )
    services.pushed.put_nowait(Conclude(id="c1", run="run_1"))
    how, result = await ended(services)
    assert (how, result.summary, result.session) == ("complete", "Concluded", "thread-1")
    asked = shown(repository, result, "asked")
    assert asked.count("Do it") == asked.count("Wrap up now") == 1
    assert result.metrics["inputTokens"] == 7


FORGETFUL = """#!/bin/sh
echo "$@" >> "$PWD/asked"; cat >> "$PWD/asked"
case "$*" in *resume*) echo "no rollout found for thread id" >&2; exit 1;; esac
echo '{"type": "thread.started", "thread_id": "thread-2"}'
echo '{"type": "item.completed", "item": {"id": "i", "type": "agent_message", "text": "Begun anew"}}'
echo '{"type": "turn.completed", "usage": {"input_tokens": 7}}'
"""


async def test_a_lost_session_is_begun_anew_once_with_everything(services, repository, put_codex):
    put_codex(FORGETFUL)
    await services.worker(executors=("codex",))
    enqueue(services, executor="codex", session="thread-1", whole="The card, and: Do it")
    how, result = await ended(services)
    assert (how, result.summary, result.session) == ("complete", "Begun anew", "thread-2")
    said = [row["data"]["code"] for row in services.rows["run_1"] if row["type"] == "WARNING"]
    assert said == ["SESSION_LOST"]
    prompts = [row["text"] for row in services.rows["run_1"] if row["type"] == "PROMPT"]
    assert prompts == ["Do it", "The card, and: Do it"]
    first, second = shown(repository, result, "asked").split("exec")[1:]
    assert "resume thread-1" in first
    assert "resume" not in second
    assert "The card, and: Do it" in second
