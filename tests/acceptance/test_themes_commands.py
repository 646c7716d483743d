"""Run `patternmind themes` and its edits on the packaged sample."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.commands import SAMPLE, CommandResult, CommandRunner
from tests.fixtures.in_process import InProcess, on_a_copy
from tests.fixtures.networks import SharedHome

BY = ("--by", "Ines")


def build(home: Path) -> None:
    """Run the first quarter of the sample network."""
    command = InProcess(home)
    assert command("init", "--name", "Halden", "--roster", SAMPLE / "roster.csv").code == 0
    assert command("ingest", SAMPLE / "cases-2026Q3.csv").code == 0
    assert command("run", "--label", "2026Q3").code == 0


@pytest.fixture
def patternmind(shared_home: SharedHome, tmp_path: Path) -> InProcess:
    """Command on a copy of the sample's first quarter after a run."""
    return on_a_copy(shared_home("sample-2026Q3", build), tmp_path)


def themes_of(patternmind: CommandRunner) -> dict[str, dict[str, Any]]:
    return {theme["theme_id"]: theme for theme in patternmind("themes", "--json").json()}


def places(patternmind: CommandRunner) -> dict[str, dict[str, Any]]:
    return {row["external_id"]: row for row in patternmind("export", "assignments").rows()}


def inside(rows: Mapping[str, Mapping[str, Any]], theme_id: str | None) -> list[str]:
    return [external_id for external_id, row in rows.items() if row["theme_id"] == theme_id]


def ids_by_size(themes: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    return sorted(themes, key=lambda theme_id: (-themes[theme_id]["size"], theme_id))


def refusal(result: CommandResult, code: int = 1) -> str:
    """Return the message of a refusal: one line on stderr, nothing on stdout."""
    assert (result.code, result.out) == (code, ""), result
    assert result.err.count("\n") == 1
    return result.err


def test_theme_edits_apply_at_once_and_after_the_next_quarter(patternmind: CommandRunner) -> None:
    first, second, third, *_ = ids_by_size(themes_of(patternmind))
    before = places(patternmind)
    moved, split_case, *_ = inside(before, first)
    stray = inside(before, None)[0]
    assert patternmind("themes", "rename", first, "Numbers copied by hand", *BY).code == 0
    assert patternmind("themes", "merge", third, second, *BY, "--note", "the same to us").code == 0
    assert patternmind("themes", "move-out", first, moved, *BY).code == 0
    assert patternmind("themes", "move-in", first, stray, *BY).code == 0
    split = patternmind("themes", "split-off", split_case, "--from", first, "--name", "Owners", *BY, "--json").json()

    def check() -> None:
        now, themes = places(patternmind), themes_of(patternmind)
        assert themes[first]["name"] == "Numbers copied by hand"
        assert themes[split["other_theme_id"]]["name"] == "Owners"
        assert third not in themes
        assert now[moved]["theme_id"] != first
        assert (now[stray]["theme_id"], now[split_case]["theme_id"]) == (first, split["other_theme_id"])
        assert set(inside(before, second)) | set(inside(before, third)) == {
            id
            for id in inside(now, second)
            if id in before and id != moved  # which moves to its next-best theme
        }

    check()
    at_once = patternmind("export", "assignments").out
    assert patternmind("run", "--label", "2026Q3", "--json").json()["run_id"] == "run-0002"
    assert patternmind("export", "assignments").out == at_once
    check()
    assert patternmind("ingest", SAMPLE / "cases-2026Q4.csv").code == 0
    assert patternmind("run", "--label", "2026Q4", "--engine", "hdbscan").code == 0
    now = places(patternmind)
    assert (now[stray]["theme_id"], now[split_case]["theme_id"]) == (first, split["other_theme_id"])
    assert now[moved]["theme_id"] != first
    assert themes_of(patternmind).get(first, {"name": ""})["name"] == "Numbers copied by hand"


def test_themes_log_shows_decisions_and_undone_ones(patternmind: CommandRunner) -> None:
    assert "No decisions about themes yet" in patternmind("themes", "log").out
    before = patternmind("themes", "--json").out
    theme = ids_by_size(themes_of(patternmind))[0]
    assert patternmind("themes", "lock", theme, *BY, "--note", "agreed in the jam").code == 0
    assert patternmind("themes", "undo", 1, "--by", "Bo").code == 0
    rows = patternmind("themes", "log", "--json").json()
    assert [(row["seq"], row["action"], row["by"], row["undone_by"]) for row in rows] == [
        (1, "lock", "Ines", 2),
        (2, "undo", "Bo", None),
    ]
    log = patternmind("themes", "log").out
    assert "agreed in the jam" in log
    assert "undone by decision 2" in log
    assert patternmind("themes", "--json").out == before


def test_themes_retire_keeps_the_cases_and_stops_drafts(patternmind: CommandRunner) -> None:
    theme = ids_by_size(themes_of(patternmind))[0]
    size = themes_of(patternmind)[theme]["size"]
    assert patternmind("themes", "retire", theme, *BY).code == 0
    assert (themes_of(patternmind)[theme]["lineage"], themes_of(patternmind)[theme]["size"]) == ("retired", size)
    table = patternmind("themes").out
    assert table.index("RETIRED BY A PERSON") < table.index(theme)
    assert theme not in {row["theme_id"] for row in patternmind("export", "drafts").rows()}


def test_themes_together_apart_and_pin_keep_cases_in_place(patternmind: CommandRunner) -> None:
    first, second, *_ = ids_by_size(themes_of(patternmind))
    here, there = inside(places(patternmind), first), inside(places(patternmind), second)
    assert patternmind("themes", "pin", first, here[0], *BY).code == 0
    assert patternmind("themes", "together", here[0], there[0], *BY).code == 0
    assert patternmind("themes", "apart", here[0], here[1], *BY).code == 0
    now = places(patternmind)
    assert now[there[0]]["theme_id"] == now[here[0]]["theme_id"] == first
    assert now[here[1]]["theme_id"] != first


def test_themes_commands_refuse_in_one_sentence_with_both_decisions(patternmind: CommandRunner) -> None:
    first, second, *_ = ids_by_size(themes_of(patternmind))
    case = inside(places(patternmind), first)[0]
    assert patternmind("themes", "pin", first, case, *BY).code == 0
    message = refusal(patternmind("themes", "pin", second, case, "--by", "Bo"))
    assert "Decision 2 (pin" in message
    assert "; Bo, " in message
    assert "decision 1 (pin" in message
    assert "; Ines, " in message
    assert "no theme" in refusal(patternmind("themes", "rename", "t-none", "Name", *BY))
    assert "no case" in refusal(patternmind("themes", "pin", first, "c-none", *BY))
    assert "no decision" in refusal(patternmind("themes", "undo", 9, *BY))
    assert "a name" in refusal(patternmind("themes", "rename", first, " ", *BY), 2)
    assert "contains a person's name" in refusal(patternmind("themes", "rename", first, "Ask Tomasz Wilk", *BY), 2)
    assert "--by" in refusal(patternmind("themes", "lock", first), 2)
    assert len(patternmind("themes", "log", "--json").json()) == 1


def test_themes_changes_shows_changes_with_evidence(patternmind: CommandRunner) -> None:
    first, *_ = ids_by_size(themes_of(patternmind))
    changes = patternmind("themes", "changes", "--run", "run-0001", "--json").json()
    assert changes["run_id"] == "run-0001"
    assert {change["lineage"] for change in changes["changes"]} == {"new"}
    assert {"theme_id", "n_before", "n_after", "n_shared", "overlap", "others"} <= set(changes["changes"][0])
    assert changes["proposals"] == []
    assert first in patternmind("themes", "changes").out
    assert "run-0009" in refusal(patternmind("themes", "changes", "--run", "run-0009"))


def test_run_reports_decisions_that_the_cases_contradict(patternmind: CommandRunner) -> None:
    """A conflict needs a strength of .8; without such a case in the sample, no conflict may be reported."""
    rows = places(patternmind)
    firm = max((row for row in rows.values() if row["theme_id"]), key=lambda row: (row["strength"], row["case_id"]))
    other = next(theme_id for theme_id in ids_by_size(themes_of(patternmind)) if theme_id != firm["theme_id"])
    at_once = patternmind("themes", "move-in", other, firm["case_id"], *BY, "--json").json()["proposals"]
    run = patternmind("run", "--label", "2026Q3", "--json").json()
    assert run["proposals"] == at_once
    assert [(conflict["kind"], conflict["edit_seq"]) for conflict in at_once] == [("move_in", 1)] * (
        firm["strength"] >= 0.8
    )
    assert patternmind("themes", "changes", "--json").json()["proposals"] == at_once
    assert all(conflict["text"] in patternmind("themes", "changes").out for conflict in at_once)
    assert places(patternmind)[firm["external_id"]]["theme_id"] == other


def test_themes_accepts_home_before_its_subcommands(patternmind: CommandRunner, tmp_path: Path) -> None:
    elsewhere = patternmind.on_home(tmp_path / "nothing here")
    assert elsewhere("themes", "--home", patternmind.home, "log").out.startswith("No decisions")
    assert len(elsewhere("themes", "--home", patternmind.home, "--json").json()) == len(themes_of(patternmind))
