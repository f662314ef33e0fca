"""A worker as a process of its own, to be killed: claims, works a moment, completes, and says so in a ledger.

`main` of a process (tests/warm.py), until it is killed; a job takes up to `work` seconds.
"""

import asyncio
import os
import random

from sqlalchemy.exc import DBAPIError

from kit import queue
from kit.db.database import Database
from kit.queue import ClaimFilter, Lease, Ticket

WANTED = ClaimFilter(tenant="t")


class Worker:
    def __init__(self, url: str, name: str, lease: float, ledger: str, work: float) -> None:
        self.database, self.name, self.lease, self.work = Database(url, pool=2), name, lease, work
        self.ledger = os.open(ledger, os.O_APPEND | os.O_CREAT | os.O_WRONLY)

    def say(self, what: str, ticket: Ticket) -> None:
        os.write(self.ledger, f"{what} {ticket.id} {ticket.attempt}\n".encode())  # one write is one line

    async def run(self) -> None:
        while True:
            try:
                await self.turn()
            except DBAPIError:  # somebody that was stopped holds a lock
                await asyncio.sleep(0.05)

    async def turn(self) -> None:
        async with self.database.write() as tx:
            leases = await queue.claim(tx, self.name, WANTED, most=2, lease=self.lease)
        if not leases:
            await asyncio.sleep(0.02)
        for lease in leases:
            self.say("claimed", lease)
        for lease in leases:
            await asyncio.sleep(random.uniform(self.work / 2, self.work))
            await self.finish(lease)

    async def finish(self, lease: Lease) -> None:
        try:
            async with self.database.write() as tx:
                await queue.complete(tx, lease)
            self.say("done", lease)
        except queue.JobLeaseLost:
            self.say("refused", lease)


def main(url: str, name: str, lease: str, ledger: str, work: str = "0.02") -> None:
    asyncio.run(Worker(url, name, float(lease), ledger, float(work)).run())
