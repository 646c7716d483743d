"""What finds cases by meaning, and what all long work tells and asks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from patternmind.domain.cases import CaseKind
from patternmind.domain.themes import Vectors

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total) as long work goes on."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...


class Encoder(Protocol):
    """Texts to vectors. A vector depends on its text alone: not on order, batch, threads or what came before."""

    @property
    def id(self) -> str:
        """Names weights and precision; vectors of different ids are never mixed."""
        ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """Row i is the unit-norm float32 vector of ``texts[i]``, the whole text covered.

        Raises:
            ModelUnavailable: the model could not be loaded; nothing was embedded.
        """
        ...


@dataclass(frozen=True, slots=True)
class Hit:
    """A case found by meaning; ``score`` is the cosine, 0..1."""

    case_id: str
    score: float


class VectorIndex(Protocol):
    """Nearest cases to a vector. Derived from the store and disposable: ids and vectors, never text."""

    def search(self, vector: Vectors, k: int, *, kind: CaseKind | None = None) -> list[Hit]:
        """The k nearest cases to a (d,) vector, best first, of a kind where one is named."""
        ...
