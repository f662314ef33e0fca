"""What an answer looks like on HTTP, and what it never says."""

import asyncio
import json
import logging
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kit.graphql import RequestPolicy, request_id
from kit.graphql.http.accept import preferred, prefers_graphql
from tests.graphql.corpus import GRAPHQL, JSON
from tests.graphql.requests import Answer, ask, http, scope
from tests.graphql.toy import COUNTS, Context, Ending, Toy, explain
from tests.pace import leeway

STREAM = {"accept": "text/event-stream"}
MULTIPART = {"accept": "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"}


@pytest.fixture
def view() -> Any:
    return Toy().view


@pytest.mark.parametrize(
    ("accept", "graphql", "stream"),
    [
        ("", False, False),
        ("*/*", False, False),
        (GRAPHQL, True, False),
        (f"{JSON}, {GRAPHQL}", False, False),
        (f"{GRAPHQL}, {JSON};q=0.9", True, False),
        (f"{JSON};q=0.5, {GRAPHQL}", True, False),
        ("text/event-stream", False, True),
        # urql: names a stream in every query, last
        (f"{GRAPHQL}, {JSON}, text/event-stream, multipart/mixed", True, False),
        (f"text/event-stream;q=0.1, {JSON}", False, False),
        (f"text/event-stream, {JSON}", False, True),
    ],
)
def test_the_client_chooses_the_form(accept: str, graphql: bool, stream: bool) -> None:
    best = preferred(accept)
    assert prefers_graphql(accept) is graphql
    assert (best is not None and best.type == "text/event-stream") is stream


@pytest.mark.parametrize(
    ("query", "code", "status"),
    [
        ("{", "GRAPHQL_PARSE_FAILED", 400),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED", 400),
        ("query($n: Int!) { number(n: $n) }", "BAD_USER_INPUT", 400),
        ("{ cards(first: 101) { id } }", "LIMIT_EXCEEDED", 400),
        ("{ strictBug }", "INTERNAL", 200),
        ("{ refused }", "REFUSED", 200),
    ],
)
async def test_an_error_has_a_code_and_a_status(view: Any, query: str, code: str, status: int) -> None:
    told = await ask(view, query, {"accept": GRAPHQL, "x-request-id": "abc-1"})
    assert (told.status, told.codes) == (status, [code])
    assert told.json["errors"][0]["extensions"]["requestId"] == "abc-1"
    assert ("data" in told.json) is (status == 200)
    plain = await ask(view, query, {"accept": JSON})
    assert (plain.status, plain.codes, "data" in plain.json) == (200, [code], True)


async def test_what_a_resolver_did_not_mean_for_the_client_is_masked(
    view: Any, caplog: pytest.LogCaptureFixture
) -> None:
    query = '{ bug plainGraphqlError strictly: strictBug secret: echo(text: "CANARY-literal") }'
    with caplog.at_level(logging.INFO):
        answer = await ask(view, query)
        stream = await ask(view, "subscription { failing }", STREAM)
    assert b"CANARY" not in answer.body + stream.body
    told = {str(e["path"]): e["message"] for e in answer.json["errors"]}
    assert set(told.values()) == {"Internal error"}
    assert "['strictly']" in told
    assert "INTERNAL" in stream.body.decode()
    logged = " ".join(str(record.__dict__) for record in caplog.records)
    assert "CANARY" not in logged
    assert "toy.py" in logged, "The log says where it was raised"


async def test_what_was_meant_for_the_client_arrives(view: Any) -> None:
    answer = await ask(view, "{ public refused }")
    public, refused = answer.json["errors"]
    assert public["message"] == "meant for you"
    assert public["path"] == ["public"]
    assert public["extensions"]["code"] == "TEAPOT"
    assert public["extensions"]["size"] == 3
    assert refused["message"] == "not from BACKLOG"
    assert refused["extensions"]["at"] == "BACKLOG"


async def test_one_line_is_logged_and_no_secret(view: Any, caplog: pytest.LogCaptureFixture) -> None:
    query = 'query Login($p: String!) { login(name: "CANARY1", password: $p) }'
    with caplog.at_level(logging.INFO):
        await ask(view, query, {"x-request-id": "r.1"}, variables={"p": "CANARY2"})
    [line] = [record for record in caplog.records if record.name == "signalbox.operation"]
    told = line.__dict__
    assert (told["request_id"], told["operation_type"]) == ("r.1", "query")
    assert (told["operation_name"], told["codes"]) == ("Login", ["UNAUTHENTICATED"])
    assert told["milliseconds"] >= 0
    assert "CANARY" not in " ".join(str(record.__dict__) for record in caplog.records)


async def test_a_suggestion_is_not_given(view: Any) -> None:
    answer = await ask(view, "{ hullo }")
    assert "hello" not in answer.body.decode()


@pytest.mark.parametrize(
    ("offered", "kept"), [("A.b_c-1", True), ("a" * 64, True), ("a" * 65, False), ("a b", False)]
)
async def test_a_request_id_is_kept_or_made(view: Any, offered: str, kept: bool) -> None:
    answer = await ask(view, "{ bug }", {"x-request-id": offered})
    told = answer.headers["x-request-id"]
    assert (told == offered) is kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", told)
    assert answer.json["errors"][0]["extensions"]["requestId"] == told
    assert request_id.get() == told


async def test_who_is_not_known_is_401(view: Any) -> None:
    answer = await ask(view, "{ hello }", {"authorization": "bad"})
    assert (answer.status, answer.codes) == (401, ["UNAUTHENTICATED"])
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json["errors"][0]["extensions"]["reason"] == "unknown"


async def test_a_browser_gets_the_explorer_and_a_client_does_not(view: Any) -> None:
    page = await http(view, "GET", headers={"accept": "text/html,*/*;q=0.8"})
    assert page.body == b"<p>explorer"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert (await http(view, "GET", headers={"accept": "*/*"})).codes == ["BAD_REQUEST"]
    asked = await http(view, "GET", headers={"accept": "text/html"}, query="query={hello}")
    assert asked.json == {"data": {"hello": "world"}}


async def test_get_reads_and_can_be_turned_off(view: Any) -> None:
    read = await http(view, "GET", headers={}, query="query=query($n:Int!){number(n:$n)}"
                      "&variables={%22n%22:7}&operationName=")  # fmt: skip
    assert read.json == {"data": {"number": 7}}
    locked = await http(Toy(more={"queries_by_get": False}).view, "GET", headers={}, query="query={hello}")
    assert (locked.status, locked.headers["allow"]) == (405, "POST")


async def test_a_subscription_needs_a_stream(view: Any) -> None:
    answer = await ask(view, "subscription { count }")
    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])
    assert "text/event-stream" in answer.json["errors"][0]["message"]


async def test_an_operation_has_a_deadline() -> None:
    app = Toy(policy=RequestPolicy(deadline=0.05, explain=explain))
    before = COUNTS.slow_ended
    for accept in (JSON, GRAPHQL):
        answer = await ask(app.view, "{ slow }", {"accept": accept})
        assert (answer.status, answer.codes) == (200, ["TIMEOUT"])
        assert answer.json["data"] is None
    assert COUNTS.slow_ended == before + 2


async def test_a_query_ends_with_its_client_and_a_mutation_does_not(view: Any) -> None:
    before, finished = COUNTS.slow_ended, COUNTS.slow_finished
    body = json.dumps({"query": "{ slow }"}).encode()
    began = time.monotonic()
    async with asyncio.timeout(60):
        gone = await http(view, body=body, gone_after=0.05)
    assert time.monotonic() - began < leeway(3), "It was the connection that ended it"
    assert (gone.status, COUNTS.slow_ended, COUNTS.slow_finished) == (0, before + 1, finished)
    body = json.dumps({"query": "mutation { slowTouch(seconds: 0.3) }"}).encode()
    done = await http(view, body=body, gone_after=0.05)
    assert (done.json["data"], COUNTS.slow_finished) == ({"slowTouch": "touched"}, finished + 1)


def events(answer: Answer) -> list[tuple[str, Any]]:
    assert "\r" not in answer.body.decode()
    found = []
    for block in answer.body.decode().split("\n\n"):
        if block.startswith("event: "):
            name, data = block.split("\n")
            found.append((name[7:], json.loads(data[6:]) if data[6:] else None))
    return found


async def test_a_stream_of_events(view: Any) -> None:
    answer = await ask(view, "subscription { count(to: 2) }", STREAM)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "content-length" not in answer.headers
    assert events(answer) == [
        ("next", {"data": {"count": 0}}),
        ("next", {"data": {"count": 1}}),
        ("complete", None),
    ]
    query = await ask(view, "{ hello }", STREAM)
    assert events(query) == [("next", {"data": {"hello": "world"}}), ("complete", None)]
    wrong = events(await ask(view, "{ nope }", STREAM))
    assert wrong[0][1]["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_stream_that_breaks_says_so(view: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> Any:
        raise RuntimeError("CANARY")

    monkeypatch.setattr(view, "process_result", broken)
    told = events(await ask(view, "subscription { count }", STREAM))
    assert [name for name, _ in told] == ["next", "complete"]
    assert told[0][1]["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "CANARY" not in str(told)


async def test_a_multipart_subscription(view: Any) -> None:
    answer = await ask(view, "subscription { count(to: 2) }", MULTIPART)
    assert answer.headers["content-type"].startswith("multipart/mixed;boundary=graphql")
    parts = [p.split("\r\n\r\n")[1] for p in answer.body.decode().split("--graphql")[:-2]]
    assert [json.loads(part) for part in parts] == [
        {},
        {"payload": {"data": {"count": 0}}},
        {"payload": {"data": {"count": 1}}},
    ]


LONG = "subscription { count(to: 1000000, every: 0.02) }"


async def test_a_stream_ends_when_access_does(view: Any) -> None:
    async with asyncio.timeout(60):
        answer = await ask(view, LONG, {**STREAM, "authorization": "for 0.2"})
    told = events(answer)
    assert told[-1][0] == "complete"
    [error] = told[-2][1]["errors"]
    assert error["message"] == "Token expired"
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert error["extensions"]["reason"] == "EXPIRED"
    assert COUNTS.alive == 0


async def test_a_clock_may_be_given_and_a_stream_may_be_revoked() -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    app = Toy(more={"now": lambda: later})
    told = events(await ask(app.view, LONG, {**STREAM, "authorization": "for 3600"}))
    assert told[-2][1]["errors"][0]["extensions"]["reason"] == "EXPIRED"
    app = Toy(revoked=Ending())
    assert isinstance(app._context("x"), Context)
    asyncio.get_running_loop().call_later(0.1, app.revoked.set)  # type: ignore[union-attr]
    told = events(await ask(app.view, LONG, STREAM))
    assert told[-2][1]["errors"][0]["extensions"]["reason"] == "REVOKED"


async def test_a_stream_completes_when_the_server_drains() -> None:
    app = Toy()
    asyncio.get_running_loop().call_later(0.1, app.draining.begin)
    async with asyncio.timeout(60):
        told = events(await ask(app.view, LONG, STREAM))
    assert told[-1] == ("complete", None)
    assert "data" in told[-2][1]
    assert COUNTS.alive == 0


async def test_a_silent_stream_has_a_pulse(view: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view._stream_transport_map["sse"], "heartbeat_interval", 0.05)
    answer = await ask(view, "subscription { count(to: 2, every: 0.2) }", STREAM)
    assert answer.body.count(b": ping\n\n") >= 3


async def test_an_integer_of_any_size_can_be_answered(view: Any) -> None:
    answer = await ask(view, "query($v: JSON!) { json(value: $v) }", variables={"v": 2**70})
    assert answer.status == 200
    assert answer.json["data"]["json"] == float(2**70)


@pytest.mark.parametrize(
    ("kind", "begun"), [(JSON, b'{"query": "{'), ("multipart/form-data; boundary=x", b"--x\r\nContent-Disp")]
)
async def test_a_client_that_hangs_up_while_it_sends_is_no_error(
    kind: str, begun: bytes, caplog: Any
) -> None:
    view = Toy(more={"uploads": True}).view
    headers = {"content-type": kind, "content-length": "1000", "graphql-require-preflight": "1"}
    messages = [
        {"type": "http.request", "body": begun, "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        raise AssertionError("nobody is there to be told")

    with caplog.at_level(logging.INFO):
        await view(scope("http", "POST", "/graphql", "", headers), receive, send)
    [told] = caplog.records
    assert (told.levelname, told.exc_info) == ("INFO", None)
    assert told.message == "a client hung up while it sent its request"
