"""Encoders around the real one: one that remembers, and one that is off by as much as another processor would be."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from patternmind.domain.themes import Vectors
from patternmind.embedding.vectors import missing_texts, stack_vectors, text_hash
from patternmind.ports import Encoder, Progress

PERTURBATION = 0.014
"""Length of the difference between a text's vectors on two machines: bf16 against fp32 agree to a cosine of 0.9999."""


class CachingEncoder:
    """Embeds each text once, however many networks and seeds ask for it; with a folder, once for good."""

    def __init__(self, encoder: Encoder, *, folder: Path | None = None) -> None:
        self._encoder = encoder
        self._folder = folder
        self._known: dict[str, Vectors] | None = None
        self._n_saved = 0

    @property
    def id(self) -> str:
        return self._encoder.id

    @property
    def dimensions(self) -> int:
        return self._encoder.dimensions

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        known = self._recall()
        missing = missing_texts(texts, known)
        if missing:
            known.update(zip(missing, self._encoder.encode(list(missing.values()), progress=progress), strict=True))
        return stack_vectors(texts, known, self.dimensions)

    def save(self) -> None:
        """Write what is known to the folder, where there is one and anything new."""
        if (file := self._cache_file()) is not None and self._known and len(self._known) > self._n_saved:
            self._n_saved = len(self._known)
            file.parent.mkdir(parents=True, exist_ok=True)
            np.savez(file, hashes=np.asarray(list(self._known)), vectors=np.stack(list(self._known.values())))

    def _recall(self) -> dict[str, Vectors]:
        if self._known is None:
            self._known = {}
            if (file := self._cache_file()) is not None and file.is_file():
                with np.load(file) as kept:
                    self._known = dict(zip(kept["hashes"].tolist(), kept["vectors"], strict=True))
                self._n_saved = len(self._known)
        return self._known

    def _cache_file(self) -> Path | None:
        return self._folder and self._folder / f"{hashlib.sha256(self.id.encode()).hexdigest()[:16]}.npz"


class PerturbedEncoder:
    """Vectors moved at random by as much as another processor would move them; the same text always alike."""

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
