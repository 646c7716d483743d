"""Store redacted cases, their erasures and withdrawals."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Text, func, or_, select
from sqlalchemy import cast as cast_column

from patternmind.domain.case_fields import COLUMN_FACTS
from patternmind.domain.cases import Case, CaseKind, Consent, Submission
from patternmind.domain.read_models import CaseFilter, CaseOrder, CaseWithAssignment, Page
from patternmind.embedding.lenses import lens_text
from patternmind.embedding.vectors import text_hash
from patternmind.errors import NotFound, VersionConflict
from patternmind.ports import CaseSaveCounts, CaseTexts, Erasure, Withdrawal
from patternmind.storage import records, schema
from patternmind.storage.database import SqlRepository, Transaction, chunked
from patternmind.storage.dialects import sqlite
from patternmind.storage.repositories import case_pages
from patternmind.storage.repositories.calls import SqlCallRepository
from patternmind.storage.repositories.networks import SqlNetworkRepository
from patternmind.storage.repositories.submissions import SqlSubmissionRepository

table, erasure, withdrawal = schema.case, schema.erasure, schema.withdrawal


class SqlCaseRepository(SqlRepository):
    """Implements ``ports.CaseRepository``.

    Storing a changed text of a case deletes the cached answers about its old text.
    """

    def save_all(
        self, cases: Sequence[tuple[Submission, Case]], *, dry_run: bool = False, roster_version: int | None = None
    ) -> CaseSaveCounts:
        with self._source.writing() as tx:
            SqlNetworkRepository(tx).check_roster_version(roster_version)
            if not dry_run:
                SqlSubmissionRepository(tx).check_key()
            return _save_all(tx, cases, dry_run=dry_run)

    def replace(
        self,
        submission: Submission,
        case: Case,
        *,
        expected_version: int | None = None,
        roster_version: int | None = None,
    ) -> None:
        with self._source.writing() as tx:
            SqlNetworkRepository(tx).check_roster_version(roster_version)
            submissions = SqlSubmissionRepository(tx)
            if tx.first(tx.select(table, table.c.id).where(table.c.id == case.id)) is None:
                raise NotFound("case", case.id)
            if expected_version not in (None, submissions.count_versions(case.id)):
                raise VersionConflict("case", case.id)
            submissions.check_key()
            _save_all(tx, [(submission, case)])

    def restore(self, submission: Submission, case: Case, *, roster_version: int | None = None) -> None:
        with self._source.writing() as tx:
            SqlNetworkRepository(tx).check_roster_version(roster_version)
            if not SqlCaseRepository(tx).delete_withdrawal(case.id):
                raise NotFound("withdrawn case", case.id)
            _save_all(tx, [(submission, case)])

    def list_all(self, *, kind: CaseKind | None = None, since: str | None = None) -> list[Case]:
        with self._source.reading() as tx:
            query = _select_cases(tx).order_by(table.c.id)
            if kind is not None:
                query = query.where(table.c.kind == kind.value)
            if since is not None:
                query = query.where((table.c.date >= since) | table.c.date.is_(None))
            return [_read_case(row) for row in tx.stream(query)]

    def get(self, case_id: str) -> Case:
        with self._source.reading() as tx:  # two queries, each with its index: one with OR would scan all cases
            row = tx.first(_select_cases(tx).where(table.c.id == case_id))
            row = row or tx.first(_select_cases(tx).where(table.c.external_id == case_id).order_by(table.c.id))
        if row is None:
            raise NotFound("case", case_id)
        return _read_case(row)

    def get_many(self, case_ids: Sequence[str]) -> dict[str, Case]:
        with self._source.reading() as tx:
            return {
                row.id: _read_case(row)
                for chunk in chunked(sorted(set(case_ids)))
                for row in tx.rows(_select_cases(tx).where(table.c.id.in_(chunk)))
            }

    def page(
        self, case_filter: CaseFilter, *, limit: int, cursor: str | None = None, order: CaseOrder = CaseOrder.ID
    ) -> Page[CaseWithAssignment]:
        with self._source.reading() as tx:
            query = case_pages.select_filtered(tx, case_filter)
            if query is None:
                return Page(())
            rows = tx.rows(case_pages.apply_order(query, order, cursor).limit(limit + 1))
            case_ids = [row.id for row in rows[:limit]]
            cases = case_pages.load_with_assignments(tx, case_ids, case_filter.lens)
        next_cursor = case_pages.cursor_of(rows[limit - 1], order) if len(rows) > limit else None
        return Page(tuple(cases[id] for id in case_ids), next_cursor)

    def count(self, case_filter: CaseFilter) -> int:
        with self._source.reading() as tx:
            if case_filter == CaseFilter(unplaced_only=True, lens=case_filter.lens):
                return case_pages.count_unplaced(tx, case_filter.lens)
            query = case_pages.select_filtered(tx, case_filter)
            return 0 if query is None else tx.scalar(query.with_only_columns(func.count()))

    def related_to(self, case: Case) -> list[Case]:
        own_ids = [case.id, case.external_id] if case.external_id else [case.id]
        body = cast_column(table.c.body, Text)
        names_case = or_(*(body.contains(json.dumps(own_id), autoescape=True) for own_id in own_ids))
        recaps = (table.c.kind == CaseKind.RECAP.value) & names_case
        linked_ids = sorted({*case.linked_cases, case.duplicate_of} - {None}, key=str)
        # separate queries, so that each uses its index: joined by OR they would scan all cases
        conditions = [
            table.c.duplicate_of == case.id,
            recaps,
            *([table.c.id.in_(linked_ids), table.c.external_id.in_(linked_ids)] if linked_ids else []),
        ]
        with self._source.reading() as tx:
            query = _select_cases(tx).where(table.c.id != case.id)
            rows = [row for condition in conditions for row in tx.rows(query.where(condition))]
        cases = {row.id: _read_case(row) for row in rows}
        return [cases[id] for id in sorted(cases)]

    def iter_texts(self, *, after_number: int = 0) -> Iterator[CaseTexts]:
        with self._source.reading() as tx:
            query = tx.select(table, table.c.id, table.c.body).where(table.c.number > after_number)
            for row in tx.stream(query.order_by(table.c.number)):
                body = row.body
                yield row.id, Consent(body["consent"]), (*body["text"].values(), *body["extra"].values())

    def teams(self) -> list[str]:
        with self._source.reading() as tx:
            # step from one team to the next in the index: DISTINCT would scan all cases
            first = tx.select(table, func.min(table.c.team).label("team")).where(table.c.team.is_not(None))
            teams = first.cte("teams", recursive=True)
            next_team = tx.select(table, func.min(table.c.team)).where(table.c.team > teams.c.team).scalar_subquery()
            teams = teams.union_all(select(next_team).where(teams.c.team.is_not(None)))
            return tx.scalars(select(teams.c.team).where(teams.c.team.is_not(None)))

    def withdrawals(self) -> list[Withdrawal]:
        with self._source.reading() as tx:
            rows = tx.rows(tx.select(withdrawal).order_by(withdrawal.c.at, withdrawal.c.case_id))
        return [Withdrawal(case_id=row.case_id, by=row.by, at=datetime.fromisoformat(row.at)) for row in rows]

    def erasures(self) -> list[Erasure]:
        with self._source.reading() as tx:
            rows = tx.rows(tx.select(erasure).order_by(erasure.c.at, erasure.c.case_id))
        return [Erasure(case_id=row.case_id, by=row.by, at=datetime.fromisoformat(row.at)) for row in rows]

    def save_redacted(self, cases: Sequence[tuple[Submission, Case]]) -> int:
        """Store cases redacted again for a new roster, and return the number changed."""
        with self._source.writing() as tx:
            n_changed = _save_all(tx, cases).updated
            if n_changed:
                sqlite.rebuild_word_index(tx.connection)
        return n_changed

    def add_erasure(self, case_id: str, *, actor: str, at: datetime) -> None:
        with self._source.writing() as tx:
            tx.insert(erasure, {"case_id": case_id, "at": at.isoformat(), "by": actor})

    def add_withdrawal(self, case_id: str, *, actor: str, at: datetime) -> None:
        with self._source.writing() as tx:
            tx.insert(withdrawal, {"case_id": case_id, "at": at.isoformat(), "by": actor})

    def delete_withdrawal(self, case_id: str) -> bool:
        """Delete a withdrawal, and return True if there was one."""
        with self._source.writing() as tx:
            return tx.delete(withdrawal, withdrawal.c.case_id == case_id) > 0

    def delete(self, case_id: str) -> None:
        """Delete a case without its submission; its near-duplicates lose their mark.

        Raises:
            NotFound: the case does not exist.
        """
        with self._source.writing() as tx:
            if not tx.delete(table, table.c.id == case_id):
                raise NotFound("case", case_id)
            tx.update(table, {"duplicate_of": None}, table.c.duplicate_of == case_id)
            sqlite.rebuild_word_index(tx.connection)

    def mark_duplicates(self, compared_ids: set[str], duplicate_of: Mapping[str, str]) -> None:
        """Update the near-duplicates of a run's cases.

        A pair stays marked if one of its cases was not in the run, because the run could not compare them.
        """
        with self._source.writing() as tx:
            for row in tx.rows(tx.select(table, table.c.id, table.c.duplicate_of)):
                original = duplicate_of.get(row.id)
                is_compared = row.id in compared_ids and (
                    row.duplicate_of in compared_ids or not row.duplicate_of or original
                )
                if is_compared and original != row.duplicate_of:
                    tx.update(table, {"duplicate_of": original}, table.c.id == row.id)


def case_list_columns(case: Case) -> dict[str, Any]:
    """Return the columns that lists and search use; all are derived from the case."""
    return {
        "dated": case.date.isoformat() if case.date else "",
        "team": case.team,
        **{name: case.facts.get(name) for name in COLUMN_FACTS},
        "flags": "".join(f"|{flag}" for flag in case.flags),
        "vector_hash": text_hash(lens_text(case, "all")),
    }


def _save_all(tx: Transaction, cases: Sequence[tuple[Submission, Case]], *, dry_run: bool = False) -> CaseSaveCounts:
    n_updated = 0
    accepted: list[Case] = []
    submissions = SqlSubmissionRepository(tx)
    stored = _load_cases(tx, [case.id for _, case in cases])
    ids_by_hash = _case_ids_by_hash(tx, [case.content_hash for _, case in cases])
    for submission, case in cases:
        before, after = stored.get(case.id), replace(case, duplicate_of=None)
        if before == after or (before is not None and submissions.is_superseded_import(submission, after)):
            continue
        stored[case.id] = after
        accepted.append(case)
        n_updated += before is not None
        if not dry_run:
            save_case(tx, case, is_new=before is None)
            submissions.add_version(submission, case)
    return CaseSaveCounts(
        accepted=len(accepted),
        unchanged=len(cases) - len(accepted),
        duplicates=_count_duplicates(accepted, ids_by_hash),
        updated=n_updated,
    )


def save_case(tx: Transaction, case: Case, *, is_new: bool) -> None:
    """Write the row of one case with the next write number."""
    row = {
        "kind": case.kind.value,
        "external_id": case.external_id,
        "date": case.date.isoformat() if case.date else None,
        "content_hash": case.content_hash,
        "text_version": case.text_version,
        "body": records.case_record(case),
        **case_list_columns(case),
        "number": _next_write_number(tx),
    }
    if is_new:
        tx.insert(table, {"id": case.id, **row})
        return
    stored_version = tx.scalar(tx.select(table, table.c.text_version).where(table.c.id == case.id))
    if stored_version != case.text_version:
        SqlCallRepository(tx).delete_answers_of([case.id])
    tx.update(table, row, table.c.id == case.id)


def _next_write_number(tx: Transaction) -> int:
    """Return the next write number over all networks; it identifies a case in the word index."""
    return tx.scalar(select(func.coalesce(func.max(table.c.number), 0))) + 1


def _select_cases(tx: Transaction) -> Any:
    return tx.select(table, table.c.id, table.c.body, table.c.duplicate_of)


def _read_case(row: Any) -> Case:
    return records.read_case(row.body, row.duplicate_of)


def _load_cases(tx: Transaction, ids: Sequence[str]) -> dict[str, Case]:
    query = tx.select(table, table.c.body)
    rows = (row for chunk in chunked(ids) for row in tx.rows(query.where(table.c.id.in_(chunk))))
    return {case.id: case for case in (records.read_case(row.body, None) for row in rows)}


def _case_ids_by_hash(tx: Transaction, hashes: Sequence[str]) -> dict[str, set[str]]:
    """Return the ids of the stored cases with each content hash."""
    query = tx.select(table, table.c.content_hash, table.c.id)
    ids_by_hash: dict[str, set[str]] = {}
    for chunk in chunked(sorted(set(hashes))):
        for row in tx.rows(query.where(table.c.content_hash.in_(chunk))):
            ids_by_hash.setdefault(row.content_hash, set()).add(row.id)
    return ids_by_hash


def _count_duplicates(cases: Sequence[Case], case_ids_by_hash: Mapping[str, set[str]]) -> int:
    """Count cases that repeat the text of an earlier case, stored or in this list."""
    ids_by_hash = {content_hash: set(ids) for content_hash, ids in case_ids_by_hash.items()}
    n_duplicates = 0
    for case in cases:
        ids = ids_by_hash.setdefault(case.content_hash, set())
        n_duplicates += bool(ids - {case.id})
        ids.add(case.id)
    return n_duplicates
