"""Query the themes and assignments of earlier runs, for comparing runs."""

from patternmind.ports import ThemeSnapshot
from patternmind.storage import schema
from patternmind.storage.repositories.base import NetworkScopedStore


class RunHistory(NetworkScopedStore):
    """Themes and assignments of any finished run, including the newest."""

    def themes_of_run(self, run_id: str) -> list[ThemeSnapshot]:
        theme = schema.theme
        n_cases = theme.c.body["n_cases"].as_integer()
        query = self._select(theme, theme.c.id, theme.c.body["name"].as_string(), n_cases)
        with self._read_transaction() as connection:
            rows = connection.execute(query.where(theme.c.run_id == run_id, n_cases > 0).order_by(theme.c.rank)).all()
        return [ThemeSnapshot(*row) for row in rows]

    def theme_ids_by_case(self, run_id: str) -> dict[str, str | None]:
        table = schema.assignment
        query = self._select(table, table.c.case_id, table.c.theme_id).where(table.c.run_id == run_id)
        with self._read_transaction() as connection:
            return {row.case_id: row.theme_id for row in connection.execute(query.order_by(table.c.case_id))}
