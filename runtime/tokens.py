"""Access tokens: short-lived JWTs, signed with the newest key and checked with every key."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from runtime.database import utcnow


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
    def __init__(self, keys: list[str], life: timedelta) -> None:
        self._keys = {hashlib.sha256(key.encode()).hexdigest()[:8]: key for key in keys}
        self.life = life

    def make(self, user_id: str, session_id: str) -> Claims:
        return Claims(user_id, session_id, utcnow() + self.life)

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
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            payload = jwt.decode(
                token,
                key,
                algorithms=["HS256"],
                audience="signalbox",
                options={"require": ["exp", "sub", "sid", "aud"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise Expired from error
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
            raise Forged from error
        return Claims(payload["sub"], payload["sid"], datetime.fromtimestamp(payload["exp"], UTC))
