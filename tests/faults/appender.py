"""A writer that is killed: appends to a topic and says what was acknowledged, each time from where it was.

`python -m tests.faults.appender URL FILE KILLS [MUTANT]` forks a writer, kills it with SIGKILL after a random
time, forks the next, and so on. Each writer appends batches through the feed and writes a line to FILE once a batch
is acknowledged. There are two mutants: `early` acknowledges before COMMIT, `identity` takes its numbers from a
sequence, as an identity column does, and not from the topic's counter.
"""

import asyncio
import os
import random
import signal
import sys
import time

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from kit.db.database import Database, Unavailable
from kit.db.transaction import Author
from kit.eventlog.event_log import EventLog, assign_sequence_numbers
from kit.eventlog.pubsub import PubSub
from kit.eventlog.tables import Event
from tests.faults.numbering import row

TOPIC = "board:appended"
BATCH = 20  # events of one transaction


async def append(url: str, acknowledged: int, mutant: str) -> None:
    """Append for ever."""
    database = Database(url)
    append_one = {"early": early, "identity": identity}.get(mutant, ours)
    while True:
        try:
            await append_one(database, acknowledged)
        except Unavailable:
            await asyncio.sleep(0.05)


async def ours(database: Database, acknowledged: int) -> None:
    async with EventLog(database, PubSub()).transaction(Author("SYSTEM")) as tx:
        record_batch(tx)
    os.write(acknowledged, b"\n")


async def early(database: Database, acknowledged: int) -> None:
    async with EventLog(database, PubSub()).transaction(Author("SYSTEM")) as tx:
        record_batch(tx)
        await assign_sequence_numbers(tx)
        os.write(acknowledged, b"\n")
        await asyncio.sleep(0.2)


async def identity(database: Database, acknowledged: int) -> None:
    """What a killed transaction took of the sequence is gone: a hole, and no reader knows that nothing is in it."""
    async with database.write() as tx:
        taken = await tx.scalars(text(f"SELECT nextval('appended') FROM generate_series(1, {BATCH})"))
        rows = [row(TOPIC, seq) for seq in taken]
        await tx.execute(insert(Event), rows)
        last = {"name": TOPIC, "epoch": "mutant", "last": rows[-1]["seq"]}
        await tx.execute(
            text(
                "INSERT INTO topic (name, epoch, last) VALUES (:name, :epoch, :last)"
                " ON CONFLICT (name) DO UPDATE SET last = :last"
            ),
            last,
        )
        await asyncio.sleep(0.02)
    os.write(acknowledged, b"\n")


def record_batch(tx: AsyncSession) -> None:
    for _ in range(BATCH):
        tx.append_event([TOPIC], "CHANGED", None, None, {"text": "x" * 100})


async def prepare(url: str) -> None:
    """What the mutant that has no counter needs."""
    database = Database(url)
    async with database.write() as tx:
        await tx.execute(text("CREATE SEQUENCE appended"))
    await database.close()


def main(url: str, file: str, kills: int, mutant: str) -> None:
    if mutant == "identity":
        asyncio.run(prepare(url))
    acknowledged = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            asyncio.run(append(url, acknowledged, mutant))
        time.sleep(random.uniform(0.15, 0.4))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *(sys.argv[4:] or [""]))
