"""One more case among many (target 8): the time from its text to its theme, warm; and what being ready for it costs."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.cells import BenchCell, CellJob
from bench.corpora import ARXIV_NAME
from bench.machine import peak_memory_gb
from bench.method_runs import load_cell, to_python_numbers
from bench.methods import PATTERNMIND
from patternmind.clustering.neighbours import cosine_similarity
from patternmind.clustering.placement import fit_placement, predict
from patternmind.domain.themes import OutlierReason

N_ROWS = 100_000
N_THEMES = 300
N_CASES = 50
CASE_TEMPLATE = (
    "The hand scanner froze in the cold store at minus {n} degrees. Nobody had told the night shift that lane {n} was "
    "closed, so {n} pallets stood on the ramp until the morning, and the customer called twice. We warmed the battery "
    "under a jacket, wrote the closed lanes on the board, and now look at it together at every handover."
)


def cells(methods: Sequence[str], n: int) -> list[BenchCell]:
    return (
        [BenchCell(part="place", method=PATTERNMIND, corpus=ARXIV_NAME, n=n or N_ROWS)]
        if PATTERNMIND in methods
        else []
    )


def measure(job: CellJob, started: float) -> dict[str, Any]:
    """Real vectors in themes around rows drawn at random: how they came to be there does not change the time."""
    del started
    from patternmind.embedding.minilm_encoder import MiniLMEncoder  # torch, 5 s

    vectors = load_cell(job).method_input.vectors
    drawn = vectors[np.random.default_rng(0).permutation(len(vectors))[:N_THEMES]]
    home = np.concatenate([cosine_similarity(part, drawn).argmax(axis=1) for part in np.array_split(vectors, 50)])
    began = time.perf_counter()
    known = fit_placement(
        vectors,
        home.astype(np.int32),
        np.full(len(vectors), 0.8, np.float32),
        np.full(len(vectors), OutlierReason.PLACED, np.int8),
    )
    ready = time.perf_counter() - began
    encoder = MiniLMEncoder()
    predict(encoder.encode([CASE_TEMPLATE.format(n=0)]), known)
    embedding: list[float] = []
    placing: list[float] = []
    for n in range(1, N_CASES + 1):
        begun = time.perf_counter()
        vector = encoder.encode([CASE_TEMPLATE.format(n=n)])
        embedded = time.perf_counter()
        predict(vector, known)
        embedding.append(1000 * (embedded - begun))
        placing.append(1000 * (time.perf_counter() - embedded))
    whole = np.add(embedding, placing)
    return to_python_numbers(
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
