"""The command line of the benchmarks: medians of turns, in this process, on the database of DATABASE_URL.

Machines differ and are shared, so compare what one run prints, not two runs.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

import bench.fanout as many
from bench import claims as queues
from bench import events as reports
from bench import search as searches
from bench.environment import Environment
from bench.reads import Turns, compare, postgres
from bench.results import plot, save, when

cli = typer.Typer(add_completion=False, no_args_is_help=False, help=__doc__)
console = Console(stderr=True)
TURNS = 5
RESULTS = Path(__file__).parent / "results"

BOARD = """query Board($id: ID!, $first: Int!) { board(id: $id) { name cursor columns { id name stage cardCount
  cards(first: $first) { nodes { id title priority version subtaskCount { done total } subtasks { title completed }
  labels { name colour } assignees { username } } } } } }"""
MOVE = "mutation Move($id: ID!) { moveCard(input: {id: $id, position: {top: true}}) { __typename } }"


async def rate(work: Callable[[], Awaitable[object]], times: int, name: str) -> float:
    """The median over turns of how often a second `work` is done."""
    turns = []
    for _ in track(range(TURNS), description=name, console=console):
        began = time.perf_counter()
        for _ in range(times):
            await work()
        turns.append(times / (time.perf_counter() - began))
    return statistics.median(turns)


def shown(title: str, rows: list[tuple[str, float, float]]) -> None:
    table = Table("what", "a second", "ratio", title=title)
    for name, value, ratio in rows:
        table.add_row(name, f"{value:.1f}", f"{ratio:.2f}")
    Console().print(table)


@cli.command()
def board(
    cards: Annotated[str, typer.Option(help="How many cards, one board each.")] = "10,100,500,2000",
) -> None:
    """Read a whole board with everything a board page shows."""

    async def run(services: Environment) -> None:
        rows: list[tuple[str, float, float]] = []
        for count in [int(text) for text in cards.split(",")]:
            id, _ = await services.board(count)
            asked = {"id": id, "first": min(count, 500)}
            speed = await rate(lambda: services.ask(BOARD, asked), max(2, 400 // count), f"{count} cards")  # noqa: B023
            rows.append((f"{count} cards", speed, speed / rows[0][1] if rows else 1.0))
        shown("Boards read", rows)

    _with_house(run)


@cli.command()
def moves(writers: Annotated[int, typer.Option(help="How many at once.")] = 8) -> None:
    """Move cards: one client, then several on one board, then several on boards of their own."""

    async def run(services: Environment) -> None:
        boards = [await services.board(10) for _ in range(writers)]

        async def alone() -> None:
            await services.ask(MOVE, {"id": boards[0][1][0]})

        async def together() -> None:
            await asyncio.gather(*(services.ask(MOVE, {"id": boards[0][1][n % 10]}) for n in range(writers)))

        async def apart() -> None:
            await asyncio.gather(*(services.ask(MOVE, {"id": cards[0]}) for _, cards in boards))

        one = await rate(alone, 40, "one client")
        same = await rate(together, 10, f"{writers} on one board") * writers
        own = await rate(apart, 10, f"{writers} on boards of their own") * writers
        shown(
            "Moves",
            [("one client", one, 1.0), ("one board", same, same / one), ("own boards", own, own / one)],
        )

    _with_house(run)


@cli.command()
def feed(events: Annotated[int, typer.Option(help="How many to wait for.")] = 200) -> None:
    """From the change to the subscriber, in milliseconds."""

    async def run(services: Environment) -> None:
        id, cards = await services.board(10)
        waits = []
        async with services.follow(id) as hear:
            for _ in track(range(events), description="events", console=console):
                began = time.perf_counter()
                move = asyncio.create_task(services.ask(MOVE, {"id": cards[0]}))
                await hear()
                waits.append((time.perf_counter() - began) * 1000)
                await move
        waits.sort()
        table = Table("events", "p50 ms", "p99 ms", title="A change and its event")
        table.add_row(str(events), f"{waits[len(waits) // 2]:.1f}", f"{waits[int(len(waits) * 0.99)]:.1f}")
        Console().print(table)

    _with_house(run)


EVERY = {
    "postgresql": "signalbox,kept,graphql-core,strawberry,hand,mercurius,postgraphile",
    "sqlite": "signalbox,kept,graphql-core,strawberry,hand",
}


@cli.command()
def reads(
    cards: Annotated[int, typer.Option(help="How many cards the board has.")] = 200,
    turns: Annotated[int, typer.Option(help="How often each peer has its turn.")] = TURNS,
    seconds: Annotated[float, typer.Option(help="How long a turn takes.")] = 2.0,
    on: Annotated[str, typer.Option(help="Which databases.")] = "postgresql,sqlite",
    peers: Annotated[str, typer.Option(help="Who is compared; all that there are, if left out.")] = "",
    one_card: Annotated[bool, typer.Option(help="Read five fields of one card instead.")] = False,
    keep: Annotated[bool, typer.Option(help="Write bench/results/.")] = True,
) -> dict[str, Turns]:
    """Read one board over 4 connections: this server and its peers, in turns (bench/peers/__init__.py)."""
    every = {}
    what = "Five fields of one card" if one_card else f"A board of {cards} cards"
    for kind in on.split(","):
        names = (peers or EVERY[kind]).split(",")
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            sqlite = f"sqlite:///{folder}/bench.sqlite3"
            url = stack.enter_context(postgres()) if kind == "postgresql" else sqlite
            work = compare(url, cards=cards, turns=turns, seconds=seconds, names=names, one_card=one_card)
            found = every[kind] = asyncio.run(work)
        title = f"{what}, read on {kind}"
        shown(
            title, [(name, found.median(name), found.ratio(name, next(iter(found.of)))) for name in found.of]
        )
        for name, why in found.missing.items():
            console.print(f"{name} was not measured: {why}")
        if keep:
            values = {name: found.median(name) for name in found.of}
            ratios = {name: found.ratio(name, next(iter(found.of))) for name in found.of}
            title = f"{title}, requests a second"
            save(
                f"{'card' if one_card else 'board'}-{kind}",
                title,
                values,
                ratios=ratios,
                missing=found.missing,
            )
    return every


@cli.command()
def fanout(
    subscribers: Annotated[int, typer.Option(help="How many of one board.")] = 500,
    turns: Annotated[int, typer.Option(help="How often each peer has its turn.")] = TURNS,
    seconds: Annotated[float, typer.Option(help="How long a turn takes.")] = 3.0,
    peers: Annotated[str, typer.Option(help="Who is compared.")] = ",".join(many.NAMES),
    idle: Annotated[int, typer.Option(help="How many that only wait; 0: not measured.")] = 5000,
    into: Annotated[Path, typer.Option(help="Where the table is written.")] = RESULTS,
) -> None:
    """Tell many subscribers of one board what happens: this server, plain Strawberry, and Node graphql-ws."""
    names = peers.split(",")
    found = asyncio.run(many.compare(names, subscribers=subscribers, turns=turns, seconds=seconds))
    lines = [
        f"# {subscribers} subscribers of one board",
        "",
        _row(many.HEADS),
        _row(["---"] * len(many.HEADS)),
    ]
    lines += map(_row, found.rows())
    if idle:
        each = asyncio.run(many.idle(idle))
        lines += ["", f"{idle} subscribers that only wait: {each / 1000:.1f} kB each."]
    print("\n".join(lines))
    reached = {name: statistics.median(rates) for name, rates in found.rates.items()}
    _write(into / "fanout.md", lines, "Deliveries a second", reached)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


@cli.command()
def events(
    runs: Annotated[int, typer.Option(help="How many report at once.")] = 4,
    turns: Annotated[int, typer.Option(help="How often each way has its turn.")] = TURNS,
    seconds: Annotated[float, typer.Option(help="How long a turn takes.")] = 2.0,
    on: Annotated[str, typer.Option(help="Which databases.")] = "postgresql,sqlite",
    keep: Annotated[bool, typer.Option(help="Write bench/results/.")] = True,
) -> None:
    """Report lines of runs' logs, a hundred at a time: over HTTP, without GraphQL, and inserted by hand."""
    for kind in on.split(","):
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            sqlite = f"sqlite:///{folder}/bench.sqlite3"
            url = stack.enter_context(postgres()) if kind == "postgresql" else sqlite
            found = asyncio.run(reports.compare(url, runs=runs, turns=turns, seconds=seconds))
        names = list(found.of)
        rows = [(name, found.median(name), found.ratio(name, names[0])) for name in names]
        title = f"Lines kept on {kind}, {runs} runs at once"
        shown(title, rows)
        if keep:
            of, ratios = ({row[0]: row[place] for row in rows} for place in (1, 2))
            save(f"events-{kind}", f"{title}, lines a second", of, ratios=ratios)


@cli.command()
def claims(
    turns: Annotated[int, typer.Option(help="How often each has its turn.")] = 3,
    seconds: Annotated[float, typer.Option(help="How long a turn takes.")] = 2.0,
    peers: Annotated[str, typer.Option(help="Who is compared.")] = ",".join(queues.NAMES),
    procrastinate: Annotated[str, typer.Option(help="A Python that has Procrastinate.")] = sys.executable,
    node_modules: Annotated[Path, typer.Option(help="Where the others are installed.")] = queues.PEERS
    / "node_modules",
    results: Annotated[Path, typer.Option(help="Where the table is written.")] = RESULTS,
) -> None:
    """Claim and finish jobs: this queue, pg-boss, graphile-worker and Procrastinate on one PostgreSQL."""
    names, installed = peers.split(","), queues.Installed(procrastinate, node_modules)
    with postgres() as url, console.status("claims") as status:
        host = url.split("host=")[1]
        found = queues.compare(host, installed, turns=turns, seconds=seconds, names=names, told=status.update)
    lines = ["| jobs a second | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for way, reached in found.items():
        of = reached.of
        rows = [(name, reached.median(name), reached.ratio(name, names[0])) for name in names if name in of]
        shown(f"Jobs claimed and finished, {way}", rows)
        cells = {name: f"{value:.0f} ({ratio:.2f})" for name, value, ratio in rows}
        lines.append(f"| {way} | " + " | ".join(cells.get(name, "") for name in names) + " |")
    lines += [f"\nNot compared: {name}. {why}." for name in names if (why := installed.missing(name))]
    each = {f"{name}, {way}": of.median(name) for way, of in found.items() for name in of.of}
    _write(results / "claims.md", lines, "Jobs claimed and finished a second", each)


@cli.command()
def depth(
    waiting: Annotated[str, typer.Option(help="How many jobs wait.")] = "1000,1000000",
    rounds: Annotated[int, typer.Option(help="Jobs claimed and finished at each depth.")] = queues.ROUNDS,
    on: Annotated[str, typer.Option(help="Which database.")] = "postgresql",
    results: Annotated[Path, typer.Option(help="Where the table is written.")] = RESULTS,
) -> None:
    """Claim with few and with many jobs waiting, most of which this worker cannot have."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        sqlite = f"sqlite:///{folder}/bench.sqlite3"
        url = stack.enter_context(postgres()) if on == "postgresql" else sqlite
        found = asyncio.run(queues.depths(url, [int(one) for one in waiting.split(",")], rounds))
    first = next(iter(found.values()))
    lines = [f"| waiting ({on}) | claim ms | complete ms | claim, ratio |", "|---|---|---|---|"]
    lines += [
        f"| {jobs:,} | {claim:.2f} | {complete:.2f} | {claim / first[0]:.2f} |"
        for jobs, (claim, complete) in found.items()
    ]
    Console().print("\n".join(lines))
    each = {f"{jobs:,} waiting": claim for jobs, (claim, _) in found.items()}
    _write(results / "depth.md", lines, "Milliseconds to claim", each)


@cli.command()
def search(
    cards: Annotated[int, typer.Option(help="How many cards there are.")] = 100_000,
    comments: Annotated[int, typer.Option(help="How many comments there are.")] = 500_000,
    turns: Annotated[int, typer.Option(help="How often each search has its turn.")] = TURNS,
    on: Annotated[str, typer.Option(help="Which databases.")] = "postgresql,sqlite",
    keep: Annotated[bool, typer.Option(help="Write bench/results/.")] = True,
) -> None:
    """Search over many cards and comments: the milliseconds that the database takes for a page of 20."""
    for kind in on.split(","):
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            sqlite = f"sqlite:///{folder}/bench.sqlite3"
            url = stack.enter_context(postgres()) if kind == "postgresql" else sqlite
            found = asyncio.run(searches.measure(url, Path(folder), cards, comments, turns))
        title = f"Search over {cards:,} cards and {comments:,} comments on {kind}"
        shown(title, [(name, value, value / max(found.values())) for name, value in found.items()])
        if keep:
            save(f"search-{kind}", f"{title}, milliseconds of the database", found, unit="ms")


def _write(path: Path, lines: list[str], title: str, values: dict[str, float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = path.with_suffix(".svg")
    path.write_text("\n".join([when(), "", *lines, "", f"![{title}]({image.name})"]) + "\n")
    image.write_text(plot(title, values))


def _with_house(run: Callable[[Environment], Awaitable[None]]) -> None:
    async def go() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with Environment.started(Path(folder)) as services:
                await run(services)

    asyncio.run(go())


@cli.callback(invoke_without_command=True)
def everything(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        on = reads()
        reads(on="postgresql", one_card=True, peers="signalbox,strawberry,mercurius,postgraphile")
        one, other = (on[kind].median("signalbox") for kind in ("sqlite", "postgresql"))
        console.print(f"The board on SQLite : on PostgreSQL = {one / other:.2f}")
        board("10,100,500,2000")
        moves(8)
        feed(200)
        fanout()
        events()
        claims()
        depth()


if __name__ == "__main__":
    cli()
