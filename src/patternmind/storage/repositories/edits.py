"""Store the append-only log of people's edits of themes."""

from collections.abc import Iterable

from sqlalchemy import func, or_

from patternmind.domain.edits import Edit
from patternmind.ports import TextRewrite
from patternmind.storage import records, schema
from patternmind.storage.database import SqlRepository

table = schema.edit


class SqlEditRepository(SqlRepository):
    """Implements ``ports.EditRepository``."""

    def list_all(self, lens: str | None = None) -> list[Edit]:
        with self._source.reading() as tx:
            query = tx.select(table).order_by(table.c.seq)
            rows = tx.rows(query if lens is None else query.where(table.c.lens == lens))
        return [records.read_edit(row.body) for row in rows]

    def of_theme(self, theme_id: str, lens: str) -> list[Edit]:
        """Return the edits of a theme and their undos, newest first."""
        names_theme = or_(*(table.c.body[key].as_string() == theme_id for key in ("theme_id", "other_theme_id")))
        with self._source.reading() as tx:
            of_lens = tx.select(table).where(table.c.lens == lens)
            seqs = tx.select(table, table.c.seq).where(table.c.lens == lens, names_theme)
            undos = of_lens.where(table.c.body["undoes"].as_integer().in_(seqs))
            rows = {row.seq: row for query in (of_lens.where(names_theme), undos) for row in tx.rows(query)}
        return [records.read_edit(rows[seq].body) for seq in sorted(rows, reverse=True)]

    def newest_seq(self, lens: str | None = None) -> int:
        """Return the number of the newest edit, 0 for an empty log."""
        with self._source.reading() as tx:
            query = tx.select(table, func.coalesce(func.max(table.c.seq), 0))
            return tx.scalar(query if lens is None else query.where(table.c.lens == lens))

    def add_all(self, edits: Iterable[Edit]) -> None:
        with self._source.writing() as tx:
            rows = [{"seq": edit.seq, "lens": edit.lens, "body": records.edit_record(edit)} for edit in edits]
            tx.insert_all(table, rows)

    def rewrite(self, rewrite: TextRewrite) -> None:
        with self._source.writing() as tx:
            for row in tx.rows(tx.select(table)):
                texts = {key: rewrite.rewrite_name(row.body[key]) for key in ("name", "former_name") if row.body[key]}
                texts |= {"note": rewrite.rewrite_text(row.body["note"])} if row.body["note"] else {}
                if any(row.body[key] != text for key, text in texts.items()):
                    tx.update(table, {"body": {**row.body, **texts}}, table.c.seq == row.seq)
