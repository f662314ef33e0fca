"""Starting: what is wrong is told in one line, and the process ends with 2."""

import asyncio
import contextlib
import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import asyncpg
import httpx2
import pytest

import kit.eventlog.event_log
import server
from tests.warm import Warm, command

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parent.parent
CLEAN = {name: value for name, value in os.environ.items() if name not in ("HOST", "PORT")}
CLEAN |= {"DATABASE_URL": "sqlite:///one.sqlite3", "PORT": "0"}


async def start(folder, *arguments, **environment):
    """Run the command line in an empty folder; return its status, what it printed and what it complained of."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "server.py"), *arguments),
        cwd=folder,
        env=CLEAN | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode(), err.decode()


async def begin(folder, *arguments, **environment):
    """The same, in a process that has done its imports."""
    return await command(*arguments, cwd=folder, env=CLEAN | environment)


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"PORT": "eighty"}, "signalbox: PORT: input should be a valid integer"),
        ({"PORT": "70000"}, "signalbox: PORT: input should be less than or equal to 65535"),
        ({"REFRESH_DAYS": "1e300"}, "signalbox: REFRESH_DAYS: input should be less than or equal to 36500"),
        (
            {"REFRESH_MOST_DAYS": "inf"},
            "signalbox: REFRESH_MOST_DAYS: input should be less than or equal to 36500",
        ),
        ({"RUN_LOG_DAYS": "1000000"}, "signalbox: RUN_LOG_DAYS: input should be less than or equal to 36500"),
        ({"HISTORY_DAYS": "1e9"}, "signalbox: HISTORY_DAYS: input should be less than or equal to 36500"),
        ({"DRAIN_SECONDS": "inf"}, "signalbox: DRAIN_SECONDS: input should be less than or equal to 3600\n"),
        ({"POINTS": "10000000000"}, "signalbox: POINTS: input should be less than or equal to 1000000000\n"),
        ({"POINTS_PER_SECOND": "inf"}, "signalbox: POINTS_PER_SECOND: input should be less than or equal to"),
        ({"RUN_LOG_DAYS": "nan"}, "signalbox: RUN_LOG_DAYS: input should be "),
        ({"LOG_LEVEL": "LOUD"}, "signalbox: LOG_LEVEL: string should match"),
        ({"DATABASE_URL": "mysql://localhost/x"}, "signalbox: DATABASE_URL: must begin with sqlite:///"),
        ({"DATABASE_URL": "sqlite:///"}, "signalbox: DATABASE_URL: must name a file"),
        ({"DATABASE_URL": "sqlite:///:memory:"}, "signalbox: DATABASE_URL: must name a file"),
        ({"DATABASE_URL": "sqlite:///x?mode=memory"}, "signalbox: DATABASE_URL: has an option, mode"),
        ({"DATABASE_URL": "postgresql://me:hidden@h:port/x"}, "signalbox: DATABASE_URL: cannot be read"),
        ({"DATABASE_URL": "postgresql://me:hidden@[::1/x"}, "signalbox: DATABASE_URL: cannot be read"),
        ({"DATABASE_URL": "postgresql://me:hidden@h:99999/x"}, "signalbox: DATABASE_URL: port 99999 is none"),
        ({"DATABASE_URL": "postgresql://me:hidden@h/x?host=a:0"}, "signalbox: DATABASE_URL: port 0 is none"),
        (
            {"DATABASE_URL": "postgresql://me:hidden@h/x?bogus=1"},
            "signalbox: DATABASE_URL: has an option, bogus",
        ),
        ({"HOST": "a..b", "SECRET_KEY": "k" * 40}, "signalbox: cannot listen on a..b:0: "),
        ({"HOST": "a" * 64, "SECRET_KEY": "k" * 40}, "signalbox: cannot listen on aaa"),
        (
            {"FORWARDED_ALLOW_IPS": "10.0.0.0/8, proxy.example"},
            "signalbox: FORWARDED_ALLOW_IPS: proxy.example is not an address",
        ),
        ({"FORWARDED_ALLOW_IPS": "*,10.0.0.1"}, "signalbox: FORWARDED_ALLOW_IPS: * is not an address"),
        ({"BUS_URL": "kafka://localhost"}, "signalbox: BUS_URL: must begin with memory://"),
        (
            {"ALLOWED_ORIGINS": "https://ui.example,*"},
            "signalbox: ALLOWED_ORIGINS: * does not go with the pages that people sign in on; name the origins,",
        ),
        (
            {"ALLOWED_ORIGINS": "*", "GRAPHIQL": "false", "BOARD_PAGE": "false"},
            "signalbox: sqlite+aiosqlite:///one.sqlite3 is empty and must be",
        ),
        ({"SECRET_KEY": "short"}, "signalbox: SECRET_KEY: must have 32 characters or more"),
        (
            {"HOST": "0.0.0.0"},
            "signalbox: SECRET_KEY: must be set to serve on an address that others can reach",
        ),
        *(
            (
                {"HOST": host},
                "signalbox: SECRET_KEY: must be set to serve on an address that others can reach",
            )
            for host in ("127.example.com", "127.", "127.0.0.256", "::ffff:10.0.0.1", "localhost.example.com")
        ),
        *(
            ({"HOST": host}, "signalbox: sqlite+aiosqlite:///one.sqlite3 is empty and must be")
            for host in ("127.0.0.2", "localhost", "127.255.255.254")
        ),
        ({"HOST": "256.1.1.1", "SECRET_KEY": "k" * 40}, "signalbox: cannot listen on 256.1.1.1:0: "),
        (
            {"DATABASE_URL": "sqlite:///no/such/folder/x.sqlite3"},
            "signalbox: cannot keep a secret key in no/",
        ),
        (
            {"DATABASE_URL": "sqlite:///no/x.sqlite3", "SECRET_KEY": "k" * 40},
            "signalbox: cannot reach sqlite",
        ),
        ({"DATABASE_URL": "postgresql://me:hidden@127.0.0.1:1/x"}, "signalbox: cannot reach postgresql"),
        (
            {"DATABASE_URL": "sqlite:///one.sqlite3"},
            "signalbox: sqlite+aiosqlite:///one.sqlite3 is empty and must be",
        ),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
async def test_what_is_wrong_is_one_line(tmp_path, environment, line):
    status, out, err = await begin(tmp_path, "serve", **environment)
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith(line)
    assert "hidden" not in err


async def test_a_taken_port_is_one_line(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        status, _, err = await begin(tmp_path, "serve", "--migrate", PORT=port)
    assert (status, err) == (2, f"signalbox: cannot listen on 127.0.0.1:{port}: Address already in use\n")
    assert not (tmp_path / "one.sqlite3").exists(), "nothing was made before"


async def test_of_two_that_start_at_once_on_one_port_one_serves(tmp_path, serve, fresh):
    """Each has bound it before either listens; the slower one ends with a line, the other goes on."""
    url = await fresh()
    first = await serve(url)
    first.kill()
    first.process = None  # there are others in its place
    errors = [tmp_path / "a", tmp_path / "b"]
    given = CLEAN | {"DATABASE_URL": url, "PORT": str(first.port), "SECRET_KEY": "k" * 40}
    both = [Warm("serve", env=given, stderr=error) for error in errors]
    try:
        await first.ready()
        while not (ended := [n for n, one in enumerate(both) if one.poll() is not None]):
            await asyncio.sleep(0.05)
        assert [both[n].poll() for n in ended] == [2], errors[ended[0]].read_text()
        line = f"signalbox: cannot listen on 127.0.0.1:{first.port}: Address already in use"
        assert errors[ended[0]].read_text().splitlines()[-1] == line
        await first.ready()
    finally:
        for one in both:
            one.kill()


async def test_a_bus_that_does_not_answer_is_one_line(tmp_path):
    assert (await begin(tmp_path, "migrate"))[0] == 0
    status, out, err = await begin(tmp_path, "seed", BUS_URL="redis://:hidden@127.0.0.1:1")
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith("signalbox: Cannot reach the wake bus: ")
    assert "hidden" not in err


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize(("proxies", "limited"), [("127.0.0.0/8", 0), ("10.0.0.1", 2)])
async def test_a_proxy_is_believed_where_the_setting_names_it(serve, proxies, limited):
    """Twelve callers behind one proxy: each is counted by itself, or all as one."""
    server = await serve(FORWARDED_ALLOW_IPS=proxies)
    login = 'mutation { login(input: {username: "nobody%d", password: "wrong"}) { __typename } }'
    async with httpx2.AsyncClient() as client:
        texts = [
            (
                await client.post(
                    server.http, json={"query": login % n}, headers={"x-forwarded-for": f"192.0.2.{n}"}
                )
            ).text
            for n in range(12)
        ]
    assert sum("RATE_LIMITED" in text for text in texts) == limited, texts[-1]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        (".env", b"LOG_LEVEL=\xff\n", "signalbox: .env: is not UTF-8\n"),
        (
            "one.sqlite3.key",
            b"",
            "signalbox: one.sqlite3.key: holds no secret key: it must have 32 characters",
        ),
        ("one.sqlite3.key", b"cut short", "signalbox: one.sqlite3.key: holds no secret key"),
        ("one.sqlite3.key", b"\xff" * 40, "signalbox: one.sqlite3.key: is not UTF-8\n"),
    ],
)
async def test_a_wrong_file_is_one_line(tmp_path, name, text, line):
    (tmp_path / name).write_bytes(text)
    status, out, err = await begin(tmp_path, "serve")
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith(line)


async def test_the_key_beside_a_database_is_made_whole_and_once(tmp_path):
    """Four at once, none of which has found a schema yet, and one later."""
    for many in (4, 1):
        ended = await asyncio.gather(*(begin(tmp_path, "serve") for _ in range(many)))
        assert [err.count("is empty and must be") for _, _, err in ended] == [1] * many, ended
        [path] = tmp_path.glob("*.key*")
        assert (path.name, path.stat().st_mode & 0o777) == ("one.sqlite3.key", 0o600)
        key = path.read_text()
        assert len(key) == 64
    assert path.read_text() == key


def impatient(*arguments):
    """The command line, with no patience for a database that somebody else holds."""
    kit.eventlog.event_log.RETRY_SECONDS = 0.0
    sys.argv = ["server.py", *arguments]
    server.command_line()


async def test_a_database_that_somebody_holds_is_one_line(fresh, tmp_path):
    url = await fresh()
    given = CLEAN | {"DATABASE_URL": url, "SECRET_KEY": "k" * 40, "OWNER_PASSWORD": "only mine"}
    given |= {"LOG_LEVEL": "ERROR"}
    commands = ["serve"], ["seed"], ["owner", "myself"], ["export", "board_1"]
    async with held(url):
        ended = await asyncio.gather(
            *(command(*words, main=impatient, cwd=tmp_path, env=given) for words in commands)
        )
    line = "signalbox: The database does not answer just now; try again\n"
    assert [(status, out, err) for status, out, err in ended] == [(2, "", line)] * len(ended)


@contextlib.asynccontextmanager
async def held(url):
    """What every one of them writes first is held by somebody else."""
    if url.startswith("sqlite"):
        with contextlib.closing(
            sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        ) as holder:
            holder.execute("BEGIN IMMEDIATE")
            yield
        return
    holder = await asyncpg.connect(url)
    await holder.execute("BEGIN; INSERT INTO topic (name, epoch, last) VALUES ('accounts', 'x', 0)")
    yield
    await holder.close()


async def test_settings_are_read_from_a_file_too(tmp_path):
    (tmp_path / ".env").write_text("DRAIN_SECONDS=soon\n")
    status, _, err = await start(tmp_path, "serve")
    assert (status, err.split(": ")[1]) == (2, "DRAIN_SECONDS")
