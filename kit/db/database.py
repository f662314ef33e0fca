"""The database: one door for writes, one for reads, the same contract on SQLite and PostgreSQL.

A write is one transaction on one connection. On SQLite it begins IMMEDIATE, behind a fair lock, because
a transaction that reads before it writes would otherwise lose updates or deadlock with its twin; on
PostgreSQL the rows that are reached are locked.

A read is a `Snapshot`: everything read through it is one moment of the database. It cannot write: the
database itself refuses (`query_only`, READ ONLY).
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any

import aiosqlite
from sqlalchemy import (
    ARRAY,
    JSON,
    Boolean,
    DateTime,
    Dialect,
    Executable,
    MetaData,
    String,
    Text,
    TypeDecorator,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, DisconnectionError, InvalidatePoolError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.functions import FunctionElement

from kit.clock import CLOCK
from kit.db import readers
from kit.db.readers import Reader, Readers
from kit.db.rows import Convert, Statements, Values
from kit.db.transaction import Transaction

BUSY_TIMEOUT_MILLISECONDS = 5_000  # milliseconds a writer waits for another process on the same SQLite file
CONNECT_TIMEOUT_SECONDS = 3.0  # seconds to reach PostgreSQL
STATEMENT_TIMEOUT_SECONDS = 4.0  # seconds one statement may take; PostgreSQL itself is told a little less
WRITE_QUEUE_TIMEOUT_SECONDS = (
    8.0  # seconds a write may wait for a connection: a crowd is served in turn, not sent away
)
READ_TIMEOUT_SECONDS = (
    5.0  # seconds a read may take, with the wait for a connection and whatever is broken on the way
)
MAX_SQLITE_READERS = 4  # connections that read one SQLite file at once
MAX_POOL_CONNECTIONS = 10  # connections to PostgreSQL a process
FRESH = (
    1.0  # seconds after its use in which a connection is not tried: three round trips for each transaction
)

# Both sides give up: a frozen server cannot answer, and a frozen client must not hold a lock for ever.
POSTGRES_SETTINGS = {
    "timezone": "UTC",
    "jit": "off",
    "statement_timeout": "3800ms",
    "lock_timeout": "3500ms",
    "idle_in_transaction_session_timeout": "5s",
    "application_name": "signalbox",
}

Id = String(40).with_variant(String(40, collation="C"), "postgresql")
Rank = String(200).with_variant(String(200, collation="C"), "postgresql")
Json = JSON().with_variant(JSONB(), "postgresql")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, in UTC and aware of it, on both databases. A naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "a moment without a time zone reached the database"
        return value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Convert | None:
        return None if dialect.name == "postgresql" else _moment


def _moment(text: str | None) -> datetime | None:
    """A moment as SQLite keeps it. PostgreSQL's driver gives them in UTC."""
    return None if text is None else datetime.fromisoformat(text + "+00:00")


class Keys(TypeDecorator[list[str]]):
    """Many keys as one parameter: a statement is the same however many there are."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        # the driver knows arrays of text; what an array of varchar is, each new connection would ask
        return dialect.type_descriptor(ARRAY(Text) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else json.dumps(value)


class among(FunctionElement[bool]):
    """That a column is one of `Keys`: `among(Card.id, bindparam("keys", type_=Keys()))`."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        return self  # or SQLite would be asked whether it `= 1`, and would not use the index


@compiles(among, "postgresql")
def _among_array(element: Any, compiler: Any, **options: Any) -> str:
    column, keys = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} = ANY ({keys})"


@compiles(among, "sqlite")
def _among_json(element: Any, compiler: Any, **options: Any) -> str:
    column, keys = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({keys}))"  # noqa: S608 - both parts are compiled


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: Json, list[str]: Json}


def utcnow() -> datetime:
    """What time it is by the database's clock: every moment that is stored, and every judgement of one."""
    return CLOCK.now()


def normalised(url: str) -> str:
    """Name the driver we use: people write `sqlite:///file` and `postgresql://host/name`."""
    url = re.sub(r"^(postgres|postgresql)(\+asyncpg)?://", "postgresql+asyncpg://", url)
    return re.sub(r"^sqlite(\+aiosqlite)?://", "sqlite+aiosqlite://", url)


class DatabaseUnreachable(Exception):
    """The database does not answer. The text says which and why, without its password."""


class Unavailable(Exception):
    """The database does not answer just now, or somebody held a lock too long: trying again may help.

    Whether a change that ends so was made is not known if it was lost during COMMIT.
    """

    code = "UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("The database does not answer just now; try again")


@contextmanager
def translate_db_errors() -> Iterator[None]:
    """What is passing is told as Unavailable."""
    try:
        yield
    except Exception as error:
        if is_transient(error):
            raise Unavailable from error
        raise


class Snapshot:
    """One moment of the database, on one connection that is taken at the first read.

    Reads take turns, so concurrent resolvers may share it. Close it before waiting for anything else. With `once`
    it is good for one statement, which is a moment by itself.
    """

    def __init__(self, readers: Readers, *, once: bool = False) -> None:
        self._readers, self._once, self._lock = readers, once, asyncio.Lock()
        self._reader: Reader | None = None
        self._ending: asyncio.Task[None] | None = None  # closes it after a read that was left

    async def read(self, query: Executable, values: Values = None) -> Sequence[Any]:
        """Answer one statement, or raise Unavailable.

        Given up while it waits, it is never made; given up later, it ends in the background: half a read would cost
        its connection.
        """
        try:
            async with asyncio.timeout(READ_TIMEOUT_SECONDS):
                await self._wait()
                reading = asyncio.create_task(self._read(query, values))
                try:
                    return await asyncio.shield(reading)
                except asyncio.CancelledError:
                    self._ending = self._readers.keep(asyncio.create_task(self._let_go(reading)))
                    raise
        except TimeoutError as error:
            raise Unavailable from error

    async def _wait(self) -> None:
        """Wait for our turn, and for a reader where there is none yet. Then `_read` must be called."""
        await self._lock.acquire()
        try:
            if self._reader is None:
                await self._readers.wait()
        except BaseException:
            self._lock.release()
            raise

    async def _let_go(self, reading: asyncio.Task[Any]) -> None:
        await asyncio.gather(reading, return_exceptions=True)
        await self._close()

    async def _read(self, query: Executable, values: Values) -> Sequence[Any]:
        try:
            if self._reader is not None:
                return await self._readers.read(self._reader, query, values)
            self._reader, rows = await self._readers.first(query, values, begin=not self._once)
            return rows
        except Exception as error:
            if not is_transient(error):
                raise
            if self._reader is not None:
                self._readers.drop(self._reader)
                self._reader = None
            raise Unavailable from error
        finally:
            self._lock.release()

    async def close(self) -> None:
        if self._ending is None or self._ending.done():  # else it is being closed, and may take its time
            await self._close()

    async def _close(self) -> None:
        async with self._lock:
            reader, self._reader = self._reader, None
            if reader is None:
                return
            if self._once:
                self._readers.give(reader)
            else:  # shielded: a cancelled reader must still give its connection back
                await asyncio.shield(self._end(reader))

    async def _end(self, reader: Reader) -> None:
        try:
            await reader.end()
        except BaseException as error:
            self._readers.drop(reader)
            if not isinstance(error, Exception) or not is_transient(error):
                raise  # else it was lost since it was read from: what was read is still good
        else:
            self._readers.give(reader)


class Database:
    def __init__(self, url: str, *, pool: int = MAX_POOL_CONNECTIONS) -> None:
        self.url = normalised(url)
        self.is_sqlite = self.url.startswith("sqlite")
        if self.is_sqlite:
            self._writer, most = _sqlite(self.url, 1, "BEGIN IMMEDIATE"), MAX_SQLITE_READERS
        else:
            self._writer, most = _postgres(self.url, pool), pool
        self.readers = Readers(_reading(self._writer, most), Statements(self._writer.dialect), most)
        self._sessions = async_sessionmaker(self._writer, class_=Transaction, expire_on_commit=False)
        self._watch: aiosqlite.Connection | None = None
        self._watching = asyncio.Lock()
        self._turn = asyncio.Lock()  # fair, which SQLite's own busy handler is not

    @property
    def engine(self) -> AsyncEngine:
        """What writes, to watch what is sent to the database; `readers.heard` are told of what is read."""
        return self._writer

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """Open one transaction: committed on success, rolled back on any error. Raises Unavailable."""
        turn = self._turn if self.is_sqlite else nullcontext()
        with translate_db_errors():
            async with turn, self._sessions.begin() as tx:
                try:
                    if not self.is_sqlite:
                        async with asyncio.timeout(WRITE_QUEUE_TIMEOUT_SECONDS):
                            await tx.connection()
                    yield tx
                except Exception as error:
                    if isinstance(error, Unavailable) or is_transient(error):
                        await tx.invalidate()  # a server that is frozen would not answer a ROLLBACK either
                    raise

    def snapshot(self) -> Snapshot:
        return Snapshot(self.readers)

    async def read(self, query: Executable, values: Values = None) -> Sequence[Any]:
        """Answer one statement."""
        snapshot = Snapshot(self.readers, once=True)
        try:
            return await snapshot.read(query, values)
        finally:
            await snapshot.close()

    async def data_version(self) -> int:
        """A number that differs once another connection has changed the SQLite file."""
        async with self._watching:
            if self._watch is None:  # its own connection: the number is told per connection
                self._watch = await _watching(str(self._writer.url.database))
            async with self._watch.execute("PRAGMA data_version") as cursor:
                row = await cursor.fetchone()
        return int(row[0]) if row else 0

    async def check(self) -> None:
        """Raise Unreachable unless the database answers."""
        try:
            await self.read(text("SELECT 1"))
        except Exception as error:  # the drivers' are of many classes
            why = error.__cause__ if isinstance(error, Unavailable) else error
            raise DatabaseUnreachable(f"cannot reach {self.safe_url}: {cause(why or error)}") from error

    @property
    def file(self) -> str | None:
        """The file of a SQLite database."""
        return self._writer.url.database if self.is_sqlite else None

    @property
    def name(self) -> str:
        """What people call it: the file's name, or the database's on its server."""
        return re.split(r"[/\\\\]", self._writer.url.database or "")[-1]

    @property
    def safe_url(self) -> str:
        return self._writer.url.render_as_string(hide_password=True)

    async def close(self) -> None:
        async with self._watching:
            watch, self._watch = self._watch, None
            if watch is not None:
                await watch.close()
        await self.readers.close()
        await self._writer.dispose()


async def _watching(path: str) -> aiosqlite.Connection:
    """A connection of its own; closed again when nobody waits for it any more."""
    opening = asyncio.ensure_future(aiosqlite.connect(path))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        await (await opening).close()
        raise


def cause(error: BaseException) -> str:
    text = str(getattr(error, "orig", None) or error) or type(error).__name__
    return text.splitlines()[0]


PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MILLISECONDS}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
)


def _sqlite(url: str, size: int, begin: str, *pragmas: str) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=size, max_overflow=0, pool_timeout=30)

    @event.listens_for(engine.sync_engine, "do_connect")
    def connecting(dialect: Any, record: Any, given: Any, options: Any) -> None:
        readers.keep_private(given[0])

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # sqlite3 would begin late, after the first SELECT
        cursor = connection.cursor()
        for pragma in (*PRAGMAS, *pragmas):
            cursor.execute(pragma)
        cursor.close()
        connection.create_function("lower", 1, readers.lowered, deterministic=True)

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgres(url: str, size: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=WRITE_QUEUE_TIMEOUT_SECONDS,
        connect_args={
            "timeout": CONNECT_TIMEOUT_SECONDS,
            "command_timeout": STATEMENT_TIMEOUT_SECONDS,
            "server_settings": POSTGRES_SETTINGS,
        },
    )
    _try_before_use(engine)
    return engine


def _try_before_use(engine: AsyncEngine) -> None:
    """Replace connections that were lost while nobody used them. One used just now is only looked at."""

    @event.listens_for(engine.sync_engine, "checkin")
    def given_back(connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def taken(connection: Any, record: Any, fairy: Any) -> None:
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError
        if connection.driver_connection.is_in_transaction():
            raise DisconnectionError  # it was lost half way, and its ROLLBACK with it
        if time.monotonic() - record.info.get("used", time.monotonic()) < FRESH:
            return
        try:
            engine.dialect.do_ping(connection)
        except Exception as error:
            if is_transient(error):
                raise InvalidatePoolError from error
            raise


def _reading(engine: AsyncEngine, most: int) -> readers.Connect:
    """How to open the driver's own connections to the same database."""
    given, options = engine.dialect.create_connect_args(engine.url)
    if engine.dialect.name == "sqlite":
        return readers.sqlite((*PRAGMAS, "PRAGMA query_only=ON"), most, *given, **options)
    return readers.postgres(
        json.loads,
        **options,
        timeout=CONNECT_TIMEOUT_SECONDS,
        command_timeout=STATEMENT_TIMEOUT_SECONDS,
        server_settings={**POSTGRES_SETTINGS, "default_transaction_read_only": "on"},
    )


def migrator(database: Database) -> AsyncEngine:
    """An engine to change tables with: on SQLite alone from the start, and with foreign keys off.

    SQLite changes a table by copying and dropping it; with foreign keys on, that would delete what refers to it.
    """
    if database.is_sqlite:
        pragmas = "PRAGMA busy_timeout=60000", "PRAGMA foreign_keys=OFF"
        return _sqlite(database.url, 1, "BEGIN EXCLUSIVE", *pragmas)
    return _postgres(database.url, 1)


# Classes of SQLSTATE, and states, that say "not now": the connection, resources, the operator, a lock.
TRANSIENT_SQLSTATES = ("08", "40", "53", "57", "55P03", "25P02", "25P03")
BUSY_FILE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_CANTOPEN")


def is_transient(error: BaseException) -> bool:
    """Whether trying the same again may help: the connection was lost or somebody held a lock too long."""
    if isinstance(error, PoolTimeout | OSError):  # OSError is also TimeoutError, and no connection at all
        return True
    if isinstance(
        error, PendingRollbackError
    ):  # "8s2b": said to whoever asks after the loss was told to another
        return error.code == "8s2b"
    if type(error).__module__.startswith("asyncpg."):
        from asyncpg import (  # there with PostgreSQL only
            InterfaceError,
            InternalClientError,
            InvalidCachedStatementError,
        )

        if isinstance(error, InternalClientError | InvalidCachedStatementError):
            return True  # the protocol broke off in the middle, or a table was changed: the next one is made anew
        if isinstance(error, InterfaceError):
            return "closed" in str(error)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    if isinstance(state, str):
        return state.startswith((*TRANSIENT_SQLSTATES, *BUSY_FILE))
    # SQLAlchemy wraps its adapter's error, which wraps the driver's.
    under = getattr(error, "orig", None) or error.__cause__
    return under is not None and is_transient(under)
