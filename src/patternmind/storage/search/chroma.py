"""Approximate vector index with Chroma, derived and disposable.

Chroma's client becomes stale when another process writes. One process at a time therefore owns the index (lock file),
and a manifest identifies its rows. A process that does not own the index, or finds it stale, searches exactly and gets
the same result. The index contains ids and vectors, never text.
"""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from patternmind.domain.cases import CaseKind
from patternmind.domain.themes import Vectors
from patternmind.errors import ErrorCode, IndexUnavailable
from patternmind.ports import Hit
from patternmind.storage.search.exact import rank_hits

MAX_BATCH_ROWS = 5000
"""Rows per batch; Chroma accepts at most 5,461."""

CANDIDATES_PER_RESULT = 4
"""Candidates requested from the approximate index per result; the exact cosine then ranks them."""


@dataclass(frozen=True, slots=True)
class IndexCheck:
    """Differences between an index and the rows that it should contain.

    Attributes:
        missing: ids that the index lacks.
        extra: ids that the index should not contain.
        different: ids with another vector.
    """

    n_rows: int
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    different: tuple[str, ...]

    @property
    def is_ok(self) -> bool:
        return not (self.missing or self.extra or self.different)


def digest_rows(ids: Sequence[str], vectors: Vectors) -> str:
    """Hash a set of rows, independent of their order."""
    rows = sorted((id, hashlib.sha256(vector.tobytes()).hexdigest()) for id, vector in zip(ids, vectors, strict=True))
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


class ChromaIndex:
    """Implements ``ports.VectorIndex`` on embedded Chroma, while this process holds the folder's lock."""

    def __init__(self, folder: Path, *, name: str) -> None:
        """Take ownership of the index in a folder.

        Raises:
            IndexUnavailable: another process owns the index, or the folder cannot be written.
        """
        self._folder = folder
        self._name = name
        self._client: Any = None
        with _translate_index_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._lock: IO[str] = (folder / "owner.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise IndexUnavailable("Another process owns the index; search continues without it.") from error

    def close(self) -> None:
        with closing(self._lock):
            self._close_client()

    def _close_client(self) -> None:
        """Close the client's files, which Chroma would otherwise reuse even after their deletion."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def is_current(self, digest: str) -> bool:
        """Return True if the index holds exactly the rows with a ``digest_rows``."""
        try:
            manifest = json.loads((self._folder / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return manifest == {"name": self._name, "digest": digest}

    def rebuild(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Delete the index and build it from these rows."""
        self.delete()
        with _translate_index_errors(self._folder):
            collection = self._collection()
            for start in range(0, len(ids), MAX_BATCH_ROWS):
                rows = slice(start, start + MAX_BATCH_ROWS)
                collection.upsert(ids=list(ids[rows]), embeddings=vectors[rows])
            manifest = {"name": self._name, "digest": digest_rows(ids, vectors)}
            (self._folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    def delete(self) -> None:
        """Delete the index with its files, which would otherwise still contain deleted rows."""
        with _translate_index_errors(self._folder):
            self._close_client()
            (self._folder / "manifest.json").unlink(missing_ok=True)
            if (self._folder / "chroma").exists():
                shutil.rmtree(self._folder / "chroma")

    def verify(self, ids: Sequence[str], vectors: Vectors) -> IndexCheck:
        """Compare every row of the index with the rows that it should contain."""
        with _translate_index_errors(self._folder):
            actual = self._rows()
        expected = dict(zip(ids, vectors, strict=True))
        return IndexCheck(
            n_rows=len(actual),
            missing=tuple(sorted(set(expected) - set(actual))),
            extra=tuple(sorted(set(actual) - set(expected))),
            different=tuple(
                sorted(id for id in set(actual) & set(expected) if not np.allclose(actual[id], expected[id], atol=1e-6))
            ),
        )

    def search(self, vector: Vectors, k: int, *, kind: CaseKind | None = None) -> list[Hit]:
        """Return the k cases nearest to a (d,) vector, best first, optionally of one kind.

        With ``kind`` all rows are candidates, because cases of that kind may be few and far from the vector.
        """
        with _translate_index_errors(self._folder):
            collection = self._collection()
            n = collection.count()
            n_candidates = n if kind is not None else min(max(50, CANDIDATES_PER_RESULT * k), n)
            if not n_candidates:
                return []
            result = collection.query(query_embeddings=[vector], n_results=n_candidates, include=["embeddings"])
        return rank_hits(result["ids"][0], np.asarray(result["embeddings"][0], np.float32), vector, k, kind)

    def _rows(self) -> Mapping[str, Vectors]:
        rows = self._collection().get(include=["embeddings"])
        return dict(zip(rows["ids"], np.asarray(rows["embeddings"], np.float32), strict=True))

    def _collection(self) -> Any:
        if self._client is None:
            import chromadb  # 0.6 s
            from chromadb.config import Settings

            self._client = chromadb.PersistentClient(
                path=str(self._folder / "chroma"), settings=Settings(anonymized_telemetry=False)
            )
        return self._client.get_or_create_collection(
            "cases", embedding_function=None, configuration={"hnsw": {"space": "cosine", "ef_search": 200}}
        )


@contextmanager
def _translate_index_errors(folder: Path):
    """Raise any error of Chroma as ``IndexUnavailable``.

    Chroma raises many types, some from Rust. The index is optional and can be rebuilt.
    """
    try:
        yield
    except IndexUnavailable:
        raise
    except Exception as error:
        reason = type(error).__name__
        raise IndexUnavailable(
            f"The index in {folder} cannot be used ({reason}). Search works without it; rebuild it when you can.",
            code=ErrorCode.INDEX_DAMAGED,
        ) from error
