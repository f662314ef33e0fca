"""Access tokens, passes and refresh tokens.

Access tokens are short-lived JWTs, signed with the newest key and verified with every key.

Passes are JWTs for another purpose than a person's login. Each kind has an audience of its own, so that none is
accepted as another. Their issuer decides on their claims.

Refresh tokens are 256 opaque bits. The first of a login is random; each successor is the HMAC of its predecessor,
so that a client that refreshes twice gets the same token twice, and a chain has one end.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from kit.db.database import utcnow

LEEWAY_SECONDS = 30  # how far in the future a token may have been issued: clocks differ


class Expired(Exception):
    """The token is genuine and has expired."""


class Forged(Exception):
    """The token was not issued by this server."""


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """The claims of an access token."""

    user_id: str
    session_id: str
    expires_at: datetime


class Tokens:
    """Issues and reads tokens.

    life: lifetime of an access token.
    idle: lifetime of an unused refresh token.
    most: lifetime of a login, however often it is refreshed.
    """

    def __init__(
        self,
        keys: list[str],
        life: timedelta,
        *,
        idle: timedelta = timedelta(days=14),
        most: timedelta = timedelta(days=90),
    ) -> None:
        self._keys = {hashlib.sha256(key.encode()).hexdigest()[:8]: key for key in keys}
        self.life, self.idle, self.most = life, idle, most

    def make(self, user_id: str, session_id: str) -> TokenClaims:
        """Return the claims of an access token that begins now."""
        expires_at = (utcnow() + self.life).replace(microsecond=0)  # a JWT counts whole seconds
        return TokenClaims(user_id, session_id, expires_at)

    def write(self, claims: TokenClaims) -> str:
        """Sign an access token."""
        kid = next(iter(self._keys))
        payload = {
            "sub": claims.user_id,
            "sid": claims.session_id,
            "exp": claims.expires_at,
            "iat": utcnow(),
            "aud": "signalbox",
        }
        return jwt.encode(payload, self._keys[kid], algorithm="HS256", headers={"kid": kid})

    def read(self, token: str) -> TokenClaims:
        """Return the claims of an access token. Raises Expired or Forged."""
        payload = self._decode(token, "signalbox", ["exp", "sub", "sid", "aud"])
        return TokenClaims(payload["sub"], payload["sid"], datetime.fromtimestamp(payload["exp"], UTC))

    def issue_pass(self, audience: str, life: timedelta, **claims: Any) -> str:
        """Sign a pass, which `read_pass` accepts for the same audience only."""
        kid = next(iter(self._keys))
        payload = {**claims, "aud": f"signalbox {audience}", "exp": utcnow() + life}
        return jwt.encode(payload, self._keys[kid], algorithm="HS256", headers={"kid": kid})

    def read_pass(self, audience: str, token: str) -> dict[str, Any]:
        """Return the claims of a pass, and `exp`. Raises Expired or Forged."""
        return self._decode(token, f"signalbox {audience}", ["exp", "aud"])

    def _decode(self, token: str, audience: str, require: list[str]) -> dict[str, Any]:
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            # Times are checked below: the library uses this machine's clock, which may be minutes off.
            payload: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["HS256"],
                audience=audience,
                options={"require": require, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
            now, expires_at, issued_at = utcnow().timestamp(), int(payload["exp"]), int(payload.get("iat", 0))
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise Forged from error
        if issued_at > now + LEEWAY_SECONDS:
            raise Forged
        if expires_at <= now:
            raise Expired
        return payload

    def successors_of(self, refresh: str) -> list[str]:
        """Return the successor of a refresh token under each key, newest key first."""
        return [_derive_successor(key, refresh) for key in self._keys.values()]


def _derive_successor(key: str, refresh: str) -> str:
    digest = hmac.digest(key.encode(), b"signalbox refresh " + refresh.encode(errors="replace"), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
