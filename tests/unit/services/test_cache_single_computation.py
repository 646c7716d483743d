"""Of many who ask for the same at once, one makes it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from patternmind.services.network_settings import update_network
from patternmind.services.versioned_cache import MAX_ENTRIES, VersionedCache
from patternmind.storage import SqlStore


def test_one_makes_what_all_get(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "patternmind.db")
    keeping: VersionedCache[object] = VersionedCache()
    made: list[object] = []
    ready = Barrier(8)

    def make() -> object:
        made.append(object())
        return made[-1]

    def ask(_: int) -> object:
        ready.wait()
        return keeping.get_or_compute(store, make)

    with ThreadPoolExecutor(8) as readers:
        assert len(set(readers.map(ask, range(8)))) == 1
    update_network(store, name="Docks")
    assert keeping.get_or_compute(store, make) is made[1]
    assert len(made) == 2
    store.close()


def test_a_failure_is_not_kept_and_the_oldest_of_many_goes(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "patternmind.db")
    keeping: VersionedCache[object] = VersionedCache()
    for key in range(MAX_ENTRIES + 1):
        keeping.get_or_compute(store, object, key=key)
    newest = keeping.get_or_compute(store, object, key=MAX_ENTRIES)
    assert keeping.get_or_compute(store, object, key=MAX_ENTRIES) is newest
    try:
        keeping.get_or_compute(store, lambda: 1 // 0, key="failed")
    except ZeroDivisionError:
        assert keeping.get_or_compute(store, lambda: 5, key="failed") == 5
    store.close()
