"""Store the fits of the newest run of each lens.

They are a cache of numbers: a row that cannot be read counts as missing.
"""

import io
import zipfile
import zlib
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert

from patternmind.domain.stored_fits import NOT_DRAWN, FitLabels, StoredFits
from patternmind.domain.themes import Neighbours
from patternmind.storage import schema
from patternmind.storage.repositories.base import NetworkScopedStore

COMPRESSION_LEVEL = 1
"""Level of zlib: labels shrink to a quarter at any level, and similarities hardly at the highest."""

ARRAY_TYPES: dict[str, type[np.generic]] = {
    "marks": np.uint64,
    "first": np.uint64,
    "index": np.int32,
    "similarity": np.float32,
    "parts": np.int32,
    "samples": np.int32,
}


class StoredFitsRepository(NetworkScopedStore):
    """Fits that the next run of a lens can continue."""

    def stored_fits(self, lens: str) -> StoredFits | None:
        table = schema.stored_fits
        with self._read_transaction() as connection:
            row = connection.execute(self._select(table).where(table.c.lens == lens)).first()
        arrays = None if row is None else _unpack_arrays(row.body)
        if row is None or arrays is None:
            return None
        return StoredFits(
            run_id=row.run_id,
            config_hash=row.holds_for,
            row_digests=arrays["marks"],
            baseline_digests=arrays["first"],
            neighbours=Neighbours(arrays["index"], arrays["similarity"]),
            labels=FitLabels(arrays["parts"], arrays["samples"]),
        )

    def _save_fits(self, connection: Connection, lens: str, fits: StoredFits | None) -> None:
        table = schema.stored_fits
        connection.execute(delete(table).where(table.c.network_id == self._network_id, table.c.lens == lens))
        if fits is not None:
            row = {"run_id": fits.run_id, "lens": lens, "holds_for": fits.config_hash, "body": _pack_arrays(fits)}
            connection.execute(insert(table).values(network_id=self._network_id, **row))


def _pack_arrays(fits: StoredFits) -> bytes:
    arrays: dict[str, Any] = {
        "marks": fits.row_digests,
        "first": fits.baseline_digests,
        "index": fits.neighbours.index,
        "similarity": fits.neighbours.similarity,
        "parts": fits.labels.edge_fits,
        "samples": fits.labels.row_fits,
    }
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return zlib.compress(buffer.getvalue(), COMPRESSION_LEVEL)


def _unpack_arrays(body: bytes) -> dict[str, Any] | None:
    """Return the arrays, or None if they are damaged or inconsistent."""
    try:
        with np.load(io.BytesIO(zlib.decompress(body)), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ARRAY_TYPES}
    except (zlib.error, zipfile.BadZipFile, OSError, ValueError, KeyError, EOFError):
        return None
    return arrays if _are_consistent(arrays) else None


def _are_consistent(arrays: dict[str, Any]) -> bool:
    if any(arrays[name].dtype != kind or arrays[name].ndim != 2 for name, kind in ARRAY_TYPES.items()):
        return False
    n, index = len(arrays["marks"]), arrays["index"]
    of_all_rows = len(index) == arrays["parts"].shape[1] == arrays["samples"].shape[1] == n
    pairs = arrays["marks"].shape[1] == arrays["first"].shape[1] == 2
    lists = index.shape == arrays["similarity"].shape and index.min(initial=0) >= 0 and index.max(initial=0) < max(1, n)
    labels = arrays["parts"].min(initial=0) >= 0 and arrays["samples"].min(initial=0) >= NOT_DRAWN
    return bool(of_all_rows and pairs and lists and labels)
