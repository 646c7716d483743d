"""Store themes, areas and theme changes of runs, and query a theme's page."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Table

from patternmind.domain.read_models import SimilarTheme, ThemeCard, ThemeDetail, ThemeRunChange
from patternmind.domain.themes import Theme, ThemeChange, Vectors
from patternmind.errors import ErrorCode, NotFound
from patternmind.ports import RunRecord, TextRewrite, ThemeSnapshot
from patternmind.storage import records, schema
from patternmind.storage.database import SqlRepository, Transaction
from patternmind.storage.repositories.case_pages import load_with_assignments
from patternmind.storage.repositories.edits import SqlEditRepository
from patternmind.storage.repositories.runs import SqlRunRepository

MAX_SIMILAR_THEMES = 3
"""Number of similar themes on a theme's page."""

theme, area, run, theme_change = schema.theme, schema.area, schema.run, schema.theme_change
CARD_COLUMNS = (theme.c.id, theme.c.card, theme.c.n_members)


class SqlThemeRepository(SqlRepository):
    """Implements ``ports.ThemeRepository``."""

    def list_all(self, lens: str | None = None) -> list[Theme]:
        with self._source.reading() as tx:
            rows = tx.rows(_of_latest(tx, lens, theme, theme.c.body).order_by(theme.c.rank))
            return [records.read_theme(row.body) for row in rows]

    def all_ids(self) -> set[str]:
        with self._source.reading() as tx:
            return set(tx.scalars(tx.select(theme, theme.c.id).distinct()))

    def areas(self, lens: str | None = None) -> dict[str, str]:
        with self._source.reading() as tx:
            return {row.id: row.name for row in tx.rows(_of_latest(tx, lens, area).order_by(area.c.id))}

    def changes(self, run_id: str) -> list[ThemeChange]:
        with self._source.reading() as tx:
            query = tx.select(theme_change).where(theme_change.c.run_id == run_id).order_by(theme_change.c.seq)
            return [records.read_change(row.body) for row in tx.rows(query)]

    def snapshots(self, run_id: str) -> list[ThemeSnapshot]:
        n_cases = theme.c.body["n_cases"].as_integer()
        with self._source.reading() as tx:
            query = tx.select(theme, theme.c.id, theme.c.body["name"].as_string(), n_cases)
            rows = tx.rows(query.where(theme.c.run_id == run_id, n_cases > 0).order_by(theme.c.rank))
        return [ThemeSnapshot(*row) for row in rows]

    def cards(self, lens: str | None = None, *, include_dormant: bool = False) -> list[ThemeCard]:
        with self._source.reading() as tx:
            query = _of_latest(tx, lens, theme, *CARD_COLUMNS).order_by(theme.c.rank)
            rows = tx.rows(query if include_dormant else query.where(theme.c.n_members > 0))
        return [_read_card(row) for row in rows]

    def card(self, theme_id: str, lens: str | None = None) -> ThemeCard:
        with self._source.reading() as tx:
            return _read_card(_theme_row(tx, lens, theme_id, CARD_COLUMNS))

    def case_ids(self, theme_id: str, lens: str | None = None) -> tuple[str, ...]:
        with self._source.reading() as tx:
            return tuple(_theme_row(tx, lens, theme_id, (theme.c.body["case_ids"],))[0])

    def detail(self, theme_id: str, lens: str | None = None) -> ThemeDetail:
        with self._source.reading() as tx:
            latest = SqlRunRepository(tx).latest(lens)
            if latest is None:
                raise NotFound("theme", theme_id, "There has been no run yet; start one first.", code=ErrorCode.NO_RUN)
            lens = latest.parameters.lens
            row = _theme_row(tx, lens, theme_id, (*CARD_COLUMNS, theme.c.centre))
            card = _read_card(row)
            exemplar_ids = [*card.theme.exemplars, *([card.theme.edge_case] if card.theme.edge_case else [])]
            cases = load_with_assignments(tx, exemplar_ids, lens)
            return ThemeDetail(
                card=card,
                area=_area_name(tx, latest, card.theme.area_id),
                similar_themes=tuple(_similar_themes(tx, latest, row)),
                exemplars=tuple(cases[id] for id in dict.fromkeys(exemplar_ids) if id in cases),
                run_changes=tuple(_run_changes(tx, theme_id)),
                edits=tuple(SqlEditRepository(tx).of_theme(theme_id, lens)),
            )

    def names(self, lens: str | None = None) -> dict[str, str]:
        with self._source.reading() as tx:
            name = theme.c.card["name"].as_string().label("name")
            return {row.id: row.name for row in tx.rows(_of_latest(tx, lens, theme, theme.c.id, name))}

    def encoder_id(self, lens: str | None = None) -> str | None:
        with self._source.reading() as tx:
            query = _of_latest(tx, lens, theme, theme.c.card["encoder"].as_string())
            return tx.scalar(query.where(theme.c.centre.is_not(None)).limit(1)) or None

    def add_all(self, run_id: str, themes: Iterable[Theme], areas: Mapping[str, str]) -> None:
        """Store the themes and areas of a run; the order of themes is kept."""
        with self._source.writing() as tx:
            rows = [{"run_id": run_id, "id": item.id, "rank": n, **theme_row(item)} for n, item in enumerate(themes)]
            tx.insert_all(theme, rows)
            tx.insert_all(area, [{"run_id": run_id, "id": id, "name": name} for id, name in areas.items()])

    def add_changes(self, run_id: str, changes: Iterable[ThemeChange]) -> None:
        with self._source.writing() as tx:
            rows = [
                {"run_id": run_id, "seq": seq, "theme_id": change.theme_id, "body": records.change_record(change)}
                for seq, change in enumerate(changes)
            ]
            tx.insert_all(theme_change, rows)

    def delete_of_run(self, run_id: str) -> None:
        """Delete the themes and areas of a run, but not its reported changes."""
        with self._source.writing() as tx:
            for table in (theme, area):
                tx.delete(table, table.c.run_id == run_id)

    def rewrite(self, rewrite: TextRewrite) -> None:
        with self._source.writing() as tx:
            for row in tx.rows(tx.select(theme)):
                before = records.read_theme(row.body)
                if (after := rewrite.rewrite_theme(before)) != before:
                    tx.update(theme, theme_row(after), theme.c.run_id == row.run_id, theme.c.id == row.id)
            for row in tx.rows(tx.select(area)):
                if (name := rewrite.rewrite_name(row.name)) != row.name:
                    tx.update(area, {"name": name}, area.c.run_id == row.run_id, area.c.id == row.id)


def theme_row(stored: Theme) -> dict[str, Any]:
    """Return the row of a theme: its record, and a card without the fields that grow with the network."""
    record = records.theme_record(stored)
    card = {key: value for key, value in record.items() if key not in records.CARD_EXCLUDED_FIELDS}
    return {
        "body": record,
        "card": card | {"case_ids": ()},
        "n_members": len(stored.case_ids),
        "centre": np.asarray(stored.centre, np.float32).tobytes() if stored.centre else None,
    }


def _of_latest(tx: Transaction, lens: str | None, table: Table, *columns: Any) -> Any:
    """Select rows of the newest finished run of a lens; there are no rows without a run."""
    latest = SqlRunRepository(tx).latest(lens)
    return tx.select(table, *columns).where(table.c.run_id == (latest.id if latest else ""))


def _theme_row(tx: Transaction, lens: str | None, theme_id: str, columns: Sequence[ColumnElement[Any]]) -> Any:
    row = tx.first(_of_latest(tx, lens, theme, *columns).where(theme.c.id == theme_id))
    if row is None:
        raise NotFound("theme", theme_id)
    return row


def _area_name(tx: Transaction, latest: RunRecord, area_id: str) -> str:
    return tx.scalar(tx.select(area, area.c.name).where(area.c.run_id == latest.id, area.c.id == area_id)) or ""


def _similar_themes(tx: Transaction, latest: RunRecord, row: Any) -> list[SimilarTheme]:
    """Return the themes with the most similar centres, most similar first, equal ones by id."""
    if row.centre is None:
        return []
    query = tx.select(theme, theme.c.id, theme.c.card["name"].as_string().label("name"), theme.c.centre)
    others = tx.rows(query.where(theme.c.run_id == latest.id, theme.c.id != row.id, theme.c.n_members > 0))
    centre = _read_centre(row.centre)
    scored = [
        (float(_read_centre(other.centre) @ centre), other)
        for other in others
        if _have_same_dimensions(other.centre, row.centre)
    ]
    scored.sort(key=lambda pair: (-pair[0], pair[1].id))
    return [SimilarTheme(other.id, other.name, round(cosine, 4)) for cosine, other in scored[:MAX_SIMILAR_THEMES]]


def _run_changes(tx: Transaction, theme_id: str) -> list[ThemeRunChange]:
    same_run = (run.c.network_id == theme_change.c.network_id) & (run.c.id == theme_change.c.run_id)
    query = (
        tx.select(
            theme_change, theme_change.c.body, run.c.id, run.c.finished_at, run.c.body["parameters"].label("parameters")
        )
        .join(run, same_run)
        .where(theme_change.c.theme_id == theme_id)
        .order_by(run.c.number.desc())
    )
    return [
        ThemeRunChange(
            row.id, row.parameters["label"], datetime.fromisoformat(row.finished_at), records.read_change(row.body)
        )
        for row in tx.rows(query)
    ]


def _read_card(row: Any) -> ThemeCard:
    return ThemeCard(records.read_theme(row.card), row.n_members)


def _read_centre(centre: bytes) -> Vectors:
    return np.frombuffer(centre, np.float32)


def _have_same_dimensions(centre: bytes | None, other: bytes) -> bool:
    return centre is not None and len(centre) == len(other)
