"""What the fits of a run said: a cache of numbers, one row a lens. What cannot be read is as good as not there."""

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
"""Of zlib: labels shrink to a quarter at any, and similarities hardly at the highest."""

ARRAY_TYPES: dict[str, type[np.generic]] = {
    "marks": np.uint64,
    "first": np.uint64,
    "index": np.int32,
    "similarity": np.float32,
    "parts": np.int32,
    "samples": np.int32,
}


class StoredFitsRepository(NetworkScopedStore):
    """The fits that the next run of a lens may continue."""

    def fits(self, lens: str) -> StoredFits | None:
        kept = schema.stored_fits
        with self._read_transaction() as connection:
            row = connection.execute(self._of(kept).where(kept.c.lens == lens)).first()
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
        kept = schema.stored_fits
        connection.execute(delete(kept).where(kept.c.network_id == self._id, kept.c.lens == lens))
        if fits is not None:
            row = {"run_id": fits.run_id, "lens": lens, "holds_for": fits.config_hash, "body": _pack_arrays(fits)}
            connection.execute(insert(kept).values(network_id=self._id, **row))


def _pack_arrays(fits: StoredFits) -> bytes:
    arrays: dict[str, Any] = {
        "marks": fits.row_digests,
        "first": fits.baseline_digests,
        "index": fits.neighbours.index,
        "similarity": fits.neighbours.similarity,
        "parts": fits.labels.edge_fits,
        "samples": fits.labels.row_fits,
    }
    written = io.BytesIO()
    np.savez(written, allow_pickle=False, **arrays)
    return zlib.compress(written.getvalue(), COMPRESSION_LEVEL)


def _unpack_arrays(body: bytes) -> dict[str, Any] | None:
    """The arrays, None where they are damaged or do not belong together."""
    try:
        with np.load(io.BytesIO(zlib.decompress(body)), allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in ARRAY_TYPES}
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
