"""Cold and warm fits of a method on a cell's files, with time and memory."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.cells import CellJob
from bench.corpora import CorpusRows, load_rows, load_vectors
from bench.machine import peak_memory_gb
from bench.methods import METHODS, Method, MethodFit, MethodInput


@dataclass(frozen=True, slots=True, eq=False)
class LoadedCell:
    """Input of a cell; ``seconds`` is the time for reading it, which is not part of the method."""

    method: Method
    method_input: MethodInput
    rows: CorpusRows
    seconds: float


def load_cell(job: CellJob, corpus: str | None = None) -> LoadedCell:
    """Load vectors and rows of the cell's corpus.

    Texts are loaded only for methods that read them, so that they do not count as memory of others.
    """
    started = time.perf_counter()
    cell = job.cell
    method = METHODS[cell.method]
    vectors_file, rows_file = (Path(name) for name in job.files[corpus or cell.corpus])
    vectors, rows = load_vectors(vectors_file, cell.n), load_rows(rows_file, texts=method.reads_texts)
    if cell.n:
        rows = rows.first(cell.n)
    true_k = len({label for label in rows.labels if label is not None})
    method_input = MethodInput(vectors, rows.texts if method.reads_texts else (), true_k)
    return LoadedCell(method, method_input, CorpusRows(rows.ids, rows.labels, []), time.perf_counter() - started)


def fit_cold_and_warm(loaded: LoadedCell, started: float) -> tuple[MethodFit, dict[str, Any]]:
    """Fit twice and return the second fit, and time and memory of both.

    ``cold_seconds`` is the time from the start of the process to the end of the first fit. It includes imports and
    compilation, but not the reading of the files.
    """
    loaded.method.fit(loaded.method_input)
    cold_seconds = time.perf_counter() - started - loaded.seconds
    fit = loaded.method.fit(loaded.method_input)
    return fit, {
        "n": len(loaded.method_input.vectors),
        "cold_seconds": cold_seconds,
        "warm_seconds": fit.seconds["clustering"],
        "steps": fit.seconds,
        "peak_gb": peak_memory_gb(),
    }


def to_python_numbers(values: dict[str, Any]) -> dict[str, Any]:
    """Convert NumPy numbers to Python numbers."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}
