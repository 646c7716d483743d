"""Filtered lists of cases, newest first, with the total count."""

from dataclasses import dataclass

from patternmind.domain.read_models import CaseFilter, CaseOrder, CaseWithAssignment
from patternmind.ports import Store
from patternmind.services.counts import count_matching_cases


@dataclass(frozen=True, slots=True)
class CasePage:
    """Page of a list of cases. ``next_cursor`` is None on the last page; ``n_total`` counts the whole list."""

    rows: tuple[CaseWithAssignment, ...]
    next_cursor: str | None
    n_total: int


def find_cases(store: Store, filters: CaseFilter, *, limit: int, after: str | None = None) -> CasePage:
    """List the cases that match, newest first; undated last, ties by descending id.

    Args:
        after: ``next_cursor`` of the previous page.

    Raises:
        UsageError: ``after`` is not a cursor of such a list.
    """
    page = store.cases.page(filters, limit=limit, cursor=after, order=CaseOrder.NEWEST)
    return CasePage(page.rows, page.next_cursor, count_matching_cases(store, filters))
