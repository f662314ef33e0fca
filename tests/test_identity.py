"""Sign-in at another server: only for who linked it, in the browser that started, with a proven identity."""

import re
import time

import pytest

from kit import oidc
from kit.settings import WrongSetting, load
from tests.conftest import NOBODY, SIGN_IN
from tests.provider import CLIENT, OTHER_KEY, SECRET, loopback_provider

LINK = """mutation($input: LinkIdentityInput!) { linkIdentity(input: $input) {
  __typename ... on User { username } ... on Refusal { code } } }"""
UNLINK = """mutation($input: UnlinkIdentityInput!) { unlinkIdentity(input: $input) {
  __typename ... on User { username } ... on Refusal { code } } }"""
LIST = "{ viewer { identities { provider name } } }"
PAGE = "http://127.0.0.1:8000"


def signing_in(provider):
    return {
        "github_url": provider.url,
        "github_client_id": CLIENT,
        "github_client_secret": SECRET,
        "oidc_issuer": provider.url,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
    }


async def get(app, path, **given):
    return await app.client.get(path, headers={"authorization": ""}, follow_redirects=False, **given)


async def start(app, name="oidc", link=False):
    """The address at the provider; the cookie is in the client's jar."""
    answer = await get(app, f"/auth/{name}/start", params={"link": "1"} if link else {})
    assert answer.status_code == 303, answer.text
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    return answer.headers["location"]


async def through(app, provider, name="oidc", link=False):
    """A whole sign-in: the last answer."""
    back = provider.authorize(await start(app, name, link))
    return await get(app, f"/auth/{name}/callback", params=back)


async def linked(app, provider, actor, name="oidc"):
    answer = await through(app, provider, name, link=True)
    [token] = re.fullmatch(rf"{PAGE}/#link=(\S+)", answer.headers["location"]).groups()
    return await app.data(LINK, actor, input={"token": token})


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("oidc", {"provider": "OIDC", "name": "ada at the provider"}),
        ("github", {"provider": "GITHUB", "name": "octocat"}),
    ],
)
async def test_a_linked_identity_signs_in(run, name, shown):
    async with loopback_provider() as provider, run(**signing_in(provider)) as app:
        await app.has_user("ada")
        await app.has_user("eve")
        stranger = await through(app, provider, name)
        assert stranger.status_code == 401, "linked to nobody"
        assert (await linked(app, provider, "ada", name))["__typename"] == "User"
        assert (await app.data(LIST, "ada"))["identities"] == [shown]
        assert (await linked(app, provider, "eve", name))["code"] == "CONFLICT"
        answer = await through(app, provider, name)
        assert answer.headers["referrer-policy"] == "no-referrer"
        [token] = re.fullmatch(rf"{PAGE}/#token=(\S+)", answer.headers["location"]).groups()
        session = await app.data(SIGN_IN, NOBODY, input={"token": token})
        assert session["user"]["username"] == "ada"
        assert (await app.data(SIGN_IN, NOBODY, input={"token": token}))["reason"] == "INVALID"
        for _ in range(2):
            assert (await app.data(UNLINK, "ada", input={"provider": shown["provider"]}))[
                "__typename"
            ] == "User"
        assert (await app.data(LIST, "ada"))["identities"] == []
        assert (await through(app, provider, name)).status_code == 401


async def test_only_the_browser_that_started_comes_back(run):
    async with loopback_provider() as provider, run(**signing_in(provider)) as app:
        await app.has_user("ada")
        await linked(app, provider, "ada")
        back = provider.authorize(await start(app))
        cookie = dict(app.client.cookies)
        app.client.cookies.clear()
        before = len(provider.requests)
        assert (await get(app, "/auth/oidc/callback", params=back)).status_code == 400, "another browser"
        for wrong in ({**back, "state": "x" * 43}, {"code": back["code"]}, {"state": back["state"]}, {}):
            app.client.cookies.update(cookie)
            assert (await get(app, "/auth/oidc/callback", params=wrong)).status_code == 400, wrong
        app.client.cookies.update(cookie)
        assert (await get(app, "/auth/github/callback", params=back)).status_code == 400, "another provider"
        assert len(provider.requests) == before, "the provider was not asked"
        app.client.cookies.update(cookie)
        back["next"] = back["redirect_uri"] = "https://evil.example"
        good = await get(app, "/auth/oidc/callback", params=back)
        assert good.headers["location"].startswith(f"{PAGE}/#token="), "nothing says where to go"
        app.client.cookies.update(cookie)
        assert (await get(app, "/auth/oidc/callback", params=back)).status_code == 502, "a code is good once"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another client"},
        {"iss": "https://evil.example"},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        "another key",
    ],
)
async def test_a_wrong_id_token_signs_nobody_in(run, claims):
    async with loopback_provider() as provider, run(**signing_in(provider)) as app:
        await app.has_user("ada")
        await linked(app, provider, "ada")
        if claims == "another key":
            provider.key = OTHER_KEY
        else:
            provider.claims = claims
        answer = await through(app, provider)
        assert (answer.status_code, "location" in answer.headers) == (502, False)


REDIRECT = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
HUGE = b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n" + b"[" * 3_000_000
HTML = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>"
ERROR = b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n"
LIST_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]"
TWICE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
NAMELESS = b'HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\n{"issuer": "https://x"}'


@pytest.mark.parametrize("answer", [REDIRECT, HUGE, HTML, ERROR, LIST_ANSWER, TWICE, b"", None, NAMELESS])
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
async def test_a_provider_that_fails_is_told(run, path, answer, monkeypatch):
    if answer is None:
        monkeypatch.setattr(oidc, "ANSWER_SECONDS", 2.0)
    async with loopback_provider() as provider, run(**signing_in(provider)) as app:
        provider.fails = {path: answer}
        if path.startswith("/.well"):
            said = await get(app, "/auth/oidc/start")
        else:
            said = await through(app, provider)
        assert (said.status_code, "location" in said.headers) == (502, False), said.text
        provider.fails = {}
        assert (await through(app, provider)).status_code == 401, "it is asked again"


async def test_a_pass_for_linking_is_for_nothing_else(run):
    async with loopback_provider() as provider, run(**signing_in(provider)) as app:
        await app.has_user("ada")
        for token in ("", "x", app.tokens["ada"].removeprefix("Bearer ")):
            assert (await app.data(LINK, "ada", input={"token": token}))["code"] == "INVALID"
        answer = await through(app, provider, link=True)
        token = answer.headers["location"].partition("#link=")[2]
        app.tokens["pass"] = f"Bearer {token}"
        assert "errors" in await app.ask("{ me { id } }", "pass")


async def test_providers_that_are_not_configured_are_not_there(run):
    async with run() as app:
        for name in ("github", "oidc", "other"):
            assert (await get(app, f"/auth/{name}/start")).status_code == 404
            assert (await get(app, f"/auth/{name}/callback")).status_code == 404
    for wrong in (
        {"oidc_client_id": "x"},
        {"oidc_client_id": "x", "oidc_issuer": "http://login.example"},
        {"github_client_id": "x", "host": "0.0.0.0"},
    ):
        with pytest.raises(WrongSetting):
            load(**wrong, _env_file=None)
