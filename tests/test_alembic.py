"""Migrations: they build what the models say, go up and down on full tables, and survive being killed."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, Enum, event, inspect, select, text
from sqlalchemy.exc import DBAPIError

import models  # noqa: F401 - every table
from kit.db.database import Base, Database, migrator
from kit.db.migrate import migrate
from kit.db.revision import FOLDER, WrongRevision, list_revisions, require_head, revision_of
from kit.search import is_index_table
from tests.warm import Warm, command

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parent.parent


@contextlib.asynccontextmanager
async def on(url):
    """One transaction, in which rows may refer to what is not there."""
    database = Database(url)
    engine = migrator(database)
    try:
        async with engine.begin() as connection:
            if not database.is_sqlite:
                await connection.execute(text("SET LOCAL session_replication_role = replica"))
            yield connection
    finally:
        await engine.dispose()


async def bring(url, to="head"):
    database = Database(url)
    try:
        return await migrate(database, to, may_drop=True)
    finally:
        await database.close()


def shape(connection):
    """Everything a database knows about its tables."""
    seen = inspect(connection)
    tables = {}
    there = {name for name in seen.get_table_names() if not is_index_table(name)}
    for name in sorted(there - {"alembic_version"}):
        columns = [column | {"type": repr(column["type"])} for column in seen.get_columns(name)]
        tables[name] = {
            "columns": sorted(columns, key=lambda column: column["name"]),
            "primary key": seen.get_pk_constraint(name),
            "foreign keys": sorted(seen.get_foreign_keys(name), key=lambda key: key["name"]),
            "unique": sorted(seen.get_unique_constraints(name), key=lambda key: key["name"]),
            "checks": sorted(seen.get_check_constraints(name), key=lambda key: key["name"]),
            "indexes": sorted(map(plain, seen.get_indexes(name)), key=lambda key: key["name"]),
        }
        if connection.dialect.name == "postgresql":
            query = text("SELECT indexdef FROM pg_indexes WHERE tablename = :name ORDER BY 1")
            tables[name]["definitions"] = list(connection.scalars(query, {"name": name}))
    return tables


def plain(index):
    """A partial index's clause is an object that equals nothing."""
    return index | {"dialect_options": {k: str(v) for k, v in index.get("dialect_options", {}).items()}}


async def test_migrations_build_what_the_models_say(empty):
    by_migrations, by_models = await empty(), await empty()
    assert await bring(by_migrations) == (None, list_revisions()[-1])
    async with on(by_models) as connection:
        await connection.run_sync(Base.metadata.create_all)
        wanted = await connection.run_sync(shape)
    async with on(by_migrations) as connection:
        built = await connection.run_sync(shape)
    assert built == wanted
    assert built.keys() == Base.metadata.tables.keys()
    assert any(table["checks"] for table in built.values()), "checks are seen"
    assert any(key["options"] for table in built.values() for key in table["foreign keys"]), (
        "ondelete is seen"
    )


def row(table, tag="x", **given):
    """A row of made-up values for every column."""
    sample = {str: tag, int: 1, float: 1.5, bool: False, datetime: datetime.now(UTC), date: date(2026, 1, 2)}
    sample[bytes] = tag.encode()
    values = {}
    for column in table.columns:
        if column.name in given:
            values[column.name] = given[column.name]
        elif isinstance(column.type, Enum):
            values[column.name] = column.type.enums[0]
        elif "JSON" in repr(column.type):
            values[column.name] = {}
        else:
            kind = getattr(getattr(column.type, "impl_instance", column.type), "python_type", str)
            length = getattr(column.type, "length", None)
            values[column.name] = tag[:length] if kind is str else sample[kind]
    return values | ({"target_id": f"{tag}2"} if "target_id" in values else {})


async def fill(url, tag="x"):
    """A row in every table there is."""
    async with on(url) as connection:
        there = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
        for table in Base.metadata.sorted_tables:
            if table.name in there:
                await connection.execute(table.insert(), row(table, tag))
        if "card" in there:  # what the link points at
            card = Base.metadata.tables["card"]
            stands = {"board_id": tag, "column_id": tag, "parent_id": tag}
            await connection.execute(card.insert(), row(card, f"{tag}2", number=2, **stands))


async def test_every_member_of_a_stored_enum_can_be_kept(fresh):
    url, count = await fresh(), 0
    async with on(url) as connection:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                for member in column.type.enums if isinstance(column.type, Enum) else ():
                    count += 1
                    tag = f"{column.name}{member}"[:10]
                    stored = column.type.enum_class[member]
                    await connection.execute(table.insert(), row(table, tag, **{column.name: stored}))
                    await connection.execute(table.delete())
    assert count > 20
    await fill(url)
    with pytest.raises(DBAPIError, match=r"(?i)check"):
        async with on(url) as connection:
            await connection.execute(text("UPDATE board SET law = 'NONE'"))


async def test_up_down_and_up_again_with_rows_in_every_table(empty):
    url = await empty()
    for revision, below in zip(list_revisions(), ["base", *list_revisions()], strict=False):
        await bring(url, revision)
        if revision == list_revisions()[-1]:
            await fill(url)
        await bring(url, below)
        await bring(url, revision)
    assert await bring(url, "base") == (list_revisions()[-1], None)
    async with on(url) as connection:
        assert await connection.run_sync(shape) == {}
    assert await bring(url) == (None, list_revisions()[-1])
    await fill(url)
    assert await bring(url) == (list_revisions()[-1], list_revisions()[-1])


async def test_a_board_from_before_agents_works_one_run_at_a_time(empty):
    url = await empty()
    await bring(url, "0002")
    stamps = f"1, '{datetime.now(UTC).isoformat(' ')}', '{datetime.now(UTC).isoformat(' ')}'"
    workspace = (
        f"INSERT INTO workspace (id, name, version, created_at, updated_at) VALUES ('w', 'w', {stamps})"
    )
    columns = (
        "id, workspace_id, name, key, description, law, rank, last_number, version, created_at, updated_at"
    )
    board = f"INSERT INTO board ({columns}) VALUES ('b', 'w', 'b', 'B', '', 'FREE', 'a', 1, {stamps})"
    async with on(url) as connection:
        await connection.execute(text(workspace))
        await connection.execute(text(board))
    await bring(url)
    async with on(url) as connection:
        caps = (await connection.execute(text("SELECT name, most FROM cap"))).all()
        slots = (await connection.execute(text("SELECT cap, n, job_id FROM slot WHERE NOT surplus"))).all()
        policy = await connection.scalar(text("SELECT policy FROM board"))
    assert (caps, slots) == ([("scope:b", 1)], [("scope:b", 1, None)])
    assert policy in ("{}", {}), "every value has its default"
    await bring(url, "0002")
    async with on(url) as connection:
        assert (await connection.execute(text("SELECT * FROM cap"))).all() == []


async def test_runs_that_were_started_together_become_batches(empty):
    url = await empty()
    await bring(url)
    run = Base.metadata.tables["run"]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [("1", "a", at), ("2", "a", at.replace(day=2)), ("3", None, at), ("4", "b", at), ("5", "b", None)]
    await fill(url)
    async with on(url) as connection:
        for id, batch, end in rows:
            given = {"id": id, "board_id": "x", "batch_id": batch, "finished_at": end}
            empty_ones = {"place": None, "chosen_at": None}
            await connection.execute(run.insert(), row(run, **given, **empty_ones))
    await bring(url, "0004")
    async with on(url) as connection:
        kept = (await connection.execute(text("SELECT id, batch FROM run WHERE id <> 'x' ORDER BY id"))).all()
    assert kept == [(id, batch) for id, batch, _ in rows]
    await bring(url)
    batch = Base.metadata.tables["run_batch"]
    async with on(url) as connection:
        placed = select(run.c.id, run.c.batch_id, run.c.place).where(run.c.id != "x").order_by(run.c.id)
        assert (await connection.execute(placed)).all() == [
            *[("1", "a", 1), ("2", "a", 2), ("3", None, None), ("4", "b", 1), ("5", "b", 2)]
        ]
        found = select(batch.c.id, batch.c.board_id, batch.c.kind, batch.c.size, batch.c.ended_at)
        found = found.where(batch.c.id != "x")
        assert (await connection.execute(found.order_by(batch.c.id))).all() == [
            ("a", "x", "CODE", 2, at.replace(day=2)),
            ("b", "x", "CODE", 2, None),
        ]


async def test_who_asked_is_known_of_questions_from_before_it_was_kept(empty):
    url = await empty()
    await bring(url)
    question, event = (Base.metadata.tables[name] for name in ("question", "event"))
    asked = [("by ann", None), ("by a run", "x"), ("pruned", None)]
    await fill(url)
    async with on(url) as connection:
        for id, run in asked:
            given = {"id": id, "board_id": "x", "card_id": "x", "run_id": run, "asked_by": None}
            await connection.execute(question.insert(), row(question, **given))
        for seq, (kind, id, actor) in enumerate(
            [
                ("QUESTION_ANSWERED", "by ann", "user_max"),
                ("QUESTION_ASKED", "another", "user_max"),
                ("QUESTION_ASKED", "by ann", "user_ann"),
            ]
        ):
            told = {
                "seq": seq + 2,
                "kind": kind,
                "actor_id": actor,
                "subject": "x",
                "data": {"question_id": id},
            }
            await connection.execute(event.insert(), row(event, **told))
    await bring(url, "0005")
    await bring(url)
    async with on(url) as connection:
        found = dict((await connection.execute(select(question.c.id, question.c.asked_by))).all())
    assert found == {"by ann": "user_ann", "by a run": "x", "pruned": None, "x": "x"}


def dies(url: str, statement: str, to: str) -> None:
    """Migrate, and be killed before this statement that makes, removes or fills something."""
    left = int(statement)

    @event.listens_for(Engine, "before_cursor_execute")
    def count(connection, cursor, statement, *_):
        nonlocal left
        if statement.lstrip().startswith(("CREATE", "DROP", "INSERT")):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(migrate(Database(url), to, may_drop=True))


@pytest.mark.parametrize(("to", "statement"), [("head", 1), ("head", 2), ("head", 17), ("base", 9)])
async def test_killed_in_the_middle_it_can_be_run_again(empty, to, statement):
    url = await empty()
    if to == "base":
        await bring(url)
        await fill(url)
    before = await state(url)
    killed = Warm(url, str(statement), to, main=dies)
    assert await asyncio.to_thread(killed.wait, 60) == -9
    assert await state(url) == before, "half of it was done"
    assert (await bring(url, to))[1] == (list_revisions()[-1] if to == "head" else None)


async def state(url):
    async with on(url) as connection:
        return await connection.run_sync(revision_of), await connection.run_sync(shape)


async def start(url, *arguments):
    return await command(
        *arguments, env={**os.environ, "DATABASE_URL": url, "PORT": "0", "SECRET_KEY": "k" * 40}
    )


async def test_of_two_at_once_one_waits(empty):
    url = await empty()
    told = await asyncio.gather(*(start(url, "migrate") for _ in range(2)))
    assert [status for status, _, _ in told] == [0, 0], told
    ends = sorted(out.strip().rsplit(": ", 1)[1] for _, out, _ in told)
    assert ends == [f"already at {list_revisions()[-1]}", f"empty -> {list_revisions()[-1]}"]


async def test_it_waits_for_whoever_migrates(kind, empty):
    url = await empty()
    async with on(url) as connection:
        if kind == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": KEY})
        waiting = asyncio.create_task(start(url, "migrate"))
        for _ in range(12):  # seconds in all: longer than it starts and any lock or statement may last
            await connection.execute(text("SELECT 1"))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(waiting), 1)
    _, out, _ = await waiting
    assert out.strip().endswith(f"empty -> {list_revisions()[-1]}")


KEY = 0x5163_6E61_6C42_6F78  # written a second time on purpose: old and new programs must share it


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["serve"], f"is empty and must be at {list_revisions()[-1]}: run `python server.py migrate`"),
        (["migrate", "--to", "nowhere"], "there is no revision nowhere"),
    ],
)
async def test_a_wrong_revision_is_one_line(empty, arguments, line):
    status, _, told = await start(await empty(), *arguments)
    assert (status, told.count("\n")) == (2, 1), told
    assert told.strip().endswith(line)


async def test_a_database_of_a_newer_program_is_left_alone(fresh):
    url = await fresh()
    async with on(url) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(WrongRevision, match="9999"):
        await bring(url)
    database = Database(url)
    with pytest.raises(WrongRevision, match="9999"):
        await require_head(database)
    await database.close()


def test_the_folder():
    assert not (FOLDER / "__init__.py").exists(), "it would hide the library of that name"
    assert ScriptDirectory(str(FOLDER)).get_heads() == list_revisions()[-1:]
    for path in (FOLDER / "versions").glob("*.py"):
        assert re.fullmatch(r"\d{4}_(pre|post)_\w+\.py", path.name), path


async def test_the_program_alembic_works_by_itself_and_asks_before_it_drops(empty):
    url = await empty()
    program = Path(sys.executable).parent / "alembic"

    async def run_alembic(*words):
        process = await asyncio.create_subprocess_exec(
            *(program, *words),
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        told = (await process.communicate())[0].decode()
        return process.returncode, told

    status, told = await run_alembic("upgrade", "head")
    assert status == 0, told
    async with on(url) as connection:
        assert await connection.run_sync(revision_of) == list_revisions()[-1]
    status, told = await run_alembic("downgrade", "-1")
    assert (status, "drops data" in told) == (1, True), told
    status, told = await run_alembic("-x", "drop=yes", "downgrade", "-1")
    assert status == 0, told
    async with on(url) as connection:
        assert await connection.run_sync(revision_of) == list_revisions()[-2]
