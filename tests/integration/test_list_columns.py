"""What lists are read by is filled in for a network of an earlier version, and kept with every write of this one."""

import sqlite3
from collections.abc import Iterator
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
from patternmind.storage.engine import MIGRATIONS, _create_engine  # pyright: ignore[reportPrivateUsage]
from patternmind.storage.search.chroma import ExactIndex

BEFORE = "0006"
WHEN = "on Monday|at noon|by night|in March|after lunch|before dawn|under load|in rain|once more|on Friday".split("|")
ADDED = {
    "case": ("dated", "team", "status", "flags", "vector_hash"),
    "theme": ("card", "n_members", "centre"),
    "draft": ("state", "n_decisions"),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppContext]:
    """A network with a run, decisions about themes and drafts, and a name that became known afterwards."""
    home = tmp_path_factory.mktemp("lived")
    house = AppContext(Settings(home=home), encoder=HashingEncoder())
    cases = [
        {"id": f"k{n}", "problem": f"The {word} of Zebulon Quist broke {when}.",
         "lesson": f"A new {word} {when} helped.", "team": f"T{n % 3}",
         "date": f"2026-0{1 + n % 9}-03", "status": "open" if n % 2 else "solved"}
        for n, (word, when) in enumerate((word, when) for word in ("pump", "lift", "gate") for when in WHEN)
    ]  # fmt: skip
    import_files(house.store, [write_rows(home / "cases.jsonl", cases)], kind=CaseKind.CASE)
    recap = {"id": "r1", "case": "We looked at [person 1] and a pump.", "linked_cases": ["k1"]}
    import_files(house.store, [write_rows(home / "recaps.jsonl", [recap])], kind=CaseKind.RECAP)
    house.run(RunParameters(label="2026Q1"))
    drafts = [draft.id for draft, _, _ in house.store.drafts()]
    decide_draft(
        house.store, house.clock, drafts[0], DraftAction.REJECT, actor="Ada", reason=RejectionReason.NOT_USEFUL
    )
    decide_draft(house.store, house.clock, drafts[0], DraftAction.UNDO, actor="Ada")
    decide_draft(house.store, house.clock, drafts[-1], DraftAction.NOT_SURE, actor="Ada")
    theme = house.store.themes()[0]
    asked = ThemeEditRequest(action=EditAction.MOVE_OUT, actor="Ada", theme_id=theme.id, case_ids=theme.case_ids[:1])
    submit_edit(house.store, house.clock, asked)
    add_people(house.store, [("Zebulon Quist", None, None)])
    yield house
    house.store.close()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def columns(path: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            name: connection.execute(f'SELECT id, {", ".join(added)} FROM "{name}" ORDER BY id').fetchall()  # noqa: S608
            for name, added in ADDED.items()
        }


def as_it_was(source: Path, target: Path) -> None:
    """The same rows in a database of the earlier version."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = _create_engine(target)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
    engine.dispose()
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("ATTACH ? AS lived", (str(source),))
        tables = [name for (name,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")]
        for name in tables:
            if name != "alembic_version":
                kept = ", ".join(f'"{row[1]}"' for row in connection.execute(f'PRAGMA main.table_info("{name}")'))
                connection.execute(f'INSERT INTO main."{name}" ({kept}) SELECT {kept} FROM lived."{name}"')  # noqa: S608
        connection.commit()


def test_what_an_earlier_version_stored_is_filled_in_as_this_one_writes_it(house: AppContext, tmp_path: Path) -> None:
    as_it_was(house.settings.home / DATABASE_FILE, tmp_path / DATABASE_FILE)
    migrated = SqlStore(tmp_path / DATABASE_FILE)
    assert columns(tmp_path / DATABASE_FILE) == columns(house.settings.home / DATABASE_FILE)
    for wanted in (
        CaseFilter(search_words="pump"),
        CaseFilter(search_words="quist"),
        CaseFilter(search_words="k1", team="T1"),
    ):
        assert migrated.list_cases(wanted, limit=99) == house.store.list_cases(wanted, limit=99)
    assert migrated.list_theme_cards(include_dormant=True) == house.store.list_theme_cards(include_dormant=True)
    assert migrated.network_counts() == house.store.network_counts()
    migrated.close()


def test_cards_follow_decisions_and_names(house: AppContext) -> None:
    def members(theme: Theme) -> tuple[str, int]:
        return theme.id, len(theme.case_ids)

    assert [(card.theme.id, card.size) for card in house.store.list_theme_cards(include_dormant=True)] == [
        members(theme) for theme in house.store.themes()
    ]
    assert {line.state.value for line in house.store.list_draft_items(DraftFilter(), limit=99).rows} == {
        "candidate",
        "in_review",
    }


def test_a_name_that_became_known_is_in_no_page_of_the_index_of_words(house: AppContext) -> None:
    """The name was in every text; an index keeps what it was told until it is written anew."""
    assert house.store.count_cases(CaseFilter(search_words="quist")) == 0
    with closing(sqlite3.connect(house.settings.home / DATABASE_FILE)) as connection:
        pages = b"".join(block for (block,) in connection.execute("SELECT block FROM case_words_data"))
    assert b"ump" in pages  # a word leaves out what it has in common with the one before
    assert b"uist" not in pages
    assert b"ebulon" not in pages


def test_the_neighbours_of_a_case_are_the_nearest_others_of_all(house: AppContext) -> None:
    oracle = ExactIndex(*embed_all_cases(house.store, house.encoder))
    for case in house.store.cases()[:5]:
        vector = house.encoder.encode([lens_text(case, "all")])[0]
        expected = [hit for hit in oracle.search(vector, 99) if hit.case_id != case.id][:3]
        assert house.live_index.neighbours(case.id, 3) == expected
    assert house.live_index.neighbours("c-none", 3) == []
