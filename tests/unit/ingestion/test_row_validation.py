"""Validate rows: mapping columns to fields, accepted values and errors."""

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
    result = check(values, kind=kind, mapping=mapping)
    assert isinstance(result, Submission), result
    return result


def errors(values: Mapping[str, object], *, kind: CaseKind = CaseKind.CASE) -> tuple[str, ...]:
    rejected = check(values, kind=kind)
    assert isinstance(rejected, RejectedRow)
    assert (rejected.file, rejected.row) == ("c.csv", 7)
    return rejected.errors


# Fields


def test_map_values_fills_fields_by_known_names_and_keeps_the_rest_as_extra() -> None:
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


def test_recap_row_gives_bullets_and_the_session_as_title() -> None:
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


def test_recap_title_wins_over_the_session_column() -> None:
    submission = accept({"session": "Jam 1", "title": "Temps", "cases": "HN-1, HN-2"}, kind=CaseKind.RECAP)
    assert (submission.text, submission.extra, submission.linked_cases) == (
        {"title": "Temps"},
        {"session": "Jam 1"},
        ("HN-1", "HN-2"),
    )


@pytest.mark.parametrize(("kind", "field"), [(CaseKind.CASE, "problem"), (CaseKind.RECAP, "notes")])
def test_row_with_text_alone_is_accepted(kind: CaseKind, field: str) -> None:
    assert accept({"text": "It came late."}, kind=kind).text == {field: "It came late."}


def test_map_values_uses_the_first_filled_column_and_keeps_others_as_extra() -> None:
    submission = accept({"text": "whole", "problem": "part"})
    assert (submission.text, submission.extra) == ({"problem": "part"}, {"text": "whole"})
    assert accept({"text": "whole", "problem": " "}).text == {"problem": "whole"}


def test_map_values_prefers_mapped_columns_to_known_names() -> None:
    values: dict[str, object] = {"Describe it": "the lorry", "problem": "P-7", "label": "delay"}
    submission = accept(values, mapping=("problem = describe IT", "context=label"))
    assert (submission.text, submission.extra) == ({"problem": "the lorry", "context": "delay"}, {"problem": "P-7"})


def test_parse_mapping_accepts_date_and_text_as_fields() -> None:
    assert parse_mapping(["date=When", "text=Describe it"], CaseKind.CASE) == {
        "opened_on": "When",
        "problem": "Describe it",
    }
    assert parse_mapping(["text=Minutes", "What-Happened=x"][:1], CaseKind.RECAP) == {"notes": "Minutes"}


def test_parse_mapping_raises_usage_error_when_a_pair_is_invalid() -> None:
    with pytest.raises(UnknownColumn, match=r'There is no field "colour"\. Known: id, title, problem') as caught:
        parse_mapping(["colour=x"], CaseKind.CASE)
    assert caught.value.exit_code == 2
    for pairs in (["problem"], ["=x"], ["problem="], ["problem=a", "text=b"]):
        with pytest.raises(UsageError):
            parse_mapping(pairs, CaseKind.CASE)


# Checks


def test_rejected_row_lists_all_errors_without_the_text() -> None:
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
        'column "problem" is longer than 200,000 characters; shorten or split it',
        'column "context" contains a NUL character; remove it',
        'column "note" contains bytes or half characters that are not text; save the file as UTF-8',
        (
            f'"{"closed" * 6}clo…" is not one of open, workaround, solved, abandoned (column "status"); '
            "use one of these, or no value"
        ),
        '"31/02/2026" is not a day that exists (column "date"); use YYYY-MM-DD',
        '"soon" is not a date I can read (column "solved on"); use YYYY-MM-DD',
        '"often" is not one of first, 2-3, monthly, weekly, daily (column "recurrence"); use one of these, or no value',
        (
            '"yes" is not one of network only, organisation, quotable without name (column "consent"); '
            "use one of these, or no value"
        ),
    )


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ({"label": "x"}, CaseKind.CASE, "it has no title and no text"),
        ({"problem": "only this"}, CaseKind.RECAP, 'choose the column for "notes"'),
        ({"text": "12 ... ok?"}, CaseKind.CASE, "fewer than 3 letters"),
        ({"text": "fine words", "id": "x" * 201}, CaseKind.CASE, "has an id that is longer than 200 characters"),
    ],
)
def test_row_is_rejected_when_text_or_id_is_invalid(values: dict[str, object], kind: CaseKind, message: str) -> None:
    (error,) = errors(values, kind=kind)
    assert message in error


@pytest.mark.parametrize("text", ["列車が遅れ", "قطا", "abc", "a title of more than eighty characters " * 4])
def test_row_is_accepted_with_three_letters_of_any_script_and_a_long_title(text: str) -> None:
    assert accept({"title": text}).text == {"title": text.strip()}


def test_choice_fields_accept_any_case_and_any_dash() -> None:
    submission = accept({"text": "late", "status": " Solved", "recurrence": "2–3", "consent": "QUOTABLE without  name"})
    assert submission.facts == {"status": "solved", "recurrence": "2-3", "consent": "quotable without name"}


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60))
def test_row_text_is_trimmed_composed_and_otherwise_unchanged(text: str) -> None:
    submission = accept({"title": "some words", "problem": text})
    assert submission.text.get("problem", "") == unicodedata.normalize("NFC", text.strip())


# Dates


@pytest.mark.parametrize(
    ("text", "day"),
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
def test_parse_date_accepts_common_forms(text: str, day: str) -> None:
    assert parse_date(text) == dt.date.fromisoformat(day)


@pytest.mark.parametrize(
    "text", ["31/02/2026", "2026-02-31", "2026-13", "1.5.26", "46000", "soon", "0001-01-01", "2026-05-01Tnoon"]
)
def test_parse_date_raises_with_the_reason_when_text_is_not_a_day(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is not a (day that exists|date I can read|date between 1900 and 2100)$"):
        parse_date(text)


@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31)))
def test_parse_date_round_trips_unambiguous_forms(day: dt.date) -> None:
    forms = [
        day.isoformat(),
        f"{day.day}.{day.month}.{day.year}",
        f"{day:%d/%m/%Y}",
        f"{day:%d %B %Y}",
        f"{day:%B %d, %Y}",
    ]
    assert {parse_date(form) for form in forms} == {day}


# Files


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content)
    return path


def test_repeated_id_is_accepted_only_with_the_same_text(tmp_path: Path) -> None:
    path = write(
        tmp_path, "c.csv", "id,text,team\nA,came late,x\nB,came late,x\nA,came late,y\nA,another text,x\n,free,\n"
    )
    rows = list(read_submissions(path, kind=CaseKind.CASE, mapping={}))
    assert [row.row for row in rows if isinstance(row, Submission)] == [2, 3, 4, 6]
    assert [row for row in rows if isinstance(row, RejectedRow)] == [
        RejectedRow(file=str(path), row=5, errors=('id "A" is already used by row 2; use another id',))
    ]


def test_unknown_mapped_column_is_reported_with_the_existing_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "c.jsonl", '{"a": "late"}\n{"a": "late", "b": "soon"}\n')
    assert len(list(read_submissions(path, kind=CaseKind.CASE, mapping={"problem": "b", "title": "a"}))) == 2
    with pytest.raises(UnknownColumn, match=r'There is no column "c"\. Known: a, b\.'):
        read_submissions(path, kind=CaseKind.CASE, mapping={"problem": "c"})


def test_read_submissions_raises_at_once_when_the_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        read_submissions(tmp_path / "none.csv", kind=CaseKind.CASE, mapping={})
