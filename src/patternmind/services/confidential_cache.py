"""What closed cases alone say, of a network of any size: read once into memory, and from then on only what changed."""

import threading
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from patternmind.domain.cases import Consent
from patternmind.domain.read_models import VectorVersion
from patternmind.ports import Store
from patternmind.publishing.confidential_index import ConfidentialIndex
from patternmind.publishing.confidential_phrases import ConfidentialPhrases


class _StoreIndex:
    """The words of one store as far as they were read. An erased case is forgotten with all the others."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.stamp: VectorVersion | None = None
        self.wording = ConfidentialIndex()

    def refresh(self, store: Store) -> ConfidentialIndex:
        stamp = store.vector_version()
        if self.stamp is None or self.stamp.n_removed != stamp.n_removed:
            self.stamp, self.wording = None, ConfidentialIndex()
        if self.stamp != stamp:
            rows = store.iter_case_texts(after_number=self.stamp.last_write_number if self.stamp else 0)
            self.wording.update((id, consent is Consent.NETWORK_ONLY, texts) for id, consent, texts in rows)
            self.stamp = stamp
        return self.wording


_INDEXES: WeakKeyDictionary[Store, _StoreIndex] = WeakKeyDictionary()
_LOCK = threading.Lock()


def find_confidential_phrases(store: Store, texts: Iterable[str]) -> ConfidentialPhrases:
    """As ``Closed.within`` these texts, over all cases of the network as they are now."""
    with _LOCK:
        read = _INDEXES.setdefault(store, _StoreIndex())
    with read.lock:
        return read.refresh(store).find_in(texts)
