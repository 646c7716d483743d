"""Roster changes remove new names from all stored and exported text, and change nothing else."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.fixtures.networks import SharedHome, open_context

from patternmind.bootstrap import DATABASE_FILE, AppContext
from patternmind.domain.cases import CaseKind
from patternmind.domain.draft_fields import WITHDRAWN
from patternmind.domain.drafts import Draft, DraftAction, Quote
from patternmind.domain.edits import EditAction
from patternmind.embedding.lenses import lens_text
from patternmind.embedding.vectors import text_hash
from patternmind.errors import RunInProgress
from patternmind.ports import RosterChange, RunParameters
from patternmind.services import prereading_builder
from patternmind.services.exports import export_rows
from patternmind.services.file_import import import_files
from patternmind.services.reviews import decide_draft, list_all_drafts
from patternmind.services.roster import add_people, import_roster
from patternmind.services.theme_edits import ThemeEditRequest, submit_edit
from patternmind.storage.repositories.drafts import SqlDraftRepository
from patternmind.storage.run_lock import run_lock

SUBJECTS = ("printer", "valve", "login")


STORIES = (
    "while pallets of frozen fish were loaded for a customer",
    "minutes before the lorry to Bergen left without us",
    "on a rainy Sunday evening with nobody else around",
    "after somebody had swapped its power cable by mistake",
    "during the yearly stock count that everybody dreads",
    "just as two trainees began their very first day",
    "when both managers were on holiday abroad together",
    "with customs officers waiting outside at gate four",
    "once all others had gone out for a long lunch",
)
"""A different ending for every case, because near-duplicates count as one case."""


def make_rows() -> list[dict[str, str]]:
    """Make cases with one sentence that names Zebulon and others that do not."""
    return [
        {
            "id": f"{subject}-{number}",
            "problem": f"Zebulon saw the {subject} fail again {STORIES[(number + 3 * subject_number) % 9]}. "
            f"The {subject} order was lost in hall {number}.",
            "lesson": f"Ask Zebulon to check the {subject} before shift {number} begins. Mark the {subject} in red.",
            "team": f"team {number % 3}",
        }
        for subject_number, subject in enumerate(SUBJECTS)
        for number in range(9)
    ]


def fill_home(home: Path) -> None:
    """Fill a network whose drafts, decisions and themes name a person before the roster does."""
    ctx = open_context(home)
    cases = home.with_name("cases.json")
    cases.write_text(json.dumps(make_rows()), encoding="utf-8")
    import_files(ctx.store, [cases], kind=CaseKind.CASE)
    for lens in ("helped", "all"):
        ctx.run(RunParameters(lens=lens))
    store, clock = ctx.store, ctx.clock
    prereading_builder.build_prereading(
        store, clock, prereading_builder.subject_from_case(store, "printer-1"), session="With Zebulon Quast"
    )
    for reviewed in list_all_drafts(store):
        if any(claim.field == "solution" for claim in reviewed.grounded.draft.claims):
            first = reviewed.grounded.draft.claims[0].text
            edits = {"context": f"Zebulon Quast knows: {first}"}
            decide_draft(
                store,
                clock,
                reviewed.grounded.draft.id,
                DraftAction.EDIT,
                actor="Ada",
                edits=edits,
                note="as Zebulon said",
            )
            decide_draft(store, clock, reviewed.grounded.draft.id, DraftAction.ACCEPT, actor="Ada")
    theme = store.themes.list_all("all")[0].id
    request = ThemeEditRequest(
        action=EditAction.RENAME, actor="Ada", lens="all", theme_id=theme, name="Zebulon, printers", note="Zebulon"
    )
    submit_edit(store, clock, request)


@pytest.fixture
def ctx(shared_home: SharedHome, tmp_path: Path) -> AppContext:
    return open_context(shutil.copytree(shared_home("roster", fill_home), tmp_path / "home"))


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    roster = tmp_path / "roster.csv"
    roster.write_text("name,email,team\nZebulon Quast,,\n", encoding="utf-8")
    return roster


def exported_texts(ctx: AppContext) -> list[str]:
    export_names = ("cases", "themes", "drafts", "patterns")
    rows = [json.dumps(row) for export_name in export_names for row in export_rows(ctx.store, export_name)]
    return [*rows, *ctx.store.themes.areas().values()]


def count_rows_with_name(path: Path, *, ignored: set[str]) -> dict[str, int]:
    """Count the rows of each table that contain the name, without the ignored tables.

    The word index cannot be read directly, but its own tables can.
    """
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'case_words'"
        names = {name for (name,) in connection.execute(query)} - ignored
        rows_by_table = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}  # noqa: S608
    counts = {name: sum("zebulon" in str(row).casefold() for row in rows) for name, rows in rows_by_table.items()}
    return {name: n for name, n in sorted(counts.items()) if n}


def quotes_of(drafts: list[Draft]) -> Iterator[Quote]:
    return (quote for draft in drafts for claim in draft.claims for quote in claim.quotes)


def stored_drafts(ctx: AppContext) -> list[Draft]:
    return [draft for draft, _, _ in ctx.store.drafts.list_all(current=False)]


def test_roster_change_removes_a_new_name_from_all_stored_text(ctx: AppContext, roster: Path) -> None:
    assert any("Zebulon" in theme.gist for theme in ctx.store.themes.list_all())
    path, ignored = ctx.settings.home / DATABASE_FILE, {"submission", "person"}
    assert set(count_rows_with_name(path, ignored=ignored)) >= {"case", "decision", "draft", "edit", "theme"}
    assert import_roster(ctx.store, roster) == RosterChange(added=1, changed=27)
    assert [text for text in exported_texts(ctx) if "zebulon" in text.casefold()] == []
    assert count_rows_with_name(path, ignored=ignored) == {}
    assert len(ctx.store.submissions.list_all()) == 27


def test_roster_change_moves_quotes_and_withdraws_those_with_the_name(ctx: AppContext, roster: Path) -> None:
    before = {draft.id: draft for draft in stored_drafts(ctx)}
    ids_with_name = {id for id, draft in before.items() if any("Zebulon" in quote.text for quote in quotes_of([draft]))}
    import_roster(ctx.store, roster)
    cases = {case.id: case for case in ctx.store.cases.list_all()}
    after = {draft.id: draft for draft in stored_drafts(ctx)}
    assert list(after) == list(before)
    assert ids_with_name
    n_moved = 0
    for id, draft in after.items():
        for old, new in zip(quotes_of([before[id]]), quotes_of([draft]), strict=True):
            if "Zebulon" in old.text:
                assert new == Quote(case_id=old.case_id, field=old.field, start=0, end=0, text=WITHDRAWN)
                continue
            assert cases[new.case_id].text[new.field][new.start : new.end] == new.text == old.text
            n_moved += (old.start, old.end) != (new.start, new.end)
        assert all(f"{id}@{cases[id].text_version}" == name for name in draft.provenance.inputs for id in [name[:18]])
    assert n_moved > 0
    for reviewed in list_all_drafts(ctx.store):
        n_withdrawn = sum(quote.text == WITHDRAWN for quote in quotes_of([after[reviewed.grounded.draft.id]]))
        assert len(reviewed.grounded.refused_claims) == n_withdrawn
    assert [reviewed for reviewed in list_all_drafts(ctx.store) if reviewed.decisions]


def test_roster_change_changes_nothing_when_interrupted_and_can_be_repeated(
    ctx: AppContext, roster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = exported_texts(ctx)

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SqlDraftRepository, "rewrite", interrupt)
    with pytest.raises(KeyboardInterrupt):
        import_roster(ctx.store, roster)
    monkeypatch.undo()
    assert (exported_texts(ctx), ctx.store.network.roster()) == (before, [])
    assert import_roster(ctx.store, roster) == RosterChange(added=1, changed=27)
    after = exported_texts(ctx)
    assert import_roster(ctx.store, roster) == RosterChange(added=0, changed=0)
    assert add_people(ctx.store, ()).changed == 0
    assert exported_texts(ctx) == after


def test_roster_change_drops_vectors_until_the_next_run(ctx: AppContext, roster: Path) -> None:
    def vectors() -> set[str]:
        hashes = [text_hash(lens_text(case, "all")) for case in ctx.store.cases.list_all()]
        return set(ctx.store.vectors.get_many(ctx.encoder.id, hashes))

    old = vectors()
    assert old
    import_roster(ctx.store, roster)
    assert vectors() == set()
    assert ctx.store.vectors.get_many(ctx.encoder.id, sorted(old)) == {}
    themes = {theme.id: theme.case_ids for theme in ctx.store.themes.list_all("all")}
    ctx.run(RunParameters())
    assert len(vectors()) > 0
    assert {theme.id for theme in ctx.store.themes.list_all("all")} >= {id for id, cases in themes.items() if cases}


def test_import_uses_a_roster_that_grows_meanwhile(
    ctx: AppContext, roster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = tmp_path / "late.json"
    late.write_text(json.dumps([{"id": "late", "problem": "Zebulon Quast was late."}]), encoding="utf-8")
    read_roster = ctx.store.network.roster

    def read_then_grow() -> object:
        people = read_roster()
        monkeypatch.undo()
        import_roster(ctx.store, roster)
        return people

    monkeypatch.setattr(ctx.store.network, "roster", read_then_grow)
    report = import_files(ctx.store, [late], kind=CaseKind.CASE)
    assert report.accepted == 1
    assert ctx.store.cases.get("late").text == {"problem": "[person 1] was late."}


def test_roster_change_is_refused_during_a_run(ctx: AppContext) -> None:
    with run_lock(ctx.settings.home), pytest.raises(RunInProgress), ctx.run_locked():
        pass
