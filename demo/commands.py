"""The commands `demo` and `seed`: serve sample data with simulated people and agents, or only create the data."""

import asyncio
import fcntl
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from actions.session import create_sign_in_link
from auth.passwords import hash_password
from cli import DEMO_DATABASE, MINUTES, ROOT, Make, _listen, configured, fail, linked, opened, ready, taken
from demo.second_worker import PID, WORKER_KEY, called, second
from demo.seed import PASSWORD, SEEDED_KEY, demo_admin
from demo.seed import seed as create_demo_data
from demo.tour import THINGS
from kit import logs
from kit.db.database import Database
from kit.db.transaction import Author
from kit.graphql.http.serve import address_of
from kit.settings import Settings
from models.actor import ActorKind


def demo(make: Make, *, speed: float) -> None:
    """Serve sample data, created on the first start, with simulated people and agents."""
    settings = configured(database=DEMO_DATABASE, level="WARNING")
    only_here(settings)
    logs.start(settings.log_level, settings.log_format)
    listener = taken(settings, listening=True)  # so that no other demo fills the same database
    token = asyncio.run(ready(settings, migrate=True, serving=True))
    asyncio.run(_seed(settings, only_new=True))
    for_agents = asyncio.run(_demo_link(settings))
    address = address_of(listener)
    beside = Path(Database(settings.database_url).file or "demo").absolute()
    folder = beside.with_name(f"{beside.stem}.agents")
    with alone(folder), agents(f"{address}/graphql", folder, f"{speed:g}", token=for_agents) as begin:

        def listening() -> None:
            greet(address, token, folder, f"{speed:g}")
            begin()

        _listen(make, settings, listener, listening)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Refuse a second demo of this folder: each would start a worker in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fail(f"another demo uses {folder.name}: stop it, or set DATABASE_URL")
        yield


async def _demo_link(settings: Settings) -> str | None:
    """The token that the demo's clients sign in with; None where nobody is an admin of its workspace."""

    async with opened(settings) as event_log, event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        admin = await demo_admin(tx)
        return await create_sign_in_link(tx, admin) if admin else None


def greet(address: str, token: str | None, folder: Path, speed: str) -> None:

    def shown(text: str, code: int) -> str:
        return f"\033[{code}m{text}\033[0m" if sys.stdout.isatty() else text

    things = "\n".join(
        f"  {shown(str(number), 36)}  {shown(title, 1)}. {text}"
        for number, (title, text) in enumerate(THINGS, start=1)
    )
    here = Path.cwd()
    page = linked(address, token) if token else f"{address}/"
    how = (
        f"This link signs you in as the owner, once, within {MINUTES} minutes."
        if token
        else "Sign in there with your password."
    )
    kill = f"kill -9 $(cat {shlex.quote(called(folder / PID, here))})"
    key = f"SIGNALBOX_KEY=$(cat {shlex.quote(called(folder / WORKER_KEY, here))})"
    another = shlex.join(second(f"{address}/graphql", folder, speed, here)).replace(
        " --option", " \\\n       --option", 1
    )
    print(
        f"""
  {shown("Signalbox", 32)} is at work, on a live board of sample data. Ctrl+C stops it.

  {shown("The board", 1)}  {page}
             {how}
  {shown("GraphiQL", 1)}   {address}/graphql, which is the address of the API too

  Four things to try:
{things}

  And in a terminal: kill the agents' worker in the middle of its work, and start another.
  Within some seconds it goes on with what the dead one held. It works until Ctrl+C.
     {kill}
     {key} {another}
""",
        flush=True,
    )


@contextmanager
def agents(*arguments: object, token: str | None) -> Iterator[Callable[[], None]]:
    """Once what this gives is called, clients of the public API work on the boards while this lasts.

    They are people, and a worker with its agents. They sign in with the `token` of a link.
    """
    environment = os.environ | {"SIGNALBOX_LINK": token or ""}
    command = [sys.executable, "-m", "demo.agents", *map(str, arguments)]
    clients: list[subprocess.Popen[bytes]] = []

    def begin() -> None:
        client = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, start_new_session=True
        )
        clients.append(client)

    try:
        yield begin
    finally:
        for client in clients:
            client.terminate()
            client.wait()


def seed() -> None:
    """Create the demo workspace with people, boards and cards. Existing data stays."""
    settings = configured(must_exist=True)
    only_here(settings)
    made = asyncio.run(_seed(settings))
    print(f"made: {', '.join(made)}" if made else "everything is there already")


def only_here(settings: Settings) -> None:
    if not settings.is_loopback:
        fail("the demo's people have a well-known password: seed only what is served on a loopback address")


async def _seed(settings: Settings, *, only_new: bool = False) -> list[str]:

    if only_new:
        database = Database(settings.database_url)
        try:
            if await database.read(SEEDED_KEY):
                return []
        finally:
            await database.close()
    async with opened(settings) as event_log:
        return await create_demo_data(event_log.transaction, await hash_password(PASSWORD))
