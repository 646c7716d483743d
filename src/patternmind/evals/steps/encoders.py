"""Encoders that wrap the real one.

One caches vectors. The other perturbs them by as much as another processor would.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from patternmind.domain.themes import Vectors
from patternmind.embedding.vectors import missing_texts, stack_vectors, text_hash
from patternmind.ports import Encoder, Progress

PERTURBATION = 0.014
"""Length of the difference between a text's vectors on two machines. bf16 and fp32 agree to a cosine of 0.9999."""


class CachingEncoder:
    """Encoder that embeds each text once for all networks and seeds.

    With a folder, the vectors are stored there and reused by later runs.
    """

    def __init__(self, encoder: Encoder, *, folder: Path | None = None) -> None:
        self._encoder = encoder
        self._folder = folder
        self._vectors: dict[str, Vectors] | None = None
        self._n_saved = 0

    @property
    def id(self) -> str:
        return self._encoder.id

    @property
    def dimensions(self) -> int:
        return self._encoder.dimensions

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        vectors = self._load()
        missing = missing_texts(texts, vectors)
        if missing:
            vectors.update(zip(missing, self._encoder.encode(list(missing.values()), progress=progress), strict=True))
        return stack_vectors(texts, vectors, self.dimensions)

    def save(self) -> None:
        """Write the vectors to the folder, if there is a folder and a new vector."""
        if (file := self._cache_file()) is not None and self._vectors and len(self._vectors) > self._n_saved:
            self._n_saved = len(self._vectors)
            file.parent.mkdir(parents=True, exist_ok=True)
            np.savez(file, hashes=np.asarray(list(self._vectors)), vectors=np.stack(list(self._vectors.values())))

    def _load(self) -> dict[str, Vectors]:
        if self._vectors is None:
            self._vectors = {}
            if (file := self._cache_file()) is not None and file.is_file():
                with np.load(file) as archive:
                    self._vectors = dict(zip(archive["hashes"].tolist(), archive["vectors"], strict=True))
                self._n_saved = len(self._vectors)
        return self._vectors

    def _cache_file(self) -> Path | None:
        return self._folder and self._folder / f"{hashlib.sha256(self.id.encode()).hexdigest()[:16]}.npz"


class PerturbedEncoder:
    """Encoder that moves vectors at random by as much as another processor would move them.

    The same text always moves in the same way.
    """

    def __init__(self, encoder: Encoder, *, seed: int) -> None:
        self._encoder = encoder
        self._seed = seed

    @property
    def id(self) -> str:
        return f"{self._encoder.id}/off{self._seed}"

    @property
    def dimensions(self) -> int:
        return self._encoder.dimensions

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        moved = self._encoder.encode(texts, progress=progress).copy()
        for row, text in enumerate(texts):
            draw = np.random.default_rng([self._seed, int(text_hash(text)[:15], 16)])
            step = draw.standard_normal(self.dimensions)
            moved[row] += PERTURBATION * (step / np.linalg.norm(step))
        return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)
