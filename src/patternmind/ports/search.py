"""Protocols for encoders, vector indexes, clocks and progress callbacks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from patternmind.domain.cases import CaseKind
from patternmind.domain.themes import Vectors

Progress = Callable[[str, int, int], None]
"""Callback of long work, called with (step, done, total)."""


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the current time, timezone-aware, in UTC."""
        ...


class Encoder(Protocol):
    """Encoder of texts as vectors.

    A vector depends on its text only, not on order, batch, threads or earlier calls.
    """

    @property
    def id(self) -> str:
        """Name of weights and precision; vectors of different ids are never mixed."""
        ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """Return vectors (n, d), float32 with unit norm; row i covers the whole of ``texts[i]``.

        Raises:
            ModelUnavailable: the model could not be loaded; nothing was embedded.
        """
        ...


@dataclass(frozen=True, slots=True)
class Hit:
    """A case found by similarity of meaning; ``score`` is the cosine, 0..1."""

    case_id: str
    score: float


class VectorIndex(Protocol):
    """Index of the cases' vectors, derived from the store and disposable.

    It contains ids and vectors, never text.
    """

    def search(self, vector: Vectors, k: int, *, kind: CaseKind | None = None) -> list[Hit]:
        """Return the k cases nearest to a (d,) vector, best first, optionally of one kind."""
        ...
