"""Avatars: pictures only, small ones, which run nothing."""

import struct
import zlib

import pytest

from models.avatar import MAX_AVATAR_BYTES, MAX_AVATAR_PIXELS
from tests.conftest import NOBODY

ME = "{ me { avatarUrl version } }"
REMOVE = "mutation { removeAvatar(input: {}) { ... on User { avatarUrl } ... on Refusal { code } } }"


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width=2, height=2, extra=b""):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * (3 * 2 + 1) * 2)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts + extra


GIF = b"GIF89a" + struct.pack("<HH", 3, 3) + b"\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xc0\x00\x11\x08\x00\x05\x00\x07\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xd9"
)


async def upload(app, content, actor="", **headers):
    return await app.client.post(
        "/avatar", content=content, headers={"authorization": "", **app.headers_of(actor), **headers}
    )


@pytest.mark.parametrize(
    ("content", "media_type"), [(png(), "image/png"), (GIF, "image/gif"), (JPEG, "image/jpeg")]
)
async def test_a_picture_is_shown_as_what_it_is(run, content, media_type):
    async with run() as app:
        answer = await upload(app, content, **{"content-type": "text/html"})
        assert answer.status_code == 200, answer.text
        url = answer.json()["avatarUrl"]
        assert (await app.data(ME))["avatarUrl"] == url
        shown = await app.client.get(url, headers={"authorization": ""})
        assert (shown.status_code, shown.content) == (200, content)
        assert shown.headers["content-type"] == media_type
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
        again = await app.client.get(url, headers={"if-none-match": shown.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = (await upload(app, png(3, 3))).json()["avatarUrl"]
        assert other != url
        assert (await app.client.get(url)).status_code == 404, "replaced"
        assert (await app.data(REMOVE)) == (await app.data(REMOVE)) == {"avatarUrl": None}
        assert (await app.client.get(other)).status_code == 404


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"<html><script>alert(1)</script>", 422),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 422),
        (b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>", 422),
        (b"", 422),
        (b"\x89PNG", 422),
        (png(100_000, 100_000), 422),
        (png(MAX_AVATAR_PIXELS + 1, 1), 422),
        (png(0, 1), 422),
        (b"BM" + b"\0" * 60, 422),
        (b"PK\x03\x04" + b"\0" * 60, 422),
        (png(extra=b"\0" * MAX_AVATAR_BYTES), 413),
    ],
)
async def test_what_is_no_small_picture_is_refused(run, content, status):
    async with run() as app:
        before = await app.data(ME)
        answer = await upload(app, content)
        assert answer.status_code == status, answer.text
        assert answer.json()["code"] == "INVALID"
        assert await app.data(ME) == before


async def test_only_people_have_pictures(run):
    async with run() as app:
        assert (await upload(app, png(), NOBODY)).status_code == 401
        query = """mutation($id: ID!) { createApiKey(input: {workspaceId: $id, name: "k", scopes: [WRITE]}) {
          ... on ApiKeySecret { secret } } }"""
        secret = (await app.data(query, id=await app.home()))["secret"]
        app.tokens["key"] = f"Bearer {secret}"
        assert (await upload(app, png(), "key")).status_code == 403
        assert (await app.client.get("/avatars/nothing")).status_code == 404
        answers = [(await upload(app, png())).status_code for _ in range(11)]
        assert answers == [200] * 10 + [429]
