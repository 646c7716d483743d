"""Cases a page at a time, by columns and indexes: no list reads more than it shows, whatever the network holds."""

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
"""Where fewer cases hold the words, looking each up is faster than going through the list until enough are found."""

case, assignment = schema.case, schema.assignment


class CaseQueries(CaseErasure):
    """Implements the part of ``ports.Reads`` that is about cases."""

    def cases_by_id(self, case_ids: Sequence[str]) -> dict[str, Case]:
        query = self._of(case, case.c.id, case.c.body, case.c.duplicate_of)
        with self._read_transaction() as connection:
            return {
                row.id: records.read_case(row.body, row.duplicate_of)
                for part in chunked(sorted(set(case_ids)))
                for row in connection.execute(query.where(case.c.id.in_(part)))
            }

    def related_cases(self, case: Case) -> list[Case]:
        names = [case.id, case.external_id] if case.external_id else [case.id]
        said = cast_column(schema.case.c.body, Text)
        named = or_(*(said.contains(json.dumps(name), autoescape=True) for name in names))
        recaps = (schema.case.c.kind == CaseKind.RECAP.value) & named
        told = sorted({*case.linked_cases, case.duplicate_of} - {None}, key=str)
        query = self._of(schema.case, schema.case.c.id, schema.case.c.body, schema.case.c.duplicate_of).where(
            schema.case.c.id != case.id
        )
        # one by one, so that each goes by its index: joined by "or" they read every case
        ways = [
            schema.case.c.duplicate_of == case.id,
            recaps,
            *([schema.case.c.id.in_(told), schema.case.c.external_id.in_(told)] if told else []),
        ]
        with self._read_transaction() as connection:
            rows = [row for way in ways for row in connection.execute(query.where(way)).all()]
        found = {row.id: records.read_case(row.body, row.duplicate_of) for row in rows}
        return [found[id] for id in sorted(found)]

    def iter_case_texts(self, *, after_number: int = 0) -> Iterator[CaseTexts]:
        query = self._of(case, case.c.id, case.c.body).where(case.c.number > after_number).order_by(case.c.number)
        with self._read_transaction() as connection:
            for row in connection.execute(query):
                body = row.body
                yield row.id, Consent(body["consent"]), (*body["text"].values(), *body["extra"].values())

    def place_of(self, case_id: str, lens: str | None = None) -> Assignment | None:
        with self._read_transaction() as connection:
            return self._places(connection, [case_id], lens).get(case_id)

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
            ids = connection.execute(_apply_order(query, order, cursor).limit(limit + 1)).all()
            shown = [row.id for row in ids[:limit]]
            told = self._load_cases_with_assignments(connection, shown, case_filter.lens)
        following = _cursor_of(ids[limit - 1], order) if len(ids) > limit else None
        return Page(tuple(told[id] for id in shown), following)

    def count_cases(self, case_filter: CaseFilter) -> int:
        with self._read_transaction() as connection:
            query = self._select_filtered(connection, case_filter)
            if query is None:
                return 0
            if case_filter == CaseFilter(unplaced_only=True, lens=case_filter.lens):
                return self._count_unplaced(connection, case_filter.lens)
            return connection.execute(query.with_only_columns(func.count())).scalar_one()

    def _count_unplaced(self, connection: Connection, lens: str | None) -> int:
        """All but those placed, without looking for each case among them."""
        run = self._last_run(connection, lens)
        there = connection.execute(self._of(case, func.count())).scalar_one()
        placed = self._of(assignment, func.count()).where(
            assignment.c.run_id == (run.id if run else ""), assignment.c.theme_id.is_not(None)
        )
        return there - connection.execute(placed).scalar_one()

    def list_assignments(
        self, lens: str | None = None, *, limit: int, cursor: str | None = None
    ) -> Page[tuple[str | None, Assignment]]:
        with self._read_transaction() as connection:
            run = self._last_run(connection, lens)
            query = (
                self._of(assignment, assignment, case.c.external_id)
                .outerjoin(case, (case.c.network_id == assignment.c.network_id) & (case.c.id == assignment.c.case_id))
                .where(assignment.c.run_id == (run.id if run else ""), assignment.c.case_id > (cursor or ""))
                .order_by(assignment.c.case_id)
                .limit(limit + 1)
            )
            rows = connection.execute(query).all()
        shown = tuple((row.external_id, read_assignment(row)) for row in rows[:limit])
        return Page(shown, shown[-1][1].case_id if len(rows) > limit else None)

    def list_teams(self) -> list[str]:
        # from one team to the next one in the index: DISTINCT goes through every case
        first = self._of(case, func.min(case.c.team).label("team")).where(case.c.team.is_not(None))
        named = first.cte("named", recursive=True)
        following = self._of(case, func.min(case.c.team)).where(case.c.team > named.c.team).scalar_subquery()
        named = named.union_all(select(following).where(named.c.team.is_not(None)))
        with self._read_transaction() as connection:
            return list(connection.execute(select(named.c.team).where(named.c.team.is_not(None))).scalars())

    def _select_filtered(self, connection: Connection, case_filter: CaseFilter) -> Select[Any] | None:
        """Ids and dates of the cases wanted; None where there can be none."""
        words = fts_query(case_filter.search_words)
        if case_filter.search_words.strip() and not words:
            return None
        run = (
            self._last_run(connection, case_filter.lens) if case_filter.theme_id or case_filter.unplaced_only else None
        )
        if case_filter.theme_id and run is None:
            return None
        query = self._of(case, case.c.id, case.c.dated)
        if words and self._has_few_matches(connection, words):
            # "likely" takes the network out of the choice of an index: else SQLite goes through all of its cases
            told: Any = select(case.c.id, case.c.dated)
            query = told.where(func.likely(case.c.network_id) == self._id)
        query = query.where(*_filter_conditions(case_filter))
        if words:
            query = query.where(case.c.number.in_(_select_matching_numbers(words)))
        if run is not None:
            query = query.where(self._placement_condition(run.id, case_filter))
        return query

    def _has_few_matches(self, connection: Connection, words: str) -> bool:
        """Whether words stand in so few cases that these are read and sorted, instead of looked for in the order."""
        found = _select_matching_numbers(words).limit(MAX_INDEXED_MATCHES).subquery()
        return connection.execute(select(func.count()).select_from(found)).scalar_one() < MAX_INDEXED_MATCHES

    def _placement_condition(self, run_id: str, case_filter: CaseFilter) -> ColumnElement[bool]:
        of_run = and_(assignment.c.network_id == self._id, assignment.c.run_id == run_id)
        if case_filter.theme_id:
            members = select(assignment.c.case_id).where(of_run, assignment.c.theme_id == case_filter.theme_id)
            return case.c.id.in_(members)
        placed = select(1).where(of_run, assignment.c.case_id == case.c.id, assignment.c.theme_id.is_not(None))
        return ~exists(placed.correlate(case))

    def _load_cases_with_assignments(
        self, connection: Connection, ids: Sequence[str], lens: str | None
    ) -> dict[str, CaseWithAssignment]:
        query = self._of(case, case.c.id, case.c.body, case.c.duplicate_of)
        rows = [row for part in chunked(ids) for row in connection.execute(query.where(case.c.id.in_(part)))]
        places = self._places(connection, ids, lens)
        return {
            row.id: CaseWithAssignment(records.read_case(row.body, row.duplicate_of), places.get(row.id))
            for row in rows
        }

    def _places(self, connection: Connection, ids: Sequence[str], lens: str | None) -> dict[str, Assignment]:
        run = self._last_run(connection, lens)
        if run is None:
            return {}
        query = self._of(assignment).where(assignment.c.run_id == run.id)
        return {
            row.case_id: read_assignment(row)
            for part in chunked(ids)
            for row in connection.execute(query.where(assignment.c.case_id.in_(part)))
        }


def _filter_conditions(case_filter: CaseFilter) -> list[ColumnElement[bool]]:
    narrowed: list[ColumnElement[bool]] = []
    for column, value in (
        (case.c.kind, case_filter.kind),
        (case.c.team, case_filter.team),
        (case.c.status, case_filter.status),
    ):
        if value is not None:
            narrowed.append(column == value)
    if case_filter.since is not None:
        narrowed.append(case.c.dated >= case_filter.since.isoformat())
    if case_filter.until is not None:
        narrowed.append(case.c.dated.between("0", case_filter.until.isoformat()))
    if case_filter.flag:
        narrowed.append(case.c.flags.contains(f"|{case_filter.flag}", autoescape=True))
    return narrowed


def _apply_order(query: Select[Any], order: CaseOrder, cursor: str | None) -> Select[Any]:
    if order is CaseOrder.ID:
        query = query if cursor is None else query.where(case.c.id > cursor)
        return query.order_by(case.c.id)
    if cursor is not None:
        day, parted, last = cursor.partition(" ")
        if not parted:
            raise UsageError("That list is in another order. Begin it again from its first page.")
        query = query.where(tuple_(case.c.dated, case.c.id) < tuple_(day, last))
    return query.order_by(case.c.dated.desc(), case.c.id.desc())


def _cursor_of(row: Any, order: CaseOrder) -> str:
    return row.id if order is CaseOrder.ID else f"{row.dated} {row.id}"


def fts_query(words: str) -> str:
    """What the index of words is asked: every word, or a longer one that begins so. Empty where there is no word."""
    return " ".join(f'"{word}"*' for word in re.findall(r"\w+", words))


def _select_matching_numbers(words: str) -> Any:
    rowid = cast(Any, literal_column("rowid"))
    found: Any = literal_column("case_words").op("MATCH")(words)
    return select(rowid).select_from(schema.case_words).where(found)
