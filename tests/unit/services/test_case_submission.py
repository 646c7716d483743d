"""Submission of a single case: validation, storage, ownership, edits and withdrawal."""

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
def ctx(tmp_path: Path) -> AppContext:
    return AppContext(Settings(home=tmp_path / "home"), encoder=HashingEncoder())


def build_input(member: Member | None = ADA, **values: Any) -> CaseInput:
    fields: Mapping[str, str] = values.pop("fields", {"problem": PROBLEM})
    return CaseInput(fields=fields, member=member, actor=member.name if member else "Steward", **values)


def submit(ctx: AppContext, **values: Any) -> CasePreview:
    return submit_case(ctx.store, ctx.clock, build_input(**values))


# Validation ----------------------------------------------------------------------------------------------------------


def test_form_is_validated_like_a_row_with_an_error_per_field() -> None:
    fields = {"problem": "x" * 200_001, "status": "half done", "opened_on": "yesterday", "lesson": "a\0b"}
    errors = validate_fields(fields, kind=CaseKind.CASE)
    assert isinstance(errors, tuple)
    assert {error.field for error in errors} == {"problem", "status", "opened_on", "lesson"}
    assert all(error.message[0].isupper() and error.message.endswith(".") for error in errors)


@pytest.mark.parametrize("fields", [{}, {"problem": "  \n "}, {"team": "Night shift"}])
def test_form_without_text_is_refused_with_a_plain_message(fields: dict[str, str]) -> None:
    message = "Enter a title, or write in a sentence what the problem is."
    assert validate_fields(fields, kind=CaseKind.CASE) == (FieldError("problem", message),)


def test_text_of_two_letters_is_refused() -> None:
    errors = validate_fields({"problem": "no"}, kind=CaseKind.CASE)
    assert isinstance(errors, tuple)
    assert [error.field for error in errors] == ["problem"]


def test_suggestions_come_one_at_a_time_most_useful_first() -> None:
    fields = {"problem": "It froze."}
    suggested: list[str] = []
    while (missing := suggest_field(fields, kind=CaseKind.CASE)) is not None:
        suggested.append(missing.field)
        fields[missing.field] = "Something longer, written in at least twelve words, so that it can be placed well."
    assert suggested[:4] == ["problem", "what_happened", "tried", "outcome"]
    assert len(suggested) == len(set(suggested))


def test_open_case_gets_no_suggestion_about_its_outcome() -> None:
    text = "It froze in the cold store and no one could scan a pallet for an hour that night."
    fields = {"problem": text, "what_happened": text, "tried": text, "status": "open"}
    missing = suggest_field(fields, kind=CaseKind.CASE)
    assert missing is not None
    assert missing.field == "context"


# Storage -------------------------------------------------------------------------------------------------------------


def test_preview_shows_the_redacted_case_and_stores_no_data(ctx: AppContext) -> None:
    preview = preview_case(ctx.store, build_input(fields={"problem": f"{PROBLEM} Call +47 22 33 44 55."}))
    assert preview.case.text == {"problem": f"{PROBLEM} Call [phone]."}
    assert preview.redaction_counts == {"phone": 1}
    assert "Kjetil Moe" in preview.possible_names
    assert ctx.store.cases.list_all() == []
    assert ctx.store.submissions.list_all() == []


def test_submitted_case_is_stored_redacted_with_raw_text_apart_and_hashed_owner(ctx: AppContext) -> None:
    confirm_names(ctx.store, ["Kjetil Moe"])
    preview = submit(ctx, fields={"problem": PROBLEM, "consent": Consent.NETWORK_ONLY.value})
    case = ctx.store.cases.get(preview.case.id)
    assert case.text == {"problem": "The scanner of [person 1] froze in the cold store."}
    assert case.consent is Consent.NETWORK_ONLY
    assert case.owner
    assert "m-1" not in case.owner
    assert "Ada" not in str(case)
    raw = ctx.store.submissions.get(case.id)
    assert (raw.text["problem"], raw.facts["submitter"], raw.member) == (PROBLEM, "Ada Berg", "m-1")


def test_case_submitted_twice_is_stored_once(ctx: AppContext) -> None:
    first = submit(ctx, external_id="desk-1")
    again = submit(ctx, external_id="desk-1")
    assert (first.is_new, again.is_new) == (True, False)
    assert first.case.id == again.case.id
    assert ctx.store.submissions.count_versions(first.case.id) == 1


def test_another_text_under_an_existing_id_is_refused_without_a_change(ctx: AppContext) -> None:
    preview = submit(ctx, external_id="k1")
    with pytest.raises(RuleViolated, match="another text"):
        submit(ctx, external_id="k1", fields={"problem": "Something else entirely."})
    assert ctx.store.cases.get("k1") == ctx.store.cases.get(preview.case.id)
    assert ctx.store.cases.get("k1").text["problem"] == PROBLEM


def test_invalid_case_names_all_invalid_fields(ctx: AppContext) -> None:
    with pytest.raises(InvalidCase) as refused:
        submit(ctx, fields={"problem": PROBLEM, "status": "maybe", "recurrence": "often"})
    assert {error.field for error in refused.value.field_errors} == {"status", "recurrence"}


# Ownership -----------------------------------------------------------------------------------------------------------


def test_case_belongs_only_to_the_member_who_submitted_it(ctx: AppContext) -> None:
    case = submit(ctx).case
    namesake_in_part = Member(id="m-9", network_id="default", name="Ada", roles=frozenset({Role.MEMBER}))
    assert is_own_case(ctx.store, case, ADA)
    assert not is_own_case(ctx.store, case, ANN)
    assert not is_own_case(ctx.store, case, namesake_in_part)
    assert not is_own_case(ctx.store, case, None)


def test_imported_case_belongs_to_the_member_with_the_submitters_whole_name(ctx: AppContext, tmp_path: Path) -> None:
    confirm_names(ctx.store, ["Ann Smith"])
    rows = [
        {"id": "a", "problem": "The pump leaked in hall four.", "submitter": "ada  BERG"},
        {"id": "b", "problem": "The gate stood open all night.", "submitter": "Ann Smith"},
    ]
    import_files(ctx.store, [write_rows(tmp_path / "rows.jsonl", rows)], kind=CaseKind.CASE)
    assert is_own_case(ctx.store, ctx.store.cases.get("a"), ADA)
    assert not is_own_case(ctx.store, ctx.store.cases.get("b"), ANN)
    assert is_own_withdrawn_case(ctx.store, ctx.store.cases.get("a").id, ADA)


def test_member_owns_their_case_when_the_roster_has_a_longer_name(ctx: AppContext) -> None:
    confirm_names(ctx.store, ["Ann Smith"])
    case = submit(ctx, member=ANN).case
    assert is_own_case(ctx.store, case, ANN)


def test_steward_may_submit_a_case_for_another_person(ctx: AppContext) -> None:
    steward = Member(id="s-1", network_id="default", name="Sten Vik", roles=frozenset({Role.STEWARD}))
    case = submit(ctx, member=steward, submitter="Ada Berg").case
    assert is_own_case(ctx.store, case, ADA)
    assert not is_own_case(ctx.store, case, steward)


def test_ownership_survives_a_roster_change(ctx: AppContext) -> None:
    case = submit(ctx).case
    confirm_names(ctx.store, ["Kjetil Moe"])
    after = ctx.store.cases.get(case.id)
    assert after.text != case.text
    assert is_own_case(ctx.store, after, ADA)


# Edits ---------------------------------------------------------------------------------------------------------------


def test_edit_keeps_id_owner_and_all_versions(ctx: AppContext) -> None:
    before = submit(ctx).case
    fields = {"problem": f"{PROBLEM} It was minus 25.", "status": "solved"}
    after = edit_case(ctx.store, ctx.clock, before.id, build_input(fields=fields), expected_version=1).case
    assert (after.id, after.owner, after.contributor) == (before.id, before.owner, before.contributor)
    assert after.facts["status"] == "solved"
    assert ctx.store.submissions.count_versions(before.id) == 2
    assert ctx.store.submissions.get(before.id, 1).text["problem"] == PROBLEM
    assert ctx.store.submissions.get(before.id).by == "Ada Berg"


def test_edited_case_without_external_id_keeps_its_id_when_the_roster_grows(ctx: AppContext) -> None:
    before = submit(ctx).case
    edit_case(ctx.store, ctx.clock, before.id, build_input(fields={"problem": f"{PROBLEM} Again."}), expected_version=1)
    confirm_names(ctx.store, ["Kjetil Moe"])
    assert [case.id for case in ctx.store.cases.list_all()] == [before.id]
    assert "[person 1]" in ctx.store.cases.get(before.id).text["problem"]


def test_second_concurrent_edit_is_refused_without_a_change(ctx: AppContext) -> None:
    case = submit(ctx).case
    edit_case(ctx.store, ctx.clock, case.id, build_input(fields={"problem": "First was quicker."}), expected_version=1)
    with pytest.raises(VersionConflict):
        edit_case(ctx.store, ctx.clock, case.id, build_input(fields={"problem": "Second."}), expected_version=1)
    assert ctx.store.cases.get(case.id).text["problem"] == "First was quicker."


def test_edit_survives_a_repeated_import_of_the_same_file(ctx: AppContext, tmp_path: Path) -> None:
    file = write_rows(tmp_path / "rows.jsonl", [{"id": "a", "problem": PROBLEM, "note": "from the line"}])
    import_files(ctx.store, [file], kind=CaseKind.CASE)
    case = ctx.store.cases.get("a")
    fields = {"problem": f"{PROBLEM} We know more now."}
    edit_case(ctx.store, ctx.clock, case.id, build_input(fields=fields), expected_version=1)
    report = import_files(ctx.store, [file], kind=CaseKind.CASE)
    assert (report.accepted, report.unchanged) == (0, 1)
    assert ctx.store.cases.get("a").text["problem"].endswith("We know more now.")
    assert ctx.store.cases.get("a").extra == {"note": "from the line"}
    newer = write_rows(tmp_path / "newer.jsonl", [{"id": "a", "problem": "The line says something new."}])
    assert import_files(ctx.store, [newer], kind=CaseKind.CASE).updated == 1


def test_edit_keeps_facts_that_the_form_does_not_have(ctx: AppContext, tmp_path: Path) -> None:
    row = {"id": "a", "problem": PROBLEM, "submitter": "Bo Lind", "source_format": "phone call"}
    import_files(ctx.store, [write_rows(tmp_path / "rows.jsonl", [row])], kind=CaseKind.CASE)
    case = ctx.store.cases.get("a")
    edit_case(ctx.store, ctx.clock, case.id, build_input(fields={"problem": "Written again."}), expected_version=None)
    raw = ctx.store.submissions.get(case.id)
    assert (raw.facts["submitter"], raw.facts["source_format"]) == ("Bo Lind", "phone call")
    assert ctx.store.cases.get("a").contributor == case.contributor


# Withdrawal ----------------------------------------------------------------------------------------------------------


SUBJECTS = ("printer", "valve", "login")
CONDITIONS = "on monday,at noon,by night,in march,after lunch,before dawn,under load,in rain,while empty".split(",")


@pytest.fixture
def clustered_ctx(ctx: AppContext, tmp_path: Path) -> AppContext:
    rows = [
        {
            "id": f"{subject}-{n}",
            "problem": f"The {subject} failed {when}, and nobody had a spare {subject}.",
            "lesson": f"Keep a spare {subject} where it is used {when}.",
            "team": f"team {n % 3}",
            "submitter": "Ada Berg" if (subject, n) == ("valve", 0) else f"Person Number{n}",
        }
        for subject in SUBJECTS
        for n, when in enumerate(CONDITIONS)
    ]
    rows[9]["problem"] += " The Quokka valve screamed."
    import_files(ctx.store, [write_rows(tmp_path / "rows.jsonl", rows)], kind=CaseKind.CASE)
    ctx.run(RunParameters())
    return ctx


def readable_data(ctx: AppContext) -> str:
    store = ctx.store
    data = (
        store.cases.list_all(),
        store.themes.list_all(),
        store.drafts.list_all(current=False),
        store.runs.assignments(),
        store.submissions.list_all(),
    )
    return str(data).casefold()


def test_withdrawn_case_is_hidden_everywhere_and_restored_unchanged(clustered_ctx: AppContext) -> None:
    store = clustered_ctx.store
    case = store.cases.get("valve-0")
    assert "quokka" in readable_data(clustered_ctx)
    result = clustered_ctx.withdraw(case.id, actor="Ada Berg")
    assert result.case_id == case.id
    assert "quokka" not in readable_data(clustered_ctx)
    assert case.id not in str((store.cases.list_all(), store.themes.list_all(), store.runs.assignments()))
    with pytest.raises(NotFound):
        store.cases.get("valve-0")
    withdrawal = find_withdrawal(store, "valve-0")
    assert withdrawal is not None
    assert (withdrawal.case_id, withdrawal.by) == (case.id, "Ada Berg")
    restored = restore_case(store, case.id)
    assert (restored.id, restored.text, restored.contributor) == (case.id, case.text, case.contributor)
    assert find_withdrawal(store, "valve-0") is None
    with pytest.raises(NotFound):
        restore_case(store, case.id)


def test_withdrawn_case_stays_hidden_after_an_import_a_roster_change_and_a_run(
    clustered_ctx: AppContext, tmp_path: Path
) -> None:
    case = clustered_ctx.store.cases.get("valve-0")
    clustered_ctx.withdraw(case.id, actor="Ada Berg")
    row = {"id": "valve-0", "problem": "The Quokka valve again."}
    report = import_files(clustered_ctx.store, [write_rows(tmp_path / "again.jsonl", [row])], kind=CaseKind.CASE)
    assert report.accepted == 0
    assert "was withdrawn on" in report.rejected[0].errors[0]
    confirm_names(clustered_ctx.store, ["Somebody Else"])
    clustered_ctx.run(RunParameters())
    assert "quokka" not in readable_data(clustered_ctx)
    with pytest.raises(RuleViolated, match="withdrawn"):
        submit(clustered_ctx, external_id="valve-0")


def test_restored_case_is_redacted_with_the_current_roster(clustered_ctx: AppContext) -> None:
    case = clustered_ctx.store.cases.get("valve-0")
    clustered_ctx.withdraw(case.id, actor="Ada Berg")
    confirm_names(clustered_ctx.store, ["Quokka"])
    assert "quokka" not in str(restore_case(clustered_ctx.store, case.id)).casefold()


def test_withdrawn_case_can_be_erased(clustered_ctx: AppContext) -> None:
    case = clustered_ctx.store.cases.get("valve-0")
    clustered_ctx.withdraw(case.id, actor="Ada Berg")
    clustered_ctx.erase(case.id, actor="Ada Berg")
    assert clustered_ctx.store.cases.withdrawals() == []
    assert [erasure.case_id for erasure in clustered_ctx.store.cases.erasures()] == [case.id]
    assert clustered_ctx.store.submissions.count_versions(case.id) == 0
    for path in clustered_ctx.settings.home.rglob("*"):
        assert not path.is_file() or b"Quokka" not in path.read_bytes()


def test_submission_of_an_older_version_has_no_member_actor_or_time() -> None:
    """Submissions stored by older versions lack the fields that web submissions added."""
    old = Submission(kind=CaseKind.CASE, external_id=None, text={}, facts={}, extra={})
    assert (old.member, old.by, old.at, old.known_as) == (None, None, None, None)
