"""In-memory cache of results, valid until the version of the store's data changes.

Every read checks that version first, so a process never returns results that another process has made outdated.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from patternmind.ports import Store

Value = TypeVar("Value")

MAX_ENTRIES = 64
"""Results per cache and store; the oldest is dropped first."""


class _StoreEntries:
    """Cached results of one store. ``lock`` lets one reader compute while the others wait."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.version: Hashable = None
        self.values: dict[Hashable, object] = {}


class VersionedCache(Generic[Value]):
    """Cache of one kind of result for any number of stores; entries live as long as their store.

    Results are dropped when ``get_version`` returns another value; by default, when any readable data changes.
    """

    def __init__(self, get_version: Callable[[Store], Hashable] = lambda store: store.data_version()) -> None:
        self._get_version = get_version
        self._lock = threading.Lock()
        self._entries: WeakKeyDictionary[Store, _StoreEntries] = WeakKeyDictionary()

    def get_or_compute(self, store: Store, make: Callable[[], Value], *, key: Hashable = None) -> Value:
        """Return the cached result, or the result of ``make`` if the data changed.

        Args:
            make: Reads the store and no other mutable data. Its result must not be modified.
            key: Everything else that the result depends on.
        """
        with self._lock:
            entries = self._entries.setdefault(store, _StoreEntries())
        with entries.lock:
            # Read the version before the data: a write in between then makes the next reader compute again.
            version = self._get_version(store)
            if entries.version != version:
                entries.version, entries.values = version, {}
            if key not in entries.values:
                entries.values[key] = make()
                if len(entries.values) > MAX_ENTRIES:
                    del entries.values[next(iter(entries.values))]
            return cast(Value, entries.values[key])
