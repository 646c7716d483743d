"""Names offered and confirmed, everything a roster may list, and people's own words on their way in and out."""

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
from patternmind.services.reviews import decide_draft, list_all_drafts
from patternmind.services.roster import import_roster
from patternmind.settings import Settings


@pytest.fixture
def house(tmp_path: Path) -> AppContext:
    house = AppContext(Settings(home=tmp_path / "home"), encoder=HashingEncoder())
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
    import_files(house.store, [cases], kind=CaseKind.CASE)
    return house


def roster_file(folder: Path, text: str) -> Path:
    path = folder / "roster.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_confirmed_name_is_gone_and_offered_no_more(house: AppContext) -> None:
    (offered,) = search_possible_names(house.store)
    assert (offered.name, offered.n_texts) == ("Zebulon", 27)
    assert confirm_names(house.store, ["Zebulon"]) == 1
    assert confirm_names(house.store, ["zebulon "]) == 0
    assert search_possible_names(house.store) == ()
    assert all("zebulon" not in json.dumps(row).casefold() for row in export_rows(house.store, "cases"))


def test_a_name_of_no_letters_is_refused(house: AppContext) -> None:
    with pytest.raises(UsageError, match="two letters"):
        confirm_names(house.store, ["Zebulon", "4"])
    assert house.store.roster() == []


def test_the_customer_of_a_row_leaves_its_text(house: AppContext) -> None:
    case = house.store.case("sold")
    assert case.text["problem"] == "[customer] took the last valve from shelf 12."
    assert "Borealis" not in json.dumps(dict(case.extra))


def test_a_roster_lists_people_customers_sites_and_regions(house: AppContext, tmp_path: Path) -> None:
    text = "kind,name,email,handle\n,Ada Lund,ada@example.org,@ada_l\ncustomer,Acme Oy,,\nsite,Moss,,\nregion,pl,,\n"
    assert import_roster(house.store, roster_file(tmp_path, text)).added == 4
    more = tmp_path / "more.csv"
    more.write_text("id,problem\nm-1,@ada_l of Acme rang from Moss on 601 234 567\n", encoding="utf-8")
    import_files(house.store, [more], kind=CaseKind.CASE)
    assert house.store.case("m-1").text["problem"] == "[person 1] of [customer 2] rang from [site 3] on [phone]"


@pytest.mark.parametrize("row", ["planet,Mars", "region,Norway"])
def test_a_roster_of_unknown_kinds_or_regions_is_refused_whole(house: AppContext, tmp_path: Path, row: str) -> None:
    with pytest.raises(UnreadableFile):
        import_roster(house.store, roster_file(tmp_path, f"kind,name\nperson,Ada Lund\n{row}\n"))
    assert house.store.roster() == []


def test_what_people_write_names_nobody_now_or_later(house: AppContext, tmp_path: Path) -> None:
    house.run(RunParameters())
    draft = list_all_drafts(house.store, kind=DraftKind.PATTERN)[0].grounded.draft.id
    with pytest.raises(UsageError, match="names a person"):
        decide_draft(
            house.store, house.clock, draft, DraftAction.EDIT, actor="Kim", edits={"name": "Mail a@example.org first"}
        )
    decide_draft(
        house.store, house.clock, draft, DraftAction.EDIT, actor="Kim", edits={"name": "Ask Quast first"}, note="Quast"
    )
    import_roster(house.store, roster_file(tmp_path, "name\nOla Quast\n"))
    exported = [json.dumps(row) for what in ("drafts", "patterns", "themes") for row in export_rows(house.store, what)]
    assert any("Ask [person 1] first" in row for row in exported)
    assert not any("quast" in row.casefold() for row in exported)


def test_a_session_is_announced_without_names(house: AppContext, tmp_path: Path) -> None:
    house.run(RunParameters())
    import_roster(house.store, roster_file(tmp_path, "name\nOla Quast\n"))
    subject = prereading_builder.subject_from_case(house.store, "valve-1")
    prepared = prereading_builder.build_prereading(house.store, house.clock, subject, session="Jam with Ola Quast")
    assert "quast" not in json.dumps(prepared_row(prepared)).casefold()
