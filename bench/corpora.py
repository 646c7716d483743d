"""Corpora as cached files: vectors (n, d) as .npy, rows (ids, labels, texts) as JSON.

Vectors come from a folder of precomputed ones, or from our encoder.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import Vectors
from patternmind.evals.datasets.corpora import ARXIV, CORPORA, read_jsonl

ARXIV_NAME = "arxiv"
ARXIV_ROWS = 20_000
ARXIV_PAIRS = "arxiv pairs"
ARXIV_PAIRS_SOURCE_ROWS = 150_000
"""Number of arXiv rows from which any number of pairs is drawn."""
TEXT_FIELDS = ("title", "abstract", "driving_event", "lesson", "recommendation")
CORPUS_FILES = {corpus.name: corpus.file for corpus in CORPORA} | {ARXIV_NAME: ARXIV.file}
LABELLED_CORPORA = ("banking77", "complaints", "bills", ARXIV_NAME)


class VectorsNotReady(Exception):
    """Precomputed vectors cannot be used; the message states the reason."""


@dataclass(frozen=True, slots=True)
class CorpusRows:
    """Ids, labels and texts of rows; rows without a label have ``None``."""

    ids: list[str]
    labels: list[str | None]
    texts: list[str]

    def first(self, n: int) -> "CorpusRows":
        return CorpusRows(self.ids[:n], self.labels[:n], self.texts[:n])


@dataclass(frozen=True, slots=True)
class BenchPaths:
    """Folders of the bench.

    ``vectors`` is a folder of precomputed vectors (NAME.npy, NAME.json) or ``None``.
    """

    corpora: Path
    cache: Path
    vectors: Path | None


def read_rows(name: str, corpora: Path) -> CorpusRows:
    """Read a corpus in the order of its file.

    arXiv is ordered by the hash of the id, so that its first n rows are a random sample.
    """
    rows = list(read_jsonl(corpora / CORPUS_FILES[name]))
    if name == ARXIV_NAME:
        rows.sort(key=lambda row: hashlib.sha256(str(row["id"]).encode()).hexdigest())
    return CorpusRows(
        [str(row["id"]) for row in rows],
        [str(row["label"]) if row.get("label") else None for row in rows],
        [row_text(row) for row in rows],
    )


def row_text(row: Mapping[str, Any]) -> str:
    return str(row.get("text") or "\n".join(str(row[name]) for name in TEXT_FIELDS if row.get(name)))


def prepare_corpus(name: str, n: int, paths: BenchPaths) -> tuple[Path, Path]:
    """Return the files of the first ``n`` rows of a corpus (0 for all); create missing ones.

    Raises:
        VectorsNotReady: The folder of precomputed vectors has other rows, or too few so far.
    """
    if name == ARXIV_PAIRS:
        return _prepare_arxiv_pairs(n, paths)
    rows_file = paths.cache / f"{name}-{n}.rows.json"
    if not rows_file.is_file():
        paths.cache.mkdir(parents=True, exist_ok=True)
        rows = read_rows(name, paths.corpora)
        write_rows(rows_file, rows.first(n or len(rows.ids)))
    rows = load_rows(rows_file)
    if paths.vectors and (paths.vectors / f"{name}.npy").is_file():
        return _check_ready_vectors(name, rows, paths.vectors), rows_file
    content = hashlib.sha256("\0".join(rows.texts).encode()).hexdigest()[:16]
    vectors = paths.cache / f"{name}-{content}.npy"
    if not vectors.is_file():
        subprocess.run([sys.executable, "-m", "bench.corpora", str(rows_file), str(vectors)], check=True)
    return vectors, rows_file


def write_rows(path: Path, rows: CorpusRows) -> None:
    """Write rows, with texts in a separate file that only some methods load."""
    _texts_path(path).write_text(json.dumps(rows.texts, ensure_ascii=False), encoding="utf-8")
    path.write_text(json.dumps({"ids": rows.ids, "labels": rows.labels}, ensure_ascii=False), encoding="utf-8")


def load_rows(path: Path, *, texts: bool = True) -> CorpusRows:
    values = json.loads(path.read_text(encoding="utf-8"))
    return CorpusRows(
        values["ids"], values["labels"], json.loads(_texts_path(path).read_text(encoding="utf-8")) if texts else []
    )


def _texts_path(path: Path) -> Path:
    return path.with_name(path.name.replace(".rows.json", ".texts.json"))


def load_vectors(path: Path, n: int) -> Vectors:
    """Load the first ``n`` vectors (0 for all) into memory, unit norm."""
    stored = np.load(path, mmap_mode="r")
    return np.array(stored[: n or len(stored)], np.float32)


def digest_vectors(path: Path, n: int) -> str:
    stored = np.load(path, mmap_mode="r")
    digest = hashlib.sha256()
    for start in range(0, n or len(stored), 50_000):
        digest.update(np.ascontiguousarray(stored[start : min(start + 50_000, n or len(stored))]).data)
    return digest.hexdigest()[:12]


def draw_pairs(labels: list[str], n: int, *, seed: int) -> NDArray[np.int64]:
    """Draw ``n`` random pairs (n, 2) of different rows with the same label.

    A label is drawn in proportion to its number of rows.
    """
    rng = np.random.default_rng(seed)
    label_number = np.unique(np.asarray(labels), return_inverse=True)[1]
    order = np.argsort(label_number, kind="stable")
    size = np.bincount(label_number)
    start = np.concatenate([[0], np.cumsum(size)[:-1]])
    label = rng.choice(len(size), n, p=np.where(size > 1, size, 0) / size[size > 1].sum())
    left = (rng.random(n) * size[label]).astype(np.int64)
    step = 1 + (rng.random(n) * (size[label] - 1)).astype(np.int64)
    right = (left + step) % size[label]
    return np.stack([order[start[label] + left], order[start[label] + right]], axis=1)


def _check_ready_vectors(name: str, rows: CorpusRows, folder: Path) -> Path:
    path = folder / f"{name}.npy"
    ids = [str(row[0]) for row in json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))]
    if ids[: len(rows.ids)] != rows.ids:
        raise VectorsNotReady(f"{path} has other rows than the corpus, or another order.")
    progress_file = folder / f"{name}.done"
    n_ready = (
        int(progress_file.read_text(encoding="utf-8")) if progress_file.is_file() else len(np.load(path, mmap_mode="r"))
    )
    if n_ready < len(rows.ids):
        raise VectorsNotReady(f"{path} has {n_ready:,} of {len(rows.ids):,} required rows. Try again later.")
    return path


def _prepare_arxiv_pairs(n: int, paths: BenchPaths) -> tuple[Path, Path]:
    """Create unit means of random pairs of arXiv rows of one category.

    This gives any number of vectors, mostly without repeats.
    """
    base, base_rows = prepare_corpus(ARXIV_NAME, ARXIV_PAIRS_SOURCE_ROWS, paths)
    out, rows_file = paths.cache / f"arxiv-pairs-{n}.npy", paths.cache / f"arxiv-pairs-{n}.rows.json"
    if not (out.is_file() and rows_file.is_file()):
        vectors, rows = np.load(base, mmap_mode="r"), load_rows(base_rows, texts=False)
        labels = [label or "" for label in rows.labels]
        pairs = draw_pairs(labels, n, seed=0)
        _write_in_blocks(out, n, vectors.shape[1], lambda part: vectors[pairs[part, 0]] + vectors[pairs[part, 1]])
        write_rows(rows_file, CorpusRows([str(row) for row in range(n)], [labels[int(row)] for row in pairs[:, 0]], []))
    return out, rows_file


def _write_in_blocks(out: Path, n: int, d: int, block: Callable[[slice], Vectors]) -> None:
    unfinished = out.with_suffix(".part")
    file = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.float32, shape=(n, d))
    for start in range(0, n, 50_000):
        part = slice(start, min(start + 50_000, n))
        mean = block(part)
        norms = np.linalg.norm(mean, axis=1, keepdims=True)
        file[part] = mean / np.where(norms > 0, norms, 1)
    file.flush()
    unfinished.rename(out)


def embed_rows(rows: Path, out: Path) -> None:
    """Encode the texts with our encoder and write (n, d) float32."""
    from patternmind.embedding.minilm_encoder import MiniLMEncoder  # loads torch, takes 5 s

    encoder = MiniLMEncoder(None, precision_cache=out.parent / "verdicts.json")
    np.save(out, encoder.encode(load_rows(rows).texts))


if __name__ == "__main__":
    embed_rows(Path(sys.argv[1]), Path(sys.argv[2]))
