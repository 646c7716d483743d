"""Store requests that their callers may repeat, with their responses.

Everything is derived from the caller's secret and the key, neither of which is stored: the digest that finds a row, the
digest of the request's content, and the key that encrypts the response.
"""

import base64
import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from patternmind.ports import EarlierRequest, IdempotencyKey, KeyClaim, StoredResponse
from patternmind.storage import schema
from patternmind.storage.database import Condition, SqlRepository, Transaction
from patternmind.storage.encryption import FieldCipher, derive_key

MAX_KEYS = 2000
"""Maximum number of completed requests of a network."""

MAX_TOTAL_BYTES = 16_000_000
"""Maximum size of all bodies of a network."""

table = schema.idempotency_key


class SqlIdempotencyKeyRepository(SqlRepository):
    """Implements ``ports.IdempotencyKeyRepository``."""

    def claim(
        self, key: IdempotencyKey, content_hash: str, *, now: datetime, lease_until: datetime
    ) -> KeyClaim | EarlierRequest:
        with self._source.writing() as tx:
            _delete_expired(tx, now)
            earlier = SqlIdempotencyKeyRepository(tx).find(key, content_hash, now=now)
            if earlier is not None:
                return earlier
            claim, root_key = KeyClaim(key, secrets.token_hex(8)), _root_key(key)
            row = {
                "digest": _digest(root_key),
                "content_digest": _content_digest(root_key, content_hash),
                "claim_id": claim.id,
                "expires_at": lease_until.isoformat(),
                "n_bytes": 0,
            }
            tx.insert(table, row)
        return claim

    def find(self, key: IdempotencyKey, content_hash: str, *, now: datetime) -> EarlierRequest | None:
        root_key = _root_key(key)
        is_current = table.c.expires_at > now.isoformat()
        with self._source.reading() as tx:
            row = tx.first(tx.select(table).where(table.c.digest == _digest(root_key), is_current))
        if row is None:
            return None
        has_same_content = row.content_digest == _content_digest(root_key, content_hash)
        if row.completed_at is None:
            return EarlierRequest(has_same_content)
        response = _read_response(row, root_key)
        return EarlierRequest(has_same_content, datetime.fromisoformat(row.completed_at), response)

    def renew(self, claim: KeyClaim, *, lease_until: datetime) -> None:
        with self._source.writing() as tx:
            tx.update(table, {"expires_at": lease_until.isoformat()}, _is_held_by(claim))

    def complete(
        self, claim: KeyClaim, response: StoredResponse, *, now: datetime, body_until: datetime, expires_at: datetime
    ) -> None:
        root_key = _root_key(claim.key)
        row = {
            "completed_at": now.isoformat(),
            "status": response.status,
            "body_until": body_until.isoformat(),
            "expires_at": expires_at.isoformat(),
            "n_bytes": len(response.body or b""),
            **_encrypted(response, root_key),
        }
        with self._source.writing() as tx:
            tx.update(table, row, _is_held_by(claim))

    def release(self, claim: KeyClaim) -> None:
        with self._source.writing() as tx:
            tx.delete(table, _is_held_by(claim))

    def drop_bodies(self) -> None:
        """Delete all stored bodies: one may hold the text of an erased case.

        A key that would expire with its body is deleted too.
        """
        with self._source.writing() as tx:
            _drop_bodies(tx, table.c.body_until.is_not(None))


def _delete_expired(tx: Transaction, now: datetime) -> None:
    """Delete expired keys and bodies, and the oldest completed requests if there are too many."""
    tx.delete(table, table.c.expires_at <= now.isoformat())
    _drop_bodies(tx, table.c.body_until <= now.isoformat())
    completed, n_bytes = table.c.completed_at, func.coalesce(func.sum(table.c.n_bytes), 0)
    totals = tx.first(tx.select(table, func.count(), n_bytes).where(completed.is_not(None)))
    if totals[0] > MAX_KEYS or totals[1] > MAX_TOTAL_BYTES:
        tx.delete(table, completed <= _newest_excess(tx))


def _newest_excess(tx: Transaction) -> Any:
    """Select the completion time of the newest request beyond the maximum number or size."""
    completed = table.c.completed_at
    ranked = tx.select(
        table,
        completed,
        func.row_number().over(order_by=completed.desc()).label("rank"),
        func.sum(table.c.n_bytes).over(order_by=completed.desc()).label("n_bytes"),
    )
    rows = ranked.where(completed.is_not(None)).subquery()
    is_excess = (rows.c.rank > MAX_KEYS) | (rows.c.n_bytes > MAX_TOTAL_BYTES)
    return select(func.max(rows.c.completed_at)).where(is_excess).scalar_subquery()


def _drop_bodies(tx: Transaction, condition: Condition) -> None:
    """Delete bodies, with the keys that expire at the same time."""
    tx.delete(table, condition, table.c.expires_at <= table.c.body_until)
    tx.update(table, {"response": None, "n_bytes": 0, "body_until": None}, condition)


def _is_held_by(claim: KeyClaim) -> Condition:
    """Return the condition for the row of a claim; there is none after another request claimed the key."""
    return (table.c.digest == _digest(_root_key(claim.key))) & (table.c.claim_id == claim.id)


def _root_key(key: IdempotencyKey) -> bytes:
    return derive_key(key.secret.encode("utf-8", "surrogatepass"), "request", key.caller, key.path, key.value)


def _digest(root_key: bytes) -> str:
    return derive_key(root_key, "digest").hex()


def _content_digest(root_key: bytes, content_hash: str) -> str:
    return derive_key(root_key, "content", content_hash).hex()


def _cipher(root_key: bytes) -> FieldCipher:
    return FieldCipher(derive_key(root_key, "response"))


def _encrypted(response: StoredResponse, root_key: bytes) -> dict[str, Any]:
    """Return the columns of a response: everything, and the location, which is kept for longer."""
    cipher, digest = _cipher(root_key), _digest(root_key)
    body = base64.b64encode(response.body or b"").decode("ascii")
    location = [[name, value] for name, value in response.headers if name == "location"]
    return {
        "location": cipher.encrypt({"headers": location}, digest),
        "response": cipher.encrypt({"headers": list(response.headers), "body": body}, digest),
    }


def _read_response(row: Row[Any], root_key: bytes) -> StoredResponse:
    stored = row.location if row.response is None else row.response
    record = _cipher(root_key).decrypt(stored, row.digest)
    headers = [(name, value) for name, value in record["headers"]]
    return StoredResponse(row.status, headers, base64.b64decode(record["body"]) if "body" in record else None)
