"""One more case among many (target 8): the time from its text to its theme, warm; and what being ready for it costs."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.cells import Cell, Job
from bench.corpora import ARXIV_NAME
from bench.fits import load, plain
from bench.machine import peak_memory_gb
from bench.methods import OURS
from patternmind.cluster.neighbours import similarity
from patternmind.cluster.placing import know, place
from patternmind.model.themes import Why

SIZE = 100_000
THEMES = 300
CASES = 50
STORY = (
    "The hand scanner froze in the cold store at minus {n} degrees. Nobody had told the night shift that lane {n} was "
    "closed, so {n} pallets stood on the ramp until the morning, and the customer called twice. We warmed the battery "
    "under a jacket, wrote the closed lanes on the board, and now look at it together at every handover."
)


def cells(methods: Sequence[str], n: int) -> list[Cell]:
    return [Cell(part="place", method=OURS, corpus=ARXIV_NAME, n=n or SIZE)] if OURS in methods else []


def measure(job: Job, started: float) -> dict[str, Any]:
    """Real vectors in themes around rows drawn at random: how they came to be there does not change the time."""
    del started
    from patternmind.adapters.encoder import MiniLM  # torch, 5 s

    vectors = load(job).given.vectors
    drawn = vectors[np.random.default_rng(0).permutation(len(vectors))[:THEMES]]
    home = np.concatenate([similarity(part, drawn).argmax(axis=1) for part in np.array_split(vectors, 50)])
    began = time.perf_counter()
    known = know(
        vectors,
        home.astype(np.int32),
        np.full(len(vectors), 0.8, np.float32),
        np.full(len(vectors), Why.PLACED, np.int8),
    )
    ready = time.perf_counter() - began
    encoder = MiniLM()
    place(encoder.encode([STORY.format(n=0)]), known)
    embedding: list[float] = []
    placing: list[float] = []
    for n in range(1, CASES + 1):
        begun = time.perf_counter()
        vector = encoder.encode([STORY.format(n=n)])
        embedded = time.perf_counter()
        place(vector, known)
        embedding.append(1000 * (embedded - begun))
        placing.append(1000 * (time.perf_counter() - embedded))
    whole = np.add(embedding, placing)
    return plain(
        {
            "n": len(vectors),
            "ready_seconds": ready,
            "embedding_ms": float(np.median(embedding)),
            "placing_ms": float(np.median(placing)),
            "whole_ms": float(np.median(whole)),
            "slowest_ms": float(whole.max()),
            "peak_gb": peak_memory_gb(),
        }
    )
