"""What closed cases alone say, of a network of any size: read once into memory, and from then on only what changed."""

import threading
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from patternmind.model.cases import Consent
from patternmind.model.reading import VectorStamp
from patternmind.ports import Store
from patternmind.publish.closed import Closed
from patternmind.publish.wording import Wording


class _Read:
    """The words of one store as far as they were read. An erased case is forgotten with all the others."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.stamp: VectorStamp | None = None
        self.wording = Wording()

    def refresh(self, store: Store) -> Wording:
        stamp = store.vector_stamp()
        if self.stamp is None or self.stamp.n_gone != stamp.n_gone:
            self.stamp, self.wording = None, Wording()
        if self.stamp != stamp:
            rows = store.case_words(since=self.stamp.newest if self.stamp else 0)
            self.wording.tell((id, consent is Consent.NETWORK_ONLY, texts) for id, consent, texts in rows)
            self.stamp = stamp
        return self.wording


_READ: WeakKeyDictionary[Store, _Read] = WeakKeyDictionary()
_LOCK = threading.Lock()


def closed_within(store: Store, texts: Iterable[str]) -> Closed:
    """As ``Closed.within`` these texts, over all cases of the network as they are now."""
    with _LOCK:
        read = _READ.setdefault(store, _Read())
    with read.lock:
        return read.refresh(store).closed_within(texts)
