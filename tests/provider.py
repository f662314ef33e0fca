"""A real OpenID Connect provider and GitHub on loopback, which check each request, and fail on demand."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from kit.oidc import challenge_of

KEY = RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256", "use": "sig"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256", "use": "sig"})
CLIENT, SECRET = "our client", "our secret"


class LoopbackProvider:
    """Answers as RFC 6749, 7636 and OpenID Connect Core say, unless `fails` names a path and an answer."""

    def __init__(self) -> None:
        self.port = 0
        self.codes: dict[str, dict[str, str]] = {}
        self.fails: dict[str, bytes | None] = {}  # raw answers by path; None: it never answers
        self.claims: dict[str, Any] = {}  # that replace those of the next ID tokens
        self.key = KEY
        self.subject = "subject-1"
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def authorize(self, url: str) -> dict[str, str]:
        """What the browser is sent back with, after the person agreed."""
        parts = urlsplit(url)
        asked = {name: value for name, [value] in parse_qs(parts.query).items()}
        assert parts.path in ("/authorize", "/login/oauth/authorize")
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["state"]) >= 43
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def answer(self, method: str, path: str, headers: dict[str, str], body: str) -> Any:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
        if path == "/keys":
            return {"keys": [KEY.as_dict(private=False)]}
        if path == "/api/v3/user":
            assert headers["authorization"] == "Bearer access"
            return {"id": 4711, "login": "octocat"}
        assert (method, path in ("/token", "/login/oauth/access_token")) == ("POST", True), path
        form = {name: value for name, [value] in parse_qs(body).items()}
        asked = self.codes.pop(form["code"], None)  # a code is good once
        is_good = (
            asked is not None
            and form["grant_type"] == "authorization_code"
            and (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
            and form["redirect_uri"] == asked["redirect_uri"]
            and challenge_of(form["code_verifier"]) == asked["code_challenge"]
        )
        if not is_good:
            return {"error": "invalid_grant"}
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": self.subject,
            "nonce": asked["nonce"],
            "exp": int(time.time()) + 60,
            "preferred_username": "ada at the provider",
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
        return {"access_token": "access", "token_type": "bearer", "id_token": token}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, path, _ = head[0].split(" ")
            headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in head[1:] if line)}
            body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
            self.requests.append(path)
            if path in self.fails:
                answer = self.fails[path]
                if answer is None:
                    await reader.read()
            else:
                content = json.dumps(self.answer(method, path, headers, body)).encode()
                answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                answer += f"content-length: {len(content)}\r\nconnection: close\r\n\r\n".encode() + content
            writer.write(answer or b"")
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def loopback_provider() -> AsyncIterator[LoopbackProvider]:
    """A provider that listens on loopback."""
    provider = LoopbackProvider()
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    provider.port = server.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        server.close()
