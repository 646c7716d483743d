"""Exact in-memory index of all cases, brought up to date before each search.

The store's version shows cheaply if anything was written, and only new rows are read. Every process therefore sees the
current rows, whichever process wrote them, and returns the same result as ``ExactIndex`` over all of them.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.neighbours import QUANTIZATION_STEPS, quantize
from patternmind.domain.cases import CaseKind, kind_from_id
from patternmind.domain.read_models import VectorVersion
from patternmind.domain.themes import Vectors
from patternmind.embedding.vectors import embed_cases
from patternmind.ports import Encoder, Hit, Store, VectorRow

SPARE_ROWS = 1024
"""Spare rows of a table, plus an eighth of its size: adding a case must not copy 100,000 rows."""

BATCH_ROWS = 2048

REMOVED_SCORE = np.float32(-2)
"""Score of removed rows, below every cosine."""


@dataclass(slots=True, kw_only=True)
class _VectorTable:
    """Table of quantized vectors, to which rows are only appended.

    A search in another thread therefore sees the rows that it started with. A changed case gets a new row, and its old
    row is marked in ``is_removed``. ``unembedded_ids`` are cases without a vector.
    """

    encoder_id: str
    version: VectorVersion
    ids: list[str]
    quantized: Vectors
    is_recap: NDArray[np.bool_]
    is_removed: NDArray[np.bool_]
    row_of: dict[str, int]
    unembedded_ids: set[str] = field(default_factory=set[str])

    @property
    def n(self) -> int:
        return len(self.ids)

    def has_capacity(self, n_new: int) -> bool:
        return self.n + n_new <= len(self.quantized) and int(self.is_removed[: self.n].sum()) * 4 <= self.n + SPARE_ROWS

    def add(self, ids: list[str], vectors: Vectors) -> None:
        start, end = self.n, self.n + len(ids)
        self.quantized[start:end] = quantize(vectors)
        self.is_recap[start:end] = [kind_from_id(id) is CaseKind.RECAP for id in ids]
        for row, id in enumerate(ids, start):
            self.remove(id)
            self.row_of[id] = row
        self.ids.extend(ids)

    def remove(self, id: str) -> None:
        self.unembedded_ids.discard(id)
        if (row := self.row_of.pop(id, None)) is not None:
            self.is_removed[row] = True

    def search(
        self, query: NDArray[np.float32], k: int, *, kind: CaseKind | None, exclude_id: str | None = None
    ) -> list[Hit]:
        n = self.n
        if n == 0:
            return []
        scores = self.quantized[:n] @ query / np.float32(QUANTIZATION_STEPS * QUANTIZATION_STEPS)
        scores[self.is_removed[:n]] = REMOVED_SCORE
        if kind is not None:
            scores[self.is_recap[:n] != (kind is CaseKind.RECAP)] = REMOVED_SCORE
        if exclude_id is not None and (row := self.row_of.get(exclude_id, n)) < n:
            scores[row] = REMOVED_SCORE
        return [Hit(self.ids[row], float(scores[row])) for row in _top_k(scores, self.ids, k)]


def _top_k(scores: NDArray[np.float32], ids: list[str], k: int) -> list[int]:
    """Return the rows of the k highest scores; equal scores are ordered by id."""
    k = min(k, len(scores))
    if k == 0:
        return []
    bound = np.partition(scores, len(scores) - k)[len(scores) - k]
    candidates = np.flatnonzero((scores >= bound) & (scores > REMOVED_SCORE))
    return sorted((int(row) for row in candidates), key=lambda row: (-float(scores[row]), ids[row]))[:k]


class InMemoryIndex:
    """Implements ``ports.VectorIndex``; safe to use from several threads."""

    def __init__(self, store: Store, encoder: Callable[[], Encoder]) -> None:
        self._store = store
        self._encoder = encoder
        self._lock = threading.Lock()
        self._table: _VectorTable | None = None

    def search(self, vector: Vectors, k: int, *, kind: CaseKind | None = None) -> list[Hit]:
        """Return the k cases nearest to a (d,) vector, best first, after embedding missing cases."""
        return self._refresh(self._encoder().id, embed_missing=True).search(quantize(vector), k, kind=kind)

    def neighbours(self, case_id: str, k: int) -> list[Hit]:
        """Return the cases nearest to a stored case, without loading an encoder.

        The result is empty if the case has no vector.
        """
        encoder_id = self._store.themes.encoder_id()
        if encoder_id is None:
            return []
        table = self._refresh(encoder_id, embed_missing=False)
        row = table.row_of.get(case_id)
        return [] if row is None else table.search(table.quantized[row], k, kind=None, exclude_id=case_id)

    def _refresh(self, encoder_id: str, *, embed_missing: bool) -> _VectorTable:
        with self._lock:
            table = self._table
            version = self._store.vectors.version()
            if table is None or table.encoder_id != encoder_id or table.version.n_removed != version.n_removed:
                table = self._read_all(encoder_id, version)
            elif table.version != version:
                table = self._read_changes(table, version)
            if embed_missing and table.unembedded_ids:
                table = self._embed_missing(table)
            self._table = table
            return table

    def _read_all(self, encoder_id: str, version: VectorVersion) -> _VectorTable:
        self._table = None  # free its memory before the new table is built
        counts = self._store.network_counts()
        n = counts.n_cases + counts.n_recaps
        capacity = n + n // 8 + SPARE_ROWS
        rows = self._store.vectors.iter_by_case(encoder_id)
        table: _VectorTable | None = None
        for batch in _batches(rows):
            embedded = [(id, vector) for id, vector in batch if vector is not None]
            if table is None:
                table = _empty_table(encoder_id, version, capacity, len(embedded[0][1]) if embedded else 1)
            table.unembedded_ids.update(id for id, vector in batch if vector is None)
            if embedded and table.quantized.shape[1] != len(embedded[0][1]):
                table = _with_dimensions(table, len(embedded[0][1]))
            if embedded:
                table.add([id for id, _ in embedded], np.stack([vector for _, vector in embedded]))
        return table or _empty_table(encoder_id, version, SPARE_ROWS, 1)

    def _read_changes(self, table: _VectorTable, version: VectorVersion) -> _VectorTable:
        new = list(self._store.vectors.iter_by_case(table.encoder_id, after_number=table.version.last_write_number))
        if not table.has_capacity(len(new)):
            return self._read_all(table.encoder_id, version)
        embedded = [(id, vector) for id, vector in new if vector is not None]
        for id, vector in new:
            if vector is None:
                table.remove(id)
                table.unembedded_ids.add(id)
        if embedded:
            if table.quantized.shape[1] != len(embedded[0][1]):
                return self._read_all(table.encoder_id, version)
            table.add([id for id, _ in embedded], np.stack([vector for _, vector in embedded]))
        table.version = version
        return table

    def _embed_missing(self, table: _VectorTable) -> _VectorTable:
        cases = list(self._store.cases.get_many(sorted(table.unembedded_ids)).values())
        vectors = embed_cases(self._store, self._encoder(), cases, "all")
        table.unembedded_ids.clear()
        if not cases:
            return table
        if not table.has_capacity(len(cases)) or table.quantized.shape[1] != vectors.shape[1]:
            table = self._read_all(table.encoder_id, table.version)
            table.unembedded_ids.clear()
            table = table if table.n else _with_dimensions(table, vectors.shape[1])
        new_rows = [row for row, case in enumerate(cases) if case.id not in table.row_of]
        table.add([cases[row].id for row in new_rows], vectors[new_rows])
        return table


def _empty_table(encoder_id: str, version: VectorVersion, capacity: int, d: int) -> _VectorTable:
    return _VectorTable(
        encoder_id=encoder_id,
        version=version,
        ids=[],
        quantized=np.zeros((capacity, d), np.float32),
        is_recap=np.zeros(capacity, np.bool_),
        is_removed=np.zeros(capacity, np.bool_),
        row_of={},
    )


def _with_dimensions(table: _VectorTable, d: int) -> _VectorTable:
    """Return an empty table for vectors with d dimensions; the first cases read had no vectors."""
    wide = _empty_table(table.encoder_id, table.version, len(table.quantized), d)
    wide.unembedded_ids = table.unembedded_ids
    return wide


def _batches(rows: Iterator[VectorRow]) -> Iterator[list[VectorRow]]:
    batch: list[VectorRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch
