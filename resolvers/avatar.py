"""Avatars over HTTP: `POST /avatar` with the picture as its body, and `GET /avatars/{key}`."""

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from actions.avatar import check_picture, set_avatar
from auth.authentication import identify
from auth.services import Services
from kit.db.transaction import Author
from kit.graphql.limits.rate import RateLimited
from models.avatar import MAX_AVATAR_BYTES, Avatar
from models.refusal import Forbidden, Invalid, Refusal, Unauthenticated

# A picture runs nothing, also if a browser is made to open it as a page.
HEADERS = {
    "cache-control": "private, max-age=31536000, immutable",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}
STATUSES = {Unauthenticated: 401, Forbidden: 403, Invalid: 422}


async def upload_avatar(services: Services, request: Request) -> Response:
    """Set the caller's avatar to the picture in the body. 200 with its address.

    401, 403: not a signed-in person. 413: above 2 MB. 422: not a picture of an accepted type and size. 429: after
    ten pictures in a minute.
    """
    actor, why = await identify(services, request.headers.get("authorization"))
    if actor is None:
        return _refuse(why or Unauthenticated("MISSING", "Sign in"))
    if not actor.is_person:
        return _refuse(Forbidden("A key has no avatar"))
    try:
        services.attempts.count(f"avatar:{actor.id}")
    except RateLimited as limited:
        return _answer(429, str(limited.code), limited.message)
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MAX_AVATAR_BYTES:
            return _answer(413, "INVALID", f"A picture has at most {MAX_AVATAR_BYTES:,} bytes")
    try:
        media_type = check_picture(bytes(content))
        async with services.event_log.transaction(Author(actor.kind, actor.id)) as tx:
            user = await set_avatar(tx, actor, bytes(content), media_type)
            url = user.avatar_url
    except Refusal as refusal:
        return _refuse(refusal)
    return JSONResponse({"avatarUrl": url}, headers={"cache-control": "no-store"})


async def show_avatar(services: Services, request: Request) -> Response:
    """Answer a picture; 304 if the caller has it, 404 if there is none with this key."""
    key = request.path_params["key"]
    query = select(Avatar.content, Avatar.media_type).where(Avatar.key == key[:100])
    rows = await services.database.read(query)
    if not rows:
        return _answer(404, "NOT_FOUND", "There is no such picture")
    headers = {**HEADERS, "etag": f'"{key}"'}
    if f'"{key}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(rows[0].content, media_type=rows[0].media_type, headers=headers)


def _refuse(refusal: Refusal) -> Response:
    return _answer(STATUSES.get(type(refusal), 400), refusal.code, refusal.message)


def _answer(status: int, code: str, message: str) -> Response:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return JSONResponse({"code": code, "message": message}, status, headers)
