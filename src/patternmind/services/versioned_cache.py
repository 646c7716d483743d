"""Answers kept in the memory of this process for as long as the store's stamp says that they are still true.

Every reader asks for the stamp first, so no process answers from what another has changed meanwhile.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from patternmind.ports import Store

Value = TypeVar("Value")

MAX_ENTRIES = 64
"""Answers of one kind kept of one store; the oldest goes first."""


class _StoreEntries:
    """What is kept of one store. ``lock`` lets one reader make what the others wait for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.stamp: Hashable = None
        self.made: dict[Hashable, object] = {}


def _data_version(store: Store) -> Hashable:
    return store.data_version()


class VersionedCache(Generic[Value]):
    """One kind of answer, of any number of stores; it goes when its store does.

    ``stamp`` tells whether an answer is still true; by default anything that people read makes it untrue.
    """

    def __init__(self, stamp: Callable[[Store], Hashable] = _data_version) -> None:
        self._get_version = stamp
        self._lock = threading.Lock()
        self._entries: WeakKeyDictionary[Store, _StoreEntries] = WeakKeyDictionary()

    def get_or_compute(self, store: Store, make: Callable[[], Value], *, key: Hashable = None) -> Value:
        """What ``make`` gives, made only where something was written since.

        Args:
            make: reads the store and nothing else that changes; nobody may change what it gives.
            key: all else that the answer depends on.
        """
        with self._lock:
            shelf = self._entries.setdefault(store, _StoreEntries())
        with shelf.lock:
            stamp = self._get_version(
                store
            )  # before the reading: what is written meanwhile makes the next reader read again
            if shelf.stamp != stamp:
                shelf.stamp, shelf.made = stamp, {}
            if key not in shelf.made:
                shelf.made[key] = make()
                if len(shelf.made) > MAX_ENTRIES:
                    del shelf.made[next(iter(shelf.made))]
            return cast(Value, shelf.made[key])
