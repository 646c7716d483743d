"""Concurrent readers of a cached result compute it once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from patternmind.services.network_settings import update_network
from patternmind.services.versioned_cache import MAX_ENTRIES, VersionedCache
from patternmind.storage import SqlStore


def test_cache_computes_a_result_once_for_concurrent_readers(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "patternmind.db")
    cache: VersionedCache[object] = VersionedCache()
    results: list[object] = []
    barrier = Barrier(8)

    def make() -> object:
        results.append(object())
        return results[-1]

    def read(_: int) -> object:
        barrier.wait()
        return cache.get_or_compute(store, make)

    with ThreadPoolExecutor(8) as readers:
        assert len(set(readers.map(read, range(8)))) == 1
    update_network(store, name="Docks")
    assert cache.get_or_compute(store, make) is results[1]
    assert len(results) == 2
    store.close()


def test_cache_drops_the_oldest_result_and_stores_no_failure(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "patternmind.db")
    cache: VersionedCache[object] = VersionedCache()
    for key in range(MAX_ENTRIES + 1):
        cache.get_or_compute(store, object, key=key)
    newest = cache.get_or_compute(store, object, key=MAX_ENTRIES)
    assert cache.get_or_compute(store, object, key=MAX_ENTRIES) is newest
    try:
        cache.get_or_compute(store, lambda: 1 // 0, key="failed")
    except ZeroDivisionError:
        assert cache.get_or_compute(store, lambda: 5, key="failed") == 5
    store.close()
