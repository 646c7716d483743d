"""Counts of a network, cached until data is written.

Counting scans an index, so it takes longer in a larger network.
"""

from patternmind.domain.read_models import CaseFilter, NetworkCounts
from patternmind.ports import Store
from patternmind.services.versioned_cache import VersionedCache

_COUNTS_CACHE: VersionedCache[NetworkCounts] = VersionedCache()
_CASE_COUNT_CACHE: VersionedCache[int] = VersionedCache()


def get_counts(store: Store) -> NetworkCounts:
    """Return ``store.network_counts``, cached."""
    return _COUNTS_CACHE.get_or_compute(store, store.network_counts)


def count_matching_cases(store: Store, filters: CaseFilter) -> int:
    """Return ``store.cases.count``, cached."""
    return _CASE_COUNT_CACHE.get_or_compute(store, lambda: store.cases.count(filters), key=filters)
