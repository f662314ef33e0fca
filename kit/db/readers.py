"""Read-only connections of the driver: a bounded number, opened on demand.

A reader cannot write: the database itself rejects that (`query_only`, READ ONLY). A reader that turns out to be
lost when it is taken is replaced, so that no read fails once a restarted database is up again.
"""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol

from kit.db.rows import RowShape, Statements, Values

BEGIN_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Reader(Protocol):
    """One connection, used by one caller at a time."""

    @property
    def is_lost(self) -> bool: ...

    async def begin(self) -> None:
        """Begin a transaction: everything read until `end` is one state of the database."""

    async def fetch(self, sql: str, values: Sequence[Any]) -> tuple[Sequence[str], Sequence[Any]]:
        """Execute a statement. Returns the names of its columns, if it has rows, and the rows."""

    async def end(self) -> None: ...

    def drop(self) -> None:
        """Close a broken connection at once."""

    async def close(self) -> None: ...


Connect = Callable[[], Awaitable[Reader]]


class Readers:
    """At most `most` readers of one database."""

    def __init__(self, connect: Connect, statements: Statements, most: int) -> None:
        self._connect, self.statements = connect, statements
        self._idle: list[Reader] = []
        self._free = asyncio.Semaphore(most)
        self._is_closed = False
        self._ending: set[asyncio.Task[None]] = set()
        self.busy = 0  # readers in use
        self.listeners: list[Callable[[str], None]] = []  # called with each statement

    async def wait(self) -> None:
        """Wait until a reader is free. `first` must follow, which takes it."""
        await self._free.acquire()
        self.busy += 1

    async def first(self, query: Any, values: Values, *, begin: bool) -> tuple[Reader, list[Any]]:
        """Take a reader and execute one statement on it, in a transaction with `begin`. Call `wait` before.

        An idle reader that turns out to be lost is replaced. Raises the driver's error if a new one fails.
        """
        while True:
            is_new, reader = not self._idle, None
            try:
                reader = self._idle.pop() if self._idle else await self._connect()
                if begin:
                    await reader.begin()
                return reader, await self.read(reader, query, values)
            except BaseException:
                was_lost = reader is not None and reader.is_lost
                if reader is not None:
                    reader.drop()
                if is_new or not was_lost:
                    self._free_one()
                    raise

    async def read(self, reader: Reader, query: Any, values: Values) -> list[Any]:
        """Execute a further statement on a reader that was taken."""
        statement = self.statements.of(query)
        sql, arguments = statement.bind(values)
        for listener in self.listeners:
            listener(sql)
        names, rows = await reader.fetch(sql, arguments)
        return (statement.shape or RowShape([(name, None) for name in names])).rows(rows)

    def give(self, reader: Reader) -> None:
        if self._is_closed:
            reader.drop()
        else:
            self._idle.append(reader)
        self._free_one()

    def drop(self, reader: Reader) -> None:
        reader.drop()
        self._free_one()

    def _free_one(self) -> None:
        self.busy -= 1
        self._free.release()

    def keep(self, ending: asyncio.Task[None]) -> asyncio.Task[None]:
        """Hold a reference to a task that gives a reader back; asyncio itself holds none."""
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        return ending

    async def close(self) -> None:
        """Close all readers; those in use are closed when they are given back."""
        await asyncio.gather(*self._ending, return_exceptions=True)
        self._is_closed = True
        while self._idle:
            await self._idle.pop().close()


class PostgresReader:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @property
    def is_lost(self) -> bool:
        return bool(self._connection.is_closed())

    async def begin(self) -> None:
        await self._connection.execute(BEGIN_SNAPSHOT)

    async def fetch(self, sql: str, values: Sequence[Any]) -> tuple[Sequence[str], Sequence[Any]]:
        rows = await self._connection.fetch(sql, *values)
        return (list(rows[0].keys()) if rows else ()), rows

    async def end(self) -> None:
        await self._connection.execute("COMMIT")

    def drop(self) -> None:
        self._connection.terminate()

    async def close(self) -> None:
        await self._connection.close(timeout=1)


def postgres(decode: Callable[[str], Any], **options: Any) -> Connect:
    """Return a function that connects to PostgreSQL. `decode` parses JSON; the options are asyncpg's."""

    async def connect() -> Reader:
        import asyncpg  # installed with PostgreSQL only

        connection = await asyncpg.connect(**options)
        for name in ("json", "jsonb"):
            await connection.set_type_codec(name, encoder=str, decoder=decode, schema="pg_catalog")
        return PostgresReader(connection)

    return connect


class SqliteReader:
    """A connection that is used in a thread, so that a slow file does not block the event loop."""

    is_lost = False

    def __init__(self, connection: sqlite3.Connection, threads: ThreadPoolExecutor) -> None:
        self._connection, self._threads = connection, threads
        self._begins = False

    async def begin(self) -> None:
        self._begins = True  # with the first statement, where SQLite's snapshot begins anyway

    async def fetch(self, sql: str, values: Sequence[Any]) -> tuple[Sequence[str], Sequence[Any]]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._fetch, sql, values)

    def _fetch(self, sql: str, values: Sequence[Any]) -> tuple[Sequence[str], Sequence[Any]]:
        if self._begins:
            self._connection.execute("BEGIN")
            self._begins = False
        cursor = self._connection.execute(sql, values)
        return [column[0] for column in cursor.description], cursor.fetchall()

    async def end(self) -> None:
        self._begins = False
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")  # of a read: it does not touch the file

    def drop(self) -> None:
        self._connection.close()

    async def close(self) -> None:
        self._connection.close()


def lowered(text: Any) -> Any:
    """Implement `lower` for SQLite as on PostgreSQL: its own handles only ASCII letters."""
    return text.lower() if isinstance(text, str) else text


def keep_private(path: str) -> None:
    """Restrict a SQLite file to its owner, because it holds password hashes. Creates the file if it is missing.

    SQLite gives the files beside it the same mode. An existing file is not opened: closing it again would release
    the locks that this process holds on it.
    """
    with suppress(OSError):  # SQLite reports the cause better
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    for file in (path, f"{path}-wal", f"{path}-shm"):
        with suppress(OSError):  # it is missing, or another user's
            if os.stat(file).st_mode & 0o077:
                os.chmod(file, 0o600)


def sqlite(pragmas: Sequence[str], most: int, path: str, **options: Any) -> Connect:
    """Return a function that opens a SQLite file, up to `most` times. The options are sqlite3's."""
    options |= {"isolation_level": None, "check_same_thread": False}
    threads = ThreadPoolExecutor(most, thread_name_prefix="sqlite-reader")

    def open_file() -> sqlite3.Connection:
        keep_private(path)
        connection: sqlite3.Connection = sqlite3.connect(path, **options)
        for pragma in pragmas:
            connection.execute(pragma).close()
        connection.create_function("lower", 1, lowered, deterministic=True)
        return connection

    async def connect() -> Reader:
        loop = asyncio.get_running_loop()
        return SqliteReader(await loop.run_in_executor(threads, open_file), threads)

    return connect
