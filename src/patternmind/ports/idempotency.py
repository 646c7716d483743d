"""Protocol of the repository of requests that their callers may repeat."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """Identity of a request that its caller may repeat; only a hash of it is stored.

    Attributes:
        caller: identity of the caller's session or token; empty for an anonymous caller.
        value: key that the caller chose.
        secret: secret of the caller's session or token; with ``value`` it protects the stored response.
    """

    caller: str
    path: str
    value: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A stored response.

    Attributes:
        headers: all headers, or only the location once the body was deleted.
        body: None once it was deleted.
    """

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class EarlierRequest:
    """The stored part of an earlier request with the same key.

    Attributes:
        has_same_content: the contents of both requests are equal.
        completed_at: None while it is in progress.
        response: None while it is in progress.
    """

    has_same_content: bool
    completed_at: datetime | None = None
    response: StoredResponse | None = None


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """The right to handle the request of a key, until its lease ends."""

    key: IdempotencyKey
    id: str


class IdempotencyKeyRepository(Protocol):
    """Keys of one network's requests, with their encrypted responses."""

    def claim(
        self, key: IdempotencyKey, content_hash: str, *, now: datetime, lease_until: datetime
    ) -> KeyClaim | EarlierRequest:
        """Claim a key, or return the earlier request that holds it; only one of two concurrent callers gets it.

        Expired keys and responses are deleted, and the oldest ones if there are too many.
        """
        ...

    def find(self, key: IdempotencyKey, content_hash: str, *, now: datetime) -> EarlierRequest | None: ...

    def renew(self, claim: KeyClaim, *, lease_until: datetime) -> None:
        """Extend the lease of a request in progress."""
        ...

    def complete(
        self, claim: KeyClaim, response: StoredResponse, *, now: datetime, body_until: datetime, expires_at: datetime
    ) -> None:
        """Store the response, unless the lease ended and another request claimed the key.

        Args:
            body_until: time at which everything but status and location is deleted.
            expires_at: time at which the key is deleted.
        """
        ...

    def release(self, claim: KeyClaim) -> None:
        """Delete the key of a failed request, so that it can be repeated."""
        ...
