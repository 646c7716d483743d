"""Answers kept in the memory of this process for as long as the store's stamp says that they are still true.

Every reader asks for the stamp first, so no process answers from what another has changed meanwhile.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from patternmind.ports import Store

Made = TypeVar("Made")

MOST = 64
"""Answers of one kind kept of one store; the oldest goes first."""


class _Shelf:
    """What is kept of one store. ``lock`` lets one reader make what the others wait for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.stamp: Hashable = None
        self.made: dict[Hashable, object] = {}


def _of_everything(store: Store) -> Hashable:
    return store.stamp()


class Keeping(Generic[Made]):
    """One kind of answer, of any number of stores; it goes when its store does.

    ``stamp`` tells whether an answer is still true; by default anything that people read makes it untrue.
    """

    def __init__(self, stamp: Callable[[Store], Hashable] = _of_everything) -> None:
        self._stamp = stamp
        self._lock = threading.Lock()
        self._shelves: WeakKeyDictionary[Store, _Shelf] = WeakKeyDictionary()

    def of(self, store: Store, make: Callable[[], Made], *, key: Hashable = None) -> Made:
        """What ``make`` gives, made only where something was written since.

        Args:
            make: reads the store and nothing else that changes; nobody may change what it gives.
            key: all else that the answer depends on.
        """
        with self._lock:
            shelf = self._shelves.setdefault(store, _Shelf())
        with shelf.lock:
            stamp = self._stamp(store)  # before the reading: what is written meanwhile makes the next reader read again
            if shelf.stamp != stamp:
                shelf.stamp, shelf.made = stamp, {}
            if key not in shelf.made:
                shelf.made[key] = make()
                if len(shelf.made) > MOST:
                    del shelf.made[next(iter(shelf.made))]
            return cast(Made, shelf.made[key])
