"""Whoever has not signed in leaves nothing in the server's memory, whatever is sent."""

import contextlib
import gc
import tracemalloc
from typing import Any

import pytest

from tests.client import AsgiSocket
from tests.conftest import LOGIN
from tests.tenants import SERVED

ASK = "{ __typename }"
OFTEN = 20  # times that each way is tried
LONG = 100_000  # characters each time
MOST = 500_000  # bytes that all of them may leave; they are four times that


async def post(app: Any, n: int, headers: Any = None, **said: Any) -> None:
    given = {"authorization": "", "x-request-id": f"r{n}", **(headers or {})}
    answer = await app.client.post("/graphql", json={"query": ASK, **said}, headers=given)
    assert answer.status_code < 500, answer.text[:300]


def long(n: int) -> str:
    return f"{n}".ljust(LONG, "x")


async def names(app: Any, n: int) -> None:
    await post(app, n, operationName=long(n))


async def names_in_an_address(app: Any, n: int) -> None:
    answer = await app.client.get("/graphql", params={"query": ASK, "operationName": long(n)[:60_000]})
    assert answer.status_code < 500


async def variables(app: Any, n: int) -> None:
    await post(app, n, query="query($v: Boolean!) { __typename @include(if: $v) }", variables={"v": long(n)})


async def extensions(app: Any, n: int) -> None:
    await post(app, n, extensions={"idempotencyKey": long(n)})


async def headers(app: Any, n: int) -> None:
    many = (
        "accept",
        "authorization",
        "idempotency-key",
        "if-none-match",
        "user-agent",
        "origin",
        "x-request-id",
    )
    for name in many:
        given = {name: ("Bearer " if name == "authorization" else "") + long(n)[: LONG // 2]}
        await post(app, n, given)


async def hosts(app: Any, n: int) -> None:
    answer = await app.client.post("/graphql", json={"query": ASK}, headers={"host": long(n)})
    assert answer.status_code < 500


async def signing_in(app: Any, n: int) -> None:
    await post(app, n, query=LOGIN, variables={"input": {"username": long(n), "password": "not it"}})


async def texts_that_are_refused(app: Any, n: int) -> None:
    await post(app, n, query="{ " + long(n).replace(str(n), f"a{n}", 1)[:16_000] + " }")


@contextlib.asynccontextmanager
async def opened(app: Any) -> Any:
    async with AsgiSocket(app.app) as socket:
        socket.send({"type": "connection_init"})
        assert (await socket.receive())["type"] == "connection_ack"
        yield socket


async def ask(socket: Any, n: int, **payload: Any) -> None:
    socket.send({"type": "subscribe", "id": f"o{n}", "payload": {"query": ASK, **payload}})


async def names_on_a_socket(socket: Any, n: int) -> None:
    await ask(socket, n, operationName=long(n))
    assert (await socket.receive())["type"] == "error"


async def what_is_given_up_at_once(socket: Any, n: int) -> None:
    await ask(socket, n, extensions={"said": long(n)})
    socket.send({"type": "complete", "id": f"o{n}"})
    socket.send({"type": "ping", "payload": {"n": n}})
    while (await socket.receive()).get("payload") != {"n": n}:
        pass


async def measured(say: Any, where: Any) -> int:
    """Bytes that are left of saying it often."""
    for n in range(5):
        await say(where, n)
    gc.collect()
    tracemalloc.start()
    try:
        for n in range(5, 5 + OFTEN):
            await say(where, n)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


REQUESTS = (
    names,
    names_in_an_address,
    variables,
    extensions,
    headers,
    hosts,
    signing_in,
    texts_that_are_refused,
)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("say", REQUESTS, ids=lambda say: say.__name__)
async def test_nothing_is_left_of_requests(run, say):
    async with run(**SERVED) as app:
        await post(app, 0)  # from now on the text is known
        left = await measured(say, app)
    assert left < MOST, f"{left / OFTEN:,.0f} bytes of each"


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("say", [names_on_a_socket, what_is_given_up_at_once], ids=lambda say: say.__name__)
async def test_nothing_is_left_on_a_socket(run, say):
    async with run(**SERVED) as app, opened(app) as socket:
        await post(app, 0)
        left = await measured(say, socket)
    assert left < MOST, f"{left / OFTEN:,.0f} bytes of each"
