"""Nothing a client sends makes a 5xx, a torn socket, or a wait of a second."""

import json
import random
import time
from typing import Any

import pytest

from tests.graphql import corpus
from tests.graphql.requests import http, socket
from tests.graphql.toy import Toy
from tests.pace import leeway

CASES = corpus.http_cases()
DIALOGUES = corpus.dialogues()
SLOW = 1.0  # seconds


@pytest.fixture(scope="module")
def view() -> Any:
    return Toy(more={"uploads": False}).view


async def check(view: Any, method: str, body: Any, headers: Any, query: str) -> int:
    began = time.perf_counter()
    answer = await http(view, method, body, headers, query)
    took = time.perf_counter() - began
    assert 200 <= answer.status < 500, answer.body[:300]
    assert took < SLOW or took < leeway(SLOW), f"{took:.2f} s"
    if not answer.headers["content-type"].startswith("text/event-stream"):
        told = answer.json
        assert "data" in told or told["errors"]
        for error in told.get("errors", ()):
            assert error["message"]
            assert {"code", "requestId"} <= error["extensions"].keys()
            assert error["extensions"]["code"] != "INTERNAL"
    assert answer.headers["x-request-id"]
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    return answer.status


def test_the_corpora_are_as_large_as_promised() -> None:
    assert len(CASES) >= 200
    assert len(DIALOGUES) >= 64
    assert len(corpus.attacks()) >= 40


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
async def test_a_bad_request_is_told_so(view: Any, case: corpus.Case) -> None:
    _, method, body, headers, query = case
    await check(view, method, body, headers, query)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"null", 400), (b"[1]", 400), (b"\xff", 400), (b'{"query":"{hello}","variables":[]}', 400),
        (b'{"query":"{hello}","operationName":1}', 400), (b" " * ((1 << 20) + 1), 413),
        ([b" " * 600_000, b" " * 600_000], 413),
    ],
)  # fmt: skip
@pytest.mark.parametrize("accept", [corpus.JSON, corpus.GRAPHQL])
async def test_a_malformed_body_is_the_same_to_all(view: Any, body: Any, status: int, accept: str) -> None:
    answer = await http(view, body=body, headers={"content-type": corpus.JSON, "accept": accept})
    assert (answer.status, answer.codes) == (status, ["BAD_REQUEST"])
    assert "data" not in answer.json
    assert answer.headers["content-type"].startswith(accept)


async def test_a_declared_length_is_refused_before_a_byte_is_read(view: Any) -> None:
    headers = {"content-type": corpus.JSON, "content-length": str(200 << 20)}
    answer = await http(view, body=b"{}", headers=headers)
    assert (answer.status, answer.codes) == (413, ["BAD_REQUEST"])


async def test_a_wrong_method_and_a_wrong_type_are_named(view: Any) -> None:
    wrong = await http(view, "PUT")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, POST")
    mutation = await http(view, "GET", headers={}, query="query=mutation{touch}")
    assert (mutation.status, mutation.headers["allow"]) == (405, "POST")
    text = await http(view, body=b"{}", headers={"content-type": "text/plain"})
    assert (text.status, text.codes) == (415, ["BAD_REQUEST"])


UPLOAD = {"content-type": "multipart/form-data; boundary=b", "x-require-preflight": "1"}


def form(**parts: str) -> bytes:
    lines = [
        f'--b\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parts.items()
    ]
    return ("".join(lines) + "--b--\r\n").encode()


GOOD = '{"query":"{hello}","variables":{"f":null}}'
FORMS: dict[str, tuple[bytes, str]] = {
    "good": (form(operations=GOOD, map="{}"), "b"),
    "no boundary": (form(operations=GOOD), ""),
    "wrong boundary": (form(operations=GOOD), "c"),
    "garbage": (b"\x00\xff" * 100, "b"),
    "empty": (b"", "b"),
    "batch": (form(operations=f"[{GOOD}]", map="{}"), "b"),
    "2000 fields": (form(**{f"f{n}": "x" for n in range(2000)}), "b"),
    "2 MB field": (form(operations="x" * (2 << 20)), "b"),
    **{
        f"map {value}": (form(operations=GOOD, map=value, **{"0": "x"}), "b")
        for value in (
            "[]", "1", "null", "x", '{"0": 1}', '{"0": [1]}', '{"0": ["variables.f.g"]}',
            '{"0": ["variables.f.0"]}', '{"0": [""]}', '{"1": ["variables.f"]}',
            '{"0": ["query.x"]}',
            '{"0": ["nope.f"]}', '{"0": "variables.f"}', '{"0": ["variables.f.99999999999"]}',
        )
    },
    **{
        f"operations {value}": (form(operations=value, map="{}"), "b")
        for value in ("null", "1", '"x"', "[]", "{", "[" * 5000, '{"query": 1}', "NaN")
    },
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
async def test_a_bad_upload_is_told_so(name: str) -> None:
    body, boundary = FORMS[name]
    kind = f"multipart/form-data; boundary={boundary}" if boundary else "multipart/form-data"
    headers = {**UPLOAD, "content-type": kind}
    await check(Toy(more={"uploads": True}).view, "POST", body, headers, "")


async def test_an_upload_needs_a_header_that_no_form_can_send(view: Any) -> None:
    body = form(operations='{"query":"mutation{touch}"}', map="{}")
    uploads = Toy(more={"uploads": True}).view
    assert (await http(uploads, body=body, headers=UPLOAD)).status == 200
    plain = {"content-type": UPLOAD["content-type"]}
    assert (await http(uploads, body=body, headers=plain)).status == 400
    assert (await http(view, body=body, headers=UPLOAD)).status == 415


@pytest.mark.parametrize("case", DIALOGUES, ids=[case[0] for case in DIALOGUES])
async def test_a_bad_dialogue_ends_as_the_protocol_says(view: Any, case: corpus.Dialogue) -> None:
    _, messages, code = case
    async with socket(view) as peer:
        for message in messages:
            if isinstance(message, bytes):
                peer.send_bytes(message)
            else:
                peer.send(message)
        if code is None:
            peer.send({"type": "ping", "payload": {"still": "here"}})
            while (heard := await peer.hear())["type"] != "pong" or "payload" not in heard:
                pass
        else:
            assert (await peer.end())[0] == code


SEEDS = [
    b'{"query":"query A($n:Int!){number(n:$n)}","variables":{"n":1},"operationName":"A"}',
    b'{"query":"{board(id:\\"1\\"){id columns{id} cards(first:5){nodes{id title}}}}"}',
    b'{"query":"mutation{touch(text:\\"x\\")}","extensions":{"cost":true}}',
    b'{"query":"{...A} fragment A on Query{hello @skip(if:false)}","variables":{}}',
    b'{"query":"query($w:Words!){words(input:$w)}","variables":{"w":{"text":"a","more":["b"]}}}',
    b'{"query":"{__schema{types{name fields{name}}}}"}',
]
PIECES = [
    # What breaks JSON, GraphQL, or what reads them.
    b"{", b"}", b"[", b"]", b'"', b":", b",", b"null", b"1e999", b"NaN", b"\\u0000", b"\\ud800",
    b"\xff", b"\x00", b"9" * 400, b"...", b"@skip", b"$n", b"query", b"-1", b"\\",
    b"\xf0\x9f\x98\x80",
    b"fragment A on Query{...A}", b"[" * 50, b'{"a":' * 40,
]  # fmt: skip


def mutated(rng: random.Random) -> bytes:
    data = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(4):
            case 0:
                data[at:at] = rng.choice(PIECES)
            case 1:
                del data[at : at + rng.randint(1, 8)]
            case 2:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case _:
                start = rng.randrange(len(data) + 1)
                data[at:at] = data[start : start + rng.randint(1, 30)]
    return bytes(data)


async def run_mutated(view: Any, count: int, seed: int) -> dict[int, int]:
    rng, statuses = random.Random(seed), dict[int, int]()
    for _ in range(count):
        accept = rng.choice([corpus.JSON, corpus.GRAPHQL, corpus.ANY])
        body = mutated(rng)
        try:
            headers = {"content-type": corpus.JSON, "accept": accept}
            status = await check(view, "POST", body, headers, "")
        except AssertionError as error:
            raise AssertionError(f"{error}: {body!r}") from error
        statuses[status] = statuses.get(status, 0) + 1
    return statuses


async def test_three_thousand_mutated_requests(view: Any) -> None:
    statuses = await run_mutated(view, 3_000, seed=1)
    print(json.dumps(statuses))
    assert statuses.keys() >= {200, 400}  # some still mean something


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(2, 12))
async def test_a_hundred_thousand_mutated_requests(view: Any, seed: int) -> None:
    await run_mutated(view, 10_000, seed)
