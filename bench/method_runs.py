"""Fit a method on the files of a cell, cold and warm, with the clock, the memory and the shape of what it found."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.cells import CellJob
from bench.corpora import CorpusRows, load_rows, load_vectors
from bench.machine import peak_memory_gb
from bench.methods import (
    METHODS,
    Method,
    MethodFit,
    MethodInput,
)


@dataclass(frozen=True, slots=True, eq=False)
class LoadedCell:
    """What a cell measures on. ``seconds`` is what the reading took, which belongs to no method."""

    method: Method
    method_input: MethodInput
    rows: CorpusRows
    seconds: float


def load_cell(job: CellJob, corpus: str | None = None) -> LoadedCell:
    """Vectors and rows of the cell's corpus; texts only where the method reads them, so as not to weigh on others."""
    started = time.perf_counter()
    cell = job.cell
    method = METHODS[cell.method]
    vectors_file, rows_file = (Path(name) for name in job.files[corpus or cell.corpus])
    vectors, rows = load_vectors(vectors_file, cell.n), load_rows(rows_file, texts=method.reads_texts)
    if cell.n:
        rows = rows.first(cell.n)
    true_k = len({label for label in rows.labels if label is not None})
    given = MethodInput(vectors, rows.texts if method.reads_texts else (), true_k)
    return LoadedCell(method, given, CorpusRows(rows.ids, rows.labels, []), time.perf_counter() - started)


def fit_cold_and_warm(loaded: LoadedCell, started: float) -> tuple[MethodFit, dict[str, Any]]:
    """The second fit in the process, and what both cost.

    ``cold_seconds`` runs from the start of the process through the first fit, imports and compilation included, the
    reading of the files not.
    """
    loaded.method.fit(loaded.method_input)
    cold = time.perf_counter() - started - loaded.seconds
    fit = loaded.method.fit(loaded.method_input)
    return fit, {
        "n": len(loaded.method_input.vectors),
        "cold_seconds": cold,
        "warm_seconds": fit.seconds["clustering"],
        "steps": fit.seconds,
        "peak_gb": peak_memory_gb(),
    }


def to_python_numbers(values: dict[str, Any]) -> dict[str, Any]:
    """NumPy's numbers as Python's own."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}
