"""The demo: its data, the script that keeps it alive, and starting and stopping it for real."""

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from actions.seed import LABELS, PEOPLE, WORKSPACE, seed
from agents.lively import Lively
from agents.wire import operations
from tests.terminal import Terminal
from tests.test_start import CLEAN, begin, start
from tests.warm import Warm

ROOT = Path(__file__).parent.parent
BOARDS = """{ boards(first: 3) { nodes { name law
  cards(first: 100) { nodes { number column { stage } subtaskCount { total } } } } } }"""


async def test_seeding_twice_is_seeding_once(run):
    async with run() as app:
        feed = app.house.feed
        made = await seed(feed.begin, "$argon2id$a-hash-that-fits-nothing")
        assert made == [WORKSPACE, "Signalbox server", "Website", "Ideas"]
        first = await app.data(BOARDS)
        assert await seed(feed.begin, "$argon2id$a-hash-that-fits-nothing") == []
        assert await app.data(BOARDS) == first, "the local owner sees it all, and nothing was made twice"
        board = first["nodes"][0]
        assert (board["name"], board["law"], len(board["cards"]["nodes"])) == (
            "Signalbox server",
            "PIPELINE",
            26,
        )
        stages = {card["column"]["stage"] for card in board["cards"]["nodes"]}
        assert stages == {"BACKLOG", "PLAN", "TODO", "IN_PROGRESS", "REVIEW", "DONE"}
        spaces = await app.data("{ workspaces { nodes { name } } }")
        assert WORKSPACE in [space["name"] for space in spaces["nodes"]]
        assert (len(PEOPLE), len(LABELS)) == (4, 6)


async def test_what_seeding_was_killed_at_is_made_the_next_time(run):
    async with run() as app:
        feed, begun = app.house.feed, 0

        def dies(by):
            nonlocal begun
            begun += 1
            if begun == 3:
                raise KeyboardInterrupt
            return feed.begin(by)

        with pytest.raises(KeyboardInterrupt):
            await seed(dies, "hash")
        assert await seed(feed.begin, "hash") == ["Website", "Ideas"]


async def started(folder):
    """A real demo, its address as it prints it, and how many seconds it took to answer."""
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
    while "would allow" not in told:  # the last thing to try
        line = await asyncio.to_thread(process.stdout.readline)
        assert line, process.stderr.read()
        told += line
    assert "Four things to try" in told
    address = re.search(r"http://[\d.:]+/graphql", told)[0]
    async with httpx2.AsyncClient(timeout=30) as client:
        answer = (await client.post(address, json={"query": "{ boards { nodes { name } } }"})).json()
    return process, address, answer, time.monotonic() - began


async def stopped(process):
    process.send_signal(signal.SIGINT)
    return await asyncio.to_thread(process.communicate, timeout=30)


async def test_the_demo_starts_lives_and_stops(tmp_path):
    process, _, answer, first = await started(tmp_path)
    names = [board["name"] for board in answer["data"]["boards"]["nodes"]]
    assert names == ["Signalbox server", "Website", "Ideas"]
    children = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True
    ).stdout.split()
    assert len(children) == 1, "the script that keeps it alive, with a worker of its own"
    out, err = await stopped(process)
    assert (out.strip(), err) == ("", "")
    assert not Path(f"/proc/{children[0]}").exists(), "it stops with the server"
    process, _, again, warm = await started(tmp_path)
    await stopped(process)
    assert again == answer
    print(f"first {first:.1f} s, warm {warm:.1f} s")


RUNS = """{ runs(first: 20) { nodes { status card { stage subtaskCount { done total } }
  commits { title } questions { status answer } } } }"""


async def test_agents_work_on_the_demos_board_until_its_input_ends(serve, tmp_path):
    server = await serve()
    status, _, err = await start(ROOT, "seed", DATABASE_URL=server.database_url, SECRET_KEY="k" * 40)
    assert status == 0, err
    command = [sys.executable, "-m", "agents.demo", server.http, str(tmp_path), "0.2", "10"]
    script = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
    async with httpx2.AsyncClient(timeout=30) as client:

        async def runs():
            answer = (await client.post(server.http, json={"query": RUNS})).json()
            return answer["data"]["runs"]["nodes"]

        deadline = time.monotonic() + 90
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


def test_the_script_moves_only_where_it_may():
    asked = []

    class Told(Lively):
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
    assert (await start(tmp_path, "migrate"))[0] == 0
    assert await start(tmp_path, *arguments, **environment) == (2, "", line)


async def test_reset_asks_for_the_name_of_what_it_deletes(fresh, tmp_path):
    url = await fresh()
    given = CLEAN | {"DATABASE_URL": url, "SECRET_KEY": "k" * 40}
    assert (await begin(tmp_path, "seed", **given))[0] == 0

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


async def test_reset_leaves_an_empty_database(fresh):
    url = await fresh()
    given = {"DATABASE_URL": url, "SECRET_KEY": "k" * 40}
    assert (await start(ROOT, "seed", **given))[0] == 0
    status, out, err = await start(ROOT, "reset", "--yes", **given)
    assert (status, err) == (0, "")
    assert re.match(r"deleted \d{3} rows from ", out)
    status, out, _ = await start(ROOT, "seed", **given)
    assert (status, out) == (0, f"made: {WORKSPACE}, Signalbox server, Website, Ideas\n")
