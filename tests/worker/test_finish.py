"""No run loses what it made because of how it ended, or of the words in which it was told."""

# ruff: noqa: F811 - fixtures of other files

import json
import os
import subprocess

import pytest

from tests.worker.test_live import END, kind, live, texts  # noqa: F401 - fixtures
from tests.worker.test_worker import ended, enqueue, gone, put_codex, repository, services, shown  # noqa: F401

pytestmark = pytest.mark.processes

MADE = "echo precious > new.txt"
COMMIT = "git add -A; git -c user.name=A -c user.email=a@b.c commit -qm 'Add the new file'"
ESCAPED = r"printf '\033]0;title\007\033[31mred\033[0m \033[2Kand\b \302\233Kwell\302\205\n'"


@pytest.mark.parametrize("said", ['{"complete": ""}', '{"complete": " \\u001b[0m\\u200b "}'])
@pytest.mark.parametrize(
    ("command", "summary"),
    [
        (f"{MADE}; {COMMIT}", "Add the new file"),
        (f"echo first; echo I made a file; {MADE}", "I made a file"),
        (MADE, "Completed without a summary"),
    ],
)
async def test_a_run_without_last_words_keeps_its_result(live, command, summary, said):
    await live.begin()
    id = await live.start("COMMAND", command=f"{command}; echo '::signalbox {said}'", complete="explicit")
    live.worker()
    run = await live.until(id, *END)
    assert (run["status"], run["summary"]) == ("SUCCEEDED", summary), run
    assert [file["path"] for file in run["files"]] == ["new.txt"]
    assert run["branch"].startswith("signalbox/")
    assert len(run["headSha"]) == 40
    assert len(run["commits"]) == 1
    assert run["metrics"] is not None
    assert run["card"]["stage"] == "REVIEW"


GEMINI = """#!/bin/sh
cat > /dev/null
echo '{"type": "init", "session_id": "s", "model": "auto"}'
echo made > made.txt
echo '{"type": "tool_use", "tool_name": "write_file", "tool_id": "e", "parameters": {"file_path": "made.txt"}}'
echo '{"type": "tool_result", "tool_id": "e", "status": "success", "output": "ok"}'
echo '{"type": "result", "status": "success", "stats": {"input_tokens": 5, "output_tokens": 4}}'
"""


async def test_gemini_without_last_words_keeps_its_result(live, tmp_path):
    program = tmp_path / "gemini"
    program.write_text(GEMINI)
    program.chmod(0o755)
    await live.begin()
    id = await live.start("GEMINI")
    live.worker(executors="gemini", PATH=f"{tmp_path}:{os.environ['PATH']}")
    run = await live.until(id, *END)
    assert (run["status"], run["summary"]) == ("SUCCEEDED", "Completed without a summary"), run
    assert [file["path"] for file in run["files"]] == ["made.txt"]
    assert run["metrics"]["inputTokens"] == 5


async def test_a_programs_words_become_titles_without_escape_sequences(live):
    await live.begin()
    commit = f'{MADE}; git add -A; git -c user.name=A -c user.email=a@b.c commit -qm "$({ESCAPED})"'
    id = await live.start("COMMAND", command=f"{commit}; echo more > more.txt; {ESCAPED}")
    live.worker()
    run = await live.until(id, *END)
    assert (run["status"], run["summary"]) == ("SUCCEEDED", "red and well"), run
    assert [commit["title"] for commit in run["commits"]] == ["red and well"] * 2
    assert set(texts(run, "COMMIT")) == {"red and well"}
    said = json.dumps([run["summary"], run["commits"], run["failureReason"]])
    assert "\\u001b" not in said


async def test_a_session_that_the_server_refuses_costs_nothing_else(live):
    await live.begin()
    begin = '::signalbox {"type": "STATUS", "data": {"state": "STARTED", "session": "'
    row = f"""printf '%s%s"}}}}\\n' '{begin}' "$(head -c 5000 /dev/zero | tr '\\0' s)\""""
    id = await live.start("COMMAND", command=f"{MADE}; {row}; echo all done")
    live.worker()
    run = await live.until(id, *END)
    assert (run["status"], run["summary"]) == ("SUCCEEDED", "all done"), run
    assert [file["path"] for file in run["files"]] == ["new.txt"]
    assert any("sessionId" in warning for warning in run["warnings"]), run["warnings"]


REFUSALS = {
    "a summary": (lambda r: r.summary == "done" and "result.summary: is not wanted", "summary"),
    "a patch": (lambda r: r.diff.patch and "This has 600,000 bytes, and at most 500,000 are taken", "patch"),
    "a file": (
        lambda r: any(f.path == "b.txt" for f in r.diff.files) and "result.files.1.path: is not wanted",
        "files",
    ),
    "metrics": (lambda r: r.metrics and "result.metrics: must be an object of numbers", "metrics"),
    "a commit": (
        lambda r: len(r.commits) == 2 and "got invalid value at 'input.result.commits[0].sha'",
        "commits",
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("code", [0, 3])
async def test_whatever_is_refused_of_an_end_costs_only_itself(services, tmp_path, repository, refusal, code):
    refuses, left_out = REFUSALS[refusal]
    services.refuses = lambda how, result: result and refuses(result)
    await services.worker()
    enqueue(
        services, command=f"touch a.txt; {COMMIT}; echo b > b.txt; echo c > c.txt; echo done; exit {code}"
    )
    how, what = await ended(services)
    result = what if code == 0 else what.result
    assert how == ("complete" if code == 0 else "fail")
    assert result.branch
    assert len(result.head) == 40
    assert [file.path for file in result.diff.files] == [
        path for path in ("a.txt", "b.txt", "c.txt") if (refusal, path) != ("a file", "b.txt")
    ]
    assert len(result.commits) == (1 if refusal == "a commit" else 2)
    assert bool(result.metrics) is (refusal != "metrics")
    assert bool(result.diff.patch) is (refusal != "a patch")
    if code == 0 or refusal != "a summary":
        assert [warning for warning in result.warnings if f"refused {left_out} of" in warning]
    assert shown(repository, result, "c.txt") == "c\n"
    await gone(tmp_path / "work" / "run_1")


async def test_an_end_that_is_refused_in_itself_is_a_failure_that_keeps_its_result(services):
    services.refuses = lambda how, result: how == "complete" and "The board has no such stage"
    await services.worker()
    enqueue(services, command=f"{MADE}; echo done")
    how, failure = await ended(services)
    assert (how, failure.code) == ("fail", "AGENT_ERROR")
    assert "The board has no such stage" in failure.reason
    assert [file.path for file in failure.result.diff.files] == ["new.txt"]
    assert failure.result.diff.patch
    assert failure.result.metrics


async def test_a_server_that_takes_no_result_at_all_still_hears_the_end(services, tmp_path):
    worker = await services.worker()
    services.refuses = lambda how, result: result and "Nothing is wanted"
    enqueue(services, command=f"{MADE}; echo done")
    how, failure = await ended(services)
    assert (how, failure.result) == ("fail", None)
    assert len(services.told) < 40
    await services.until(lambda: not worker.runs)
    assert (tmp_path / "work" / "run_1" / "new.txt").exists(), "the folder is kept"


@pytest.mark.parametrize("summary", ["# A heading\n\nAnd more", "\x1b[1m# A heading\x1b[0m", "- A heading"])
async def test_a_summary_that_begins_with_a_mark_is_no_empty_commit(services, repository, summary):
    await services.worker()
    said = json.dumps({"complete": summary})
    enqueue(services, command=f"{MADE}; cat <<'EOF'\n::signalbox {said}\nEOF\n")
    how, result = await ended(services)
    assert (how, result.outcome) == ("complete", "CHANGES"), result
    words = ["git", "-C", str(repository), "log", "-1", "--format=%s", result.branch]
    assert subprocess.run(words, capture_output=True, text=True).stdout == "A heading\n"
