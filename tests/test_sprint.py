"""Sprints: their status, the cards in them, and the figures that are derived from events."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update

from kit.eventlog.tables import Event, Topic
from models.topic import board_topic
from tests.board import do, reads, told

SAVED = "... on Sprint { id version timeZone overlaps { name } }"
SPRINT = "... on Sprint { id status completedAt }"
BURNDOWN = """query($id: ID!, $asOf: Date) { node(id: $id) { ... on Sprint {
  burndown(asOf: $asOf) { isComplete days { day remaining completed ideal added removed } } } } }"""
LIST = """query($id: ID!, $filter: CardFilter) { board(id: $id) { cards(filter: $filter) { nodes { title } } } }"""
VELOCITY = """query($id: ID!) { board(id: $id) { velocity {
  average forecast sprints { name committedPoints completedPoints } } } }"""
TODAY = datetime.now(UTC).date()


def day(n):
    return (TODAY + timedelta(n)).isoformat()


async def sprint(app, board, name="One", first=0, last=13, **input):
    made = await do(
        app, "createSprint", SAVED, boardId=board, name=name, startsOn=day(first), endsOn=day(last), **input
    )
    assert made["__typename"] == "Sprint", made
    return made["id"]


async def titles(app, board, **filter):
    return [one["title"] for one in (await app.data(LIST, id=board, filter=filter))["cards"]["nodes"]]


async def burndown(app, id, as_of=None):
    return (await app.data(BURNDOWN, id=id, asOf=as_of))["burndown"]


async def put(app, id, *cards):
    changed = await do(
        app, "assignCardsToSprint", "... on SprintCards { cards { id } }", ids=cards, sprintId=id
    )
    assert changed["__typename"] == "SprintCards", changed


async def test_a_sprint_from_its_plan_to_its_end(run):
    async with run() as app:
        board, ids = await app.has_board("a", "b", "c", law="FREE")
        id, after = await sprint(app, board), await sprint(app, board, "Two", 14, 20)
        await put(app, id, *ids[:2])
        await do(app, "updateCard", id=ids[0], storyPoints=5, destination={"stage": "DONE"})
        await do(app, "updateCard", id=ids[1], storyPoints=3)
        assert await titles(app, board, sprintIds=[id]) == ["b", "a"]
        assert await titles(app, board, withoutSprint=True) == ["c"]
        too_early = await do(app, "completeSprint", id=id, unfinished={"release": True})
        assert too_early["__typename"] == "Conflict"
        assert (await do(app, "startSprint", SPRINT, id=id))["status"] == "ACTIVE"
        done = await do(app, "completeSprint", SPRINT, id=id, unfinished={"moveTo": after})
        assert done["status"] == "COMPLETED", done
        assert await titles(app, board, sprintIds=[after]) == ["b"]
        kept = await burndown(app, id)
        assert [(one["remaining"], one["completed"]) for one in kept["days"]] == [(3, 5)]
        for name, more in (
            ("completeSprint", {"id": id, "unfinished": {"release": True}}),
            ("updateSprint", {"id": id, "name": "x"}),
            ("startSprint", {"id": id}),
            ("cancelSprint", {"id": id}),
            ("assignCardsToSprint", {"ids": [ids[2]], "sprintId": id}),
            ("assignCardsToSprint", {"ids": [ids[0]], "sprintId": None}),
            ("updateCard", {"id": ids[0], "sprintId": after}),
        ):
            assert (await do(app, name, **more))["__typename"] == "Conflict", name
        await do(app, "updateCard", id=ids[0], storyPoints=50)
        assert await burndown(app, id) == kept, "its figures are frozen"
        velocity = (await app.data(VELOCITY, id=board))["velocity"]
        assert velocity == {
            "average": 5.0,
            "forecast": 5.0,
            "sprints": [{"name": "One", "committedPoints": 8, "completedPoints": 5}],
        }
        await do(app, "deleteSprint", id=after)
        assert await titles(app, board, withoutSprint=True) == ["b", "c"]
        kinds = [one["kind"] for one in await told(app, board)]
        assert [kind for kind in kinds if kind.startswith("Sprint")] == [
            "SprintCreated",
            "SprintCreated",
            "SprintStarted",
            "SprintCompleted",
            "SprintDeleted",
        ]


async def test_input_that_makes_no_sense_is_refused_by_its_name(run):
    async with run() as app:
        board, _ = await app.has_board()
        other, strangers = await app.has_board("x", name="Other")
        id = await sprint(app, board)
        good = {"boardId": board, "name": "n", "startsOn": day(0), "endsOn": day(5)}
        for path, wrong in (
            ("endsOn", {"endsOn": day(-1)}),
            ("endsOn", {"endsOn": day(0)}),
            ("endsOn", {"endsOn": day(3650)}),
            ("name", {"name": "x" * 10_000}),
            ("timeZone", {"timeZone": "Mars/Olympus"}),
            ("capacityPoints", {"capacityPoints": -1}),
        ):
            refused = await do(app, "createSprint", **{**good, **wrong})
            assert refused["issues"][0]["path"] == path, (wrong, refused)
        refused = await do(app, "assignCardsToSprint", ids=strangers, sprintId=id)
        assert refused["missing"] == id
        refused = await do(app, "updateCard", id=strangers[0], sprintId=id)
        assert refused["missing"] == id
        overlapping = await do(app, "createSprint", SAVED, **good)
        assert [one["name"] for one in overlapping["overlaps"]] == ["One"], "a warning only"
        assert await titles(app, other, withoutSprint=True) == ["x"]


async def test_capacity_of_the_sprint_and_of_each_person(run):
    async with run() as app:
        board, ids = await app.has_board("a", "b")
        id = await sprint(app, board, capacityPoints=10)
        await put(app, id, *ids)
        me = (await app.data("{ viewer { user { id } } }"))["user"]["id"]
        await do(app, "assignCard", cardId=ids[0], userId=me)
        shown = """query($id: ID!) { node(id: $id) { ... on Sprint { capacity {
          points state unassignedPoints people { points state user { id } } } } } }"""
        for points, state, mine in ((7, "UNDER", "UNDER"), (8, "NEAR", "NEAR"), (10, "FULL", "FULL")):
            await do(app, "updateCard", id=ids[0], storyPoints=points)
            assert (await app.data(shown, id=id))["capacity"] == {
                "points": points,
                "state": state,
                "unassignedPoints": 0,
                "people": [{"points": points, "state": mine, "user": {"id": me}}],
            }
        await do(app, "updateCard", id=ids[1], storyPoints=2)
        assert (await app.data(shown, id=id))["capacity"]["unassignedPoints"] == 2


async def test_the_burndown_equals_a_model_that_is_kept_by_hand(run):
    """Generated changes on ten days around a change of summer time; the model records each midnight."""
    chance = random.Random(7)
    zone = ZoneInfo("Europe/Paris")
    async with run() as app:
        board, ids = await app.has_board(*"abcdefgh", law="FREE")
        other = await sprint(app, board, "Other", 20, 30)
        id = await sprint(app, board, "Past", -9, 4, timeZone="Europe/Paris")
        state = {one: {"sprint": None, "points": 0, "done": False} for one in ids}
        topic, expected, gone = board_topic(board), [], set()

        def scope():
            return sum(one["points"] for one in state.values() if one["sprint"] == id)

        async def last_seq():
            async with app.begin() as tx:
                return await tx.scalar(select(Topic.last).where(Topic.name == topic))

        first_day = datetime.now(zone).date() - timedelta(9)
        begin = datetime.combine(TODAY - timedelta(9), datetime.min.time(), zone)
        count = (datetime.now(zone).date() - begin.date()).days + 1
        assert first_day <= begin.date()
        marks = [(0, begin - timedelta(1)), (await last_seq(), None)]
        async with app.begin() as tx:
            await tx.execute(update(Event).where(Event.topic == topic).values(at=marks[0][1]))
        for n in range(count):
            before, added, removed = await last_seq(), 0, 0
            for _ in range(6):
                one = chance.choice([card for card in ids if card not in gone])
                was, kind = scope(), chance.choice(["points", "points", "sprint", "sprint", "done", "delete"])
                if kind == "points":
                    points = chance.randint(0, 20)
                    await do(app, "updateCard", id=one, storyPoints=points)
                    state[one]["points"] = points
                elif kind == "sprint":
                    into = chance.choice([id, id, other, None])
                    await put(app, into, one)
                    state[one]["sprint"] = into
                elif kind == "done":
                    stage = chance.choice(["DONE", "BACKLOG"])
                    await do(app, "moveCard", id=one, destination={"stage": stage})
                    state[one]["done"] = stage == "DONE"
                elif len(gone) < 3:
                    deleted = await do(app, "deleteCard", id=one)
                    assert "code" not in deleted
                    gone.add(one)
                    state.pop(one)
                added += max(scope() - was, 0)
                removed += max(was - scope(), 0)
            done = sum(x["points"] for x in state.values() if x["sprint"] == id and x["done"])
            expected.append((scope() - done, done, added, removed))
            local = datetime.combine(begin.date() + timedelta(n), datetime.min.time(), zone)
            at = (local + timedelta(hours=23, minutes=59)).astimezone(UTC)
            async with app.begin() as tx:
                of_day = Event.topic == topic, Event.seq > before
                await tx.execute(update(Event).where(*of_day).values(at=at))
        found = await burndown(app, id)
        assert found["isComplete"]
        days = found["days"]
        assert [(d["remaining"], d["completed"], d["added"], d["removed"]) for d in days] == expected
        assert any(removed for *_, removed in expected), "something left"
        past = await burndown(app, id, days[3]["day"])
        assert past["days"] == days[:4]


async def test_the_burndown_of_100_000_events_takes_five_statements(run, figure):
    async with run() as app:
        board, ids = await app.has_board("a")
        id = await sprint(app, board, "Long", -300, 4)
        await put(app, id, ids[0])
        topic, begin = board_topic(board), datetime.now(UTC) - timedelta(299)
        count = 100_000
        async with app.begin() as tx:
            last = await tx.scalar(select(Topic.last).where(Topic.name == topic))
            for start in range(0, count, 10_000):
                rows = [
                    {
                        "topic": topic,
                        "seq": last + 1 + n,
                        "kind": "CARD_UPDATED",
                        "at": begin + timedelta(minutes=4 * n),
                        "actor_kind": "SYSTEM",
                        "subject": ids[0],
                        "data": {
                            "card_id": ids[0],
                            "changes": {"story_points": [n % 9, (n + 1) % 9]},
                            "before": {
                                "sprint_id": id,
                                "story_points": n % 9,
                                "column_id": "column",
                                "stage": "BACKLOG",
                            },
                        },
                    }
                    for n in range(start, start + 10_000)
                ]
                await tx.execute(insert(Event), rows)
            await tx.execute(update(Topic).where(Topic.name == topic).values(last=last + count))
        with app.counting() as statements:
            found = await burndown(app, id)
        assert len(reads(statements)) <= 5, reads(statements)
        assert len(found["days"]) == 301
        figure(statements=len(reads(statements)))
