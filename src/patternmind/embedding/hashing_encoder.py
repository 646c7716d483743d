"""Encoder for tests: hashes words to directions, without a model. Texts with common words get similar vectors."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from patternmind.domain.themes import Vectors
from patternmind.ports import Progress


class HashingEncoder:
    """Encoder that implements ``ports.Encoder`` without a model.

    ``n_encoded`` counts the encoded texts, so that a test can detect reuse.
    """

    id = "hashing/1"
    dimensions = 128

    def __init__(self) -> None:
        self.n_encoded = 0

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        self.n_encoded += len(texts)
        sums = np.zeros((len(texts), self.dimensions))
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.casefold()) or ["(nothing)"]:
                sums[row] += _word_direction(word)
            if progress:
                progress("embed", row + 1, len(texts))
        return (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)


def _word_direction(word: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()[:8], "little")
    return np.random.default_rng(seed).standard_normal(HashingEncoder.dimensions)
