"""Encrypt raw text with a key, and erase cases, at the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.commands import CommandRunner, write_rows
from tests.fixtures.in_process import InProcess

ROWS: list[dict[str, Any]] = [
    {"id": "one", "problem": "Zebulon lost the order.", "submitter": "Wilhelmina Krups"},
    {"id": "two", "problem": "The valve stuck.", "submitter": "Wilhelmina Krups"},
]


@pytest.fixture
def command(tmp_path: Path) -> CommandRunner:
    return InProcess(tmp_path / "home")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "cases.jsonl", ROWS)


def in_files(home: Path, word: str) -> list[str]:
    return sorted(path.name for path in home.rglob("*") if path.is_file() and word.encode() in path.read_bytes())


def test_raw_requires_the_key_and_key_apply_changes_it_in_one_step(command: CommandRunner, rows: Path) -> None:
    first, second = (command("key", "new", "--json").json()["key"] for _ in range(2))
    keyed = command.with_env(PATTERNMIND_RAW_KEY=first)
    assert keyed("ingest", rows, "--json").json()["accepted"] == 2
    assert in_files(command.home, "Krups") == []
    raw = keyed("raw", "one", "--json").json()
    assert (raw["text"], raw["facts"]) == ({"problem": ROWS[0]["problem"]}, {"submitter": "Wilhelmina Krups"})
    for wrong in (command, command.with_env(PATTERNMIND_RAW_KEY=second)):
        for refused in (wrong("raw", "one"), wrong("ingest", rows, "--as", "recap")):
            assert refused.code == 1
            assert refused.out == ""
            assert refused.err.startswith("The raw text here is encrypted with key ")
            assert len(refused.err.splitlines()) == 1
            assert first not in refused.err
    changed = command.with_env(PATTERNMIND_RAW_KEY=second, PATTERNMIND_RAW_KEY_BEFORE=first)
    assert changed("key", "apply", "--json").json()["n"] == 2
    assert "Krups" in command.with_env(PATTERNMIND_RAW_KEY=second)("raw", "two").out
    opened = command.with_env(PATTERNMIND_RAW_KEY_BEFORE=second)("key", "apply")
    assert opened.out == "2 raw texts are not encrypted.\n"
    assert "Krups" in command("raw", "two").out
    assert command.with_env(PATTERNMIND_RAW_KEY="a passphrase")("raw", "two").code == 2


def test_erase_removes_a_case_permanently_after_confirmation(command: CommandRunner, rows: Path) -> None:
    command("ingest", rows)
    unconfirmed = command("erase", "one", "--by", "Stella")
    assert (unconfirmed.code, unconfirmed.out) == (2, "")
    assert "--yes" in unconfirmed.err
    assert command("erase", "none", "--by", "Stella", "--yes").code == 1
    assert in_files(command.home, "Zebulon") != []
    result = command("erase", "one", "--by", "Stella", "--yes")
    assert result.code == 0
    assert " is erased. " in result.out
    assert "cannot be recalled" in result.out
    assert in_files(command.home, "Zebulon") == []
    again = command("erase", "one", "--by", "Stella", "--yes", "--json").json()
    assert again["again"] is True
    report = command("ingest", rows, "--json").json()
    assert (report["accepted"], report["unchanged"], len(report["rejected"])) == (0, 1, 1)
    assert [json.loads(line)["external_id"] for line in command("export", "cases").out.splitlines()] == ["two"]
