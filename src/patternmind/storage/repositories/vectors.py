"""Store the vectors of the cases' texts."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from sqlalchemy import func

from patternmind.domain.read_models import VectorVersion
from patternmind.domain.themes import Vectors
from patternmind.ports import VectorRow
from patternmind.storage import schema
from patternmind.storage.database import SqlRepository, chunked
from patternmind.storage.dialects import sqlite

case, vector = schema.case, schema.vector


class SqlVectorRepository(SqlRepository):
    """Implements ``ports.VectorRepository``."""

    def get_many(self, encoder_id: str, hashes: Sequence[str]) -> dict[str, Vectors]:
        with self._source.reading() as tx:
            query = tx.select(vector, vector.c.text_hash, vector.c.vector).where(vector.c.encoder_id == encoder_id)
            return {
                row.text_hash: np.frombuffer(row.vector, np.float32)
                for chunk in chunked(sorted(set(hashes)))
                for row in tx.rows(query.where(vector.c.text_hash.in_(chunk)))
            }

    def save_all(self, encoder_id: str, rows: Mapping[str, Vectors]) -> None:
        if not rows:
            return
        values = [
            {
                "encoder_id": encoder_id,
                "text_hash": text_hash,
                "vector": np.ascontiguousarray(row, np.float32).tobytes(),
            }
            for text_hash, row in rows.items()
        ]
        with self._source.writing() as tx:
            tx.insert_all(vector, values, statement=sqlite.insert_or_ignore(vector))

    def version(self) -> VectorVersion:
        with self._source.reading() as tx:
            removed = (tx.select(table, func.count()) for table in (schema.erasure, schema.withdrawal))
            n_removed = sum(tx.scalar(query) for query in removed)
            return VectorVersion(tx.scalar(tx.select(case, func.coalesce(func.max(case.c.number), 0))), n_removed)

    def iter_by_case(self, encoder_id: str, *, after_number: int = 0) -> Iterator[VectorRow]:
        is_vector = (
            (vector.c.network_id == case.c.network_id)
            & (vector.c.text_hash == case.c.vector_hash)
            & (vector.c.encoder_id == encoder_id)
        )
        with self._source.reading() as tx:
            query = tx.select(case, case.c.id, vector.c.vector).outerjoin(vector, is_vector)
            for row in tx.stream(query.where(case.c.number > after_number).order_by(case.c.number)):
                yield row.id, None if row.vector is None else np.frombuffer(row.vector, np.float32)

    def delete(self, hashes: Collection[str]) -> None:
        with self._source.writing() as tx:
            for chunk in chunked(sorted(hashes)):
                tx.delete(vector, vector.c.text_hash.in_(chunk))

    def delete_others(self, kept_hashes: Collection[str]) -> None:
        """Delete all vectors but these; a vector of a case's earlier text cannot be identified."""
        with self._source.writing() as tx:
            stored_hashes = tx.scalars(tx.select(vector, vector.c.text_hash).distinct())
            SqlVectorRepository(tx).delete(set(stored_hashes) - set(kept_hashes))
