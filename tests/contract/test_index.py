"""Contract of the exact index and the Chroma index: the same cases with the same scores.

The Chroma index also identifies its rows and can be rebuilt.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from patternmind.domain.themes import Vectors
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import ErrorCode, IndexUnavailable
from patternmind.ports import Hit, VectorIndex
from patternmind.storage.search.chroma import ChromaIndex, IndexCheck, digest_rows
from patternmind.storage.search.exact import ExactIndex

N, D = 2000, 32


def unit_rows(n: int, seed: int) -> Vectors:
    rows = np.random.default_rng(seed).standard_normal((n, D))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


IDS = [f"c-{number:04d}" for number in range(N)]
ROWS = unit_rows(N, 0)


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaIndex]:
    index = ChromaIndex(tmp_path_factory.mktemp("index"), name="mini/1")
    index.rebuild(IDS, ROWS)
    yield index
    index.close()


@pytest.fixture(params=["exact", "chroma"])
def index(request: pytest.FixtureRequest, chroma: ChromaIndex) -> VectorIndex:
    return chroma if request.param == "chroma" else ExactIndex(IDS, ROWS)


def build_small_index(folder: Path, n: int = 20) -> ChromaIndex:
    index = ChromaIndex(folder, name="mini/1")
    index.rebuild(IDS[:n], ROWS[:n])
    return index


# both indexes


def test_index_returns_a_case_as_its_own_nearest_with_score_one(index: VectorIndex) -> None:
    for row in (0, 7, N - 1):
        best = index.search(ROWS[row], 1)[0]
        assert (best.case_id, round(best.score, 3)) == (IDS[row], 1.0)


def test_index_returns_k_distinct_hits_best_first(index: VectorIndex) -> None:
    for k in (1, 10, 300, N, N + 5):
        hits = index.search(ROWS[3], k)
        assert len(hits) == len({hit.case_id for hit in hits}) == min(k, N)
        assert all(hit.score >= next_hit.score for hit, next_hit in pairwise(hits))
    assert index.search(ROWS[3], 0) == []


def test_chroma_index_returns_the_hits_of_the_exact_index(chroma: ChromaIndex) -> None:
    exact = ExactIndex(IDS, ROWS)
    for query in unit_rows(40, 1):
        assert chroma.search(query, 10) == exact.search(query, 10)


def test_index_orders_equal_scores_by_id(tmp_path: Path) -> None:
    ids, equal_rows = ["c-2", "c-1", "c-3"], np.tile(ROWS[:1], (3, 1))
    index = ChromaIndex(tmp_path, name="mini/1")
    index.rebuild(ids, equal_rows)
    expected = [Hit(id, pytest.approx(1.0, abs=1e-3)) for id in ("c-1", "c-2", "c-3")]  # pyright: ignore[reportArgumentType]
    assert ExactIndex(ids, equal_rows).search(ROWS[0], 3) == index.search(ROWS[0], 3) == expected
    index.close()


def test_empty_index_finds_nothing(tmp_path: Path) -> None:
    index = ChromaIndex(tmp_path, name="mini/1")
    index.rebuild([], ROWS[:0])
    assert index.search(ROWS[0], 5) == ExactIndex([], ROWS[:0]).search(ROWS[0], 5) == []
    index.close()


# the Chroma index


def test_index_is_current_only_for_the_rows_it_was_built_from(tmp_path: Path) -> None:
    index = ChromaIndex(tmp_path, name="mini/1")
    assert not index.is_current(digest_rows([], ROWS[:0]))
    index.rebuild(IDS[:20], ROWS[:20])
    assert index.is_current(digest_rows(IDS[:20], ROWS[:20]))
    assert index.is_current(digest_rows(list(reversed(IDS[:20])), ROWS[:20][::-1]))
    assert not index.is_current(digest_rows(IDS[:19], ROWS[:19]))
    assert not index.is_current(digest_rows(IDS[1:21], ROWS[:20]))
    assert not index.is_current(digest_rows(IDS[:20], -ROWS[:20]))
    index.close()
    other = ChromaIndex(tmp_path, name="mini/2")
    assert not other.is_current(digest_rows(IDS[:20], ROWS[:20]))
    other.close()


def test_rebuilt_index_contains_only_the_new_rows(tmp_path: Path) -> None:
    index = build_small_index(tmp_path)
    index.rebuild(IDS[10:40], ROWS[10:40])
    assert index.verify(IDS[10:40], ROWS[10:40]) == IndexCheck(n_rows=30, missing=(), extra=(), different=())
    assert {hit.case_id for hit in index.search(ROWS[0], 99)} == set(IDS[10:40])
    index.close()


def test_index_check_names_every_different_row(tmp_path: Path) -> None:
    index = build_small_index(tmp_path)
    changed_rows: NDArray[np.float32] = ROWS[:21].copy()
    changed_rows[5] = -changed_rows[5]
    check = index.verify(IDS[1:21], changed_rows[1:])
    assert check == IndexCheck(n_rows=20, missing=(IDS[20],), extra=(IDS[0],), different=(IDS[5],))
    assert not check.is_ok
    assert index.verify(IDS[:20], ROWS[:20]).is_ok
    index.close()


def test_index_is_reused_by_the_next_process(tmp_path: Path) -> None:
    build_small_index(tmp_path).close()
    again = ChromaIndex(tmp_path, name="mini/1")
    assert again.is_current(digest_rows(IDS[:20], ROWS[:20]))
    assert again.search(ROWS[3], 5) == ExactIndex(IDS[:20], ROWS[:20]).search(ROWS[3], 5)
    again.close()


def test_index_has_one_owner_at_a_time(tmp_path: Path) -> None:
    owner = build_small_index(tmp_path)
    with pytest.raises(IndexUnavailable, match="Another process"):
        ChromaIndex(tmp_path, name="mini/1")
    owner.close()
    ChromaIndex(tmp_path, name="mini/1").close()


def test_damaged_index_raises_and_can_be_rebuilt(tmp_path: Path) -> None:
    build_small_index(tmp_path).close()
    database = tmp_path / "chroma" / "chroma.sqlite3"
    database.write_bytes(b"no database " * 4000)
    for log in database.parent.glob("chroma.sqlite3-*"):
        log.unlink()
    index = ChromaIndex(tmp_path, name="mini/1")
    for query in (lambda: index.search(ROWS[0], 3), lambda: index.verify(IDS[:20], ROWS[:20])):
        with pytest.raises(IndexUnavailable, match="rebuild it") as raised:
            query()
        assert raised.value.code is ErrorCode.INDEX_DAMAGED
    index.rebuild(IDS[:20], ROWS[:20])
    assert index.verify(IDS[:20], ROWS[:20]).is_ok
    index.close()


@pytest.mark.parametrize("manifest", ["", "[]", '{"digest": 1}', "\0"])
def test_index_is_not_current_when_its_manifest_is_damaged(tmp_path: Path, manifest: str) -> None:
    index = build_small_index(tmp_path)
    (tmp_path / "manifest.json").write_text(manifest)
    assert not index.is_current(digest_rows(IDS[:20], ROWS[:20]))
    index.close()


def test_index_raises_when_its_folder_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file")
    with pytest.raises(IndexUnavailable):
        ChromaIndex(tmp_path / "index", name="mini/1")


def test_index_files_contain_no_text(tmp_path: Path) -> None:
    text = "The supplier Halvorsen forgot the paper"
    index = ChromaIndex(tmp_path, name="hashing/1")
    index.rebuild(["c-1"], HashingEncoder().encode([text]))
    index.close()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(word.encode() in path.read_bytes() for path in files for word in ("Halvorsen", "supplier"))
