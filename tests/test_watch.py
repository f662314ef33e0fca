"""Watching and muting; reminders; and notifications by mail: each person is told of one thing once."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from actions.notice_mail import is_digest_due, mail_digests
from actions.reminder import remind_of_due_cards, remind_of_stale_pull_requests
from kit.db.database import utcnow
from models.account import User
from models.notice import Notification
from models.pull_request import CardPullRequest, PullRequest, PullRequestOrigin, PullRequestState
from models.watch import MAX_WATCHES, Watch
from tests.conftest import PASSWORD
from tests.mailbox import mailbox
from tests.test_approval import decide, request, reviewed
from tests.test_job import until
from tests.test_mail import mailing
from tests.test_notice import ASSIGN, POST
from tests.test_preferences import UPDATE

WATCH = """mutation($input: WatchInput!) { watch(input: $input) { __typename
  ... on Watch { level board { id } card { id } } ... on Refusal { code } } }"""
UNWATCH = """mutation($input: UnwatchInput!) { unwatch(input: $input) { __typename
  ... on Watch { level } ... on Refusal { code } } }"""
WATCHES = "{ watches { level board { id } card { id } } }"
MOVE = """mutation($input: MoveCardInput!) { moveCard(input: $input) { __typename } }"""
DUE = """mutation($input: UpdateCardInput!) { updateCard(input: $input) { __typename } }"""
LIST = """query($types: [NotificationType!], $board: ID, $unread: Boolean! = false) {
  notifications(types: $types, boardId: $board, unread: $unread) { totalCount nodes { type title } } }"""


async def told(app, actor="", **arguments):
    return [(one["type"], one["title"]) for one in (await app.data(LIST, actor, **arguments))["nodes"]]


async def is_told(app, actor, count):
    async def look():
        found = await told(app, actor)
        return found if len(found) >= count else None

    return await until(look)


async def test_a_watcher_hears_of_moves_and_messages_once(run):
    async with run() as app:
        for name in ("max", "kim", "eve"):
            await app.has_user(name, None if name == "eve" else "MEMBER")
        board, [card, other] = await app.has_board("Fix it", "Another")
        assert await app.data(WATCH, "eve", input={"id": board}) == {
            "__typename": "NotFound",
            "code": "NOT_FOUND",
        }
        watched = await app.data(WATCH, "max", input={"id": card})
        assert watched == {
            "__typename": "Watch",
            "level": "WATCHING",
            "board": {"id": board},
            "card": {"id": card},
        }
        await app.data(WATCH, "kim", input={"id": board})
        await app.data(WATCH, input={"id": board})
        for id in (card, other):
            await app.data(MOVE, input={"id": id, "destination": {"stage": "TODO"}})
        await app.data(POST, input={"cardId": card, "body": "Look, @max"})
        await is_told(app, "kim", 3)
        moved, message = "WEB-1 was moved to TODO: Fix it", "There is a new message on WEB-1: Fix it"
        assert await told(app, "kim") == [
            ("MENTIONED", message),
            ("CARD_MOVED", "WEB-2 was moved to TODO: Another"),
            ("CARD_MOVED", moved),
        ]
        assert await told(app, "max") == [("CARD_MOVED", moved), ("MENTIONED", "You were mentioned on WEB-1")]
        assert await told(app) == []  # nobody is told of what they do
        assert (await app.data(UNWATCH, "kim", input={"id": board}))["level"] == "WATCHING"
        assert (await app.data(UNWATCH, "kim", input={"id": board}))["code"] == "NOT_FOUND"
        await app.data(POST, "kim", input={"cardId": card, "body": "Done"})
        await is_told(app, "", 1)
        assert len(await told(app, "kim")) == 3


async def test_a_muted_board_is_silent_but_for_a_card_that_is_watched(run):
    async with run() as app:
        max = await app.has_user("max")
        board, [card, other] = await app.has_board("Fix it", "Another")
        await app.data(WATCH, "max", input={"id": board, "level": "MUTED"})
        await app.data(WATCH, "max", input={"id": other})
        assert [one["level"] for one in await app.data(WATCHES, "max")] == ["MUTED", "WATCHING"]
        assert await app.data(WATCHES) == []
        for id in (card, other):
            await app.data(ASSIGN, input={"cardId": id, "userId": max})
        assert await told(app, "max") == [("ASSIGNED", "WEB-2 was assigned to you")]
        await app.data(WATCH, "max", input={"id": other, "level": "MUTED"})
        await app.data(POST, input={"cardId": other, "body": "@max"})
        assert len(await told(app, "max")) == 1


async def test_the_list_is_filtered(run):
    async with run() as app:
        max = await app.has_user("max")
        board, [card] = await app.has_board("Fix it")
        second, [other] = await app.has_board("Other", name="Ops")
        for id in (card, other):
            await app.data(ASSIGN, input={"cardId": id, "userId": max})
        await app.data(POST, input={"cardId": card, "body": "@max"})
        assert len(await told(app, "max")) == 3
        assert await told(app, "max", board=second) == [("ASSIGNED", "OPS-1 was assigned to you")]
        assert len(await told(app, "max", types=["MENTIONED"])) == 1
        assert len(await told(app, "max", types=["MENTIONED", "ASSIGNED"], board=board)) == 2
        assert await told(app, "max", types=[]) == []
        answer = await app.ask(LIST, "max", types=["ASSIGNED"] * 13)
        assert answer["errors"][0]["extensions"]["code"] == "INVALID"


async def test_an_approval_is_requested_and_then_the_work_may_be_merged(run):
    async with run() as app:
        for name in ("max", "kim"):
            await app.has_user(name)
        _, id, _, _ = await reviewed(app, {"approvals": [{"kind": "MERGE", "by": "PERSON"}]})
        await app.data(WATCH, "kim", input={"id": id})
        before = len(await told(app))
        asked = await request(app, id, actor="max")
        await decide(app, asked["id"], actor="max")
        new = [
            ("READY_TO_MERGE", "WEB-1 may be merged: Paint"),
            ("APPROVAL_REQUESTED", "WEB-1 needs an approval: Paint"),
        ]
        assert await told(app, "kim") == new
        assert (await told(app))[: len(await told(app)) - before] == new
        assert await told(app, "max") == []


async def test_who_erases_the_account_watches_nothing(run):
    erase = """mutation($input: DeleteMeInput!) { deleteMe(input: $input) { __typename } }"""
    show = "{ viewer { personalData } }"
    async with run() as app:
        await app.has_user("max")
        _, [card] = await app.has_board("One")
        await app.data(WATCH, "max", input={"id": card})
        [kept] = (await app.data(show, "max"))["personalData"]["watches"]
        assert (kept["card_id"], kept["level"]) == (card, "WATCHING")
        answer = await app.data(erase, "max", input={"confirmUsername": "max", "currentPassword": PASSWORD})
        assert answer["__typename"] == "ErasedAccount", answer
        assert await app.services.database.read(select(Watch.id)) == []


async def test_watches_are_bounded(run):
    async with run() as app:
        board, [card, other] = await app.has_board("One", "Two")
        async with app.begin() as tx:
            for n in range(MAX_WATCHES - 1):
                tx.add(Watch(user_id=app.owner.id, subject_id=f"card_{n}", board_id=board, level="MUTED"))
        assert (await app.data(WATCH, input={"id": card}))["level"] == "WATCHING"
        assert (await app.data(WATCH, input={"id": other}))["code"] == "CONFLICT"
        assert (await app.data(WATCH, input={"id": card, "level": "MUTED"}))["level"] == "MUTED"


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
async def test_a_reminder_comes_once_on_the_day_of_the_person(run, zone):
    async with run() as app:
        max = await app.has_user("max")
        await app.data(UPDATE, "max", input={"timeZone": zone})
        _, [card, _] = await app.has_board("Fix it", "Never due")
        await app.data(ASSIGN, input={"cardId": card, "userId": max})
        await app.data(DUE, input={"id": card, "dueOn": "2030-06-15"})
        log, heard = app.services.event_log, []
        moment = datetime(2030, 6, 14, 0, tzinfo=UTC)
        while moment < datetime(2030, 6, 18, tzinfo=UTC):
            before = len(await told(app, "max"))
            await remind_of_due_cards(log, moment)
            await remind_of_due_cards(log, moment)
            if len(await told(app, "max")) > before:
                heard.append(moment)
            moment += timedelta(hours=1)
        offset = {"Pacific/Auckland": 12, "America/Los_Angeles": -7}[zone]
        assert heard == [datetime(2030, 6, day, 8, tzinfo=UTC) - timedelta(hours=offset) for day in (15, 16)]
        assert (await told(app, "max"))[:2] == [
            ("WARNING", "WEB-1 is overdue: Fix it"),
            ("WARNING", "WEB-1 is due today: Fix it"),
        ]


async def test_a_stale_pull_request_is_told_once_for_each_silence(run):
    async with run() as app:
        board, [card] = await app.has_board("Fix it")
        connect = """mutation($input: ConnectRepositoryInput!) { connectRepository(input: $input) {
          ... on Repository { id } } }"""
        given = {"workspaceId": await app.home(), "url": "https://github.com/o/web"}
        repository = (await app.data(connect, input=given))["id"]
        now = utcnow()
        async with app.begin() as tx:
            row = PullRequest(
                workspace_id=await app.home(),
                repository_id=repository,
                origin=PullRequestOrigin.LINKED,
                state=PullRequestState.OPEN,
                number=7,
                title="A change",
                host_updated_at=now - timedelta(days=13),
            )
            tx.add(row)
            await tx.flush()
            board = (await app.data("query($id: ID!) { card(id: $id) { board { id } } }", id=card))["board"][
                "id"
            ]
            tx.add(CardPullRequest(pull_request_id=row.id, card_id=card, board_id=board, done=[]))
        log = app.services.event_log
        await remind_of_stale_pull_requests(log, now)
        assert await told(app) == []
        for _ in range(2):
            await remind_of_stale_pull_requests(log, now + timedelta(days=2))
        [one] = await told(app)
        assert one == ("STALE_PR", "Pull request #7 of WEB-1 is stale: A change")
        async with app.begin() as tx:
            await tx.execute(update(PullRequest).values(host_updated_at=now))
        await remind_of_stale_pull_requests(log, now + timedelta(days=15))
        assert len(await told(app)) == 2


async def test_an_invitation_is_told_to_the_account_of_its_address(run):
    invite = """mutation($input: InviteMembersInput!) { inviteMembers(input: $input) { __typename } }"""
    async with run() as app:
        eve = await app.has_user("eve", None)
        await app.has_user("kim", None)
        async with app.begin() as tx:
            confirmed = {
                "email": "Eve@example.org",
                "email_folded": "eve@example.org",
                "email_confirmed_at": utcnow(),
            }
            await tx.execute(update(User).where(User.id == eve).values(confirmed))
            other = {"email": "kim@example.org", "email_folded": "kim@example.org"}
            await tx.execute(update(User).where(User.username == "kim").values(other))
        emails = ["EVE@example.org", "kim@example.org", "nobody@example.org"]
        await app.data(invite, input={"workspaceId": await app.home(), "emails": emails})
        [(type, title)] = await told(app, "eve")
        assert type == "INVITED"
        assert title.startswith("You were invited to ")
        assert await told(app, "kim") == []  # the address is not confirmed


@pytest.mark.parametrize(
    ("digest", "zone", "last", "now", "is_due"),
    [
        ("DAILY", "UTC", "2030-06-13T09:00", "2030-06-14T07:59", False),
        ("DAILY", "UTC", "2030-06-13T09:00", "2030-06-14T08:00", True),
        ("DAILY", "UTC", "2030-06-14T08:01", "2030-06-14T23:00", False),
        ("DAILY", "Asia/Tokyo", "2030-06-13T00:00", "2030-06-13T23:00", True),
        ("WEEKLY", "UTC", "2030-06-03T09:00", "2030-06-14T09:00", False),  # a Friday
        ("WEEKLY", "UTC", "2030-06-03T09:00", "2030-06-17T09:00", True),  # a Monday
        ("OFF", "UTC", "2030-06-03T09:00", "2030-06-17T09:00", False),
    ],
)
def test_when_a_digest_is_due(digest, zone, last, now, is_due):
    moments = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (last, now)]
    assert is_digest_due({"digest": digest, "time_zone": zone}, *moments) is is_due


async def test_mails_of_some_types_at_once_and_of_the_unread_as_a_digest(run):
    async with mailbox() as box, run(**mailing(box)) as app:
        max = await app.has_user("max")
        _, [card] = await app.has_board("Fix <it>")
        given = {"mailedNotifications": ["MENTIONED"], "digest": "DAILY"}
        assert (await app.data(UPDATE, "max", input=given))["__typename"] == "User"
        async with app.begin() as tx:
            address = {
                "email": "max@example.org",
                "email_folded": "max@example.org",
                "email_confirmed_at": utcnow(),
            }
            await tx.execute(update(User).where(User.id == max).values(address))
        await app.data(ASSIGN, input={"cardId": card, "userId": max})
        await app.data(POST, input={"cardId": card, "body": "@max"})

        [mail] = await box.get()
        assert mail["subject"] == "You were mentioned on WEB-1"
        assert mail["to"] == "max@example.org"
        rows = await app.services.database.read(
            select(Notification.type).where(Notification.mailed_at.is_(None))
        )
        assert [row.type for row in rows] == ["ASSIGNED"]
        assert await mail_digests(app.services) == 0  # it is not a day old
        async with app.begin() as tx:
            zone = next(
                zone
                for zone in ("UTC", "Asia/Tokyo", "America/Los_Angeles")
                if is_digest_due(
                    {"digest": "DAILY", "time_zone": zone}, utcnow() - timedelta(days=2), utcnow()
                )
            )
            preferences = {"digest": "DAILY", "time_zone": zone}
            values = {"digest_at": utcnow() - timedelta(days=2), "preferences": preferences}
            await tx.execute(update(User).where(User.id == max).values(values))
        assert await mail_digests(app.services) == 1
        assert await mail_digests(app.services) == 0
        _, digest = await box.get(2)
        assert digest["subject"] == "1 unread notification"
        text = digest.get_body(("plain",)).get_content()
        assert "- WEB-1 was assigned to you" in text
