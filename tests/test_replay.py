"""A run played again: what its feed told, in the same order, at any speed, and only to whom it may be told."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from models.run import RunLogLine
from models.topic import run_topic
from resolvers.replay import MAX_CATCH_UP_SECONDS, MAX_PAUSE_SECONDS, Pace
from tests.client import Refused
from tests.runs import every_event, has_run, output
from tests.test_run_feed import lines

BEGIN = datetime.now(UTC) - timedelta(days=1)  # what is much older is pruned
PLAIN = (
    "__typename seq cursor at ... on RunLine { type text attempt } ... on RunEnded { status summary reason }"
)


def asked(field, more="", fields=PLAIN):
    return f"subscription($run: ID!, $after: String) {{ {field}(runId: $run, after: $after{more}) {{ {fields} }} }}"


async def heard(app, query, **variables):
    """Every item until the end."""
    async with app.follow(query, **variables) as hear:
        return [next(iter(item.values())) async for item in hear]


async def said_at(app, held, *seconds):
    """Let the lines of a run have been said at these seconds."""
    async with app.begin() as tx:
        for seq, second in enumerate(seconds, 1):
            mine = RunLogLine.topic == run_topic(held.id), RunLogLine.seq == seq
            await tx.execute(update(RunLogLine).where(*mine).values(at=BEGIN + timedelta(seconds=second)))


async def test_what_is_played_is_what_was_told_at_any_speed(run):
    async with run(points=10**9) as app:
        held = await has_run(app)
        for n in range(3):
            await held.report(
                f"{n}", *every_event(), *(output(f"{m} \u00e9\U0001f600", m) for m in range(30))
            )
        await held.completes("All done")
        for fields, speeds in ((PLAIN, (1, 100, 1000)), *((one, (1000,)) for one in fragments())):
            told = await heard(app, asked("runFeed", fields=fields), run=held.id, after="0")
            assert len(told) == 3 * (30 + len(list(every_event()))) + 2
            for speed in speeds:
                played = await heard(app, asked("replayRun", f", speed: {speed}", fields), run=held.id)
                assert played == told, speed
        middle = {"run": held.id, "after": told[99]["cursor"]}
        assert await heard(app, asked("replayRun"), **middle) == await heard(app, asked("runFeed"), **middle)


def fragments():
    """What each type of line says with a plain word, a few types at a time."""
    kinds = [kind for kind in lines() if kind.name not in ("RunChunk", "RunEnded")]
    for some in (kinds[n : n + 10] for n in range(0, len(kinds), 10)):
        yield "seq cursor at " + " ".join(
            f"... on {kind.name} {{ {' '.join(f for f in kind.fields if 'fields' not in dir(leaf(kind, f)))} }}"
            for kind in some
        )


def leaf(kind, field):
    said = kind.fields[field].type
    while hasattr(said, "of_type"):
        said = said.of_type
    return said


async def test_a_run_that_goes_on_is_played_and_then_followed(run):
    async with run() as app:
        held = await has_run(app)
        await held.report("1", output("one"), output("so far", 1, chunk=True))
        async with app.follow(asked("replayRun", ", speed: 1000"), run=held.id) as hear:
            assert (await hear())["replayRun"]["text"] == "one"
            await held.report("2", output("so far, so good", 1))
            assert (await hear())["replayRun"]["text"] == "so far, so good", "and no chunk before it"
            await held.completes()
            rest = [item["replayRun"]["__typename"] async for item in hear]
        assert rest == ["RunStatusLine", "RunEnded"]


async def test_the_pauses_are_as_long_as_they_were(run):
    async with run() as app:
        held = await has_run(app)
        await held.report("1", *(output(f"{n}", n) for n in range(4)))
        await held.completes()
        await said_at(app, held, 0, 4, 4, 10, 10)
        began, times = time.monotonic(), []
        async with app.follow(asked("replayRun", ", speed: 10"), run=held.id) as hear:
            while await hear():
                times.append(time.monotonic() - began)
        assert len(times) == 6
        for since_first, wanted in zip([t - times[0] for t in times], (0, 0.4, 0.4, 1, 1), strict=False):
            assert since_first > wanted - 0.05, times


def test_a_night_is_ten_seconds_and_who_is_late_catches_up_a_little():
    pace = Pace(2.0)
    at = [BEGIN + timedelta(seconds=s) for s in (0, 4, 3, 40_000, 40_002)]
    due = [pace.due(one, 100.0) - 100 for one in at]
    assert due == [0, 2.0, 2.0, 2.0 + MAX_PAUSE_SECONDS, 2.0 + MAX_PAUSE_SECONDS + 1], (
        "the third was said before the second"
    )
    assert pace.due(at[4] + timedelta(seconds=2), 1_000.0) == 1_000 - MAX_CATCH_UP_SECONDS, (
        "an hour is not caught up"
    )


@pytest.mark.parametrize("speed", ["0", "0.09", "-1", "1000.5", "1e300"])
async def test_a_speed_that_is_none_is_refused(run, speed):
    async with run() as app:
        held = await has_run(app)
        async with app.follow(asked("replayRun", f", speed: {speed}"), run=held.id) as hear:
            with pytest.raises(Refused) as refused:
                await hear()
        assert refused.value.code == "INVALID"
        assert refused.value.errors[0]["message"].startswith("speed: must be 0.1 to 1000")


async def test_what_is_not_to_be_had_is_refused(run):
    async with run() as app:
        held = await has_run(app)
        await held.report("1", output("secret"))
        await app.has_user("eve", None)
        for actor, id, after, code in (
            ("eve", held.id, None, "NOT_FOUND"),
            ("", "run_none", None, "NOT_FOUND"),
            ("", held.id, "x", "CURSOR_UNKNOWN"),
        ):
            async with app.follow(asked("replayRun"), actor, run=id, after=after) as hear:
                with pytest.raises(Refused) as refused:
                    await hear()
            assert refused.value.code == code


async def cut_short(app, held, actor, end):
    """How long a recording goes on after `end`, of which the next line would be due in ten seconds."""
    await said_at(app, held, 0, 3_600)
    async with app.follow(asked("replayRun"), actor, run=held.id) as hear:
        assert (await hear())["replayRun"]["text"] == "one"
        await end()
        began = time.monotonic()
        assert await hear() is None, "nothing more is told"
        return time.monotonic() - began


async def test_permission_lost_while_it_plays_ends_it(run):
    members = "query($id: ID!) { workspace(id: $id) { members { nodes { id user { username } } } } }"
    remove = "mutation($input: RemoveMemberInput!) { removeMember(input: $input) { __typename } }"
    async with run() as app:
        held = await has_run(app)
        await held.report("1", output("one"), output("secret", 1))
        await app.has_user("bob")
        nodes = (await app.data(members, id=await app.home()))["members"]["nodes"]
        [bob] = [one["id"] for one in nodes if one["user"]["username"] == "bob"]

        async def end():
            assert await app.data(remove, input={"id": bob}) == {"__typename": "Membership"}

        assert await cut_short(app, held, "bob", end) < MAX_PAUSE_SECONDS / 2


async def test_it_ends_with_its_board(run):
    gone = "mutation($input: DeleteBoardInput!) { deleteBoard(input: $input) { __typename } }"
    async with run() as app:
        held = await has_run(app)
        await held.report("1", output("one"), output("two", 1))

        async def end():
            given = {"id": held.board, "confirmName": "Web", "cancelRuns": True}
            assert await app.data(gone, input=given) == {"__typename": "Board"}

        assert await cut_short(app, held, "", end) < MAX_PAUSE_SECONDS - 1


async def test_no_connection_is_held_while_it_waits(run):
    """More recordings are watched than there are connections, and others are still answered."""
    async with run(points=10**9) as app:
        held = await has_run(app)
        await held.report("1", output("one"), output("two", 1))
        await said_at(app, held, 0, 3_600)

        async def watch(seen):
            async with app.follow(asked("replayRun"), run=held.id) as hear:
                await hear()
                seen.release()
                await hear()

        seen = asyncio.Semaphore(0)
        watching = [asyncio.create_task(watch(seen)) for _ in range(60)]
        for _ in watching:
            await asyncio.wait_for(seen.acquire(), 30)
        assert await app.home()
        for one in watching:
            one.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
