"""Rename stored keys and one table to the names that the code uses."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

THEME_KEYS = {"remembered": "unseen_case_ids", "spoke": "former_exemplars"}
RUN_KEYS = {"proposals": "conflicts"}
PARAMETER_KEYS = {"afresh": "from_scratch"}

Body = dict[str, Any]


def upgrade() -> None:
    op.rename_table("found", "machine_result")
    _rename_all(THEME_KEYS, RUN_KEYS, PARAMETER_KEYS)


def downgrade() -> None:
    _rename_all(*({new: old for old, new in keys.items()} for keys in (THEME_KEYS, RUN_KEYS, PARAMETER_KEYS)))
    op.rename_table("machine_result", "found")


def _rename_all(theme_keys: Mapping[str, str], run_keys: Mapping[str, str], parameter_keys: Mapping[str, str]) -> None:
    def theme(body: Body) -> Body:
        return _renamed(body, theme_keys)

    def run(body: Body) -> Body:
        return _renamed(body, run_keys) | {"parameters": _renamed(body["parameters"], parameter_keys)}

    def result(body: Body) -> Body:
        return body | {"memory": [theme(known_theme) for known_theme in body["memory"]]}

    def job(body: Body) -> Body:
        return body | {"asked": _renamed(body["asked"], parameter_keys)}

    for table, rewrite in {"theme": theme, "run": run, "machine_result": result, "job": job}.items():
        _rewrite_bodies(table, rewrite)


def _renamed(body: Mapping[str, Any], keys: Mapping[str, str]) -> Body:
    return {keys.get(name, name): value for name, value in body.items()}


def _rewrite_bodies(table: str, rewrite: Callable[[Body], Body]) -> None:
    connection = op.get_bind()
    for rowid, text in list(_bodies(connection, table)):
        body = json.loads(text)
        if (rewritten := rewrite(body)) != body:
            statement = sa.text(f'UPDATE "{table}" SET body = :body WHERE rowid = :rowid')  # noqa: S608 - our own names
            connection.execute(statement, {"body": json.dumps(rewritten), "rowid": rowid})


def _bodies(connection: sa.Connection, table: str) -> Iterator[tuple[int, str]]:
    query = sa.text(f'SELECT rowid, body FROM "{table}" ORDER BY rowid')  # noqa: S608 - our own names
    for row in connection.execute(query):
        yield row.rowid, row.body
