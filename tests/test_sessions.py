"""Signing in and out: tokens, their chain, what ends with them, and what strangers learn."""

import asyncio
import bisect
import contextlib
import itertools
import json
import statistics
import time
from datetime import datetime, timedelta

import httpx2
import pytest
import websockets
from passlib.context import CryptContext
from sqlalchemy import func, select, update

from actions.account import add_user
from actions.session import start_session
from kit.db.database import utcnow
from models.account import AuthSession, RefreshToken, User
from tests.client import AsgiSocket, Closed
from tests.conftest import LOGIN, MAKE_KEY, NOBODY, PASSWORD, REVOKE_KEY
from tests.pace import leeway

ME = "{ me { username } }"
REFRESH = """mutation Refresh($token: String!) { refreshSession(input: {refreshToken: $token}) {
  __typename ... on Session { accessToken refreshToken refreshExpiresAt }
   ... on Unauthenticated { code reason } } }"""
FEED = "subscription { userFeed { event { kind: __typename } } }"
ALL = 'subscription { userFeed(after: "0") { event { kind: __typename } } }'
STREAM = {"accept": "text/event-stream"}


def reason_of(answer):
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    return error["extensions"]["reason"]


async def age(app, seconds):
    """Let every rotation have happened that long ago."""
    then = utcnow() - timedelta(seconds=seconds)
    async with app.begin() as tx:
        spent = RefreshToken.rotated_at.is_not(None)
        await tx.execute(update(RefreshToken).where(spent).values(rotated_at=then))


SIGNING_IN = [
    ("ann", PASSWORD, None),
    (" ANN ", PASSWORD, None),
    ("Ann@Example.org", PASSWORD, None),
    ("ann", "not the password", "INVALID"),
    ("ann", "", "INVALID"),
    ("ann", "x" * 5000, "INVALID"),
    ("ann", "nul \\u0001 byte", "INVALID"),
    ("nobody", PASSWORD, "INVALID"),
    ("closed", PASSWORD, "INVALID"),
    ("owner", "", "INVALID"),
    ("", "", "INVALID"),
]


async def test_signing_in(run):
    async with run() as app:
        ann, closed = await app.has_user("ann"), await app.has_user("closed")
        async with app.begin() as tx:
            await tx.execute(update(User).where(User.id == closed).values(is_active=False))
            mail = {"email": "ann@example.org", "email_folded": "ann@example.org"}
            await tx.execute(update(User).where(User.id == ann).values(**mail))
        for username, password, reason in SIGNING_IN:
            answer = await app.data(LOGIN, input={"username": username, "password": password})
            if reason is None:
                assert answer["user"] == {"id": ann, "username": "ann"}, username
                app.tokens["again"] = f"bearer {answer['accessToken']}"
                assert await app.data(ME, "again") == {"username": "ann"}, username
            else:
                text = "The username or the password is wrong"
                wrong = {
                    "__typename": "Unauthenticated",
                    "code": "UNAUTHENTICATED",
                    "message": text,
                    "reason": reason,
                }
                assert answer == wrong, (username, password[:20])
        assert reason_of(await app.ask(ME, "closed")) == "REVOKED"  # its old token


async def test_what_is_no_credential_is_invalid(run):
    async with run() as app:
        for given in ("Bearer x", "Bearer a.b.c", "Basic eDp5", "Bearer", "x", "Bearer sb_0_x", "Bearer é"):
            app.tokens["x"] = given.encode()
            assert reason_of((await app.post(ME, actor="x")).json()) == "INVALID", given
            app.tokens["x"] = given
            assert await until_ended(app, FEED, "x", "ws") == (4403, "Token invalid"), given


async def test_without_a_credential_nobody_is_signed_in(run):
    async with run(host="0.0.0.0") as app:
        assert reason_of(await app.ask(ME, NOBODY)) == "MISSING"
        async with app.follow(FEED, NOBODY) as hear:
            with pytest.raises(Exception, match="MISSING"):
                await hear()


async def test_the_schema_needs_nobody(run):
    async with run(host="0.0.0.0") as app:
        assert await app.data("{ __typename }") == "Query"


async def test_twenty_refreshes_at_once_leave_one_chain(run):
    async with run() as app:
        await app.has_user("ann")
        first = (await app.logs_in("ann"))["refreshToken"]
        answers = await asyncio.gather(*(app.data(REFRESH, token=first) for _ in range(20)))
        tokens = {answer["refreshToken"] for answer in answers}
        assert len(tokens) == 1, "everybody goes on with the same token"
        async with app.begin() as tx:
            live = select(func.count()).select_from(RefreshToken).where(RefreshToken.rotated_at.is_(None))
            assert await tx.scalar(live) == 3  # those of the owner and of has_user, and ours
        [second] = tokens
        assert second != first
        third = await app.data(REFRESH, token=second)
        app.tokens["ann"] = f"Bearer {third['accessToken']}"
        assert await app.data(ME, "ann") == {"username": "ann"}


@pytest.mark.parametrize("late", [True, False])
async def test_reuse_ends_the_login_and_its_sockets(run, late):
    """`late`: the token spent last, after the leeway; else one spent before that, within it."""
    async with run() as app:
        await app.has_user("ann")
        first = await app.logs_in("ann")
        app.tokens["thief"] = f"Bearer {first['accessToken']}"
        async with app.follow(FEED, "thief") as hear, app.follow(ALL, "ann") as other:
            newest = await app.data(REFRESH, token=first["refreshToken"])
            if late:
                await age(app, 11)
            else:
                newest = await app.data(REFRESH, token=newest["refreshToken"])
            refused = {"__typename": "Unauthenticated", "code": "UNAUTHENTICATED", "reason": "REVOKED"}
            since = time.monotonic()
            assert await app.data(REFRESH, token=first["refreshToken"]) == refused
            with contextlib.suppress(Closed):
                while True:
                    await hear()
            print(f"closed after {time.monotonic() - since:.3f} s")
            assert time.monotonic() - since < leeway(5)
            # The other login goes on.
            while (kind := (await other())["userFeed"]["kind"]) != "SessionsRevoked":
                assert kind in {"MemberJoined", "SessionStarted"}
        assert await app.data(REFRESH, token=newest["refreshToken"]) == refused
        app.tokens["thief"] = f"Bearer {newest['accessToken']}"
        assert reason_of(await app.ask(ME, "thief")) == "REVOKED"


async def test_a_refresh_token_that_is_over(run):
    async with run() as app:
        await app.has_user("ann")
        past = utcnow() - timedelta(seconds=1)
        for over, reason in (
            (None, "INVALID"),
            (update(RefreshToken).values(expires_at=past), "EXPIRED"),
            (update(AuthSession).values(expires_at=past), "EXPIRED"),
        ):
            token = "never given" if over is None else (await app.logs_in("ann"))["refreshToken"]
            async with app.begin() as tx:
                if over is not None:
                    await tx.execute(over)
            answer = await app.data(REFRESH, token=token)
            refused = {"__typename": "Unauthenticated", "code": "UNAUTHENTICATED", "reason": reason}
            assert answer == refused, over


async def test_lives_are_as_configured(run):
    async with run(access_minutes=5, refresh_days=2, refresh_most_days=3) as app:
        await app.has_user("ann")
        answer = await app.data(LOGIN, input={"username": "ann", "password": PASSWORD})
        now = utcnow().timestamp()

        def life(name):
            return _seconds(answer[name]) - now

        assert 295 < life("expiresAt") <= 300
        assert 2 * 86400 - 10 < life("refreshExpiresAt") <= 2 * 86400
        async with app.begin() as tx:
            await tx.execute(update(AuthSession).values(expires_at=utcnow() + timedelta(hours=1)))
        answer = await app.data(REFRESH, token=answer["refreshToken"])
        assert 3500 < life("refreshExpiresAt") < 3601, "never beyond the login's own end"


def _seconds(text):
    return datetime.fromisoformat(text).timestamp()


LOGOUT = """mutation Logout($input: LogoutInput!) { logout(input: $input) {
  __typename ... on SignedOut { count } ... on Unauthenticated { reason } } }"""
EVERYWHERE = """mutation($keep: Boolean!) { logoutEverywhere(input: {keepCurrent: $keep}) {
  ... on SignedOut { count } } }"""
SESSIONS = "{ viewer { sessions { sessionId current userAgent createdAt usedAt expiresAt } } }"


async def test_logging_out(run):
    async with run() as app:
        await app.has_user("ann")
        for name in ("phone", "tablet", "desk"):
            session = await app.logs_in("ann")
            app.tokens[name] = f"Bearer {session['accessToken']}"
        desk = session["refreshToken"]
        found = (await app.data(SESSIONS, "phone"))["sessions"]
        assert [login["current"] for login in found] == [False, False, True, False]
        assert found[0]["userAgent"] == "tests"
        out = {"__typename": "SignedOut", "count": 1}
        assert await app.data(LOGOUT, "phone", input={}) == out
        assert reason_of(await app.ask(ME, "phone")) == "REVOKED"
        assert await app.data(LOGOUT, "ann", input={"sessionId": found[1]["sessionId"]}) == out
        assert reason_of(await app.ask(ME, "tablet")) == "REVOKED"
        assert await app.data(LOGOUT, input={"refreshToken": desk}) == out
        assert await app.data(LOGOUT, input={"refreshToken": desk}) == {**out, "count": 0}
        assert reason_of(await app.ask(ME, "desk")) == "REVOKED"
        wrong = {"__typename": "Unauthenticated", "reason": "INVALID"}
        assert await app.data(LOGOUT, input={"refreshToken": "never given"}) == wrong
        await app.has_user("eve")
        mine = (await app.data(SESSIONS, "ann"))["sessions"][0]["sessionId"]
        assert await app.data(LOGOUT, "eve", input={"sessionId": mine}) == {**out, "count": 0}
        await app.logs_in("ann")
        await app.logs_in("ann")
        assert await app.data(EVERYWHERE, "ann", keep=True) == {"count": 2}
        assert await app.data(ME, "ann") == {"username": "ann"}
        assert await app.data(EVERYWHERE, "ann", keep=False) == {"count": 1}
        assert reason_of(await app.ask(ME, "ann")) == "REVOKED"


CHANGE = """mutation($new: String!, $old: String) {
  changePassword(input: {newPassword: $new, currentPassword: $old}) {
  __typename ... on User { username } ... on Invalid { issues { path message } } } }"""


async def test_another_password_ends_the_other_logins(run):
    async with run() as app:
        await app.has_user("ann")
        app.tokens["other"] = f"Bearer {(await app.logs_in('ann'))['accessToken']}"
        wrong = {"path": "currentPassword", "message": "is not your password"}
        for old in (None, "", "something else"):
            answer = await app.data(CHANGE, "ann", new="the new password", old=old)
            assert answer == {"__typename": "Invalid", "issues": [wrong]}
        for new in ("short", "x" * 1025, "é" * 513):
            [issue] = (await app.data(CHANGE, "ann", new=new, old=PASSWORD))["issues"]
            assert issue == {"path": "newPassword", "message": "must have 8 to 1024 bytes"}
        assert await app.data(ME, "other") == {"username": "ann"}
        done = {"__typename": "User", "username": "ann"}
        assert await app.data(CHANGE, "ann", new="é" * 4, old=PASSWORD) == done
        assert await app.data(ME, "ann") == {"username": "ann"}
        assert reason_of(await app.ask(ME, "other")) == "REVOKED"
        await app.logs_in("ann", "é" * 4)
        answer = await app.data(LOGIN, input={"username": "ann", "password": PASSWORD})
        assert answer["reason"] == "INVALID"


async def test_an_outdated_hash_is_renewed(run):
    old = CryptContext(
        schemes=["argon2"], argon2__memory_cost=8_192, argon2__time_cost=1, argon2__parallelism=1
    )
    async with run() as app:
        ann = await app.has_user("ann")
        async with app.begin() as tx:
            await tx.execute(update(User).where(User.id == ann).values(password_hash=old.hash(PASSWORD)))
        await app.logs_in("ann")
        async with app.begin() as tx:
            assert "m=19456" in await tx.scalar(select(User.password_hash).where(User.id == ann))
        await app.logs_in("ann")


async def test_a_person_has_at_most_fifty_logins(run):
    async with run() as app:
        await app.has_user("ann")
        app.tokens["first"] = app.tokens["ann"]
        async with app.begin() as tx:
            ann = (await tx.scalars(select(User).where(User.username == "ann"))).one()
            for _ in range(49):
                await start_session(tx, app.services.tokens, ann.id, ann.password_hash)
        last = await app.logs_in("ann")
        app.tokens["ann"] = f"Bearer {last['accessToken']}"
        assert len((await app.data(SESSIONS, "ann"))["sessions"]) == 50
        assert reason_of(await app.ask(ME, "first")) == "REVOKED"


# What ends while somebody listens


async def until_ended(app, feed, actor, how):
    """Follow `feed` as `actor` until the server ends it; how it said so."""
    if how == "ws":
        try:
            async with app.follow(feed, actor) as hear:
                while True:
                    await hear(30)
        except Closed as closed:
            return closed.code, closed.reason
    answer = await app.post(feed, actor=actor, headers=STREAM)
    assert "event: complete" in answer.text
    frames = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
    [error] = json.loads(frames[-1])["errors"]
    return error["extensions"]["code"], error["extensions"]["reason"]


@pytest.mark.parametrize(
    ("how", "end"), [("ws", (4403, "Token expired")), ("sse", ("UNAUTHENTICATED", "EXPIRED"))]
)
async def test_what_is_open_ends_when_the_token_expires(run, how, end):
    async with run(access_minutes=0.04) as app:
        await app.has_user("ann")
        app.tokens["ann"] = f"Bearer {(await app.logs_in('ann'))['accessToken']}"
        since = time.monotonic()
        async with asyncio.timeout(30):
            assert await until_ended(app, FEED, "ann", how) == end
        assert time.monotonic() - since > 0.5
        assert reason_of(await app.ask(ME, "ann")) == "EXPIRED"


@pytest.mark.parametrize(
    ("how", "end"), [("ws", (4403, "Token revoked")), ("sse", ("UNAUTHENTICATED", "REVOKED"))]
)
@pytest.mark.parametrize("what", ["login", "key"])
async def test_what_is_open_ends_when_it_is_revoked(run, how, end, what):
    """By another server process, as far as this test can tell: only the database is shared."""
    async with run() as app:
        async with run(app.services.database.url) as other:
            board, _ = await app.has_board()
            await app.has_user("ann")
            other.tokens = app.tokens
            if what == "key":
                given = {"workspaceId": await app.home(), "name": "ci", "scopes": ["READ"]}
                made = await app.data(MAKE_KEY, input=given)
                app.tokens["ann"] = f"Bearer {made['secret']}"
            feed = f"""subscription {{ boardFeed(boardId: "{board}", after: "0") {{
              event {{ kind: __typename }} }} }}"""
            following = asyncio.create_task(until_ended(app, feed, "ann", how))
            await _listening(app)
            since = time.monotonic()
            if what == "key":
                await other.data(REVOKE_KEY, id=made["apiKey"]["id"])
            else:
                await other.data(EVERYWHERE, "ann", keep=False)
            assert await following == end
            print(f"{how} {what} closed after {time.monotonic() - since:.3f} s")
            assert time.monotonic() - since < leeway(5)


async def _listening(app):
    """Until somebody waits for the end of an access."""
    async with asyncio.timeout(60):
        while sum(name.startswith("access:") for name in app.services.event_log.pubsub._hub._by_name) < 1:
            await asyncio.sleep(0.01)


async def test_a_socket_of_another_process_closes(run, serve):
    async with run() as app:
        await app.has_user("ann")
        process = await serve(app.services.database.url)
        async with websockets.connect(process.ws, subprotocols=["graphql-transport-ws"]) as socket:
            init = {"type": "connection_init", "payload": {"Authorization": app.tokens["ann"]}}
            await socket.send(json.dumps(init))
            assert json.loads(await socket.recv()) == {"type": "connection_ack"}
            since = time.monotonic()
            await app.data(EVERYWHERE, "ann", keep=False)
            with contextlib.suppress(websockets.ConnectionClosed):
                async with asyncio.timeout(60):
                    await socket.recv()
            took = time.monotonic() - since
            print(f"closed after {took:.3f} s")
            assert (socket.close_code, socket.close_reason) == (4403, "Token revoked")
            assert took < leeway(5)


async def test_a_second_hello_ends_the_socket(run):
    async with run() as app:
        await app.has_user("ann")
        async with AsgiSocket(app.app) as socket:
            await socket.init(app.tokens["ann"])
            socket.send({"type": "connection_init"})
            with pytest.raises(Closed, match="4429"):
                await socket.receive()


# What strangers learn, and how often they may try


async def test_tries_are_counted_by_the_field(run):
    async with run() as app:
        await app.has_user("ann")
        one = 'login(input: {username: "%s", password: "wrong"}) { __typename }'
        many = "mutation { " + " ".join(f"l{i}: " + one % "ann" for i in range(11)) + " }"
        response = await app.post(many)
        [error] = response.json()["errors"]
        assert error["path"] == ["l10"]
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert 50 <= error["extensions"]["retryAfter"] <= 60
        assert response.headers["retry-after"] == str(error["extensions"]["retryAfter"])
        for name in ("ann", "nobody"):  # the address is used up, whoever it asks for
            answer = await app.ask("mutation { " + one % name + " }")
            assert answer["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_tries_at_one_account_are_counted_from_everywhere(run):
    async with run() as app:
        await app.has_user("ann")

        async def attempt(address, name, password):
            transport = httpx2.ASGITransport(app.app, client=(address, 1))
            async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
                body = {"query": LOGIN, "variables": {"input": {"username": name, "password": password}}}
                answer = (await client.post("/graphql", json=body)).json()
            return (
                answer["errors"][0]["extensions"]["code"] if "errors" in answer else answer["data"]["login"]
            )

        for name in ("ann", "nobody"):
            for i in range(10):
                assert (await attempt(f"10.0.0.{i}", name, "wrong"))["reason"] == "INVALID"
            assert await attempt("10.0.1.1", name, PASSWORD) == "RATE_LIMITED"
        # One customer of an IPv6 provider is one, whatever address of its own it takes.
        for i in range(10):
            await attempt(f"2001:db8::{i}", f"x{i}", "wrong")
        assert await attempt("2001:db8::ffff", "y", "wrong") == "RATE_LIMITED"
        assert (await attempt("2001:db8:0:1::1", "y", "wrong"))["reason"] == "INVALID"


async def test_all_callers_of_an_address_share_a_budget(run):
    """Each has its own, which is not used up; from elsewhere, and from this machine, they go on."""
    async with run(points=400, points_per_second=0.001, callers_per_address=2) as app:
        for name in ("ann", "bob", "kim", "lea", "max", "zoe"):
            await app.has_user(name)

        async def spend(name, address):
            """How many pages somebody is given at an address, and the answer after them."""
            transport = httpx2.ASGITransport(app.app, client=(address, 1))
            async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
                body = {"query": "{ workspaces(first: 50) { nodes { id } } }"}
                given, headers = -1, {"authorization": app.tokens[name]}
                answer = None
                while answer is None or "errors" not in answer.json():
                    answer = await client.post("/graphql", json=body, headers=headers)
                    given += 1
            return given, answer

        own = "Rate limit exceeded"
        for name, address in (("ann", "2001:db8::1"), ("bob", "2001:db8::2")):
            given, refused = await spend(name, address)
            assert given == 7
            assert refused.json()["errors"][0]["message"].startswith(own)
        given, refused = await spend("kim", "2001:db8::3")
        [error] = refused.json()["errors"]
        assert given == 1, "800 points of two callers are spent: kim's own are there still"
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert error["message"].startswith("Rate limit of the address exceeded")
        assert refused.headers["retry-after"] == str(error["extensions"]["retryAfter"])
        assert (await spend("kim", "2001:db8:0:1::1"))[0] == 6, "and what was refused cost her nothing"
        for name in ("lea", "max", "zoe"):
            assert (await spend(name, "127.0.0.1"))[0] == 7


async def test_good_tries_do_not_count(run):
    async with run() as app:
        await app.has_user("ann")
        for _ in range(12):
            await app.logs_in("ann")
        token = (await app.logs_in("ann"))["refreshToken"]
        for _ in range(12):
            token = (await app.data(REFRESH, token=token))["refreshToken"]
        for _ in range(10):
            assert (await app.data(REFRESH, token="never given"))["reason"] == "INVALID"
        answer = await app.ask(REFRESH, token=token)
        assert answer["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


SAMPLES = 6
ROUNDS = 8


async def test_time_does_not_tell_who_has_an_account(run, kind):
    """In processor time: a busy machine is not what tells. Noise passes with more samples, a difference stays."""
    async with run() as app:
        await app.has_user("ann")
        closed = await app.has_user("closed")
        async with app.begin() as tx:
            await tx.execute(update(User).where(User.id == closed).values(is_active=False))
        app.services.attempts.limit = 1_000_000
        taken = {"ann": [], "nobody": [], "closed": []}
        bodies = set()

        async def sample():
            for name, times in taken.items():
                since = time.process_time()
                answer = await app.ask(LOGIN, input={"username": name, "password": "wrong"})
                times.append(time.process_time() - since)
                bodies.add(json.dumps(answer))

        await sample()
        taken = {name: [] for name in taken}  # the first is slower: it is read and compiled
        for _ in range(ROUNDS):
            for _ in range(SAMPLES):
                await sample()
            median = {name: statistics.median(times) for name, times in taken.items()}
            ratios = {name: median[name] / median["ann"] for name in ("nobody", "closed")}
            print(f"{kind}: {median['ann'] * 1000:.1f} ms; {ratios}")
            if all(0.75 < ratio < 1.33 for ratio in ratios.values()):
                break
        else:
            raise AssertionError(f"an account is told by the time it takes: {ratios}")
        assert len(bodies) == 1


async def test_a_flood_of_logins_leaves_room_for_others(run, kind):
    """Measured in the time of one login alone, about 30 ms on an idle machine: this one may be busy."""
    async with run() as app:
        await app.has_user("user0")
        async with app.begin() as tx:
            hashed = await tx.scalar(select(User.password_hash).where(User.username == "user0"))
            for i in range(1, 20):
                await add_user(tx, {"username": f"user{i}"}, hashed)

        async def sign_in(i):
            await asyncio.sleep(i * 0.005)
            transport = httpx2.ASGITransport(app.app, client=(f"10.0.0.{i}", 1))
            async with httpx2.AsyncClient(
                transport=transport, base_url="http://localhost", timeout=60
            ) as client:
                given = {"username": f"user{i % 20}", "password": PASSWORD}
                answer = await client.post("/graphql", json={"query": LOGIN, "variables": {"input": given}})
                assert answer.json()["data"]["login"]["__typename"] == "Session"

        alone = []
        for _ in range(5):
            since = time.perf_counter()
            await app.logs_in("user0")
            alone.append(time.perf_counter() - since)
        flood = asyncio.gather(*(sign_in(i) for i in range(24)))
        taken = []
        while not flood.done():
            since = time.perf_counter()
            await app.data("{ boards { nodes { id } } }", "user0")
            taken.append(time.perf_counter() - since)
            await asyncio.sleep(0.01)
        await flood
        taken.sort()
        unit = statistics.median(alone)
        p50, p90, p99 = (taken[int(len(taken) * n)] for n in (0.5, 0.9, 0.99))
        lasted = list(itertools.accumulate(taken))
        met = taken[
            bisect.bisect(lasted, lasted[-1] / 2)
        ]  # by half of those who come at any moment of the flood
        told = ", ".join(f"{1000 * seconds:.0f}" for seconds in (unit, p50, p90, p99, met))
        print(
            f"{kind}: a login, others' median, p90, p99 and what is met: {told} ms, of {len(taken)} requests"
        )
        # With so few requests p99 is the worst of them, and the machine's.
        assert max(p90, met) < max(0.2, 8 * unit)
