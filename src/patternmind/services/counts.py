"""How much there is, kept until something is written: counting reads an index through, which grows with the network."""

from patternmind.domain.read_models import CaseFilter, NetworkCounts
from patternmind.ports import Store
from patternmind.services.versioned_cache import VersionedCache

_COUNTS_CACHE: VersionedCache[NetworkCounts] = VersionedCache()
_CASE_COUNT_CACHE: VersionedCache[int] = VersionedCache()


def get_counts(store: Store, lens: str | None = None) -> NetworkCounts:
    """As ``store.network_counts``."""
    return _COUNTS_CACHE.get_or_compute(store, lambda: store.network_counts(lens), key=lens)


def count_matching_cases(store: Store, filters: CaseFilter) -> int:
    """As ``store.count_cases``."""
    return _CASE_COUNT_CACHE.get_or_compute(store, lambda: store.count_cases(filters), key=filters)
