"""Webhooks: proved, answered at once, applied once, in whatever order they come."""

import asyncio
import copy
import hashlib
import hmac
import json
import random
import time

import pytest
from sqlalchemy import func, select

from kit.eventlog.tables import Event
from models.pull_request import WebhookDelivery
from tests.conftest import KEY
from tests.github_host import WEBHOOKS, github
from tests.pulls import BRANCH, HEAD, LOOPBACK, hosted, until
from tests.test_repository import do

ID = 186853002  # of the repository in the published payloads


async def deliver(app, secret, event, payload, *, id="d-1", signature=None, path="/webhooks/github"):
    body = json.dumps(payload).encode()
    signed = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "x-github-event": event,
        "x-github-delivery": id,
        "x-hub-signature-256": signed if signature is None else signature,
        "content-type": "application/json",
        "authorization": "",
    }
    return (await app.client.post(path, content=body, headers=headers)).status_code


def pulled(action, *, repository=ID, number=2, branch="changes", at="2030-01-01T00:00:00Z", **more):
    """A published payload of a pull request, about this branch."""
    [payload] = [copy.deepcopy(one) for one in WEBHOOKS["pull_request"] if one["action"] == action]
    payload["repository"]["id"] = repository
    pull = payload["pull_request"]
    pull |= {"number": number, "id": 1000 + number, "updated_at": at, **more}
    pull["head"]["ref"] = branch
    for side in ("head", "base"):
        pull[side]["repo"]["id"] = repository
    return payload


async def signing(app, at):
    return (await do(app, "replaceWebhookSecret", id=at.repository))["secret"]


async def settled(app, within=60):
    """Wait until no delivery waits."""

    async def look():
        rows = await app.services.database.read(
            select(func.count()).select_from(WebhookDelivery).where(WebhookDelivery.applied_at.is_(None))
        )
        return rows[0][0] == 0

    await until(look, within)


async def test_a_published_delivery_opens_a_pull_request_of_the_card(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host, id=ID)
        secret = await signing(app, at)
        host.open(at.remote, head="spare")
        host.open(at.remote, head=BRANCH)
        payload = pulled("opened", branch=BRANCH, at="2028-01-01T00:00:00Z")
        assert await deliver(app, secret, "pull_request", payload) == 202
        pull = await at.pull(lambda pull: pull["state"] == "OPEN")
        assert (pull["origin"], pull["number"], pull["headBranch"]) == ("DISCOVERED", 2, BRANCH)
        await at.stands("REVIEW")
        assert await deliver(app, secret, "pull_request", payload) == 202  # the same once more
        merged = pulled("closed", branch=BRANCH, state="closed", merged_at="2031-01-01T00:00:00Z")
        at.remote.pulls[2] |= {"state": "closed", "merged_at": "2031-01-01T00:00:00Z"}
        assert await deliver(app, secret, "pull_request", merged, id="d-2") == 202
        await at.pull(lambda pull: pull["state"] == "MERGED")
        await at.stands("DONE")
        assert await deliver(app, secret, "pull_request", payload, id="d-3") == 202  # late
        await settled(app)
        assert (await at.look())["pullRequests"][0]["state"] == "MERGED"


async def test_every_published_payload_is_taken(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host, id=ID)
        secret = await signing(app, at)
        count = 0
        for event, payloads in WEBHOOKS.items():
            for payload in payloads:
                payload = copy.deepcopy(payload)
                payload["repository"] |= {"id": ID, "full_name": "acme/web"}
                count += 1
                assert await deliver(app, secret, event, payload, id=f"p-{count}") == 202, event
        await settled(app)
        ask = "query($id: ID!) { workspace(id: $id) { jobs(first: 100) { nodes { kind status } } } }"
        jobs = (await app.data(ask, id=await app.home()))["jobs"]["nodes"]
        applied = [job["status"] for job in jobs if job["kind"] == "webhook.apply"]
        assert set(applied) <= {"DONE", "RUNNING"}
        assert len(applied) == count


async def test_what_is_not_proved_is_not_stored(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host, id=ID)
        secret = await signing(app, at)
        payload = pulled("opened", branch=BRANCH)
        for signature in ("", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "sha256=\u00e9"[:7]):
            assert await deliver(app, secret, "pull_request", payload, signature=signature) == 401, signature
        assert await deliver(app, "another secret", "pull_request", payload) == 401
        assert await deliver(app, KEY, "pull_request", payload) == 401
        stranger = pulled("opened", branch=BRANCH, repository=1)
        stranger["repository"]["full_name"] = "acme/other"
        assert await deliver(app, secret, "pull_request", stranger) == 401  # another repository's id
        assert await deliver(app, secret, "pull_request", {"zen": "no repository"}) == 400
        assert await deliver(app, secret, "pull_request", [[]]) == 400
        assert await deliver(app, secret, "pull_request", payload, id="no id!") == 400
        assert await deliver(app, secret, "BAD EVENT", payload) == 400
        assert await deliver(app, secret, "pull_request", payload, path="/webhooks/other") == 404
        assert await deliver(app, secret, "pull_request", {"repository": payload["repository"]}) == 422
        large = {**payload, "x": "x" * (10 << 20)}
        assert await deliver(app, secret, "pull_request", large) == 413
        nested = b'{"repository":' + b"[" * 100_000
        answer = await app.client.post(
            "/webhooks/github", content=nested, headers={"x-github-event": "push", "x-github-delivery": "d"}
        )
        assert answer.status_code == 400
        assert (await app.client.get("/webhooks/github")).status_code == 405
        assert await app.services.database.read(select(WebhookDelivery.id)) == []
        await do(app, "disconnectRepository", id=at.repository)
        assert await deliver(app, secret, "pull_request", payload) == 401


async def test_a_new_secret_ends_the_old_one(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host, id=ID)
        old, new = await signing(app, at), await signing(app, at)
        ping = {"zen": "x", "repository": {"id": ID, "full_name": "acme/web"}}
        assert await deliver(app, old, "ping", ping) == 401
        assert await deliver(app, new, "ping", ping) == 202


async def test_a_renamed_repository_is_followed(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host, id=ID)
        secret = await signing(app, at)
        payload = {"action": "renamed", "repository": {"id": ID, "full_name": "acme/site"}}
        assert await deliver(app, secret, "repository", payload) == 202
        ask = "query($id: ID!) { repository(id: $id) { fullName url } }"

        async def is_renamed():
            row = await app.data(ask, id=at.repository)
            return row if row["fullName"] == "acme/site" else None

        assert (await until(is_renamed))["url"] == f"{host.url}/acme/site"


async def flood(run, count, cards):
    """`count` deliveries about `cards` pull requests, each twice, in random order: the newest word holds."""
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host, work=False, id=ID)
        await do(
            app, "connectRepository", workspaceId=await app.home(), url=f"{host.url}/acme/web"
        )  # no connection
        secret = await signing(app, at)
        add = "mutation($i: CreateCardInput!) { createCard(input: $i) { ... on Card { id } } }"
        ids = [(await app.data(add, i={"boardId": at.board, "title": f"C{n}"}))["id"] for n in range(cards)]
        deliveries = []
        for n in range(count // 2):
            card, step = n % cards, n // cards
            number, branch = 100 + card, f"web-{card + 2}-x"
            at_time = f"2030-01-01T{step // 3600:02}:{step // 60 % 60:02}:{step % 60:02}Z"
            is_last = n + cards >= count // 2
            more = {"state": "closed", "merged_at": at_time} if is_last else {"title": f"Step {step}"}
            payload = pulled(
                "closed" if is_last else "opened", number=number, branch=branch, at=at_time, **more
            )
            deliveries += [(f"f-{n}", payload)] * 2
        random.shuffle(deliveries)
        started = time.monotonic()
        waiting = asyncio.Semaphore(8)

        async def send(id, payload):
            async with waiting:
                assert await deliver(app, secret, "pull_request", payload, id=id) == 202

        await asyncio.gather(*(send(*one) for one in deliveries))
        received = time.monotonic() - started
        await settled(app, 240)
        rows = await app.services.database.read(select(func.count()).select_from(WebhookDelivery))
        assert rows[0][0] == count // 2
        for id in ids:
            [pull] = (await at.look(id))["pullRequests"]
            assert pull["state"] == "MERGED"
        kinds = select(Event.kind, func.count()).where(
            Event.kind.like("PULL_REQUEST_%"), Event.tenant.is_not(None)
        )
        events = dict(await app.services.database.read(kinds.group_by(Event.kind)))
        assert events["PULL_REQUEST_MERGED"] == events["PULL_REQUEST_LINKED"] == cards
        return {
            "deliveries": len(deliveries),
            "received": f"{received:.1f} s",
            "applied": f"{time.monotonic() - started:.1f} s",
        }


async def test_deliveries_come_twice_and_in_any_order(run):
    await flood(run, 80, 4)


@pytest.mark.long
async def test_two_thousand_deliveries_lose_nothing(run, figure):
    figure(**await flood(run, 2_000, 20))


async def test_ci_tells_the_pull_request_again(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host, id=ID)
        secret = await signing(app, at)
        await at.changes("createPullRequest", cardId=at.card)
        await at.pull()
        payload = copy.deepcopy(WEBHOOKS["check_run"][1])
        payload["repository"]["id"] = ID
        payload["check_run"]["head_sha"] = HEAD
        at.remote.statuses[HEAD] = [
            {"context": "ci", "state": "failure", "description": "no", "target_url": None}
        ]
        assert await deliver(app, secret, "check_run", payload) == 202
        pull = await at.pull(lambda pull: pull["ci"])
        assert pull["ci"] == "FAILURE"
