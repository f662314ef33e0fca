"""A run's feed: history, then live, what is being said in between, and an end."""

import asyncio
import random
import signal

import httpx2
import pytest
from graphql import get_named_type
from sqlalchemy import delete, select

from actions.run_log import RUN_LOG
from kit.db.database import Database
from models.run import RunLogLine
from models.topic import run_topic
from models.workspace import Membership
from protocol.events import EVENTS, OutputText
from protocol.rows import to_row
from tests.client import Refused
from tests.runs import REPORT, every_event, has_run, output
from tests.tenants import SCHEMA
from worker.coalesce import Coalescer

FEED = """subscription($run: ID!, $after: String) { runFeed(runId: $run, after: $after) {
  __typename seq cursor at
  ... on RunLine { type text agent attempt }
  ... on RunOutput { item part }
  ... on RunChunk { item part offset text attempt }
  ... on RunEnded { status summary outcome reason } } }"""
LOG = """query($id: ID!, $first: Int, $last: Int, $after: String, $types: [RunEventType!], $levels: [LogLevel!],
  $agent: String, $afterSeq: Int) {
  run(id: $id) { seq cursor agents { agent count firstAt lastAt }
    events(first: $first, last: $last, after: $after, types: $types, levels: $levels, agent: $agent,
      afterSeq: $afterSeq) { totalCount nodes { seq text } pageInfo { endCursor hasNextPage } } } }"""


def follows(app, held, after=None, actor=""):
    return app.follow(FEED, actor, run=held.id, after=after)


async def items(hear, count):
    """The next items of the agent's; the server says for itself when attempts begin and end."""
    heard = []
    while len(heard) < count:
        item = (await hear())["runFeed"]
        heard += [item] * (item["__typename"] not in SERVER)
    return heard


SERVER = ("RunStatusLine", "RunAttempt")


async def until_end(hear):
    """Everything until the feed ends, but for what the server says."""
    heard = []
    while (item := await hear()) is not None:
        heard += [item["runFeed"]] * (item["runFeed"]["__typename"] not in SERVER)
    return heard


def texts(heard):
    return [(item["__typename"], item.get("text")) for item in heard]


async def test_history_then_live_then_the_end(run):
    async with run() as app:
        held = await has_run(app)
        await held.report("1", output("one"), output("two", 1))
        async with follows(app, held, "0") as hear:
            heard = await items(hear, 2)
            await held.report("2", output("three", 2))
            heard += await items(hear, 1)
            await held.completes("All done")
            heard += await until_end(hear)
        assert [item["seq"] for item in heard] == [1, 2, 3, 4]
        assert texts(heard[:3]) == [("RunOutput", "one"), ("RunOutput", "two"), ("RunOutput", "three")]
        end = heard[3]
        assert (end["__typename"], end["status"], end["summary"]) == ("RunEnded", "SUCCEEDED", "All done")
        assert end["cursor"] == heard[2]["cursor"].replace(".3", ".4"), "behind the line that tells the end"


async def test_a_run_that_ended_before_is_history_and_its_end(run):
    async with run() as app:
        held = await has_run(app)
        await held.report("1", *(output(f"{n}", n) for n in range(120)))
        await held.completes()
        async with follows(app, held, "0") as hear:
            heard = await until_end(hear)
        assert [item["seq"] for item in heard] == [*range(1, 121), 121]
        assert heard[-1]["__typename"] == "RunEnded"
        async with follows(app, held, heard[99]["cursor"]) as hear:
            assert [item["seq"] for item in await until_end(hear)] == [*range(101, 121), 121]
        async with follows(app, held) as hear:
            assert [item["__typename"] for item in await until_end(hear)] == ["RunEnded"]


async def test_a_run_that_said_nothing_ends_too(run):
    async with run() as app:
        held = await has_run(app)
        async with follows(app, held) as hear:
            await held.completes()
            [end] = await until_end(hear)
        assert (end["__typename"], end["seq"]) == ("RunEnded", 1), "the server said the only line"


async def test_chunks_are_heard_and_the_part_that_keeps_them_follows(run):
    async with run() as app:
        held = await has_run(app)
        async with follows(app, held, "0") as hear:
            await held.report("1", output("Hel", chunk=True))
            first = (await items(hear, 1))[0]
            assert (first["offset"], first["text"], first["seq"], first["part"]) == (0, "Hel", 0, 0)
            await held.report("2", output("lo, ", chunk=True))
            second = (await items(hear, 1))[0]
            assert (second["offset"], second["text"]) == (3, "lo, ")
            await held.report("3", output("Hello, you"), output("and", 1, chunk=True))
            kept, more = await items(hear, 2)
            assert (kept["__typename"], kept["seq"], kept["text"]) == ("RunOutput", 1, "Hello, you")
            assert (more["seq"], more["part"], more["offset"], more["text"]) == (1, 1, 0, "and")
            assert more["cursor"] == kept["cursor"]


async def test_who_comes_late_is_given_what_was_said_so_far(run):
    async with run() as app:
        held = await has_run(app)
        await held.report("1", output("kept"), output("so ", 1, chunk=True))
        await held.report("2", output("far", 1, chunk=True), output("else", chunk=True, item="2"))
        for after, before in (("0", ["kept"]), (None, [])):
            async with follows(app, held, after) as hear:
                heard = await items(hear, len(before) + 2)
                assert sorted(item["text"] for item in heard) == sorted([*before, "so far", "else"])
                assert {item["seq"] for item in heard} == {1}


async def test_a_part_that_begins_anew_is_heard_from_its_start(run):
    """The program corrected itself, all between two looks of a follower."""
    async with run() as app:
        held = await has_run(app)
        async with follows(app, held, "0") as hear:
            await held.report("1", output("wrong", chunk=True))
            assert (await items(hear, 1))[0]["text"] == "wrong"
            await held.report("2", output("wrong"), output("right and longer", chunk=True))
            kept, chunk = await items(hear, 2)
            assert kept["text"] == "wrong"
            assert (chunk["part"], chunk["offset"], chunk["text"]) == (0, 0, "right and longer")


async def test_a_new_attempt_says_nothing_of_the_old_ones_chunks(run):
    async with run() as app:
        held = await has_run(app)
        async with follows(app, held, "0") as hear:
            await held.report("1", output("one"), output("lost", 1, chunk=True))
            await items(hear, 2)
            await held.releases()
            again = await held.is_claimed_again()
            await again.report("1 of 2", output("anew", 1, chunk=True))
            chunk = (await items(hear, 1))[0]
            assert (chunk["attempt"], chunk["offset"], chunk["text"]) == (2, 0, "anew")
            await again.report("2 of 2", output("anew", 1))
            assert [item["seq"] for item in await items(hear, 1)] == [4]


ALPHABET = "abc \n\"'\\\u00e9\u4e2d\U0001f600"


async def test_chunks_put_together_are_the_final_text_byte_for_byte(run):
    """As the worker says it: crumbs of any letters, coalesced, reported in any batches, followed all the while."""
    async with run() as app:
        held = await has_run(app)
        dice = random.Random(7)
        gather, clock, whole = Coalescer(), 0.0, {"1": "", "2": ""}
        batch, sent = [], 0

        async def send():
            nonlocal batch, sent
            if batch:
                await held.report(f"{sent}", *[to_row(event) for event in batch])
                batch, sent = [], sent + 1

        async with follows(app, held, "0") as hear:
            for _ in range(150):
                crumb = "".join(dice.choices(ALPHABET, k=dice.randint(1, 30)))
                item = "1" if dice.random() < 0.9 else "2"
                whole[item] += crumb
                batch += gather.feed(OutputText(item=item, text=crumb, chunk=True), clock)
                clock += dice.choice([0.01, 0.2, 3.0])
                batch += gather.tick(clock)
                if len(batch) > 20:
                    await send()
            batch += gather.close()
            await send()
            await held.completes()
            heard = await until_end(hear)
        chunks, kept = {}, {}
        for item in heard[:-1]:
            place = item["item"], item["part"]
            if item["__typename"] == "RunChunk":
                assert item["offset"] == len(chunks.get(place, "")), "no chunk is lost or heard twice"
                assert place not in kept, "no chunk of a part comes after the part"
                chunks[place] = chunks.get(place, "") + item["text"]
            else:
                kept[place] = item["text"]
        for place, text in chunks.items():
            assert kept[place].startswith(text), "what was shown is the beginning of what was kept"
        for item, text in whole.items():
            parts = [kept[place] for place in sorted(kept) if place[0] == item]
            assert "".join(parts).encode() == text.encode()


async def test_every_line_is_heard_once_by_whoever_comes_when(run):
    """Readers that come at any time, from any number, while a worker reports."""
    async with run(points=10**9) as app:
        held = await has_run(app)
        whole = [f"line {n}" for n in range(300)]

        async def work():
            for n in range(0, 300, 10):
                await held.report(f"{n}", *(output(text, n + m) for m, text in enumerate(whole[n : n + 10])))
            await held.completes()

        async def read(delay):
            await asyncio.sleep(delay)
            async with follows(app, held, "0") as hear:
                heard = [await items(hear, 25)]
            async with follows(app, held, heard[0][-1]["cursor"]) as hear:
                heard.append(await until_end(hear))
            return [item for some in heard for item in some]

        *readers, _ = await asyncio.gather(*(read(n * 0.2) for n in range(6)), work())
        for heard in readers:
            assert [item["seq"] for item in heard] == [*range(1, 301), 301]
            assert [item["text"] for item in heard[:-1]] == whole


async def test_permission_lost_in_the_middle_ends_the_feed(run):
    async with run() as app:
        held = await has_run(app)
        user = await app.has_user("bob")
        async with follows(app, held, "0", "bob") as hear:
            await held.report("1", output("one"))
            await items(hear, 1)
            async with app.begin() as tx:
                await tx.execute(delete(Membership).where(Membership.user_id == user))
            await held.report("2", output("secret"))
            assert await until_end(hear) == []


async def test_what_is_not_to_be_had_is_refused(run):
    async with run() as app:
        held, other = await has_run(app), await has_run(app)
        await held.report("1", output("one"))
        await other.report("1", output("one"))
        await app.has_user("eve", None)
        async with follows(app, held, "0", "eve") as hear:
            with pytest.raises(Refused) as refused:
                await hear()
            assert refused.value.code == "NOT_FOUND"
        async with follows(app, other, "0") as hear:
            cursor = (await items(hear, 1))[0]["cursor"]
        for after, code in (("x", "CURSOR_UNKNOWN"), (cursor, "CURSOR_EXPIRED")):
            async with follows(app, held, after) as hear:
                with pytest.raises(Refused) as refused:
                    await hear()
                assert refused.value.code == code


async def test_a_log_that_was_pruned_is_told(run):
    async with run() as app:
        held = await has_run(app)
        await held.report("1", *(output(f"{n}", n) for n in range(10)))
        await app.services.event_log.prune(run_topic(held.id), keep=4, log=RUN_LOG)
        async with follows(app, held, "0") as hear:
            with pytest.raises(Refused) as refused:
                await hear()
            assert refused.value.code == "CURSOR_EXPIRED"
            oldest = refused.value.errors[0]["extensions"]["oldest"]
        async with follows(app, held, oldest) as hear:
            assert [item["seq"] for item in await items(hear, 4)] == [7, 8, 9, 10]


async def test_the_log_is_read_in_pages_and_by_what_is_looked_for(run):
    async with run() as app:
        held = await has_run(app)
        sub = {**output("deep"), "agent": "helper"}
        fail = {"type": "ERROR", "text": "boom"}
        await held.report("1", output("a"), output("b", 1), sub, fail, {"type": "WARNING", "text": "hm"})

        async def seen(**how):
            return await app.data(LOG, id=held.id, **how)

        whole = await seen()
        assert [line["seq"] for line in whole["events"]["nodes"]] == [1, 2, 3, 4, 5]
        assert (whole["seq"], whole["events"]["totalCount"]) == (5, 5)
        assert [(one["agent"], one["count"]) for one in whole["agents"]] == [(None, 4), ("helper", 1)]
        page = await seen(first=2)
        assert [line["text"] for line in page["events"]["nodes"]] == ["a", "b"]
        page = await seen(first=2, after=page["events"]["pageInfo"]["endCursor"])
        assert [line["text"] for line in page["events"]["nodes"]] == ["deep", "boom"]
        for how, found in (
            ({"last": 2}, ["boom", "hm"]),
            ({"types": ["OUTPUT"]}, ["a", "b", "deep"]),
            ({"levels": ["ERROR", "WARNING"]}, ["boom", "hm"]),
            ({"agent": "helper"}, ["deep"]),
            ({"agent": "", "types": ["OUTPUT"]}, ["a", "b"]),
            ({"afterSeq": 3}, ["boom", "hm"]),
        ):
            assert [line["text"] for line in (await seen(**how))["events"]["nodes"]] == found, how
        async with follows(app, held, whole["cursor"]) as hear:
            await held.report("2", output("next", 2))
            assert texts(await items(hear, 1)) == [("RunOutput", "next")]


def everything(kind):
    """Select all fields of a type, two levels deep."""
    parts = ["__typename"]
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        below = getattr(inner, "fields", None)
        parts.append(f"{name} {{ {' '.join(below)} }}" if below and name != "asks" else "" if below else name)
    return f"... on {kind.name} {{ {' '.join(parts)} }}"


def lines():
    return SCHEMA.get_possible_types(SCHEMA.type_map["RunFeedItem"])


def test_no_two_items_mean_another_thing_by_a_name():
    """So that a client may ask for everything without renaming anything."""
    types = {}
    for kind in lines():
        for name, field in kind.fields.items():
            assert types.setdefault(name, str(field.type)) == str(field.type), (kind.name, name)


async def test_every_type_of_line_is_reported_and_heard_with_all_its_fields(run):
    async with run() as app:
        held = await has_run(app)
        events = list(every_event())
        assert len(events) == len(EVENTS)
        assert (await held.report("1", *events))["lastSeq"] == len(events)
        for kind in lines():
            query = f'subscription($run: ID!) {{ runFeed(runId: $run, after: "0") {{ {everything(kind)} }} }}'
            async with app.follow(query, run=held.id) as hear:
                heard = [(await hear())["runFeed"] for _ in events]
            if kind.name not in ("RunChunk", "RunEnded"):
                [found] = [item for item in heard if item.get("seq")]
                assert found["__typename"] == kind.name


# Several processes, and kills.


async def ask(process, query, **variables):
    async with httpx2.AsyncClient(timeout=30, headers=process.headers) as client:
        answer = (await client.post(process.http, json={"query": query, "variables": variables})).json()
    assert "errors" not in answer, answer
    [value] = answer["data"].values()
    return value


async def lines_of(url, run_id):
    database = Database(url)
    try:
        query = select(RunLogLine.seq, RunLogLine.text).where(RunLogLine.topic == run_topic(run_id))
        return [tuple(row) for row in await database.read(query.order_by(RunLogLine.seq))]
    finally:
        await database.close()


CROWD = {"POINTS": "1000000000", "POINTS_PER_SECOND": "1000000000", "LOG_LEVEL": "WARNING"}


async def test_chunks_and_lines_reach_a_follower_of_another_process(run, serve, fresh):
    url = await fresh()
    process = await serve(url, **CROWD)
    async with run(url) as app:
        held = await has_run(app)
        given = {"lease": held.lease, "key": "1", "events": [output("said", chunk=True)]}
        async with follows(app, held, "0") as hear:
            await ask(process, REPORT, input=given)
            assert texts(await items(hear, 1)) == [("RunChunk", "said")]
            kept = [output("said it"), output("x", 1, chunk=True)]
            await ask(process, REPORT, input={**given, "key": "2", "events": kept})
            assert texts(await items(hear, 2)) == [("RunOutput", "said it"), ("RunChunk", "x")]
            await held.completes()
            assert [item["__typename"] for item in await until_end(hear)] == ["RunEnded"]


async def test_what_was_acknowledged_is_there_once_after_kills(run, serve, fresh, figure):
    """The server is killed in the middle of reports, again and again; each is sent until it is answered."""
    url = await fresh()
    async with run(url) as app:
        held = await has_run(app)
    process = await serve(url, **CROWD)
    answered, done = [], asyncio.Event()

    async def report():
        number = 0
        async with httpx2.AsyncClient(timeout=10, headers=process.headers) as client:
            while not done.is_set():
                events = [output(f"{number}.{n}", number) for n in range(20)]
                given = {"lease": held.lease, "key": f"{number}", "events": events}
                body = {"query": REPORT, "variables": {"input": given}}
                try:
                    answer = (await client.post(process.http, json=body)).json()
                except httpx2.TransportError:
                    await asyncio.sleep(0.05)
                    continue
                if answer.get("errors"):
                    assert answer["errors"][0]["extensions"].get("retryable"), answer
                    continue
                told = answer["data"]["reportRunEvents"]
                assert told["__typename"] == "RunReported", told
                answered.append(told)
                number += 1

    reporting = asyncio.create_task(report())
    for _ in range(3):
        before, deadline = len(answered), asyncio.get_running_loop().time() + 60
        while len(answered) < before + 5 and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        process.signal(signal.SIGKILL)
        await asyncio.to_thread(process.process.wait)
        process.start()
        await process.ready(60)
    done.set()
    await reporting
    kept = await lines_of(url, held.id)
    assert [seq for seq, _ in kept] == list(range(1, len(kept) + 1))
    assert [text for _, text in kept] == [f"{n}.{m}" for n in range(len(answered)) for m in range(20)]
    assert [told["lastSeq"] for told in answered] == [20 * (n + 1) for n in range(len(answered))]
    figure(reports=len(answered), again=sum(told["duplicate"] for told in answered))
