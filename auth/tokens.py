"""Access tokens: short-lived JWTs, signed with the newest key and checked with every key.

Passes: JWTs for something else than a person's login, each kind with an audience of its own, so that one is never
taken for another. What is in them is for whoever made them to say.

Refresh tokens: 256 bits that say nothing. The first of a login is random; each further one is made of the one
before and the secret key, so that a client that asks twice is given the same token twice and a chain has one end.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from kit.db.database import utcnow

LEEWAY_SECONDS = 30  # by which a token may have been made after now


class Expired(Exception):
    """The token was good once."""


class Forged(Exception):
    """The token was never ours, or is no token at all."""


@dataclass(frozen=True, slots=True)
class Claims:
    user_id: str
    session_id: str
    expires_at: datetime


class Tokens:
    """Makes and reads tokens. `life` of an access token, `idle` of a refresh token, `most` of a whole login."""

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

    def make(self, user_id: str, session_id: str) -> Claims:
        expires_at = (utcnow() + self.life).replace(microsecond=0)  # a JWT counts whole seconds
        return Claims(user_id, session_id, expires_at)

    def write(self, claims: Claims) -> str:
        kid = next(iter(self._keys))
        payload = {
            "sub": claims.user_id,
            "sid": claims.session_id,
            "exp": claims.expires_at,
            "iat": utcnow(),
            "aud": "signalbox",
        }
        return jwt.encode(payload, self._keys[kid], algorithm="HS256", headers={"kid": kid})

    def read(self, token: str) -> Claims:
        """Raises Expired or Forged."""
        payload = self._decoded(token, "signalbox", ["exp", "sub", "sid", "aud"])
        return Claims(payload["sub"], payload["sid"], datetime.fromtimestamp(payload["exp"], UTC))

    def pass_for(self, audience: str, life: timedelta, **says: Any) -> str:
        """A signed statement, for one use only: `open_pass` of the same audience reads it."""
        kid = next(iter(self._keys))
        payload = {**says, "aud": f"signalbox {audience}", "exp": utcnow() + life}
        return jwt.encode(payload, self._keys[kid], algorithm="HS256", headers={"kid": kid})

    def open_pass(self, audience: str, token: str) -> dict[str, Any]:
        """What a pass says, and `exp`. Raises Expired or Forged."""
        return self._decoded(token, f"signalbox {audience}", ["exp", "aud"])

    def _decoded(self, token: str, audience: str, require: list[str]) -> dict[str, Any]:
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            # Its moments are judged below: the library looks at this machine's clock, which may be minutes away.
            payload: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["HS256"],
                audience=audience,
                options={"require": require, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
            now, ends, begins = utcnow().timestamp(), int(payload["exp"]), int(payload.get("iat", 0))
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise Forged from error
        if begins > now + LEEWAY_SECONDS:
            raise Forged
        if ends <= now:
            raise Expired
        return payload

    def following(self, refresh: str) -> list[str]:
        """The refresh token that follows this one: by the newest key, then by each older one."""
        return [_mac(key, refresh) for key in self._keys.values()]


def _mac(key: str, refresh: str) -> str:
    made = hmac.digest(key.encode(), b"signalbox refresh " + refresh.encode(errors="replace"), "sha256")
    return base64.urlsafe_b64encode(made).decode().rstrip("=")
