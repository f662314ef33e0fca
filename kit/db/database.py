"""The database: transactions and snapshots, with the same contract on SQLite and PostgreSQL.

A write is one transaction on one connection. On SQLite it begins IMMEDIATE, behind a fair lock: a transaction that
reads before it writes could otherwise lose updates, or deadlock with another. On PostgreSQL, callers lock rows.

A read is a `Snapshot`: everything read through it is one state of the database. It cannot write: the database
itself rejects that (`query_only`, READ ONLY).
"""

import asyncio
import json
import logging
import os
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

from kit.db import readers
from kit.db.readers import Reader, Readers
from kit.db.rows import Convert, Statements, Values
from kit.db.server_clock import CLOCK
from kit.db.transaction import Transaction

log = logging.getLogger("signalbox.database")

BUSY_TIMEOUT_MILLISECONDS = 5_000  # wait of a writer for another process on the same SQLite file
CONNECT_TIMEOUT_SECONDS = 3.0
STATEMENT_TIMEOUT_SECONDS = 4.0  # of the client; that of PostgreSQL is a little shorter
WRITE_QUEUE_TIMEOUT_SECONDS = (
    8.0  # wait of a write for a connection; long, so that bursts queue instead of fail
)
READ_TIMEOUT_SECONDS = 5.0  # of a read, including the wait for a connection and its replacement
MAX_SQLITE_READERS = 4  # connections that read one SQLite file
MAX_POOL_CONNECTIONS = 10  # connections to PostgreSQL of each process
PING_AFTER_SECONDS = 1.0  # idle time after which a connection is pinged, at three round trips

# Timeouts on both sides: a frozen server does not answer, and a frozen client must not hold locks forever.
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
    """A time-zone-aware time in UTC, on both databases. Naive times are rejected."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "a time without a time zone reached the database"
        return value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Convert | None:
        return None if dialect.name == "postgresql" else _parse_time


def _parse_time(text: str | None) -> datetime | None:
    """Parse a time as SQLite stores it. PostgreSQL's driver returns times in UTC."""
    return None if text is None else datetime.fromisoformat(text + "+00:00")


class Keys(TypeDecorator[list[str]]):
    """A list of keys as one parameter, so that a statement is the same for any number of them."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        # the driver knows arrays of text; for arrays of varchar each new connection would query the catalog
        return dialect.type_descriptor(ARRAY(Text) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else json.dumps(value)


class among(FunctionElement[bool]):
    """A column is one of `Keys`: `among(Card.id, bindparam("keys", type_=Keys()))`."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        return self  # else SQLite would compare it with 1, and not use the index


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
    """Return the time of the database's clock, the only one used for stored times and comparisons with them."""
    return CLOCK.now()


def normalize_url(url: str) -> str:
    """Add the driver to a URL such as `sqlite:///file` or `postgresql://host/name`."""
    url = re.sub(r"^(postgres|postgresql)(\+asyncpg)?://", "postgresql+asyncpg://", url)
    return re.sub(r"^sqlite(\+aiosqlite)?://", "sqlite+aiosqlite://", url)


class DatabaseUnreachable(Exception):
    """The database does not answer. The message names it and the cause, without its password."""


class Unavailable(Exception):
    """The database does not answer at present, or a lock was held for too long: retrying may help.

    If the connection was lost during COMMIT, it is unknown whether the change was made.
    """

    code = "UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("The database does not answer just now; try again")


@contextmanager
def translate_db_errors() -> Iterator[None]:
    """Translate transient database errors into Unavailable."""
    try:
        yield
    except Exception as error:
        if is_transient(error):
            raise Unavailable from error
        raise


class Snapshot:
    """One state of the database, on one connection that is acquired by the first read.

    Reads are serialized, so concurrent resolvers may share it. Close it before waiting for anything else. With
    `once` it is valid for one statement, which needs no transaction.
    """

    def __init__(self, readers: Readers, *, once: bool = False) -> None:
        self._readers, self._once, self._lock = readers, once, asyncio.Lock()
        self._reader: Reader | None = None
        self._ending: asyncio.Task[None] | None = None  # closes it after a cancelled read

    async def read(self, query: Executable, values: Values = None) -> Sequence[Any]:
        """Execute one statement. Raises Unavailable.

        A call that is cancelled while it waits executes nothing. One that is cancelled later is finished in the
        background: an interrupted read would cost its connection.
        """
        try:
            async with asyncio.timeout(READ_TIMEOUT_SECONDS):
                await self._wait()
                reading = asyncio.create_task(self._read(query, values))
                try:
                    return await asyncio.shield(reading)
                except asyncio.CancelledError:
                    self._ending = self._readers.keep(asyncio.create_task(self._finish(reading)))
                    raise
        except TimeoutError as error:
            raise Unavailable from error

    async def _wait(self) -> None:
        """Wait for the previous read, and for a reader if there is none yet. `_read` must follow."""
        await self._lock.acquire()
        try:
            if self._reader is None:
                await self._readers.wait()
        except BaseException:
            self._lock.release()
            raise

    async def _finish(self, reading: asyncio.Task[Any]) -> None:
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
        if self._ending is None or self._ending.done():  # else it is being closed in the background
            await self._close()

    async def _close(self) -> None:
        async with self._lock:
            reader, self._reader = self._reader, None
            if reader is None:
                return
            if self._once:
                self._readers.give(reader)
            else:  # shielded: the connection must be given back also when cancelled
                await asyncio.shield(self._end(reader))

    async def _end(self, reader: Reader) -> None:
        try:
            await reader.end()
        except BaseException as error:
            self._readers.drop(reader)
            if not isinstance(error, Exception) or not is_transient(error):
                raise  # else it was lost after the last read, whose rows are valid
        else:
            self._readers.give(reader)


class Database:
    def __init__(self, url: str, *, pool: int = MAX_POOL_CONNECTIONS) -> None:
        self.url = normalize_url(url)
        self.is_sqlite = self.url.startswith("sqlite")
        if self.is_sqlite:
            self._writer, most = _sqlite(self.url, 1, "BEGIN IMMEDIATE"), MAX_SQLITE_READERS
        else:
            self._writer, most = _postgres(self.url, pool), pool
        self.readers = Readers(_connect_readers(self._writer, most), Statements(self._writer.dialect), most)
        self._sessions = async_sessionmaker(self._writer, class_=Transaction, expire_on_commit=False)
        self._watch: aiosqlite.Connection | None = None
        self._watching = asyncio.Lock()
        self._own_file: tuple[int, int] | None = None  # device and number of the open SQLite file
        self._turn = asyncio.Lock()  # fair, unlike SQLite's busy handler

    @property
    def engine(self) -> AsyncEngine:
        """The engine of writes, for listeners of its statements. `readers.listeners` receive those of reads."""
        return self._writer

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """Open one transaction: committed on success, rolled back on any error. Raises Unavailable."""
        turn = self._turn if self.is_sqlite else nullcontext()
        with translate_db_errors():
            async with turn, self._sessions.begin() as tx:
                try:
                    if self.is_sqlite:
                        self._require_own_file()
                    else:
                        async with asyncio.timeout(WRITE_QUEUE_TIMEOUT_SECONDS):
                            await tx.connection()
                    yield tx
                except Exception as error:
                    if isinstance(error, Unavailable) or is_transient(error):
                        await tx.invalidate()  # a frozen server would not answer a ROLLBACK either
                    raise

    def _require_own_file(self) -> None:
        """Raise Unavailable if the path of a SQLite database is no longer the file that is open.

        A deleted or replaced file leaves this process with one that nobody can find: what is written there is lost.
        """
        if self.file is None:
            return
        try:
            found = os.stat(self.file)
        except FileNotFoundError:
            found = None
        here = (found.st_dev, found.st_ino) if found else None
        if self._own_file is None:
            self._own_file = here  # None until the first connection has made it
        elif self._own_file != here:
            log.error("%s was deleted or replaced while it is open: restart the server", self.file)
            raise Unavailable

    def snapshot(self) -> Snapshot:
        return Snapshot(self.readers)

    async def read(self, query: Executable, values: Values = None) -> Sequence[Any]:
        """Execute one statement. Raises Unavailable."""
        snapshot = Snapshot(self.readers, once=True)
        try:
            return await snapshot.read(query, values)
        finally:
            await snapshot.close()

    async def data_version(self) -> int:
        """Return a number that changes whenever another connection changes the SQLite file."""
        async with self._watching:
            if self._watch is None:  # a connection of its own: the number is one of a connection
                self._watch = await _open_watch(str(self._writer.url.database))
            async with self._watch.execute("PRAGMA data_version") as cursor:
                row = await cursor.fetchone()
        return int(row[0]) if row else 0

    async def check(self) -> None:
        """Raise DatabaseUnreachable unless the database answers, and takes writes."""
        try:
            self._require_own_file()
            query = "SELECT 1 AS ok" if self.is_sqlite else "SELECT NOT pg_is_in_recovery() AS ok"
            [row] = await self.read(text(query))
            if not row.ok:
                raise ConnectionError("it is a standby, which takes no writes")
        except Exception as error:  # the drivers raise many classes
            reason = error.__cause__ if isinstance(error, Unavailable) else error
            raise DatabaseUnreachable(f"cannot reach {self.safe_url}: {cause(reason or error)}") from error

    @property
    def file(self) -> str | None:
        """The file of a SQLite database."""
        return self._writer.url.database if self.is_sqlite else None

    @property
    def name(self) -> str:
        """The name of the file, or of the database on its server."""
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


async def _open_watch(path: str) -> aiosqlite.Connection:
    """Open a connection. Closes it again if the caller is cancelled."""
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
        connection.isolation_level = None  # else sqlite3 would begin only after the first SELECT
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
    _ping_before_use(engine)
    return engine


def _ping_before_use(engine: AsyncEngine) -> None:
    """Replace connections that were lost while idle. One that was used within a second is not pinged."""

    @event.listens_for(engine.sync_engine, "checkin")
    def given_back(connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def taken(connection: Any, record: Any, fairy: Any) -> None:
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError
        if connection.driver_connection.is_in_transaction():
            raise DisconnectionError  # it was lost within a transaction, as was its ROLLBACK
        if time.monotonic() - record.info.get("used", time.monotonic()) < PING_AFTER_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except Exception as error:
            if is_transient(error):
                raise InvalidatePoolError from error
            raise


def _connect_readers(engine: AsyncEngine, most: int) -> readers.Connect:
    """Return a function that opens connections of the driver to the same database."""
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
    """Return an engine for migrations: on SQLite with an exclusive lock and without foreign keys.

    SQLite changes a table by copying and dropping it; with foreign keys, that would delete the rows that refer to
    it.
    """
    if database.is_sqlite:
        pragmas = "PRAGMA busy_timeout=60000", "PRAGMA foreign_keys=OFF"
        return _sqlite(database.url, 1, "BEGIN EXCLUSIVE", *pragmas)
    return _postgres(database.url, 1)


# Transient SQLSTATEs and classes of them: the connection, resources, the operator, a lock.
# 25006: the server takes no writes any more, as after a fail-over; a new connection finds the other one.
TRANSIENT_SQLSTATES = ("08", "40", "53", "57", "55P03", "25P02", "25P03", "25006")
BUSY_FILE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_CANTOPEN")


def is_transient(error: BaseException) -> bool:
    """Whether a retry may help: the connection was lost, or a lock was held for too long."""
    if isinstance(error, PoolTimeout | OSError):  # OSError includes TimeoutError and refused connections
        return True
    if isinstance(
        error, PendingRollbackError
    ):  # "8s2b": raised by every later use once the loss was reported
        return error.code == "8s2b"
    if type(error).__module__.startswith("asyncpg."):
        from asyncpg import (  # installed with PostgreSQL only
            InterfaceError,
            InternalClientError,
            InvalidCachedStatementError,
        )

        if isinstance(error, InternalClientError | InvalidCachedStatementError):
            return True  # a broken protocol, or a changed table: a new connection works
        if isinstance(error, InterfaceError):
            return "closed" in str(error)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    if isinstance(state, str):
        return state.startswith((*TRANSIENT_SQLSTATES, *BUSY_FILE))
    # SQLAlchemy wraps the error of its adapter, which wraps the driver's.
    inner = getattr(error, "orig", None) or error.__cause__
    return inner is not None and is_transient(inner)
