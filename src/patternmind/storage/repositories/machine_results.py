"""What a run found before people's decisions: kept whole, and only of the newest run of each lens."""

import io
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert

from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import Partition
from patternmind.storage import records, schema
from patternmind.storage.repositories.base import NetworkScopedStore


class MachineResultRepository(NetworkScopedStore):
    """The machine's own answers."""

    def found(self, run_id: str) -> MachineResult | None:
        kept = schema.machine_result
        with self._read_transaction() as connection:
            row = connection.execute(self._of(kept).where(kept.c.run_id == run_id)).first()
        return None if row is None else read_machine_result(row.body, row.partition)

    def _save_machine_result(self, connection: Connection, run_id: str, lens: str, result: MachineResult) -> None:
        kept = schema.machine_result
        connection.execute(delete(kept).where(kept.c.network_id == self._id, kept.c.lens == lens))
        body = {
            "case_ids": result.case_ids,
            "theme_ids": result.theme_ids,
            "area_ids": result.area_ids,
            "encoder": result.encoder,
            "memory": [records.theme_record(theme) for theme in result.known_themes],
            "new_cases": result.new_cases,
            "duplicate_of": dict(result.duplicate_of),
        }
        connection.execute(
            insert(kept).values(
                network_id=self._id, run_id=run_id, lens=lens, body=body, partition=_partition_bytes(result.partition)
            )
        )


def _partition_bytes(partition: Partition) -> bytes:
    """Every field of a partition by its name: those that are added later are kept without a change here."""
    written = io.BytesIO()
    np.savez_compressed(written, **{one.name: getattr(partition, one.name) for one in fields(partition)})
    return written.getvalue()


def read_machine_result(body: Mapping[str, Any], partition: bytes) -> MachineResult:
    with np.load(io.BytesIO(partition), allow_pickle=False) as arrays:
        known = {one.name for one in fields(Partition)}
        whole = {name: arrays[name] for name in arrays.files if name in known}
    read = Partition(**{name: one.item() if one.ndim == 0 else one for name, one in whole.items()})
    return MachineResult(
        case_ids=tuple(body["case_ids"]),
        theme_ids=tuple(body["theme_ids"]),
        area_ids=tuple(body["area_ids"]),
        partition=read,
        encoder=body["encoder"],
        known_themes=tuple(records.read_theme(one) for one in body["memory"]),
        new_cases=tuple(body["new_cases"]),
        duplicate_of=body["duplicate_of"],
    )
