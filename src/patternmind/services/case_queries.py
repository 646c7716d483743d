"""Lists of cases as pages show them: narrowed, newest first, with how many there are in all."""

from dataclasses import dataclass

from patternmind.domain.read_models import CaseFilter, CaseOrder, CaseWithAssignment
from patternmind.ports import Store
from patternmind.services.counts import count_matching_cases


@dataclass(frozen=True, slots=True)
class CasePage:
    """Part of a list; ``following`` is the place after which it goes on, None where it ends; ``n`` are all of it."""

    rows: tuple[CaseWithAssignment, ...]
    next_cursor: str | None
    n_total: int


def find_cases(store: Store, filters: CaseFilter, *, limit: int, after: str | None = None) -> CasePage:
    """Newest first, the undated last; the same date by falling id.

    Args:
        after: ``following`` of the page before.

    Raises:
        UsageError: ``after`` is no place of such a list.
    """
    page = store.list_cases(filters, limit=limit, cursor=after, order=CaseOrder.NEWEST)
    return CasePage(page.rows, page.next_cursor, count_matching_cases(store, filters))
