"""Files: uploaded whole or not at all, shown to readers of the card, never run, and freed in the end."""

import asyncio
import hashlib
import time

import pytest
from sqlalchemy import text

from actions.file_content import safe_name
from models.file import MAX_FILE_NAME_BYTES, MAX_FILE_NAME_LENGTH
from tests.conftest import MAKE_KEY, NOBODY
from tests.test_avatar import png

FILES = """query($id: ID!) { card(id: $id) { fileCount
  files { id name mediaType size sha256 width height url cardId messageId version author { name } }
  messages { nodes { files { id name } } } } }"""
POST = (
    'mutation($id: ID!) { postMessage(input: {cardId: $id, body: "See the file"}) { ... on Message { id } } }'
)
DELETE = """mutation($id: ID!) { deleteFile(input: {id: $id}) {
  __typename ... on File { id name } ... on Refusal { code message } } }"""
ATTACH = """mutation($input: AttachFileInput!) { attachFile(input: $input) {
  __typename ... on File { id cardId messageId version } ... on Refusal { code message } } }"""
HTML = b"<html><script>alert(1)</script></html>"


async def upload(app, content, actor="", *, headers=None, **query):
    given = {"authorization": "", **app.headers_of(actor), **(headers or {})}
    return await app.client.post("/files", content=content, params=query, headers=given)


async def uploaded(app, content, actor="", **query):
    answer = await upload(app, content, actor, **query)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def download(app, file, actor="", **headers):
    given = {
        "authorization": "",
        **app.headers_of(actor),
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    return await app.client.get(f"/files/{file}", headers=given)


def stored(app):
    """The files that the store has, spools included."""
    folder = app.services.files.folder
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


async def until(check, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if check():
            return
        await asyncio.sleep(0.05)
    assert check()


async def objects(app):
    rows = await app.services.database.read(text("SELECT count(*) FROM stored_object"))
    return rows[0][0]


async def nothing_stays(app):
    assert (stored(app), await objects(app)) == ([], 0)


async def test_a_file_on_a_card(run):
    async with run() as app:
        _, [card] = await app.has_board("One")
        picture = png(3, 2)
        file = await uploaded(app, picture, cardId=card, name="a.png")
        assert file == {
            "id": file["id"],
            "url": f"/files/{file['id']}",
            "name": "a.png",
            "mediaType": "image/png",
            "size": len(picture),
            "sha256": hashlib.sha256(picture).hexdigest(),
            "width": 3,
            "height": 2,
            "cardId": card,
            "messageId": None,
        }
        same = await uploaded(app, b"other", cardId=card, name="a.png")
        shown = await app.data(FILES, id=card)
        assert shown["fileCount"] == 2
        assert [(one["id"], one["name"]) for one in shown["files"]] == [
            (file["id"], "a.png"),
            (same["id"], "a.png"),
        ]
        assert {**file, "version": 1} == {k: v for k, v in shown["files"][0].items() if k != "author"}
        answer = await download(app, file["id"])
        assert (answer.status_code, answer.content) == (200, picture)
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["content-disposition"].startswith('attachment; filename="a.png"')
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["etag"] == f'"{file["sha256"]}"'
        assert (await download(app, file["id"], if_none_match=answer.headers["etag"])).status_code == 304


async def test_a_feed_tells_of_files(run):
    feed = """subscription($id: ID!) { boardFeed(boardId: $id) { event {
      ... on FileAttached { cardId fileId onMessageId name size mediaType }
      ... on FileDeleted { deleted: fileId } } } }"""
    async with run() as app:
        board, [card] = await app.has_board("One")
        async with app.follow(feed, id=board) as hear:
            await hear.started()
            file = await uploaded(app, b"text", cardId=card, name="a.txt")
            told = (await hear())["boardFeed"]
            assert (told["fileId"], told["cardId"], told["name"], told["size"]) == (
                file["id"],
                card,
                "a.txt",
                4,
            )
            assert (await app.data(DELETE, id=file["id"]))["__typename"] == "File"
            assert (await hear())["boardFeed"]["deleted"] == file["id"]


RANGES = [
    ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
    ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
    ("bytes=-2", 206, b"89", "bytes 8-9/10"),
    ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
    ("bytes=0-", 206, b"0123456789", "bytes 0-9/10"),
    ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
    ("bytes=10-", 416, None, "bytes */10"),
    ("bytes=-0", 416, None, "bytes */10"),
    ("bytes=5-3", 200, b"0123456789", None),
    ("bytes=0-1,3-4", 200, b"0123456789", None),
    ("lines=0-3", 200, b"0123456789", None),
    ("bytes=-", 200, b"0123456789", None),
]


async def test_ranges(run):
    async with run() as app:
        _, [card] = await app.has_board("One")
        file = await uploaded(app, b"0123456789", cardId=card, name="n")
        for asked, status, content, where in RANGES:
            answer = await download(app, file["id"], range=asked)
            assert answer.status_code == status, asked
            assert answer.headers.get("content-range") == where, asked
            assert content is None or answer.content == content, asked
        stale = await download(app, file["id"], range="bytes=0-3", if_range='"other"')
        assert (stale.status_code, stale.content) == (200, b"0123456789")
        head = await app.client.head(f"/files/{file['id']}")
        assert (head.status_code, head.headers["content-length"], head.content) == (200, "10", b"")
        empty = await uploaded(app, b"", cardId=card, name="empty")
        assert (await download(app, empty["id"])).content == b""
        assert (await download(app, empty["id"], range="bytes=0-")).status_code == 416


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (HTML, "text/plain"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "text/plain"),
        (b"\0\1\2", "application/octet-stream"),
        (b"\xff\xfe<\0s\0c\0", "application/octet-stream"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"", "application/octet-stream"),
        (b"\x89PNG\r\n\x1a\n" + HTML, "application/octet-stream"),
    ],
)
async def test_the_content_decides_the_type(run, content, media_type):
    async with run() as app:
        _, [card] = await app.has_board("One")
        given = {"content-type": "image/png"}
        answer = await upload(app, content, cardId=card, name="p.png", headers=given)
        file = answer.json()
        assert (file["mediaType"], file["width"], file["size"]) == (media_type, None, len(content))
        shown = await download(app, file["id"])
        assert shown.headers["content-type"].partition(";")[0] == media_type
        assert shown.content == content


NAMES = [
    ("../../x", "x"),
    ("..\\..\\x.txt", "x.txt"),
    ("/etc/passwd", "passwd"),
    ("a\0b.txt", "ab.txt"),
    ("invoice\u202etxt.exe", "invoicetxt.exe"),
    ("a\nb\tc", "abc"),
    ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
    ("é" * 300, "é" * 127),
    ("..", "file"),
    ("", "file"),
    ("\u200b", "file"),
    ("CON.txt", "_CON.txt"),
    ('a"b<c>.txt', "a_b_c_.txt"),
    (" .hidden ", "hidden"),
    ("\ud800", "?"),
]


def test_names_are_safe():
    for given, safe in NAMES[:-1]:
        assert safe_name(given) == safe, given
    for given, _ in NAMES:
        name = safe_name(given)
        assert 0 < len(name) <= MAX_FILE_NAME_LENGTH
        assert len(name.encode()) <= MAX_FILE_NAME_BYTES
        assert safe_name(name) == name


async def test_a_bad_name_through_the_door(run):
    async with run() as app:
        _, [card] = await app.has_board("One")
        file = await uploaded(app, b"x", cardId=card, name='../../\u202e\0ä"x')
        assert file["name"] == "ä_x"
        shown = await download(app, file["id"])
        assert (
            shown.headers["content-disposition"] == "attachment; filename=\"a_x\"; filename*=UTF-8''%C3%A4_x"
        )
        assert all(app.services.files.folder in path.parents for path in stored(app))


async def test_on_a_message(run):
    async with run() as app:
        await app.has_user("max")
        _, [card] = await app.has_board("One")
        message = (await app.data(POST, id=card))["id"]
        file = await uploaded(app, b"x", messageId=message, name="x")
        assert (file["cardId"], file["messageId"]) == (card, message)
        shown = await app.data(FILES, id=card)
        assert shown["messages"]["nodes"][0]["files"] == [{"id": file["id"], "name": "x"}]
        assert (await upload(app, b"x", "max", messageId=message)).status_code == 403
        assert (await app.data(DELETE, "max", id=file["id"]))["code"] == "FORBIDDEN"
        remove = "mutation($id: ID!) { deleteMessage(input: {id: $id}) { ... on Message { id } } }"
        await app.data(remove, id=message)
        assert (await app.data(FILES, id=card))["files"] == []
        assert (await download(app, file["id"])).status_code == 404
        await until(lambda: stored(app) == [])
        assert (await upload(app, b"x", messageId=message)).status_code == 409


async def test_uploaded_first_and_attached_later(run):
    async with run() as app:
        await app.has_user("max")
        _, [card, other] = await app.has_board("One", "Two")
        file = await uploaded(app, b"x", workspaceId=await app.home(), name="x")
        assert (await download(app, file["id"], "max")).status_code == 404, "its uploader's alone"
        assert (await app.data(ATTACH, "max", input={"id": file["id"], "target": {"cardId": card}}))[
            "code"
        ] == "NOT_FOUND"
        done = await app.data(ATTACH, input={"id": file["id"], "target": {"cardId": card}})
        assert done == {
            "__typename": "File",
            "id": file["id"],
            "cardId": card,
            "messageId": None,
            "version": 2,
        }
        assert await app.data(ATTACH, input={"id": file["id"], "target": {"cardId": card}}) == done, (
            "idempotent"
        )
        assert (await app.data(ATTACH, input={"id": file["id"], "target": {"cardId": other}}))[
            "code"
        ] == "CONFLICT"
        assert (await download(app, file["id"], "max")).content == b"x"


async def test_who_may(run):
    async with run() as app:
        await app.has_user("vic", "VIEWER")
        await app.has_user("foreign", None)
        _, [card] = await app.has_board("One")
        other, [elsewhere] = await app.has_board("Two", name="Other")
        file = await uploaded(app, b"x", cardId=card, name="x")
        made = {"workspaceId": await app.home(), "name": "k", "scopes": ["WRITE"], "boardId": other}
        app.tokens["key"] = f"Bearer {(await app.data(MAKE_KEY, input=made))['secret']}"
        for actor, status, reads in (
            (NOBODY, 401, 401),
            ("vic", 403, 200),
            ("foreign", 404, 404),
            ("key", 404, 404),
        ):
            assert (await upload(app, b"x", actor, cardId=card)).status_code == status, actor
            assert (await download(app, file["id"], actor)).status_code == reads, actor
        assert (await app.data(DELETE, "vic", id=file["id"]))["code"] == "FORBIDDEN"
        assert (await app.data(DELETE, "key", id=file["id"]))["code"] == "NOT_FOUND"
        mine = await uploaded(app, b"y", "key", cardId=elsewhere, name="y")
        assert (await download(app, mine["id"], "key")).content == b"y"
        assert (await upload(app, b"x", "key", workspaceId=await app.home())).status_code == 403
        assert (await upload(app, b"x", cardId=card, workspaceId="w")).status_code == 422
        assert (await upload(app, b"x")).status_code == 422
        assert len(stored(app)) == 2


async def test_caps(run):
    async with run(file_bytes=10, card_files=2, workspace_files=3, workspace_file_bytes=25) as app:
        _, [card, other] = await app.has_board("One", "Two")
        assert (await upload(app, b"x" * 11, cardId=card)).status_code == 413

        async def many():
            for _ in range(11):
                yield b"x"

        assert (await upload(app, many(), cardId=card)).status_code == 413
        await nothing_stays(app)
        for _ in range(2):
            await uploaded(app, b"x" * 10, cardId=card)
        full = await upload(app, b"x", cardId=card)
        assert (full.status_code, full.json()["message"]) == (409, "A card has at most 2 files")
        assert (await upload(app, b"x" * 10, cardId=other)).status_code == 409, "30 of 25 bytes"
        await uploaded(app, b"x" * 5, cardId=other)
        assert (await upload(app, b"", cardId=other)).status_code == 409, "4 of 3 files"
        assert len(stored(app)) == await objects(app) == 3


async def test_uploads_at_once_keep_the_caps(run):
    async with run(card_files=3, workspace_file_bytes=70) as app:
        _, [card, other] = await app.has_board("One", "Two")
        answers = await asyncio.gather(*(upload(app, b"x" * 10, cardId=card) for _ in range(8)))
        assert sorted(one.status_code for one in answers) == [201] * 3 + [409] * 5
        answers = await asyncio.gather(*(upload(app, b"x" * 20, cardId=other) for _ in range(4)))
        assert sorted(one.status_code for one in answers) == [201] * 2 + [409] * 2
        assert len(stored(app)) == await objects(app) == 5


EMPTY = "mutation($id: ID!) { emptyBin(input: {boardId: $id}) { __typename } }"


async def test_the_last_reference_takes_the_bytes(run):
    remove = "mutation($id: ID!) { deleteCard(input: {id: $id}) { __typename } }"
    drop = 'mutation($id: ID!) { deleteBoard(input: {id: $id, confirmName: "Web"}) { __typename } }'
    end = "mutation($id: ID!, $n: String!) { deleteWorkspace(input: {id: $id, confirmName: $n}) { __typename } }"
    async with run() as app:
        board, cards = await app.has_board("One", "Two", "Three")
        for card in cards:
            await uploaded(app, b"x", cardId=card)
        await uploaded(app, b"x", workspaceId=await app.home())
        assert len(stored(app)) == 4
        assert (await app.data(remove, id=cards[0]))["__typename"] == "Card"
        await app.data(EMPTY, id=board)  # until then the card can come back
        await until(lambda: len(stored(app)) == 3)
        file = (await app.data(FILES, id=cards[1]))["files"][0]["id"]
        await app.data(DELETE, id=file)
        await until(lambda: len(stored(app)) == 2)
        assert (await app.data(drop, id=board))["__typename"] == "Board"
        await until(lambda: len(stored(app)) == 1)
        home = (await app.data("{ workspaces { nodes { id name } } }"))["nodes"][0]
        assert (await app.data(end, id=home["id"], n=home["name"]))["__typename"] == "Workspace"
        await until(lambda: stored(app) == [])


async def test_lists_take_a_constant_number_of_statements(run):
    ask = "query($id: ID!) { board(id: $id) { cards { nodes { fileCount files { name } } } } }"
    async with run() as app:
        board, cards = await app.has_board(*map(str, range(6)))
        counts = []
        for card in [None, *cards]:
            if card:
                await uploaded(app, b"x", cardId=card)
                await uploaded(app, b"y", cardId=card)
            with app.counting() as statements:
                await app.data(ask, id=board)
            counts.append(len(statements))
        assert len(set(counts)) == 1, counts


async def test_a_store_that_does_not_work(run, tmp_path):
    blocked = tmp_path / "a file, no folder"
    blocked.write_text("")
    async with run(files_url=str(blocked)) as app:
        _, [card] = await app.has_board("One")
        answer = await upload(app, b"x", cardId=card)
        assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
        assert "retry-after" in answer.headers
        assert (await app.data(FILES, id=card))["fileCount"] == 0
        blocked.unlink()
        file = await uploaded(app, b"x", cardId=card)
        for path in stored(app):
            path.unlink()
        assert (await download(app, file["id"])).status_code == 503


async def test_an_upload_that_ends_early_leaves_nothing(run):
    async with run() as app:
        _, [card] = await app.has_board("One")

        async def half():
            yield b"x" * 400_000
            assert len(stored(app)) == 1, "a spool"

        short = await upload(app, half(), cardId=card, headers={"content-length": "500000"})
        assert short.status_code == 400, short.text
        await nothing_stays(app)
        assert (await app.data(FILES, id=card))["fileCount"] == 0
