"""Possible names, roster imports, and redaction of what people write."""

import json
from pathlib import Path

import pytest

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import CaseKind
from patternmind.domain.drafts import DraftAction, DraftKind
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import UnreadableFile, UsageError
from patternmind.ports import RunParameters
from patternmind.services import prereading_builder
from patternmind.services.exports import export_rows
from patternmind.services.file_import import import_files
from patternmind.services.playbook import prepared_row
from patternmind.services.possible_names import confirm_names, search_possible_names
from patternmind.services.reviews import decide_draft, list_all_drafts, reject_names
from patternmind.services.roster import import_roster
from patternmind.settings import Settings


@pytest.fixture
def ctx(tmp_path: Path) -> AppContext:
    ctx = AppContext(Settings(home=tmp_path / "home"), encoder=HashingEncoder())
    rows = [
        {
            "id": f"{subject}-{number}",
            "problem": f"The {subject} failed in hall {number}. Thanks, Zebulon! The {subject} order was lost.",
            "lesson": f"Ask before the shift {number} begins, and check the {subject} with care.",
            "Customer": "Borealis AG",
            "team": f"team {number % 3}",
        }
        for subject in ("printer", "valve", "login")
        for number in range(9)
    ]
    rows.append({"id": "sold", "problem": "Borealis took the last valve from shelf 12.", "Customer": "Borealis AG"})
    cases = tmp_path / "cases.json"
    cases.write_text(json.dumps(rows), encoding="utf-8")
    import_files(ctx.store, [cases], kind=CaseKind.CASE)
    return ctx


def roster_file(folder: Path, text: str) -> Path:
    path = folder / "roster.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_confirmed_name_is_redacted_and_not_listed_again(ctx: AppContext) -> None:
    (candidate,) = search_possible_names(ctx.store)
    assert (candidate.name, candidate.n_texts) == ("Zebulon", 27)
    assert confirm_names(ctx.store, ["Zebulon"]) == 1
    assert confirm_names(ctx.store, ["zebulon "]) == 0
    assert search_possible_names(ctx.store) == ()
    assert all("zebulon" not in json.dumps(row).casefold() for row in export_rows(ctx.store, "cases"))


@pytest.mark.parametrize("note", ["ask zebulon about it", "thanks, Zebulon", "ask mark stone", "Call 0047 22 33 44 55"])
def test_note_on_a_draft_is_refused_when_it_contains_a_name_in_any_case(ctx: AppContext, note: str) -> None:
    confirm_names(ctx.store, ["Zebulon Quast", "Mark Stone"])
    with pytest.raises(UsageError) as raised:
        reject_names(ctx.store, note, {})
    assert raised.value.field == "note"


@pytest.mark.parametrize("note", ["we will mark the goods", "Mark goods in May.", "the will of the group"])
def test_note_on_a_draft_may_contain_words_that_are_also_names(ctx: AppContext, note: str) -> None:
    confirm_names(ctx.store, ["Mark Stone", "Will Grace", "May Berg"])
    reject_names(ctx.store, "", {"solution": (note,)})


def test_confirm_names_refuses_a_name_without_letters(ctx: AppContext) -> None:
    with pytest.raises(UsageError, match="two letters"):
        confirm_names(ctx.store, ["Zebulon", "4"])
    assert ctx.store.network.roster() == []


def test_customer_of_a_row_is_redacted_in_its_text(ctx: AppContext) -> None:
    case = ctx.store.cases.get("sold")
    assert case.text["problem"] == "[customer] took the last valve from shelf 12."
    assert "Borealis" not in json.dumps(dict(case.extra))


def test_roster_import_adds_people_customers_sites_and_regions(ctx: AppContext, tmp_path: Path) -> None:
    text = "kind,name,email,handle\n,Ada Lund,ada@example.org,@ada_l\ncustomer,Acme Oy,,\nsite,Moss,,\nregion,pl,,\n"
    assert import_roster(ctx.store, roster_file(tmp_path, text)).added == 4
    more = tmp_path / "more.csv"
    more.write_text("id,problem\nm-1,@ada_l of Acme rang from Moss on 601 234 567\n", encoding="utf-8")
    import_files(ctx.store, [more], kind=CaseKind.CASE)
    assert ctx.store.cases.get("m-1").text["problem"] == "[person 1] of [customer 2] rang from [site 3] on [phone]"


@pytest.mark.parametrize("row", ["planet,Mars", "region,Norway"])
def test_roster_with_an_unknown_kind_or_region_is_refused_completely(ctx: AppContext, tmp_path: Path, row: str) -> None:
    with pytest.raises(UnreadableFile):
        import_roster(ctx.store, roster_file(tmp_path, f"kind,name\nperson,Ada Lund\n{row}\n"))
    assert ctx.store.network.roster() == []


def test_decision_texts_are_redacted_with_current_and_later_rosters(ctx: AppContext, tmp_path: Path) -> None:
    ctx.run(RunParameters())
    draft = list_all_drafts(ctx.store, kind=DraftKind.PATTERN)[0].grounded.draft.id
    with pytest.raises(UsageError, match="person's name or contact details"):
        decide_draft(
            ctx.store, ctx.clock, draft, DraftAction.EDIT, actor="Kim", edits={"name": "Mail a@example.org first"}
        )
    decide_draft(
        ctx.store, ctx.clock, draft, DraftAction.EDIT, actor="Kim", edits={"name": "Ask Quast first"}, note="Quast"
    )
    import_roster(ctx.store, roster_file(tmp_path, "name\nOla Quast\n"))
    exported = [
        json.dumps(row)
        for export_name in ("drafts", "patterns", "themes")
        for row in export_rows(ctx.store, export_name)
    ]
    assert any("Ask [person 1] first" in row for row in exported)
    assert not any("quast" in row.casefold() for row in exported)


def test_session_name_of_a_prereading_is_redacted(ctx: AppContext, tmp_path: Path) -> None:
    ctx.run(RunParameters())
    import_roster(ctx.store, roster_file(tmp_path, "name\nOla Quast\n"))
    subject = prereading_builder.subject_from_case(ctx.store, "valve-1")
    prepared = prereading_builder.build_prereading(ctx.store, ctx.clock, subject, session="Jam with Ola Quast")
    assert "quast" not in json.dumps(prepared_row(prepared)).casefold()
