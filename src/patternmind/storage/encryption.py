"""Raw text at rest: sealed with AES-256 in Galois/counter mode (NIST SP 800-38D) by a key from the settings.

A sealed text is bound to its place: moved to another row it does not open. What was sealed by another key says so by
the key's name, eight hex digits of a hash of it, before anything is tried.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from patternmind.errors import RawTextKeyInvalid, SettingsInvalid, StoreUnavailable

NONCE_BYTES = 12
"""Random, as the mode is made for; 2^32 texts under one key are safe."""

CIPHERTEXT_FIELD, KEY_ID_FIELD = "sealed", "key"


def is_encrypted(record: Mapping[str, Any]) -> bool:
    return CIPHERTEXT_FIELD in record


@dataclass(frozen=True)
class FieldCipher:
    """Seals with ``key``; opens what ``key`` sealed, or ``before``, the key that came before it. None seals nothing."""

    key: bytes | None = field(default=None, repr=False)
    before: bytes | None = field(default=None, repr=False)

    @property
    def key_id(self) -> str | None:
        return None if self.key is None else key_id(self.key)

    def check(self, key_name: str | None) -> None:
        """Refuse to write beside texts that another key sealed.

        Raises:
            RawTextLocked: ``key_name`` is set and not that of the key.
        """
        if key_name is not None and key_name != self.key_id:
            raise RawTextKeyInvalid(key_name, self.key_id)

    def seal(self, record: Mapping[str, Any], associated_data: str) -> dict[str, Any]:
        """The record sealed to its place; without a key, the record."""
        if self.key is None:
            return dict(record)
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._ciphers[key_id(self.key)].encrypt(
            nonce, json.dumps(record).encode(), associated_data.encode()
        )
        return {KEY_ID_FIELD: key_id(self.key), CIPHERTEXT_FIELD: base64.b64encode(sealed).decode("ascii")}

    def open(self, record: Mapping[str, Any], place: str) -> Mapping[str, Any]:
        """The record as it was; one that was never sealed is given back.

        Raises:
            RawTextLocked: neither key sealed it.
            StoreUnavailable: it was changed or moved since.
        """
        if not is_encrypted(record):
            return record
        if record[KEY_ID_FIELD] not in self._ciphers:
            raise RawTextKeyInvalid(record[KEY_ID_FIELD], self.key_id)
        from cryptography.exceptions import InvalidTag

        try:
            sealed = base64.b64decode(record[CIPHERTEXT_FIELD], validate=True)
            opened = self._ciphers[record[KEY_ID_FIELD]].decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode()
            )
        except (InvalidTag, ValueError) as error:
            raise StoreUnavailable("A raw text in the database is damaged. Restore a backup.") from error
        return json.loads(opened)

    @cached_property
    def _ciphers(self) -> Mapping[str, Any]:
        """By name of key."""
        keys = [key for key in (self.key, self.before) if key is not None]
        if not keys:
            return {}
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 0.05 s
        except ImportError as error:
            raise SettingsInvalid(
                "PATTERNMIND_RAW_KEY needs the package cryptography. Install it with `pip install cryptography`."
            ) from error
        return {key_id(key): AESGCM(key) for key in keys}


def key_id(key: bytes) -> str:
    """What a key is called where it must not be shown."""
    return hashlib.sha256(b"patternmind raw key\0" + key).hexdigest()[:8]
