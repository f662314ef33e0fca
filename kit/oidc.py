"""Sign-in at another server: GitHub, and any OpenID Connect provider. Authorization code with PKCE.

Redirects of a provider are not followed, and its answers are bounded in size and time. An ID token is accepted only
with a good signature, our client id as its audience, and the nonce of this sign-in.
"""

import asyncio
import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

ANSWER_SECONDS = 10.0
MAX_ANSWER_BYTES = 1 << 20
DISCOVERY_SECONDS = 3_600.0  # for which a discovery document and keys are kept
MAX_SUBJECT_LENGTH = 255
MAX_NAME_LENGTH = 80
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]


class ProviderFailed(Exception):
    """The provider did not answer as it should."""


@dataclass(frozen=True)
class Identity:
    """A person as a provider knows it. Only `subject` is reliable."""

    subject: str
    name: str


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


@dataclass
class Provider:
    """A provider and our client there. `is_github` has no ID token: its API says who signed in."""

    issuer: str
    client_id: str
    client_secret: str
    is_github: bool = False
    _documents: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)

    async def authorization_url(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return the address that the browser goes to. Raises ProviderFailed."""
        endpoint = (await self._endpoints())["authorization_endpoint"]
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": "read:user" if self.is_github else "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def identify(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> Identity:
        """Exchange a code for the identity that signed in. Raises ProviderFailed."""
        endpoints = await self._endpoints()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "code_verifier": verifier,
        }
        granted = await self._ask("POST", endpoints["token_endpoint"], data=form)
        if self.is_github:
            token = _text(granted, "access_token")
            person = await self._ask(
                "GET", endpoints["user_endpoint"], headers={"authorization": f"Bearer {token}"}
            )
            if type(person.get("id")) is not int:
                raise ProviderFailed("The provider did not say who signed in")
            return Identity(str(person["id"]), str(person.get("login") or "")[:MAX_NAME_LENGTH])
        claims = await self._verify(_text(granted, "id_token"), endpoints["jwks_uri"], nonce)
        name = claims.get("preferred_username") or claims.get("name") or ""
        return Identity(_text(claims, "sub", MAX_SUBJECT_LENGTH), str(name)[:MAX_NAME_LENGTH])

    async def _verify(self, id_token: str, jwks_uri: str, nonce: str) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        try:
            keys = KeySet.import_key_set(await self._document(jwks_uri))  # type: ignore[arg-type]
            claims = jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims
            required: dict[str, Any] = {
                "iss": {"essential": True, "value": self.issuer},
                "aud": {"essential": True, "value": self.client_id},
                "nonce": {"essential": True, "value": nonce},
                "exp": {"essential": True},
                "sub": {"essential": True},
            }
            jwt.JWTClaimsRegistry(leeway=30, **required).validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            self._documents.pop(jwks_uri, None)  # the keys may have changed
            raise ProviderFailed("The ID token is not valid") from error
        return claims

    async def _endpoints(self) -> dict[str, str]:
        if self.is_github:
            parts = urlsplit(self.issuer)
            is_public = parts.hostname == "github.com"
            api = "https://api.github.com" if is_public else f"{self.issuer.removesuffix('/')}/api/v3"
            return {
                "authorization_endpoint": f"{self.issuer.removesuffix('/')}/login/oauth/authorize",
                "token_endpoint": f"{self.issuer.removesuffix('/')}/login/oauth/access_token",
                "user_endpoint": f"{api}/user",
            }
        url = f"{self.issuer.removesuffix('/')}/.well-known/openid-configuration"
        document = await self._document(url)
        try:
            return self._check_endpoints(document)
        except ProviderFailed:
            del self._documents[url]  # it is asked again
            raise

    def _check_endpoints(self, document: dict[str, Any]) -> dict[str, str]:
        if document.get("issuer") != self.issuer:
            raise ProviderFailed("The provider calls itself by another name than OIDC_ISSUER")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        endpoints = {name: _text(document, name) for name in names}
        for url in endpoints.values():
            if not is_safe_url(url):
                raise ProviderFailed("The provider names an address without https")
        return endpoints

    async def _document(self, url: str) -> dict[str, Any]:
        kept = self._documents.get(url)
        if kept is None or kept[0] < time.monotonic() - DISCOVERY_SECONDS:
            kept = self._documents[url] = time.monotonic(), await self._ask("GET", url)
        return kept[1]

    async def _ask(self, method: str, url: str, **given: Any) -> dict[str, Any]:
        import httpx2

        headers = {"accept": "application/json", **given.pop("headers", {})}
        body = bytearray()
        try:
            async with (
                asyncio.timeout(2 * ANSWER_SECONDS),
                httpx2.AsyncClient(timeout=ANSWER_SECONDS, follow_redirects=False) as client,
            ):
                async with client.stream(method, url, headers=headers, **given) as answer:
                    async for part in answer.aiter_bytes():
                        body += part
                        if len(body) > MAX_ANSWER_BYTES:
                            raise ProviderFailed("The provider's answer is too large")
        except (httpx2.HTTPError, TimeoutError) as error:
            raise ProviderFailed(f"The provider did not answer: {type(error).__name__}") from error
        if answer.status_code != 200:
            raise ProviderFailed(f"The provider answered {answer.status_code}")
        try:
            found = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ProviderFailed("The provider did not answer in JSON") from error
        if not isinstance(found, dict) or "error" in found:
            raise ProviderFailed("The provider refused")
        return found


def _text(found: dict[str, Any], name: str, most: int = 20_000) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise ProviderFailed(f"The provider's answer has no {name}")
    return value


def is_safe_url(url: str) -> bool:
    """Return whether an address is https, or on this machine."""
    parts = urlsplit(url)
    is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return parts.scheme == "https" or (parts.scheme == "http" and is_local)
