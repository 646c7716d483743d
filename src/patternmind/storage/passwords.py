"""Hash passwords with argon2id, which is slow and memory-hungry to protect a stolen database."""

import threading
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MAX_CONCURRENT_HASHES = 2
"""Each hash takes 64 MB; without a limit, requests to the sign-in page could fill the memory."""


class Argon2PasswordHasher:
    """Implements ``ports.Passwords``. Safe to use from any thread."""

    def __init__(self, *, time_cost: int = 3, memory_kib: int = 65_536) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib)
        self._semaphore = threading.BoundedSemaphore(MAX_CONCURRENT_HASHES)

    def hash(self, password: str) -> str:
        with self._semaphore:
            return self._hasher.hash(password)

    def verify(self, password: str, password_hash: str | None) -> bool:
        compared_hash = password_hash or self._dummy_hash
        with self._semaphore:
            try:
                return self._hasher.verify(compared_hash, password) and password_hash is not None
            except (VerificationError, InvalidHashError):
                return False

    @cached_property
    def _dummy_hash(self) -> str:
        """Hash to compare for an unknown account, so that response times do not reveal it."""
        return self.hash("unknown account")
