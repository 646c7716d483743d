"""Where new cases belong, asked by program and at the terminal."""

import json
from functools import partial
from pathlib import Path

import pytest
from tests.acceptance.test_api import Program, check_problem
from tests.fixtures.networks import open_house as make_house
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
    """A network with a run, and one case that came after it."""
    Program(make_house(grown_home)).post("imports", params={"filename": "late.jsonl"}, content=LATE.encode())
    return grown_home


def test_a_case_and_a_text_are_placed_without_a_run(home: Path) -> None:
    client = Program(make_house(home))
    placed = client.get("cases/late/1/placement").json()
    assert (placed["external_id"], placed["by"]) == ("late/1", "placing")
    assert placed["theme_id"] or placed["reason"]
    stands = client.get("cases/scanner/0/placement").json()
    assert stands["by"] == "run"
    told = client.post("placements", json={"text": "The scanner froze again, tell anna@example.com"})
    assert told.status_code == 200
    assert told.json()["case_id"] is None
    assert len(client.get("cases", params={"limit": 200}).json()["items"]) == 49


def test_what_cannot_be_placed_is_a_problem(home: Path, tmp_path: Path) -> None:
    check_problem(Program(make_house(tmp_path)).post("placements", json={"text": "A text."}), 422, "invalid")
    check_problem(Program(make_house(home)).get("cases/nowhere/placement"), 404, "not-found")
    check_problem(Program(make_house(home)).post("placements", json={"text": " "}), 422, "invalid")


def given(home: Path, _: Path | None) -> AppContext:
    return make_house(home)


def told_by(home: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    monkeypatch.setattr(commands, "open_context", partial(given, home))
    done = CliRunner().invoke(app, ["place", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_command_places_what_is_new_what_is_named_or_a_text(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = json.loads(told_by(home, monkeypatch, "--json"))
    assert [one["external_id"] for one in new] == ["late/1"]
    assert "late/1: " in told_by(home, monkeypatch)
    both = json.loads(told_by(home, monkeypatch, "scanner/0", "late/1", "--json"))
    assert [one["by"] for one in both] == ["run", "placing"]
    assert told_by(home, monkeypatch, "--text", "The scanner froze.").startswith("This text: ")


def test_cases_and_a_text_at_once_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "open_context", partial(given, home))
    with pytest.raises(UsageError, match="not both"):
        CliRunner().invoke(app, ["place", "scanner/0", "--text", "x"], catch_exceptions=False)
