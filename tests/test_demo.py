"""The demo: its data, the script that keeps it alive, and starting and stopping it for real."""

import asyncio
import contextlib
import inspect
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

import demo.commands
from demo.people import DemoPeople
from demo.seed import LABELS, PASSWORD, PEOPLE, WORKSPACE, seed
from demo.tour import CARD, THINGS
from kit.eventlog.event_log import make_event_log
from kit.settings import load
from tests.conftest import KEY, SIGN_IN, link_of
from tests.faults.readers import hear_ws
from tests.pace import leeway
from tests.terminal import Terminal
from tests.test_start import CLEAN, begin
from tests.warm import Warm
from worker.transport import operations

pytestmark = pytest.mark.slow("the demo as people start it, seconds each")

ROOT = Path(__file__).parent.parent
BOARDS = """{ boards(first: 3) { nodes { name law
  cards(first: 100) { nodes { number column { stage } subtaskCount { total } } } } } }"""


@pytest.fixture
def seeded(fresh, tmp_path):
    """Makes a database with the demo's data at each call, which `python server.py seed` has filled once for all."""

    async def fill(url):
        status, out, err = await begin(tmp_path, "seed", DATABASE_URL=url, SECRET_KEY="k" * 40)
        assert (status, out, err) == (0, f"made: {WORKSPACE}, Signalbox server, Website, Ideas\n", "")

    return lambda: fresh("demo", fill)


async def test_seeding_twice_is_seeding_once(run):
    async with run() as app:
        feed = app.services.event_log
        made = await seed(feed.transaction, "$argon2id$a-hash-that-fits-nothing")
        assert made == [WORKSPACE, "Signalbox server", "Website", "Ideas"]
        first = await app.data(BOARDS)
        assert await seed(feed.transaction, "$argon2id$a-hash-that-fits-nothing") == []
        assert await app.data(BOARDS) == first, "the owner sees it all, and nothing was made twice"
        board = first["nodes"][0]
        assert (board["name"], board["law"], len(board["cards"]["nodes"])) == (
            "Signalbox server",
            "PIPELINE",
            27,
        )
        stages = {card["column"]["stage"] for card in board["cards"]["nodes"]}
        assert stages == {"BACKLOG", "PLAN", "TODO", "IN_PROGRESS", "REVIEW", "DONE"}
        spaces = await app.data("{ workspaces { nodes { name } } }")
        assert WORKSPACE in [space["name"] for space in spaces["nodes"]]
        assert (len(PEOPLE), len(LABELS)) == (4, 6)


async def test_what_seeding_was_killed_at_is_made_the_next_time(run):
    async with run() as app:
        feed, begun = app.services.event_log, 0

        def dies(by):
            nonlocal begun
            begun += 1
            if begun == 3:
                raise KeyboardInterrupt
            return feed.transaction(by)

        with pytest.raises(KeyboardInterrupt):
            await seed(dies, "hash")
        assert await seed(feed.transaction, "hash") == ["Website", "Ideas"]


async def test_readme_terminal_and_graphiql_have_one_list_of_things_to_try(capsys):
    demo.commands.greet("http://127.0.0.1:8000", "token", Path("demo.agents"), "1")
    printed, readme = capsys.readouterr().out, (ROOT / "README.md").read_text()
    welcome = (ROOT / "explorer" / "examples" / "1-welcome.graphql").read_text()
    for number, (title, _) in enumerate(THINGS, start=1):
        for text, shown in ((printed, f"{number}  {title}."), (readme, f"{number}. **{title}.**")):
            assert shown in text
        assert f"{number}. {title}: " in welcome
    assert len(THINGS) == 4
    assert " ".join(CARD.split()) in " ".join(readme.split())


TRIED = """{ boards(first: 1) { nodes { cards(first: 5, filter: {stages: [BACKLOG], text: "Yours"}) { nodes {
  id title moves { stage allowed } } } } } }"""
OPEN = "{ questions(filter: {status: [OPEN]}) { nodes { id text options { label } } } }"


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_question_is_always_open_and_one_card_is_left_to_the_viewer(serve, seeded):
    server = await serve(await seeded())
    async with httpx2.AsyncClient(timeout=30, headers=server.headers) as client:

        async def ask(query, **variables):
            said = (await client.post(server.http, json={"query": query, "variables": variables})).json()
            [value] = said["data"].values()
            return value.get("nodes", value)

        people = DemoPeople(client, server.http, random.Random(4))
        seen = set()
        for _ in range(3):
            await asyncio.to_thread(people_act, server, people)
            [question] = await ask(OPEN)
            seen.add(question["text"])
            said = await ask(ANSWER, id=question["id"], options=[question["options"][0]["label"]])
            assert said["__typename"] == "Question"
        assert len(seen) == 3, "another one each time"
        [board] = await ask(TRIED)
        [card] = board["cards"]["nodes"]
        assert card["title"] == CARD
        allowed = {move["stage"]: move["allowed"] for move in card["moves"]}
        assert (allowed["TODO"], allowed["DONE"]) == (True, False)


def people_act(server, people):
    """One interval of the demo's people, as a client of their own."""
    with httpx2.Client(timeout=30, headers=server.headers) as client:
        people.client = client
        for _ in range(10):
            people.keep_asking()
            people.beat()


async def test_a_second_demo_in_the_folder_is_refused_in_one_line(tmp_path):
    process, *_ = await started(tmp_path)
    try:
        status, out, err = await begin(tmp_path, "demo", DATABASE_URL="sqlite:///demo.sqlite3")
        assert (status, out) == (2, "")
        assert err == "signalbox: another demo uses demo.agents: stop it, or set DATABASE_URL\n"
    finally:
        await stopped(process)


async def by_link(client, told):
    """The headers of whoever opens the link that a demo printed."""
    address, token = re.search(r"(http://[\d.:]+)/#token=(\S+)", told).groups()
    address += "/graphql"
    body = {"query": SIGN_IN, "variables": {"input": {"token": token}}}
    session = (await client.post(address, json=body)).json()["data"]["redeemSignInLink"]
    return {"authorization": f"Bearer {session['accessToken']}"}


async def started(folder):
    """A real demo, what it answers first, and how many seconds that took: of the clock, and of its processor."""
    environment = {k: v for k, v in os.environ.items() if k not in ("HOST", "PORT", "DATABASE_URL")}
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "server.py"), "demo"],
        cwd=folder,
        env=environment | {"PORT": "0", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    told = ""
    while "kill -9" not in told:  # the last thing to try
        line = await asyncio.to_thread(process.stdout.readline)
        assert line, process.stderr.read()
        told += line
    assert "Four things to try" in told
    address = re.search(r"http://[\d.:]+/graphql", told)[0]
    async with httpx2.AsyncClient(timeout=30) as client:
        client.headers |= await by_link(client, told)
        answer = (await client.post(address, json={"query": "{ boards { nodes { name } } }"})).json()
    took = time.monotonic() - began
    stat = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return process, answer, took, (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


async def stopped(process):
    process.send_signal(signal.SIGINT)
    return await asyncio.to_thread(process.communicate, timeout=30)


async def test_the_demo_starts_lives_and_stops(tmp_path, figure):
    process, answer, first, _ = await started(tmp_path)
    names = [board["name"] for board in answer["data"]["boards"]["nodes"]]
    assert names == ["Signalbox server", "Website", "Ideas"]
    children = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True
    ).stdout.split()
    assert len(children) == 1, "the script that keeps it alive, with a worker of its own"
    out, err = await stopped(process)
    assert (out.strip(), err) == ("", "")
    assert not Path(f"/proc/{children[0]}").exists(), "it stops with the server"
    process, again, warm, worked = await started(tmp_path)
    await stopped(process)
    assert again == answer
    figure(first=f"{first:.1f} s", warm=f"{warm:.1f} s", processor=f"{worked:.2f} s", loop=f"{leeway(1):.2f}")
    assert worked < leeway(3), "most of it is imports: what serving does not need, is it imported?"


def test_serving_imports_nothing_that_only_other_commands_need():
    """Those that were imported once by mistake, or would be missed: each is a part of the start."""
    code = "import server, sys; print(*sorted(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    named = set(ran.stdout.split())
    for name in (
        "worker.worker",
        "worker.programs",
        "demo.agents",
        "httpx2",
        "mcp",
        "alembic",
    ):
        assert name not in named, name
    assert not named & {"asyncpg", "redis", "demo.seed", "actions.transfer", "kit.db.migrate"}


RUNS = """{ runs(first: 20) { nodes { status card { stage subtaskCount { done total } }
  commits { title } questions { status answer } } } }"""


@pytest.mark.parametrize(
    "kind", ["sqlite"], indirect=True
)  # which is what `make demo` has; agents see the API
async def test_agents_work_on_the_demos_board_until_its_input_ends(serve, seeded, tmp_path):
    server = await serve(await seeded())
    command = [sys.executable, "-m", "demo.agents", server.http, str(tmp_path), "10"]
    feed = make_event_log(load(database_url=server.database_url, secret_key=KEY))
    environment = os.environ | {"SIGNALBOX_LINK": await link_of(feed)}
    await feed.database.close()
    script = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE)
    async with httpx2.AsyncClient(timeout=30, headers=server.headers) as client:

        async def runs():
            answer = (await client.post(server.http, json={"query": RUNS})).json()
            return answer["data"]["runs"]["nodes"]

        deadline = time.monotonic() + leeway(60)
        while not [run for run in await runs() if run["status"] == "SUCCEEDED" and run["commits"]]:
            assert time.monotonic() < deadline, await runs()
            await asyncio.sleep(0.2)
        [done, *_] = [run for run in await runs() if run["status"] == "SUCCEEDED"]
        count = done["card"]["subtaskCount"]
        if "agentToken" in operations()["ClaimRuns"]:
            assert 0 < count["done"] == count["total"], "the agent ticked what it did"
        branches = subprocess.run(
            ["git", "-C", str(tmp_path / "repository"), "branch"], capture_output=True, text=True
        )
        assert "signalbox/BOX-" in branches.stdout
        server.kill()
        await asyncio.sleep(0.5)  # several beats without a server
        assert script.poll() is None, "it gets over a server that is gone"
        script.stdin.close()
        assert await asyncio.to_thread(script.wait, 20) == 0


WATCH = """subscription($board: ID!) { boardFeed(boardId: $board, after: "0") { seq actor { kind }
  event { kind: __typename ... on RunEvent { runId attempt } ... on CardMoved { cardId toStage }
  ... on CardEvent { cardId } ... on QuestionEvent { question { id runId options { label } } } } } }"""
HELD = """{ runs(first: 20, filter: {status: [CLAIMED, RUNNING, WAITING]}) {
  nodes { id cardId boardId status attempt questions { id status options { label } } } } }"""
ANSWER = """mutation($id: ID!, $options: [String!], $text: String) {
  answerQuestion(input: {id: $id, options: $options, text: $text}) { __typename } }"""
ROOM = "mutation($id: ID!) { updateColumn(input: {id: $id, wipLimit: null}) { __typename } }"
BOX = "{ boards(first: 1) { nodes { id columns { id stage } } } }"


class Watcher:
    """A person at the demo: follows the board, answers whatever is asked, and remembers what was told."""

    def __init__(self, address):
        self.http, self.ws = address, address.replace("http", "ws", 1)
        self.told, self.answers = [], {}
        self.client, self.headers = httpx2.AsyncClient(timeout=30), {}

    async def signs_in(self, greeting):
        self.headers = await by_link(self.client, greeting)
        self.client.headers |= self.headers
        return self

    async def ask(self, query, **variables):
        said = (await self.client.post(self.http, json={"query": query, "variables": variables})).json()
        [value] = said["data"].values()
        return value

    async def watch(self, board):
        async with contextlib.aclosing(hear_ws(self, WATCH, {"board": board})) as events:
            async for event in events:
                self.told.append(event["boardFeed"])
                if event["boardFeed"]["kind"] == "QuestionAsked":
                    await self.answer(event["boardFeed"]["question"])

    async def answer(self, question):
        how = {"options": [one["label"] for one in question["options"][:1]]} if question["options"] else {}
        said = await self.ask(ANSWER, id=question["id"], **(how or {"text": "Danger until it is proven."}))
        self.answers[question["runId"]] = said["__typename"]

    def has(self, kind, **fields):
        """The first event of a kind that was told with these fields."""
        fits = (one for one in self.told if one["kind"] == kind and fields.items() <= one.items())
        return next(fits, None)

    async def until(self, what, within=80):
        """What `what` finds, as soon as it finds anything."""
        deadline = time.monotonic() + within
        while not (found := what()):
            assert time.monotonic() < deadline, self.told[-20:]
            await asyncio.sleep(0.05)
        return found


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_person_answers_an_agent_and_a_second_worker_goes_on(seeded, tmp_path):
    """What README says of agents, as somebody sees it who only has its words and the demo's."""
    url = f"sqlite:///{tmp_path}/demo.sqlite3"
    shutil.copy((await seeded()).removeprefix("sqlite:///"), tmp_path / "demo.sqlite3")
    out, second = tmp_path / "out", None
    environment = os.environ | {"PORT": "0", "DATABASE_URL": url}
    demo = Warm("demo", "--speed", "10", cwd=tmp_path, env=environment, stdout=out, stderr=tmp_path / "err")
    watching = None
    try:
        deadline = time.monotonic() + 60
        while "kill -9" not in (greeting := out.read_text() if out.exists() else ""):
            assert demo.poll() is None, (tmp_path / "err").read_text()
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        person = await Watcher(re.search(r"http://[\d.:]+/graphql", greeting)[0]).signs_in(greeting)
        [box] = (await person.ask(BOX))["nodes"]
        [review] = [one["id"] for one in box["columns"] if one["stage"] == "REVIEW"]
        await person.ask(ROOM, id=review)
        watching = asyncio.create_task(person.watch(box["id"]))

        await person.until(lambda: person.has("RunClaimed"))
        await person.until(lambda: person.has("SubtaskUpdated", actor={"kind": "AGENT"}))
        asked = (await person.until(lambda: person.has("QuestionAsked")))["question"]
        await person.until(lambda: person.has("QuestionAnswered"))
        assert person.answers[asked["runId"]] == "Question", "the mutation answers the question"
        done = await person.until(lambda: person.has("RunSucceeded", runId=asked["runId"]))
        await person.until(lambda: person.has("CardMoved", cardId=done["cardId"], toStage="REVIEW"))

        kill, another = re.search(r"(kill -9 .*)\n((?:.*\\\n)?.*)", greeting).groups()
        count = len(person.told)
        await person.until(lambda: [one for one in person.told[count:] if one["kind"] == "RunStarted"])
        subprocess.run(kill, shell=True, check=True, cwd=tmp_path)
        held = [one for one in (await person.ask(HELD))["nodes"] if one["boardId"] == box["id"]]
        assert held, "it died in the middle of its work"
        with (tmp_path / "second").open("w") as said:
            second = subprocess.Popen(
                f"exec env {another}",
                shell=True,
                cwd=tmp_path,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        for one in held:
            first = {"runId": one["id"], "attempt": one["attempt"]}
            again = first | {"attempt": one["attempt"] + 1}
            ends = first, again  # the dead one's last word may still have been heard
            await person.until(
                lambda ends=ends: any(person.has("RunSucceeded", **end) for end in ends), within=160
            )
            moved = {"cardId": one["cardId"], "toStage": "REVIEW"}
            await person.until(lambda moved=moved: person.has("CardMoved", **moved))
        lost = [{"runId": one["id"], "attempt": one["attempt"] + 1} for one in held]
        assert any(person.has("RunClaimed", **again) for again in lost), (
            "the second goes on with the first's work"
        )
        assert [event["seq"] for event in person.told] == list(range(1, len(person.told) + 1))
        assert "works for" in (tmp_path / "second").read_text()
        assert set(person.answers.values()) == {"Question"}
        os.killpg(second.pid, signal.SIGINT)
        assert await asyncio.to_thread(second.wait, 30) == 0, "Ctrl+C ends it in peace"
    finally:
        if watching:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await person.client.aclose()
        if second:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(second.pid, signal.SIGKILL)
        demo.send_signal(signal.SIGINT)
        await asyncio.to_thread(demo.wait, 30)
    assert (tmp_path / "err").read_text() == ""


def test_the_tabs_that_newcomers_are_sent_to_are_there():
    examples = [path.read_text() for path in sorted((ROOT / "explorer" / "examples").glob("*.graphql"))]
    tabs = set(re.findall(r"^(?:query|mutation|subscription) (\w+)", "\n".join(examples), re.MULTILINE))
    readme = (ROOT / "README.md").read_text().split("## ")[0]
    sent = {
        "README.md": re.findall(r"`([A-Z]\w+)`", readme),
        "make demo": re.findall(r"(?:tab|run) ([A-Z]\w+)", inspect.getsource(demo.commands.greet)),
        "the first tab": re.findall(
            r'"([A-Z]\w+)"', "".join(re.findall(r"^#.*\n", examples[0], re.MULTILINE))
        ),
    }
    for where, names in sent.items():
        assert set(names) <= tabs, where
    assert "MoveCard" in sent["the first tab"]


def test_the_script_moves_only_where_it_may():
    asked = []

    class Told(DemoPeople):
        def ask(self, query, **variables):
            asked.append(variables)
            return {"__typename": "Card"}

    card = {
        "id": "card_1",
        "allowedStages": ["BACKLOG", "IN_PROGRESS", "REVIEW"],
        "column": {"stage": "IN_PROGRESS"},
    }
    for _ in range(50):
        Told(None, "", random.Random()).move(card)
    assert {each["to"] for each in asked} == {"BACKLOG", "REVIEW"}


@pytest.mark.parametrize(
    ("arguments", "environment", "line"),
    [
        (["reset"], {}, "signalbox: reset asks before it deletes, and nobody is here to answer; say --yes\n"),
        (
            ["seed"],
            {"HOST": "0.0.0.0", "SECRET_KEY": "k" * 40},
            "signalbox: the demo's people have a well-known password: "
            "seed only what is served on a loopback address\n",
        ),
        (
            ["demo"],
            {"HOST": "0.0.0.0", "SECRET_KEY": "k" * 40},
            "signalbox: the demo's people have a well-known password: "
            "seed only what is served on a loopback address\n",
        ),
    ],
    ids=["reset", "seed", "demo"],
)
async def test_what_it_does_not_do(tmp_path, arguments, environment, line):
    assert (await begin(tmp_path, "migrate"))[0] == 0
    assert await begin(tmp_path, *arguments, **environment) == (2, "", line)


async def test_reset_asks_for_the_name_of_what_it_deletes(seeded, tmp_path):
    given = CLEAN | {"DATABASE_URL": await seeded(), "SECRET_KEY": "k" * 40}

    async def reset(typed):
        out, err = tmp_path / f"{typed} out", tmp_path / f"{typed} err"
        with Terminal() as terminal:
            terminal.type(typed)
            process = Warm("reset", cwd=tmp_path, env=given, stdin=terminal.path, stdout=out, stderr=err)
            status = await asyncio.to_thread(process.wait, 60)
        return status, out.read_text(), err.read_text()

    status, asked, err = await reset("another")
    assert (status, err) == (2, "signalbox: that is not its name; nothing was deleted\n")
    [name] = re.findall(r"^All data in \S+ will be deleted. Type its name, (\S+), to go on: $", asked)
    assert (await begin(tmp_path, "seed", **given))[1] == "everything is there already\n"
    status, out, err = await reset(name)
    assert (status, err) == (0, "")
    assert re.search(r"deleted \d{3} rows from ", out)


async def test_reset_leaves_an_empty_database(seeded):
    given = {"DATABASE_URL": await seeded(), "SECRET_KEY": "k" * 40}
    status, out, err = await begin(ROOT, "reset", "--yes", **given)
    assert (status, err) == (0, "")
    assert re.match(r"deleted \d{3} rows from ", out)
    status, out, _ = await begin(ROOT, "seed", **given)
    assert (status, out) == (0, f"made: {WORKSPACE}, Signalbox server, Website, Ideas\n")


async def test_where_others_can_reach_it_nobody_has_the_password_that_everybody_knows(
    run, serve, seeded, tmp_path
):
    url = await seeded()
    given = CLEAN | {"DATABASE_URL": url, "SECRET_KEY": "k" * 40}
    async with run(url) as app:
        session = await app.logs_in("robin", PASSWORD)
        app.tokens["robin"] = f"Bearer {session['accessToken']}"
        rename = 'mutation { updateMe(input: {username: "wren"}) { ... on User { username } } }'
        assert await app.data(rename, "robin") == {"username": "wren"}
    left = sorted({*PEOPLE, "wren"} - {"robin"})
    while left:
        status, out, err = await begin(tmp_path, "serve", **given | {"HOST": "0.0.0.0"})
        assert (status, out) == (2, "")
        assert err == (
            "signalbox: the demo's password is well known, so this does not listen on 0.0.0.0 while it is that of "
            f"{', '.join(left)}; give them others: python server.py owner USERNAME\n"
        )
        for name in [left.pop()] if len(left) == len(PEOPLE) else [left.pop() for _ in list(left)]:
            assert (await begin(tmp_path, "owner", name, OWNER_PASSWORD="only hers", **given))[0] == 0
    await serve(url, HOST="0.0.0.0")
