"""`patternmind map` and its table twin, as a person uses them, on the packaged sample."""

import csv
import io
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.fixtures.commands import SAMPLE, CommandRunner
from tests.fixtures.in_process import InProcess
from tests.fixtures.networks import CopiedHome

SVG = "{http://www.w3.org/2000/svg}"


def build(home: Path) -> None:
    """Fill the sample network with a run of each quarter."""
    command = InProcess(home)
    assert command("init", "--name", "Halden", "--roster", SAMPLE / "roster.csv").code == 0
    for quarter in ("2026Q3", "2026Q4"):
        assert command("ingest", SAMPLE / f"cases-{quarter}.csv").code == 0
        assert command("run", "--label", quarter, "--no-draft").code == 0


@pytest.fixture(scope="module")
def patternmind(copied_home: CopiedHome) -> InProcess:
    """Command on the sample network after a run of each quarter; tests must not change it."""
    return InProcess(copied_home("sample-by-quarter", build))


def test_map_shows_every_theme_name_and_no_case_text(patternmind: CommandRunner, tmp_path: Path) -> None:
    summary = patternmind("map", "--out", tmp_path / "map.svg", "--json").json()
    svg = (tmp_path / "map.svg").read_text("utf-8")

    themes = patternmind("themes", "--json").json()
    texts = [text for case in patternmind("export", "cases").rows() for text in case["text"].values()]
    description = ET.fromstring(svg).findtext(f"{SVG}desc") or ""  # noqa: S314 - our own file
    assert summary["themes"] == len(themes) > 1
    assert summary["cases"] == summary["drawn"] == 104
    assert [theme["name"] for theme in themes if theme["name"] not in description] == []
    assert "Distances and the widths of gaps mean little" in svg
    assert not [text for text in texts if text and text[:60] in svg]


def test_map_writes_identical_svg_files_and_a_png(patternmind: CommandRunner, tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg", "map.png"):
        assert patternmind("map", "--out", tmp_path / name).code == 0

    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_export_map_matches_themes_and_assignments(patternmind: CommandRunner) -> None:
    rows = patternmind("export", "map").rows()
    table = list(csv.DictReader(io.StringIO(patternmind("export", "map", "--format", "csv").out)))

    themes = {theme["theme_id"]: theme["name"] for theme in patternmind("themes", "--json").json()}
    assigned = {row["case_id"]: row["theme_id"] for row in patternmind("export", "assignments").rows()}
    assert list(rows[0]) == ["case_id", "external_id", "x", "y", "theme_id", "theme"]
    assert {row["case_id"]: row["theme_id"] for row in rows} == assigned
    assert all(row["theme"] == themes.get(row["theme_id"]) for row in rows)
    assert all(-2 < row["x"] < 2 and -2 < row["y"] < 2 for row in rows)
    assert [row["case_id"] for row in table] == [row["case_id"] for row in rows]


def test_map_is_refused_before_a_run_and_for_other_formats(patternmind: CommandRunner, tmp_path: Path) -> None:
    too_early = patternmind.on_home(tmp_path / "empty")("map", "--out", tmp_path / "map.svg")
    wrong_format = patternmind("map", "--out", tmp_path / "map.gif")

    assert (too_early.code, wrong_format.code) == (2, 2)
    assert "patternmind run" in too_early.err
    assert ".svg" in wrong_format.err
    assert not list(tmp_path.glob("map.*"))
