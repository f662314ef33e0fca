"""Schedules of cards: each time makes one card, whatever happens meanwhile."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from actions.card_schedule import RUN_JOB, run_schedule, times_after
from kit.db.database import utcnow
from models.card_schedule import CardSchedule
from models.job import ServerJob
from models.workspace import Membership, Role
from tests.board import do

LOOK = """query($id: ID!) { board(id: $id) {
  schedules { id title cron timeZone isEnabled nextAt upcoming lastAt failure createdBy { username } }
  cards(first: 50) { nodes { title stage } } } }"""
FIELDS = "... on CardSchedule { id nextAt upcoming }"


async def made(app, board, **input):
    given = {"title": "Again {date}", "cron": "0 9 * * MON", **input}
    answer = await do(app, "createCardSchedule", FIELDS, boardId=board, **given)
    assert answer["__typename"] == "CardSchedule", answer
    return answer["id"]


async def let_it_come(app, id, ago=timedelta(seconds=1)):
    """Set the next time of a schedule to the past, and let its job run as the server would."""
    at = utcnow().replace(microsecond=0) - ago
    async with app.begin() as tx:
        await tx.execute(update(CardSchedule).where(CardSchedule.id == id).values(next_at=at))
    payload = {"schedule_id": id, "at": at.isoformat()}
    for _ in range(2):  # a job may run more than once
        await run_schedule(app.services, payload)


async def test_a_time_makes_one_card_and_the_next_time_is_a_job(run):
    async with run() as app:
        board, _ = await app.has_board()
        id = await made(app, board, stage="TODO")
        await let_it_come(app, id)
        seen = await app.data(LOOK, id=board)
        assert seen["cards"]["nodes"] == [{"title": f"Again {utcnow().date()}", "stage": "TODO"}]
        [schedule] = seen["schedules"]
        assert (schedule["failure"], schedule["lastAt"] is None) == (None, False)
        assert [schedule["nextAt"]] == schedule["upcoming"][:1]
        assert len(schedule["upcoming"]) == 3
        rows = await app.services.database.read(select(ServerJob.payload).where(ServerJob.kind == RUN_JOB))
        assert schedule["nextAt"][:19] in {row.payload["at"][:19] for row in rows}


async def test_missed_times_are_told_and_made_up_for_once(run):
    async with run() as app:
        board, _ = await app.has_board()
        id = await made(app, board, cron="0 * * * *")
        feed = """subscription($id: ID!) { boardFeed(boardId: $id, after: "0") { event {
          kind: __typename ... on CardScheduleRan { missed failure scheduledCardId } } } }"""
        await let_it_come(app, id, timedelta(hours=5))
        assert len((await app.data(LOOK, id=board))["cards"]["nodes"]) == 1
        async with app.follow(feed, id=board) as hear:
            while (event := (await hear())["boardFeed"])["kind"] != "CardScheduleRan":
                pass
        assert (event["missed"] in (4, 5), event["failure"]) == (True, None)


async def test_a_refusal_makes_no_card_and_the_schedule_goes_on(run):
    async with run() as app:
        board, _ = await app.has_board()
        id = await made(app, board, stage="DONE")
        await let_it_come(app, id)
        seen = await app.data(LOOK, id=board)
        assert seen["cards"]["nodes"] == []
        [schedule] = seen["schedules"]
        assert (bool(schedule["failure"]), schedule["isEnabled"], bool(schedule["nextAt"])) == (
            True,
            True,
            True,
        )


async def test_it_ends_with_the_rights_of_its_creator(run):
    async with run() as app:
        board, _ = await app.has_board()
        user = await app.has_user("ann")
        answer = await do(
            app, "createCardSchedule", FIELDS, actor="ann", boardId=board, title="Mine", cron="0 9 * * *"
        )
        async with app.begin() as tx:
            await tx.execute(update(Membership).where(Membership.user_id == user).values(role=Role.VIEWER))
        await let_it_come(app, answer["id"])
        [schedule] = (await app.data(LOOK, id=board))["schedules"]
        assert (schedule["isEnabled"], schedule["nextAt"]) == (False, None)
        assert "may no longer" in schedule["failure"]


async def test_a_changed_or_switched_off_schedule_leaves_its_old_job_without_effect(run):
    async with run() as app:
        board, _ = await app.has_board()
        id = await made(app, board)
        async with app.begin() as tx:
            old = await tx.scalar(select(CardSchedule.next_at).where(CardSchedule.id == id))
        await do(app, "updateCardSchedule", "... on CardSchedule { id }", id=id, cron="0 10 * * TUE")
        await run_schedule(app.services, {"schedule_id": id, "at": old.isoformat()})
        await do(app, "updateCardSchedule", "... on CardSchedule { id }", id=id, isEnabled=False)
        seen = await app.data(LOOK, id=board)
        assert (seen["cards"]["nodes"], seen["schedules"][0]["upcoming"]) == ([], [])
        await do(app, "deleteCardSchedule", "... on CardSchedule { id }", id=id)
        await run_schedule(app.services, {"schedule_id": id, "at": old.isoformat()})
        assert (await app.data(LOOK, id=board))["schedules"] == []


@pytest.mark.parametrize(
    ("input", "path"),
    [
        ({"cron": "0 0 30 2 *"}, "cron"),
        ({"cron": "* * * * *"}, "cron"),
        ({"cron": "*/5 * * * *"}, "cron"),
        ({"cron": "0 9 * *"}, "cron"),
        ({"cron": "0 0 9 * * MON"}, "cron"),
        ({"cron": "61 9 * * *"}, "cron"),
        ({"cron": ""}, "cron"),
        ({"cron": "0 9 * * " + "1," * 60}, "cron"),
        ({"timeZone": "Mars/Base"}, "timeZone"),
        ({"timeZone": "../../etc/passwd"}, "timeZone"),
        ({"title": ""}, "title"),
        ({"title": "x" * 300}, "title"),
    ],
)
async def test_what_is_no_schedule(run, input, path):
    async with run() as app:
        board, _ = await app.has_board()
        given = {"boardId": board, "title": "x", "cron": "0 9 * * *", **input}
        answer = await do(app, "createCardSchedule", **given)
        assert [issue["path"] for issue in answer.get("issues", ())] == [path], answer


def test_times_are_those_of_the_zone_when_clocks_change():
    from datetime import UTC, datetime

    times = times_after("30 2 * * *", "Europe/Paris", datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert [next(times).hour for _ in range(3)] == [0, 1, 1]  # the night of 25 October has 2:30 twice


async def test_a_board_has_at_most_50(run):
    async with run() as app:
        board, _ = await app.has_board()
        for _ in range(50):
            await made(app, board)
        with app.counting() as statements:
            await app.data(LOOK, id=board)
        assert len(statements) <= 8, statements
        answer = await do(app, "createCardSchedule", "", boardId=board, title="x", cron="0 9 * * *")
        assert answer["__typename"] == "Conflict"
