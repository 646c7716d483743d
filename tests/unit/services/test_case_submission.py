"""One case written by a person: what is asked, what is kept of it, whose it is, and that edits outlive later files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.commands import write_rows

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import CaseKind, Consent, Submission
from patternmind.domain.members import Member
from patternmind.domain.permissions import Role
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import NotFound, RuleViolated, VersionConflict
from patternmind.ingestion.form_validation import FieldError, suggest_field, validate_fields
from patternmind.ports import RunParameters
from patternmind.services.case_submission import (
    CaseInput,
    CasePreview,
    InvalidCase,
    edit_case,
    is_own_case,
    is_own_withdrawn_case,
    preview_case,
    restore_case,
    submit_case,
)
from patternmind.services.erasure import find_withdrawal
from patternmind.services.file_import import import_files
from patternmind.services.possible_names import confirm_names
from patternmind.settings import Settings

ADA = Member(id="m-1", network_id="default", name="Ada Berg", roles=frozenset({Role.MEMBER}))
ANN = Member(id="m-2", network_id="default", name="Ann", roles=frozenset({Role.MEMBER}))
PROBLEM = "The scanner of Kjetil Moe froze in the cold store."


@pytest.fixture
def house(tmp_path: Path) -> AppContext:
    return AppContext(Settings(home=tmp_path / "home"), encoder=HashingEncoder())


def written(member: Member | None = ADA, **known: Any) -> CaseInput:
    fields: Mapping[str, str] = known.pop("fields", {"problem": PROBLEM})
    return CaseInput(fields=fields, member=member, actor=member.name if member else "Steward", **known)


def handed_in(house: AppContext, **known: Any) -> CasePreview:
    return submit_case(house.store, house.clock, written(**known))


# What is written -----------------------------------------------------------------------------------------------------


def test_a_form_is_checked_like_a_row_and_each_message_stands_by_its_field() -> None:
    fields = {"problem": "x" * 200_001, "status": "half done", "opened_on": "yesterday", "lesson": "a\0b"}
    wrong = validate_fields(fields, kind=CaseKind.CASE)
    assert isinstance(wrong, tuple)
    assert {one.field for one in wrong} == {"problem", "status", "opened_on", "lesson"}
    assert all(one.message[0].isupper() and one.message.endswith(".") for one in wrong)


@pytest.mark.parametrize("fields", [{}, {"problem": "  \n "}, {"team": "Night shift"}])
def test_nothing_said_is_asked_for_in_plain_words(fields: dict[str, str]) -> None:
    said = "Enter a title, or write in a sentence what the problem is."
    assert validate_fields(fields, kind=CaseKind.CASE) == (FieldError("problem", said),)


def test_a_text_of_two_letters_is_asked_for_again() -> None:
    wrong = validate_fields({"problem": "no"}, kind=CaseKind.CASE)
    assert isinstance(wrong, tuple)
    assert [one.field for one in wrong] == ["problem"]


def test_the_one_thing_that_would_help_most_is_asked_for_in_turn() -> None:
    fields = {"problem": "It froze."}
    asked: list[str] = []
    while (missing := suggest_field(fields, kind=CaseKind.CASE)) is not None:
        asked.append(missing.field)
        fields[missing.field] = "Something longer, told in at least twelve words, so that it can be placed well."
    assert asked[:4] == ["problem", "what_happened", "tried", "outcome"]
    assert len(asked) == len(set(asked))


def test_an_open_case_is_not_asked_how_it_ended() -> None:
    told = "It froze in the cold store and nobody could scan a pallet for an hour that night."
    fields = {"problem": told, "what_happened": told, "tried": told, "status": "open"}
    missing = suggest_field(fields, kind=CaseKind.CASE)
    assert missing is not None
    assert missing.field == "context"


# What is kept --------------------------------------------------------------------------------------------------------


def test_looking_it_over_shows_what_others_will_read_and_stores_nothing(house: AppContext) -> None:
    seen = preview_case(house.store, written(fields={"problem": f"{PROBLEM} Call +47 22 33 44 55."}))
    assert seen.case.text == {"problem": f"{PROBLEM} Call [phone]."}
    assert seen.redaction_counts == {"phone": 1}
    assert "Kjetil Moe" in seen.possible_names
    assert house.store.cases() == []
    assert house.store.submissions() == []


def test_a_case_is_kept_redacted_with_its_raw_text_apart_and_its_owner_as_a_hash(house: AppContext) -> None:
    confirm_names(house.store, ["Kjetil Moe"])
    seen = handed_in(house, fields={"problem": PROBLEM, "consent": Consent.NETWORK_ONLY.value})
    case = house.store.case(seen.case.id)
    assert case.text == {"problem": "The scanner of [person 1] froze in the cold store."}
    assert case.consent is Consent.NETWORK_ONLY
    assert case.owner
    assert "m-1" not in case.owner
    assert "Ada" not in str(case)
    raw = house.store.submission(case.id)
    assert (raw.text["problem"], raw.facts["submitter"], raw.member) == (PROBLEM, "Ada Berg", "m-1")


def test_sent_twice_it_is_one_case(house: AppContext) -> None:
    first = handed_in(house, external_id="desk-1")
    again = handed_in(house, external_id="desk-1")
    assert (first.is_new, again.is_new) == (True, False)
    assert first.case.id == again.case.id
    assert house.store.count_versions(first.case.id) == 1


def test_another_text_under_a_known_id_is_refused_and_changes_nothing(house: AppContext) -> None:
    seen = handed_in(house, external_id="k1")
    with pytest.raises(RuleViolated, match="another text"):
        handed_in(house, external_id="k1", fields={"problem": "Something else entirely."})
    assert house.store.case("k1") == house.store.case(seen.case.id)
    assert house.store.case("k1").text["problem"] == PROBLEM


def test_what_is_wrong_is_raised_whole(house: AppContext) -> None:
    with pytest.raises(InvalidCase) as told:
        handed_in(house, fields={"problem": PROBLEM, "status": "maybe", "recurrence": "often"})
    assert {one.field for one in told.value.field_errors} == {"status", "recurrence"}


# Whose it is ---------------------------------------------------------------------------------------------------------


def test_a_case_is_its_members_and_nobody_elses(house: AppContext) -> None:
    case = handed_in(house).case
    namesake_in_part = Member(id="m-9", network_id="default", name="Ada", roles=frozenset({Role.MEMBER}))
    assert is_own_case(house.store, case, ADA)
    assert not is_own_case(house.store, case, ANN)
    assert not is_own_case(house.store, case, namesake_in_part)
    assert not is_own_case(house.store, case, None)


def test_a_row_of_a_file_is_the_members_whose_whole_name_it_has(house: AppContext, tmp_path: Path) -> None:
    confirm_names(house.store, ["Ann Smith"])
    rows = [
        {"id": "a", "problem": "The pump leaked in hall four.", "submitter": "ada  BERG"},
        {"id": "b", "problem": "The gate stood open all night.", "submitter": "Ann Smith"},
    ]
    import_files(house.store, [write_rows(tmp_path / "rows.jsonl", rows)], kind=CaseKind.CASE)
    assert is_own_case(house.store, house.store.case("a"), ADA)
    assert not is_own_case(house.store, house.store.case("b"), ANN)
    assert is_own_withdrawn_case(house.store, house.store.case("a").id, ADA)


def test_a_member_known_by_part_of_a_name_still_owns_what_they_handed_in(house: AppContext) -> None:
    confirm_names(house.store, ["Ann Smith"])
    case = handed_in(house, member=ANN).case
    assert is_own_case(house.store, case, ANN)


def test_a_steward_may_write_down_a_case_for_somebody_else(house: AppContext) -> None:
    steward = Member(id="s-1", network_id="default", name="Sten Vik", roles=frozenset({Role.STEWARD}))
    case = handed_in(house, member=steward, submitter="Ada Berg").case
    assert is_own_case(house.store, case, ADA)
    assert not is_own_case(house.store, case, steward)


def test_whose_it_is_outlives_a_new_roster(house: AppContext) -> None:
    case = handed_in(house).case
    confirm_names(house.store, ["Kjetil Moe"])
    after = house.store.case(case.id)
    assert after.text != case.text
    assert is_own_case(house.store, after, ADA)


# Edits ---------------------------------------------------------------------------------------------------------------


def test_an_edit_keeps_the_id_the_owner_and_every_version(house: AppContext) -> None:
    before = handed_in(house).case
    told = {"problem": f"{PROBLEM} It was minus 25.", "status": "solved"}
    after = edit_case(house.store, house.clock, before.id, written(fields=told), expected_version=1).case
    assert (after.id, after.owner, after.contributor) == (before.id, before.owner, before.contributor)
    assert after.facts["status"] == "solved"
    assert house.store.count_versions(before.id) == 2
    assert house.store.submission(before.id, 1).text["problem"] == PROBLEM
    assert house.store.submission(before.id).by == "Ada Berg"


def test_an_edited_case_without_an_id_of_its_own_stays_the_same_case_when_the_roster_grows(house: AppContext) -> None:
    before = handed_in(house).case
    edit_case(house.store, house.clock, before.id, written(fields={"problem": f"{PROBLEM} Again."}), expected_version=1)
    confirm_names(house.store, ["Kjetil Moe"])
    assert [case.id for case in house.store.cases()] == [before.id]
    assert "[person 1]" in house.store.case(before.id).text["problem"]


def test_the_second_of_two_editors_is_told_and_changes_nothing(house: AppContext) -> None:
    case = handed_in(house).case
    edit_case(house.store, house.clock, case.id, written(fields={"problem": "First was quicker."}), expected_version=1)
    with pytest.raises(VersionConflict):
        edit_case(house.store, house.clock, case.id, written(fields={"problem": "Second."}), expected_version=1)
    assert house.store.case(case.id).text["problem"] == "First was quicker."


def test_an_edit_at_the_desk_outlives_the_same_file_taken_in_again(house: AppContext, tmp_path: Path) -> None:
    file = write_rows(tmp_path / "rows.jsonl", [{"id": "a", "problem": PROBLEM, "note": "from the line"}])
    import_files(house.store, [file], kind=CaseKind.CASE)
    case = house.store.case("a")
    told = {"problem": f"{PROBLEM} We know more now."}
    edit_case(house.store, house.clock, case.id, written(fields=told), expected_version=1)
    report = import_files(house.store, [file], kind=CaseKind.CASE)
    assert (report.accepted, report.unchanged) == (0, 1)
    assert house.store.case("a").text["problem"].endswith("We know more now.")
    assert house.store.case("a").extra == {"note": "from the line"}
    newer = write_rows(tmp_path / "newer.jsonl", [{"id": "a", "problem": "The line says something new."}])
    assert import_files(house.store, [newer], kind=CaseKind.CASE).updated == 1


def test_an_edit_keeps_what_a_form_does_not_ask(house: AppContext, tmp_path: Path) -> None:
    row = {"id": "a", "problem": PROBLEM, "submitter": "Bo Lind", "source_format": "phone call"}
    import_files(house.store, [write_rows(tmp_path / "rows.jsonl", [row])], kind=CaseKind.CASE)
    case = house.store.case("a")
    edit_case(house.store, house.clock, case.id, written(fields={"problem": "Told anew."}), expected_version=None)
    raw = house.store.submission(case.id)
    assert (raw.facts["submitter"], raw.facts["source_format"]) == ("Bo Lind", "phone call")
    assert house.store.case("a").contributor == case.contributor


# Withdrawn -----------------------------------------------------------------------------------------------------------


SUBJECTS = ("printer", "valve", "login")
WHEN = "on monday,at noon,by night,in march,after lunch,before dawn,under load,in rain,while empty".split(",")


@pytest.fixture
def grown(house: AppContext, tmp_path: Path) -> AppContext:
    rows = [
        {
            "id": f"{subject}-{n}",
            "problem": f"The {subject} failed {when}, and nobody had a spare {subject}.",
            "lesson": f"Keep a spare {subject} where it is used {when}.",
            "team": f"team {n % 3}",
            "submitter": "Ada Berg" if (subject, n) == ("valve", 0) else f"Person Number{n}",
        }
        for subject in SUBJECTS
        for n, when in enumerate(WHEN)
    ]
    rows[9]["problem"] += " The Quokka valve screamed."
    import_files(house.store, [write_rows(tmp_path / "rows.jsonl", rows)], kind=CaseKind.CASE)
    house.run(RunParameters())
    return house


def everything_read(house: AppContext) -> str:
    store = house.store
    told = (store.cases(), store.themes(), store.drafts(current=False), store.assignments(), store.submissions())
    return str(told).casefold()


def test_a_withdrawn_case_is_in_nothing_that_is_read_and_comes_back_whole(grown: AppContext) -> None:
    store = grown.store
    case = store.case("valve-0")
    assert "quokka" in everything_read(grown)
    told = grown.withdraw(case.id, actor="Ada Berg")
    assert told.case_id == case.id
    assert "quokka" not in everything_read(grown)
    assert case.id not in str((store.cases(), store.themes(), store.assignments()))
    with pytest.raises(NotFound):
        store.case("valve-0")
    hidden = find_withdrawal(store, "valve-0")
    assert hidden is not None
    assert (hidden.case_id, hidden.by) == (case.id, "Ada Berg")
    back = restore_case(store, case.id)
    assert (back.id, back.text, back.contributor) == (case.id, case.text, case.contributor)
    assert find_withdrawal(store, "valve-0") is None
    with pytest.raises(NotFound):
        restore_case(store, case.id)


def test_a_withdrawn_case_does_not_come_back_with_a_file_a_roster_or_a_run(grown: AppContext, tmp_path: Path) -> None:
    case = grown.store.case("valve-0")
    grown.withdraw(case.id, actor="Ada Berg")
    row = {"id": "valve-0", "problem": "The Quokka valve again."}
    report = import_files(grown.store, [write_rows(tmp_path / "again.jsonl", [row])], kind=CaseKind.CASE)
    assert report.accepted == 0
    assert "was withdrawn on" in report.rejected[0].errors[0]
    confirm_names(grown.store, ["Somebody Else"])
    grown.run(RunParameters())
    assert "quokka" not in everything_read(grown)
    with pytest.raises(RuleViolated, match="withdrawn"):
        handed_in(grown, external_id="valve-0")


def test_put_back_it_is_redacted_by_the_roster_of_now(grown: AppContext) -> None:
    case = grown.store.case("valve-0")
    grown.withdraw(case.id, actor="Ada Berg")
    confirm_names(grown.store, ["Quokka"])
    assert "quokka" not in str(restore_case(grown.store, case.id)).casefold()


def test_a_withdrawn_case_can_be_erased_for_good(grown: AppContext) -> None:
    case = grown.store.case("valve-0")
    grown.withdraw(case.id, actor="Ada Berg")
    grown.erase(case.id, actor="Ada Berg")
    assert grown.store.withdrawals() == []
    assert [one.case_id for one in grown.store.erasures()] == [case.id]
    assert grown.store.count_versions(case.id) == 0
    for path in grown.settings.home.rglob("*"):
        assert not path.is_file() or b"Quokka" not in path.read_bytes()


def test_a_submission_of_an_older_version_is_read_as_it_was() -> None:
    """Fields that came with the desk have no value in what was kept before."""
    old = Submission(kind=CaseKind.CASE, external_id=None, text={}, facts={}, extra={})
    assert (old.member, old.by, old.at, old.known_as) == (None, None, None, None)
