"""Build the queries of case lists; an index serves each, so that a list reads only the rows it shows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select, tuple_

from patternmind.domain.read_models import CaseFilter, CaseOrder, CaseWithAssignment
from patternmind.errors import UsageError
from patternmind.storage import records, schema
from patternmind.storage.database import Transaction, chunked
from patternmind.storage.dialects import sqlite
from patternmind.storage.repositories.runs import SqlRunRepository

MAX_INDEXED_MATCHES = 400
"""Number of matches below which looking up each case is faster than a scan."""

case, assignment = schema.case, schema.assignment


def select_filtered(tx: Transaction, case_filter: CaseFilter) -> Select[Any] | None:
    """Select ids and dates of the matching cases; None if no case can match."""
    words = sqlite.fts_query(case_filter.search_words)
    if case_filter.search_words.strip() and not words:
        return None
    needs_run = case_filter.theme_id or case_filter.unplaced_only
    run = SqlRunRepository(tx).latest(case_filter.lens) if needs_run else None
    if case_filter.theme_id and run is None:
        return None
    query = tx.select(case, case.c.id, case.c.dated)
    if words and _has_few_matches(tx, words):
        # "likely" keeps the network out of the choice of an index: otherwise SQLite scans all its cases
        columns: Any = select(case.c.id, case.c.dated)
        query = columns.where(sqlite.likely(case.c.network_id) == tx.network_id)
    query = query.where(*_filter_conditions(case_filter))
    if words:
        query = query.where(case.c.number.in_(sqlite.select_matching_numbers(words)))
    if run is not None:
        query = query.where(_placement_condition(tx, run.id, case_filter))
    return query


def apply_order(query: Select[Any], order: CaseOrder, cursor: str | None) -> Select[Any]:
    """Order a query, and start it after a cursor.

    Raises:
        UsageError: the cursor belongs to a list in another order.
    """
    if order is CaseOrder.ID:
        query = query if cursor is None else query.where(case.c.id > cursor)
        return query.order_by(case.c.id)
    if cursor is not None:
        day, separator, case_id = cursor.partition(" ")
        if not separator:
            raise UsageError("The cursor belongs to a list in another order. Start again at the first page.")
        query = query.where(tuple_(case.c.dated, case.c.id) < tuple_(day, case_id))
    return query.order_by(case.c.dated.desc(), case.c.id.desc())


def cursor_of(row: Any, order: CaseOrder) -> str:
    return row.id if order is CaseOrder.ID else f"{row.dated} {row.id}"


def count_unplaced(tx: Transaction, lens: str | None) -> int:
    """Count the cases without a theme as the difference of two counts."""
    run = SqlRunRepository(tx).latest(lens)
    placed = tx.select(assignment, func.count()).where(
        assignment.c.run_id == (run.id if run else ""), assignment.c.theme_id.is_not(None)
    )
    return tx.scalar(tx.select(case, func.count())) - tx.scalar(placed)


def load_with_assignments(tx: Transaction, ids: Sequence[str], lens: str | None) -> dict[str, CaseWithAssignment]:
    query = tx.select(case, case.c.id, case.c.body, case.c.duplicate_of)
    rows = [row for chunk in chunked(ids) for row in tx.rows(query.where(case.c.id.in_(chunk)))]
    assignments = SqlRunRepository(tx).assignments_of(ids, lens)
    return {
        row.id: CaseWithAssignment(records.read_case(row.body, row.duplicate_of), assignments.get(row.id))
        for row in rows
    }


def _has_few_matches(tx: Transaction, words: str) -> bool:
    """Return True if few cases match the words: reading and sorting them is faster than a scan."""
    matches = sqlite.select_matching_numbers(words).limit(MAX_INDEXED_MATCHES).subquery()
    return tx.scalar(select(func.count()).select_from(matches)) < MAX_INDEXED_MATCHES


def _placement_condition(tx: Transaction, run_id: str, case_filter: CaseFilter) -> ColumnElement[bool]:
    of_run = (assignment.c.network_id == tx.network_id) & (assignment.c.run_id == run_id)
    if case_filter.theme_id:
        members = select(assignment.c.case_id).where(of_run, assignment.c.theme_id == case_filter.theme_id)
        return case.c.id.in_(members)
    placed = select(1).where(of_run, assignment.c.case_id == case.c.id, assignment.c.theme_id.is_not(None))
    return ~exists(placed.correlate(case))


def _filter_conditions(case_filter: CaseFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, value in (
        (case.c.kind, case_filter.kind),
        (case.c.team, case_filter.team),
        (case.c.status, case_filter.status),
    ):
        if value is not None:
            conditions.append(column == value)
    if case_filter.since is not None:
        conditions.append(case.c.dated >= case_filter.since.isoformat())
    if case_filter.until is not None:
        conditions.append(case.c.dated.between("0", case_filter.until.isoformat()))
    if case_filter.flag:
        conditions.append(case.c.flags.contains(f"|{case_filter.flag}", autoescape=True))
    return conditions
