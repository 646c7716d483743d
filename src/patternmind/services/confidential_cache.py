"""In-memory index of phrases that only confidential cases contain, updated incrementally."""

import threading
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from patternmind.domain.read_models import VectorVersion
from patternmind.ports import Store
from patternmind.publishing.confidential_index import ConfidentialIndex
from patternmind.publishing.confidential_phrases import ConfidentialPhrases


class _StoreIndex:
    """Index of one store. Removing a case clears it, and all cases are read again."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.version: VectorVersion | None = None
        self.index = ConfidentialIndex()

    def refresh(self, store: Store) -> ConfidentialIndex:
        current_version = store.vectors.version()
        if self.version is None or self.version.n_removed != current_version.n_removed:
            self.version, self.index = None, ConfidentialIndex()
        if self.version != current_version:
            rows = store.cases.iter_texts(after_number=self.version.last_write_number if self.version else 0)
            self.index.update((id, not consent.is_publishable, texts) for id, consent, texts in rows)
            self.version = current_version
        return self.index


_INDEXES: WeakKeyDictionary[Store, _StoreIndex] = WeakKeyDictionary()
_LOCK = threading.Lock()


def find_confidential_phrases(store: Store, texts: Iterable[str]) -> ConfidentialPhrases:
    """Find the phrases in these texts that occur only in confidential cases of the network."""
    with _LOCK:
        store_index = _INDEXES.setdefault(store, _StoreIndex())
    with store_index.lock:
        return store_index.refresh(store).find_in(texts)
