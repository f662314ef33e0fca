"""A writer that is killed: appends to a topic and says what was acknowledged, each time from where it was.

`python -m tests.faults.appender URL FILE KILLS [early]` forks a writer, kills it with SIGKILL after a random
time, forks the next, and so on. Each writer appends batches through the feed and writes the last number of a
batch to FILE once it is acknowledged. `early` is the mutant: it acknowledges before COMMIT.
"""

import asyncio
import os
import random
import signal
import sys
import time

from runtime.database import Database, Unavailable
from runtime.feed import By, Feed, number, record
from runtime.wakes import Wakes

TOPIC = "board:appended"
BATCH = 20  # events of one transaction


async def append(url: str, acknowledged: int, *, early: bool) -> None:
    """Append for ever."""
    database = Database(url)
    feed = Feed(database, Wakes())
    while True:
        try:
            async with feed.begin(By("SYSTEM")) as tx:
                for _ in range(BATCH):
                    record(tx, [TOPIC], "CHANGED", tenant=None, subject=None, data={"text": "x" * 100})
                if early:
                    await number(tx)
                    os.write(acknowledged, b"\n")
                    await asyncio.sleep(0.2)
        except Unavailable:
            await asyncio.sleep(0.05)
            continue
        if not early:
            os.write(acknowledged, b"\n")


def main(url: str, file: str, kills: int, *, early: bool) -> None:
    acknowledged = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            asyncio.run(append(url, acknowledged, early=early))
        time.sleep(random.uniform(0.15, 0.4))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), early="early" in sys.argv)
