"""Secrets at rest: credentials for other systems, encrypted with the keys of this installation.

The newest key of SECRET_KEY encrypts; every key of it decrypts. A sealed secret names its key, so that a server
whose keys are not complete can say so when it starts. It also names its owner: a copy in another row stays shut.
"""

import base64
import hashlib
import json
from collections.abc import Iterable

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_ID_LENGTH = 8
HINT_LENGTH = 4  # characters of a secret that are shown
MIN_HINTED_LENGTH = 16  # a shorter secret has no hint


class SecretLost(Exception):
    """A secret was sealed with a key that is not configured, or for another owner."""


class Secrets:
    """Seals secrets. `keys` are those of SECRET_KEY, the newest first."""

    def __init__(self, keys: list[str]) -> None:
        self._fernets = {key_id_of(key): Fernet(_derive(key)) for key in keys}

    def seal(self, secret: str, owner_id: str) -> str:
        """Encrypt a secret for the row that has it, as `<key id>.<token>`."""
        key_id, fernet = next(iter(self._fernets.items()))
        token = fernet.encrypt(json.dumps([owner_id, secret]).encode())
        return f"{key_id}.{token.decode()}"

    def open(self, sealed: str, owner_id: str) -> str:
        """Decrypt a secret. Raises SecretLost."""
        key_id, _, token = sealed.partition(".")
        fernet = self._fernets.get(key_id)
        if fernet is None:
            raise SecretLost(f"the key {key_id} is not in SECRET_KEY")
        try:
            owner, secret = json.loads(fernet.decrypt(token.encode()))
        except InvalidToken:
            raise SecretLost("the secret was changed in the database") from None
        if owner != owner_id:
            raise SecretLost("the secret belongs to another row")
        return str(secret)

    def is_newest(self, sealed: str) -> bool:
        """Whether a secret is sealed with the newest key."""
        return sealed.partition(".")[0] == next(iter(self._fernets))

    def missing_keys(self, key_ids: Iterable[str]) -> list[str]:
        """Return the ids among `key_ids` of keys that are not configured."""
        return sorted(set(key_ids) - self._fernets.keys())


def key_id_of(key: str) -> str:
    """Return the public id of a key. It tells nothing of the key."""
    return hashlib.sha256(b"signalbox key " + key.encode()).hexdigest()[:KEY_ID_LENGTH]


def hint_of(secret: str) -> str:
    """Return the end of a secret, by which people recognize it. Empty for a short secret."""
    return secret[-HINT_LENGTH:] if len(secret) >= MIN_HINTED_LENGTH else ""


def _derive(key: str) -> bytes:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"signalbox secret").derive(key.encode())
    return base64.urlsafe_b64encode(derived)
