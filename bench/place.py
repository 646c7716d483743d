"""Placement of one new case among many (target 8): warm time from text to theme, and preparation cost."""

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
    """Measure with real vectors in themes around random rows; how the themes were made does not change the time."""
    del started
    from patternmind.embedding.minilm_encoder import MiniLMEncoder  # loads torch, takes 5 s

    vectors = load_cell(job).method_input.vectors
    theme_rows = vectors[np.random.default_rng(0).permutation(len(vectors))[:N_THEMES]]
    nearest_theme = np.concatenate(
        [cosine_similarity(block, theme_rows).argmax(axis=1) for block in np.array_split(vectors, 50)]
    )
    started_fit = time.perf_counter()
    model = fit_placement(
        vectors,
        nearest_theme.astype(np.int32),
        np.full(len(vectors), 0.8, np.float32),
        np.full(len(vectors), OutlierReason.PLACED, np.int8),
    )
    ready_seconds = time.perf_counter() - started_fit
    encoder = MiniLMEncoder()
    predict(encoder.encode([CASE_TEMPLATE.format(n=0)]), model)
    embedding_ms: list[float] = []
    placement_ms: list[float] = []
    for n in range(1, N_CASES + 1):
        started_case = time.perf_counter()
        vector = encoder.encode([CASE_TEMPLATE.format(n=n)])
        embedded = time.perf_counter()
        predict(vector, model)
        embedding_ms.append(1000 * (embedded - started_case))
        placement_ms.append(1000 * (time.perf_counter() - embedded))
    whole_ms = np.add(embedding_ms, placement_ms)
    return to_python_numbers(
        {
            "n": len(vectors),
            "ready_seconds": ready_seconds,
            "embedding_ms": float(np.median(embedding_ms)),
            "placing_ms": float(np.median(placement_ms)),
            "whole_ms": float(np.median(whole_ms)),
            "slowest_ms": float(whole_ms.max()),
            "peak_gb": peak_memory_gb(),
        }
    )
