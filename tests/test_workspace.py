"""Workspaces, who belongs to them, their labels, and the log of what was done."""

import asyncio
import json
import time

import pytest
from sqlalchemy import select, update

import actions.board
import actions.card
import actions.label
from models.account import User
from models.run import Run
from models.workspace import Membership, Role
from tests.client import Refused
from tests.graphql.requests import http
from tests.pace import leeway
from tests.runs import has_run

WORKSPACE_FEED = """subscription($id: ID!, $after: String) {
  workspaceFeed(workspaceId: $id, after: $after) { seq actor { actorId } event { kind: __typename
  ... on MemberEvent { role user { username } } ... on WorkspaceUpdated {
  changes { field before after } } ... on LabelEvent { label { name } } ... on LabelDeleted { cardCount } } } }"""
BOARD_FEED = """subscription($id: ID!, $after: String) { boardFeed(boardId: $id, after: $after) { seq
  event { kind: __typename ... on CardAssigneeEvent { userId } ... on LabelEvent { labelId }
  ... on LabelRemoved { cardId labelId } } } }"""
USER_FEED = """subscription($after: String) { userFeed(after: $after) { seq event { kind: __typename
  ... on MemberEvent { workspaceId role } ... on WorkspaceDeleted { name } } } }"""
MEMBERS = """query($id: ID!, $first: Int, $after: String, $text: String) { workspace(id: $id) { myRole
  myMembership { id } members(first: $first, after: $after, text: $text) {
  totalCount pageInfo { endCursor hasNextPage } nodes { id role user { username } } } } }"""


async def do(app, name, actor="", /, **input):
    """What a mutation answers: all that is asked of any of them here."""
    kind = f"{name[0].upper()}{name[1:]}"
    labelled = "... on DeletedLabel { cardCount label { id } } ... on Label { id name colour version }"
    shown = {
        "deleteLabel": labelled.split(" ... on Label")[0],
        "createLabel": "... on Label { id name colour version } ... on Conflict { with: conflictingId }",
        "updateLabel": "... on Label { id name colour version } ... on Conflict { with: conflictingId }"
        " ... on Stale { version }",
        "updateWorkspace": "... on Workspace { name version } ... on Stale { version }",
        "addMember": "... on Membership { id role } ... on Conflict { with: conflictingId }",
        "setMemberRole": "... on Membership { id role } ... on Conflict { with: conflictingId }",
        "removeMember": "... on Membership { id } ... on Conflict { with: conflictingId }",
    }.get(name, "... on Node { id }")
    query = f"""mutation($input: {kind}Input!) {{ {name}(input: $input) {{
      __typename ... on Refusal {{ code }} {shown} }} }}"""
    return await app.data(query, actor, input=input)


async def members(app, id, actor="", **arguments):
    """The names of members, with their memberships: {username: (id, role)}."""
    found = (await app.data(MEMBERS, actor, id=id, **arguments))["members"]["nodes"]
    return {one["user"]["username"]: (one["id"], one["role"]) for one in found}


async def heard(hear, feed):
    """The kinds of all events until the feed ends."""
    kinds, seqs = [], []
    while (event := await hear()) is not None:
        kinds.append(event[feed]["kind"])
        seqs.append(event[feed]["seq"])
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), "the numbers have a gap"
    return kinds


async def until(hear, feed, kind):
    """The next event of a kind."""
    while (event := (await hear())[feed])["kind"] != kind:
        pass
    return event


async def test_a_workspace_from_first_to_last(run):
    async with run() as app:
        made = await do(app, "createWorkspace", name="  Signal   works ")
        id = made["id"]
        ask = "query($id: ID!) { workspace(id: $id) { name myRole version } }"
        assert await app.data(ask, id=id) == {"name": "Signal works", "myRole": "ADMIN", "version": 1}
        assert (await do(app, "createWorkspace", name=" "))["code"] == "INVALID"
        assert (await do(app, "createWorkspace", name="x" * 101))["code"] == "INVALID"
        stale = await do(app, "updateWorkspace", id=id, name="Works", ifVersion=7)
        assert (stale["code"], stale["version"]) == ("STALE", 1)
        renamed = await do(app, "updateWorkspace", id=id, name="Works", ifVersion=1)
        assert (renamed["name"], renamed["version"]) == ("Works", 2)
        board = (await do(app, "createBoard", workspaceId=id, name="Web"))["id"]
        await app.has_user("ann", workspace=id)
        async with (
            app.follow(WORKSPACE_FEED, "ann", id=id, after="0") as workspace,
            app.follow(BOARD_FEED, "ann", id=board, after="0") as of_board,
            app.follow(USER_FEED, "ann", after="0") as user,
        ):
            first = [(await workspace())["workspaceFeed"] for _ in range(3)]
            assert [one["kind"] for one in first] == [
                "WorkspaceCreated",
                "WorkspaceUpdated",
                "BoardCreated",
            ]
            assert first[1]["changes"] == [{"field": "name", "before": "Signal works", "after": "Works"}]
            assert (await of_board())["boardFeed"]["kind"] == "BoardCreated"
            assert (await do(app, "deleteWorkspace", id=id, confirmName="works"))["code"] == "INVALID"
            assert (await do(app, "deleteWorkspace", id=id, confirmName="Works"))["id"] == id
            assert await heard(workspace, "workspaceFeed") == ["WorkspaceDeleted"]
            assert await heard(of_board, "boardFeed") == ["BoardDeleted"]
            assert (await until(user, "userFeed", "WorkspaceDeleted"))["name"] == "Works"
        assert await app.data(ask, id=id) is None
        assert await app.data("query($id: ID!) { board(id: $id) { id } }", id=board) is None


async def test_a_feed_that_ends_leaves_nothing_out(run):
    """What happened just before the end is told too, to who belonged there until the end."""
    async with run() as app:
        board, _ = await app.has_board()
        await app.has_user("ann")
        async with app.follow(BOARD_FEED, "ann", id=board, after="0") as hear:
            assert (await hear())["boardFeed"]["kind"] == "BoardCreated"
            owner = app.owner
            async with app.begin(owner) as tx:  # one commit: the reader sees both at once
                await actions.card.create_card(tx, owner, board_id=board, title="Late")
                await actions.board.delete_board(tx, owner, id=board, confirm_name="Web")
            assert await heard(hear, "boardFeed") == ["CardCreated", "BoardDeleted"]


async def test_members_are_added_found_and_let_go(run):
    async with run() as app:
        home = await app.home()
        ids = {name: await app.has_user(name, None) for name in ("Ann", "bea", "carl_100")}
        async with app.begin() as tx:
            bea = await tx.get(User, ids["bea"])
            bea.first_name, bea.email_folded = "Annabel", "bea@example.org"
            bea.last_name = "Öztürk"
        async with app.follow(USER_FEED, "bea", after="0") as hear:
            ann = await do(app, "addMember", workspaceId=home, username="aNN", role="ADMIN")
            bea = await do(app, "addMember", workspaceId=home, username="bea")
            told = await until(hear, "userFeed", "MemberJoined")
            assert (told["role"], told["workspaceId"]) == ("MEMBER", home)
        again = await do(app, "addMember", workspaceId=home, username="bea")
        assert (again["code"], again["with"]) == ("CONFLICT", bea["id"])
        assert (await do(app, "addMember", workspaceId=home, username="nobody"))["code"] == "NOT_FOUND"
        await do(app, "addMember", workspaceId=home, username="carl_100", role="VIEWER")
        everyone = ["Ann", "bea", "carl_100", "owner"]
        assert list(await members(app, home)) == everyone
        for text, names in {
            "ann": ["Ann", "bea"],
            "EA": ["bea"],
            "özTÜRK": ["bea"],
            "bea@Example.org": ["bea"],
            "example.org": [],
            "_": ["carl_100"],
            "%": [],
            "  ": everyone,
        }.items():
            assert list(await members(app, home, text=text)) == names, text
        page = await app.data(MEMBERS, id=home, first=3)
        assert (page["members"]["totalCount"], page["members"]["pageInfo"]["hasNextPage"]) == (4, True)
        rest = await members(app, home, after=page["members"]["pageInfo"]["endCursor"])
        assert list(rest) == ["owner"]
        # Ann lets the owner go; then she is the last admin.
        gone = await do(app, "removeMember", "Ann", id=rest["owner"][0])
        assert gone["__typename"] == "Membership"
        for name, more in (("setMemberRole", {"role": "MEMBER"}), ("removeMember", {})):
            refused = await do(app, name, "Ann", id=ann["id"], **more)
            assert (refused["code"], refused["with"]) == ("CONFLICT", ann["id"])
        assert (await do(app, "removeMember", "bea", id=ann["id"]))["code"] == "FORBIDDEN"
        mine = (await app.data(MEMBERS, "carl_100", id=home))["myMembership"]["id"]
        assert (await do(app, "removeMember", "carl_100", id=mine))["id"] == mine, "a viewer may leave"
        assert await app.data(MEMBERS, "carl_100", id=home) is None
        assert list(await members(app, home, "Ann")) == ["Ann", "bea"]


@pytest.mark.parametrize("change", ["setMemberRole", "removeMember"])
async def test_two_admins_who_oust_each_other_at_once_leave_one(run, change):
    async with run() as app:
        names = ["ann", "bob"]
        _, bob = [await app.has_user(name, None) for name in names]
        for turn in range(10):
            id = (await do(app, "createWorkspace", "ann", name=f"Ring {turn}"))["id"]
            async with app.begin() as tx:
                tx.add(Membership(workspace_id=id, user_id=bob, role=Role.ADMIN))
            there = await members(app, id, names[0])
            more = {"role": "VIEWER"} if change == "setMemberRole" else {}
            await asyncio.gather(
                *(do(app, change, me, id=there[other][0], **more) for me, other in (names, reversed(names)))
            )
            async with app.begin() as tx:
                left = list(await tx.scalars(select(Membership.role).where(Membership.workspace_id == id)))
            assert left.count("ADMIN") == 1, left


async def test_an_open_feed_ends_when_its_reader_is_removed(run):
    """Over a socket and over SSE, in less than five seconds; and nothing may be written any more."""
    async with run() as app:
        home = await app.home()
        board, [card] = await app.has_board("Do it")
        ann = await app.has_user("ann")
        await do(app, "assignCard", cardId=card, userId=ann)
        membership = (await members(app, home))["ann"][0]
        query = """subscription($id: ID!) { boardFeed(boardId: $id, after: "0") { seq
          event { kind: __typename } } }"""
        body = json.dumps({"query": query, "variables": {"id": board}}).encode()
        headers = {
            "host": "127.0.0.1:8000",
            "content-type": "application/json",
            "accept": "text/event-stream",
            "authorization": app.tokens["ann"],
        }
        stream = asyncio.create_task(http(app.app, body=body, headers=headers))
        async with (
            app.follow(WORKSPACE_FEED, "ann", id=home, after="0") as of_workspace,
            app.follow(BOARD_FEED, "ann", id=board, after="0") as of_board,
        ):
            for _ in range(2):
                await of_workspace()
            for _ in range(3):
                await of_board()
            began = time.monotonic()
            await do(app, "removeMember", id=membership)
            assert await of_workspace() is None
            assert await of_board() is None
            answer = await asyncio.wait_for(stream, 60)
            took = time.monotonic() - began
        print(f"three feeds ended after {took:.2f} s")
        assert took < leeway(5)
        assert answer.status == 200
        assert answer.body.decode().rstrip().endswith("event: complete\ndata:")
        assert "AssigneeRemoved" not in answer.body.decode(), "what came after is not told"
        assert (await do(app, "createCard", "ann", boardId=board, title="No"))["code"] == "NOT_FOUND"
        assignees = "query($id: ID!) { card(id: $id) { assignees { id } } }"
        assert await app.data(assignees, id=card) == {"assignees": []}


async def test_labels_are_unique_whatever_their_case(run):
    async with run() as app:
        home = await app.home()
        bug = await do(app, "createLabel", workspaceId=home, name=" Bug ", colour="#d73a4a")
        assert (bug["name"], bug["colour"], bug["version"]) == ("Bug", "#D73A4A", 1)
        await do(app, "createLabel", workspaceId=home, name="apple", colour="#00FF00")
        for name, code in {
            "BUG": "CONFLICT",
            "": "INVALID",
            "x" * 51: "INVALID",
            "ﬃ" * 50: "INVALID",
        }.items():
            answer = await do(app, "createLabel", workspaceId=home, name=name, colour="#000000")
            assert answer["code"] == code, name
            assert answer.get("with") == (bug["id"] if code == "CONFLICT" else None)
        for colour in ("red", "#12345", "#GGGGGG", ""):
            answer = await do(app, "createLabel", workspaceId=home, name="new", colour=colour)
            assert answer["code"] == "INVALID"
        ask = "query($id: ID!) { workspace(id: $id) { labels { name cardCount } } }"
        labels = (await app.data(ask, id=home))["labels"]
        assert [label["name"] for label in labels] == ["apple", "Bug"]
        assert (await do(app, "updateLabel", id=bug["id"], name="APPLE"))["code"] == "CONFLICT"
        assert (await do(app, "updateLabel", id=bug["id"], name="bUG"))["name"] == "bUG"
        assert (await do(app, "updateLabel", id=bug["id"], colour="#111111", ifVersion=1))["version"] == 2


async def test_a_deleted_label_says_how_many_cards_it_was_on(run):
    async with run() as app:
        home = await app.home()
        board, cards = await app.has_board("One", "Two", "Three")
        label = (await do(app, "createLabel", workspaceId=home, name="Bug", colour="#D73A4A"))["id"]
        for card in cards[:2]:
            await do(app, "addLabel", cardId=card, labelId=label)
        ask = "query($id: ID!) { workspace(id: $id) { labels { cardCount } } }"
        assert await app.data(ask, id=home) == {"labels": [{"cardCount": 2}]}
        async with app.follow(BOARD_FEED, id=board, after="0") as hear:
            for _ in range(6):
                await hear()
            await do(app, "updateLabel", id=label, name="Fault")
            assert (await hear())["boardFeed"]["kind"] == "LabelUpdated"
            gone = await do(app, "deleteLabel", id=label)
            assert (gone["cardCount"], gone["label"]["id"]) == (2, label)
            for card in sorted(cards[:2]):
                told = (await hear())["boardFeed"]
                assert (told["kind"], told["cardId"], told["labelId"]) == ("LabelRemoved", card, label)
            told = (await hear())["boardFeed"]
            assert (told["kind"], told["labelId"]) == ("LabelDeleted", label)
        assert (await do(app, "deleteLabel", id=label))["code"] == "NOT_FOUND"


async def test_a_workspace_has_at_most_200_labels(run):
    async with run() as app:
        home = await app.home()
        owner = app.owner
        async with app.begin(owner) as tx:
            for number in range(199):
                await actions.label.create_label(
                    tx, owner, workspace_id=home, name=f"Label {number}", colour="#000000"
                )
        one, other = await asyncio.gather(
            *(do(app, "createLabel", workspaceId=home, name=n, colour="#000000") for n in ("a", "b"))
        )
        assert sorted([one["__typename"], other["__typename"]]) == ["Conflict", "Label"]


AUDIT = """query($id: ID!, $first: Int, $after: String, $filter: AuditFilter) { workspace(id: $id) {
  auditLog(first: $first, after: $after, filter: $filter) { totalCount pageInfo { endCursor hasNextPage } nodes {
  at kind: type
  actor { kind actorId } user { username } subjectId subject { id } name changes { field before after }
  requestId } } } }"""


async def audit(app, id, actor="", **arguments):
    return (await app.data(AUDIT, actor, id=id, **arguments))["auditLog"]


async def test_the_audit_log_says_who_did_what(run):
    async with run() as app:
        home = await app.home()
        board, [card] = await app.has_board("Do it")
        ann = await app.has_user("ann", "ADMIN")
        rename = 'mutation($id: ID!) { updateBoard(input: {id: $id, name: "Site"}) { __typename } }'
        answer = await app.post(rename, {"id": board}, actor="ann")
        [newest] = (await audit(app, home, first=1))["nodes"]
        at = newest.pop("at")
        assert newest == {
            "kind": "BoardUpdated",
            "actor": {"kind": "USER", "actorId": ann},
            "user": {"username": "ann"},
            "subjectId": board,
            "subject": {"id": board},
            "name": "Site",
            "changes": [{"field": "name", "before": "Web", "after": "Site"}],
            "requestId": answer.headers["x-request-id"],
        }
        kinds = [one["kind"] for one in (await audit(app, home))["nodes"]]
        assert kinds == ["BoardUpdated", "CardCreated", "BoardCreated", "WorkspaceCreated"]
        await app.data("mutation($id: ID!) { deleteCard(input: {id: $id}) { __typename } }", id=card)
        [newest] = (await audit(app, home, first=1))["nodes"]
        assert (newest["subjectId"], newest["subject"], newest["name"]) == (card, None, "Do it")
        owner = app.owner.id
        for filter, count in [
            ({"actorIds": [ann]}, 1),
            ({"actorIds": [ann, owner], "types": ["BoardUpdated", "CardDeleted"]}, 2),
            ({"subjectId": board}, 2),
            ({"from": at}, 2),
            ({"to": at}, 3),
            ({"types": []}, 0),
        ]:
            assert (await audit(app, home, filter=filter))["totalCount"] == count, filter
        answer = await app.ask(AUDIT, id=home, filter={"types": ["CardMoved", "CARD_MOVED"]})
        assert answer["errors"][0]["extensions"]["code"] == "INVALID", "a type that is no event's"
        naive = await app.ask(AUDIT, id=home, filter={"from": "2026-01-31T12:00:00"})
        assert naive["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_the_audit_log_keeps_names_as_they_were(run):
    async with run() as app:
        home = await app.home()
        board, [card] = await app.has_board("Do it")
        await app.has_user("ann", None)
        member = (await do(app, "addMember", workspaceId=home, username="ann"))["id"]
        await do(app, "setMemberRole", id=member, role="VIEWER")
        await do(app, "removeMember", id=member)
        label = (await do(app, "createLabel", workspaceId=home, name="Bug", colour="#D73A4A"))["id"]
        await do(app, "addLabel", cardId=card, labelId=label)
        await do(app, "moveCard", id=card, destination={"stage": "TODO"})
        await do(app, "updateCard", id=card, title="Did it")
        await do(app, "archiveBoard", id=board)
        await do(app, "unarchiveBoard", id=board)
        await do(app, "updateBoard", id=board, name="Site")
        await do(app, "deleteLabel", id=label)
        told = [(one["kind"], one["name"]) for one in (await audit(app, home, first=30))["nodes"]]
        assert told == [
            ("LabelDeleted", "Bug"),
            ("LabelRemoved", "Bug"),
            ("BoardUpdated", "Site"),
            ("BoardUnarchived", "Web"),
            ("BoardArchived", "Web"),
            ("CardUpdated", "Did it"),
            ("CardMoved", "Do it"),
            ("LabelAdded", "Bug"),
            ("LabelCreated", "Bug"),
            ("MemberRemoved", "ann"),
            ("MemberRoleChanged", "ann"),
            ("MemberJoined", "ann"),
            ("CardCreated", "Do it"),
            ("BoardCreated", "Web"),
            ("WorkspaceCreated", "Home"),
        ]
        shown = "timeline { nodes { ... on TimelineChange { kind: type about } } }"
        query = f"query($id: ID!) {{ card(id: $id) {{ {shown} }} }}"
        newest = (await app.data(query, id=card))["timeline"]["nodes"][0]
        assert newest == {"kind": "LabelRemoved", "about": "Bug"}, "a card's own history tells it too"


async def test_how_far_a_run_is_stands_in_no_history(run):
    async with run() as app:
        home = await app.home()
        held = await has_run(app)
        for number in range(3):
            async with app.begin() as tx:  # told at most once a second: as if it were long ago
                await tx.execute(update(Run).values(progress_told_at=None))
            await held.report(f"{number}", {"type": "PROGRESS", "text": f"Step {number}"})
        feed = 'subscription($id: ID!) { boardFeed(boardId: $id, after: "0") { event { kind: __typename } } }'
        async with app.follow(feed, id=held.board) as hear:
            while (await hear())["boardFeed"]["kind"] != "RunProgressed":
                pass
        kinds = [one["kind"] for one in (await audit(app, home, first=50))["nodes"]]
        assert "RunStarted" in kinds
        assert "RunProgressed" not in kinds
        query = "query($id: ID!) { card(id: $id) { timeline { nodes { ... on TimelineChange { kind: type } } } } }"
        told = [one["kind"] for one in (await app.data(query, id=held.card))["timeline"]["nodes"]]
        assert "RunStarted" in told
        assert "RunProgressed" not in told


async def test_the_audit_log_is_read_in_pages_by_admins(run):
    async with run() as app:
        home = await app.home()
        await app.has_board(*(f"Card {n}" for n in range(20)))
        await app.has_user("max")
        seen, after = [], None
        while True:
            page = await audit(app, home, first=7, after=after)
            seen += [(one["at"], one["subjectId"]) for one in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert len(seen) == len(set(seen)) == page["totalCount"] == 22
        assert [at for at, _ in seen] == sorted((at for at, _ in seen), reverse=True)
        counts = []
        for first in (2, 20):
            with app.counting() as statements:
                await audit(app, home, first=first)
            counts.append(len(statements))
        print(f"{counts[0]} statements")
        # Workspace, role, entries, count, people, and one for each type of subject: workspace, board, card.
        assert counts[1] <= 8, statements
        answer = await app.ask(AUDIT, "max", id=home)
        assert answer["data"] == {"workspace": {"auditLog": None}}
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_key_of_one_board_follows_no_workspace(run):
    async with run() as app:
        home = await app.home()
        board, _ = await app.has_board()
        key = """mutation($input: CreateApiKeyInput!) {
          createApiKey(input: $input) { ... on ApiKeySecret { secret } } }"""
        given = {"workspaceId": home, "name": "agent", "scopes": ["WRITE"], "boardId": board}
        app.tokens["agent"] = f"Bearer {(await app.data(key, input=given))['secret']}"
        async with app.follow(WORKSPACE_FEED, "agent", id=home, after="0") as hear:
            with pytest.raises(Refused) as refused:
                await hear()
        assert refused.value.code == "FORBIDDEN"
        async with app.follow(BOARD_FEED, "agent", id=board, after="0") as hear:
            assert (await hear())["boardFeed"]["kind"] == "BoardCreated"
        ask = "query($id: ID!) { workspace(id: $id) { name myRole members { totalCount } } }"
        told = await app.data(ask, "agent", id=home)
        assert told == {"name": "Home", "myRole": "MEMBER", "members": {"totalCount": 0}}


async def test_workspaces_with_letters_that_nobody_can_print_are_paged_through(run):
    names = {
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "soft\u00adhyphen",
        "private \ue000",
        "next \U0003fff0",
    }
    query = """query($after: String) {
      workspaces(first: 1, after: $after) { nodes { name } pageInfo { endCursor } } }"""
    async with run() as app:
        for name in names:
            assert (await do(app, "createWorkspace", name=name))["__typename"] == "Workspace"
        seen, cursor = [], None
        while page := (await app.data(query, after=cursor))["nodes"]:
            seen += [node["name"] for node in page]
            cursor = (await app.data(query, after=cursor))["pageInfo"]["endCursor"]
        assert len(seen) == len(set(seen)), "none twice"
        assert names < set(seen)
