"""Outgoing webhooks: every event once by its id, in the order of its board, whatever the receiver does."""

import asyncio
import json
import logging
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from kit.db.database import utcnow
from models.webhook_endpoint import (
    DISABLED_AFTER_DAYS,
    MAX_ENDPOINTS,
    RETRY_SECONDS,
    EndpointDelivery,
    WebhookCursor,
    WebhookEndpoint,
)
from tests.receiver import LOOPBACK, Receiver, receiver

FIELDS = """id name format url boardIds eventTypes isEnabled disabledReason failures failingSince lastSuccessAt
  oldSecretUntil version"""
DELIVERY = "id eventType seq status attempts responseCode responseBody error nextAttemptAt"
LIST = f"""query($id: ID!) {{ webhookEndpoints(workspaceId: $id) {{ {FIELDS}
  deliveries(first: 50) {{ totalCount nodes {{ {DELIVERY} endpoint {{ id }} }} }} }} }}"""
ANSWER = f"""__typename ... on WebhookEndpointSecret {{ secret endpoint {{ {FIELDS} }} }}
  ... on WebhookEndpoint {{ {FIELDS} }} ... on WebhookDelivery {{ {DELIVERY} }}
  ... on Refusal {{ code message }} ... on Invalid {{ issues {{ path message }} }}"""
RENAME = (
    """mutation($input: UpdateCardInput!) { updateCard(input: $input) { __typename ... on Card { id } } }"""
)
FEED = """subscription($id: ID!) { boardFeed(boardId: $id, after: "0") { seq cursor at requestId correlationId
  actor { kind actorId }
  event { __typename ... on CardEvent { cardId } ... on BoardLifecycleEvent { boardId }
  ... on CardUpdated { changes { field before after } } ... on CardCreated { columnId rank }
  ... on CardMoved { fromColumnId fromStage toColumnId toStage rank } ... on BoardCreated { rank } } } }"""


async def do(app, name, actor="", /, **input):
    spread = f"mutation($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ {{}} }} }}"
    answer = {
        "createWebhookEndpoint": "WebhookEndpointSecret",
        "rotateWebhookSecret": "WebhookEndpointSecret",
        "pingEndpoint": "WebhookDelivery",
        "redriveDelivery": "WebhookDelivery",
    }.get(name, "WebhookEndpoint")
    of = {
        "WebhookEndpointSecret": f"secret endpoint {{ {FIELDS} }}",
        "WebhookEndpoint": FIELDS,
        "WebhookDelivery": DELIVERY,
    }
    fields = f"""__typename ... on {answer} {{ {of[answer]} }} ... on Refusal {{ code message }}
      ... on Invalid {{ issues {{ path message }} }}"""
    return await app.data(spread.replace("{}", fields), actor, input=input)


async def make(app, at: Receiver, path="/", **more):
    given = {"workspaceId": await app.home(), "name": "CI", "url": at.url(path), **more}
    made = await do(app, "createWebhookEndpoint", **given)
    assert made["__typename"] == "WebhookEndpointSecret", made
    if made["secret"]:
        at.secrets.append(made["secret"])
    return made["endpoint"]["id"]


async def listed(app, id=None):
    rows = await app.data(LIST, id=await app.home())
    return next(row for row in rows if id in (None, row["id"]))


async def log_of(app, id=None):
    return (await listed(app, id))["deliveries"]["nodes"]


async def rename(app, card, title):
    assert (await app.data(RENAME, input={"id": card, "title": title}))["__typename"] == "Card"


async def until(condition, within=30.0):
    async with asyncio.timeout(within):
        while not (found := condition()):
            await asyncio.sleep(0.02)
    return found


async def until_async(condition, within=30.0):
    async with asyncio.timeout(within):
        while not (found := await condition()):
            await asyncio.sleep(0.05)
    return found


async def retry_now(app):
    """Let the waits of back-off be over."""
    async with app.begin() as tx:
        await tx.execute(update(WebhookCursor).values(next_attempt_at=None))
        await tx.execute(update(WebhookEndpoint).values(next_attempt_at=None))


def in_order(told):
    """Assert that the messages of each board came in its order, each seq with one id."""
    last, ids = {}, {}
    for one in told:
        data = one.json["data"]
        place = data["boardId"] or data["workspaceId"]
        assert ids.setdefault((place, data["seq"]), one.id) == one.id
        if data["seq"] > last.get(place, 0):
            last[place] = data["seq"]
    firsts = list(dict.fromkeys(one.id for one in told))
    by_id = {one.id: one.json["data"] for one in told}
    for place in last:
        seqs = [
            by_id[id]["seq"] for id in firsts if (by_id[id]["boardId"] or by_id[id]["workspaceId"]) == place
        ]
        assert seqs == sorted(seqs), place
    return last


async def test_an_endpoint_is_told_what_the_feed_tells(run, caplog):
    caplog.set_level(logging.INFO)
    async with receiver() as at, run(**LOOPBACK) as app:
        id = await make(app, at)
        board, [card] = await app.has_board("First")
        await rename(app, card, "Second")
        await until(lambda: "CardUpdated" in at.types())
        assert at.wrong == []
        told = [one for one in at.told if one.json["data"]["boardId"] == board]
        async with app.follow(FEED, id=board) as hear:
            items = [await hear() for _ in told]
        items = [item["boardFeed"] for item in items]
        for one, item in zip(told, items, strict=True):
            data = one.json["data"]
            event = data.pop("event")
            assert one.json["type"] == event["__typename"] == item["__typename"]
            assert one.json["timestamp"] == data["at"] == item["at"]
            both = {**data, **event}
            assert {key: both[key] for key in item} == item
        assert {"CardCreated", "CardUpdated", "BoardCreated"} <= set(at.types())
        assert len({one.id for one in at.told}) == len(at.told)

        async def is_logged():
            return [one for one in await log_of(app, id) if one["eventType"] == "CardUpdated"]

        [entry] = await until_async(is_logged)
        assert (entry["status"], entry["attempts"], entry["responseCode"]) == ("DELIVERED", 1, 200)
        assert entry["id"] == told[-1].id
        assert (await listed(app, id))["lastSuccessAt"] is not None
    assert at.secrets[0] not in caplog.text


async def test_a_failed_message_keeps_its_id_and_its_place(run):
    async with receiver() as at, run(**LOOPBACK) as app:
        board, [card] = await app.has_board("One")
        id = await make(app, at, boardIds=[board], eventTypes=["CardUpdated"])
        at.answers[:] = ["500", "DROP", "302", "429", "404"]
        for title in ("Two", "Three", "Four"):
            await rename(app, card, title)
        for attempt in range(1, 6):
            await until(lambda attempt=attempt: len(at.told) >= attempt)

            async def is_noted(attempt=attempt):
                [entry] = await log_of(app, id)
                return entry if entry["attempts"] >= attempt else None

            entry = await until_async(is_noted)
            assert entry["status"] == "PENDING"
            assert entry["nextAttemptAt"] is not None
            assert entry["error"]
            await retry_now(app)
        await until(lambda: len(at.firsts()) == 3)
        assert len({one.id for one in at.told[:6]}) == 1
        assert [one.json["data"]["event"]["changes"][0]["after"] for one in at.firsts()] == [
            "Two",
            "Three",
            "Four",
        ]
        in_order(at.told)

        async def are_delivered():
            log = await log_of(app, id)
            return [one["status"] for one in log] == ["DELIVERED"] * 3 and log

        log = await until_async(are_delivered)
        assert [one["attempts"] for one in log] == [1, 1, 6]
        assert (await listed(app, id))["failures"] == 0


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        ("ELSEWHERE", "FAILED", "The endpoint redirects (302); give its final address"),
        ("HUGE", "DELIVERED", None),
        ("TWICE", "DELIVERED", None),
        ("404", "FAILED", "The endpoint answered 404"),
        ("DROP", "FAILED", "No answer"),
        ("nonsense\r\n\r\n", "FAILED", "No answer"),
    ],
)
async def test_a_ping_says_how_the_endpoint_answers(run, answer, status, error):
    async with receiver() as at, run(**LOOPBACK) as app:
        id = await make(app, at, eventTypes=["CardUpdated"])
        at.answers[:] = [answer]
        pinged = await do(app, "pingEndpoint", id=id)
        assert pinged["status"] == status, pinged
        assert (pinged["error"] or "").startswith(error or "")
        assert len(pinged["responseBody"] or "") <= 500
        assert at.told[0].json == {
            "type": "Ping",
            "timestamp": at.told[0].json["timestamp"],
            "data": {"workspaceId": await app.home(), "endpointId": id},
        }
        assert pinged["id"] == at.told[0].id
        assert len(at.told) == 1
        assert (await do(app, "pingEndpoint", id=id))["status"] == "DELIVERED"
        again = await do(app, "redriveDelivery", id=pinged["id"])
        assert (again["status"], again["attempts"]) == ("DELIVERED", 2)
        assert at.told[-1].id == pinged["id"]


async def test_an_endpoint_that_hangs_holds_no_other(run):
    async with receiver() as slow, receiver() as at, run(**LOOPBACK) as app:
        _, [card] = await app.has_board("One")
        slow.answers[:] = ["HANG"] * 50
        for _ in range(MAX_ENDPOINTS - 1):
            await make(app, slow, eventTypes=["CardUpdated"])
        began = time.monotonic()
        await make(app, at, eventTypes=["CardUpdated"])
        await rename(app, card, "Two")
        await until(lambda: at.told, within=12)
        assert time.monotonic() - began < 12
        await until(lambda: slow.hanging == MAX_ENDPOINTS - 1)


async def test_a_whole_workspace_is_told_each_event_once(run):
    label = """mutation($input: CreateLabelInput!) { createLabel(input: $input) { ... on Label { id } } }"""
    drop = """mutation($input: DeleteBoardInput!) { deleteBoard(input: $input) { __typename } }"""
    async with receiver() as at, run(**LOOPBACK) as app:
        await app.has_board("One", name="Old")
        await make(app, at)
        board, _ = await app.has_board("Two", name="New")
        await app.data(label, input={"workspaceId": await app.home(), "name": "L", "colour": "#AA0000"})
        await app.data(drop, input={"id": board, "confirmName": "New"})
        await until(lambda: "BoardDeleted" in at.types())
        await until(lambda: "LabelCreated" in at.types())
        assert at.types().count("LabelCreated") == at.types().count("BoardCreated") == 1
        assert at.types().count("BoardDeleted") == 1
        in_order(at.told)


async def test_two_secrets_are_valid_until_the_overlap_ends(run):
    async with receiver() as at, run(**LOOPBACK) as app:
        id = await make(app, at)
        old = at.secrets[0]
        rotated = await do(app, "rotateWebhookSecret", id=id)
        assert rotated["secret"].startswith("whsec_")
        assert rotated["secret"] != old
        await do(app, "pingEndpoint", id=id)
        told = at.told[-1]
        assert len(told.headers["webhook-signature"].split()) == 2
        assert Receiver.proves(old, told.headers, told.body)
        assert Receiver.proves(rotated["secret"], told.headers, told.body)
        assert not Receiver.proves(rotated["secret"], told.headers, told.body + b" ")
        late = {**told.headers, "webhook-timestamp": str(int(time.time()) - 3600)}
        assert not Receiver.proves(rotated["secret"], late, told.body)
        at.secrets.append((await do(app, "rotateWebhookSecret", id=id, overlapHours=0))["secret"])
        await do(app, "pingEndpoint", id=id)
        assert len(at.told[-1].headers["webhook-signature"].split()) == 1
        assert not Receiver.proves(rotated["secret"], at.told[-1].headers, at.told[-1].body)
        wrong = await do(app, "rotateWebhookSecret", id=id, overlapHours=999)
        assert wrong["issues"][0]["path"] == "overlapHours"
        [row] = await app.services.database.read(select(WebhookEndpoint.__table__))
        assert at.secrets[-1] not in row.secret
        shown = json.dumps(await listed(app, id))
        assert not any(secret in shown for secret in at.secrets)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://169.254.169.254/latest",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://10.0.0.1/",
        "https://me:word@example.com/",
        "ftp://example.com/",
        "https://",
        "https://example.com/" + "x" * 2_000,
        "not a url",
    ],
)
async def test_a_private_or_broken_address_is_invalid(run, url):
    async with run() as app:
        home = await app.home()
        made = await do(app, "createWebhookEndpoint", workspaceId=home, name="x", url=url)
        assert [issue["path"] for issue in made["issues"]] == ["url"], made
        assert await app.data(LIST, id=home) == []


async def test_a_name_that_turns_private_is_a_failed_delivery(run):
    async with run() as app:
        made = await do(
            app,
            "createWebhookEndpoint",
            workspaceId=await app.home(),
            name="x",
            url="https://localhost.localdomain.example/",
        )
        id = made["endpoint"]["id"]
        async with app.begin() as tx:  # as if its name were resolved to this machine from now on
            await tx.execute(update(WebhookEndpoint).values(url="https://localhost:1/"))
        pinged = await do(app, "pingEndpoint", id=id)
        assert pinged["status"] == "FAILED"
        assert "private" in pinged["error"]


async def test_input_is_refused_by_its_path(run):
    async with receiver() as at, run(**LOOPBACK) as app:
        home = await app.home()
        board, _ = await app.has_board()
        base = {"workspaceId": home, "name": "x", "url": at.url()}

        async def path_of(**more):
            answer = await do(app, "createWebhookEndpoint", **{**base, **more})
            return answer["issues"][0]["path"]

        assert await path_of(name=" ") == "name"
        assert await path_of(eventTypes=["CardExploded"]) == "eventTypes.0"
        assert await path_of(eventTypes=[]) == "eventTypes"
        assert await path_of(eventTypes=["CardMoved", "CardMoved"]) == "eventTypes"
        assert await path_of(boardIds=[]) == "boardIds"
        unknown = await do(app, "createWebhookEndpoint", **base, boardIds=["board_none"])
        assert unknown["code"] == "NOT_FOUND"
        id = await make(app, at, boardIds=[board])
        assert (await do(app, "updateWebhookEndpoint", id=id, ifVersion=9, name="y"))["code"] == "STALE"
        changed = await do(
            app, "updateWebhookEndpoint", id=id, boardIds=None, eventTypes=["CardMoved"], name="y"
        )
        assert (changed["name"], changed["boardIds"], changed["eventTypes"]) == ("y", None, ["CardMoved"])
        for _ in range(MAX_ENDPOINTS - 1):
            await make(app, at)
        assert (await do(app, "createWebhookEndpoint", **base))["code"] == "CONFLICT"
        assert (await do(app, "deleteWebhookEndpoint", id=id))["id"] == id
        assert (await do(app, "pingEndpoint", id=id))["code"] == "NOT_FOUND"


async def test_a_disabled_endpoint_goes_on_where_it_stopped(run):
    async with receiver() as at, run(**LOOPBACK) as app:
        _, [card] = await app.has_board("One")
        id = await make(app, at, eventTypes=["CardUpdated"])
        await do(app, "updateWebhookEndpoint", id=id, isEnabled=False)
        await rename(app, card, "Two")
        await rename(app, card, "Three")
        assert (await do(app, "updateWebhookEndpoint", id=id, isEnabled=True))["isEnabled"]
        await until(lambda: len(at.told) == 2)
        await do(app, "updateWebhookEndpoint", id=id, isEnabled=False)
        await rename(app, card, "Four")
        await do(app, "updateWebhookEndpoint", id=id, isEnabled=True, skipWaiting=True)
        await rename(app, card, "Five")
        await until(lambda: len(at.told) == 3)
        assert at.told[-1].json["data"]["event"]["changes"][0]["after"] == "Five"


@pytest.mark.parametrize("answer", ["410", "500"])
async def test_a_dead_endpoint_is_disabled_and_its_admins_are_notified(run, answer):
    ask = "{ notifications { nodes { type title body } } }"
    async with receiver() as at, run(**LOOPBACK) as app:
        await app.has_user("max", "MEMBER")
        _, [card] = await app.has_board("One")
        id = await make(app, at, eventTypes=["CardUpdated"])
        at.answers[:] = [answer] * 9
        if answer == "500":
            async with app.begin() as tx:
                since = utcnow() - timedelta(days=DISABLED_AFTER_DAYS, minutes=1)
                await tx.execute(update(WebhookEndpoint).values(failing_since=since, failures=9))
        await rename(app, card, "Two")

        async def is_disabled():
            row = await listed(app, id)
            return None if row["isEnabled"] else row

        row = await until_async(is_disabled)
        assert f"The endpoint answered {answer}" in row["disabledReason"]
        [notice] = (await app.data(ask))["nodes"]
        assert (notice["type"], notice["title"]) == ("WARNING", "The webhook CI was disabled")
        assert (await app.data(ask, "max"))["nodes"] == []
        count = len(at.told)
        await rename(app, card, "Three")
        at.answers.clear()
        enabled = await do(app, "updateWebhookEndpoint", id=id, isEnabled=True)
        assert (enabled["disabledReason"], enabled["failingSince"]) == (None, None)
        await until(lambda: len(at.firsts()) == 2)
        assert len(at.told) == count + 2


async def test_the_last_attempt_gives_up_and_the_board_goes_on(run):
    async with receiver() as at, run(**LOOPBACK) as app:
        _, [card] = await app.has_board("One")
        id = await make(app, at, eventTypes=["CardUpdated"])
        at.answers[:] = ["400"]
        await rename(app, card, "Two")

        async def waits():
            return [one for one in await log_of(app, id) if one["status"] == "PENDING"]

        await until_async(waits)
        async with app.begin() as tx:
            await tx.execute(
                update(WebhookCursor)
                .where(WebhookCursor.attempts == 1)
                .values(attempts=len(RETRY_SECONDS), next_attempt_at=None)
            )
        at.answers[:] = ["400"]
        await rename(app, card, "Three")
        await until(lambda: len(at.firsts()) == 2)

        async def gave_up():
            log = await log_of(app, id)
            return log if [one["status"] for one in log] == ["DELIVERED", "FAILED"] else None

        _, failed = await until_async(gave_up)
        assert failed["attempts"] == len(RETRY_SECONDS) + 1
        again = await do(app, "redriveDelivery", id=failed["id"])
        assert (again["status"], at.told[-1].id) == ("DELIVERED", failed["id"])


async def test_a_redriven_message_lets_its_board_go_on(run):
    async with receiver() as at, run(**LOOPBACK) as app:
        _, [card] = await app.has_board("One")
        id = await make(app, at, eventTypes=["CardUpdated"])
        at.answers[:] = ["503"]
        await rename(app, card, "Two")
        [entry] = await until_async(lambda: log_of(app, id))
        await rename(app, card, "Three")
        assert (await do(app, "redriveDelivery", id=entry["id"]))["status"] == "DELIVERED"
        await until(lambda: len(at.firsts()) == 2)
        assert [one.id for one in at.told].count(entry["id"]) == 2


async def test_a_chat_gets_a_line_and_no_secret_is_shown(run):
    async with receiver() as at, run(**LOOPBACK) as app:
        _, [card] = await app.has_board("Fix <the> log-in & more")
        for format in ("SLACK", "TEAMS"):
            made = await do(
                app,
                "createWebhookEndpoint",
                workspaceId=await app.home(),
                name=format,
                url=at.url("/T000/secret-path"),
                format=format,
                eventTypes=["CardUpdated"],
            )
            assert made["secret"] is None
            assert made["endpoint"]["url"] == at.url("")
        await rename(app, card, "Renamed <now> & then")
        await until(lambda: len(at.told) == 2)
        texts = {key: one.json[key] for one in at.told for key in ("text", "attachments") if key in one.json}
        assert texts["text"].startswith("Card updated: WEB-1 Renamed &lt;now&gt; &amp; then")
        [block] = texts["attachments"][0]["content"]["body"]
        assert block["text"].startswith("Card updated: WEB-1 Renamed <now> & then")
        assert {one.path for one in at.told} == {"/T000/secret-path"}
        assert "secret-path" not in json.dumps(await app.data(LIST, id=await app.home()))
        at.answers[:] = ["ELSEWHERE"]
        pinged = await do(app, "pingEndpoint", id=(await listed(app))["id"])
        assert (pinged["status"], pinged["responseCode"]) == ("FAILED", 302)


async def test_a_list_takes_a_constant_number_of_statements(run):
    async with receiver() as at, run(**LOOPBACK) as app:
        _, [card] = await app.has_board("One")
        await make(app, at, eventTypes=["CardUpdated"])
        await rename(app, card, "Two")
        await until_async(lambda: log_of(app))
        with app.counting() as one:
            await app.data(LIST, id=await app.home())
        for _ in range(5):
            await make(app, at, eventTypes=["CardUpdated"])
        await rename(app, card, "Three")
        await until(lambda: len(at.told) == 7)
        with app.counting() as many:
            await app.data(LIST, id=await app.home())
        assert len(one) == len(many)


async def test_the_log_is_bounded(run):
    async with receiver() as at, run(**LOOPBACK) as app:
        id, home = await make(app, at), await app.home()
        async with app.begin() as tx:
            rows = [
                EndpointDelivery(
                    id=f"msg_{n:026d}",
                    workspace_id=home,
                    endpoint_id=id,
                    event_type="Ping",
                    attempts=1,
                    status="DELIVERED",
                )
                for n in range(2_050)
            ]
            tx.add_all(rows)
        await do(app, "pingEndpoint", id=id)
        [[count]] = await app.services.database.read(select(func.count()).select_from(EndpointDelivery))
        assert count == 2_000
