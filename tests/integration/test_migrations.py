"""Migrations give the newest schema, equal to the tables; a newer database is refused."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.builders import build_case, build_submission

from patternmind.errors import SchemaTooNew, StoreUnavailable
from patternmind.storage import SqlStore, schema
from patternmind.storage.dialects.sqlite import BUSY_TIMEOUT_MS, create_engine
from patternmind.storage.engine import MIGRATIONS, REVISIONS, open_engine


def fetch_all(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def is_own_table(name: str | None, kind: str, parents: object) -> bool:
    """Exclude the word index, whose tables SQLite manages itself."""
    return not (name or "").startswith("case_words")


def test_new_database_has_the_newest_schema(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "patternmind.db"
    open_engine(path).dispose()
    assert fetch_all(path, "SELECT version_num FROM alembic_version") == [(REVISIONS[-1],)]


def test_migrated_tables_equal_the_metadata(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = open_engine(tmp_path / "patternmind.db")
    with engine.connect() as connection:
        options = {"compare_type": True, "include_name": is_own_table}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


INSTALLATION_TABLES = (schema.network, schema.account, schema.session, schema.sign_in_link)
"""Tables of the installation; an account can be in several networks."""


def test_tables_of_a_network_start_their_key_with_the_network_id() -> None:
    for table in schema.metadata.sorted_tables:
        key = [column.name for column in table.primary_key.columns]
        assert (key[0] == "network_id") == (table not in INSTALLATION_TABLES), table.name


def test_token_without_scopes_gets_the_steward_role_and_survives_a_downgrade(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    path = tmp_path / "patternmind.db"
    engine = create_engine(path)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    def migrate(step: Any, revision: str) -> None:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            config.attributes["connection"] = connection
            step(config, revision)

    migrate(command.upgrade, "0006")
    tables_before = fetch_all(path, "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY name")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO token VALUES ('default', 't1', 'laptop', 'abc', '2026-01-01T00:00:00+00:00', NULL)"
        )
        connection.commit()
    migrate(command.upgrade, "0007")
    assert fetch_all(path, "SELECT name, roles, actions, account_id, revoked_at FROM token") == [
        ("laptop", "steward", None, None, None)
    ]
    migrate(command.downgrade, "0006")
    assert (
        fetch_all(path, "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY name") == tables_before
    )
    assert fetch_all(path, "SELECT id, name, sha256 FROM token") == [("t1", "laptop", "abc")]
    engine.dispose()


def test_audit_log_rejects_updates_and_deletes(tmp_path: Path) -> None:
    path = tmp_path / "patternmind.db"
    open_engine(path).dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO audit VALUES ('n', 1, 'now', 'Ada', 'start_run', 'start_run', '', '')")
        for statement in ("UPDATE audit SET who = 'Bo'", "DELETE FROM audit"):
            with pytest.raises(sqlite3.IntegrityError, match="only grow"):
                connection.execute(statement)


def test_revisions_equal_the_migration_files_in_order() -> None:
    files = sorted(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert [name[:4] for name in files] == list(REVISIONS)
    for previous, (revision, name) in zip([None, *REVISIONS], zip(REVISIONS, files, strict=True), strict=False):
        source = (MIGRATIONS / "versions" / name).read_text(encoding="utf-8")
        assert f'revision = "{revision}"' in source
        assert f"down_revision = {previous if previous is None else repr(previous)}".replace("'", '"') in source


def test_connection_has_the_required_pragmas(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "patternmind.db")
    with engine.connect() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in pragmas]
    assert values == ["wal", 2, 1, 1, BUSY_TIMEOUT_MS]
    engine.dispose()


def test_reopened_database_is_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "patternmind.db"
    first = SqlStore(path)
    case = build_case()
    first.cases.save_all([(build_submission(), case)])
    first.close()
    again = SqlStore(path)
    assert again.cases.list_all() == [case]
    assert again.network.contributor_secret() == first.network.contributor_secret()
    again.close()
    assert not list(tmp_path.glob("*.before-*"))


def test_newer_database_is_refused_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "patternmind.db"
    open_engine(path).dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(SchemaTooNew, match="9999") as refused:
        SqlStore(path)
    assert refused.value.revision == "9999"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert not list(tmp_path.glob("*.before-*"))


@pytest.mark.parametrize("folder", ["50 % done", "a#b", "what?", "så ü", "x%20y", "a;b&c=d"])
def test_database_folder_can_have_any_name(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "patternmind.db"
    for _ in range(2):
        store = SqlStore(path)
        store.network.add_to_roster([("Anna", None, None)])
        store.close()
    assert path.is_file()
    assert [path_in_folder.name for path_in_folder in tmp_path.iterdir()] == [folder]


@pytest.mark.parametrize("content", [b"not a database " * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_invalid_database_file_is_refused_unchanged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "patternmind.db"
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match=r"patternmind\.db"):
        SqlStore(path)
    assert path.read_bytes() == content


def test_data_folder_is_refused_when_it_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(StoreUnavailable, match="not a folder"):
        SqlStore(tmp_path / "home" / "patternmind.db")


def test_decisions_and_themes_require_their_parent_rows(tmp_path: Path) -> None:
    path = tmp_path / "patternmind.db"
    open_engine(path).dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for statement in (
            "INSERT INTO decision VALUES ('n', 'd-1', 1, '{}')",
            "INSERT INTO theme (network_id, run_id, id, rank, body) VALUES ('n', 'run-1', 't-1', 0, '{}')",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(statement)
