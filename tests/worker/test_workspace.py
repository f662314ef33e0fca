"""The folder that a team needs: scripts, copied files, a subfolder, an author. What fails is told on the run."""

import subprocess

import pytest

from tests.worker.live import Live
from tests.worker.test_live import END

pytestmark = pytest.mark.slow("a server and worker of processes")
SAID = """mutation($input: UpdateBoardPolicyInput!) { updateBoardPolicy(input: $input) { __typename
  ... on Invalid { issues { path message } } } }"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def kind(request):
    return request.param


@pytest.fixture
async def live(serve, tmp_path):
    found = Live(await serve(), tmp_path)
    yield found
    await found.end()


def git(folder, *words):
    author = ("-c", "user.name=Ann", "-c", "user.email=a@b.c")
    return subprocess.run(
        ["git", "-C", str(folder), *author, *words], capture_output=True, text=True, check=True
    ).stdout


async def test_a_folder_is_prepared_as_the_board_says(live):
    (live.repository / ".gitignore").write_text(".env*\n")
    (live.repository / "app").mkdir()
    (live.repository / "app" / "main.txt").write_text("main\n")
    git(live.repository, "add", "-A")
    git(live.repository, "commit", "-qm", "App")
    (live.repository / ".env.local").write_text("KEY=secret\n")
    (live.repository / "app" / ".env").write_text("APP=secret\n")
    (live.repository / "loose.txt").write_text("not ignored\n")
    await live.begin(
        setupScript="echo ready > .env.setup; test -f .env.local",
        cleanupScript="echo cleaning; exit 7",
        copyFiles=[".env*", "**/.env", "loose.txt"],
        subfolder="app",
        commitAuthor="Bot <bot@example.com>",
    )
    live.worker(executors="command")
    id = await live.start(
        "COMMAND", command="cat main.txt .env ../.env.local ../.env.setup; echo x > made.txt; pwd"
    )
    run = await live.until(id, *END)
    assert run["status"] == "SUCCEEDED", run
    output = "".join(event["text"] for event in run["events"]["nodes"] if event["type"] == "OUTPUT")
    assert output.split("\n")[:4] == ["main", "APP=secret", "KEY=secret", "ready"], output
    assert run["files"] == [{"path": "app/made.txt", "change": "ADD", "additions": 1}], (
        "no secret is committed"
    )
    assert (
        git(live.repository, "log", "-1", "--format=%an <%ae>", run["branch"]).strip()
        == "Bot <bot@example.com>"
    )
    told = "\n".join(run["warnings"])
    assert "The cleanup script exited with 7: cleaning" in told
    [warning] = [one for one in run["events"]["nodes"] if "does not ignore it: loose.txt" in one["text"]]
    assert warning["type"] == "WARNING"


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({"setupScript": "echo no such tool >&2; exit 3"}, "The setup script exited with 3: no such tool"),
        ({"setupScript": "yes | head -c 300000; sleep 60", "scriptSeconds": 1}, "It took longer than 1 s"),
        ({"subfolder": "missing"}, "The repository has no folder 'missing'"),
    ],
)
async def test_a_folder_that_cannot_be_prepared_fails_the_run(live, policy, reason):
    await live.begin(maxAttempts=1, **policy)
    live.worker(executors="command")
    run = await live.until(await live.start("COMMAND", command="echo started"), *END)
    assert (run["status"], run["failureCode"]) == ("FAILED", "WORKSPACE_ERROR"), run
    assert reason in run["failureReason"]
    assert len(run["failureReason"]) < 3_000
    assert "started" not in str(run["events"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subfolder", "../outside"),
        ("subfolder", "/etc"),
        ("copyFiles", ["../.ssh/*"]),
        ("commitAuthor", "Bot"),
        ("commitAuthor", "Bot <a@b.c>\n"),
        ("scriptSeconds", 0),
        ("setupScript", "x" * 10_001),
        ("repository", "https://ann:secret@example.com/web.git"),
        ("repository", "file:///etc"),
        ("repository", "--upload-pack=x"),
    ],
)
async def test_what_a_board_cannot_say(live, field, value):
    await live.begin()
    answer = await live.ask(SAID, input={"boardId": live.board, field: value})
    if value == "Bot <a@b.c>\n":
        assert answer["__typename"] == "Board", "space around it is dropped"
    else:
        assert answer["issues"][0]["path"].startswith(field), answer
