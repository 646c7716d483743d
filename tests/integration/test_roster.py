"""A roster that grows later takes its names out of everything that is stored and shown, and loses nothing else."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.fixtures.networks import SharedHome, open_house

from patternmind.bootstrap import DATABASE_FILE, AppContext
from patternmind.domain.cases import CaseKind
from patternmind.domain.drafts import Draft, DraftAction, Quote
from patternmind.domain.edits import EditAction
from patternmind.embedding.lenses import lens_text
from patternmind.embedding.vectors import text_hash
from patternmind.errors import RunInProgress
from patternmind.grounding import WITHDRAWN
from patternmind.ports import RosterChange, RunParameters
from patternmind.services import prereading_builder
from patternmind.services.exports import export_rows
from patternmind.services.file_import import import_files
from patternmind.services.reviews import decide_draft, list_all_drafts
from patternmind.services.roster import import_roster, redact_all
from patternmind.services.theme_edits import ThemeEditRequest, submit_edit
from patternmind.storage.run_lock import run_lock

SUBJECTS = ("printer", "valve", "login")


TOLD = (
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
"""Every case tells a story of its own: what is told twice counts once."""


def rows() -> list[dict[str, str]]:
    """Of every case one sentence names Zebulon, and three do not."""
    return [
        {
            "id": f"{subject}-{number}",
            "problem": f"Zebulon saw the {subject} fail again {TOLD[(number + 3 * at) % 9]}. "
            f"The {subject} order was lost in hall {number}.",
            "lesson": f"Ask Zebulon to check the {subject} before shift {number} begins. Mark the {subject} in red.",
            "team": f"team {number % 3}",
        }
        for at, subject in enumerate(SUBJECTS)
        for number in range(9)
    ]


def build(home: Path) -> None:
    """Fill a network whose drafts, decisions and themes all name a person who is on no roster yet."""
    house = open_house(home)
    cases = home.with_name("cases.json")
    cases.write_text(json.dumps(rows()), encoding="utf-8")
    import_files(house.store, [cases], kind=CaseKind.CASE)
    for lens in ("helped", "all"):
        house.run(RunParameters(lens=lens))
    store, clock = house.store, house.clock
    prereading_builder.build_prereading(
        store, clock, prereading_builder.subject_from_case(store, "printer-1"), session="With Zebulon Quast"
    )
    for one in list_all_drafts(store):
        if any(claim.field == "solution" for claim in one.grounded.draft.claims):
            first = one.grounded.draft.claims[0].text
            edits = {"context": f"Zebulon Quast knows: {first}"}
            decide_draft(
                store, clock, one.grounded.draft.id, DraftAction.EDIT, actor="Ada", edits=edits, note="as Zebulon said"
            )
            decide_draft(store, clock, one.grounded.draft.id, DraftAction.ACCEPT, actor="Ada")
    theme = store.themes("all")[0].id
    asked = ThemeEditRequest(
        action=EditAction.RENAME, actor="Ada", lens="all", theme_id=theme, name="Zebulon, printers", note="Zebulon"
    )
    submit_edit(store, clock, asked)


@pytest.fixture
def house(shared_home: SharedHome, tmp_path: Path) -> AppContext:
    return open_house(shutil.copytree(shared_home("roster", build), tmp_path / "home"))


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    roster = tmp_path / "roster.csv"
    roster.write_text("name,email,team\nZebulon Quast,,\n", encoding="utf-8")
    return roster


def shown(house: AppContext) -> list[str]:
    exported = ("cases", "themes", "drafts", "patterns")
    told = [json.dumps(row) for what in exported for row in export_rows(house.store, what)]
    return [*told, *house.store.areas().values()]


def named_in(path: Path, *, but: set[str]) -> dict[str, int]:
    """How many rows of each table hold the name; the raw text and the roster itself left out.

    The index of words cannot be read itself, but the tables that it is made of can.
    """
    with closing(sqlite3.connect(path)) as connection:
        asked = "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'case_words'"
        names = {name for (name,) in connection.execute(asked)} - but
        told = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}  # noqa: S608
    counts = {name: sum("zebulon" in str(row).casefold() for row in held) for name, held in told.items()}
    return {name: n for name, n in sorted(counts.items()) if n}


def quotes(drafts: list[Draft]) -> Iterator[Quote]:
    return (quote for draft in drafts for claim in draft.claims for quote in claim.quotes)


def stored(house: AppContext) -> list[Draft]:
    return [draft for draft, _, _ in house.store.drafts(current=False)]


def test_a_name_on_a_later_roster_leaves_cases_drafts_and_themes(house: AppContext, roster: Path) -> None:
    assert any("Zebulon" in theme.gist for theme in house.store.themes())
    path, but = house.settings.home / DATABASE_FILE, {"submission", "person"}
    assert set(named_in(path, but=but)) >= {"case", "decision", "draft", "edit", "theme"}
    assert import_roster(house.store, roster) == RosterChange(added=1, changed=27)
    assert [text for text in shown(house) if "zebulon" in text.casefold()] == []
    assert named_in(path, but=but) == {}
    assert len(house.store.submissions()) == 27


def test_quotes_move_with_their_text_and_those_that_held_the_name_are_withdrawn(
    house: AppContext, roster: Path
) -> None:
    before = {draft.id: draft for draft in stored(house)}
    named = {id for id, draft in before.items() if any("Zebulon" in quote.text for quote in quotes([draft]))}
    import_roster(house.store, roster)
    cases = {case.id: case for case in house.store.cases()}
    after = {draft.id: draft for draft in stored(house)}
    assert list(after) == list(before)
    assert named
    moved = 0
    for id, draft in after.items():
        for old, new in zip(quotes([before[id]]), quotes([draft]), strict=True):
            if "Zebulon" in old.text:
                assert new == Quote(case_id=old.case_id, field=old.field, start=0, end=0, text=WITHDRAWN)
                continue
            assert cases[new.case_id].text[new.field][new.start : new.end] == new.text == old.text
            moved += (old.start, old.end) != (new.start, new.end)
        assert all(f"{id}@{cases[id].text_version}" == name for name in draft.provenance.inputs for id in [name[:18]])
    assert moved > 0
    for one in list_all_drafts(house.store):
        lost = sum(quote.text == WITHDRAWN for quote in quotes([after[one.grounded.draft.id]]))
        assert len(one.grounded.refused_claims) == lost
    assert [one for one in list_all_drafts(house.store) if one.decisions]


def test_a_change_that_is_stopped_half_way_changes_nothing_and_is_done_by_doing_it_again(
    house: AppContext, roster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shown(house)

    def stop(*known: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(house.store), "_rewrite_drafts", stop)
    with pytest.raises(KeyboardInterrupt):
        import_roster(house.store, roster)
    monkeypatch.undo()
    assert (shown(house), house.store.roster()) == (before, [])
    assert import_roster(house.store, roster) == RosterChange(added=1, changed=27)
    again = shown(house)
    assert import_roster(house.store, roster) == RosterChange(added=0, changed=0)
    assert redact_all(house.store) == 0
    assert shown(house) == again


def test_vectors_of_changed_texts_go_and_are_made_anew_by_the_next_run(house: AppContext, roster: Path) -> None:
    def vectors() -> set[str]:
        hashes = [text_hash(lens_text(case, "all")) for case in house.store.cases()]
        return set(house.store.vectors(house.encoder.id, hashes))

    old = vectors()
    assert old
    import_roster(house.store, roster)
    assert vectors() == set()
    assert house.store.vectors(house.encoder.id, sorted(old)) == {}
    themes = {theme.id: theme.case_ids for theme in house.store.themes("all")}
    house.run(RunParameters())
    assert len(vectors()) > 0
    assert {theme.id for theme in house.store.themes("all")} >= {id for id, cases in themes.items() if cases}


def test_rows_that_come_in_while_the_roster_grows_are_redacted_by_it(
    house: AppContext, roster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = tmp_path / "late.json"
    late.write_text(json.dumps([{"id": "late", "problem": "Zebulon Quast was late."}]), encoding="utf-8")
    read_roster = house.store.roster

    def read_then_grow() -> object:
        people = read_roster()
        monkeypatch.undo()
        import_roster(house.store, roster)
        return people

    monkeypatch.setattr(house.store, "roster", read_then_grow)
    report = import_files(house.store, [late], kind=CaseKind.CASE)
    assert report.accepted == 1
    assert house.store.case("late").text == {"problem": "[person 1] was late."}


def test_the_roster_waits_for_a_run(house: AppContext) -> None:
    with run_lock(house.settings.home), pytest.raises(RunInProgress), house.run_locked():
        pass
