"""Store the machine result of the newest run of each lens."""

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
    """Machine results, before people's edits are applied."""

    def machine_result(self, run_id: str) -> MachineResult | None:
        table = schema.machine_result
        with self._read_transaction() as connection:
            row = connection.execute(self._select(table).where(table.c.run_id == run_id)).first()
        return None if row is None else read_machine_result(row.body, row.partition)

    def _save_machine_result(self, connection: Connection, run_id: str, lens: str, result: MachineResult) -> None:
        table = schema.machine_result
        connection.execute(delete(table).where(table.c.network_id == self._network_id, table.c.lens == lens))
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
            insert(table).values(
                network_id=self._network_id,
                run_id=run_id,
                lens=lens,
                body=body,
                partition=_partition_bytes(result.partition),
            )
        )


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
