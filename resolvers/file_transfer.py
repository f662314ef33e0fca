"""Files over HTTP: `POST /files` with the file as its body, and `GET /files/{id}`.

An upload is read in small parts and never held whole. A download is never shown by a browser as a page.
"""

import asyncio
import re
import unicodedata
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import quote

from sqlalchemy import select
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from actions.file import Place
from actions.file_upload import Incomplete, TooLarge, store_file
from auth.authentication import identify
from auth.services import Services
from kit.db.database import Unavailable
from kit.db.transaction import Author
from kit.file_store import StoreUnavailable
from models.file import MAX_UPLOAD_SECONDS, File
from models.refusal import Conflict, Forbidden, Invalid, NotFound, Refusal, Unauthenticated
from resolvers.file import sees_file

MAX_UPLOADS = 256  # of one process at once
MAX_DROPPED_BYTES = 256 << 20  # of a refused upload that are read on
LINGER_SECONDS = 3.0
RETRY_SECONDS = 10
# A file runs nothing, also if a browser is made to open it as a page.
HEADERS = {
    "cache-control": "private, no-cache",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "accept-ranges": "bytes",
}
STATUSES: dict[type[Refusal], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
}
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class Unsatisfiable(Exception):
    """The range begins after the end of the file."""


class LingeringResponse(Response):
    """The refusal of an upload that is still being sent: after it, the upload is read on for a while.

    A connection that is closed with unread bytes is reset, and loses its answer.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(response.body, response.status_code)
        self.raw_headers = response.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        dropped = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while dropped < MAX_DROPPED_BYTES:
                    message = await receive()
                    if not message.get("more_body"):  # its end, or a client that went
                        break
                    dropped += len(message["body"])
        await send({"type": "http.response.body", "body": b""})


async def upload_file(services: Services, request: Request) -> Response:
    """Store the body as a file. 201 with the file; `cardId`, `messageId` or `workspaceId` in the query says where.

    400: not as long as announced. 401, 403, 404, 409, 422: refused. 411: `Content-Length` is not a number.
    413: too large. 503: the store or the database does not work.
    """
    try:
        response = await _upload(services, request)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    except Unavailable as error:
        response = _unavailable(str(error))
    if response.status_code >= 400:
        response.headers["connection"] = "close"
        return response if request._stream_consumed else LingeringResponse(response)
    return response


async def _upload(services: Services, request: Request) -> Response:
    actor, why = await identify(services, request.headers.get("authorization"))
    if actor is None:
        return _refuse(why or Unauthenticated("MISSING", "Sign in, or send an API key"))
    announced = request.headers.get("content-length")
    if announced is not None and not (announced.isascii() and announced.isdecimal()):
        return _answer(411, "INVALID", "Content-Length is not a number")
    size = None if announced is None else int(announced[:20])
    if (size or 0) > services.settings.file_bytes:
        return _too_large(services)
    if services.uploads >= MAX_UPLOADS:
        return _unavailable("Too many uploads at once")
    query = request.query_params
    try:
        place = Place(query.get("cardId"), query.get("messageId"), query.get("workspaceId"))
        name = query.get("name") or "file"
        services.uploads += 1
        try:
            async with asyncio.timeout(MAX_UPLOAD_SECONDS):
                begin = partial(services.event_log.transaction, Author(actor.kind, actor.id))
                file = described(
                    await store_file(services, begin, actor, place, name, request.stream(), size)
                )
        finally:
            services.uploads -= 1
    except Refusal as refusal:
        return _refuse(refusal)
    except TooLarge:
        return _too_large(services)
    except Incomplete as error:
        return _answer(400, "INVALID", str(error))
    except (StoreUnavailable, TimeoutError) as error:
        return _unavailable(str(error) or "The upload took too long")
    headers = {"cache-control": "no-store", "location": f"/files/{file['id']}"}
    return JSONResponse(file, 201, headers)


def described(file: File) -> dict[str, Any]:
    """Return a file as JSON."""
    return {
        "id": file.id,
        "url": f"/files/{file.id}",
        "name": file.name,
        "mediaType": file.media_type,
        "size": file.size,
        "sha256": file.sha256,
        "width": file.width,
        "height": file.height,
        "cardId": file.card_id,
        "messageId": file.message_id,
    }


async def download_file(services: Services, request: Request) -> Response:
    """Answer the bytes of a file that the caller may see, or a range of them.

    206: a range. 304: the caller has it. 401, 404: refused. 416: the range begins after its end. 503: the
    store or the database does not work.
    """
    try:
        return await _download(services, request)
    except Unavailable as error:
        return _unavailable(str(error))


async def _download(services: Services, request: Request) -> Response:
    actor, why = await identify(services, request.headers.get("authorization"))
    if actor is None:
        return _refuse(why or Unauthenticated("MISSING", "Sign in, or send an API key"))
    id = request.path_params["id"][:100]
    query = select(File.__table__).where(File.id == id, sees_file(actor))
    rows = await services.database.read(query)
    if not rows:
        return _refuse(NotFound(id))
    [file] = rows
    etag = f'"{file.sha256}"'
    headers = {**HEADERS, "etag": etag, "content-disposition": disposition(file.name)}
    if _has(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    start, end, status = 0, file.size, 200
    asked = request.headers.get("range")
    if asked is not None and request.headers.get("if-range", etag) == etag:
        try:
            found = range_of(asked, file.size)
        except Unsatisfiable:
            headers = {"content-range": f"bytes */{file.size}"}
            return _answer(416, "INVALID", "The range begins after the end of the file", headers)
        if found is not None:
            start, end, status = *found, 206
            headers["content-range"] = f"bytes {start}-{end - 1}/{file.size}"
    headers |= {"content-length": str(end - start), "content-type": _content_type(file.media_type)}
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    try:
        body = await services.files.read(file.object_key, start, end)
    except StoreUnavailable as error:
        return _unavailable(str(error))
    except FileNotFoundError:
        return _unavailable("The store has lost the bytes of this file")
    return StreamingResponse(body, status, headers)


def range_of(header: str, size: int) -> tuple[int, int] | None:
    """Return the first byte of a range and the one after its last; None if the header asks for all bytes.

    A header that is not understood, or that names several ranges, asks for all bytes (RFC 9110, 14.2). Raises
    Unsatisfiable if the range begins after the end.
    """
    asked = RANGE.fullmatch(header.strip())
    if (
        asked is None
        or not (asked[1] or asked[2])
        or (asked[1] and asked[2] and int(asked[2]) < int(asked[1]))
    ):
        return None
    start = int(asked[1]) if asked[1] else max(size - int(asked[2]), 0)
    end = min(int(asked[2]) + 1, size) if asked[1] and asked[2] else size
    if start >= size:
        raise Unsatisfiable
    return start, end


def disposition(name: str) -> str:
    """Return the header that saves a file under its name (RFC 6266)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode() or "file"
    plain = re.sub(r'[^ -~]|["\\%]', "_", plain)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _content_type(media_type: str) -> str:
    return f"{media_type}; charset=utf-8" if media_type == "text/plain" else media_type


def _has(given: str | None, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in (given or "").split(",")}
    return etag in tags or "*" in tags


def _too_large(services: Services) -> Response:
    return _answer(413, "INVALID", f"A file has at most {services.settings.file_bytes:,} bytes")


def _unavailable(message: str) -> Response:
    return _answer(503, "UNAVAILABLE", message, {"retry-after": str(RETRY_SECONDS)})


def _refuse(refusal: Refusal) -> Response:
    return _answer(STATUSES.get(type(refusal), 400), refusal.code, refusal.message)


def _answer(status: int, code: str, message: str, more: dict[str, str] | None = None) -> Response:
    headers = {"x-content-type-options": "nosniff", **(more or {}), "cache-control": "no-store"}
    return JSONResponse({"code": code, "message": message}, status, headers)
