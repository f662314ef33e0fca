"""Files by GraphQL, in prompts and in files of boards; and the bytes that nothing refers to, which are freed."""

import asyncio
import json
from datetime import timedelta

import pytest
from sqlalchemy import bindparam, text

from actions.file import free_unreferenced
from actions.job import JobFailed
from actions.transfer import native_format
from actions.transfer.report import report_of_export
from kit.db.database import UtcDateTime, utcnow
from models.file import StoredObject
from tests.conftest import NOBODY
from tests.test_file import DELETE, EMPTY, POST, download, objects, stored, until, uploaded
from tests.test_transfer import brought, taken
from tests.work import hand, queued

UPLOAD = """mutation($input: UploadFileInput!) { uploadFile(input: $input) {
  __typename ... on File { id name size mediaType cardId } ... on Refusal { code message } } }"""
PREFLIGHT = {"graphql-require-preflight": "1"}


async def multipart(app, content, actor="", *, headers=PREFLIGHT, name="a.bin", **place):
    """An upload as graphql-multipart-request-spec says it."""
    operations = {"query": UPLOAD, "variables": {"input": {"place": place, "file": None}}}
    fields = {"operations": json.dumps(operations), "map": json.dumps({"0": ["variables.input.file"]})}
    signed = {"authorization": "", **app.headers_of(actor), **headers}
    files = {"0": (name, content, "text/html")}
    return await app.client.post("/graphql", data=fields, files=files, headers=signed)


async def test_a_multipart_request(run):
    async with run(file_bytes=3_000_000) as app:
        await app.has_user("vic", "VIEWER")
        _, [card] = await app.has_board("One")
        content = bytes(range(256)) * 8_000
        answer = await multipart(app, content, name="../../x.bin", cardId=card)
        file = answer.json()["data"]["uploadFile"]
        assert (file["name"], file["size"], file["mediaType"]) == (
            "x.bin",
            len(content),
            "application/octet-stream",
        )
        assert (await download(app, file["id"])).content == content
        for actor, code in ((NOBODY, 401), ("vic", 200)):
            refused = await multipart(app, content, actor, cardId=card)
            assert refused.status_code == code
        assert refused.json()["data"]["uploadFile"]["code"] == "FORBIDDEN"
        plain = await multipart(app, content, headers={}, cardId=card)
        assert (plain.status_code, "preflight" in plain.text) == (400, True)
        large = await multipart(app, b"x" * 3_000_001, cardId=card)
        assert large.json()["data"]["uploadFile"]["code"] == "INVALID"
        assert (await multipart(app, b"x" * 5_000_000, cardId=card)).status_code == 413
        given = {"place": {"cardId": card}, "file": "no file"}
        assert (await app.data(UPLOAD, input=given))["code"] == "INVALID"
        once = {**PREFLIGHT, "idempotency-key": "one"}
        first, second = [(await multipart(app, b"x", headers=once, cardId=card)).json() for _ in range(2)]
        assert first == second
        assert first["data"]["uploadFile"]["__typename"] == "File"
        assert len(stored(app)) == await objects(app) == 2


CREATE = """mutation($input: CreateFileInput!) { createFile(input: $input) {
  __typename ... on File { id name size mediaType } ... on Refusal { code message } } }"""
CONTENT = """query($id: ID!, $offset: Int, $length: Int) {
  fileContent(id: $id, offset: $offset, length: $length) { offset size encoding content nextOffset } }"""


async def test_a_small_file_by_graphql(run):
    async with run() as app:
        await app.has_user("foreign", None)
        _, [card] = await app.has_board("One")
        place = {"cardId": card}
        text = await app.data(CREATE, input={"place": place, "name": "n.txt", "content": "häuser"})
        assert (text["size"], text["mediaType"]) == (7, "text/plain")
        given = {"place": place, "name": "b", "content": "AAEC/w==", "encoding": "BASE64"}
        raw = await app.data(CREATE, input=given)
        assert (raw["size"], raw["mediaType"]) == (4, "application/octet-stream")
        part = await app.data(CONTENT, id=text["id"], offset=0, length=2)
        assert part == {"offset": 0, "size": 7, "encoding": "BASE64", "content": "aMM=", "nextOffset": 2}
        rest = await app.data(CONTENT, id=text["id"], offset=3)
        assert (rest["content"], rest["encoding"], rest["nextOffset"]) == ("user", "TEXT", None)
        assert (await app.data(CONTENT, id=raw["id"]))["content"] == "AAEC/w=="
        assert (await app.data(CONTENT, id=raw["id"], offset=99))["content"] == ""
        assert await app.data(CONTENT, "foreign", id=raw["id"]) is None
        for wrong in ({"offset": -1}, {"length": 0}, {"length": 10**6}):
            assert (await app.ask(CONTENT, id=raw["id"], **wrong))["errors"][0]["extensions"][
                "code"
            ] == "INVALID"
        for bad in ({"content": "%%%", "encoding": "BASE64"}, {"content": "x" * 600_000}):
            refused = await app.data(CREATE, input={"place": place, "name": "n", **bad})
            assert refused["code"] == "INVALID"
        assert len(stored(app)) == await objects(app) == 2


async def aged(app, table):
    """Make the rows of a table two days old."""
    async with app.begin() as tx:
        old = text(f"UPDATE {table} SET created_at = :then")
        then = utcnow() - timedelta(days=2)
        await tx.execute(old.bindparams(bindparam("then", then, type_=UtcDateTime())))


async def test_an_upload_that_is_never_attached_is_removed_after_a_day(run):
    async with run() as app:
        _, [card] = await app.has_board("One")
        young = await uploaded(app, b"x", workspaceId=await app.home())
        on_card = await uploaded(app, b"x", cardId=card)
        await free_unreferenced(app.services, {})
        assert len(stored(app)) == 2
        await aged(app, "file")
        await aged(app, "stored_object")
        await free_unreferenced(app.services, {})
        assert (await download(app, young["id"])).status_code == 404
        assert (await download(app, on_card["id"])).content == b"x"
        assert len(stored(app)) == await objects(app) == 1


async def test_a_server_looks_for_what_is_left_when_it_starts(run, fresh):
    url = await fresh()
    async with run(url) as app:
        key = f"{await app.home()}/aa/object_left"
        spool = await app.services.files.spool(key)
        await spool.write(b"x" * 200_000)
        spool.file.close()  # as a crash does
        async with app.begin() as tx:
            tx.add(StoredObject(key=key, workspace_id=await app.home(), size=1))
        await free_unreferenced(app.services, {})
        assert (len(stored(app)), await objects(app)) == (1, 1), "it may be an upload that runs"
        await aged(app, "stored_object")
    async with run(url) as app:
        await until(lambda: stored(app) == [])
        async with asyncio.timeout(20):
            while await objects(app):
                await asyncio.sleep(0.05)


async def test_a_store_that_is_down_keeps_what_it_must_free(run):
    async with run() as app:
        _, [card] = await app.has_board("One")
        file = await uploaded(app, b"x", cardId=card)
        folder = app.services.files.folder
        [path] = stored(app)
        path.unlink()
        path.mkdir()  # which cannot be unlinked
        await app.data(DELETE, id=file["id"])
        with pytest.raises(JobFailed):
            await free_unreferenced(app.services, {})
        assert await objects(app) == 1
        path.rmdir()
        await free_unreferenced(app.services, {})
        assert (await objects(app), stored(app)) == (0, [])
        assert folder.is_dir()


async def test_a_board_file_names_its_files(run):
    async with run() as app:
        board, [card] = await app.has_board("One")
        file = await uploaded(app, b"x", cardId=card, name="x.txt")
        exported = await taken(app, board)
        written = json.loads(native_format.write_native(exported))
        named = {"name": "x.txt", "mediaType": "text/plain", "size": 1, "sha256": file["sha256"]}
        assert written["cards"][0]["files"] == [named]
        assert "contents of files" in report_of_export(exported)
        made, said = await brought(app, native_format.read_native(written))
        assert "1  files, whose contents are not in the file of the board" in said
        assert (await app.data("{ viewer { personalData } }"))["personalData"]["files"][0]["name"] == "x.txt"
        assert made.board.id != board


async def test_a_prompt_names_the_files(run):
    parts = "query($id: ID!) { run(id: $id) { promptParts { name } } }"
    async with run() as app:
        _, [card] = await app.has_board("Paint")
        message = (await app.data(POST, id=card))["id"]
        first = await uploaded(app, b"red", cardId=card, name="colour.txt")
        second = await uploaded(app, b"blue", messageId=message, name="../other.txt")
        worker = await hand(app)
        id = await queued(app, card)
        [claim] = await worker.claim()
        named = f"""Files on the card. Read one with the tool file, or from the server at its address:
- colour.txt (text/plain, 3 bytes): /files/{first["id"]}
- other.txt (text/plain, 4 bytes): /files/{second["id"]}"""
        assert named in claim["work"]["prompt"]
        shown = [part["name"] for part in (await app.data(parts, id=id))["promptParts"]]
        assert "FILES" in shown
        app.tokens["agent"] = f"Bearer {claim['work']['agentToken']}"
        assert (await download(app, first["id"], "agent")).content == b"red"
        log = await uploaded(app, b"done", "agent", cardId=card, name="log.txt")
        assert (await app.data(DELETE, "agent", id=first["id"]))["code"] == "FORBIDDEN"
        assert (await app.data(DELETE, "agent", id=log["id"]))["__typename"] == "File"


REMOVE = {
    "card": ("deleteCard", {}),
    "message": ("deleteMessage", {}),
    "file": ("deleteFile", {}),
    "board": ("deleteBoard", {"confirmName": "Web"}),
}


@pytest.mark.parametrize("gone", REMOVE)
async def test_a_deletion_itself_has_the_bytes_freed(run, gone):
    """Its transaction enqueues the job; the hourly look for what is left is not needed."""
    name, more = REMOVE[gone]
    delete = (
        f"mutation($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ __typename }} }}"
    )
    async with run() as app:
        board, [card] = await app.has_board("One")
        message = (await app.data(POST, id=card))["id"]
        file = (await uploaded(app, b"x", messageId=message))["id"]
        id = {"card": card, "message": message, "file": file, "board": board}[gone]
        answer = await app.data(delete, input={"id": id, **more})
        assert answer["__typename"] == gone.capitalize()
        if gone == "card":  # until its bin is emptied it can come back
            await app.data(EMPTY, id=board)
        jobs = await app.services.database.read(text("SELECT kind FROM server_job"))
        assert {job.kind for job in jobs} == {"FREE_FILES"}
        await until(lambda: stored(app) == [])
