"""Three lenses on one network, side by side: each with its own themes, edits, changes and map."""

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
    """Take in the first quarter of the sample, two plain cases and a German one, and run every lens, all last."""
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
    """The command on a copy of a network seen through every lens."""
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
    """What people see of a lens."""
    drawn = patternmind("export", "map", "--lens", lens).rows()
    log = patternmind("themes", "log", "--lens", lens, "--json").json()
    return [themes_of(patternmind, lens), places(patternmind, lens), drawn, log]


def test_every_lens_has_themes_of_its_own(patternmind: CommandRunner) -> None:
    ids: dict[str, list[str]] = {lens: [theme["theme_id"] for theme in themes_of(patternmind, lens)] for lens in LENSES}
    assert all(ids.values())
    every = [theme_id for found in ids.values() for theme_id in found]
    assert len(every) == len(set(every))
    assert {theme["lens"] for theme in patternmind("export", "themes", "--lens", "helped").rows()} == {"helped"}
    assert [theme["theme_id"] for theme in patternmind("themes", "--json").json()] == [
        theme["theme_id"] for theme in themes_of(patternmind, "all")
    ]


def test_every_case_is_placed_under_every_lens(patternmind: CommandRunner) -> None:
    placed = [[row["external_id"] for row in places(patternmind, lens)] for lens in LENSES]
    assert placed[0] == placed[1] == placed[2]
    assert {"P-1", "P-2", "P-3"} < set(placed[0])


def test_edits_of_a_lens_leave_the_others_as_they_are_now_and_after_their_next_run(patternmind: CommandRunner) -> None:
    before = {lens: everything(patternmind, lens) for lens in LENSES}
    theme, other, *_ = [one["theme_id"] for one in themes_of(patternmind, "helped")]
    case = next(row["case_id"] for row in places(patternmind, "helped") if row["theme_id"] == other)
    of_helped = ("--lens", "helped", *BY)
    assert patternmind("themes", "rename", theme, "Asking the next desk first", *of_helped).code == 0
    assert patternmind("themes", "move-in", theme, case, *of_helped).code == 0
    assert [everything(patternmind, lens) for lens in ("problem", "all")] == [before["problem"], before["all"]]
    for lens in LENSES:
        assert patternmind("run", "--lens", lens, "--label", "2026Q3").code == 0
    assert [everything(patternmind, lens) for lens in ("problem", "all")] == [before["problem"], before["all"]]
    edited = next(one for one in themes_of(patternmind, "helped") if one["theme_id"] == theme)
    assert edited["name"] == "Asking the next desk first"
    assert next(row for row in places(patternmind, "helped") if row["case_id"] == case)["theme_id"] == theme


def test_a_theme_of_another_lens_is_not_edited_by_accident(patternmind: CommandRunner) -> None:
    theme = themes_of(patternmind, "problem")[0]["theme_id"]
    answer = patternmind("themes", "rename", theme, "Elsewhere", "--lens", "all", *BY)
    assert (answer.code, "--lens" in answer.err) == (1, True)


def test_a_run_says_how_many_cases_its_lens_could_not_look_into(patternmind: CommandRunner) -> None:
    told = patternmind("run", "--lens", "helped", "--label", "2026Q3", "--json").json()["notes"]
    assert any("cases have too few sentences about what helped; their whole text is used." in note for note in told)
    assert any("not in English" in note for note in told)
    whole = patternmind("run", "--lens", "all", "--label", "2026Q3", "--json").json()["notes"]
    assert not any("whole text is used" in note for note in whole)


def test_a_theme_of_any_lens_has_its_pre_reading_and_a_topic_is_looked_up_in_all_of_a_case(
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


def test_a_lens_that_is_none_and_an_export_that_has_none_are_refused(patternmind: CommandRunner) -> None:
    assert patternmind("export", "assignments", "--lens", "colour").code == 2
    answer = patternmind("export", "cases", "--lens", "helped")
    assert (answer.code, answer.out) == (2, "")
