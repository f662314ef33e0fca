"""Sockets: many operations, one end."""

import asyncio
from typing import Any

import pytest

from tests.graphql.requests import Socket, socket
from tests.graphql.toy import COUNTS, Ending, Toy


@pytest.fixture
def view() -> Any:
    return Toy().view


def subscribe(peer: Socket, name: str, query: str, **more: Any) -> None:
    peer.send({"type": "subscribe", "id": name, "payload": {"query": query, **more}})


LONG = "subscription { count(to: 1000000, every: 0.02) }"


async def test_a_bad_operation_leaves_its_siblings_alone(view: Any) -> None:
    async with socket(view) as peer:
        await peer.ready()
        subscribe(peer, "good", "subscription { count(to: 5, every: 0.02) }")
        for name, query in (("a", "{"), ("b", "{ nope }"), ("c", "{ " + "hello " * 500 + "}")):
            subscribe(peer, name, query)
        subscribe(peer, "d", "{ hello }", operationName="Nope")
        heard: list[Any] = []
        while {"type": "complete", "id": "good"} not in heard:
            heard.append(await peer.hear())
    wrong = {m["id"]: m["payload"][0]["extensions"] for m in heard if m["type"] == "error"}
    assert {name: told["code"] for name, told in wrong.items()} == {
        "a": "GRAPHQL_PARSE_FAILED",
        "b": "GRAPHQL_VALIDATION_FAILED",
        "c": "QUERY_TOO_COMPLEX",
        "d": "OPERATION_RESOLUTION_FAILURE",
    }
    assert all(m["payload"][0]["message"] for m in heard if m["type"] == "error")
    assert len({told["requestId"] for told in wrong.values()}) == 4, "One id an operation"
    assert sum(m["type"] == "next" for m in heard) == 5


async def test_resolver_errors_are_masked(view: Any) -> None:
    async with socket(view) as peer:
        await peer.ready()
        subscribe(peer, "1", "{ bug }")
        told = await peer.hear()
        subscribe(peer, "2", "subscription { failing }")
        frames = [await peer.hear() for _ in range(4)]
    assert told["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "CANARY" not in str(told) + str(frames)


async def test_the_cost_is_told_when_asked(view: Any) -> None:
    async with socket(view) as peer:
        await peer.ready()
        subscribe(peer, "1", "{ cards(first: 2) { id } }", extensions={"cost": True})
        told = await peer.hear()
    assert told["payload"]["extensions"]["cost"]["requested"] == 2


async def test_a_ping_is_echoed(view: Any) -> None:
    async with socket(view) as peer:
        for payload in ({"a": 1}, {}):
            peer.send({"type": "ping", "payload": payload})
            assert await peer.hear() == {"type": "pong", "payload": payload}
        peer.send({"type": "ping"})
        assert await peer.hear() == {"type": "pong"}


async def test_who_says_nothing_is_closed() -> None:
    async with socket(Toy(more={"init_timeout": 0.1}).view) as peer:
        assert await peer.end() == (4408, "Connection initialisation timeout")


async def test_who_authenticates_has_as_long() -> None:
    async with socket(Toy(more={"init_timeout": 0.1}).view) as peer:
        peer.send({"type": "connection_init", "payload": {"hang": True}})
        assert await peer.end() == (4408, "Connection initialisation timeout")


async def test_who_is_rejected_is_told_why(view: Any) -> None:
    async with socket(view) as peer:
        peer.send({"type": "connection_init", "payload": {"authorization": "bad"}})
        assert await peer.end() == (4403, "Token unknown")


async def test_operations_are_counted() -> None:
    async with socket(Toy(more={"operations_per_socket": 3}).view) as peer:
        await peer.ready()
        for number in range(4):
            subscribe(peer, str(number), "subscription { count(to: 2, every: 30) }")
        heard = [await peer.hear() for _ in range(4)]
        [refused] = [m for m in heard if m["type"] == "error"]
        assert (refused["id"], refused["payload"][0]["extensions"]["code"]) == (
            "3",
            "LIMIT_EXCEEDED",
        )
        peer.send({"type": "complete", "id": "0"})
        subscribe(peer, "5", "{ hello }")
        assert (await peer.hear())["id"] == "5"


async def test_complete_stops_a_generator(view: Any) -> None:
    async with socket(view) as peer:
        await peer.ready()
        subscribe(peer, "1", LONG)
        await peer.hear()
        assert COUNTS.alive == 1
        peer.send({"type": "complete", "id": "1"})
        async with asyncio.timeout(30):
            while COUNTS.alive:
                await asyncio.sleep(0.01)


async def test_a_socket_ends_when_access_does(view: Any) -> None:
    async with socket(view) as peer:
        await peer.ready(authorization="for 0.3")
        subscribe(peer, "1", LONG)
        assert await peer.end() == (4403, "Token expired")
    assert COUNTS.alive == 0


async def test_a_peer_who_ignores_the_close_hears_nothing_more(view: Any) -> None:
    async with socket(view) as peer:
        peer.deaf = True
        await peer.ready(authorization="for 0.2")
        subscribe(peer, "1", "subscription { count(to: 2, every: 30) }")  # silent
        assert await peer.end() == (4403, "Token expired")
        async with asyncio.timeout(20):
            while COUNTS.alive:
                await asyncio.sleep(0.01)
        assert peer.from_app.empty()


async def test_a_socket_ends_when_access_is_revoked() -> None:
    app = Toy(revoked=Ending())
    async with socket(app.view) as peer:
        await peer.ready()
        subscribe(peer, "1", LONG)
        await peer.hear()
        assert app.revoked is not None
        app.revoked.set()
        assert await peer.end() == (4403, "Token revoked")
    assert COUNTS.alive == 0


async def test_a_socket_ends_when_the_server_drains() -> None:
    app = Toy()
    async with socket(app.view) as peer:
        await peer.ready()
        subscribe(peer, "1", LONG)
        await peer.hear()
        app.draining.begin()
        assert await peer.end() == (1012, "Service restart")
    assert COUNTS.alive == 0


@pytest.mark.parametrize(
    ("origin", "opens"),
    [
        (None, True),
        ("http://testserver", True),
        ("https://friend.example", True),
        ("https://evil.example", False),
        ("null", False),
    ],
)
async def test_another_page_cannot_open_a_socket(origin: str | None, opens: bool) -> None:
    view = Toy(more={"allowed_origins": ["https://friend.example"]}).view
    async with socket(view, {"origin": origin} if origin else {}) as peer:
        if opens:
            await peer.ready()
        else:
            assert (await peer.end())[0] == 1008
