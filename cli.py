"""The commands of server.py: each reads the settings, works on the database and prints the result.

A failure is one line and status 2. A module that only one command needs is imported inside of it, so that
the others start without it.
"""

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from sqlalchemy import select
from starlette.types import ASGIApp

from actions import validation
from auth.passwords import hash_password
from kit import logs
from kit.db.database import Database, DatabaseUnreachable, Unavailable
from kit.db.revision import WrongRevision, require_head
from kit.db.transaction import Author
from kit.diagnosis import examine
from kit.eventlog.event_log import EventLog, make_event_log, renew_epochs, retry_while_unavailable
from kit.graphql.http.connections import Limits
from kit.graphql.http.draining import Draining
from kit.graphql.http.serve import AddressTaken, address_at, address_of, bind
from kit.graphql.http.serve import serve as listen
from kit.settings import Settings, WrongSetting, load, local_key, shown, unknown_names
from models.account import LINK_LIFETIME, User
from models.actor import ActorKind
from models.refusal import Refusal
from models.stage import Law
from models.workspace import Membership, Role

if TYPE_CHECKING:
    from actions.transfer.board_file import BoardFile

ROOT = Path(__file__).parent
DEMO_DATABASE = "sqlite:///demo.sqlite3"
Make = Callable[[Settings, Draining], ASGIApp]  # makes the application, as server.make_app does
MINUTES = round(LINK_LIFETIME.total_seconds() / 60)
MAKE_OWNER = "make an owner first: python server.py owner USERNAME"


def fail(message: object) -> NoReturn:
    """End with one clear line."""
    print(f"signalbox: {message}", file=sys.stderr)
    raise SystemExit(2)


def configured(
    *,
    database: str | None = None,
    level: str | None = None,
    must_exist: bool = False,
    given: Mapping[str, Any] | None = None,
) -> Settings:
    """Return the settings of this start, with `database` and `level` as defaults. `given` are of the command line.

    A secret key made for a loopback address is kept beside the database. With `must_exist`, end with one line
    where there is no such SQLite file: a command in a wrong folder creates nothing.
    """
    overrides: dict[str, Any] = dict(given or {})
    try:
        settings = load(**overrides)
        for name, value in (("database_url", database), ("log_level", level)):
            if value is not None and name not in settings.model_fields_set:
                overrides[name] = value
        settings = load(**overrides)
        for name in unknown_names():
            print(f"signalbox: .env: {name[:60]} is not a setting, and is ignored", file=sys.stderr)
        file = Database(settings.database_url).file
        if must_exist and file is not None and not Path(file).exists():
            fail(
                f"there is no database {file}: start in its folder, or set DATABASE_URL;"
                " to make it, run `python server.py migrate`"
            )
        if not settings.keys and settings.is_loopback:
            beside = Path(file or "signalbox")
            return load(**{**overrides, "secret_key": local_key(beside)})
    except WrongSetting as error:
        fail(error)
    return settings


def print_version(wanted: bool) -> None:
    if wanted:
        print(f"signalbox {version()}")
        raise typer.Exit


def version() -> str:
    """Return the version of the installed package, or of the checkout."""
    import tomllib
    from importlib import metadata

    checkout = ROOT / "pyproject.toml"
    if checkout.is_file():
        return str(tomllib.loads(checkout.read_text())["project"]["version"])
    return metadata.version("signalbox")


def secret() -> None:
    """Print a new random key for SECRET_KEY."""
    print(secrets.token_urlsafe(48))


def doctor() -> None:
    """Print the settings in force, without secrets, and try to reach what they name. Creates nothing.

    Exit status 1: a check failed.
    """
    try:
        settings = load()
    except WrongSetting as error:
        fail(error)
    for name, text in shown(settings):
        print(f"{name:26} {text}")
    print()
    failures = 0
    for name, problem in asyncio.run(examine(settings)):
        failures += problem is not None
        print(f"{'ok  ' if problem is None else 'FAIL'} {name}{'' if problem is None else f': {problem}'}")
    raise SystemExit(1 if failures else 0)


def serve(make: Make, *, migrate: bool, given: Mapping[str, Any] | None = None) -> None:
    """Serve what `make` makes until told to stop. `given` are settings of the command line."""
    from actions.mail import check_templates

    settings = configured(given=given)
    if not settings.keys:
        fail("SECRET_KEY: must be set to serve on an address that others can reach")
    try:
        check_templates(settings)
    except WrongSetting as error:
        fail(error)
    logs.start(settings.log_level, settings.log_format)
    listener = taken(settings)
    token = asyncio.run(ready(settings, migrate=migrate, serving=True))

    def listening() -> None:
        if token is not None:
            page = linked(address_of(listener), token)
            print(f"\nThe owner has no password yet. Sign in, once, within {MINUTES} minutes:\n\n  {page}\n")
            print(
                "Another link: python server.py link. A password: python server.py owner NAME.\n", flush=True
            )

    _listen(make, settings, listener, listening)


def taken(settings: Settings, *, listening: bool = False) -> socket.socket:
    """The address, taken before anything is done for it."""
    try:
        return bind(settings.host, settings.port, listening=listening)
    except AddressTaken as error:
        fail(error)


def _listen(
    make: Make, settings: Settings, listener: socket.socket, listening: Callable[[], None] | None = None
) -> None:
    draining = Draining()
    try:
        app = make(settings, draining)
    except WrongSetting as error:
        fail(error)
    try:
        listen(
            app,
            listener,
            draining=draining,
            listening=listening,
            grace=int(settings.drain_seconds),
            drain_wait=settings.drain_wait_seconds,
            limits=Limits(
                settings.connections,
                settings.connections_per_address,
                settings.forwarded_allow_ips,
                settings.header_seconds,
                settings.body_seconds,
                long_bodies=("/files", "/graphql"),
            ),
            log_config=None,
            forwarded_allow_ips=settings.forwarded_allow_ips,
        )
    except (AddressTaken, Unavailable, ConnectionError) as error:
        fail(error)


async def ready(settings: Settings, *, migrate: bool = False, serving: bool = False) -> str | None:
    """End with one line unless the database answers and has our schema.

    A bus that does not answer is warned of when serving begins. Where others can reach us, there is an owner, and
    nobody has the demo's password. Returns the token of a link that signs the owner in, while the owner has no
    password.
    """
    event_log = make_event_log(settings)
    database = event_log.database
    owner = select(User.id).join(Membership, Membership.user_id == User.id).limit(1)
    owner = owner.where(Membership.role == Role.ADMIN, User.password_hash.is_not(None), User.is_active)
    try:
        await database.check()
        if migrate:
            await prepare(database)
        await require_head(database)
        if serving and not settings.is_loopback:
            if not await database.read(owner):
                fail(f"nobody owns this server yet, so it does not listen on {settings.host}; {MAKE_OWNER}")
            await _nobody_has_known_password(settings, database)
        if not serving:
            return None
        await _require_secret_keys(settings, database)
        await retry_while_unavailable(partial(_adopt_environment, settings, event_log))
        return await retry_while_unavailable(partial(_owner_link, event_log))
    except (DatabaseUnreachable, Unavailable, WrongRevision, ConnectionError) as error:
        fail(error)
    finally:
        await event_log.pubsub.stop()
        await database.close()


async def _require_secret_keys(settings: Settings, database: Database) -> None:
    """End with one line if a stored secret needs a key that SECRET_KEY lacks."""
    from actions.connection import require_keys
    from auth.secrets import SecretLost, Secrets

    try:
        await require_keys(database.read, Secrets(settings.keys))
    except SecretLost as error:
        fail(error)


async def _adopt_environment(settings: Settings, event_log: EventLog) -> None:
    from actions.account import ensure_owner
    from actions.connection import adopt_environment

    async with event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        await ensure_owner(tx)
        await adopt_environment(tx, settings.connection_secrets)


async def _owner_link(event_log: EventLog) -> str | None:
    from actions.account import ensure_owner
    from actions.session import create_sign_in_link

    async with event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        owner = await ensure_owner(tx)
        return await create_sign_in_link(tx, owner.id) if owner else None


def linked(address: str, token: str) -> str:
    """The link that signs somebody in, on the board. A browser sends what follows # to nobody."""
    return f"{address.removesuffix('/graphql').removesuffix('/')}/#token={token}"


def link(
    user: Annotated[
        str | None, typer.Option(help="Who is signed in; without it the owner, or the only admin.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Address of the page, where it is not that of HOST and PORT.")
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Of the demo's database, demo.sqlite3.")] = False,
) -> None:
    """Print a link that signs a person in, once: for whoever holds the database, which this shell does."""
    settings = configured(database=DEMO_DATABASE if demo else None, must_exist=True)
    token = asyncio.run(_link(settings, user))
    print(linked(url or address_at(settings.host, settings.port), token))


async def _link(settings: Settings, username: str | None) -> str:
    from actions.cli_actor import cli_actor_of
    from actions.session import create_sign_in_link

    try:
        async with opened(settings) as event_log, event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
            return await create_sign_in_link(tx, (await cli_actor_of(tx, username)).id)
    except Refusal as refusal:
        fail(f"{username or 'link'}: {refusal.message}")


async def _nobody_has_known_password(settings: Settings, database: Database) -> None:
    from demo.seed import with_known_password

    if names := await with_known_password(database.read):
        fail(
            f"the demo's password is well known, so this does not listen on {settings.host} while it is that of"
            f" {', '.join(names)}; give them others: python server.py owner USERNAME"
        )


async def prepare(database: Database) -> None:
    """Upgrade the database to the newest schema unless it is current."""
    try:
        await require_head(database)
    except WrongRevision:
        from kit.db.migrate import migrate

        await migrate(database)


def owner(username: Annotated[str, typer.Argument(help="Whose account: 3 to 40 characters")]) -> None:
    """Make the owner's account, or give an account a new password.

    Asks for the password; without a terminal it is OWNER_PASSWORD, or the first line of standard input.
    """
    settings = configured(must_exist=True)
    try:
        password = validation.password("password", _asked())
        asyncio.run(_own(settings, username, password))
    except Refusal as error:
        fail(error)
    print(f"{username} may sign in now.")


def _asked() -> str:
    given = os.environ.get("OWNER_PASSWORD")
    if given is not None:
        return given
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


async def _own(settings: Settings, username: str, password: str) -> None:
    from actions.account import make_owner
    from actions.second_factor import drop_second_factor

    hashed = await hash_password(password)
    async with opened(settings) as event_log, event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        await drop_second_factor(tx, await make_owner(tx, username, hashed))


def migrate(
    to: Annotated[str, typer.Option(help="A revision, up or down; base is the empty database.")] = "head",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before data is dropped.")] = False,
) -> None:
    """Upgrade the database to the newest schema, or change it to another revision. Asks before data is dropped."""
    from kit.db.migrate import DropsData, migrate

    database = Database(configured().database_url)
    try:
        try:
            before, after = asyncio.run(migrate(database, to, may_drop=yes))
        except DropsData:
            confirm(
                database,
                "migrate",
                f"Everything that revision {to} lacks will be dropped from {database.safe_url}",
            )
            before, after = asyncio.run(migrate(database, to, may_drop=True))
    except (DatabaseUnreachable, WrongRevision) as error:
        fail(error)
    moved = (
        f"{before or 'empty'} -> {after or 'empty'}" if before != after else f"already at {after or 'empty'}"
    )
    print(f"{database.safe_url}: {moved}")


def migration(
    title: Annotated[str, typer.Argument(help="What it does, after pre or post: “pre add card.colour”.")],
) -> None:
    """Write the migration from the newest revision to the models."""
    from kit.db.migrate import write

    if not title.startswith(("pre ", "post ")):
        fail("begin the title with pre or post: before or after the new program is started")
    print(asyncio.run(write(title)))


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[EventLog]:
    """The door for a command's writes, heard by running servers; or one line says why it cannot be had."""
    await ready(settings)
    event_log = make_event_log(settings)
    try:
        try:
            await event_log.pubsub.start()
        except ConnectionError as error:
            fail(error)
        yield event_log
    except Unavailable as error:
        fail(error)
    finally:
        await event_log.pubsub.stop()
        await event_log.database.close()


def confirm(database: Database, command: str, loss: str) -> None:
    """Go on only if somebody at a terminal types the database's name; else end with one line."""
    if not sys.stdin.isatty():
        fail(f"{command} asks before it deletes, and nobody is here to answer; say --yes")
    print(f"{loss}. Type its name, {database.name}, to go on: ", end="", flush=True)
    try:
        typed = input()
    except EOFError:
        typed = ""
    if typed.strip() != database.name:
        fail("that is not its name; nothing was deleted")


def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete all data after a confirmation. The schema stays."""
    from kit.db.migrate import empty

    settings = configured(must_exist=True)
    asyncio.run(ready(settings))
    database = Database(settings.database_url)
    if not yes:
        confirm(database, "reset", f"All data in {database.safe_url} will be deleted")
    try:
        count = asyncio.run(empty(database))
    except DatabaseUnreachable as error:
        fail(error)
    print(f"deleted {count} rows from {database.safe_url}")


def restored() -> None:
    """Invalidate all cursors after the database was restored from a backup."""
    count = asyncio.run(_restored(configured(must_exist=True)))
    print(f"{count} feeds have a new epoch: who resumes in one is told to read again")


async def _restored(settings: Settings) -> int:
    async with opened(settings) as event_log, event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        return await renew_epochs(tx)


def import_board_file(
    file: Annotated[
        Path,
        typer.Argument(
            help="A Trello or Vibe Kanban export, GitHub issues, CSV, a Markdown task list, Beads, or an `export`."
        ),
    ],
    workspace: Annotated[
        str | None, typer.Option(help="Id of the workspace; without it, the owner's first.")
    ] = None,
    board: Annotated[str | None, typer.Option(help="Id of a board there is, whose law is obeyed.")] = None,
    law: Annotated[Law | None, typer.Option(help="The law of the new board.")] = None,
    user: Annotated[
        str | None, typer.Option(help="Whose name it is done in; without it, the owner's.")
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            help="Time zone in which due times become days, such as Europe/Paris; default: the machine's."
        ),
    ] = None,
    stage: Annotated[
        list[str] | None, typer.Option(help="Stage of a list or status, “NAME=REVIEW”; repeatable.")
    ] = None,
) -> None:
    """Import a board from a file: all or nothing. Prints what was changed or not carried over."""
    from actions.transfer.board_file import UnreadableFile
    from actions.transfer.file import read, read_stages, read_zone

    try:
        board_file = read(file, zone=read_zone(zone), stages=read_stages(stage or []))
    except ValueError as error:
        fail(error)
    except UnreadableFile as error:
        fail(f"{file} {error}")
    asyncio.run(_bring(configured(must_exist=True), file, board_file, user, workspace, board, law))


async def _bring(
    settings: Settings,
    file: Path,
    board_file: "BoardFile",
    user: str | None,
    workspace: str | None,
    board: str | None,
    law: Law | None,
) -> None:
    from actions.cli_actor import cli_actor_of, first_workspace
    from actions.transfer.import_board import import_board
    from actions.transfer.report import progress_bar, report

    async with opened(settings) as event_log:
        try:
            async with event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
                actor = await cli_actor_of(tx, user)
                tx.author = Author(actor.kind, actor.id)
                into = workspace or (None if board else await first_workspace(tx, actor))
                with progress_bar(len(board_file.cards)) as progress:
                    result = await import_board(
                        tx, actor, board_file, workspace_id=into, board_id=board, law=law, progress=progress
                    )
        except Refusal as refusal:
            fail(
                ": ".join(
                    [f"nothing was imported from {file}", *getattr(refusal, "__notes__", []), refusal.message]
                )
            )
    print(report(board_file, result))


def export_board_file(
    board: Annotated[str, typer.Argument(help="Id of the board.")],
    file: Annotated[Path | None, typer.Argument(help="Where to; without it, standard output.")] = None,
    user: Annotated[
        str | None, typer.Option(help="Whose name it is done in; without it, the owner's.")
    ] = None,
) -> None:
    """Export a board to a file that `import` reads. Prints on standard error what is not in it."""
    text, left = asyncio.run(_take(configured(must_exist=True), board, user))
    if file is None:
        sys.stdout.write(text)
    else:
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            fail(f"cannot write {file}: {error.strerror}")
    if left:
        print(left, file=sys.stderr)


async def _take(settings: Settings, board: str, user: str | None) -> tuple[str, str]:
    from actions.cli_actor import cli_actor_of
    from actions.transfer import native_format
    from actions.transfer.export_board import export_board
    from actions.transfer.report import report_of_export

    async with opened(settings) as event_log:
        snapshot = event_log.database.snapshot()
        try:
            async with event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
                actor = await cli_actor_of(tx, user)
            board_file = await export_board(snapshot.read, actor, board)
            return native_format.write_native(board_file), report_of_export(board_file)
        except Refusal as refusal:
            fail(f"{board}: {refusal.message}")
        finally:
            await snapshot.close()


def print_schema(
    possible_types: Annotated[
        bool,
        typer.Option("--possible-types", help="Print the object types of interfaces and unions, as JSON."),
    ] = False,
) -> None:
    """Print the GraphQL schema, sorted."""
    from graphql import build_schema

    from schema.build import make_schema, print_sorted
    from schema.possible_types import print_possible_types

    text = print_sorted(make_schema())
    print(print_possible_types(build_schema(text)) if possible_types else text, end="")


def print_stages() -> None:
    """Print the law of stages for docs/stages.md."""
    from schema.stages_page import draw

    print(draw(), end="")
