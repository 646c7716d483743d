"""The vectors of all cases in the memory of this process, searched exactly, and brought up to date before each search.

The store says cheaply whether anything was written; only what was is read. So every process answers from the rows as
they are, whichever process wrote them, and gives the same answer as ``ExactIndex`` over all of them.
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
"""Rows of room beyond those there are, and an eighth more: a case that comes does not move a hundred thousand."""

BATCH_ROWS = 2048

REMOVED_SCORE = np.float32(-2)
"""Below every cosine."""


@dataclass(slots=True, kw_only=True)
class _VectorTable:
    """Rows are only ever added behind the others, so that a search in another thread reads what it began with.

    A case that changed has a new row, and its old one is ``gone``. ``without`` are cases that have no vector yet.
    """

    encoder_id: str
    stamp: VectorVersion
    ids: list[str]
    quantized: Vectors
    is_recap: NDArray[np.bool_]
    gone: NDArray[np.bool_]
    row_of: dict[str, int]
    without: set[str] = field(default_factory=set[str])

    @property
    def n(self) -> int:
        return len(self.ids)

    def has_capacity(self, n_new: int) -> bool:
        return self.n + n_new <= len(self.quantized) and int(self.gone[: self.n].sum()) * 4 <= self.n + SPARE_ROWS

    def add(self, ids: list[str], vectors: Vectors) -> None:
        start, end = self.n, self.n + len(ids)
        self.quantized[start:end] = quantize(vectors)
        self.is_recap[start:end] = [kind_from_id(id) is CaseKind.RECAP for id in ids]
        for row, id in enumerate(ids, start):
            self.forget(id)
            self.row_of[id] = row
        self.ids.extend(ids)

    def forget(self, id: str) -> None:
        self.without.discard(id)
        if (row := self.row_of.pop(id, None)) is not None:
            self.gone[row] = True

    def search(
        self, query: NDArray[np.float32], k: int, *, kind: CaseKind | None, leave_out: str | None = None
    ) -> list[Hit]:
        n = self.n
        if n == 0:
            return []
        scores = self.quantized[:n] @ query / np.float32(QUANTIZATION_STEPS * QUANTIZATION_STEPS)
        scores[self.gone[:n]] = REMOVED_SCORE
        if kind is not None:
            scores[self.is_recap[:n] != (kind is CaseKind.RECAP)] = REMOVED_SCORE
        if leave_out is not None and (row := self.row_of.get(leave_out, n)) < n:
            scores[row] = REMOVED_SCORE
        return [Hit(self.ids[row], float(scores[row])) for row in _top_k(scores, self.ids, k)]


def _top_k(scores: NDArray[np.float32], ids: list[str], k: int) -> list[int]:
    """The k highest, equal ones by id, whatever their rows."""
    k = min(k, len(scores))
    if k == 0:
        return []
    bound = np.partition(scores, len(scores) - k)[len(scores) - k]
    among = np.flatnonzero((scores >= bound) & (scores > REMOVED_SCORE))
    return sorted((int(row) for row in among), key=lambda row: (-float(scores[row]), ids[row]))[:k]


class InMemoryIndex:
    """Implements ``ports.VectorIndex``. Safe to be asked by several threads."""

    def __init__(self, store: Store, encoder: Callable[[], Encoder]) -> None:
        self._store = store
        self._encoder = encoder
        self._lock = threading.Lock()
        self._table: _VectorTable | None = None

    def search(self, vector: Vectors, k: int, *, kind: CaseKind | None = None) -> list[Hit]:
        """Cases that have no vector yet are embedded first."""
        return self._refreshed(self._encoder().id, embed=True).search(quantize(vector), k, kind=kind)

    def neighbours(self, case_id: str, k: int) -> list[Hit]:
        """The cases nearest to a stored one; none where its vector is not known. No encoder is loaded for it."""
        encoder_id = self._store.theme_encoder_id()
        if encoder_id is None:
            return []
        table = self._refreshed(encoder_id, embed=False)
        row = table.row_of.get(case_id)
        return [] if row is None else table.search(table.quantized[row], k, kind=None, leave_out=case_id)

    def _refreshed(self, encoder_id: str, *, embed: bool) -> _VectorTable:
        with self._lock:
            table = self._table
            stamp = self._store.vector_version()
            if table is None or table.encoder_id != encoder_id or table.stamp.n_removed != stamp.n_removed:
                table = self._read_all(encoder_id, stamp)
            elif table.stamp != stamp:
                table = self._read_changes(table, stamp)
            if embed and table.without:
                table = self._embed(table)
            self._table = table
            return table

    def _read_all(self, encoder_id: str, version: VectorVersion) -> _VectorTable:
        self._table = None  # what it held is not needed beside the new one
        counts = self._store.counts()
        n = counts.n_cases + counts.n_recaps
        room = n + n // 8 + SPARE_ROWS
        rows = self._store.iter_vectors(encoder_id)
        table: _VectorTable | None = None
        for batch in _batches(rows):
            known = [(id, vector) for id, vector in batch if vector is not None]
            if table is None:
                table = _empty_table(encoder_id, version, room, len(known[0][1]) if known else 1)
            table.without.update(id for id, vector in batch if vector is None)
            if known and table.quantized.shape[1] != len(known[0][1]):
                table = _with_dimensions(table, len(known[0][1]))
            if known:
                table.add([id for id, _ in known], np.stack([vector for _, vector in known]))
        return table or _empty_table(encoder_id, version, SPARE_ROWS, 1)

    def _read_changes(self, table: _VectorTable, version: VectorVersion) -> _VectorTable:
        new = list(self._store.iter_vectors(table.encoder_id, after_number=table.stamp.last_write_number))
        if not table.has_capacity(len(new)):
            return self._read_all(table.encoder_id, version)
        known = [(id, vector) for id, vector in new if vector is not None]
        for id, vector in new:
            if vector is None:
                table.forget(id)
                table.without.add(id)
        if known:
            if table.quantized.shape[1] != len(known[0][1]):
                return self._read_all(table.encoder_id, version)
            table.add([id for id, _ in known], np.stack([vector for _, vector in known]))
        table.stamp = version
        return table

    def _embed(self, table: _VectorTable) -> _VectorTable:
        cases = list(self._store.cases_by_id(sorted(table.without)).values())
        vectors = embed_cases(self._store, self._encoder(), cases, "all")
        table.without.clear()
        if not cases:
            return table
        if not table.has_capacity(len(cases)) or table.quantized.shape[1] != vectors.shape[1]:
            table = self._read_all(table.encoder_id, table.stamp)
            table.without.clear()
            table = table if table.n else _with_dimensions(table, vectors.shape[1])
        known = [row for row, case in enumerate(cases) if case.id not in table.row_of]
        table.add([cases[row].id for row in known], vectors[known])
        return table


def _empty_table(encoder_id: str, version: VectorVersion, capacity: int, d: int) -> _VectorTable:
    return _VectorTable(
        encoder_id=encoder_id,
        stamp=version,
        ids=[],
        quantized=np.zeros((capacity, d), np.float32),
        is_recap=np.zeros(capacity, np.bool_),
        gone=np.zeros(capacity, np.bool_),
        row_of={},
    )


def _with_dimensions(table: _VectorTable, d: int) -> _VectorTable:
    """The same without a row yet, for vectors of d numbers: the first cases read had none."""
    wide = _empty_table(table.encoder_id, table.stamp, len(table.quantized), d)
    wide.without = table.without
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
