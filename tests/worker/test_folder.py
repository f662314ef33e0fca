"""One folder for each branch of a card: every later run goes on in it, with the conversation that began there."""

import os
import signal

import pytest

from tests.worker.live import PROFILE, RUN, Live
from tests.worker.test_live import END, texts

pytestmark = pytest.mark.slow("a server and worker of processes, leases that must expire")

BEGIN = """mutation($input: StartRunInput!) { startRun(input: $input) {
  ... on Runs { runs { id } } ... on Refusal { message } } }"""
REJECT = """mutation($id: ID!) { rejectCard(input: {id: $id, feedback: "Once more"}) {
  __typename ... on Refusal { message } } }"""
RUNS = "query($id: ID!) { card(id: $id) { runs(first: 10) { nodes { id kind status branch } } } }"
# Codex as it resumes a thread only where it began, and counts the tokens of the whole thread.
CODEX = """#!/bin/sh
cat > /dev/null
say() {
  echo '{"type": "item.completed", "item": {"id": "i", "type": "agent_message", "text": "'"$1"'"}}'
}
calls=$HOME/calls; place=$HOME/place
case "$*" in
  *resume\\ thread-1*)
    [ "$(cat $place)" = "$PWD" ] || { echo "no rollout found for thread id" >&2; exit 1; };;
  *) pwd > $place; : > $calls;;
esac
echo '{"type": "thread.started", "thread_id": "thread-1"}'
echo '{"type": "turn.started"}'
echo x >> $calls
[ ! -e $HOME/hang ] || { rm $HOME/hang; say hanging; exec sleep 600; }
echo line >> work.txt
n=$(wc -l < $calls)
say "$PWD after $n calls"
echo '{"type": "turn.completed", "usage": {"input_tokens": '$((n * 1000))', "output_tokens": '$((n * 10))'}}'
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def kind(request):
    return request.param


@pytest.fixture
async def live(serve, tmp_path):
    found = Live(await serve(), tmp_path)
    yield found
    await found.end()


@pytest.fixture
def codex(tmp_path):
    """The environment of a worker that finds this program."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "home").mkdir()
    program = tmp_path / "bin" / "codex"
    program.write_text(CODEX)
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(tmp_path / "home")}


async def newest(live, card):
    runs = (await live.ask(RUNS, id=card))["runs"]["nodes"]
    return max(runs, key=lambda run: run["id"])["id"]


async def card_of(live, run):
    return (await live.ask("query($id: ID!) { run(id: $id) { cardId } }", id=run))["cardId"]


async def test_later_runs_go_on_in_the_folder_and_conversation_and_count_their_own_tokens(live, codex):
    """CODE, REVIEW, CODE, CODE: by two workers of one machine, the second after the first was killed."""
    await live.begin()
    first = live.worker("first", executors="codex", **codex)
    id = await live.start("CODEX")
    run = await live.until(id, *END)
    place, branch, card = run["summary"].split(" after ")[0], run["branch"], await card_of(live, id)
    assert (run["summary"], run["metrics"]["inputTokens"]) == (f"{place} after 1 calls", 1000), run
    live.worker("reviewer", executors="command")
    given = {"workspaceId": live.workspace, "name": "Reviewer", "executor": "COMMAND"}
    given |= {"options": {"command": "cat work.txt"}}
    profile = (await live.ask(PROFILE, input=given))["id"]
    asked = {"cardId": card, "kind": "REVIEW", "profileIds": [profile]}
    review = await live.until((await live.ask(BEGIN, input=asked))["runs"][0]["id"], *END)
    assert (review["status"], review["summary"]) == ("SUCCEEDED", "line"), review
    first.signal(signal.SIGKILL)
    await first.ended()
    live.worker("second", executors="codex", **codex)
    for calls in (2, 3):
        await live.ask(REJECT, id=card)
        run = await live.until(await newest(live, card), *END)
        assert (run["status"], run["branch"]) == ("SUCCEEDED", branch), run
        assert (run["summary"], run["metrics"]["inputTokens"]) == (f"{place} after {calls} calls", 1000), run
        assert run["metrics"]["outputTokens"] == 10
    assert (live.folder / "worktrees" / id).as_posix() == place


async def test_a_killed_attempt_is_gone_on_with_in_its_conversation(live, codex, tmp_path):
    await live.begin()
    (tmp_path / "home" / "hang").touch()
    first = live.worker("first", executors="codex", **codex)
    id = await live.start("CODEX")
    await live.until(id, "RUNNING", check=lambda run: "hanging" in "".join(texts(run, "OUTPUT")))
    first.kill()
    live.worker("second", executors="codex", **codex)
    run = await live.until(id, *END)
    assert (run["status"], run["attempt"]) == ("SUCCEEDED", 2), run
    assert run["summary"].endswith("after 2 calls"), "the thread of the killed attempt went on"
    assert run["metrics"]["inputTokens"] == 2000, "what the killed attempt used is counted here, once"
    assert "SESSION_LOST" not in str(await live.ask(RUN, id=id))
