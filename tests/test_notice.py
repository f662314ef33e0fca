"""Notifications: who is told what, once, as long as they belong there; and what they do with it."""

import asyncio

import pytest
from sqlalchemy import func, select

from actions.notice import create_notices, mentioned, people_of
from models.card import Card
from models.notice import MAX_KEPT, Notification, NotificationType
from models.run import Run

LIST = """query($first: Int, $after: String, $unread: Boolean! = false) {
  notifications(first: $first, after: $after, unread: $unread) {
    totalCount pageInfo { endCursor hasNextPage } nodes {
      id type title body readAt card { title } board { name } } } unreadCount }"""
FEED = """subscription { userFeed(after: "0") { seq event { kind: __typename
  ... on Notified { type title notification { id readAt card { title } } } } } }"""
ASSIGN = "mutation($input: AssignCardInput!) { assignCard(input: $input) { __typename } }"
POST = "mutation($input: PostMessageInput!) { postMessage(input: $input) { ... on Message { id } } }"
EDIT = "mutation($input: EditMessageInput!) { editMessage(input: $input) { __typename } }"
READ = """mutation($ids: [ID!]!) { markNotificationsRead(input: {ids: $ids}) {
  __typename ... on NotificationsRead { notifications { id readAt } } ... on Refusal { code } } }"""
ALL = """mutation($w: ID) { markAllNotificationsRead(input: {workspaceId: $w}) {
  __typename ... on AllNotificationsRead { count } ... on Refusal { code } } }"""
DELETE = """mutation($id: ID!) { deleteNotification(input: {id: $id}) {
  __typename ... on Notification { title } ... on Refusal { code } } }"""
OUT = "mutation($id: ID!) { removeMember(input: {id: $id}) { __typename } }"


async def told(app, actor="", **arguments):
    """What somebody is notified of, the newest first: (type, title)."""
    found = (await app.ask(LIST, actor, **arguments))["data"]
    nodes = found["notifications"]["nodes"]
    return [(one["type"], one["title"]) for one in nodes]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@ann look", ["ann"]),
        ("Hi @Ann, @BOB-2. And (@c.d_e)!", ["ann", "bob-2", "c.d_e"]),
        ("@ann @ANN @ann.", ["ann"]),
        ("mail ann@example.org, path /@ann/x, @@ann, @xy", []),
        ("`@ann` ```\n@bob\n``` @kim", ["kim"]),
        ("```\n@ann never closed", []),
        ("@Ünal", ["ünal"]),
        (" ".join(f"@user{n}" for n in range(50)), [f"user{n}" for n in range(20)]),
    ],
)
def test_what_a_text_calls(text, names):
    assert mentioned(text) == names


async def test_who_is_assigned_is_told_by_others_only(run):
    async with run() as app:
        max, owner = await app.has_user("max"), (await app.data("{ me { id } }"))["id"]
        _board, [card] = await app.has_board("Fix it")
        await app.data(ASSIGN, input={"cardId": card, "userId": max})
        await app.data(ASSIGN, input={"cardId": card, "userId": max})
        await app.data(ASSIGN, input={"cardId": card, "userId": owner})
        assert await told(app) == []
        found = (await app.ask(LIST, "max"))["data"]
        [one] = found["notifications"]["nodes"]
        assert (one["type"], one["title"], one["body"]) == ("ASSIGNED", "WEB-1 was assigned to you", "Fix it")
        assert (one["card"], one["board"], one["readAt"]) == ({"title": "Fix it"}, {"name": "Web"}, None)
        assert found["unreadCount"] == 1


async def test_members_that_a_message_calls_are_told_once(run):
    async with run() as app:
        for name in ("max", "kim"):
            await app.has_user(name)
        await app.has_user("eve", None)  # a stranger
        _board, [card] = await app.has_board("Fix it")
        body = {"cardId": card, "body": "@Max and @eve, and @nobody: look"}
        id = (await app.data(POST, input=body))["id"]
        mention = ("MENTIONED", "You were mentioned on WEB-1")
        assert (await told(app, "max"), await told(app, "eve")) == ([mention], [])
        await app.data(EDIT, input={"id": id, "body": "@max and @kim: look again"})
        assert (await told(app, "max"), await told(app, "kim")) == ([mention], [mention])
        await app.data(POST, "max", input={"cardId": card, "body": "I, @max, did"})
        assert await told(app, "max") == [mention], "nobody is told of themselves"


async def test_the_feed_tells_it(run):
    async with run() as app:
        max = await app.has_user("max")
        _, [card] = await app.has_board("Fix it")
        async with app.follow(FEED, "max") as hear:
            await app.data(ASSIGN, input={"cardId": card, "userId": max})
            kinds = []
            while not kinds or kinds[-1]["kind"] != "Notified":
                kinds.append((await hear())["userFeed"])
            assert kinds[-2]["kind"] == "Assigned"
            assert kinds[-1]["notification"]["card"] == {"title": "Fix it"}
            assert (kinds[-1]["type"], kinds[-1]["title"]) == ("ASSIGNED", "WEB-1 was assigned to you")


async def has_notices(app, user, count, *, workspace=None):
    workspace = workspace or await app.home()
    async with app.begin() as tx:
        for n in range(count):
            await create_notices(tx, [user], NotificationType.WARNING, f"N{n}", workspace_id=workspace)


async def test_reading_and_letting_go(run):
    async with run() as app:
        max, kim = await app.has_user("max"), await app.has_user("kim")
        await has_notices(app, max, 4)
        await has_notices(app, kim, 1)
        page = (await app.ask(LIST, "max", first=3))["data"]["notifications"]
        assert (page["totalCount"], [one["title"] for one in page["nodes"]]) == (4, ["N3", "N2", "N1"])
        rest = await told(app, "max", after=page["pageInfo"]["endCursor"])
        assert [title for _, title in rest] == ["N0"]
        ids = [one["id"] for one in page["nodes"]]
        [theirs] = (await app.ask(LIST, "kim"))["data"]["notifications"]["nodes"]
        assert (await app.data(READ, "max", ids=[ids[0], theirs["id"]]))["code"] == "NOT_FOUND"
        assert (await app.ask(LIST, "max"))["data"]["unreadCount"] == 4, "all of them or none"
        first = await app.data(READ, "max", ids=[ids[1], ids[0], ids[1]])
        assert [one["id"] for one in first["notifications"]] == [ids[1], ids[0]]
        assert await app.data(READ, "max", ids=[ids[1], ids[0]]) == first, "when it was read first"
        assert [title for _, title in await told(app, "max", unread=True)] == ["N1", "N0"]
        assert (await app.data(READ, "max", ids=[]))["code"] == "INVALID"
        assert (await app.data(ALL, "max", w="workspace_none")) == {
            "__typename": "AllNotificationsRead",
            "count": 0,
        }
        assert (await app.data(ALL, "max"))["count"] == 2
        assert (await app.ask(LIST, "kim"))["data"]["unreadCount"] == 1
        assert (await app.data(DELETE, "kim", id=ids[0]))["code"] == "NOT_FOUND"
        assert await app.data(DELETE, "max", id=ids[0]) == {"__typename": "Notification", "title": "N3"}
        assert len(await told(app, "max")) == 3


async def test_who_has_left_sees_nothing_of_it_any_more(run):
    async with run() as app:
        max = await app.has_user("max")
        await has_notices(app, max, 2)
        home = await app.home()
        ask = """query($id: ID!) { workspace(id: $id) { members(text: "max") { nodes { id } } } }"""
        [member] = (await app.data(ask, id=home))["members"]["nodes"]
        await app.data(OUT, id=member["id"])
        found = (await app.ask(LIST, "max"))["data"]
        assert (found["notifications"]["nodes"], found["unreadCount"]) == ([], 0)
        assert (await app.data(ALL, "max"))["count"] == 0


async def test_the_newest_are_kept_and_all_are_told_in_one_insert(run):
    async with run() as app:
        people = [await app.has_user(name) for name in ("max", "kim")]
        home = await app.home()
        async with app.begin() as tx:
            rows = [{"user_id": people[0], "workspace_id": home, "title": f"N{n}"} for n in range(MAX_KEPT)]
            tx.add_all(Notification(type=NotificationType.WARNING, **row) for row in rows)
        with app.counting() as statements:
            async with app.begin() as tx:
                await create_notices(tx, people * 2, NotificationType.WARNING, "The last", workspace_id=home)
        about = [one for one in statements if "notification" in one.lower() and "topic" not in one]
        assert len([one for one in about if one.startswith("INSERT INTO notification")]) == 1, about
        count = select(Notification.user_id, func.count()).group_by(Notification.user_id)
        assert dict(map(tuple, await app.services.database.read(count))) == {
            people[0]: MAX_KEPT,
            people[1]: 1,
        }
        titles = {row.title for row in await app.services.database.read(select(Notification.title))}
        assert "N0" not in titles, "the oldest went"
        assert {"N1", "The last"} <= titles


async def test_a_list_of_any_length_is_one_statement_a_kind(run):
    async with run() as app:
        max = await app.has_user("max")
        board, cards = await app.has_board(*(f"C{n}" for n in range(10)))
        home = await app.home()
        async with app.begin() as tx:
            for card in cards * 5:
                about = {"workspace_id": home, "board_id": board, "card_id": card}
                await create_notices(tx, [max], NotificationType.CARD_MOVED, "Moved", **about)
        with app.counting() as statements:
            assert len(await told(app, "max", first=50)) == 50
        asked = [
            one for one in statements if "notification" in one or "FROM card" in one or "FROM board" in one
        ]
        assert len(asked) == 5, asked  # the page, its count, the unread, the cards, the boards


async def test_who_hears_of_a_card(run):
    async with run() as app:
        max, kim, vic = [await app.has_user(name) for name in ("max", "kim", "vic")]
        gone = await app.has_user("gone", None)
        owner = (await app.data("{ me { id } }"))["id"]
        _, [card] = await app.has_board("Fix it")
        for user in (max, owner):
            await app.data(ASSIGN, input={"cardId": card, "userId": user})
        async with app.begin() as tx:
            row = await tx.get_one(Card, card)
            assert await people_of(tx, row) == sorted([owner, max])
            assert await people_of(tx, row, Run(created_by=kim)) == sorted([owner, max, kim])
            assert await people_of(tx, row, Run(created_by=gone)) == sorted([owner, max])
            assert await people_of(tx, row, Run(created_by="key_x")) == sorted([owner, max])
        assert vic not in (owner, max)


async def test_people_told_at_once_do_not_get_in_each_others_way(run):
    async with run() as app:
        people = [await app.has_user(name) for name in ("max", "kim", "ann")]
        home = await app.home()

        async def tell(n):
            async with app.begin() as tx:
                await create_notices(
                    tx, people[:: 1 - 2 * (n % 2)], NotificationType.WARNING, f"N{n}", workspace_id=home
                )

        await asyncio.gather(*(tell(n) for n in range(20)))
        for name in ("max", "kim", "ann"):
            assert len(await told(app, name)) == 20


async def test_keys_have_none(run):
    async with run() as app:
        make = """mutation($w: ID!) { createApiKey(input: {workspaceId: $w, name: "k", scopes: [WRITE]}) {
          ... on ApiKeySecret { secret } } }"""
        app.tokens["key"] = f"Bearer {(await app.data(make, w=await app.home()))['secret']}"
        assert await told(app, "key") == []
        assert (await app.data(ALL, "key"))["code"] == "FORBIDDEN"
