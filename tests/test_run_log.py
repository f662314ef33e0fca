"""A run's log: what is reported is taken once, in order, and only from whoever holds the run."""

import asyncio

from sqlalchemy import func, select

from kit.eventlog.tables import Event, Topic
from kit.queue import Attempt
from models.events.run import RunProgressed
from models.run import MAX_DATA, MAX_EVENTS, MAX_TEXT, Run, RunLive, RunLogLine, RunReport, RunStatus
from models.topic import board_topic, run_topic
from tests.board import reads
from tests.runs import REPORT, has_run, output

FIELDS = """state todosDone todosTotal task agent tool toolText activity percent step steps finishReason
  inputTokens outputTokens costUsd contextWindow contextUsed"""
SHOWN = f"query($id: ID!) {{ run(id: $id) {{ progress {{ {FIELDS} }} }} }}"
FEED = f"""subscription($id: ID!, $after: String) {{ boardFeed(boardId: $id, after: $after) {{
  event {{ kind: __typename ... on RunProgressed {{ run {{ id }} progress {{ {FIELDS} }} }} }} }} }}"""
PROGRESS = {
    "state": "STARTED",
    "todosDone": 1,
    "todosTotal": 3,
    "task": "Write",
    "agent": None,
    "tool": "Bash",
    "toolText": "make test",
    "activity": "make test",
    "percent": None,
    "step": None,
    "steps": None,
    "finishReason": None,
    "inputTokens": 10,
    "outputTokens": 2,
    "costUsd": 0.5,
    "contextWindow": None,
    "contextUsed": None,
}


async def rows(app, run, *columns):
    query = select(*(columns or (RunLogLine.__table__,))).where(RunLogLine.topic == run_topic(run.id))
    return list(await app.services.database.read(query.order_by(RunLogLine.seq)))


async def said(app, run):
    """The texts of the agent's lines; the server says for itself when attempts begin and end."""
    return [row.text for row in await rows(app, run) if row.type not in ("STATUS", "ATTEMPT")]


async def count(app, table):
    [[number]] = await app.services.database.read(select(func.count()).select_from(table))
    return number


async def stored(app, run):
    [row] = await app.services.database.read(select(Run.__table__).where(Run.id == run.id))
    return row


async def told(app, run):
    """The kinds of what the board was told of its runs."""
    query = select(Event.kind).where(Event.topic == board_topic(run.board)).order_by(Event.seq)
    return [row.kind for row in await app.services.database.read(query) if row.kind.startswith("RUN_")]


async def test_a_report_is_kept_in_order_and_numbered_from_one(run):
    async with run() as app:
        held = await has_run(app)
        first = await held.report("1", {"type": "STATUS", "data": {"state": "STARTED"}}, output("one"))
        assert first == {
            "__typename": "RunReported",
            "runId": held.id,
            "lastSeq": 2,
            "duplicate": False,
        }
        second = await held.report("2", output("two", 1), output("three", 2))
        assert second["lastSeq"] == 4
        assert [(row.seq, row.attempt, row.type, row.level, row.text) for row in await rows(app, held)] == [
            (1, 1, "STATUS", "INFO", ""),
            (2, 1, "OUTPUT", "INFO", "one"),
            (3, 1, "OUTPUT", "INFO", "two"),
            (4, 1, "OUTPUT", "INFO", "three"),
        ]


async def test_a_report_that_comes_again_appends_nothing(run):
    async with run() as app:
        held = await has_run(app)
        batch = [output("one"), output("more", 1, chunk=True)]
        assert (await held.report("1", *batch))["duplicate"] is False
        again = await held.report("1", *batch)
        assert again == {"__typename": "RunReported", "runId": held.id, "lastSeq": 1, "duplicate": True}
        assert await said(app, held) == ["one"]
        [[text]] = await app.services.database.read(select(RunLive.text))
        assert text == "more", "a chunk is not shown twice"
        other = await held.report("1", output("another"))
        assert other["code"] == "CONFLICT"
        assert await said(app, held) == ["one"]


async def test_of_many_at_once_with_one_key_one_is_taken(run):
    async with run() as app:
        held = await has_run(app)
        batch = [output(f"line {n}") for n in range(10)]
        answers = await asyncio.gather(*(held.report("key", *batch) for _ in range(20)))
        assert [answer["lastSeq"] for answer in answers] == [10] * 20
        assert sorted(answer["duplicate"] for answer in answers) == [False] + [True] * 19
        assert len(await said(app, held)) == 10
        assert await count(app, RunReport) == 1


async def test_reports_at_once_under_other_keys_are_all_taken_whole(run):
    async with run() as app:
        held = await has_run(app)
        batches = [[output(f"{n}.{m}") for m in range(5)] for n in range(20)]
        await asyncio.gather(*(held.report(f"{n}", *batch) for n, batch in enumerate(batches)))
        lines = await rows(app, held)
        assert [line.seq for line in lines] == list(range(1, 101))
        texts = [line.text for line in lines]
        assert sorted(texts[at : at + 5] for at in range(0, 100, 5)) == sorted(
            [line["text"] for line in batch] for batch in batches
        )


LOST = {"__typename": "LeaseLost", "code": "LEASE_LOST"}


async def test_a_stale_lease_is_refused_and_changes_nothing(run):
    async with run() as app:
        held = await has_run(app)
        await held.report("1", output("one"))
        await held.releases()
        next_one = await held.is_claimed_again()
        before = await stored(app, held), await count(app, RunReport), await said(app, held)
        for lease in (
            {},
            {"token": "guessed"},
            {"attempt": 2},
            {"attempt": 3},
            {"token": "\u2028\U0001f600"},
        ):
            answer = await held.report("2", output("late"), **lease)
            assert {name: answer[name] for name in LOST} == LOST, lease
            assert answer["runId"] == held.id
        assert (await stored(app, held), await count(app, RunReport), await said(app, held)) == before
        assert (await held.report("1", output("one")))["duplicate"] is True, "what was taken stays taken"
        assert (await next_one.report("2", output("two")))["lastSeq"] == 4, "two of them the server's"


async def test_a_report_after_the_end_is_refused(run):
    async with run() as app:
        held = await has_run(app)
        await held.report("1", output("one"), output("still", 1, chunk=True))
        await held.completes()
        before = await stored(app, held)
        assert (await held.report("2", output("late")))["code"] == "LEASE_LOST"
        assert await stored(app, held) == before
        assert await said(app, held) == ["one"]
        assert await count(app, RunLive) == 0, "what was being said is forgotten"


TOO_MUCH = [
    ("events", []),
    ("events.0.text", [output("x" * (MAX_TEXT + 1))]),
    ("events.1.data", [output("x"), output("x", tool="x" * MAX_DATA)]),
    ("events.0.agent", [{**output("x"), "agent": "x" * 201}]),
]
WRONG = [
    [output("x", part="one")],
    [output("x", stream="LOUD")],
    [{"type": "OUTPUT", "data": []}],
    [{"type": "OUTPUT", "data": "x"}],
    [{"type": "STATUS"}],
    [{"type": "TODO", "data": {"items": [{"state": "DONE"}]}}],
    [{"type": "TODO", "data": {"items": 7}}],
    [{"type": "USAGE", "data": {"input_tokens": 2**60}}],
    [{"type": "TOOL_STARTED", "data": {"tool": "1", "name": "x", "input": []}}],
]


async def test_what_is_too_much_or_no_event_is_refused_whole(run):
    async with run() as app:
        held = await has_run(app)
        for path, events in TOO_MUCH:
            answer = await held.report("1", *events)
            assert answer["code"] == "INVALID", path
            assert [issue["path"] for issue in answer["issues"]] == [path]
        many = {"lease": held.lease, "key": "1", "events": [output("x")] * (MAX_EVENTS + 1)}
        assert (await app.ask(REPORT, input=many))["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
        for events in WRONG:
            answer = await held.report("1", output("good"), *events)
            assert answer["code"] == "INVALID", events
            assert answer["issues"][0]["path"].startswith("events.1"), answer
        for key in ("", "x" * 101):
            assert (await held.report(key, output("x")))["issues"][0]["path"] == "key"
        assert await said(app, held) == []
        assert (await stored(app, held)).status is RunStatus.CLAIMED


LITERAL = """mutation { reportRunEvents(input: {lease: {runId: "%s", attempt: 1, token: "%s"}, key: "%s", events: [
  {type: TOOL_STARTED, text: "a\\u0001b", data: {tool: "1", name: "x", input: %s}}]}) {
  __typename ... on Refusal { code message } } }"""


async def test_no_data_is_an_internal_error(run):
    """What JSON cannot say can be said in the document itself."""
    async with run() as app:
        held = await has_run(app)
        deep = "{a:" * 300 + "1" + "}" * 300
        for n, (data, code) in enumerate(
            [
                ('{a: "\\u0000"}', "BAD_USER_INPUT"),
                ('{a: "\\u0001"}', None),
                ("{a: 1e999}", "INVALID"),
                (deep, "INVALID"),
                ("{a: -0.0, b: null}", None),
            ]
        ):
            answer = await app.ask(LITERAL % (held.id, held.ticket.token, n, data))
            errors = [error["extensions"]["code"] for error in answer.get("errors", ())]
            assert "INTERNAL" not in errors, answer
            assert errors or answer["data"]["reportRunEvents"].get("code") == code, answer
        assert [line.text for line in await rows(app, held)] == ["a\x01b"] * 2


async def test_the_first_report_starts_the_run(run):
    async with run() as app:
        held = await has_run(app)
        assert (await stored(app, held)).status is RunStatus.CLAIMED
        await held.report("1", output("one"))
        row = await stored(app, held)
        assert row.status is RunStatus.RUNNING
        assert row.started_at is not None
        assert row.reported_at is not None
        assert await told(app, held) == ["RUN_QUEUED", "RUN_CLAIMED", "RUN_STARTED"]


async def test_a_report_extends_the_lease(run):
    async with run() as app:
        held = await has_run(app)

        async def until():
            [[until]] = await app.services.database.read(select(Attempt.lease_until))
            return until

        before = await until()
        await held.report("1", output("one", chunk=True))
        assert await until() > before


async def test_the_progress_of_a_run_is_kept_and_the_board_told_once_a_second(run):
    async with run() as app:
        held = await has_run(app)
        todo = [
            {"text": "Read", "state": "DONE"},
            {"text": "Write", "state": "IN_PROGRESS"},
            {"text": "Test"},
        ]
        await held.report(
            "1",
            {"type": "STATUS", "data": {"state": "STARTED"}},
            {"type": "TODO", "data": {"items": todo}},
            {"type": "TOOL_STARTED", "text": "make test", "data": {"tool": "t1", "name": "Bash"}},
            {"type": "USAGE", "data": {"input_tokens": 10, "output_tokens": 2, "cost_usd": 0.5}},
        )
        shown = await app.data(SHOWN, id=held.id)
        assert shown["progress"] == PROGRESS
        kept = (await stored(app, held)).progress
        assert (kept["todos_done"], kept["todos_total"], kept["task"]) == (1, 3, "Write")
        assert len(kept["tools"]) == 1
        for n in range(10):
            await held.report(f"more {n}", {"type": "PROGRESS", "text": f"At {n}", "data": {"percent": n}})
        assert (await told(app, held)).count("RUN_PROGRESS") in (1, 2)
        await held.report("last", {"type": "TOOL_FINISHED", "data": {"tool": "t1"}})
        kept = (await stored(app, held)).progress
        assert kept["tools"] == []
        assert (kept["activity"], kept["percent"]) == ("At 9", 9)
        query = select(Event.data).where(Event.kind == RunProgressed.kind).order_by(Event.seq)
        [first, *_] = [row.data for row in await app.services.database.read(query)]
        assert (first["run_id"], first["card_id"]) == (held.id, held.card)
        assert first["progress"]["tool"] == "Bash"
        assert first["progress"]["tool_text"] == "make test"
        async with app.follow(FEED, id=held.board, after="0") as hear:
            while (event := (await hear())["boardFeed"])["kind"] != "RunProgressed":
                pass
        assert event["run"] == {"id": held.id}
        assert (event["progress"]["tool"], event["progress"]["toolText"]) == ("Bash", "make test")
        assert (event["progress"]["todosDone"], event["progress"]["todosTotal"]) == (1, 3)


async def test_a_report_of_any_size_is_a_fixed_number_of_statements(run, figure):
    async with run() as app:
        held = await has_run(app)
        await held.report("0", output("one"))
        for n, size in enumerate((1, 100, 250)):
            with app.counting() as statements:
                await held.report(f"of {size}", *(output(f"{m}") for m in range(size)))
            figure(events=size, statements=len(reads(statements)))
            assert len(reads(statements)) <= 10, statements
            with app.counting() as statements:
                await held.report(f"chunks {n}", *(output("x", chunk=True, item=f"{m}") for m in range(size)))
            assert len(reads(statements)) <= 9, statements


async def test_who_may_only_look_does_not_report(run):
    async with run() as app:
        held = await has_run(app)
        await app.has_user("vic", "VIEWER")
        await app.has_user("eve", None)
        assert (await held.report("1", output("x"), actor="vic"))["code"] == "FORBIDDEN"
        assert (await held.report("1", output("x"), actor="eve"))["code"] == "NOT_FOUND"
        assert await said(app, held) == []


async def test_a_log_is_its_own_and_leaves_events_alone(run):
    """Lines and events are numbered by the same table, each in its topic."""
    async with run() as app:
        held = await has_run(app)
        await held.report("1", *(output(f"{n}") for n in range(7)))
        query = select(Topic.name, Topic.last).where(Topic.name.like("run:%"))
        assert [tuple(row) for row in await app.services.database.read(query)] == [(run_topic(held.id), 7)]
        [[events]] = await app.services.database.read(
            select(func.count()).select_from(Event).where(Event.topic.like("run:%"))
        )
        assert events == 0


async def test_an_answer_that_was_lost_is_had_again_by_the_header_too(run):
    async with run() as app:
        held = await has_run(app)
        given = {"lease": held.lease, "key": "1", "events": [output("one")]}
        headers = {"idempotency-key": "one"}
        first = (await app.post(REPORT, {"input": given}, headers=headers)).json()
        assert (await app.post(REPORT, {"input": given}, headers=headers)).json() == first
        assert await said(app, held) == ["one"]
