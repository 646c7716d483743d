"""Place new cases through the API and the command line."""

import json
from functools import partial
from pathlib import Path

import pytest
from tests.acceptance.test_api import Program, check_problem
from tests.fixtures.networks import open_context as make_house
from typer.testing import CliRunner

from patternmind.bootstrap import AppContext
from patternmind.cli import place as commands
from patternmind.cli.app import app
from patternmind.errors import UsageError

LATE = (
    '{"id": "late/1", "problem": "The hand scanner froze in the cold store, its battery lost.", '
    '"lesson": "We warmed the scanner battery before the shift."}'
)


@pytest.fixture(scope="module")
def home(grown_home: Path) -> Path:
    """A network with a run and one later case."""
    Program(make_house(grown_home)).post("imports", params={"filename": "late.jsonl"}, content=LATE.encode())
    return grown_home


def test_placement_api_places_a_case_and_a_text_without_a_run(home: Path) -> None:
    client = Program(make_house(home))
    placement = client.get("cases/late/1/placement").json()
    assert (placement["external_id"], placement["by"]) == ("late/1", "placing")
    assert placement["theme_id"] or placement["reason"]
    assert client.get("cases/scanner/0/placement").json()["by"] == "run"
    response = client.post("placements", json={"text": "The scanner froze again, tell anna@example.com"})
    assert response.status_code == 200
    assert response.json()["case_id"] is None
    assert len(client.get("cases", params={"limit": 200}).json()["items"]) == 49


def test_placement_api_returns_a_problem_when_placement_is_impossible(home: Path, tmp_path: Path) -> None:
    check_problem(Program(make_house(tmp_path)).post("placements", json={"text": "A text."}), 422, "invalid")
    check_problem(Program(make_house(home)).get("cases/nowhere/placement"), 404, "not-found")
    check_problem(Program(make_house(home)).post("placements", json={"text": " "}), 422, "invalid")


def open_home(home: Path, _: Path | None) -> AppContext:
    return make_house(home)


def run_place(home: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    monkeypatch.setattr(commands, "open_context", partial(open_home, home))
    result = CliRunner().invoke(app, ["place", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_place_accepts_new_cases_given_cases_or_a_text(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = json.loads(run_place(home, monkeypatch, "--json"))
    assert [place["external_id"] for place in new] == ["late/1"]
    assert "late/1: " in run_place(home, monkeypatch)
    both = json.loads(run_place(home, monkeypatch, "scanner/0", "late/1", "--json"))
    assert [place["by"] for place in both] == ["run", "placing"]
    assert run_place(home, monkeypatch, "--text", "The scanner froze.").startswith("This text: ")


def test_place_refuses_cases_and_a_text_together(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "open_context", partial(open_home, home))
    with pytest.raises(UsageError, match="not both"):
        CliRunner().invoke(app, ["place", "scanner/0", "--text", "x"], catch_exceptions=False)
