"""WORKFLOW.md of the repository: hooks around a run and a template of its prompt, with a real server and worker."""

import pytest

from tests.worker.live import Live
from tests.worker.test_live import END
from tests.worker.test_workspace import git

pytestmark = pytest.mark.slow("a server and worker of processes")
SHOW = 'printf %s "$SIGNALBOX_PROMPT" | head -n 6'
FILE = """---
tracker: {kind: signalbox}
hooks:
  after_create: echo created >> ../created.txt
  before_run: |
    echo "before" > .hook
    echo before >> ../order.txt
  after_run: echo after >> ../order.txt; echo gone; exit 4
  before_remove: echo removed >> ../order.txt
  timeout_ms: 5000
agent: {max_concurrent_agents: 3, later: [1]}
later: {unknown: true}
---

Do {{ issue.identifier }}, {{ issue.title | upcase }}.
Priority {{ issue.priority }}; state {{ issue.state }}; labels {% for one in issue.labels %}{{ one }}{% endfor %}.
{% if attempt %}Attempt {{ attempt }}{% else %}First{% endif %} on {{ issue.branch_name }}.
"""
REFUSED = {
    "no end of the front matter": ("---\na: 1\n", "no closing line ---"),
    "broken YAML": ("---\nhooks: [\n---\n", "its front matter is not YAML"),
    "a tag that makes objects": ("---\na: !!python/object/apply:os.system [ls]\n---\n", "is not YAML"),
    "a list": ("---\n- a\n---\n", "its front matter is not a map"),
    "hooks that are a list": ("---\nhooks: [a]\n---\n", "hooks is not a map"),
    "a hook that is a number": ("---\nhooks: {before_run: 3}\n---\n", "hooks.before_run must be a script"),
    "a limit of nothing": ("---\nhooks: {timeout_ms: 0}\n---\n", "hooks.timeout_ms must be a whole number"),
    "a limit that is true": (
        "---\nagent: {max_turns: true}\n---\n",
        "agent.max_turns must be a whole number",
    ),
    "a bomb": (
        "---\na0: &a0 [x]\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
        + "hooks: {before_run: *a29}\n---\n",
        "hooks.before_run must be a script",
    ),
    "deep YAML": ("---\na: " + "[" * 100_000 + "\n---\n", "nested too deeply"),
    "an unknown variable": ("Hello {{ nobody }}", "'nobody' is undefined"),
    "an unknown field": ("Hello {{ issue.nothing }}", "nothing"),
    "an unknown condition": ("{% if nobody %}x{% endif %}", "'nobody' is undefined"),
    "an unknown filter": ("{{ issue.title | shout }}", "shout"),
    "an unknown tag": ("{% shout %}", "shout"),
    "a file": ("{% include '/etc/passwd' %}", "cannot be rendered"),
    "a loop without end": ("{% for i in (1..1000000000) %}x{% endfor %}", "cannot be rendered"),
    "a list without end": ("{% assign x = (1..1000000000) | join: ',' %}{{ x }}", "memory"),
    "a long prompt": (
        "x" * 90_000 + "{% for i in (1..9) %}" + "y" * 90_000 + "{% endfor %}",
        "cannot be rendered",
    ),
    "too many bytes": ("x" * 256_001, "more than 256,000 bytes"),
    "no UTF-8": (b"\xff\xfe", "it is not UTF-8"),
    "a hook that fails": (
        "---\nhooks: {before_run: echo broken; exit 3}\n---\n",
        "before_run script exited with 3",
    ),
    "a first hook that fails": (
        "---\nhooks: {after_create: exit 9}\n---\n",
        "after_create script exited with 9",
    ),
    "a hook without end": (
        "---\nhooks: {before_run: sleep 600, timeout_ms: 500}\n---\n",
        "It took longer than 0.5 s",
    ),
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def kind(request):
    return request.param


@pytest.fixture
async def live(serve, tmp_path):
    found = Live(await serve(), tmp_path)
    yield found
    await found.end()


def write(live, content):
    path = live.repository / "WORKFLOW.md"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    git(live.repository, "add", "-A")
    git(live.repository, "commit", "-qm", "Workflow")


def trusting(live):
    live.worker("w", "command", 4, words=("--trust-workflow",))


def output_of(run):
    return "".join(event["text"] for event in run["events"]["nodes"] if event["type"] == "OUTPUT")


async def test_hooks_and_prompt_of_the_file(live):
    (live.repository / ".gitignore").write_text(".hook\n")
    write(live, FILE)
    await live.begin()
    trusting(live)
    # The agent's own change of the file has no effect on its run.
    command = f"{SHOW}; cat .hook; echo working >> ../order.txt; echo Bye > WORKFLOW.md"
    run = await live.until(await live.start("COMMAND", title="Say hello", command=command), *END)
    assert run["status"] == "SUCCEEDED", run
    said = output_of(run).splitlines()
    assert said[0].startswith("Do WEB-")
    assert said[0].endswith(", SAY HELLO.")
    assert said[1].startswith("Priority ")
    assert "state IN_PROGRESS; labels ." in said[1]
    assert said[2] == f"First on {run['branch']}."
    assert "before" in said
    assert "The WORKFLOW.md after_run script exited with 4: gone" in "\n".join(run["warnings"])
    folder = live.folder / "worktrees"
    assert (folder / "created.txt").read_text() == "created\n"
    await live.until(run["id"], *END, check=lambda _: "removed" in (folder / "order.txt").read_text())
    assert (folder / "order.txt").read_text().split() == ["before", "working", "after", "removed"]
    assert [one["path"] for one in run["files"]] == ["WORKFLOW.md"]


@pytest.mark.long
async def test_a_later_attempt_is_told_so(live):
    write(live, FILE.replace("; exit 4", ""))
    await live.begin(maxAttempts=2)
    trusting(live)
    command = f"""{SHOW}; test -f ../again && exit 0; touch ../again
      echo '::signalbox {{"fail": {{"reason": "not yet", "retryable": true}}}}'; exit 1"""
    run = await live.until(await live.start("COMMAND", command=command), *END)
    assert (run["status"], run["attempt"]) == ("SUCCEEDED", 2), run
    said = output_of(run)
    assert f"First on {run['branch']}." in said
    assert f"Attempt 1 on {run['branch']}." in said
    folder = live.folder / "worktrees"
    order = (folder / "order.txt").read_text().split()
    assert [word for word in order if word != "removed"] == ["before", "after", "before", "after"]


@pytest.mark.parametrize("name", REFUSED)
async def test_a_file_that_cannot_be_used_fails_the_run(live, name):
    content, reason = REFUSED[name]
    write(live, content)
    await live.begin(maxAttempts=1)
    trusting(live)
    run = await live.until(await live.start("COMMAND", command="echo started"), *END)
    assert (run["status"], run["failureCode"]) == ("FAILED", "WORKSPACE_ERROR"), run
    assert "WORKFLOW.md" in run["failureReason"]
    assert reason in run["failureReason"]
    assert len(run["failureReason"]) < 3_000
    assert "started" not in output_of(run)


async def test_a_link_out_of_the_repository_is_refused(live):
    (live.folder / "secret.md").write_text("secret")
    (live.repository / "WORKFLOW.md").symlink_to(live.folder / "secret.md")
    git(live.repository, "add", "-A")
    git(live.repository, "commit", "-qm", "Link")
    await live.begin(maxAttempts=1)
    trusting(live)
    run = await live.until(await live.start("COMMAND", command="echo started"), *END)
    assert (run["status"], run["failureCode"]) == ("FAILED", "WORKSPACE_ERROR"), run
    assert run["failureReason"] == "WORKFLOW.md: it is not a regular file"


async def test_a_repository_that_is_not_trusted_runs_nothing(live):
    write(live, FILE)
    await live.begin()
    live.worker(executors="command")
    run = await live.until(await live.start("COMMAND", command=SHOW), *END)
    assert run["status"] == "SUCCEEDED", run
    assert "SAY HELLO" not in output_of(run)
    told = [one["text"] for one in run["events"]["nodes"] if one["type"] == "WARNING"]
    assert told == [
        "WORKFLOW.md of the repository is not used: the worker was started without --trust-workflow"
    ]
    assert not (live.folder / "worktrees" / "order.txt").exists()
    assert not (live.folder / "worktrees" / "created.txt").exists()


async def test_a_limit_of_turns_ends_the_run(live):
    write(live, "---\nagent: {max_turns: 1}\n---\nHello")
    await live.begin(maxAttempts=1)
    trusting(live)
    command = "exec < /dev/null; touch ../waits; while [ ! -f ../go ]; do sleep 0.1; done; echo done"
    id = await live.start("COMMAND", command=command, stdin="close")
    await live.until(id, "RUNNING", check=lambda _: (live.folder / "worktrees" / "waits").exists())
    sent = await live.ask(
        """mutation($id: ID!) { sendMessage(input: {runId: $id, body: "More", mode: QUEUE}) { __typename
        ... on Refusal { message } } }""",
        id=id,
    )
    assert sent["__typename"] == "Run", sent
    await live.until(
        id, "RUNNING", check=lambda run: "it gets it when its turn has ended" in str(run["events"]["nodes"])
    )
    (live.folder / "worktrees" / "go").touch()
    run = await live.until(id, *END)
    assert (run["status"], run["failureCode"]) == ("FAILED", "LIMIT_REACHED"), run
    assert "allows 1 turns" in run["failureReason"]
