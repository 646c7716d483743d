"""Three lenses on one network, each with its own themes, edits, changes and map."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.commands import SAMPLE, CommandRunner
from tests.fixtures.in_process import InProcess, on_a_copy
from tests.fixtures.networks import SharedHome

LENSES = ("problem", "helped", "all")
BY = ("--by", "Ines")


def build(home: Path) -> None:
    """Import the first quarter, two plain cases and a German one; run every lens, all last."""
    command = InProcess(home)
    plain = home.with_name("plain.jsonl")
    plain.write_text(
        "\n".join(json.dumps({"id": f"P-{number}", "text": text}) for number, text in enumerate(PLAIN, 1)),
        encoding="utf-8",
    )
    assert command("init", "--name", "Halden", "--roster", SAMPLE / "roster.csv").code == 0
    assert command("ingest", SAMPLE / "cases-2026Q3.csv", plain).code == 0
    for lens in LENSES:
        assert command("run", "--lens", lens, "--label", "2026Q3").code == 0


@pytest.fixture
def patternmind(shared_home: SharedHome, tmp_path: Path) -> InProcess:
    """Command on a copy of a network with runs of every lens."""
    return on_a_copy(shared_home("lenses", build), tmp_path)


PLAIN = (
    (
        "The pallet was on hold and nobody had told the night shift. They shipped nine units on Monday. Put red tape on"
        " the goods themselves. The lead of the shift should sign every hold."
    ),
    "The pallet was shipped again on Tuesday. Nobody had told us that it was on hold.",
    "Die Palette war gesperrt und niemand hatte es der Nachtschicht gesagt. Man sollte rotes Band nehmen.",
)


def themes_of(patternmind: CommandRunner, lens: str) -> list[dict[str, Any]]:
    return patternmind("themes", "--lens", lens, "--json").json()


def places(patternmind: CommandRunner, lens: str) -> list[dict[str, Any]]:
    return patternmind("export", "assignments", "--lens", lens).rows()


def everything(patternmind: CommandRunner, lens: str) -> list[Any]:
    """Return everything visible of a lens."""
    map_rows = patternmind("export", "map", "--lens", lens).rows()
    log = patternmind("themes", "log", "--lens", lens, "--json").json()
    return [themes_of(patternmind, lens), places(patternmind, lens), map_rows, log]


def test_lenses_have_separate_themes(patternmind: CommandRunner) -> None:
    ids: dict[str, list[str]] = {lens: [theme["theme_id"] for theme in themes_of(patternmind, lens)] for lens in LENSES}
    assert all(ids.values())
    all_ids = [theme_id for lens_ids in ids.values() for theme_id in lens_ids]
    assert len(all_ids) == len(set(all_ids))
    assert {theme["lens"] for theme in patternmind("export", "themes", "--lens", "helped").rows()} == {"helped"}
    assert [theme["theme_id"] for theme in patternmind("themes", "--json").json()] == [
        theme["theme_id"] for theme in themes_of(patternmind, "all")
    ]


def test_lenses_assign_every_case(patternmind: CommandRunner) -> None:
    assigned = [[row["external_id"] for row in places(patternmind, lens)] for lens in LENSES]
    assert assigned[0] == assigned[1] == assigned[2]
    assert {"P-1", "P-2", "P-3"} < set(assigned[0])


def test_lens_edits_do_not_change_other_lenses(patternmind: CommandRunner) -> None:
    before = {lens: everything(patternmind, lens) for lens in LENSES}
    theme, other, *_ = [theme["theme_id"] for theme in themes_of(patternmind, "helped")]
    case = next(row["case_id"] for row in places(patternmind, "helped") if row["theme_id"] == other)
    options = ("--lens", "helped", *BY)
    assert patternmind("themes", "rename", theme, "Asking the next desk first", *options).code == 0
    assert patternmind("themes", "move-in", theme, case, *options).code == 0
    assert [everything(patternmind, lens) for lens in ("problem", "all")] == [before["problem"], before["all"]]
    for lens in LENSES:
        assert patternmind("run", "--lens", lens, "--label", "2026Q3").code == 0
    assert [everything(patternmind, lens) for lens in ("problem", "all")] == [before["problem"], before["all"]]
    names = {row["theme_id"]: row["name"] for row in themes_of(patternmind, "helped")}
    assert names[theme] == "Asking the next desk first"
    assert next(row for row in places(patternmind, "helped") if row["case_id"] == case)["theme_id"] == theme


def test_theme_edit_is_refused_when_the_theme_is_of_another_lens(patternmind: CommandRunner) -> None:
    theme = themes_of(patternmind, "problem")[0]["theme_id"]
    result = patternmind("themes", "rename", theme, "Elsewhere", "--lens", "all", *BY)
    assert (result.code, "--lens" in result.err) == (1, True)


def test_run_reports_cases_that_its_lens_could_not_use(patternmind: CommandRunner) -> None:
    notes = patternmind("run", "--lens", "helped", "--label", "2026Q3", "--json").json()["notes"]
    assert any("cases have too few sentences about what helped; their whole text is used." in note for note in notes)
    assert any("not in English" in note for note in notes)
    whole = patternmind("run", "--lens", "all", "--label", "2026Q3", "--json").json()["notes"]
    assert not any("whole text is used" in note for note in whole)


def test_prereading_accepts_themes_of_any_lens_and_searches_topics_in_whole_cases(
    patternmind: CommandRunner, tmp_path: Path
) -> None:
    for lens in LENSES:
        theme = themes_of(patternmind, lens)[0]["theme_id"]
        assert patternmind("prereading", "--theme", theme, "--json").json()["theme_id"] == theme
    assert patternmind("run", "--lens", "problem", "--label", "2026Q3").code == 0
    whole = {theme["theme_id"] for theme in themes_of(patternmind, "all")}
    topic = patternmind("prereading", "--topic", "Numbers copied by hand", "--json").json()
    assert topic["theme_id"] is None or topic["theme_id"] in whole
    assert patternmind("map", "--lens", "helped", "--out", tmp_path / "map.svg").code == 0


def test_export_refuses_unknown_lenses_and_exports_without_lens(patternmind: CommandRunner) -> None:
    assert patternmind("export", "assignments", "--lens", "colour").code == 2
    result = patternmind("export", "cases", "--lens", "helped")
    assert (result.code, result.out) == (2, "")
