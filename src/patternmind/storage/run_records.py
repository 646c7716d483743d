"""Convert runs, assignments, machine results and fits to rows and back."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

import numpy as np

from patternmind.domain.edits import EditConflict
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.stored_fits import NOT_DRAWN, FitLabels, StoredFits
from patternmind.domain.themes import Assignment, Neighbours, Partition
from patternmind.ports import RunParameters, RunRecord
from patternmind.storage import records

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


def failed(record: RunRecord, reason: str, now: datetime) -> RunRecord:
    return replace(record, state="failed", finished_at=now, notes=(*record.notes, reason))


def run_row(record: RunRecord) -> dict[str, Any]:
    body = asdict(record)
    for name in ("id", "number", "state", "started_at", "finished_at", "fingerprint"):
        del body[name]
    return {
        "id": record.id,
        "number": record.number,
        "lens": record.parameters.lens,
        "state": record.state,
        "started_at": record.started_at.isoformat(),
        "finished_at": record.finished_at.isoformat() if record.finished_at else None,
        "fingerprint": record.fingerprint,
        "body": body,
    }


def read_run(row: Any) -> RunRecord:
    body = dict(row.body)
    parameters = RunParameters(**body.pop("parameters"))
    body["notes"] = tuple(body["notes"])
    body["conflicts"] = tuple(_read_conflict(record) for record in body.get("conflicts", ()))
    return RunRecord(
        id=row.id,
        number=row.number,
        parameters=parameters,
        state=row.state,
        started_at=datetime.fromisoformat(row.started_at),
        finished_at=datetime.fromisoformat(row.finished_at) if row.finished_at else None,
        fingerprint=row.fingerprint,
        **body,
    )


def _read_conflict(record: Mapping[str, Any]) -> EditConflict:
    values: dict[str, Any] = {**record, "theme_ids": tuple(record["theme_ids"]), "case_ids": tuple(record["case_ids"])}
    return EditConflict(**values)


def read_assignment(row: Any) -> Assignment:
    return Assignment(
        case_id=row.case_id,
        theme_id=row.theme_id,
        area_id=row.area_id,
        strength=row.strength,
        nearest_theme_id=row.nearest_theme_id,
        second_theme_id=row.second_theme_id,
        second_strength=row.second_strength,
        outlier_score=row.outlier_score,
        reason=row.reason,
        x=row.x,
        y=row.y,
    )


def machine_result_row(result: MachineResult) -> dict[str, Any]:
    body = {
        "case_ids": result.case_ids,
        "theme_ids": result.theme_ids,
        "area_ids": result.area_ids,
        "encoder": result.encoder,
        "memory": [records.theme_record(theme) for theme in result.known_themes],
        "new_cases": result.new_cases,
        "duplicate_of": dict(result.duplicate_of),
    }
    return {"body": body, "partition": _partition_bytes(result.partition)}


def _partition_bytes(partition: Partition) -> bytes:
    """Serialize every field of a partition by name; new fields need no change here."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{field.name: getattr(partition, field.name) for field in fields(partition)})
    return buffer.getvalue()


def read_machine_result(body: Mapping[str, Any], partition: bytes) -> MachineResult:
    with np.load(io.BytesIO(partition), allow_pickle=False) as archive:
        field_names = {field.name for field in fields(Partition)}
        arrays = {name: archive[name] for name in archive.files if name in field_names}
    values = {name: array.item() if array.ndim == 0 else array for name, array in arrays.items()}
    return MachineResult(
        case_ids=tuple(body["case_ids"]),
        theme_ids=tuple(body["theme_ids"]),
        area_ids=tuple(body["area_ids"]),
        partition=Partition(**values),
        encoder=body["encoder"],
        known_themes=tuple(records.read_theme(record) for record in body["memory"]),
        new_cases=tuple(body["new_cases"]),
        duplicate_of=body["duplicate_of"],
    )


def fits_row(fits: StoredFits) -> dict[str, Any]:
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
    body = zlib.compress(buffer.getvalue(), COMPRESSION_LEVEL)
    return {"run_id": fits.run_id, "holds_for": fits.config_hash, "body": body}


def read_fits(row: Any) -> StoredFits | None:
    """Return the fits of a row, or None if they are damaged or inconsistent."""
    try:
        with np.load(io.BytesIO(zlib.decompress(row.body)), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ARRAY_TYPES}
    except (zlib.error, zipfile.BadZipFile, OSError, ValueError, KeyError, EOFError):
        return None
    if not _are_consistent(arrays):
        return None
    return StoredFits(
        run_id=row.run_id,
        config_hash=row.holds_for,
        row_digests=arrays["marks"],
        baseline_digests=arrays["first"],
        neighbours=Neighbours(arrays["index"], arrays["similarity"]),
        labels=FitLabels(arrays["parts"], arrays["samples"]),
    )


def _are_consistent(arrays: Mapping[str, Any]) -> bool:
    if any(arrays[name].dtype != kind or arrays[name].ndim != 2 for name, kind in ARRAY_TYPES.items()):
        return False
    n, index = len(arrays["marks"]), arrays["index"]
    of_all_rows = len(index) == arrays["parts"].shape[1] == arrays["samples"].shape[1] == n
    pairs = arrays["marks"].shape[1] == arrays["first"].shape[1] == 2
    lists = index.shape == arrays["similarity"].shape and index.min(initial=0) >= 0 and index.max(initial=0) < max(1, n)
    labels = arrays["parts"].min(initial=0) >= 0 and arrays["samples"].min(initial=0) >= NOT_DRAWN
    return bool(of_all_rows and pairs and lists and labels)
