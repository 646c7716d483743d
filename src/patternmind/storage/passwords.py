"""Passwords, hashed with argon2id: slow and hungry on purpose, so that a stolen database gives none of them away."""

import threading
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MAX_CONCURRENT_HASHES = 2
"""Each takes 64 MB; more at once would let anybody at the sign-in page fill the memory."""


class Argon2PasswordHasher:
    """Implements ``ports.Passwords``. Safe to use from any thread."""

    def __init__(self, *, rounds: int = 3, kilobytes: int = 65_536) -> None:
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=kilobytes)
        self._semaphore = threading.BoundedSemaphore(MAX_CONCURRENT_HASHES)

    def hash(self, password: str) -> str:
        with self._semaphore:
            return self._hasher.hash(password)

    def verify(self, password: str, password_hash: str | None) -> bool:
        known = password_hash or self._dummy_hash
        with self._semaphore:
            try:
                return self._hasher.verify(known, password) and password_hash is not None
            except (VerificationError, InvalidHashError):
                return False

    @cached_property
    def _dummy_hash(self) -> str:
        """What is compared where there is no account, so that the time an answer takes does not say so."""
        return self.hash("nobody's")
