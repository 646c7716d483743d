"""Migrations fill the columns that lists use, and every write keeps them up to date."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from tests.fixtures.commands import write_rows

from patternmind.bootstrap import DATABASE_FILE, AppContext
from patternmind.domain.cases import CaseKind
from patternmind.domain.drafts import DraftAction, RejectionReason
from patternmind.domain.edits import EditAction
from patternmind.domain.read_models import CaseFilter, DraftFilter
from patternmind.domain.themes import Theme
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.embedding.lenses import lens_text
from patternmind.ports import RunParameters
from patternmind.services.file_import import import_files
from patternmind.services.reviews import decide_draft
from patternmind.services.roster import add_people
from patternmind.services.search import embed_all_cases
from patternmind.services.theme_edits import ThemeEditRequest, submit_edit
from patternmind.settings import Settings
from patternmind.storage import SqlStore
from patternmind.storage.dialects.sqlite import create_engine
from patternmind.storage.engine import MIGRATIONS
from patternmind.storage.search.exact import ExactIndex

EARLIER_REVISION = "0006"
TIMES = "on Monday|at noon|by night|in March|after lunch|before dawn|under load|in rain|once more|on Friday".split("|")
ADDED_COLUMNS = {
    "case": ("dated", "team", "status", "flags", "vector_hash"),
    "theme": ("card", "n_members", "centre"),
    "draft": ("state", "n_decisions"),
}


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppContext]:
    """Network with a run, edits, decisions, and a name added to the roster later."""
    home = tmp_path_factory.mktemp("lived")
    ctx = AppContext(Settings(home=home), encoder=HashingEncoder())
    cases = [
        {"id": f"k{n}", "problem": f"The {word} of Zebulon Quist broke {time}.",
         "lesson": f"A new {word} {time} helped.", "team": f"T{n % 3}",
         "date": f"2026-0{1 + n % 9}-03", "status": "open" if n % 2 else "solved"}
        for n, (word, time) in enumerate((word, time) for word in ("pump", "lift", "gate") for time in TIMES)
    ]  # fmt: skip
    import_files(ctx.store, [write_rows(home / "cases.jsonl", cases)], kind=CaseKind.CASE)
    recap = {"id": "r1", "case": "We looked at [person 1] and a pump.", "linked_cases": ["k1"]}
    import_files(ctx.store, [write_rows(home / "recaps.jsonl", [recap])], kind=CaseKind.RECAP)
    ctx.run(RunParameters(label="2026Q1"))
    drafts = [draft.id for draft, _, _ in ctx.store.drafts.list_all()]
    decide_draft(ctx.store, ctx.clock, drafts[0], DraftAction.REJECT, actor="Ada", reason=RejectionReason.NOT_USEFUL)
    decide_draft(ctx.store, ctx.clock, drafts[0], DraftAction.UNDO, actor="Ada")
    decide_draft(ctx.store, ctx.clock, drafts[-1], DraftAction.NOT_SURE, actor="Ada")
    theme = ctx.store.themes.list_all()[0]
    request = ThemeEditRequest(action=EditAction.MOVE_OUT, actor="Ada", theme_id=theme.id, case_ids=theme.case_ids[:1])
    submit_edit(ctx.store, ctx.clock, request)
    add_people(ctx.store, [("Zebulon Quist", None, None)])
    yield ctx
    ctx.store.close()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def read_added_columns(path: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            name: connection.execute(f'SELECT id, {", ".join(added)} FROM "{name}" ORDER BY id').fetchall()  # noqa: S608
            for name, added in ADDED_COLUMNS.items()
        }


def copy_to_earlier_version(source: Path, target: Path) -> None:
    """Copy the rows into a database of the earlier version."""
    with_old_names = target.with_suffix(".old-names.db")
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(with_old_names)) as copy:
        original.backup(copy)
    migrate(with_old_names, command.downgrade, "0012")  # the next revision renamed keys and a table
    migrate(target, command.upgrade, EARLIER_REVISION)
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("ATTACH ? AS source", (str(with_old_names),))
        tables = [name for (name,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")]
        for name in tables:
            if name != "alembic_version":
                columns = ", ".join(f'"{row[1]}"' for row in connection.execute(f'PRAGMA main.table_info("{name}")'))
                connection.execute(f'INSERT INTO main."{name}" ({columns}) SELECT {columns} FROM source."{name}"')  # noqa: S608
        connection.commit()


def migrate(path: Path, step: Callable[[Config, str], None], revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(path)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        step(config, revision)
    engine.dispose()


def test_migration_fills_list_columns_like_the_current_version(ctx: AppContext, tmp_path: Path) -> None:
    copy_to_earlier_version(ctx.settings.home / DATABASE_FILE, tmp_path / DATABASE_FILE)
    migrated = SqlStore(tmp_path / DATABASE_FILE)
    assert read_added_columns(tmp_path / DATABASE_FILE) == read_added_columns(ctx.settings.home / DATABASE_FILE)
    for case_filter in (
        CaseFilter(search_words="pump"),
        CaseFilter(search_words="quist"),
        CaseFilter(search_words="k1", team="T1"),
    ):
        assert migrated.cases.page(case_filter, limit=99) == ctx.store.cases.page(case_filter, limit=99)
    assert migrated.themes.cards(include_dormant=True) == ctx.store.themes.cards(include_dormant=True)
    assert migrated.network_counts() == ctx.store.network_counts()
    migrated.close()


def test_list_columns_follow_decisions_and_themes(ctx: AppContext) -> None:
    def id_and_size(theme: Theme) -> tuple[str, int]:
        return theme.id, len(theme.case_ids)

    assert [(card.theme.id, card.size) for card in ctx.store.themes.cards(include_dormant=True)] == [
        id_and_size(theme) for theme in ctx.store.themes.list_all()
    ]
    assert {item.state.value for item in ctx.store.drafts.item_page(DraftFilter(), limit=99).rows} == {
        "candidate",
        "in_review",
    }


def test_word_index_pages_do_not_contain_a_redacted_name(ctx: AppContext) -> None:
    """The name was in every text; an index keeps deleted words until it is rebuilt."""
    assert ctx.store.cases.count(CaseFilter(search_words="quist")) == 0
    with closing(sqlite3.connect(ctx.settings.home / DATABASE_FILE)) as connection:
        pages = b"".join(block for (block,) in connection.execute("SELECT block FROM case_words_data"))
    assert b"ump" in pages  # a word is stored without the prefix that it shares with the previous word
    assert b"uist" not in pages
    assert b"ebulon" not in pages


def test_neighbours_equal_the_nearest_cases_of_an_exact_search(ctx: AppContext) -> None:
    oracle = ExactIndex(*embed_all_cases(ctx.store, ctx.encoder))
    for case in ctx.store.cases.list_all()[:5]:
        vector = ctx.encoder.encode([lens_text(case, "all")])[0]
        expected = [hit for hit in oracle.search(vector, 99) if hit.case_id != case.id][:3]
        assert ctx.live_index.neighbours(case.id, 3) == expected
    assert ctx.live_index.neighbours("c-none", 3) == []
