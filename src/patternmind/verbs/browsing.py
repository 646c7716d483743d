"""Lists of cases as pages show them: narrowed, newest first, with how many there are in all."""

from dataclasses import dataclass

from patternmind.model.reading import CaseOrder, CasesWanted, PlacedCase
from patternmind.ports import Store
from patternmind.verbs.counting import n_cases_of


@dataclass(frozen=True, slots=True)
class CasesFound:
    """Part of a list; ``following`` is the place after which it goes on, None where it ends; ``n`` are all of it."""

    rows: tuple[PlacedCase, ...]
    following: str | None
    n: int


def find_cases(store: Store, wanted: CasesWanted, *, limit: int, after: str | None = None) -> CasesFound:
    """Newest first, the undated last; the same date by falling id.

    Args:
        after: ``following`` of the page before.

    Raises:
        UsageError: ``after`` is no place of such a list.
    """
    page = store.list_cases(wanted, limit=limit, after=after, order=CaseOrder.NEWEST)
    return CasesFound(page.rows, page.following, n_cases_of(store, wanted))
