"""Open, migrate and use a data folder that version 0.1.0 wrote."""

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from patternmind.bootstrap import AppContext
from patternmind.domain.drafts import DraftAction
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.services.library import list_library
from patternmind.settings import DEFAULT_NETWORK, Settings
from patternmind.storage.engine import REVISIONS

HOMES = Path(__file__).parents[1] / "fixtures" / "homes"
RENAMED_TABLES = {"found": "machine_result"}


@pytest.fixture
def facts() -> dict[str, Any]:
    return json.loads((HOMES / "0.1.0.json").read_text(encoding="utf-8"))


@pytest.fixture
def ctx(tmp_path: Path) -> AppContext:
    home = tmp_path / "home"
    home.mkdir()
    (home / "patternmind.db").write_bytes(gzip.decompress((HOMES / "0.1.0.db.gz").read_bytes()))
    return AppContext(Settings(home=home), encoder=HashingEncoder())


def test_migration_keeps_every_row_and_leaves_a_copy(ctx: AppContext, facts: dict[str, Any]) -> None:
    assert len(ctx.store.cases.list_all()) == facts["cases"]  # opens and migrates
    home = ctx.settings.home
    with closing(sqlite3.connect(home / "patternmind.db")) as connection:
        counts = {
            table: connection.execute(f'SELECT count(*) FROM "{RENAMED_TABLES.get(table, table)}"').fetchone()[0]  # noqa: S608
            for table in facts["rows"]
        }
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (REVISIONS[-1],)
    assert counts == facts["rows"]
    copy = home / f"patternmind.before-{REVISIONS[-1]}.db"
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (facts["revision"],)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_stored_home_reads_as_before(ctx: AppContext, facts: dict[str, Any]) -> None:
    store = ctx.store
    assert [[theme.id, theme.name, len(theme.case_ids)] for theme in store.themes.list_all()] == facts["themes"]
    assert [run.id for run in store.runs.list_all()] == facts["runs"]
    assert len(store.edits.list_all()) == facts["edits"]
    assert len(store.drafts.pattern_uses()) == facts["uses"]
    assert sorted(member.name for member in ctx.accounts.members.list_all(DEFAULT_NETWORK)) == facts["members"]
    _, decisions, _ = store.drafts.get(facts["ids"]["draft_id"])
    assert [decision.action for decision in decisions] == [DraftAction.EDIT, DraftAction.ACCEPT]
    assert [entry.published.pattern.id for entry in list_library(store)] == [facts["ids"]["pattern_id"]]
    job = store.jobs.get(facts["ids"]["job_id"])
    assert job.has_ended
    assert store.runs.machine_result(store.runs.list_all()[-1].id) is not None


def test_run_without_changes_answers_with_the_stored_run(ctx: AppContext) -> None:
    """The fingerprint of a run must not change with the names in the code."""
    last = ctx.store.runs.latest()
    assert last is not None
    assert ctx.run(last.parameters).id == last.id
