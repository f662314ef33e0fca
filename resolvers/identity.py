"""Signing in at another server: `/auth/{provider}/start` and `/auth/{provider}/callback`.

The callback ends at the page with a one-time sign-in link, or, after `start?link=1`, with a pass for
`linkIdentity`. Both are behind the `#` of an address of ours: no parameter says where to go, so there is no open
redirect. State, nonce and verifier stand in a sealed cookie of the browser that started, so the callback of another
browser signs nobody in.
"""

import json
import logging
from functools import cache

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from strawberry import Parent

from actions.identity import LINK_PASS, LINK_PASS_LIFETIME, sign_in_with
from auth.passwords import SealBroken, constant_time_equal, new_secret
from auth.services import Services
from kit.db.database import utcnow
from kit.db.transaction import Author
from kit.graphql.limits.rate import RateLimited, network_of
from kit.oidc import Provider, ProviderFailed
from kit.settings import Settings
from models.actor import Actor, ActorKind
from models.identity import LinkedIdentity, SignInProvider
from models.refusal import Unauthenticated
from resolvers.context import Info

log = logging.getLogger("signalbox.identity")
COOKIE = "signalbox-sign-in"
COOKIE_SECONDS = 600
HEADERS = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-content-type-options": "nosniff"}


@cache
def _provider_of(settings_key: tuple[str, str, str], is_github: bool) -> Provider:
    return Provider(*settings_key, is_github=is_github)


def find_provider(settings: Settings, name: str) -> tuple[SignInProvider, Provider] | None:
    """Return the provider with this name in addresses, if it is configured."""
    if name == "github" and settings.github_client_id:
        key = settings.github_url, settings.github_client_id, settings.github_client_secret.get_secret_value()
        return SignInProvider.GITHUB, _provider_of(key, True)
    if name == "oidc" and settings.oidc_client_id:
        key = settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret.get_secret_value()
        return SignInProvider.OIDC, _provider_of(key, False)
    return None


async def start_sign_in(services: Services, request: Request) -> Response:
    """Send the browser to the provider. 404: not configured. 429: too many. 502: the provider does not answer."""
    found = find_provider(services.settings, name := request.path_params["provider"])
    if found is None:
        return _say(404, "This provider is not configured")
    try:
        services.attempts.count(f"sign-in:{_network(request)}")
    except RateLimited as limited:
        return _say(429, limited.message)
    flow = {
        "provider": name,
        "state": new_secret(),
        "nonce": new_secret(),
        "verifier": new_secret(),
        "link": request.query_params.get("link") == "1",
        "until": utcnow().timestamp() + COOKIE_SECONDS,
    }
    try:
        url = await found[1].authorization_url(
            _callback(services.settings, name), flow["state"], flow["nonce"], flow["verifier"]
        )
    except ProviderFailed as error:
        log.warning("a sign-in did not start: %s", error)
        return _say(502, str(error))
    response = RedirectResponse(url, 303, HEADERS)
    response.set_cookie(
        COOKIE,
        services.seal.close(json.dumps(flow)),
        max_age=COOKIE_SECONDS,
        path="/auth",
        secure=services.settings.page_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return response


async def finish_sign_in(services: Services, request: Request) -> Response:
    """Take the browser back from the provider.

    400: not started in this browser, or the person declined. 401: the identity is linked to no account. 502: the
    provider does not answer, or its answer is not valid.
    """
    response = await _finish(services, request)
    response.delete_cookie(COOKIE, path="/auth")  # one try for each start
    return response


async def _finish(services: Services, request: Request) -> Response:
    settings, name = services.settings, request.path_params["provider"]
    found = find_provider(settings, name)
    if found is None:
        return _say(404, "This provider is not configured")
    try:
        flow = json.loads(services.seal.open(request.cookies.get(COOKIE, "")))
    except (SealBroken, ValueError):
        return _say(400, "This sign-in was not started in this browser; start again")
    state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
    is_ours = flow["provider"] == name and constant_time_equal(flow["state"], state)
    if not is_ours or flow["until"] < utcnow().timestamp():
        return _say(400, "This sign-in was not started in this browser, or too long ago; start again")
    if not code or len(code) > 4_000:
        return _say(400, "The provider gave no code: the sign-in was declined")
    try:
        identity = await found[1].identify(code, _callback(settings, name), flow["nonce"], flow["verifier"])
    except ProviderFailed as error:
        log.warning("a sign-in did not finish: %s", error)
        return _say(502, str(error))
    if flow["link"]:
        claims = {"provider": found[0].value, "subject": identity.subject, "name": identity.name}
        token = services.tokens.issue_pass(LINK_PASS, LINK_PASS_LIFETIME, **claims)
        return RedirectResponse(f"{settings.page_url}/#link={token}", 303, HEADERS)
    try:
        async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
            token = await sign_in_with(tx, found[0], identity.subject)
    except Unauthenticated as refusal:
        return _say(401, refusal.message)
    return RedirectResponse(f"{settings.page_url}/#token={token}", 303, HEADERS)


def _callback(settings: Settings, name: str) -> str:
    return f"{settings.page_url}/auth/{name}/callback"


def _network(request: Request) -> str:
    return network_of(request.client.host if request.client else "")


def _say(status: int, message: str) -> Response:
    return PlainTextResponse(f"{message}\n", status, HEADERS)


async def identities_of_viewer(root: Parent[Actor], info: Info) -> list[LinkedIdentity]:
    """Your identities at other servers. Empty for a key."""
    if not root.is_person:
        return []
    own = select(LinkedIdentity.__table__).where(LinkedIdentity.user_id == root.id)
    return list(await info.context.read(own.order_by(LinkedIdentity.provider)))
