"""A worker as a process, to be killed and frozen: it claims one run and holds it, until its lease is lost."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.scenarios.remote import Remote, Worker
from tests.work import CHOICE, hand

BEAT = 0.4  # seconds


def main(url: str, token: str, workspace: str, name: str, ledger: str, *asks: str) -> None:
    """With `asks` it asks a question and waits for the answer.

    What it did, and what it was told, stands in the ledger, a line each.
    """
    server = SimpleNamespace(http=url, headers={"authorization": token})
    asyncio.run(_work(server, workspace, name, Path(ledger), *asks))


async def _work(server: Any, workspace: str, name: str, ledger: Path, *asks: str) -> None:
    def say(*words: object) -> None:
        with ledger.open("a") as file:
            file.write(" ".join(map(str, words)) + "\n")

    async with Remote(server, workspace=workspace) as remote:
        worker = Worker(remote, (await hand(remote, name)).id)
        while not (claims := await worker.get()):
            await asyncio.sleep(0.1)
        [claim] = claims
        run = claim["run"]["id"]
        await worker.report(run, "first", {"type": "OUTPUT", "text": f"{name} begins"})
        if asks:
            await worker.ask(run, CHOICE, sessionId="talk-1")
        say("holds", run, claim["attempt"])
        while not (await worker.beat())["leases"][0]["lost"]:
            await asyncio.sleep(BEAT)
        late = await worker.report(run, "late", {"type": "OUTPUT", "text": f"{name} is late"})
        done = await worker.complete(run, f"{name} was late")
        say("lost", run, late["code"], done["code"])
