"""Invitations: who is let in, once, and for how long."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from kit.db.database import utcnow
from models.invitation import MAX_PENDING, Invitation
from tests.conftest import NOBODY

INVITE = """mutation($input: InviteMembersInput!) { inviteMembers(input: $input) {
  __typename
  ... on Invited { created { link invitation { id email role status delivery } } skipped { email reason } }
  ... on Refusal { code } ... on Invalid { issues { path message } } } }"""
LINK = """mutation($input: CreateInvitationLinkInput!) { createInvitationLink(input: $input) {
  __typename ... on InvitationLink { link invitation { id email } } ... on Refusal { code } } }"""
ACCEPT = """mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
  __typename ... on Membership { role workspace { id } } ... on Refusal { code }
  ... on InvitationRefused { problem } } }"""
RESEND = """mutation($input: ResendInvitationInput!) { resendInvitation(input: $input) {
  __typename ... on InvitationLink { link invitation { id status } } ... on Refusal { code } } }"""
REVOKE = """mutation($input: RevokeInvitationInput!) { revokeInvitation(input: $input) {
  __typename ... on Invitation { id status } ... on Refusal { code } } }"""
PREVIEW = """query($token: String!) { invitationPreview(token: $token) {
  workspaceName inviterName email role status expiresAt } }"""
REGISTER = """mutation($input: RegisterInput!) { register(input: $input) {
  __typename ... on Session { accessToken user { username } } ... on Refusal { code message }
  ... on InvitationRefused { problem } } }"""
LIST = """query($id: ID!, $open: Boolean!) { workspace(id: $id) { invitations(open: $open) {
  nodes { id email status invitedBy { username } acceptedBy { username } } } } }"""
AUDIT = """query($id: ID!, $types: [String!]) { workspace(id: $id) {
  auditLog(first: 20, filter: {types: $types}) { nodes { type name subjectId } } } }"""
PASSWORD = "a long enough password"


def token_in(link):
    address, _, token = link.partition("/#invitation=")
    assert address.startswith("http")
    assert len(token) >= 43, "256 bits"
    return token


async def invite(app, *emails, actor="", **input):
    return await app.data(
        INVITE, actor, input={"workspaceId": await app.home(), "emails": list(emails), **input}
    )


async def invited(app, email, **input):
    """The id and the token of a new invitation."""
    [made] = (await invite(app, email, **input))["created"]
    return made["invitation"]["id"], token_in(made["link"])


async def has_address(app, name, email, role=None):
    await app.has_user(name, role)
    set_email = "mutation($e: String) { updateMe(input: {email: $e}) { ... on User { email } } }"
    assert await app.data(set_email, name, e=email) == {"email": email}


async def accept(app, token, actor):
    return await app.data(ACCEPT, actor, input={"token": token})


async def test_an_invited_person_joins_once(run):
    async with run() as app:
        await has_address(app, "ada", "Ada@Example.org")
        id, token = await invited(app, "ada@example.ORG", role="VIEWER")
        stored = await app.services.database.read(select(Invitation.__table__))
        assert token not in str(stored), "only its hash is kept"
        seen = await app.data(PREVIEW, NOBODY, token=token)
        assert seen.pop("expiresAt") > (utcnow() + timedelta(days=6.9)).isoformat()
        assert seen == {
            "workspaceName": "Home",
            "inviterName": "owner",
            "email": "ada@example.ORG",
            "role": "VIEWER",
            "status": "PENDING",
        }
        joined = await accept(app, token, "ada")
        assert joined == {
            "__typename": "Membership",
            "role": "VIEWER",
            "workspace": {"id": await app.home()},
        }
        for who in ("ada", ""):
            assert (await accept(app, token, who))["problem"] == "USED"
        assert (await app.data(PREVIEW, NOBODY, token=token))["status"] == "ACCEPTED"
        listed = await app.data(LIST, id=await app.home(), open=False)
        [node] = listed["invitations"]["nodes"]
        assert (node["id"], node["acceptedBy"]) == (id, {"username": "ada"})
        types = ["InvitationCreated", "InvitationAccepted", "MemberJoined"]
        log = await app.data(AUDIT, id=await app.home(), types=types)
        named = [(one["type"], one["name"]) for one in log["auditLog"]["nodes"]]
        assert sorted(named) == [
            ("InvitationAccepted", "ada@example.ORG"),
            ("InvitationCreated", "ada@example.ORG"),
            ("MemberJoined", "ada"),
        ]


async def test_of_ten_who_accept_at_once_one_joins(run):
    async with run() as app, run(app.services.database.url) as other:
        made = await app.data(LINK, input={"workspaceId": await app.home(), "role": "MEMBER"})
        assert made["invitation"]["email"] is None
        names = [f"person{n}" for n in range(10)]
        for name in names:
            await app.has_user(name, None)
        other.tokens |= app.tokens
        token = token_in(made["link"])
        answers = await asyncio.gather(
            *(accept((app, other)[n % 2], token, name) for n, name in enumerate(names))
        )
        kinds = sorted(answer["__typename"] for answer in answers)
        assert kinds == ["InvitationRefused"] * 9 + ["Membership"]
        assert {answer["problem"] for answer in answers if "problem" in answer} == {"USED"}


async def test_what_cannot_be_accepted_is_refused_with_its_problem(run):
    async with run() as app:
        await has_address(app, "ada", "ada@example.org")
        await has_address(app, "eve", "eve@example.org")
        assert (await accept(app, "no token", "ada"))["problem"] == "UNKNOWN"
        assert await app.data(PREVIEW, NOBODY, token="no token") is None
        id, token = await invited(app, "ada@example.org")
        assert (await accept(app, token, "eve"))["problem"] == "OTHER_ADDRESS"
        async with app.begin() as tx:
            await tx.execute(update(Invitation).values(expires_at=utcnow() - timedelta(seconds=1)))
        assert (await accept(app, token, "ada"))["problem"] == "EXPIRED"
        assert (await app.data(PREVIEW, NOBODY, token=token))["status"] == "EXPIRED"
        again = await app.data(RESEND, input={"id": id})
        assert again["invitation"] == {"id": id, "status": "PENDING"}
        assert (await accept(app, token, "ada"))["problem"] == "UNKNOWN", "a new token replaces it"
        newer = token_in(again["link"])
        for _ in range(2):
            assert await app.data(REVOKE, input={"id": id}) == {
                "__typename": "Invitation",
                "id": id,
                "status": "REVOKED",
            }
        assert (await accept(app, newer, "ada"))["problem"] == "REVOKED"
        assert (await app.data(RESEND, input={"id": id}))["code"] == "CONFLICT"
        _, third = await invited(app, "ada@example.org")
        assert (await accept(app, third, "ada"))["__typename"] == "Membership"
        link = await app.data(LINK, input={"workspaceId": await app.home()})
        assert (await accept(app, token_in(link["link"]), "ada"))["code"] == "CONFLICT", "a member already"
        await app.has_user("zoe", None)
        assert (await accept(app, token_in(link["link"]), "zoe"))["__typename"] == "Membership", "still good"


async def test_members_and_invited_addresses_are_skipped(run):
    async with run() as app:
        await has_address(app, "max", "max@example.org", "MEMBER")
        await invited(app, "new@example.org")
        with app.counting() as statements:
            answer = await invite(app, "MAX@example.org", "New@example.org", "third@example.org")
        first = len(statements)
        assert [one["invitation"]["email"] for one in answer["created"]] == ["third@example.org"]
        assert answer["skipped"] == [
            {"email": "MAX@example.org", "reason": "MEMBER"},
            {"email": "New@example.org", "reason": "INVITED"},
        ]
        with app.counting() as statements:
            await invite(app, *(f"{n}@skipped.org" for n in range(9)))
        assert len(statements) <= first + 8, "one INSERT for each invitation, and nothing else"
        async with app.begin() as tx:
            await tx.execute(update(Invitation).values(expires_at=utcnow() - timedelta(days=1)))
        again = await invite(app, "third@example.org")
        assert (len(again["created"]), again["skipped"]) == (1, []), "an expired one is replaced"


@pytest.mark.parametrize(
    ("emails", "path"),
    [
        ([], "emails"),
        ([f"{n}@x.org" for n in range(11)], "emails"),
        (["a@x.org", "A@X.ORG"], "emails"),
        (["a@x.org", "no address"], "emails.1"),
        (["a@x.org\r\nBcc: b@x.org"], "emails.0"),
        (["<a@x.org>"], "emails.0"),
        (["a,b@x.org"], "emails.0"),
        (["a" * 250 + "@x.org"], "emails.0"),
    ],
)
async def test_bad_addresses_are_named(run, emails, path):
    async with run() as app:
        answer = await invite(app, *emails)
        assert (answer["code"], [issue["path"] for issue in answer["issues"]]) == ("INVALID", [path])
        listed = await app.data(LIST, id=await app.home(), open=True)
        assert listed["invitations"]["nodes"] == []


async def test_an_invited_stranger_registers_while_registration_is_closed(run):
    async with run() as app:
        _, token = await invited(app, "new@example.org")
        given = {"username": "newbie", "password": PASSWORD, "invitation": token}
        for email in (None, "other@example.org"):
            answer = await app.data(REGISTER, NOBODY, input={**given, "email": email})
            assert answer["problem"] == "OTHER_ADDRESS"
        assert (await app.data(REGISTER, NOBODY, input={"username": "newbie", "password": PASSWORD}))[
            "code"
        ] == "FORBIDDEN"
        answer = await app.data(REGISTER, NOBODY, input={**given, "email": "NEW@example.org"})
        assert answer["user"] == {"username": "newbie"}, "no refused try has left an account"
        app.tokens["newbie"] = f"Bearer {answer['accessToken']}"
        names = await app.data("{ workspaces { nodes { name } } }", "newbie")
        assert names == {"nodes": [{"name": "Home"}]}
        late = await app.data(REGISTER, NOBODY, input={**given, "username": "second", "email": None})
        assert late["problem"] == "USED"


async def test_only_admins_see_invitations_and_their_number_is_bounded(run):
    async with run() as app:
        home = await app.home()
        for name, role in (("max", "MEMBER"), ("vic", "VIEWER"), ("root", "ADMIN")):
            await app.has_user(name, role)
        for n in range(3):
            await invited(app, f"{n}@example.org")
        for name, count in (("max", 0), ("vic", 0), ("root", 3)):
            nodes = (await app.data(LIST, name, id=home, open=True))["invitations"]["nodes"]
            assert len(nodes) == count
        with app.counting() as statements:
            await app.data(LIST, "root", id=home, open=True)
        few = len(statements)
        async with app.begin() as tx:
            for n in range(MAX_PENDING - 3):
                tx.add(
                    Invitation(
                        workspace_id=home,
                        email=f"{n}@many.org",
                        email_folded=f"{n}@many.org",
                        role="MEMBER",
                        token_hash=str(n),
                        invited_by=app.owner.id,
                        expires_at=utcnow() + timedelta(days=1),
                    )
                )
        with app.counting() as statements:
            assert len((await app.data(LIST, "root", id=home, open=True))["invitations"]["nodes"]) == 50
        assert len(statements) == few, "a constant number for any list"
        assert (await invite(app, "more@example.org"))["code"] == "CONFLICT"
        assert (await app.data(LINK, input={"workspaceId": home}))["code"] == "CONFLICT"


async def test_tries_are_limited(run):
    async with run() as app:
        await app.has_user("eve", None)
        answers = [await app.ask(ACCEPT, "eve", input={"token": "wrong"}) for _ in range(11)]
        assert [one["data"]["acceptInvitation"]["problem"] for one in answers[:10]] == ["UNKNOWN"] * 10
        assert answers[10]["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        for _ in range(10):
            assert await app.data(PREVIEW, NOBODY, token="wrong") is None
        refused = await app.ask(PREVIEW, NOBODY, token="wrong")
        assert refused["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
