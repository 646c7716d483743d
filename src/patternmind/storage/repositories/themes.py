"""Query theme cards, and all data of a theme's page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, or_, select

from patternmind.domain.edits import Edit
from patternmind.domain.read_models import (
    SimilarTheme,
    ThemeCard,
    ThemeDetail,
    ThemeRunChange,
)
from patternmind.domain.themes import Vectors
from patternmind.errors import ErrorCode, NotFound
from patternmind.ports import RunRecord
from patternmind.storage import records, schema
from patternmind.storage.repositories.case_queries import CaseQueries

MAX_SIMILAR_THEMES = 3
"""Number of similar themes on a theme's page."""


theme, area, edit, run, theme_change = schema.theme, schema.area, schema.edit, schema.run, schema.theme_change
CARD_COLUMNS = (theme.c.id, theme.c.card, theme.c.n_members)


class ThemeQueries(CaseQueries):
    """Implements the queries of ``ports.QueryStore`` about themes and runs."""

    def list_theme_cards(self, lens: str | None = None, *, include_dormant: bool = False) -> list[ThemeCard]:
        with self._read_transaction() as connection:
            last = self._last_run(connection, lens)
            return [] if last is None else self._load_cards(connection, last, include_dormant=include_dormant)

    def theme_card(self, theme_id: str, lens: str | None = None) -> ThemeCard:
        with self._read_transaction() as connection:
            return _read_card(self._theme_row(connection, self._last_run(connection, lens), theme_id, CARD_COLUMNS))

    def theme_case_ids(self, theme_id: str, lens: str | None = None) -> tuple[str, ...]:
        with self._read_transaction() as connection:
            row = self._theme_row(connection, self._last_run(connection, lens), theme_id, (theme.c.body["case_ids"],))
            return tuple(row[0])

    def theme_detail(self, theme_id: str, lens: str | None = None) -> ThemeDetail:
        with self._read_transaction() as connection:
            last = self._last_run(connection, lens)
            if last is None:
                raise NotFound("theme", theme_id, "There has been no run yet; start one first.", code=ErrorCode.NO_RUN)
            row = self._theme_row(connection, last, theme_id, (*CARD_COLUMNS, theme.c.centre))
            card = _read_card(row)
            exemplar_ids = [*card.theme.exemplars, *([card.theme.edge_case] if card.theme.edge_case else [])]
            cases = self._load_cases_with_assignments(connection, exemplar_ids, last.parameters.lens)
            return ThemeDetail(
                card=card,
                area=self._area_name(connection, last, card.theme.area_id),
                similar_themes=tuple(self._similar_themes(connection, last, row)),
                exemplars=tuple(cases[id] for id in dict.fromkeys(exemplar_ids) if id in cases),
                run_changes=tuple(self._run_changes(connection, theme_id)),
                edits=tuple(self._edits_of_theme(connection, theme_id, last.parameters.lens)),
            )

    def theme_names(self, lens: str | None = None) -> dict[str, str]:
        with self._read_transaction() as connection:
            last = self._last_run(connection, lens)
            if last is None:
                return {}
            names = self._select(theme, theme.c.id, theme.c.card["name"].as_string().label("name"))
            return {row.id: row.name for row in connection.execute(names.where(theme.c.run_id == last.id))}

    def theme_encoder_id(self, lens: str | None = None) -> str | None:
        with self._read_transaction() as connection:
            last = self._last_run(connection, lens)
            encoder_ids = self._select(theme, theme.c.card["encoder"].as_string()).where(
                theme.c.run_id == (last.id if last else "")
            )
            return connection.execute(encoder_ids.where(theme.c.centre.is_not(None)).limit(1)).scalar() or None

    def get_run(self, run_id: str) -> RunRecord:
        with self._read_transaction() as connection:
            return self._get_run(connection, run_id)

    def _load_cards(self, connection: Connection, last: RunRecord, *, include_dormant: bool) -> list[ThemeCard]:
        query = self._select(theme, *CARD_COLUMNS).where(theme.c.run_id == last.id).order_by(theme.c.rank)
        rows = connection.execute(query if include_dormant else query.where(theme.c.n_members > 0))
        return [_read_card(row) for row in rows]

    def _theme_row(
        self, connection: Connection, last: RunRecord | None, theme_id: str, columns: Sequence[ColumnElement[Any]]
    ) -> Any:
        of_run = theme.c.run_id == (last.id if last else "")
        row = connection.execute(self._select(theme, *columns).where(of_run, theme.c.id == theme_id)).first()
        if row is None:
            raise NotFound("theme", theme_id)
        return row

    def _area_name(self, connection: Connection, last: RunRecord, area_id: str) -> str:
        query = self._select(area, area.c.name).where(area.c.run_id == last.id, area.c.id == area_id)
        return connection.execute(query).scalar() or ""

    def _similar_themes(self, connection: Connection, last: RunRecord, row: Any) -> list[SimilarTheme]:
        """Return the themes with the most similar centres, most similar first, equal ones by id."""
        if row.centre is None:
            return []
        query = self._select(theme, theme.c.id, theme.c.card["name"].as_string().label("name"), theme.c.centre)
        others = connection.execute(
            query.where(theme.c.run_id == last.id, theme.c.id != row.id, theme.c.n_members > 0)
        ).all()
        centre = _read_centre(row.centre)
        scored = [
            (float(_read_centre(other.centre) @ centre), other)
            for other in others
            if _have_same_dimensions(other.centre, row.centre)
        ]
        scored.sort(key=lambda pair: (-pair[0], pair[1].id))
        return [SimilarTheme(other.id, other.name, round(cosine, 4)) for cosine, other in scored[:MAX_SIMILAR_THEMES]]

    def _run_changes(self, connection: Connection, theme_id: str) -> list[ThemeRunChange]:
        query = (
            self._select(
                theme_change, theme_change.c.body, run.c.id, run.c.finished_at, run.c.body["parameters"].label("p")
            )
            .join(run, (run.c.network_id == theme_change.c.network_id) & (run.c.id == theme_change.c.run_id))
            .where(theme_change.c.theme_id == theme_id)
            .order_by(run.c.number.desc())
        )
        return [
            ThemeRunChange(
                row.id, row.p["label"], datetime.fromisoformat(row.finished_at), records.read_change(row.body)
            )
            for row in connection.execute(query)
        ]

    def _edits_of_theme(self, connection: Connection, theme_id: str, lens: str) -> list[Edit]:
        names_theme = or_(*(edit.c.body[key].as_string() == theme_id for key in ("theme_id", "other_theme_id")))
        edits = self._select(edit).where(edit.c.lens == lens, names_theme)
        seqs = select(edit.c.seq).where(edit.c.network_id == self._network_id, edit.c.lens == lens, names_theme)
        undos = self._select(edit).where(edit.c.lens == lens, edit.c.body["undoes"].as_integer().in_(seqs))
        rows = {row.seq: row for query in (edits, undos) for row in connection.execute(query)}
        return [records.read_edit(rows[seq].body) for seq in sorted(rows, reverse=True)]


def _read_card(row: Any) -> ThemeCard:
    return ThemeCard(records.read_theme(row.card), row.n_members)


def _read_centre(centre: bytes) -> Vectors:
    return np.frombuffer(centre, np.float32)


def _have_same_dimensions(centre: bytes | None, other: bytes) -> bool:
    return centre is not None and len(centre) == len(other)
