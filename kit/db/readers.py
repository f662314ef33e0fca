"""Connections that only read: the driver's own, bounded in number, opened when they are needed.

A reader never writes: the database itself refuses (`query_only`, READ ONLY). One that is found lost when it is
taken is replaced by another, so that a database that was restarted fails nobody once it is up again.
"""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol

from kit.db.rows import RowShape, Statements, Values

MOMENT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Reader(Protocol):
    """One connection, used by one at a time."""

    @property
    def is_lost(self) -> bool: ...

    async def begin(self) -> None:
        """From here on, everything read is one moment."""

    async def fetch(self, sql: str, values: Sequence[Any]) -> tuple[Sequence[str], Sequence[Any]]:
        """The names of the columns, where they are known only now, and the rows."""

    async def end(self) -> None: ...

    def drop(self) -> None:
        """Close it without a word: it is broken."""

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
        self.busy = 0  # taken and not given back
        self.heard: list[Callable[[str], None]] = []  # told of each statement, for whoever counts them

    async def wait(self) -> None:
        """Wait until one may be taken. `first` must follow: it takes it."""
        await self._free.acquire()
        self.busy += 1

    async def first(self, query: Any, values: Values, *, begin: bool) -> tuple[Reader, list[Any]]:
        """Answer one statement on a reader, to be given back or dropped; in a moment of its own with `begin`.

        One that turns out to be lost is replaced, until a new one is. `wait` for it before.
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
                    self._let()
                    raise

    async def read(self, reader: Reader, query: Any, values: Values) -> list[Any]:
        """Answer one statement more."""
        statement = self.statements.of(query)
        sql, given = statement.asked(values)
        for hear in self.heard:
            hear(sql)
        names, rows = await reader.fetch(sql, given)
        return (statement.shape or RowShape([(name, None) for name in names])).rows(rows)

    def give(self, reader: Reader) -> None:
        if self._is_closed:
            reader.drop()
        else:
            self._idle.append(reader)
        self._let()

    def drop(self, reader: Reader) -> None:
        reader.drop()
        self._let()

    def _let(self) -> None:
        self.busy -= 1
        self._free.release()

    def keep(self, ending: asyncio.Task[None]) -> asyncio.Task[None]:
        """Keep a task that gives a reader back after a read that nobody waits for; asyncio itself keeps none."""
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        return ending

    async def close(self) -> None:
        """Close what is idle; what is still busy closes when it is given back."""
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
        await self._connection.execute(MOMENT)

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
    """Connects to PostgreSQL. `decode` reads its JSON; the options are asyncpg's."""

    async def connect() -> Reader:
        import asyncpg  # with PostgreSQL only

        connection = await asyncpg.connect(**options)
        for name in ("json", "jsonb"):
            await connection.set_type_codec(name, encoder=str, decoder=decode, schema="pg_catalog")
        return PostgresReader(connection)

    return connect


class SqliteReader:
    """A connection that is used in a thread: the file may be slow, and the loop must not wait for it."""

    is_lost = False

    def __init__(self, connection: sqlite3.Connection, threads: ThreadPoolExecutor) -> None:
        self._connection, self._threads = connection, threads
        self._begins = False

    async def begin(self) -> None:
        self._begins = True  # with the first statement: SQLite's moment begins there anyway

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
            self._connection.execute("COMMIT")  # of nothing, so the loop does not wait for the file

    def drop(self) -> None:
        self._connection.close()

    async def close(self) -> None:
        self._connection.close()


def lowered(text: Any) -> Any:
    """What `lower` is on SQLite, as on PostgreSQL: its own knows the letters of ASCII only."""
    return text.lower() if isinstance(text, str) else text


def keep_private(path: str) -> None:
    """Let nobody but its owner read a SQLite file, for it holds hashes of passwords. Makes it if it is not there.

    SQLite gives the files beside it the same mode. A file that is there is not opened: to close it again would end
    the locks that this process has on it.
    """
    with suppress(OSError):  # SQLite itself says it better
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    for each in (path, f"{path}-wal", f"{path}-shm"):
        with suppress(OSError):  # it is not there, or somebody else's
            if os.stat(each).st_mode & 0o077:
                os.chmod(each, 0o600)


def sqlite(pragmas: Sequence[str], most: int, path: str, **options: Any) -> Connect:
    """Opens a SQLite file, `most` times at once. The options are sqlite3's."""
    options |= {"isolation_level": None, "check_same_thread": False}
    threads = ThreadPoolExecutor(most, thread_name_prefix="sqlite-reader")

    def opened() -> sqlite3.Connection:
        keep_private(path)
        connection: sqlite3.Connection = sqlite3.connect(path, **options)
        for pragma in pragmas:
            connection.execute(pragma).close()
        connection.create_function("lower", 1, lowered, deterministic=True)
        return connection

    async def connect() -> Reader:
        loop = asyncio.get_running_loop()
        return SqliteReader(await loop.run_in_executor(threads, opened), threads)

    return connect
