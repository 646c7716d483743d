"""Read files of every format: accepted rows, rejected rows and refused files."""

import csv
import datetime as dt
import gzip
import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from patternmind.domain.cases import RejectedRow
from patternmind.errors import UnreadableFile
from patternmind.ingestion.csv_reader import read_csv
from patternmind.ingestion.json_reader import read_jsonl
from patternmind.ingestion.readers import read_rows
from patternmind.ingestion.rows import Row


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def values(path: Path) -> list[tuple[int, dict[str, object]]]:
    """Return number and values of every row; fail on rejected rows."""
    rows = list(read_rows(path))
    assert not [row for row in rows if isinstance(row, RejectedRow)]
    return [(row.row, dict(row.values)) for row in rows if isinstance(row, Row)]


def numbers(path: Path) -> tuple[list[int], list[int]]:
    """Return the numbers of the accepted rows and of the rejected rows."""
    rows = list(read_rows(path))
    accepted = [row.row for row in rows if isinstance(row, Row)]
    return accepted, [row.row for row in rows if isinstance(row, RejectedRow)]


# Files that cannot be read


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cases.docx", "x", 'has the unsupported ending ".docx"'),
        ("cases.xls", "x", "Save it as .xlsx"),
        ("cases", "x", 'has the unsupported ending ""'),
        ("cases.csv", "", "is empty"),
        ("cases.jsonl", "\n\n", "contains no rows"),
        ("cases.csv", "title,problem\n", "contains no rows"),
        ("cases.md", "  \n", "contains no rows"),
        ("cases.xlsx", "title,problem\nA,b\n", "not a readable XLSX workbook"),
        ("cases.csv.gz", "title\nA\n", "not a whole gzip file"),
        ("cases.json", '{"cases": [', "is not valid JSON (Expecting value at line 1, column 12)"),
        ("cases.json", '{"a": [{"b": 1}], "c": [{"d": 1}]}', "several arrays"),
        ("cases.json", "3", "contains no objects"),
        ("cases.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x81\xff\xfe\x00\x00\x01", "is not text"),
        ("cases.txt", "no mark".encode("utf-16-le"), "is not text"),
    ],
)
def test_read_rows_gives_reason_and_remedy_when_a_file_cannot_be_read(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(UnreadableFile) as caught:
        list(read_rows(path))
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_read_rows_refuses_missing_files_and_folders_before_the_first_row(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="does not exist"):
        read_rows(tmp_path / "none.csv")
    with pytest.raises(UnreadableFile, match=r"is a folder\. Name the files in it"):
        read_rows(tmp_path)


# CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_delimiter_is_detected(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path, "cases.csv", f"id{delimiter}problem\n1{delimiter}late, again; and late\n".replace(", ", " "))
    if delimiter == ";":
        path.write_text('id;problem\n1;"late again; and late"\n')
    assert values(path) == [(2, {"id": "1", "problem": "late again; and late"})]


def test_csv_of_one_column_keeps_its_commas(tmp_path: Path) -> None:
    path = write(tmp_path, "cases.csv", 'text\nlate, again; and late\n"quoted, too"\n')
    assert values(path) == [(2, {"text": "late, again; and late"}), (3, {"text": "quoted, too"})]


def test_csv_uses_the_delimiter_of_excels_sep_line(tmp_path: Path) -> None:
    assert values(write(tmp_path, "c.csv", "sep=;\nid;text\n1;a,b\n")) == [(3, {"id": "1", "text": "a,b"})]


def test_csv_record_has_its_first_line_as_number_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    path = write(tmp_path, "c.csv", '\nid,text\n1,"two\nlines"\n\n,\n2,x\n')
    assert values(path) == [(3, {"id": "1", "text": "two\nlines"}), (7, {"id": "2", "text": "x"})]


def test_csv_columns_get_unique_names_when_missing_or_repeated(tmp_path: Path) -> None:
    path = write(tmp_path, "c.csv", "text,text,\na,b,c\n")
    assert values(path) == [(2, {"text": "a", "text (column 2)": "b", "column 3": "c"})]


def test_csv_rejects_only_the_row_with_too_many_cells(tmp_path: Path) -> None:
    path = write(tmp_path, "c.csv", "id,text\n1,a\n2,b,c\n3,d,,\n4\n")
    assert list(read_rows(path)) == [
        Row(file=str(path), row=2, values={"id": "1", "text": "a"}),
        RejectedRow(
            file=str(path),
            row=3,
            errors=(
                (
                    "the row has 3 cells but the header has 2; quote cells that contain the delimiter, or check "
                    'whether row 1 ("id") is really the header'
                ),
            ),
        ),
        Row(file=str(path), row=4, values={"id": "3", "text": "d"}),
        Row(file=str(path), row=5, values={"id": "4", "text": ""}),
    ]


def test_csv_rejects_only_the_row_whose_quote_never_closes(tmp_path: Path) -> None:
    assert numbers(write(tmp_path, "c.csv", 'id,text\n1,a\n2,"open\n3,c\n4,"d"\n5,e\n')) == ([2, 4, 5, 6], [3])
    assert numbers(write(tmp_path, "d.csv", 'id,text\n1,a\n2,"open\n3,c\n')) == ([2, 4], [3])


def test_csv_accepts_old_mac_line_ends(tmp_path: Path) -> None:
    assert values(write(tmp_path, "c.csv", "id,text\r1,a\r2,b\r")) == [
        (2, {"id": "1", "text": "a"}),
        (3, {"id": "2", "text": "b"}),
    ]


cell = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(records=st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=5))
def test_csv_round_trips_any_text(tmp_path: Path, records: list[tuple[str, str, str]]) -> None:
    content = io.StringIO(newline="")
    writer = csv.writer(content, quoting=csv.QUOTE_ALL)
    writer.writerows([("one", "two", "three"), *records])
    path = write(tmp_path, "c.csv", content.getvalue())
    filled = [record for record in records if any(cell.strip() for cell in record)]
    try:
        read = [tuple(row.values.values()) for row in read_rows(path) if isinstance(row, Row)]
    except UnreadableFile as error:
        assert error.reason in {"contains no rows", "is not text"}  # noqa: PT017 - texts of control characters only
    else:
        assert read == filled


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_decoding_detects_every_usual_encoding(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, "c.csv", "id,text\n1,Jørn's naïve café – “quoted”\n".encode(encoding))
    assert values(path) == [(2, {"id": "1", "text": "Jørn's naïve café – “quoted”"})]


def test_decoding_keeps_right_to_left_text_and_emoji(tmp_path: Path) -> None:
    text = "المشكلة: لم يصل القطار 🚂👩‍👩‍👧 שלום"
    assert values(write(tmp_path, "c.jsonl", json.dumps({"text": text}, ensure_ascii=False))) == [(1, {"text": text})]
    assert values(write(tmp_path, "c.csv", f"text\n{text}\n")) == [(2, {"text": text})]


def test_decoding_considers_the_last_line_of_a_file(tmp_path: Path) -> None:
    lines = ["id,text", *(f"{i},plain" for i in range(50_000)), "x,Jørn"]
    *_, last = read_rows(write(tmp_path, "c.csv", "\n".join(lines).encode("cp1252")))
    assert isinstance(last, Row)
    assert last.values == {"id": "x", "text": "Jørn"}


def test_decoding_stays_utf8_when_only_one_line_is_broken(tmp_path: Path) -> None:
    path = write(tmp_path, "c.csv", "id,text\n1,Jørn Åse Øyvind\n".encode() + b"2,bro\xffken\n")
    rows = [row for row in read_rows(path) if isinstance(row, Row)]
    assert [row.values["text"] for row in rows] == ["Jørn Åse Øyvind", "bro\udcffken"]


# JSON


def test_jsonl_rejects_only_broken_lines(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"case {i}"}) for i in range(1, 1001)]
    lines[499] = '{"text": "secret words'
    lines[699] = "[1, 2]"
    lines[799] = "[" * 100_000
    path = write(tmp_path, "c.jsonl", "\n".join(lines))
    rejected = [row for row in read_rows(path) if isinstance(row, RejectedRow)]
    assert rejected == [
        RejectedRow(
            file=str(path), row=500, errors=("the line is not valid JSON (Unterminated string at character 10)",)
        ),
        RejectedRow(file=str(path), row=700, errors=("it is not a JSON object with named fields",)),
        RejectedRow(
            file=str(path), row=800, errors=("the line is nested too deeply or contains a number too long to read",)
        ),
    ]
    assert len(list(read_rows(path))) == 1000


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([{"text": "a"}, {"text": "b"}], [(1, {"text": "a"}), (2, {"text": "b"})]),
        ({"version": 2, "tags": ["x"], "items": [{"text": "a"}]}, [(1, {"text": "a"})]),
        ({"title": "one case alone"}, [(1, {"title": "one case alone"})]),
    ],
)
def test_json_gives_its_only_array_of_objects(tmp_path: Path, document: object, expected: object) -> None:
    assert values(write(tmp_path, "c.json", json.dumps(document))) == expected


def test_json_rejects_only_items_that_are_not_objects(tmp_path: Path) -> None:
    assert numbers(write(tmp_path, "c.json", '[{"text": "a"}, "loose", {"text": "b"}]')) == ([1, 3], [2])


# XLSX


def workbook(folder: Path, sheets: dict[str, list[list[Any]]], name: str = "c.xlsx") -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    path = folder / name
    book.save(path)
    return path


def test_xlsx_gives_iso_dates_formulas_as_text_and_sheet_row_numbers(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        [],
        ["id", "problem", "date", "n", "ok"],
        [1, "=SUM(A1:A2)", dt.date(2026, 5, 1), 2.5, True],
        [],
        [None, "x", dt.datetime(2026, 5, 1, 8, 30)],  # noqa: DTZ001 - spreadsheets have no time zones
    ]
    path = workbook(tmp_path, {"Notes": [], "Log": rows})
    assert values(path) == [
        (3, {"id": "1", "problem": "=SUM(A1:A2)", "date": "2026-05-01", "n": "2.5", "ok": "true"}),
        (5, {"id": "", "problem": "x", "date": "2026-05-01T08:30:00", "n": "", "ok": ""}),
    ]


def test_xlsx_prefers_the_sheet_named_cases_also_in_gz(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"Charter": [["purpose"], ["learn"]], "Cases": [["text"], ["a"]]})
    packed = write(tmp_path, "c.xlsx.gz", gzip.compress(path.read_bytes()))
    assert values(path) == values(packed) == [(2, {"text": "a"})]


def test_xlsx_skips_hidden_sheets(tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0].append(["list of values"])
    book.worksheets[0].sheet_state = "hidden"
    visible = book.create_sheet("Log")
    visible.append(["text"])
    visible.append(["a"])
    book.save(tmp_path / "c.xlsx")
    assert values(tmp_path / "c.xlsx") == [(2, {"text": "a"})]


def test_xlsx_rejects_rows_wider_than_the_header(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"Log": [["Our case log"], ["a", "b"], ["c"]]})
    assert numbers(path) == ([3], [2])
    assert [row.errors for row in read_rows(path) if isinstance(row, RejectedRow)] == [
        ('the row has more cells than the header; check whether row 1 ("Our case log") is really the header',)
    ]


def rewrite(path: Path, change: dict[str, bytes]) -> Path:
    """Replace some members of a zip."""
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in (members | change).items():
            new.writestr(name, content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xlsx_refuses_workbooks_that_declare_entities(tmp_path: Path, encoding: str) -> None:
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    sheet = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><worksheet>&l9;</worksheet>'
    path = workbook(tmp_path, {"Log": [["text"], ["a"]]})
    with pytest.raises(UnreadableFile, match="declares an XML document type"):
        list(read_rows(rewrite(path, {"xl/worksheets/sheet1.xml": sheet.encode(encoding)})))


def test_xlsx_refuses_damaged_workbooks(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"Log": [["text"], ["a"]]})
    for change in ({"xl/worksheets/sheet1.xml": b"<worksheet><sheetData><row"}, {"xl/workbook.xml": b"<workbook/>"}):
        with pytest.raises(UnreadableFile):
            list(read_rows(rewrite(path, change)))
    with pytest.raises(UnreadableFile, match="not a readable XLSX"):
        list(read_rows(write(tmp_path, "half.xlsx", path.read_bytes()[:2000])))


def test_xlsx_ends_at_a_row_number_beyond_the_sheet_limit(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"Log": [["text"], ["a"]]})
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    far = b'<row r="900000000"><c r="A900000000"><v>1</v></c></row></sheetData>'
    rewrite(path, {"xl/worksheets/sheet1.xml": sheet.replace(b"</sheetData>", far)})
    assert values(path) == [(2, {"text": "a"})]


# Bombs and oversized lines


def test_gzip_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as packed:
        for _ in range(70):
            packed.write(b'{"text": "again"}\n' * 55_000)
    with pytest.raises(UnreadableFile, match="inflates to far more"):
        list(read_rows(path))


def test_zip_bomb_is_refused_before_the_workbook_is_opened(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"Log": [["text"], ["a"]]})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/media/image1.png", bytes(60_000_000))
    with pytest.raises(UnreadableFile, match="inflates to far more"):
        list(read_rows(path))


@pytest.mark.parametrize("name", ["c.jsonl", "c.jsonl.gz", "c.csv"])
def test_giant_line_is_rejected_without_holding_it_in_memory(tmp_path: Path, name: str) -> None:
    giant, block = 30_000_000, b"0123456789abcdefghijklmnopqrstuvwxyz" * 1000
    path = tmp_path / name
    is_csv = name == "c.csv"
    with gzip.open(path, "wb", compresslevel=0) if name.endswith(".gz") else path.open("wb") as file:
        file.write(b"id,text\n1,before\n2," if is_csv else b'{"text": "before"}\n{"text": "')
        for _ in range(giant // len(block)):
            file.write(block)
        file.write(b"\n3,after\n" if is_csv else b'"}\n{"text": "after"}\n')
    tracemalloc.start()
    assert numbers(path) == (([2, 4], [3]) if is_csv else ([1, 3], [2]))
    assert tracemalloc.get_traced_memory()[1] < giant
    tracemalloc.stop()


def test_row_limit_covers_records_of_many_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "c.csv", 'id,text\n1,"' + "line\n" * 100 + '"\n2,b\n')
    rows = list(read_csv(path, limit=50))
    assert isinstance(rows[0], RejectedRow)
    assert rows[0].row == 2
    assert [
        type(row) for row in read_jsonl(write(tmp_path, "d.jsonl", '{"a": 1}\n{"a": "' + "x" * 60 + '"}'), limit=50)
    ] == [Row, RejectedRow]


# Markdown and text


def test_markdown_file_is_one_item_with_its_heading_as_title(tmp_path: Path) -> None:
    matter = "---\nid: M1\nteam: Nord\nregion: NO\ndate: 2026-05-01\n---\n"
    body = f"{matter}# Late again\n\nThe lorry\n\n## Why\nNobody knew.\n"
    assert values(write(tmp_path, "m.md", body)) == [
        (
            1,
            {
                "title": "Late again",
                "text": "The lorry\n\n## Why\nNobody knew.",
                "id": "M1",
                "team": "Nord",
                "region": "NO",
                "date": "2026-05-01",
            },
        )
    ]


def test_markdown_item_has_the_file_name_as_title_when_no_heading_exists(tmp_path: Path) -> None:
    assert values(write(tmp_path, "late lorry.md", "It came late.\n")) == [
        (1, {"title": "late lorry", "text": "It came late."})
    ]


def test_markdown_headings_with_fields_are_items(tmp_path: Path) -> None:
    body = """---
id: file
team: Nord
---
# Our cases

What we collected.

## Late lorry
**Date:** 2026-05-01
### Problem
It came late.

It came late twice.
### Weather
Rain.
## No login
- **Problem:** Waited
four days.
- **Lesson**: order early
"""
    introduction = "# Our cases\n\nWhat we collected."
    assert values(write(tmp_path, "m.md", body)) == [
        (
            1,
            {
                "team": "Nord",
                "introduction": introduction,
                "title": "Late lorry",
                "Problem": "It came late.\n\nIt came late twice.",
                "Date": "2026-05-01",
                "context": "### Weather\nRain.",
            },
        ),
        (
            2,
            {
                "team": "Nord",
                "introduction": introduction,
                "title": "No login",
                "Problem": "Waited\nfour days.",
                "Lesson": "order early",
            },
        ),
    ]


def test_markdown_case_with_fields_as_headings_is_one_item(tmp_path: Path) -> None:
    body = "# Late lorry\n\nIntro.\n\n## What happened\nLate.\n```\n## not a heading\n```\n## Impact\nA page.\n"
    body += "## Lesson\nCall.\n"
    assert values(write(tmp_path, "m.md", body)) == [
        (
            1,
            {
                "title": "Late lorry",
                "What happened": "Late.\n```\n## not a heading\n```",
                "Lesson": "Call.",
                "text": "Intro.\n\n## Impact\nA page.",
            },
        )
    ]


@pytest.mark.parametrize("matter", ["a: [1", "- a\n- b", "a: &x [1]\nb: *x", "? [a]\n: b", "a: \x01"])
def test_markdown_item_is_rejected_when_front_matter_is_not_plain(tmp_path: Path, matter: str) -> None:
    assert numbers(write(tmp_path, "m.md", f"---\n{matter}\n---\ntext\n")) == ([], [1])


def test_text_file_is_one_item(tmp_path: Path) -> None:
    assert values(write(tmp_path, "t.txt", "It came late.\nTwice.\n")) == [(1, {"text": "It came late.\nTwice.\n"})]
