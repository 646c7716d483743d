"""Nearest cases to a vector: exactly by NumPy over the rows, or by a Chroma index that is derived and disposable.

Chroma's client goes stale when another process writes, so one process owns the index at a time (a lock file), and a
manifest says which rows it holds; whoever does not own it, or finds it stale, searches exactly and gets the same
answer. Ids and vectors go in, never text.
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

from patternmind.clustering.neighbours import cosine_similarity
from patternmind.domain.cases import CaseKind, kind_from_id
from patternmind.domain.themes import Vectors
from patternmind.errors import IndexUnavailable
from patternmind.ports import Hit

MAX_BATCH_ROWS = 5000
"""Chroma takes at most 5,461 rows at once."""

CANDIDATES_PER_RESULT = 4
"""Candidates asked of the approximate index for each result wanted; the exact cosine then ranks them."""


class ExactIndex:
    """Implements ``ports.VectorIndex`` over rows held in memory; the oracle of the other one."""

    def __init__(self, ids: Sequence[str], vectors: Vectors) -> None:
        self._ids = list(ids)
        self._vectors = vectors

    def search(self, vector: Vectors, k: int, *, kind: CaseKind | None = None) -> list[Hit]:
        return _rank_hits(self._ids, self._vectors, vector, k, kind)


def _rank_hits(ids: Sequence[str], vectors: Vectors, vector: Vectors, k: int, kind: CaseKind | None) -> list[Hit]:
    if not len(ids):
        return []
    scores = cosine_similarity(vectors, vector[None, :])[:, 0]
    rows = (row for row, id in enumerate(ids) if kind in (None, kind_from_id(id)))
    order = sorted(rows, key=lambda row: (-float(scores[row]), ids[row]))[:k]
    return [Hit(ids[row], float(scores[row])) for row in order]


@dataclass(frozen=True, slots=True)
class IndexCheck:
    """How an index differs from the rows: ids it lacks, ids it should not have, ids with another vector."""

    n_rows: int
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    different: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not (self.missing or self.extra or self.different)


def digest_rows(ids: Sequence[str], vectors: Vectors) -> str:
    """Names exactly these rows, whatever their order."""
    rows = sorted((id, hashlib.sha256(vector.tobytes()).hexdigest()) for id, vector in zip(ids, vectors, strict=True))
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


class ChromaIndex:
    """Implements ``ports.VectorIndex`` on embedded Chroma, while this process holds the folder's lock."""

    def __init__(self, folder: Path, *, name: str) -> None:
        """Take ownership of the index in a folder.

        Raises:
            IndexUnavailable: another process owns it, or the folder cannot be written.
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
            raise IndexUnavailable("Another process owns the index; search goes on without it.") from error

    def close(self) -> None:
        with closing(self._lock):
            self._close_client()

    def _close_client(self) -> None:
        """Close the files: Chroma keeps them open for the next client of this process, also once they are deleted."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def holds(self, digest: str) -> bool:
        """Whether the index was built from exactly these rows (``digest_rows``)."""
        try:
            manifest = json.loads((self._folder / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return manifest == {"name": self._name, "digest": digest}

    def rebuild(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Throw the index away and build it from these rows."""
        self.drop()
        with _translate_index_errors(self._folder):
            collection = self._collection()
            for start in range(0, len(ids), MAX_BATCH_ROWS):
                rows = slice(start, start + MAX_BATCH_ROWS)
                collection.upsert(ids=list(ids[rows]), embeddings=vectors[rows])
            manifest = {"name": self._name, "digest": digest_rows(ids, vectors)}
            (self._folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    def drop(self) -> None:
        """Throw the index away, its files too: a deleted row stays in them otherwise."""
        with _translate_index_errors(self._folder):
            self._close_client()
            (self._folder / "manifest.json").unlink(missing_ok=True)
            if (self._folder / "chroma").exists():
                shutil.rmtree(self._folder / "chroma")

    def verify(self, ids: Sequence[str], vectors: Vectors) -> IndexCheck:
        """Compare every row of the index with the rows it should hold."""
        with _translate_index_errors(self._folder):
            held = self._rows()
        wanted = dict(zip(ids, vectors, strict=True))
        return IndexCheck(
            n_rows=len(held),
            missing=tuple(sorted(set(wanted) - set(held))),
            extra=tuple(sorted(set(held) - set(wanted))),
            different=tuple(
                sorted(id for id in set(held) & set(wanted) if not np.allclose(held[id], wanted[id], atol=1e-6))
            ),
        )

    def search(self, vector: Vectors, k: int, *, kind: CaseKind | None = None) -> list[Hit]:
        """Of one kind, all rows are looked through: there may be few of it, and none of them near."""
        with _translate_index_errors(self._folder):
            collection = self._collection()
            n = collection.count()
            wanted = n if kind is not None else min(max(50, CANDIDATES_PER_RESULT * k), n)
            if not wanted:
                return []
            found = collection.query(query_embeddings=[vector], n_results=wanted, include=["embeddings"])
        return _rank_hits(found["ids"][0], np.asarray(found["embeddings"][0], np.float32), vector, k, kind)

    def _rows(self) -> Mapping[str, Vectors]:
        held = self._collection().get(include=["embeddings"])
        return dict(zip(held["ids"], np.asarray(held["embeddings"], np.float32), strict=True))

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
    """Chroma raises many kinds, some from Rust; whatever it is, the index is not needed and can be rebuilt."""
    try:
        yield
    except IndexUnavailable:
        raise
    except Exception as error:
        reason = type(error).__name__
        raise IndexUnavailable(
            f"The index in {folder} cannot be used ({reason}). Search works without it; "
            "`patternmind index rebuild` makes it anew."
        ) from error
