"""An erased case is gone from every file of the data folder: its words, its numbers, and what was made of them."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.commands import write_rows

from patternmind.bootstrap import DATABASE_FILE, UPLOAD_FOLDER_PREFIX, AppContext
from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.drafts import DraftAction, PatternUse
from patternmind.domain.edits import EditAction
from patternmind.domain.jobs import Job, JobKind
from patternmind.domain.themes import Vectors
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.embedding.lenses import LENSES, lens_text
from patternmind.errors import IndexUnavailable, NotFound, RunInProgress, StoreUnavailable, UsageError
from patternmind.grounding import WITHDRAWN
from patternmind.ports import RunParameters
from patternmind.services import prereading_builder
from patternmind.services.exports import EXPORT_NAMES, export_rows
from patternmind.services.file_import import import_files
from patternmind.services.playbook import build_playbook_document, collect_playbook
from patternmind.services.reviews import build_patterns, decide_draft, list_all_drafts
from patternmind.services.search import search
from patternmind.services.theme_edits import ThemeEditRequest, submit_edit
from patternmind.services.theme_map import build_theme_map
from patternmind.settings import Settings
from patternmind.storage.run_lock import run_lock
from patternmind.storage.schema import metadata

WORD, ACCENTED = "Zyxquokka", "Zyxquökka"
PROBLEM = f"The {WORD} printer at the dock failed and the {WORD} order was lost in hall 77."
LESSON = f"Check the {ACCENTED} printer before the shift begins, and mark the {ACCENTED} order."


def rows() -> list[dict[str, str]]:
    told = [
        {
            "id": f"{subject}-{number}",
            "problem": f"The {subject} at the dock failed again in hall {number}, and the {subject} order was lost.",
            "lesson": f"Check the {subject} before the shift {number} begins, and mark the {subject} order.",
            "team": f"team {number % 3}",
            "submitter": f"Person Number{number}",
        }
        for subject in ("printer", "valve", "login")
        for number in range(9)
    ]
    canary = {"id": "canary", "problem": PROBLEM, "lesson": LESSON, "team": "team 1", "remark": f"{WORD} too"}
    return [*told, canary]


class Place:
    """A network in which everything was done that leaves something of a case in the folder."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.file = folder / "cases.jsonl"
        self.house = AppContext(Settings(home=self.home), encoder=HashingEncoder())

    @property
    def case(self) -> Case:
        return self.house.store.case("canary")

    def fill(self) -> None:
        import_files(self.house.store, [write_rows(self.file, rows())], kind=CaseKind.CASE)
        recap = {"id": "recap-1", "case": "We looked at a dock printer.", "linked_cases": ["canary"]}
        import_files(self.house.store, [write_rows(self.home / "r.jsonl", [recap])], kind=CaseKind.RECAP)
        for lens in LENSES:
            self.house.run(RunParameters(lens=lens, label="2026Q3"))
        self._decide_on_themes()
        self._review()
        self._ask_for_work()
        self.house.run(RunParameters(label="2026Q4"))
        with closing(self.house.chroma_index()) as index:
            ids = [case.id for case in self.house.store.cases()]
            index.rebuild(ids, self.vectors(ids))
        with self.house.open_index() as found:
            results = search(self.house.store, self.house.encoder, found, WORD, kind="case")
            assert results[0].id == self.case.id
        self.house.placer().place_cases(["canary"])
        copy = self.home / "patternmind.before-0006.db"
        with closing(sqlite3.connect(self.home / DATABASE_FILE)) as now, closing(sqlite3.connect(copy)) as then:
            now.backup(then)
        upload = self.home / f"{UPLOAD_FOLDER_PREFIX}killed"
        upload.mkdir()
        shutil.copy(self.file, upload)

    def vectors(self, ids: list[str]) -> Vectors:
        return self.house.encoder.encode([lens_text(self.house.store.case(id), "all") for id in ids])

    def _ask_for_work(self) -> None:
        """Two pre-readings that were never made: one on words of the case, one on the case itself."""
        now = self.house.clock.now()
        for n, asked in enumerate(({"topic": f"Why {PROBLEM}"}, {"case": self.case.id, "session": f"The {WORD} jam"})):
            job = Job(id=f"j-{n}", kind=JobKind.PREREADING, by="Ada", asked=asked, started_at=now, beat_at=now)
            self.house.store.create_job(job)

    def decide(self, action: EditAction, **known: Any) -> None:
        submit_edit(
            self.house.store, self.house.clock, ThemeEditRequest(action=action, actor="Ada", lens="all", **known)
        )

    def _decide_on_themes(self) -> None:
        theme = self.house.store.themes("all")[0].id
        note = f"The {WORD} case says it best."
        self.decide(EditAction.RENAME, theme_id=theme, name=f"Dock, {WORD} printer", note=note)
        self.decide(EditAction.PIN, theme_id=theme, case_ids=(self.case.id,))

    def _review(self) -> None:
        store, clock = self.house.store, self.house.clock
        prereading_builder.build_prereading(
            store, clock, prereading_builder.subject_from_case(store, "canary"), session=f"About the {WORD}"
        )
        for one in list_all_drafts(store):
            if "solution" not in one.grounded.draft.fields:
                continue
            draft = one.grounded.draft
            line = f"As one case says: {PROBLEM}"
            edits = {"context": (line,), "forces": (f"Look for a {WORD}.",)}
            decide_draft(store, clock, draft.id, DraftAction.EDIT, actor="Ada", edits=edits, note=f"see {ACCENTED}")
            if any(claim.field == "solution" for claim in draft.claims):
                decide_draft(store, clock, draft.id, DraftAction.ACCEPT, actor="Ada")
        today = clock.now()
        note = f"The {WORD} case helped: {PROBLEM}"
        told = PatternUse(id="u-1", pattern_id="p-1", on=today.date(), team="team 1", note=note, by="Ada", at=today)
        store.save_pattern_use(told)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    Place(folder).fill()
    return folder


@pytest.fixture
def place(filled: Path, tmp_path: Path) -> Place:
    shutil.copytree(filled, tmp_path / "copy")
    return Place(tmp_path / "copy")


def spellings() -> Iterator[bytes]:
    for word in (WORD, ACCENTED, WORD.lower(), ACCENTED.lower(), WORD.upper()):
        yield from (word.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))
        yield json.dumps(word)[1:-1].encode()


def holding(home: Path, wanted: list[bytes]) -> list[str]:
    """The files of the folder that hold any of these bytes; nothing is left out, whatever it is called."""
    files = [path for path in home.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if any(one in path.read_bytes() for one in wanted))


def tables_holding(path: Path) -> set[str]:
    """Of the index of words, the tables that it is made of: it cannot be read itself."""
    with closing(sqlite3.connect(path)) as connection:
        asked = "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'case_words'"
        names = [name for (name,) in connection.execute(asked)]
        told = {name: str(connection.execute(f'SELECT * FROM "{name}"').fetchall()) for name in names}  # noqa: S608
    return {name for name, rows in told.items() if WORD.casefold() in rows.casefold()}


def words_indexed(path: Path) -> bytes:
    """The pages of the index of words, as they lie in the file."""
    with closing(sqlite3.connect(path)) as connection:
        return b"".join(block for (block,) in connection.execute("SELECT block FROM case_words_data"))


WORDS = {
    "submission",
    "case",
    "theme",
    "area",
    "run",
    "machine_result",
    "edit",
    "draft",
    "decision",
    "answer",
    "pattern_use",
    "job",
}
NUMBERS = {"vector", "assignment", "fits", "answer_case"}
NOTHING = {
    *(
        "network",
        "person",
        "theme_change",
        "erasure",
        "withdrawal",
        "token",
        "model_call",
        "model_spend",
        "reservation",
    ),
    *("token", "dismissed_name", "account", "member", "session", "sign_in_link", "audit"),
}
"""Ids at most; the roster and the network's own words are no case's."""


def test_every_table_is_known_for_what_it_keeps_of_cases() -> None:
    """A new table with words goes into ``retell_rows``, one with numbers by case into ``erase_rows``, and here."""
    assert set(metadata.tables) == WORDS | NUMBERS | NOTHING


def test_nothing_of_an_erased_case_is_left_in_any_file(place: Place) -> None:
    store = place.house.store
    its_vector = place.vectors([place.case.id])[0].tobytes()
    wanted = [*spellings(), its_vector]
    log = f"{DATABASE_FILE}-wal"
    assert {log, "patternmind.before-0006.db", "cases.jsonl"} <= set(holding(place.home, list(spellings())))
    assert {log, "chroma.sqlite3"} <= set(holding(place.home, [its_vector]))
    assert tables_holding(place.home / DATABASE_FILE) >= {
        "submission",
        "case",
        "draft",
        "decision",
        "edit",
        "theme",
        "job",
    }
    assert WORD.casefold().encode() in words_indexed(place.home / DATABASE_FILE)
    case = place.case
    told = place.house.erase("canary", actor="Stella Steward")
    assert holding(place.home, wanted) == []
    assert b"uokka" not in words_indexed(place.home / DATABASE_FILE)
    assert told.case_id == case.id
    assert told.n_quotes > 0
    assert told.linked == (store.case("recap-1").id,)
    assert [(one.case_id, one.by) for one in store.erasures()] == [(case.id, "Stella Steward")]
    assert "canary" not in str([case.external_id for case in store.cases()])
    assert [job.id for job in store.jobs()] == ["j-0"]


def test_what_is_left_goes_on_as_if_the_case_had_not_been_there(place: Place) -> None:
    store, case = place.house.store, place.case
    place.house.erase(case.id, actor="Ada")
    shown = [json.dumps(row) for what in EXPORT_NAMES for row in export_rows(store, what)]
    assert not any(WORD in row or case.id in row for row in shown if '"provenance"' not in row)
    assert any(WITHDRAWN in json.dumps(decision.edits) for _, log, _ in store.drafts(current=False) for decision in log)
    for one in list_all_drafts(store):
        assert all(quote.text != WITHDRAWN for claim in one.grounded.draft.claims for quote in claim.quotes)
    assert build_patterns(list_all_drafts(store))
    for lens in LENSES:
        for theme in store.themes(lens):
            assert case.id not in (*theme.case_ids, *theme.exemplars, theme.edge_case, *theme.unseen_case_ids)
            assert theme.n_cases <= len(theme.case_ids)
        prereading_builder.subject_from_theme(store, store.themes(lens)[0].id)
    theme = store.themes("all")[0]
    place.decide(EditAction.RENAME, theme_id=theme.id, name="Docks")
    build_playbook_document(store, collect_playbook(store), place.house.clock.now())
    build_theme_map(store, "all")
    with place.house.open_index() as index:
        assert type(index).__name__ == "ChromaIndex"
        found = search(store, place.house.encoder, index, PROBLEM)
    assert case.id not in {one.id for one in found}
    assert place.house.placer().place_text(PROBLEM).like
    record = place.house.run(RunParameters(label="2026Q4"))
    assert (record.state, record.n_cases) == ("finished", len(rows()))
    assert holding(place.home, list(spellings())) == []


def test_an_erased_case_is_not_taken_in_again_and_erasing_it_again_cleans_the_files(place: Place) -> None:
    store, case = place.house.store, place.case
    place.house.erase("canary", actor="Ada")
    report = import_files(store, [place.file], kind=CaseKind.CASE)
    (rejected,) = report.rejected
    assert (report.accepted, report.unchanged, rejected.row) == (0, 27, 28)
    assert "was erased on" in rejected.errors[0]
    for name in ("canary", case.id):
        again = place.house.erase(name, actor="Bo")
        assert (again.again, again.case_id) == (True, case.id)
    assert [one.by for one in store.erasures()] == ["Ada"]


def test_a_case_with_the_same_text_is_named_and_stays(place: Place, tmp_path: Path) -> None:
    twin = {**rows()[-1], "id": "twin"}
    import_files(place.house.store, [write_rows(tmp_path / "twin.jsonl", [twin])], kind=CaseKind.CASE)
    twin_id = place.house.store.case("twin").id
    assert place.house.erase("canary", actor="Ada").same == (twin_id,)
    assert place.house.erase(twin_id, actor="Ada").same == ()
    assert holding(place.home, list(spellings())) == []


def test_what_cannot_be_erased_now_is_said_and_nothing_is_changed(place: Place) -> None:
    house, case = place.house, place.case
    with pytest.raises(NotFound):
        house.erase("nobody", actor="Ada")
    with pytest.raises(UsageError, match="Enter your name"):
        house.erase("canary", actor=" ")
    with run_lock(place.home), pytest.raises(RunInProgress):
        house.erase("canary", actor="Ada")
    with closing(house.chroma_index()), pytest.raises(IndexUnavailable):
        house.erase("canary", actor="Ada")
    assert house.store.case("canary") == case
    assert house.store.erasures() == []


def test_an_erasure_that_another_process_kept_from_cleaning_is_finished_by_doing_it_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise StoreUnavailable("Another process reads it.")

    monkeypatch.setattr(place.house.store, "purge_deleted", refuse)
    with pytest.raises(StoreUnavailable):
        place.house.erase("canary", actor="Ada")
    with pytest.raises(NotFound):
        place.house.store.case("canary")
    assert holding(place.home, list(spellings())) != []  # the rows are gone, and SQLite's pages are not yet
    monkeypatch.undo()
    assert place.house.erase("canary", actor="Ada").again
    assert holding(place.home, list(spellings())) == []
