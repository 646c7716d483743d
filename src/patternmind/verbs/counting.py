"""How much there is, kept until something is written: counting reads an index through, which grows with the network."""

from patternmind.model.reading import CasesWanted, Counts
from patternmind.ports import Store
from patternmind.verbs.keeping import Keeping

_COUNTS: Keeping[Counts] = Keeping()
_CASES: Keeping[int] = Keeping()


def counts_of(store: Store, lens: str | None = None) -> Counts:
    """As ``store.counts``."""
    return _COUNTS.of(store, lambda: store.counts(lens), key=lens)


def n_cases_of(store: Store, wanted: CasesWanted) -> int:
    """As ``store.count_cases``."""
    return _CASES.of(store, lambda: store.count_cases(wanted), key=wanted)
