"""Erasure and export: the person disappears, the work and the audit log stay."""

from sqlalchemy import select

from kit.eventlog.tables import EVENTS
from models.account import User
from tests.conftest import LOGIN, NOBODY, PASSWORD
from tests.test_invitation import has_address

DELETE = """mutation($input: DeleteMeInput!) { deleteMe(input: $input) {
  __typename ... on ErasedAccount { username } ... on Refusal { code } } }"""
POST = """mutation($card: ID!) { postMessage(input: {cardId: $card, body: "hello from ada"}) {
  ... on Message { id } } }"""
MESSAGES = "query($id: ID!) { card(id: $id) { messages(first: 5) { nodes { body author { name } } } } }"
AUDIT = """query($id: ID!) { workspace(id: $id) {
  auditLog(first: 50, filter: {types: ["MemberJoined", "MemberRemoved"]}) { nodes { type name } } } }"""
EXPORT = "{ viewer { personalData } }"


async def test_an_erased_person_is_gone_and_the_work_stays(run):
    async with run() as app:
        await has_address(app, "ada", "ada@example.org", "MEMBER")
        _, [card] = await app.has_board("One")
        await app.data(POST, "ada", card=card)
        exported = (await app.data(EXPORT, "ada"))["personalData"]
        assert (exported["email"], exported["messages"][0]["body"]) == ("ada@example.org", "hello from ada")
        assert (len(exported["memberships"]), len(exported["sessions"])) == (1, 1)
        assert "hash" not in str(exported)
        for wrong in ({"currentPassword": "not it"}, {"confirmUsername": "eve"}, {"currentPassword": None}):
            given = {"confirmUsername": "ada", "currentPassword": PASSWORD, **wrong}
            assert (await app.data(DELETE, "ada", input=given))["code"] == "INVALID"
            assert (await app.data("{ me { email } }", "ada")) == {"email": "ada@example.org"}
            assert len((await app.data("{ workspaces { nodes { id } } }", "ada"))["nodes"]) == 1
        given = {"confirmUsername": "ada", "currentPassword": PASSWORD}
        assert await app.data(DELETE, "ada", input=given) == {
            "__typename": "ErasedAccount",
            "username": "ada",
        }
        assert "errors" in await app.ask("{ me { id } }", "ada"), "its logins have ended"
        login = await app.data(LOGIN, NOBODY, input={"username": "ada", "password": PASSWORD})
        assert login["__typename"] == "Unauthenticated"
        [message] = (await app.data(MESSAGES, id=card))["messages"]["nodes"]
        assert message == {"body": "hello from ada", "author": {"name": "Deleted user"}}
        rows = await app.services.database.read(select(User.__table__).where(~User.is_active))
        assert "ada" not in str(rows).replace("id='user_", "")
        log = (await app.data(AUDIT, id=await app.home()))["auditLog"]["nodes"]
        assert {"type": "MemberRemoved", "name": "ada"} in log, "the audit log stays"
        events = await app.services.database.read(
            select(EVENTS.table.c.data).where(EVENTS.table.c.topic.like("user:%"))
        )
        assert "ada@example.org" not in str(events)
        await has_address(app, "ada", "ada@example.org")  # the names are free again


async def test_the_last_admin_is_refused(run):
    async with run() as app:
        await app.has_user("ada")
        make = 'mutation { createWorkspace(input: {name: "Mine"}) { ... on Workspace { id } } }'
        await app.data(make, "ada")
        given = {"confirmUsername": "ada", "currentPassword": PASSWORD}
        assert (await app.data(DELETE, "ada", input=given))["code"] == "CONFLICT"
        nodes = (await app.data("{ workspaces { nodes { name } } }", "ada"))["nodes"]
        assert len(nodes) == 2, "nothing was changed"
