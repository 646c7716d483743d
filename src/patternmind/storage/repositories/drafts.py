"""Store drafts, the append-only log of decisions on them, reservations and uses of patterns."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, func
from sqlalchemy import cast as cast_column

from patternmind.domain.drafts import (
    Decision,
    Draft,
    DraftKind,
    DraftReservation,
    DraftState,
    DraftSummary,
    FlagKind,
    PatternUse,
    state_of,
)
from patternmind.domain.read_models import DraftFilter, DraftListItem, Page, StoredDraft
from patternmind.errors import NotFound, VersionConflict
from patternmind.ports import TextRewrite
from patternmind.storage import draft_records, records, schema
from patternmind.storage.database import SqlRepository, Transaction, chunked
from patternmind.storage.dialects import sqlite

draft, decision, reservation, pattern_use = schema.draft, schema.decision, schema.reservation, schema.pattern_use
ACCEPTED_STATES = (DraftState.ACCEPTED, DraftState.FIELD_TESTED, DraftState.RETIRED)
IS_LISTED = (draft.c.current == 1) | (draft.c.n_decisions > 0)
"""Condition for drafts that reviewers see: current, or with a decision."""


class SqlDraftRepository(SqlRepository):
    """Implements ``ports.DraftRepository``."""

    def list_all(self, *, current: bool = True, kind: DraftKind | None = None) -> list[StoredDraft]:
        with self._source.reading() as tx:
            query = tx.select(draft).order_by(draft.c.created_at, draft.c.id)
            query = query if kind is None else query.where(draft.c.kind == kind.value)
            rows = tx.rows(query.where(draft.c.current == 1) if current else query)
            logs = _decision_logs(tx)
        return [_stored_draft(row, logs) for row in rows]

    def get(self, draft_id: str) -> StoredDraft:
        with self._source.reading() as tx:
            row = tx.first(tx.select(draft).where(draft.c.id == draft_id))
            if row is None:
                raise NotFound("draft", draft_id)
            return _stored_draft(row, _decision_logs(tx, [draft_id]))

    def page(self, draft_filter: DraftFilter, *, limit: int, cursor: str | None = None) -> Page[StoredDraft]:
        with self._source.reading() as tx:
            query = _after_cursor(_select_filtered(tx, draft_filter, draft), cursor).limit(limit + 1)
            rows = tx.rows(query)
            page_rows = rows[:limit]
            logs = _decision_logs(tx, [row.id for row in page_rows])
        items = tuple(_stored_draft(row, logs) for row in page_rows)
        return Page(items, _cursor_of(page_rows[-1]) if len(rows) > limit else None)

    def item_page(self, draft_filter: DraftFilter, *, limit: int, cursor: str | None = None) -> Page[DraftListItem]:
        columns = (
            *(draft.c.id, draft.c.kind, draft.c.state, draft.c.theme_id, draft.c.n_decisions, draft.c.created_at),
            sqlite.json_length(draft.c.body, "$.claims").label("n_claims"),
            sqlite.json_values(draft.c.body, "$.name", "$.provenance.model", "$.flags").label("extracts"),
        )
        with self._source.reading() as tx:
            query = _after_cursor(_select_filtered(tx, draft_filter, *columns), cursor).limit(limit + 1)
            rows = tx.rows(query)
        items = tuple(draft_records.read_list_item(row) for row in rows[:limit])
        return Page(items, _cursor_of(rows[limit - 1]) if len(rows) > limit else None)

    def quoting(self, case_id: str) -> list[Draft]:
        names_case = cast_column(draft.c.body, Text).contains(json.dumps(case_id), autoescape=True)
        with self._source.reading() as tx:
            query = tx.select(draft, draft.c.body).where(draft.c.current == 1, names_case)
            rows = tx.rows(query.order_by(draft.c.created_at, draft.c.id))
        drafts = [records.read_draft(row.body) for row in rows]
        return [item for item in drafts if case_id in draft_records.quoted_case_ids(item)]

    def summaries(self) -> list[DraftSummary]:
        columns = (draft.c.id, draft.c.kind, draft.c.theme_id, draft.c.name, draft.c.doubts, draft.c.n_cases)
        with self._source.reading() as tx:
            is_listed = (draft.c.current == 1) | draft.c.id.in_(tx.select(decision, decision.c.draft_id))
            rows = tx.rows(tx.select(draft, *columns).where(is_listed).order_by(draft.c.id))
            logs = _decision_logs(tx)
        return [
            DraftSummary(
                id=row.id,
                kind=DraftKind(row.kind),
                theme_id=row.theme_id,
                name=row.name,
                flag_kinds=tuple(FlagKind(line) for line in row.doubts.splitlines()),
                n_cases=row.n_cases,
                decisions=logs.get(row.id, ()),
            )
            for row in rows
        ]

    def count_listed(self) -> dict[tuple[DraftKind, DraftState], int]:
        """Count the drafts that reviewers see, by kind and state."""
        with self._source.reading() as tx:
            query = tx.select(draft, draft.c.kind, draft.c.state, func.count().label("n")).where(IS_LISTED)
            rows = tx.rows(query.group_by(draft.c.kind, draft.c.state))
        return {(DraftKind(row.kind), DraftState(row.state)): int(row.n) for row in rows}

    def save_all(self, drafts: Sequence[Draft], now: datetime) -> None:
        with self._source.writing() as tx:
            _refuse_erased_cases(tx, drafts)
            _put_drafts(tx, drafts, now)

    def replace_unreviewed(self, drafts: Sequence[Draft], now: datetime, lens: str) -> None:
        """Replace the pattern drafts of a lens, except those with a decision."""
        theme = schema.theme
        with self._source.writing() as tx:
            of_lens = tx.select(theme, theme.c.id).where(theme.c.body["lens"].as_string() == lens)
            is_pattern = (draft.c.kind == DraftKind.PATTERN.value) & draft.c.theme_id.in_(of_lens)
            is_reviewed = draft.c.id.in_(tx.select(decision, decision.c.draft_id))
            tx.update(draft, {"current": 0}, is_pattern, ~is_reviewed)
            _put_drafts(tx, drafts, now)

    def append_decision(self, new: Decision, *, expected_version: int) -> None:
        with self._source.writing() as tx:
            log = _decision_logs(tx, [new.draft_id]).get(new.draft_id, ())
            if len(log) != expected_version:
                raise VersionConflict("draft", new.draft_id)
            row = {"draft_id": new.draft_id, "seq": len(log) + 1, "body": records.decision_record(new)}
            tx.insert(decision, row)
            # the resulting state is stored with the draft, so that lists need not read logs
            state = {"state": state_of((*log, new)).value, "n_decisions": len(log) + 1}
            tx.update(draft, state, draft.c.id == new.draft_id)

    def recent_decisions(self, actor: str, *, limit: int) -> list[Decision]:
        with self._source.reading() as tx:
            query = tx.select(decision).where(decision.c.body["by"].as_string() == actor)
            latest = query.order_by(decision.c.body["at"].as_string().desc(), decision.c.seq.desc()).limit(limit)
            return [records.read_decision(row.body) for row in tx.rows(latest)]

    def reserve(self, new: DraftReservation, now: datetime) -> DraftReservation:
        of_draft = reservation.c.draft_id == new.draft_id
        with self._source.writing() as tx:
            row = tx.first(tx.select(reservation).where(of_draft))
            existing = draft_records.read_reservation(row) if row else None
            if existing and existing.by != new.by and existing.until > now:
                return existing
            tx.delete(reservation, of_draft)
            tx.insert(reservation, {"draft_id": new.draft_id, "by": new.by, "until": new.until.isoformat()})
        return new

    def release(self, draft_id: str, actor: str) -> None:
        with self._source.writing() as tx:
            tx.delete(reservation, reservation.c.draft_id == draft_id, reservation.c.by == actor)

    def reservations(self, now: datetime) -> list[DraftReservation]:
        with self._source.reading() as tx:
            rows = tx.rows(tx.select(reservation).order_by(reservation.c.draft_id))
        stored = [draft_records.read_reservation(row) for row in rows]
        return [item for item in stored if item.until > now]

    def save_pattern_use(self, use: PatternUse) -> None:
        with self._source.writing() as tx:
            if tx.first(tx.select(pattern_use, pattern_use.c.id).where(pattern_use.c.id == use.id)) is None:
                tx.insert(pattern_use, draft_records.use_row(use))

    def pattern_uses(self, pattern_id: str | None = None) -> list[PatternUse]:
        with self._source.reading() as tx:
            query = tx.select(pattern_use)
            query = query.order_by(pattern_use.c.on.desc(), pattern_use.c.at.desc(), pattern_use.c.id)
            rows = tx.rows(query if pattern_id is None else query.where(pattern_use.c.pattern_id == pattern_id))
        return [draft_records.read_use(row) for row in rows]

    def rewrite(self, rewrite: TextRewrite) -> None:
        """Rewrite all drafts (also replaced ones), their decisions, and pattern uses."""
        with self._source.writing() as tx:
            logs = _decision_logs(tx)
            for row in tx.rows(tx.select(draft)):
                _rewrite_draft(tx, records.read_draft(row.body), logs.get(row.id, ()), rewrite)
            for row in tx.rows(tx.select(pattern_use)):
                texts = {"note": rewrite.rewrite_text(row.note), "team": rewrite.rewrite_text(row.team)}
                if texts != {"note": row.note, "team": row.team}:
                    tx.update(pattern_use, texts, pattern_use.c.id == row.id)


def _rewrite_draft(tx: Transaction, before: Draft, log_before: tuple[Decision, ...], rewrite: TextRewrite) -> None:
    after, log_after = rewrite.rewrite_draft(before, log_before)
    if after != before:
        tx.update(draft, {"body": records.draft_record(after), "name": after.name}, draft.c.id == before.id)
    for seq, (decision_before, decision_after) in enumerate(zip(log_before, log_after, strict=True), start=1):
        if decision_after != decision_before:
            is_decision = (decision.c.draft_id == before.id) & (decision.c.seq == seq)
            tx.update(decision, {"body": records.decision_record(decision_after)}, is_decision)


def _refuse_erased_cases(tx: Transaction, drafts: Sequence[Draft]) -> None:
    """Reject drafts started before a quoted case was erased; they would restore its text."""
    erased_ids = set(tx.scalars(tx.select(schema.erasure, schema.erasure.c.case_id)))
    quoted_ids = {case_id for item in drafts for case_id in draft_records.quoted_case_ids(item)}
    for case_id in sorted(quoted_ids & erased_ids):
        raise VersionConflict("case", case_id)


def _put_drafts(tx: Transaction, drafts: Sequence[Draft], now: datetime) -> None:
    stored_ids = set(tx.scalars(tx.select(draft, draft.c.id)))
    for item in drafts:
        if item.id in stored_ids:
            tx.update(draft, {"current": 1}, draft.c.id == item.id)
        else:
            tx.insert(draft, {"created_at": now.isoformat(), **draft_records.draft_row(item)})


def _decision_logs(tx: Transaction, draft_ids: Sequence[str] | None = None) -> dict[str, tuple[Decision, ...]]:
    """Load the decision logs of some drafts, or of all."""
    query = tx.select(decision).order_by(decision.c.draft_id, decision.c.seq)
    queries = (
        [query] if draft_ids is None else [query.where(decision.c.draft_id.in_(chunk)) for chunk in chunked(draft_ids)]
    )
    logs: dict[str, tuple[Decision, ...]] = {}
    for row in (row for query in queries for row in tx.stream(query)):
        logs[row.draft_id] = (*logs.get(row.draft_id, ()), records.read_decision(row.body))
    return logs


def _stored_draft(row: Any, logs: dict[str, tuple[Decision, ...]]) -> StoredDraft:
    return records.read_draft(row.body), logs.get(row.id, ()), datetime.fromisoformat(row.created_at)


def _select_filtered(tx: Transaction, draft_filter: DraftFilter, *columns: Any) -> Select[Any]:
    query = tx.select(draft, *columns).where(IS_LISTED).order_by(draft.c.created_at, draft.c.id)
    filters = (
        (draft.c.kind, draft_filter.kind),
        (draft.c.state, draft_filter.state),
        (draft.c.theme_id, draft_filter.theme_id),
    )
    query = query.where(draft.c.state.in_(ACCEPTED_STATES)) if draft_filter.accepted_only else query
    return query.where(*(column == value for column, value in filters if value is not None))


def _after_cursor(query: Select[Any], cursor: str | None) -> Select[Any]:
    if cursor is None:
        return query
    created_at, _, id = cursor.partition(" ")
    later = (draft.c.created_at == created_at) & (draft.c.id > id)
    return query.where((draft.c.created_at > created_at) | later)


def _cursor_of(row: Any) -> str:
    return f"{row.created_at} {row.id}"
