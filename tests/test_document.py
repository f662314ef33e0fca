"""Documents: what they may be, their revisions, their links, and how they are found."""

import hashlib

import pytest

from tests.board import card, do, told

SHOWN = """... on Document { id kind name title content uri integration { system key } locator repository
  mime checksum
  tags revision version writtenBy { name } board { id } }"""
LINK = "... on DocumentLink { id role usageHint targetId document { id title } card { name } }"
READ = f"query($id: ID!) {{ document(id: $id) {{ {SHOWN.removeprefix('... on Document { ')} }}"
LIST = """query($w: ID!, $filter: DocumentFilter) { documents(workspaceId: $w, filter: $filter) {
  totalCount nodes { title } } }"""
REVISIONS = """query($id: ID!) { document(id: $id) { revision revisions {
  revision title content tags checksum writtenBy { name } } } }"""
DIFF = """query($id: ID!, $since: Int, $to: Int) { document(id: $id) { diff(since: $since, to: $to) } }"""


async def make(app, title="Style guide", actor="", **input):
    if "home" not in input:
        input["home"] = {"workspaceId": await app.home()}
    if not input.keys() & {"content", "uri", "integration"}:
        input["content"] = "Be kind."
    made = await do(app, "createDocument", SHOWN, actor, title=title, **input)
    assert made["__typename"] == "Document", made
    return made


async def titles(app, **filter):
    listed = await app.data(LIST, w=await app.home(), filter=filter or None)
    assert listed["totalCount"] == len(listed["nodes"])
    return [one["title"] for one in listed["nodes"]]


async def test_a_document_has_content_an_address_or_a_reference(run):
    async with run() as app:
        home = {"workspaceId": await app.home()}
        made = await make(app, content="  Be kind.\n")
        assert made["content"] == "Be kind."
        assert made["checksum"] == hashlib.sha256(b"Be kind.").hexdigest()
        assert (made["kind"], made["name"], made["mime"], made["revision"]) == (
            "DOC",
            "Style guide",
            "text/markdown",
            1,
        )
        linked = await make(
            app,
            "Page",
            uri="https://example.org/a?b=c",
            kind="LINK",
            locator="#top",
            repository="git@host:web",
            mime="text/html; charset=utf-8",
            checksum="a" * 64,
            tags=["Café", "ux"],
        )
        assert (linked["content"], linked["uri"], linked["tags"]) == (
            None,
            "https://example.org/a?b=c",
            ["Café", "ux"],
        )
        referred = await make(app, "Ticket", integration={"system": "jira", "key": "WEB-7"})
        assert referred["integration"] == {"system": "jira", "key": "WEB-7"}
        nothing = await do(app, "createDocument", home=home, title="Nothing")
        assert nothing["issues"] == [
            {"path": "content", "message": "must be given, or a uri, or an integration"}
        ]
        assert len(await titles(app)) == 3
        cleared = await do(app, "updateDocument", id=made["id"], content=None)
        assert cleared["code"] == "INVALID", "nothing would be left of it"
        moved = await do(app, "updateDocument", SHOWN, id=made["id"], content=None, uri="file:///guide.md")
        assert (moved["content"], moved["uri"], moved["revision"]) == (None, "file:///guide.md", 2)


BAD = [
    ({"title": " "}, "title"),
    ({"title": "x" * 256}, "title"),
    ({"content": "x" * 900_001}, "content"),
    ({"content": "a\u0001b"}, "content"),
    ({"uri": "example.org"}, "uri"),
    ({"uri": "javascript:alert(1)"}, "uri"),
    ({"uri": "https://ann:secret@example.org"}, "uri"),
    ({"uri": "https://" + "x" * 2_000}, "uri"),
    ({"integration": {"system": " ", "key": "1"}}, "integration.system"),
    ({"mime": "text"}, "mime"),
    ({"checksum": "abc", "uri": "https://example.org"}, "checksum"),
    ({"tags": ["a", "A"]}, "tags"),
    ({"tags": [f"{n}" for n in range(21)]}, "tags"),
    ({"tags": ["x" * 51]}, "tags.0"),
    ({"locator": "x" * 501}, "locator"),
]


@pytest.mark.parametrize(("wrong", "path"), BAD, ids=[f"{path} {n}" for n, (_, path) in enumerate(BAD)])
async def test_what_cannot_be_kept_changes_nothing(run, wrong, path):
    async with run() as app:
        made = await make(app)
        given = {
            "home": {"workspaceId": await app.home()},
            "title": "Bad",
            **({} if "uri" in wrong else {"content": "x"}),
        }
        given |= wrong
        for answer in (
            await do(app, "createDocument", **given),
            await do(app, "updateDocument", id=made["id"], **wrong),
        ):
            assert answer["code"] == "INVALID", answer
            assert [issue["path"] for issue in answer["issues"]] == [path]
        assert await app.data(READ, id=made["id"]) == {k: v for k, v in made.items() if k != "__typename"}
        assert await titles(app) == ["Style guide"]


async def test_ten_megabytes_are_refused_at_the_door_or_by_the_bound(run):
    async with run() as app:
        given = {"home": {"workspaceId": await app.home()}, "title": "Big", "content": "x" * 10_000_000}
        query = "mutation($input: CreateDocumentInput!) { createDocument(input: $input) { __typename } }"
        answer = await app.post(query, {"input": given})
        assert answer.status_code == 413 or answer.json()["data"]["createDocument"]["__typename"] == "Invalid"
        assert await titles(app) == []


async def test_a_change_makes_a_revision_that_can_be_compared_and_restored(run):
    async with run() as app:
        made = await make(app, content="one\ntwo\n", tags=["a"])
        await app.has_user("max")
        changed = await do(app, "updateDocument", SHOWN, "max", id=made["id"], content="one\n2", tags=["b"])
        assert (changed["revision"], changed["version"], changed["writtenBy"]["name"]) == (2, 2, "max")
        same = await do(app, "updateDocument", SHOWN, id=made["id"], content="one\n2")
        assert same["revision"] == 2, "what changes nothing is no change"
        stale = await do(app, "updateDocument", id=made["id"], content="three", ifVersion=1)
        assert stale["code"] == "STALE"
        kept = await app.data(REVISIONS, id=made["id"])
        [first] = kept["revisions"]
        assert (first["revision"], first["content"], first["tags"]) == (1, "one\ntwo", ["a"])
        assert first["writtenBy"]["name"] != "max"
        diff = (await app.data(DIFF, id=made["id"]))["diff"]
        assert diff.splitlines() == [
            "--- revision 1",
            "+++ revision 2",
            "@@ -1,2 +1,2 @@",
            " one",
            "-two",
            "+2",
        ]
        assert (await app.data(DIFF, id=made["id"], since=2, to=2))["diff"] == ""
        for wrong in ({"since": 7}, {"to": -1}, {"since": 2**31 - 1}):
            answer = await app.ask(DIFF, id=made["id"], **wrong)
            assert answer["errors"][0]["extensions"]["code"] == "INVALID"
        back = await do(app, "restoreDocumentRevision", SHOWN, id=made["id"], revision=1)
        assert (back["content"], back["tags"], back["revision"]) == ("one\ntwo", ["a"], 3)
        assert await titles(app, tags=["A"]) == ["Style guide"]
        assert await titles(app, tags=["b"]) == []
        for number in (0, 9, -1, 2**31 - 1):
            answer = await do(app, "restoreDocumentRevision", id=made["id"], revision=number)
            assert answer["code"] == "NOT_FOUND"


async def test_the_newest_fifty_revisions_are_kept(run):
    async with run() as app:
        made = await make(app, content="0")
        for n in range(1, 55):
            await do(app, "updateDocument", id=made["id"], content=f"{n}")
        query = REVISIONS.replace("revisions {", "revisions(first: 50) {")
        kept = await app.data(query, id=made["id"])
        assert kept["revision"] == 55
        assert [one["revision"] for one in kept["revisions"]] == list(range(54, 4, -1))
        assert kept["revisions"][-1]["content"] == "4"


async def test_links_say_how_a_document_is_used(run):
    async with run() as app:
        board, [one, two] = await app.has_board("Paint", "Polish")
        other, [far] = await app.has_board("Elsewhere", name="Api")
        shared = await make(app)
        own = await make(app, "Colours", home={"boardId": board})
        link = await do(
            app,
            "linkDocument",
            LINK,
            documentId=shared["id"],
            target={"cardId": one},
            role="CONSTRAINS",
            usageHint="Before you write",
        )
        assert (link["role"], link["usageHint"], link["card"]["name"]) == (
            "CONSTRAINS",
            "Before you write",
            "WEB-1",
        )
        again = await do(
            app, "linkDocument", LINK, documentId=shared["id"], target={"cardId": one}, role="SOURCE"
        )
        assert (again["id"], again["role"], again["usageHint"]) == (link["id"], "SOURCE", "")
        await do(app, "linkDocument", documentId=own["id"], target={"boardId": board})
        foreign = await do(app, "linkDocument", documentId=own["id"], target={"cardId": far})
        assert foreign["code"] == "NOT_FOUND", "a board's document stays on its board"
        await do(app, "linkDocument", documentId=shared["id"], target={"boardId": other})
        shown = await card(app, one, "documentLinks { role document { title } }")
        assert shown["documentLinks"] == [{"role": "SOURCE", "document": {"title": "Style guide"}}]
        assert await titles(app, cardId=one) == ["Style guide"]
        assert await titles(app, boardId=board) == ["Colours", "Style guide"]
        assert await titles(app, roles=["SOURCE"]) == ["Style guide"]
        assert await titles(app, cardId=two) == []
        removed = await do(app, "unlinkDocument", LINK, id=link["id"])
        assert removed["id"] == link["id"]
        assert await titles(app, cardId=one) == []
        heard = [event["kind"] for event in await told(app, board) if "Document" in event["kind"]]
        assert heard == [
            "DocumentCreated",
            "DocumentLinked",
            "DocumentLinked",
            "DocumentLinked",
            "DocumentUnlinked",
        ]


async def test_documents_are_found_by_kind_tag_repository_and_words(run):
    async with run() as app:
        await make(app, "Login flow", kind="DESIGN", tags=["Auth", "ux"], repository="web")
        await make(app, "Runbook", kind="RUNBOOK", content="Restart the login server", tags=["auth"])
        await make(app, "Other", tags=["100%_a"])
        assert await titles(app, kinds=["DESIGN", "GUIDE"]) == ["Login flow"]
        assert await titles(app, tags=["AUTH"]) == ["Runbook", "Login flow"]
        assert await titles(app, tags=["auth", "ux"]) == ["Login flow"]
        assert await titles(app, tags=["100%"]) == []
        assert await titles(app, tags=["100%_A"]) == ["Other"]
        assert await titles(app, repository="web") == ["Login flow"]
        assert await titles(app, text="login") == ["Runbook", "Login flow"]
        assert await titles(app, text="login", kinds=["RUNBOOK"]) == ["Runbook"]
        search = """query($w: ID!) { search(workspaceId: $w, text: "restart", types: [DOCUMENT]) {
          nodes { node { ... on Document { title } } excerpt { text isMatch } } } }"""
        [found] = (await app.data(search, w=await app.home()))["nodes"]
        assert found["node"] == {"title": "Runbook"}
        assert found["excerpt"][0] == {"text": "Restart", "isMatch": True}


async def test_a_deleted_document_is_gone_everywhere(run):
    async with run() as app:
        board, [one] = await app.has_board("Paint")
        made = await make(app)
        await do(app, "linkDocument", documentId=made["id"], target={"cardId": one})
        gone = await do(app, "deleteDocument", SHOWN, id=made["id"])
        assert gone["title"] == "Style guide"
        assert (await card(app, one, "documentLinks { id }"))["documentLinks"] == []
        assert await titles(app, text="kind") == await titles(app) == []
        home = await make(app, "Colours", home={"boardId": board})
        await do(app, "deleteBoard", id=board, confirmName="Web")
        assert await app.data(READ, id=home["id"]) is None
        assert await titles(app, text="kind") == []


async def test_a_list_of_documents_is_a_fixed_number_of_statements(run):
    async with run() as app:
        query = """query($w: ID!, $n: Int) { documents(workspaceId: $w, first: $n) { nodes { title content
          links { role card { name } } revisions { revision content } } } }"""
        for n in range(6):
            made = await make(app, f"Document {n}")
            await do(app, "updateDocument", id=made["id"], content="new")

        async def cost(n):
            with app.counting() as statements:
                await app.data(query, w=await app.home(), n=n)
            return len(statements)

        assert await cost(2) == await cost(6)
