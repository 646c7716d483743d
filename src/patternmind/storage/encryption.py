"""Encrypt raw text with AES-256-GCM (NIST SP 800-38D) and a key from the settings.

An encrypted text is bound to its row by associated data: it cannot be decrypted in another row. It is stored with the
id of its key, eight hex digits of a hash, so that a wrong key is detected without decrypting.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from patternmind.errors import RawTextKeyInvalid, SettingsInvalid, StoreUnavailable

NONCE_BYTES = 12
"""Length of the random nonces of this mode; 2^32 texts under one key are safe."""

CIPHERTEXT_FIELD, KEY_ID_FIELD = "sealed", "key"


def is_encrypted(record: Mapping[str, Any]) -> bool:
    return CIPHERTEXT_FIELD in record


@dataclass(frozen=True)
class FieldCipher:
    """Encrypts with ``key``, and decrypts with ``key`` or ``previous_key``; without keys text is stored as it is."""

    key: bytes | None = field(default=None, repr=False)
    previous_key: bytes | None = field(default=None, repr=False)

    @property
    def key_id(self) -> str | None:
        return None if self.key is None else key_id(self.key)

    def check_key(self, stored_key_id: str | None) -> None:
        """Check that the stored texts use this key before another text is written.

        Raises:
            RawTextKeyInvalid: ``stored_key_id`` is set and differs from the id of this key.
        """
        if stored_key_id is not None and stored_key_id != self.key_id:
            raise RawTextKeyInvalid(stored_key_id, self.key_id)

    def encrypt(self, record: Mapping[str, Any], associated_data: str) -> dict[str, Any]:
        """Return the record encrypted and bound to ``associated_data``; without a key, an unencrypted copy."""
        if self.key is None:
            return dict(record)
        nonce = secrets.token_bytes(NONCE_BYTES)
        ciphertext = nonce + self._ciphers[key_id(self.key)].encrypt(
            nonce, json.dumps(record).encode(), associated_data.encode()
        )
        return {KEY_ID_FIELD: key_id(self.key), CIPHERTEXT_FIELD: base64.b64encode(ciphertext).decode("ascii")}

    def decrypt(self, record: Mapping[str, Any], associated_data: str) -> Mapping[str, Any]:
        """Return the decrypted record; an unencrypted record is returned unchanged.

        Raises:
            RawTextKeyInvalid: it is encrypted with another key than ``key`` and ``previous_key``.
            StoreUnavailable: it was changed, or moved to another row.
        """
        if not is_encrypted(record):
            return record
        if record[KEY_ID_FIELD] not in self._ciphers:
            raise RawTextKeyInvalid(record[KEY_ID_FIELD], self.key_id)
        from cryptography.exceptions import InvalidTag

        try:
            ciphertext = base64.b64decode(record[CIPHERTEXT_FIELD], validate=True)
            plaintext = self._ciphers[record[KEY_ID_FIELD]].decrypt(
                ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], associated_data.encode()
            )
        except (InvalidTag, ValueError) as error:
            raise StoreUnavailable("A raw text in the database is damaged. Restore a backup.") from error
        return json.loads(plaintext)

    @cached_property
    def _ciphers(self) -> Mapping[str, Any]:
        """AES-GCM ciphers by key id."""
        keys = [key for key in (self.key, self.previous_key) if key is not None]
        if not keys:
            return {}
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 0.05 s
        except ImportError as error:
            raise SettingsInvalid("PATTERNMIND_RAW_KEY needs the package cryptography. Install it.") from error
        return {key_id(key): AESGCM(key) for key in keys}


def derive_key(secret: bytes, *purpose: str) -> bytes:
    """Derive the key of a purpose from a secret that is not stored (HMAC-SHA-256)."""
    return hmac.digest(secret, json.dumps(["patternmind", *purpose]).encode(), "sha256")


def key_id(key: bytes) -> str:
    """Return an id of a key that does not reveal the key."""
    return hashlib.sha256(b"patternmind raw key\0" + key).hexdigest()[:8]
