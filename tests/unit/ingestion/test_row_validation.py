"""Rows to submissions: which column is which field, what is rejected and why."""

import datetime as dt
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patternmind.domain.cases import CaseKind, RejectedRow, Submission
from patternmind.errors import UnknownColumn, UnreadableFile, UsageError
from patternmind.ingestion.dates import parse_date
from patternmind.ingestion.mapping import parse_mapping
from patternmind.ingestion.rows import Row
from patternmind.ingestion.submissions import read_submissions
from patternmind.ingestion.validation import to_submission


def check(
    values: Mapping[str, object], *, kind: CaseKind = CaseKind.CASE, mapping: tuple[str, ...] = ()
) -> Submission | RejectedRow:
    row = Row(file="c.csv", row=7, values=values)
    return to_submission(row, mapping=parse_mapping(mapping, kind), kind=kind)


def accept(
    values: Mapping[str, object], *, kind: CaseKind = CaseKind.CASE, mapping: tuple[str, ...] = ()
) -> Submission:
    taken = check(values, kind=kind, mapping=mapping)
    assert isinstance(taken, Submission), taken
    return taken


def errors(values: Mapping[str, object], *, kind: CaseKind = CaseKind.CASE) -> tuple[str, ...]:
    rejected = check(values, kind=kind)
    assert isinstance(rejected, RejectedRow)
    assert (rejected.file, rejected.row) == ("c.csv", 7)
    return rejected.errors


# fields


def test_known_names_become_fields_and_the_rest_is_kept_beside() -> None:
    values: dict[str, object] = {
        "Case-ID": 12,
        "headline": " Late lorry ",
        "Problem_Statement": "It came late.",
        "driving_event": "Nobody called.",
        "Lessons Learned": ["Call first", "write it down"],
        "what we tried": "",
        "Opened On": "2026-05-01",
        "solved on": None,
        "department": "Nord",
        "Submitted by": "Anna Hansen",
        "site": "Moss",
        "Consent": "Network_Only",
        "label": "delay",
        "abstract": "never looked at",
        "n": 3,
        "sure": True,
        "nested": {"a": [1, {"b": "ø"}]},
    }
    assert accept(values) == Submission(
        kind=CaseKind.CASE,
        external_id="12",
        text={
            "title": "Late lorry",
            "problem": "It came late.",
            "what_happened": "Nobody called.",
            "lesson": "Call first; write it down",
        },
        facts={
            "opened_on": "2026-05-01",
            "team": "Nord",
            "region": "Moss",
            "consent": "network only",
            "submitter": "Anna Hansen",
        },
        extra={
            "label": "delay",
            "abstract": "never looked at",
            "n": "3",
            "sure": "true",
            "nested": '{"a":[1,{"b":"ø"}]}',
        },
        file="c.csv",
        row=7,
    )


def test_a_recap_takes_its_bullets_and_the_session_as_title() -> None:
    values: dict[str, object] = {
        "session": "Jam 1",
        "date": "2026-07-29",
        "case_bullet": "Four temps",
        "decision_bullet": "Order early",
        "next_use_bullet": "Oskar, 3 August",
        "notes": "Nine people.",
        "linked_cases": ["HN-008", "HN-014"],
        "problem": "not a recap's field",
    }
    assert accept(values, kind=CaseKind.RECAP) == Submission(
        kind=CaseKind.RECAP,
        external_id=None,
        text={
            "title": "Jam 1",
            "case": "Four temps",
            "decision": "Order early",
            "next_use": "Oskar, 3 August",
            "notes": "Nine people.",
        },
        facts={"opened_on": "2026-07-29"},
        extra={"problem": "not a recap's field"},
        linked_cases=("HN-008", "HN-014"),
        file="c.csv",
        row=7,
    )


def test_a_title_wins_over_the_session_which_is_kept() -> None:
    taken = accept({"session": "Jam 1", "title": "Temps", "cases": "HN-1, HN-2"}, kind=CaseKind.RECAP)
    assert (taken.text, taken.extra, taken.linked_cases) == ({"title": "Temps"}, {"session": "Jam 1"}, ("HN-1", "HN-2"))


@pytest.mark.parametrize(("kind", "field"), [(CaseKind.CASE, "problem"), (CaseKind.RECAP, "notes")])
def test_text_alone_is_enough(kind: CaseKind, field: str) -> None:
    assert accept({"text": "It came late."}, kind=kind).text == {field: "It came late."}


def test_of_two_columns_for_a_field_the_first_filled_is_taken_and_the_other_kept() -> None:
    taken = accept({"text": "whole", "problem": "part"})
    assert (taken.text, taken.extra) == ({"problem": "part"}, {"text": "whole"})
    assert accept({"text": "whole", "problem": " "}).text == {"problem": "whole"}


def test_a_mapped_column_wins_over_known_names() -> None:
    values: dict[str, object] = {"Describe it": "the lorry", "problem": "P-7", "label": "delay"}
    taken = accept(values, mapping=("problem = describe IT", "context=label"))
    assert (taken.text, taken.extra) == ({"problem": "the lorry", "context": "delay"}, {"problem": "P-7"})


def test_a_mapping_may_say_date_and_text() -> None:
    assert parse_mapping(["date=When", "text=Describe it"], CaseKind.CASE) == {
        "opened_on": "When",
        "problem": "Describe it",
    }
    assert parse_mapping(["text=Minutes", "What-Happened=x"][:1], CaseKind.RECAP) == {"notes": "Minutes"}


def test_a_mapping_that_cannot_work_is_a_usage_error() -> None:
    with pytest.raises(UnknownColumn, match=r'There is no field "colour"\. Known: id, title, problem') as caught:
        parse_mapping(["colour=x"], CaseKind.CASE)
    assert caught.value.exit_code == 2
    for pairs in (["problem"], ["=x"], ["problem="], ["problem=a", "text=b"]):
        with pytest.raises(UsageError):
            parse_mapping(pairs, CaseKind.CASE)


# checks


def test_all_that_is_wrong_with_a_row_is_said_at_once_and_none_of_its_text() -> None:
    values: dict[str, object] = {
        "title": "secret",
        "problem": "secret" * 40_000,
        "context": "secret\0",
        "note": "sec\udcffret",
        "date": "31/02/2026",
        "solved on": "soon",
        "status": "closed" * 9,
        "recurrence": "often",
        "consent": "yes",
    }
    assert errors(values) == (
        '"problem" is longer than 200,000 characters; shorten or split it',
        '"context" holds a NUL character; take it out',
        'column "note" holds bytes or half characters that are no text; save the file as UTF-8',
        f'status is "{"closed" * 6}clo…": write one of open, workaround, solved, abandoned, or leave it empty',
        'opened_on is "31/02/2026": there is no such day; write it as 2026-05-31',
        'solved_on is "soon": it is not a date that is known here; write it as 2026-05-31',
        'recurrence is "often": write one of first, 2-3, monthly, weekly, daily, or leave it empty',
        'consent is "yes": write one of network only, organisation, quotable without name, or leave it empty',
    )


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        ({"label": "x"}, CaseKind.CASE, "it has no title and no text"),
        ({"problem": "only this"}, CaseKind.RECAP, "--map notes=COLUMN"),
        ({"text": "12 ... ok?"}, CaseKind.CASE, "fewer than 3 letters"),
        ({"text": "fine words", "id": "x" * 201}, CaseKind.CASE, "an id is longer than 200 characters"),
    ],
)
def test_a_row_without_text_is_rejected(values: dict[str, object], kind: CaseKind, said: str) -> None:
    (error,) = errors(values, kind=kind)
    assert said in error


@pytest.mark.parametrize("text", ["列車が遅れ", "قطا", "abc", "a title of more than eighty characters " * 4])
def test_three_letters_of_any_script_are_a_text_and_a_long_title_is_kept(text: str) -> None:
    assert accept({"title": text}).text == {"title": text.strip()}


def test_status_and_its_like_are_taken_in_any_case_and_with_any_dash() -> None:
    taken = accept({"text": "late", "status": " Solved", "recurrence": "2–3", "consent": "QUOTABLE without  name"})
    assert taken.facts == {"status": "solved", "recurrence": "2-3", "consent": "quotable without name"}


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60))
def test_text_is_trimmed_and_composed_and_otherwise_kept(text: str) -> None:
    taken = accept({"title": "some words", "problem": text})
    assert taken.text.get("problem", "") == unicodedata.normalize("NFC", text.strip())


# dates


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-05-01", "2026-05-01"),
        ("2026-05-01T23:30:00-05:00", "2026-05-01"),
        ("2026-05-01 10:00:00.123 CEST", "2026-05-01"),
        ("2026-05-01T10:00:00Z", "2026-05-01"),
        ("20260501", "2026-05-01"),
        ("2019", "2019-01-01"),
        ("2019-05", "2019-05-01"),
        ("2026/5/1", "2026-05-01"),
        ("31.12.2025", "2025-12-31"),
        ("31/12/2025", "2025-12-31"),
        ("12/31/2025", "2025-12-31"),
        ("03/04/2026", "2026-04-03"),
        ("1 May 2026", "2026-05-01"),
        ("Sept. 3rd, 2026", "2026-09-03"),
    ],
)
def test_dates_are_read_as_people_write_them(written: str, day: str) -> None:
    assert parse_date(written) == dt.date.fromisoformat(day)


@pytest.mark.parametrize(
    "written", ["31/02/2026", "2026-02-31", "2026-13", "1.5.26", "46000", "soon", "0001-01-01", "2026-05-01Tnoon"]
)
def test_what_is_no_day_is_said_with_the_form_wanted(written: str) -> None:
    with pytest.raises(ValueError, match="write it as 2026-05-31"):
        parse_date(written)


@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31)))
def test_every_day_is_read_back_from_its_unambiguous_forms(day: dt.date) -> None:
    forms = [
        day.isoformat(),
        f"{day.day}.{day.month}.{day.year}",
        f"{day:%d/%m/%Y}",
        f"{day:%d %B %Y}",
        f"{day:%B %d, %Y}",
    ]
    assert {parse_date(form) for form in forms} == {day}


# a whole file


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content)
    return path


def test_an_id_used_again_passes_with_the_same_text_only(tmp_path: Path) -> None:
    path = write(
        tmp_path, "c.csv", "id,text,team\nA,came late,x\nB,came late,x\nA,came late,y\nA,another text,x\n,free,\n"
    )
    rows = list(read_submissions(path, kind=CaseKind.CASE, mapping={}))
    assert [row.row for row in rows if isinstance(row, Submission)] == [2, 3, 4, 6]
    assert [row for row in rows if isinstance(row, RejectedRow)] == [
        RejectedRow(file=str(path), row=5, errors=('id "A" is used by row 2 already; give it another id',))
    ]


def test_a_mapped_column_that_no_row_has_is_named_with_those_there_are(tmp_path: Path) -> None:
    path = write(tmp_path, "c.jsonl", '{"a": "late"}\n{"a": "late", "b": "soon"}\n')
    assert len(list(read_submissions(path, kind=CaseKind.CASE, mapping={"problem": "b", "title": "a"}))) == 2
    with pytest.raises(UnknownColumn, match=r'There is no column "c"\. Known: a, b\.'):
        read_submissions(path, kind=CaseKind.CASE, mapping={"problem": "c"})


def test_a_missing_file_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        read_submissions(tmp_path / "none.csv", kind=CaseKind.CASE, mapping={})
