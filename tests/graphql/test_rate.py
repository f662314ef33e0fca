"""Buckets are exact, bounded in keys, and told to who runs into them."""

import re
from dataclasses import dataclass
from typing import Any

import pytest

from kit.graphql import AttemptLimiter, RateLimited, TokenBucket
from kit.graphql.limits import rate
from tests.graphql import toy
from tests.graphql.requests import ask, socket


@dataclass
class Hand:
    """A clock moved by hand."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


def test_a_bucket_empties_and_fills() -> None:
    clock = Hand()
    bucket = TokenBucket(1000, 100, clock=clock)
    assert bucket.take("ann", 900).remaining == 100
    with pytest.raises(RateLimited) as refused:
        bucket.take("ann", 300)
    assert refused.value.retry_after == 2  # 200 points missing, 100 a second
    assert bucket.take("bob", 1000).remaining == 0
    clock.at += 2
    assert bucket.take("ann", 300).remaining == 0
    bucket.give("ann", 5000)
    assert bucket.state("ann").remaining == 1000
    clock.at += 1000
    assert bucket.state("bob").remaining == 1000


def test_the_bucket_forgets_who_was_longest_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "KEYS", 3)
    bucket = TokenBucket(1000, 0.001, clock=Hand())
    for name in ("a", "b", "c", "a", "d"):
        bucket.take(name, 100)
    left = {name: bucket.state(name).remaining for name in "abcd"}
    assert left == {"a": 800, "b": 1000, "c": 900, "d": 900}


def test_attempts_are_counted_per_key_in_a_sliding_window() -> None:
    clock = Hand()
    attempts = AttemptLimiter(limit=3, per=60, clock=clock)
    for _ in range(3):
        attempts.count("address", "ann")
        clock.at += 10
    with pytest.raises(RateLimited) as refused:
        attempts.count("address", "bob")
    assert refused.value.retry_after == 30
    attempts.count("elsewhere", "bob")  # the refused try did not count for bob
    attempts.forget("ann")
    attempts.count("elsewhere", "ann")
    clock.at += 30
    attempts.count("address")
    with pytest.raises(RateLimited):
        attempts.count("address")


def test_a_flood_of_keys_gives_nobody_more_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither refused ones, which count nothing, nor counted ones; and all of them are kept in bounded room."""
    monkeypatch.setattr(rate, "KEYS", 50)
    monkeypatch.setattr(rate, "SHARED", 64, raising=False)
    clock = Hand()
    attempts = AttemptLimiter(limit=3, per=60, clock=clock)

    def tries(key: str) -> int:
        for done in range(10):
            try:
                attempts.count(key)
            except RateLimited:
                return done
        return 10

    assert tries("ann") == 3
    assert tries("attacker") == 3
    for n in range(500):  # from an address that is used up
        with pytest.raises(RateLimited):
            attempts.count("attacker", f"name {n}")
    assert tries("bob") == 3, "no room was taken by what was refused"
    for n in range(2000):  # from as many addresses
        tries(f"address {n}")
    assert tries("ann") == tries("bob") == 0
    assert tries("late") == 0, "a flood refuses those who come later, and does not let them try more often"
    assert len(attempts._own) <= 50
    assert sum(map(len, attempts._shared.values())) <= 64 * 3
    clock.at += 61
    assert tries("late") == tries("ann") == 3


COSTLY = "query Q { costly rate { remaining cost limit } }"


async def test_the_bucket_is_charged_and_told() -> None:
    clock = Hand()
    app = toy.Toy()
    app.policy.bucket = TokenBucket(1000, 50, clock=clock)
    first = await ask(app.view, COSTLY)
    assert first.json["data"]["rate"] == {"remaining": 699, "cost": 301, "limit": 1000}
    assert first.headers["ratelimit-policy"] == '"points";q=1000;w=20'
    # 300 points of a leaf are given back: the answer holds two objects, itself and `rate`
    assert re.fullmatch(r'"points";r=\d+;t=\d+', first.headers["ratelimit"])


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_who_asks_too_much_is_told_when_to_return(accept: str) -> None:
    app = toy.Toy()
    app.policy.bucket = TokenBucket(1000, 50, clock=Hand())
    app.policy.bucket.take("ann", 990)
    refused = await ask(app.view, "{ cards { id } }", {"accept": accept})
    assert (refused.status, refused.codes) == (429, ["RATE_LIMITED"])
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["ratelimit"] == '"points";r=10;t=20'
    other = await ask(app.view, "{ cards { id } }", {"authorization": "bob"})
    assert other.status == 200


async def test_what_was_not_used_is_given_back() -> None:
    app = toy.Toy()
    app.policy.bucket = TokenBucket(10_000, 0.001, clock=Hand())
    page = "{ board(id: 1) { cards(first: 500) { nodes { subtasks { id } } } } }"
    answer = await ask(app.view, page)
    assert "errors" not in answer.json
    objects = 1 + 1 + 1 + 500 * 3  # the answer itself, board, connection, cards with 2 of 5
    assert app.policy.bucket.state("ann").remaining == 10_000 - objects


async def test_a_socket_is_charged_as_well() -> None:
    app = toy.Toy()
    app.policy.bucket = TokenBucket(100, 0.001, clock=Hand())
    async with socket(app.view) as peer:
        await peer.ready()
        for number in range(3):
            query = {"query": "{ cards { id } }"}
            peer.send({"type": "subscribe", "id": str(number), "payload": query})
        heard = [await peer.hear() for _ in range(5)]
    [refused] = [message for message in heard if message["type"] == "error"]
    assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_many_aliases_are_many_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy, "ATTEMPTS", AttemptLimiter(limit=10, per=60))
    fields = " ".join(f'a{n}: login(name: "ann", password: "{n}")' for n in range(12))
    answer: Any = await ask(toy.Toy().view, "{" + fields + "}")
    assert answer.codes == ["UNAUTHENTICATED"] * 10 + ["RATE_LIMITED"] * 2
