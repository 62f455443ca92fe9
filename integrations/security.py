"""Keys, hashes, signatures and passwords, by `cryptography`, `itsdangerous` and `argon2`."""

from __future__ import annotations

import asyncio
import base64
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from itsdangerous import BadData, TimedSerializer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode

from app.domain.errors import SecretUnreadable
from app.ports.security import MARK_LENGTH

TOKEN_BYTES = 24
HASH_LENGTH = 64


@dataclass(frozen=True, slots=True)
class _Key:
    """One secret key and what is derived from it."""

    mark: str
    fernet: Fernet
    hash_key: bytes

    @classmethod
    def of(cls, secret: str) -> _Key:
        fernet = Fernet(base64.urlsafe_b64encode(_derive(secret, b"seal")))
        return cls(_derive(secret, b"mark").hex()[:MARK_LENGTH], fernet, _derive(secret, b"lookup"))

    def hash(self, token: str) -> str:
        return (self.mark + hmac.new(self.hash_key, token.encode(), sha256).hexdigest())[:HASH_LENGTH]


class _Uncompressed(URLSafeTimedSerializer):
    """What is compressed begins with a dot, and many a proxy refuses paths that look like hidden files. Reads both."""

    def dump_payload(self, obj: object) -> bytes:
        return base64_encode(TimedSerializer.dump_payload(self, obj))


class KeyVault:
    """`Vault` over a list of secret keys: the first seals, hashes and signs, all of them open, find and verify."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._secrets = tuple(keys)
        self._keys = tuple(map(_Key.of, keys))
        self._by_mark = {key.mark: key for key in self._keys}

    @property
    def marks(self) -> tuple[str, ...]:
        """The first key's first."""
        return tuple(self._by_mark)

    def new_token(self) -> str:
        """192 random bits, URL-safe, no dot (a dot marks `org.slug`)."""
        return secrets.token_urlsafe(TOKEN_BYTES)

    def seal(self, text: str) -> str:
        return self._keys[0].mark + self._keys[0].fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        mark = sealed[:MARK_LENGTH]
        key = self._by_mark.get(mark)
        if key is None:
            raise SecretUnreadable(
                f"A stored secret was sealed with the key {mark}, which is not known. {SecretUnreadable.mend}"
            )
        try:
            return key.fernet.decrypt(sealed[MARK_LENGTH:].encode()).decode()
        except InvalidToken as problem:
            raise SecretUnreadable(
                f"A stored secret sealed with the key {mark} is damaged. Bring the database back from a backup."
            ) from problem

    def lookup(self, token: str) -> str:
        return self._keys[0].hash(token)

    def lookups(self, token: str) -> tuple[str, ...]:
        hashes = tuple(key.hash(token) for key in self._by_mark.values())
        return hashes if len(hashes) == 1 else (*hashes, hashes[0])

    def sign(self, purpose: str, payload: dict[str, str]) -> str:
        signed: str | bytes = self._serializer(purpose).dumps(payload)
        return signed if isinstance(signed, str) else signed.decode()

    def unsign(self, purpose: str, signed: str, max_age: int) -> dict[str, str] | None:
        try:
            payload: dict[str, str] = self._serializer(purpose).loads(signed, max_age=max_age)
        except BadData:
            return None
        return payload

    def _serializer(self, purpose: str) -> _Uncompressed:
        # itsdangerous signs with the last key of a list and verifies with any.
        return _Uncompressed(list(reversed(self._secrets)), salt=f"halfpast.{purpose}")


def _derive(key: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"halfpast." + purpose).derive(key.encode())


_ARGON2 = Argon2()


@cache
def _nobody(argon2: Argon2) -> str:
    """A hash of no known password, costly like all of them: one a process."""
    return argon2.hash(secrets.token_urlsafe())


class Argon2Hasher:
    """`PasswordHasher` by argon2id with the library's defaults (RFC 9106, low-memory profile), in a thread."""

    def __init__(self, hasher: Argon2 | None = None) -> None:
        self._argon2 = hasher or _ARGON2
        self._nobody = _nobody(self._argon2)

    async def hash(self, password: str) -> str:
        return await asyncio.to_thread(self._argon2.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        matches = await asyncio.to_thread(self._matches, password_hash or self._nobody, password)
        return matches and password_hash is not None

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
