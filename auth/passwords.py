"""Password hashes, random secrets and encryption at rest. Hashing runs in threads, two at a time."""

import asyncio
import base64
import hashlib
import hmac
import secrets

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from passlib.context import CryptContext

MAX_PASSWORD_BYTES = 1_024  # longer passwords never match
MAX_CONCURRENT_HASHES = 2  # each takes 19 MB and about 26 ms

_context = CryptContext(
    schemes=["argon2"], argon2__memory_cost=19_456, argon2__time_cost=2, argon2__parallelism=1
)
_gate = asyncio.Semaphore(MAX_CONCURRENT_HASHES)
# The hash of a random password that was discarded. Verifying it takes as long as verifying any other.
_DUMMY = "$argon2id$v=19$m=19456,t=2,p=1$4JwzplRKCSHE+D8HQIgxpg$gv0mYhdbOYq7MoWuf/+ewgilPwDPpqBe6v3BLQPbk6s"


async def hash_password(password: str) -> str:
    """Hash a password with Argon2id."""
    async with _gate:
        return await asyncio.to_thread(_context.hash, password)


async def check_password(password: str, hashed: str | None) -> tuple[bool, str | None]:
    """Return whether a password matches, and its new hash if the parameters of the stored one are outdated.

    Takes as long for an account that does not exist (`hashed` is None) as for one that does.
    """
    fits = len(password.encode(errors="replace")) <= MAX_PASSWORD_BYTES
    async with _gate:
        candidate = password if fits else ""
        ok, renewed = await asyncio.to_thread(_context.verify_and_update, candidate, hashed or _DUMMY)
    return (ok and fits and hashed is not None), renewed


def new_secret() -> str:
    """Return 256 random bits as URL-safe text."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the SHA-256 of a random secret, the form in which it is stored."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def constant_time_equal(left: str, right: str) -> bool:
    """Compare two texts in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


class SealBroken(Exception):
    """A sealed text was encrypted with a key that is not configured."""


class Seal:
    """Encrypts text that must be read again. The first key encrypts, every key decrypts."""

    def __init__(self, keys: list[str]) -> None:
        self._fernet = MultiFernet([Fernet(_derive(key)) for key in keys])
        self._marks = [_derive(key, b"signalbox mark") for key in keys]

    def close(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SealBroken("sealed with a key that is not configured") from error

    def marks(self, *parts: str) -> list[str]:
        """Return the HMAC of the parts under each key: equal for equal parts, not guessable without a key."""
        text = "\0".join(parts).encode(errors="replace")
        return [hmac.new(key, text, hashlib.sha256).hexdigest() for key in self._marks]


def _derive(key: str, purpose: bytes = b"signalbox seal") -> bytes:
    derived = HKDF(SHA256(), length=32, salt=None, info=purpose).derive(key.encode())
    return base64.urlsafe_b64encode(derived)
