"""The vectors of all cases in the memory of this process, searched exactly, and brought up to date before each search.

The store says cheaply whether anything was written; only what was is read. So every process answers from the rows as
they are, whichever process wrote them, and gives the same answer as ``ExactIndex`` over all of them.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from patternmind.cluster.neighbours import GRID, on_grid
from patternmind.cycle import embed_cases
from patternmind.model.cases import Kind, kind_of
from patternmind.model.reading import VectorStamp
from patternmind.model.themes import Vectors
from patternmind.ports import Encoder, Hit, Store, VectorRow

SPARE = 1024
"""Rows of room beyond those there are, and an eighth more: a case that comes does not move a hundred thousand."""

BATCH = 2048

GONE = np.float32(-2)
"""Below every cosine."""


@dataclass(slots=True, kw_only=True)
class _Table:
    """Rows are only ever added behind the others, so that a search in another thread reads what it began with.

    A case that changed has a new row, and its old one is ``gone``. ``without`` are cases that have no vector yet.
    """

    encoder_id: str
    stamp: VectorStamp
    ids: list[str]
    grid: Vectors
    is_recap: NDArray[np.bool_]
    gone: NDArray[np.bool_]
    row_of: dict[str, int]
    without: set[str] = field(default_factory=set[str])

    @property
    def n(self) -> int:
        return len(self.ids)

    def has_room(self, n_new: int) -> bool:
        return self.n + n_new <= len(self.grid) and int(self.gone[: self.n].sum()) * 4 <= self.n + SPARE

    def add(self, ids: list[str], vectors: Vectors) -> None:
        start, end = self.n, self.n + len(ids)
        self.grid[start:end] = on_grid(vectors)
        self.is_recap[start:end] = [kind_of(id) is Kind.RECAP for id in ids]
        for row, id in enumerate(ids, start):
            self.forget(id)
            self.row_of[id] = row
        self.ids.extend(ids)

    def forget(self, id: str) -> None:
        self.without.discard(id)
        if (row := self.row_of.pop(id, None)) is not None:
            self.gone[row] = True

    def search(
        self, query: NDArray[np.float32], k: int, *, kind: Kind | None, leave_out: str | None = None
    ) -> list[Hit]:
        n = self.n
        if n == 0:
            return []
        scores = self.grid[:n] @ query / np.float32(GRID * GRID)
        scores[self.gone[:n]] = GONE
        if kind is not None:
            scores[self.is_recap[:n] != (kind is Kind.RECAP)] = GONE
        if leave_out is not None and (row := self.row_of.get(leave_out, n)) < n:
            scores[row] = GONE
        return [Hit(self.ids[row], float(scores[row])) for row in _best(scores, self.ids, k)]


def _best(scores: NDArray[np.float32], ids: list[str], k: int) -> list[int]:
    """The k highest, equal ones by id, whatever their rows."""
    k = min(k, len(scores))
    if k == 0:
        return []
    bound = np.partition(scores, len(scores) - k)[len(scores) - k]
    among = np.flatnonzero((scores >= bound) & (scores > GONE))
    return sorted((int(row) for row in among), key=lambda row: (-float(scores[row]), ids[row]))[:k]


class LiveIndex:
    """Implements ``ports.VectorIndex``. Safe to be asked by several threads."""

    def __init__(self, store: Store, encoder: Callable[[], Encoder]) -> None:
        self._store = store
        self._encoder = encoder
        self._lock = threading.Lock()
        self._table: _Table | None = None

    def search(self, vector: Vectors, k: int, *, kind: Kind | None = None) -> list[Hit]:
        """Cases that have no vector yet are embedded first."""
        return self._refreshed(self._encoder().id, embed=True).search(on_grid(vector), k, kind=kind)

    def neighbours(self, case_id: str, k: int) -> list[Hit]:
        """The cases nearest to a stored one; none where its vector is not known. No encoder is loaded for it."""
        encoder_id = self._store.theme_encoder()
        if encoder_id is None:
            return []
        table = self._refreshed(encoder_id, embed=False)
        row = table.row_of.get(case_id)
        return [] if row is None else table.search(table.grid[row], k, kind=None, leave_out=case_id)

    def _refreshed(self, encoder_id: str, *, embed: bool) -> _Table:
        with self._lock:
            table = self._table
            stamp = self._store.vector_stamp()
            if table is None or table.encoder_id != encoder_id or table.stamp.n_gone != stamp.n_gone:
                table = self._read_all(encoder_id, stamp)
            elif table.stamp != stamp:
                table = self._read_new(table, stamp)
            if embed and table.without:
                table = self._embed(table)
            self._table = table
            return table

    def _read_all(self, encoder_id: str, stamp: VectorStamp) -> _Table:
        self._table = None  # what it held is not needed beside the new one
        counts = self._store.counts()
        n = counts.n_cases + counts.n_recaps
        room = n + n // 8 + SPARE
        rows = self._store.vector_rows(encoder_id)
        table: _Table | None = None
        for batch in _batches(rows):
            known = [(id, vector) for id, vector in batch if vector is not None]
            if table is None:
                table = _empty(encoder_id, stamp, room, len(known[0][1]) if known else 1)
            table.without.update(id for id, vector in batch if vector is None)
            if known and table.grid.shape[1] != len(known[0][1]):
                table = _widened(table, len(known[0][1]))
            if known:
                table.add([id for id, _ in known], np.stack([vector for _, vector in known]))
        return table or _empty(encoder_id, stamp, SPARE, 1)

    def _read_new(self, table: _Table, stamp: VectorStamp) -> _Table:
        new = list(self._store.vector_rows(table.encoder_id, since=table.stamp.newest))
        if not table.has_room(len(new)):
            return self._read_all(table.encoder_id, stamp)
        known = [(id, vector) for id, vector in new if vector is not None]
        for id, vector in new:
            if vector is None:
                table.forget(id)
                table.without.add(id)
        if known:
            if table.grid.shape[1] != len(known[0][1]):
                return self._read_all(table.encoder_id, stamp)
            table.add([id for id, _ in known], np.stack([vector for _, vector in known]))
        table.stamp = stamp
        return table

    def _embed(self, table: _Table) -> _Table:
        cases = list(self._store.cases_by_id(sorted(table.without)).values())
        vectors = embed_cases(self._store, self._encoder(), cases, "all")
        table.without.clear()
        if not cases:
            return table
        if not table.has_room(len(cases)) or table.grid.shape[1] != vectors.shape[1]:
            table = self._read_all(table.encoder_id, table.stamp)
            table.without.clear()
            table = table if table.n else _widened(table, vectors.shape[1])
        known = [row for row, case in enumerate(cases) if case.id not in table.row_of]
        table.add([cases[row].id for row in known], vectors[known])
        return table


def _empty(encoder_id: str, stamp: VectorStamp, room: int, d: int) -> _Table:
    return _Table(
        encoder_id=encoder_id,
        stamp=stamp,
        ids=[],
        grid=np.zeros((room, d), np.float32),
        is_recap=np.zeros(room, np.bool_),
        gone=np.zeros(room, np.bool_),
        row_of={},
    )


def _widened(table: _Table, d: int) -> _Table:
    """The same without a row yet, for vectors of d numbers: the first cases read had none."""
    wide = _empty(table.encoder_id, table.stamp, len(table.grid), d)
    wide.without = table.without
    return wide


def _batches(rows: Iterator[VectorRow]) -> Iterator[list[VectorRow]]:
    batch: list[VectorRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
