"""An encoder that all requests share, one thread at a time."""

import threading
from collections.abc import Callable, Sequence

from patternmind.domain.themes import Vectors
from patternmind.ports import Encoder, Progress


class LockedEncoder:
    """Thread-safe ``ports.Encoder`` that loads another encoder on first use.

    A run releases the lock between two batches, so a search waits only seconds.
    """

    def __init__(self, load: Callable[[], Encoder]) -> None:
        self._load = load
        self._lock = threading.Lock()

    @property
    def id(self) -> str:
        with self._lock:
            return self._load().id

    @property
    def dimensions(self) -> int:
        with self._lock:
            return self._load().dimensions

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        with self._lock:
            return self._load().encode(texts, progress=progress)
