"""Vectors of texts and cases: stored vectors are reused, and only new texts are encoded."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from patternmind.domain.cases import Case
from patternmind.domain.themes import Vectors
from patternmind.embedding.lenses import lens_text
from patternmind.ports import Encoder, Progress, Store

EMBEDDING_CHUNK_SIZE = 512
"""Texts encoded between two commits: at most this many are encoded again after a crash."""


def text_hash(text: str) -> str:
    """Return the key of a text's vector: 32 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def missing_texts(texts: Sequence[str], known_vectors: Mapping[str, Vectors]) -> dict[str, str]:
    """Return distinct texts without a vector by hash, in an order independent of the input."""
    text_by_hash = {text_hash(text): text for text in texts}
    return {key: text_by_hash[key] for key in sorted(text_by_hash) if key not in known_vectors}


def stack_vectors(texts: Sequence[str], known_vectors: Mapping[str, Vectors], dimensions: int) -> Vectors:
    """Return the vectors of texts in their order, (n, d) float32.

    Raises:
        KeyError: A text has no vector.
    """
    if not texts:
        return np.zeros((0, dimensions), np.float32)
    return np.stack([known_vectors[text_hash(text)] for text in texts])


def embed_cases(
    store: Store, encoder: Encoder, cases: Sequence[Case], lens: str, *, progress: Progress | None = None
) -> Vectors:
    """Return the vector of each case under a lens, (n, d)."""
    return embed_texts(store, encoder, [lens_text(case, lens) for case in cases], progress=progress)


def embed_texts(store: Store, encoder: Encoder, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
    """Return the vector of each text, (n, d); encode only new texts and store their vectors at once."""
    known_vectors = store.vectors.get_many(encoder.id, [text_hash(text) for text in texts])
    missing = list(missing_texts(texts, known_vectors).items())
    for start in range(0, len(missing), EMBEDDING_CHUNK_SIZE):
        chunk = dict(missing[start : start + EMBEDDING_CHUNK_SIZE])
        chunk_progress = _offset_progress(progress, start, len(missing))
        new_vectors = dict(zip(chunk, encoder.encode(list(chunk.values()), progress=chunk_progress), strict=True))
        store.vectors.save_all(encoder.id, new_vectors)
        known_vectors |= new_vectors
    return stack_vectors(texts, known_vectors, encoder.dimensions)


def _offset_progress(progress: Progress | None, start: int, total: int) -> Progress | None:
    if progress is None:
        return None
    return lambda step, done, _: progress(step, start + done, total)
