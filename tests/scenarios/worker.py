"""A worker as a process, to be killed and frozen: it claims one run and holds it, until its lease is lost.

`python worker.py URL WORKSPACE NAME LEDGER [ask]`; with `ask` it asks a question and waits for the answer.
What it did, and what it was told, stands in the ledger, a line each.
"""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.scenarios.remote import Remote, Worker
from tests.work import CHOICE, hand

BEAT = 0.4  # seconds


async def main(url: str, workspace: str, name: str, ledger: Path, *asks: str) -> None:
    def say(*words: object) -> None:
        with ledger.open("a") as file:
            file.write(" ".join(map(str, words)) + "\n")

    async with Remote(url, workspace=workspace) as remote:
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


if __name__ == "__main__":
    url, workspace, name, ledger, *asks = sys.argv[1:]
    asyncio.run(main(url, workspace, name, Path(ledger), *asks))
