"""A roster that grows later takes its names out of everything that is stored and shown."""

import json
from pathlib import Path

from patternmind.adapters.hashing_encoder import HashingEncoder
from patternmind.bootstrap import House
from patternmind.model.cases import Kind
from patternmind.ports import RunParameters
from patternmind.settings import Settings
from patternmind.verbs.export import export_rows
from patternmind.verbs.ingest import ingest_files
from patternmind.verbs.network import add_roster


def test_a_name_on_a_later_roster_leaves_cases_drafts_and_themes(tmp_path: Path) -> None:
    house = House(Settings(home=tmp_path / "home"), encoder=HashingEncoder())
    rows = [
        {
            "id": f"{subject}-{number}",
            "problem": f"Zebulon saw the {subject} fail again in hall {number}. Zebulon lost the {subject} order.",
            "lesson": f"Ask Zebulon to check the {subject} before the shift {number} begins.",
            "team": f"team {number % 3}",
        }
        for subject in ("printer", "valve", "login")
        for number in range(9)
    ]
    cases = tmp_path / "cases.json"
    cases.write_text(json.dumps(rows), encoding="utf-8")
    ingest_files(house.store, [cases], kind=Kind.CASE)
    house.run(RunParameters())
    assert any("Zebulon" in theme.gist for theme in house.store.themes())
    roster = tmp_path / "roster.csv"
    roster.write_text("name,email,team\nZebulon Quast,,\n", encoding="utf-8")
    assert add_roster(house.store, roster) == 1
    shown = [
        json.dumps(row) for what in ("cases", "themes", "drafts", "patterns") for row in export_rows(house.store, what)
    ]
    shown += house.store.areas().values()
    assert [text for text in shown if "zebulon" in text.casefold()] == []
