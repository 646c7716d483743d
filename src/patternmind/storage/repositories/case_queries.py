"""Paged queries of cases; an index serves each, so that a list reads only the rows it shows."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, exists, func, literal_column, or_, select, tuple_
from sqlalchemy import cast as cast_column

from patternmind.domain.cases import Case, CaseKind, Consent
from patternmind.domain.read_models import (
    CaseFilter,
    CaseOrder,
    CaseWithAssignment,
    Page,
)
from patternmind.domain.themes import Assignment
from patternmind.errors import UsageError
from patternmind.ports import CaseTexts
from patternmind.storage import records, schema
from patternmind.storage.repositories.base import chunked
from patternmind.storage.repositories.case_erasure import CaseErasure
from patternmind.storage.repositories.runs import read_assignment

MAX_INDEXED_MATCHES = 400
"""Number of matches below which looking up each case is faster than a scan."""

case, assignment = schema.case, schema.assignment


class CaseQueries(CaseErasure):
    """Implements the queries of ``ports.QueryStore`` about cases."""

    def cases_by_id(self, case_ids: Sequence[str]) -> dict[str, Case]:
        query = self._select(case, case.c.id, case.c.body, case.c.duplicate_of)
        with self._read_transaction() as connection:
            return {
                row.id: records.read_case(row.body, row.duplicate_of)
                for chunk in chunked(sorted(set(case_ids)))
                for row in connection.execute(query.where(case.c.id.in_(chunk)))
            }

    def related_cases(self, case: Case) -> list[Case]:
        own_ids = [case.id, case.external_id] if case.external_id else [case.id]
        body = cast_column(schema.case.c.body, Text)
        names_case = or_(*(body.contains(json.dumps(own_id), autoescape=True) for own_id in own_ids))
        recaps = (schema.case.c.kind == CaseKind.RECAP.value) & names_case
        linked_ids = sorted({*case.linked_cases, case.duplicate_of} - {None}, key=str)
        query = self._select(schema.case, schema.case.c.id, schema.case.c.body, schema.case.c.duplicate_of).where(
            schema.case.c.id != case.id
        )
        # separate queries, so that each uses its index: joined by OR they would scan all cases
        conditions = [
            schema.case.c.duplicate_of == case.id,
            recaps,
            *([schema.case.c.id.in_(linked_ids), schema.case.c.external_id.in_(linked_ids)] if linked_ids else []),
        ]
        with self._read_transaction() as connection:
            rows = [row for condition in conditions for row in connection.execute(query.where(condition)).all()]
        cases = {row.id: records.read_case(row.body, row.duplicate_of) for row in rows}
        return [cases[id] for id in sorted(cases)]

    def iter_case_texts(self, *, after_number: int = 0) -> Iterator[CaseTexts]:
        query = self._select(case, case.c.id, case.c.body).where(case.c.number > after_number).order_by(case.c.number)
        with self._read_transaction() as connection:
            for row in connection.execute(query):
                body = row.body
                yield row.id, Consent(body["consent"]), (*body["text"].values(), *body["extra"].values())

    def find_assignment(self, case_id: str, lens: str | None = None) -> Assignment | None:
        with self._read_transaction() as connection:
            return self._load_assignments(connection, [case_id], lens).get(case_id)

    def list_cases(
        self,
        case_filter: CaseFilter,
        *,
        limit: int,
        cursor: str | None = None,
        order: CaseOrder = CaseOrder.ID,
    ) -> Page[CaseWithAssignment]:
        with self._read_transaction() as connection:
            query = self._select_filtered(connection, case_filter)
            if query is None:
                return Page(())
            rows = connection.execute(_apply_order(query, order, cursor).limit(limit + 1)).all()
            case_ids = [row.id for row in rows[:limit]]
            cases = self._load_cases_with_assignments(connection, case_ids, case_filter.lens)
        next_cursor = _cursor_of(rows[limit - 1], order) if len(rows) > limit else None
        return Page(tuple(cases[id] for id in case_ids), next_cursor)

    def count_cases(self, case_filter: CaseFilter) -> int:
        with self._read_transaction() as connection:
            query = self._select_filtered(connection, case_filter)
            if query is None:
                return 0
            if case_filter == CaseFilter(unplaced_only=True, lens=case_filter.lens):
                return self._count_unplaced(connection, case_filter.lens)
            return connection.execute(query.with_only_columns(func.count())).scalar_one()

    def _count_unplaced(self, connection: Connection, lens: str | None) -> int:
        """Count the cases without a theme as the difference of two counts."""
        run = self._last_run(connection, lens)
        n_cases = connection.execute(self._select(case, func.count())).scalar_one()
        placed = self._select(assignment, func.count()).where(
            assignment.c.run_id == (run.id if run else ""), assignment.c.theme_id.is_not(None)
        )
        return n_cases - connection.execute(placed).scalar_one()

    def list_assignments(
        self, lens: str | None = None, *, limit: int, cursor: str | None = None
    ) -> Page[tuple[str | None, Assignment]]:
        with self._read_transaction() as connection:
            run = self._last_run(connection, lens)
            query = (
                self._select(assignment, assignment, case.c.external_id)
                .outerjoin(case, (case.c.network_id == assignment.c.network_id) & (case.c.id == assignment.c.case_id))
                .where(assignment.c.run_id == (run.id if run else ""), assignment.c.case_id > (cursor or ""))
                .order_by(assignment.c.case_id)
                .limit(limit + 1)
            )
            rows = connection.execute(query).all()
        assignments = tuple((row.external_id, read_assignment(row)) for row in rows[:limit])
        return Page(assignments, assignments[-1][1].case_id if len(rows) > limit else None)

    def list_teams(self) -> list[str]:
        # step from one team to the next in the index: DISTINCT would scan all cases
        first = self._select(case, func.min(case.c.team).label("team")).where(case.c.team.is_not(None))
        teams = first.cte("teams", recursive=True)
        next_team = self._select(case, func.min(case.c.team)).where(case.c.team > teams.c.team).scalar_subquery()
        teams = teams.union_all(select(next_team).where(teams.c.team.is_not(None)))
        with self._read_transaction() as connection:
            return list(connection.execute(select(teams.c.team).where(teams.c.team.is_not(None))).scalars())

    def _select_filtered(self, connection: Connection, case_filter: CaseFilter) -> Select[Any] | None:
        """Select ids and dates of the matching cases; None if no case can match."""
        words = fts_query(case_filter.search_words)
        if case_filter.search_words.strip() and not words:
            return None
        run = (
            self._last_run(connection, case_filter.lens) if case_filter.theme_id or case_filter.unplaced_only else None
        )
        if case_filter.theme_id and run is None:
            return None
        query = self._select(case, case.c.id, case.c.dated)
        if words and self._has_few_matches(connection, words):
            # "likely" keeps the network out of the choice of an index: otherwise SQLite scans all its cases
            columns: Any = select(case.c.id, case.c.dated)
            query = columns.where(func.likely(case.c.network_id) == self._network_id)
        query = query.where(*_filter_conditions(case_filter))
        if words:
            query = query.where(case.c.number.in_(_select_matching_numbers(words)))
        if run is not None:
            query = query.where(self._placement_condition(run.id, case_filter))
        return query

    def _has_few_matches(self, connection: Connection, words: str) -> bool:
        """Return True if few cases match the words: reading and sorting them is faster than a scan."""
        matches = _select_matching_numbers(words).limit(MAX_INDEXED_MATCHES).subquery()
        return connection.execute(select(func.count()).select_from(matches)).scalar_one() < MAX_INDEXED_MATCHES

    def _placement_condition(self, run_id: str, case_filter: CaseFilter) -> ColumnElement[bool]:
        of_run = and_(assignment.c.network_id == self._network_id, assignment.c.run_id == run_id)
        if case_filter.theme_id:
            members = select(assignment.c.case_id).where(of_run, assignment.c.theme_id == case_filter.theme_id)
            return case.c.id.in_(members)
        placed = select(1).where(of_run, assignment.c.case_id == case.c.id, assignment.c.theme_id.is_not(None))
        return ~exists(placed.correlate(case))

    def _load_cases_with_assignments(
        self, connection: Connection, ids: Sequence[str], lens: str | None
    ) -> dict[str, CaseWithAssignment]:
        query = self._select(case, case.c.id, case.c.body, case.c.duplicate_of)
        rows = [row for chunk in chunked(ids) for row in connection.execute(query.where(case.c.id.in_(chunk)))]
        assignments = self._load_assignments(connection, ids, lens)
        return {
            row.id: CaseWithAssignment(records.read_case(row.body, row.duplicate_of), assignments.get(row.id))
            for row in rows
        }

    def _load_assignments(self, connection: Connection, ids: Sequence[str], lens: str | None) -> dict[str, Assignment]:
        run = self._last_run(connection, lens)
        if run is None:
            return {}
        query = self._select(assignment).where(assignment.c.run_id == run.id)
        return {
            row.case_id: read_assignment(row)
            for chunk in chunked(ids)
            for row in connection.execute(query.where(assignment.c.case_id.in_(chunk)))
        }


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


def _apply_order(query: Select[Any], order: CaseOrder, cursor: str | None) -> Select[Any]:
    if order is CaseOrder.ID:
        query = query if cursor is None else query.where(case.c.id > cursor)
        return query.order_by(case.c.id)
    if cursor is not None:
        day, separator, case_id = cursor.partition(" ")
        if not separator:
            raise UsageError("The cursor belongs to a list in another order. Start again at the first page.")
        query = query.where(tuple_(case.c.dated, case.c.id) < tuple_(day, case_id))
    return query.order_by(case.c.dated.desc(), case.c.id.desc())


def _cursor_of(row: Any, order: CaseOrder) -> str:
    return row.id if order is CaseOrder.ID else f"{row.dated} {row.id}"


def fts_query(words: str) -> str:
    """Build a full-text query that matches cases with all words, each also as a prefix.

    The query is empty if there are no words.
    """
    return " ".join(f'"{word}"*' for word in re.findall(r"\w+", words))


def _select_matching_numbers(words: str) -> Any:
    rowid = cast(Any, literal_column("rowid"))
    is_match: Any = literal_column("case_words").op("MATCH")(words)
    return select(rowid).select_from(schema.case_words).where(is_match)
