"""Paged queries of drafts, counts, the data version, and the vectors of cases."""

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
"""Condition for drafts that reviewers see: current, or with a decision."""


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
"""Query of all parts of the data version in one statement, at one moment.

It is written as text because every page runs it. An index serves each part.
"""


class DraftQueries(ThemeQueries):
    """Implements the queries of ``ports.QueryStore`` about drafts, counts and vectors."""

    def list_drafts(self, draft_filter: DraftFilter, *, limit: int, cursor: str | None = None) -> Page[StoredDraft]:
        query = _after_cursor(self._select_filtered_drafts(draft_filter, draft), cursor).limit(limit + 1)
        with self._read_transaction() as connection:
            rows = connection.execute(query).all()
            page_rows = rows[:limit]
            logs = self._decision_logs_of(connection, [row.id for row in page_rows])
        drafts = tuple(
            (records.read_draft(row.body), logs.get(row.id, ()), datetime.fromisoformat(row.created_at))
            for row in page_rows
        )
        return Page(drafts, _cursor_of(page_rows[-1]) if len(rows) > limit else None)

    def drafts_quoting(self, case_id: str) -> list[Draft]:
        names_case = cast_column(draft.c.body, Text).contains(json.dumps(case_id), autoescape=True)
        query = self._select(draft, draft.c.body).where(draft.c.current == 1, names_case)
        with self._read_transaction() as connection:
            rows = connection.execute(query.order_by(draft.c.created_at, draft.c.id))
            drafts = [records.read_draft(row.body) for row in rows]
        return [
            draft
            for draft in drafts
            if any(quote.case_id == case_id for claim in draft.claims for quote in claim.quotes)
        ]

    def list_draft_items(
        self, draft_filter: DraftFilter, *, limit: int, cursor: str | None = None
    ) -> Page[DraftListItem]:
        extracts = func.json_extract(draft.c.body, "$.name", "$.provenance.model", "$.flags", type_=draft.c.body.type)
        columns = (
            *(draft.c.id, draft.c.kind, draft.c.state, draft.c.theme_id, draft.c.n_decisions, draft.c.created_at),
            func.json_array_length(draft.c.body, "$.claims").label("n_claims"),
            extracts.label("extracts"),
        )
        query = _after_cursor(self._select_filtered_drafts(draft_filter, *columns), cursor).limit(limit + 1)
        with self._read_transaction() as connection:
            rows = connection.execute(query).all()
        items = tuple(_read_list_item(row) for row in rows[:limit])
        return Page(items, _cursor_of(rows[limit - 1]) if len(rows) > limit else None)

    def _select_filtered_drafts(self, draft_filter: DraftFilter, *columns: Any) -> Select[Any]:
        query = self._select(draft, *columns).where(IS_LISTED).order_by(draft.c.created_at, draft.c.id)
        filters = (
            (draft.c.kind, draft_filter.kind),
            (draft.c.state, draft_filter.state),
            (draft.c.theme_id, draft_filter.theme_id),
        )
        query = query.where(draft.c.state.in_(ACCEPTED_STATES)) if draft_filter.accepted_only else query
        return query.where(*(column == value for column, value in filters if value is not None))

    def network_counts(self, lens: str | None = None) -> NetworkCounts:
        with self._read_transaction() as connection:
            case_rows = connection.execute(
                self._select(case, case.c.kind, func.count().label("n")).group_by(case.c.kind)
            )
            n_by_kind = {str(row.kind): int(row.n) for row in case_rows}
            draft_rows = connection.execute(
                self._select(draft, draft.c.kind, draft.c.state, func.count().label("n"))
                .where(IS_LISTED)
                .group_by(draft.c.kind, draft.c.state)
            )
            drafts = {(DraftKind(row.kind), DraftState(row.state)): int(row.n) for row in draft_rows}
            last = self._last_run(connection, lens)
            n_assigned, n_unplaced = (0, 0) if last is None else self._count_assigned(connection, last.id)
        return NetworkCounts(
            n_cases=n_by_kind.get(CaseKind.CASE, 0),
            n_recaps=n_by_kind.get(CaseKind.RECAP, 0),
            n_new=sum(n_by_kind.values()) - n_assigned,
            n_unplaced=n_unplaced,
            n_themes=last.n_themes if last else 0,
            drafts=drafts,
        )

    def _count_assigned(self, connection: Connection, run_id: str) -> tuple[int, int]:
        """Return the number of existing cases of a run, and of those without a theme."""
        of_run = and_(assignment.c.network_id == self._network_id, assignment.c.run_id == run_id)
        n_assigned = connection.execute(select(func.count()).where(of_run)).scalar_one()
        unplaced = select(func.count()).where(of_run, assignment.c.theme_id.is_(None))
        return n_assigned, connection.execute(unplaced).scalar_one()

    def data_version(self) -> DataVersion:
        with self._read_transaction() as connection:
            row = connection.execute(DATA_VERSION_QUERY, {"id": self._network_id}).one()
        return DataVersion(
            network=read_network(row),
            cases=VectorVersion(row.newest, row.n_removed),
            roster_version=row.roster_version,
            drafts=(row.n_drafts, row.n_current, row.n_decisions),
            last_run_number=row.last_run,
            last_edit_seq=row.last_edit_seq,
        )

    def vector_version(self) -> VectorVersion:
        newest = self._select(case, func.coalesce(func.max(case.c.number), 0))
        with self._read_transaction() as connection:
            counts = (self._select(table, func.count()) for table in (erasure, withdrawal))
            n_removed = sum(connection.execute(query).scalar_one() for query in counts)
            return VectorVersion(connection.execute(newest).scalar_one(), n_removed)

    def iter_vectors(self, encoder_id: str, *, after_number: int = 0) -> Iterator[VectorRow]:
        query = (
            self._select(case, case.c.id, vector.c.vector)
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
    name, model, flags = row.extracts
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
