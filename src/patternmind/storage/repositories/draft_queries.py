"""Drafts a page at a time, what there is in numbers, and the vectors of cases as they come and go."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, Text, and_, func, or_, select, text
from sqlalchemy import cast as cast_column

from patternmind.domain.cases import CaseKind
from patternmind.domain.drafts import Draft, DraftKind, DraftState
from patternmind.domain.read_models import (
    DataVersion,
    DraftFilter,
    DraftListItem,
    NetworkCounts,
    Page,
    StoredDraft,
    VectorVersion,
)
from patternmind.ports import VectorRow
from patternmind.storage import records, schema
from patternmind.storage.repositories.cases import read_network
from patternmind.storage.repositories.themes import ThemeQueries

case, draft, vector, assignment, erasure, withdrawal = (
    schema.case,
    schema.draft,
    schema.vector,
    schema.assignment,
    schema.erasure,
    schema.withdrawal,
)
ACCEPTED_STATES = (DraftState.ACCEPTED, DraftState.FIELD_TESTED, DraftState.RETIRED)
IS_LISTED = (draft.c.current == 1) | (draft.c.n_decisions > 0)
"""Current, or decided on by somebody: what reviewers see."""


DATA_VERSION_QUERY = text("""
    SELECT network.*, d.*,
      (SELECT coalesce(max(number), 0) FROM "case" WHERE network_id = :id) AS newest,
      (SELECT count(*) FROM erasure WHERE network_id = :id)
        + (SELECT count(*) FROM withdrawal WHERE network_id = :id) AS n_removed,
      (SELECT count(*) FROM person WHERE network_id = :id) AS roster_version,
      (SELECT coalesce(max(number), 0) FROM run WHERE network_id = :id AND state = 'finished') AS last_run,
      (SELECT coalesce(max(seq), 0) FROM edit WHERE network_id = :id) AS last_edit_seq
    FROM network,
      (SELECT count(*) AS n_drafts, coalesce(sum(current), 0) AS n_current, coalesce(sum(n_decisions), 0) AS n_decisions
       FROM draft WHERE network_id = :id) AS d
    WHERE network.id = :id""")
"""One statement, so that all of it is of one moment; as text, for it is asked for by every page. An index answers each
part."""


class DraftQueries(ThemeQueries):
    """Implements the part of ``ports.Reads`` that is about drafts, counts and vectors."""

    def list_drafts(self, draft_filter: DraftFilter, *, limit: int, cursor: str | None = None) -> Page[StoredDraft]:
        query = _after_cursor(self._select_filtered_drafts(draft_filter, draft), cursor).limit(limit + 1)
        with self._read_transaction() as connection:
            rows = connection.execute(query).all()
            shown = rows[:limit]
            logs = self._decision_logs_of(connection, [row.id for row in shown])
        found = tuple(
            (records.read_draft(row.body), logs.get(row.id, ()), datetime.fromisoformat(row.created_at))
            for row in shown
        )
        return Page(found, _cursor_of(shown[-1]) if len(rows) > limit else None)

    def drafts_quoting(self, case_id: str) -> list[Draft]:
        named = cast_column(draft.c.body, Text).contains(json.dumps(case_id), autoescape=True)
        query = (
            self._of(draft, draft.c.body).where(draft.c.current == 1, named).order_by(draft.c.created_at, draft.c.id)
        )
        with self._read_transaction() as connection:
            found = [records.read_draft(row.body) for row in connection.execute(query)]
        return [one for one in found if any(quote.case_id == case_id for claim in one.claims for quote in claim.quotes)]

    def list_draft_items(
        self, draft_filter: DraftFilter, *, limit: int, cursor: str | None = None
    ) -> Page[DraftListItem]:
        said = func.json_extract(draft.c.body, "$.name", "$.provenance.model", "$.flags", type_=draft.c.body.type)
        columns = (
            *(draft.c.id, draft.c.kind, draft.c.state, draft.c.theme_id, draft.c.n_decisions, draft.c.created_at),
            func.json_array_length(draft.c.body, "$.claims").label("n_claims"),
            said.label("said"),
        )
        query = _after_cursor(self._select_filtered_drafts(draft_filter, *columns), cursor).limit(limit + 1)
        with self._read_transaction() as connection:
            rows = connection.execute(query).all()
        lines = tuple(_read_list_item(row) for row in rows[:limit])
        return Page(lines, _cursor_of(rows[limit - 1]) if len(rows) > limit else None)

    def _select_filtered_drafts(self, draft_filter: DraftFilter, *columns: Any) -> Select[Any]:
        query = self._of(draft, *columns).where(IS_LISTED).order_by(draft.c.created_at, draft.c.id)
        named = (
            (draft.c.kind, draft_filter.kind),
            (draft.c.state, draft_filter.state),
            (draft.c.theme_id, draft_filter.theme_id),
        )
        query = query.where(draft.c.state.in_(ACCEPTED_STATES)) if draft_filter.accepted_only else query
        return query.where(*(column == value for column, value in named if value is not None))

    def counts(self, lens: str | None = None) -> NetworkCounts:
        with self._read_transaction() as connection:
            kinds = connection.execute(self._of(case, case.c.kind, func.count().label("n")).group_by(case.c.kind))
            by_kind = {str(row.kind): int(row.n) for row in kinds}
            by_state = connection.execute(
                self._of(draft, draft.c.kind, draft.c.state, func.count().label("n"))
                .where(IS_LISTED)
                .group_by(draft.c.kind, draft.c.state)
            )
            drafts = {(DraftKind(row.kind), DraftState(row.state)): int(row.n) for row in by_state}
            last = self._last_run(connection, lens)
            there = sum(by_kind.values())
            seen, n_alone = (0, 0) if last is None else self._count_assigned(connection, last.id)
        return NetworkCounts(
            n_cases=by_kind.get(CaseKind.CASE, 0),
            n_recaps=by_kind.get(CaseKind.RECAP, 0),
            n_new=there - seen,
            n_unplaced=n_alone,
            n_themes=last.n_themes if last else 0,
            drafts=drafts,
        )

    def _count_assigned(self, connection: Connection, run_id: str) -> tuple[int, int]:
        """How many cases of a run are still there, and how many of them it put in no theme."""
        of_run = and_(assignment.c.network_id == self._id, assignment.c.run_id == run_id)
        seen = connection.execute(select(func.count()).where(of_run)).scalar_one()
        alone = connection.execute(select(func.count()).where(of_run, assignment.c.theme_id.is_(None))).scalar_one()
        return seen, alone

    def stamp(self) -> DataVersion:
        with self._read_transaction() as connection:
            row = connection.execute(DATA_VERSION_QUERY, {"id": self._id}).one()
        return DataVersion(
            network=read_network(row),
            cases=VectorVersion(row.newest, row.n_removed),
            roster_version=row.roster_version,
            drafts=(row.n_drafts, row.n_current, row.n_decisions),
            last_run_number=row.last_run,
            last_edit_seq=row.last_edit_seq,
        )

    def vector_version(self) -> VectorVersion:
        newest = self._of(case, func.coalesce(func.max(case.c.number), 0))
        with self._read_transaction() as connection:
            taken_out = (self._of(table, func.count()) for table in (erasure, withdrawal))
            n_gone = sum(connection.execute(query).scalar_one() for query in taken_out)
            return VectorVersion(connection.execute(newest).scalar_one(), n_gone)

    def iter_vectors(self, encoder_id: str, *, after_number: int = 0) -> Iterator[VectorRow]:
        query = (
            self._of(case, case.c.id, vector.c.vector)
            .outerjoin(
                vector,
                (vector.c.network_id == case.c.network_id)
                & (vector.c.text_hash == case.c.vector_hash)
                & (vector.c.encoder_id == encoder_id),
            )
            .where(case.c.number > after_number)
            .order_by(case.c.number)
        )
        with self._read_transaction() as connection:
            for row in connection.execute(query):
                yield row.id, None if row.vector is None else np.frombuffer(row.vector, np.float32)


def _after_cursor(query: Select[Any], cursor: str | None) -> Select[Any]:
    if cursor is None:
        return query
    created_at, _, id = cursor.partition(" ")
    later = and_(draft.c.created_at == created_at, draft.c.id > id)
    return query.where(or_(draft.c.created_at > created_at, later))


def _cursor_of(row: Any) -> str:
    return f"{row.created_at} {row.id}"


def _read_list_item(row: Any) -> DraftListItem:
    name, model, flags = row.said
    return DraftListItem(
        id=row.id,
        kind=DraftKind(row.kind),
        state=DraftState(row.state),
        theme_id=row.theme_id,
        name=name,
        version=row.n_decisions,
        created_at=datetime.fromisoformat(row.created_at),
        model=model,
        n_claims=row.n_claims,
        flag_kinds=tuple(flag["doubt"] for flag in flags or ()),
    )
