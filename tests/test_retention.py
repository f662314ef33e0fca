"""Old events and old lines of logs are forgotten, and who resumes from there is told."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, text, update

from actions.run_log import RUN_LOG
from kit.db.database import utcnow
from kit.eventlog.event_log import open_topics
from kit.eventlog.tables import Event
from models.account import IdempotencyKey
from models.run import Run, RunReport
from models.topic import board_topic
from tests.client import Refused
from tests.faults.api import UPDATE_CARD
from tests.runs import REPORT, has_run, output

FEED = """subscription($board: ID!, $after: String) {
  boardFeed(boardId: $board, after: $after) { seq cursor event { kind: __typename } } }"""
BOARD = "query($id: ID!) { board(id: $id) { seq cursor } }"
LINE = {
    "at": utcnow(),
    "attempt": 1,
    "type": "SYSTEM",
    "level": "INFO",
    "text": "x",
    "data": {},
    "agent": None,
}
OLD = timedelta(days=40)


async def aged(app, table, topic, upto):
    """Make a topic's rows up to a number older than they are."""
    async with app.begin() as tx:
        mine = table.c.topic == topic, table.c.seq <= upto
        await tx.execute(update(table).where(*mine).values(at=utcnow() - OLD))


async def kept(app, table, topic):
    query = select(func.min(table.c.seq), func.count()).where(table.c.topic == topic)
    return tuple((await app.services.database.read(query))[0])


async def forgotten(app, table, topic, first):
    async with asyncio.timeout(20):
        while (await kept(app, table, topic))[0] != first:
            await asyncio.sleep(0.02)


async def test_events_older_than_the_setting_are_forgotten(run):
    async with run() as app:
        board, [card] = await app.has_board("Do it")
        cursors = []
        for n in range(6):
            await app.data(UPDATE_CARD, input={"id": card, "title": f"No. {n}"})
            cursors.append((await app.data(BOARD, id=board))["cursor"])
        last = (await app.data(BOARD, id=board))["seq"]
        topic = board_topic(board)
        await aged(app, Event.__table__, topic, last - 3)
        url = app.services.settings.database_url
    async with run(url) as app:
        assert (await kept(app, Event.__table__, topic))[0] == 1, "they are kept unless it is said"
    async with run(url, history_days=30) as app:
        await forgotten(app, Event.__table__, topic, last - 2)
        assert await kept(app, Event.__table__, topic) == (last - 2, 3)
        for gone in ("0", cursors[0]):
            async with app.follow(FEED, board=board, after=gone) as hear:
                with pytest.raises(Refused) as refused:
                    await hear()
            assert refused.value.code == "CURSOR_EXPIRED"
        async with app.follow(FEED, board=board, after=cursors[2]) as hear:
            assert [(await hear())["boardFeed"]["seq"] for _ in range(3)] == [last - 2, last - 1, last]
        await app.data(UPDATE_CARD, input={"id": card, "title": "After"})
        assert (await app.data(BOARD, id=board))["seq"] == last + 1


async def test_what_goes_wrong_ends_neither_pruning_nor_tidying(run, monkeypatch, caplog):
    """A table is away for a while; when it is back, old rows are forgotten as before."""
    monkeypatch.setattr("kit.eventlog.retention.PRUNE_INTERVAL_SECONDS", 0.1)
    monkeypatch.setattr("resolvers.idempotency.CLEANUP_INTERVAL_SECONDS", 0.1)
    away = {"event": "not pruned: event", "idempotency_key": "expired idempotency keys were not deleted"}
    async with run(history_days=30) as app:
        board, _ = await app.has_board("One", "Two", "Three")
        topic, keys = board_topic(board), IdempotencyKey.__table__
        for table, line in away.items():
            async with app.begin() as tx:
                await tx.execute(text(f"ALTER TABLE {table} RENAME TO {table}_away"))
            async with asyncio.timeout(20):
                while line not in caplog.messages:
                    await asyncio.sleep(0.02)
            async with app.begin() as tx:
                await tx.execute(text(f"ALTER TABLE {table}_away RENAME TO {table}"))
        [told, *_] = [record for record in caplog.records if record.message == away["event"]]
        assert (told.levelname, told.exc_info is None) == ("ERROR", False)
        await aged(app, Event.__table__, topic, 2)
        await forgotten(app, Event.__table__, topic, 3)
        old = {"actor_id": "me", "key": "old", "request_hash": "x", "expires_at": utcnow() - OLD}
        async with app.begin() as tx:
            await tx.execute(insert(keys), [old])
        async with asyncio.timeout(20):
            while await app.services.database.read(select(keys.c.key)):
                await asyncio.sleep(0.02)


async def test_lines_of_runs_are_forgotten_after_thirty_days(run):
    """More than one transaction's worth, of more topics than one."""
    async with run() as app:
        async with app.begin() as tx:
            await open_topics(tx, RUN_LOG, {"run:one": [LINE] * 1_200, "run:two": [LINE] * 1_200})
        await aged(app, RUN_LOG.table, "run:one", 1_200)
        await aged(app, RUN_LOG.table, "run:two", 1_100)
        url = app.services.settings.database_url
    async with run(url) as app:
        await forgotten(app, RUN_LOG.table, "run:two", 1_101)
        await forgotten(app, RUN_LOG.table, "run:one", None)


async def test_the_keys_of_reports_go_with_the_log_of_a_run_that_ended(run):
    """More than one transaction's worth; a run that lasts keeps its own, however old they are."""
    async with run() as app:
        ended, young, lasting = [await has_run(app) for _ in range(3)]
        for held in (ended, young, lasting):
            await held.report("1", output("one"))
        many = [{"run_id": ended.id, "key": f"k{n}", "last_seq": 1, "digest": ""} for n in range(1_200)]
        async with app.begin() as tx:
            await tx.execute(insert(RunReport), many)
        await ended.completes()
        await young.completes()
        async with app.begin() as tx:
            aged = {"created_at": utcnow() - OLD, "queued_at": utcnow() - OLD}
            await tx.execute(update(Run).values(aged))
            await tx.execute(update(Run).where(Run.id == ended.id).values(finished_at=utcnow() - OLD))
        url = app.services.settings.database_url
    async with run(url, run_log_days=0) as app:
        assert await reported(app) == {ended.id: 1_201, young.id: 1, lasting.id: 1}, "0 keeps them"
    async with run(url) as app:
        async with asyncio.timeout(20):
            while ended.id in await reported(app):
                await asyncio.sleep(0.02)
        assert await reported(app) == {young.id: 1, lasting.id: 1}
        again = await app.data(REPORT, input={"lease": lasting.lease, "key": "1", "events": [output("one")]})
        assert again["duplicate"]


async def reported(app):
    """How many keys of reports each run has."""
    query = select(RunReport.run_id, func.count()).group_by(RunReport.run_id)
    return dict(map(tuple, await app.services.database.read(query)))
