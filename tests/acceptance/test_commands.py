"""Every command as a steward and a script use it, on the packaged sample; the shapes are the contract of product.md."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.commands import (
    SAMPLE,
    CommandResult,
    CommandRunner,
    is_verbatim,
    quotes_in,
)
from tests.fixtures.in_process import InProcess, on_a_copy
from tests.fixtures.networks import CopiedHome, SharedHome
from tests.fixtures.sample import run_sample

CASE_FILES = [SAMPLE / "cases-2026Q3.csv", SAMPLE / "cases-2026Q4.csv"]
N_CASES, N_RECAPS = 104, 14


@pytest.fixture(scope="module")
def said(sample_answers: Mapping[str, CommandResult]) -> Mapping[str, CommandResult]:
    """What the commands said that made the data folder of this module, in their order."""
    return sample_answers


@pytest.fixture(scope="module")
def patternmind(copied_home: CopiedHome) -> InProcess:
    """The command on the sample network after a run; no test changes it."""
    return InProcess(copied_home("sample", run_sample)).by_meaning()


@pytest.fixture
def own(shared_home: SharedHome, tmp_path: Path) -> InProcess:
    """The same on a copy that a test may change."""
    return on_a_copy(shared_home("sample", run_sample), tmp_path).by_meaning()


@pytest.fixture(scope="module")
def themes(patternmind: CommandRunner) -> list[dict[str, Any]]:
    return patternmind("themes", "--json").json()


@pytest.fixture(scope="module")
def cases(patternmind: CommandRunner) -> dict[str, dict[str, Any]]:
    return {row["case_id"]: row for row in patternmind("export", "cases").rows()}


@pytest.fixture(scope="module")
def drafts(patternmind: CommandRunner) -> list[dict[str, Any]]:
    return patternmind("export", "drafts").rows()


def texts_of(cases: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    return {id: case["text"] for id, case in cases.items()}


# From files to themes ------------------------------------------------------------------------------------------------


def test_init_says_what_the_network_agreed_on_and_keeps_what_is_not_named(
    said: Mapping[str, CommandResult], own: InProcess
) -> None:
    first = said["init"].json()
    again = own("init", "--min-contributors", "3", "--json").json()

    assert (first["name"], first["purpose"], first["people_added"]) == ("Halden", "Fewer repeats", 34)
    assert (again["name"], again["purpose"]) == ("Halden", "Fewer repeats")
    assert again["rule"] == {"min_contributors": 3, "min_teams": 2}


def test_ingest_counts_every_row_and_taking_the_same_in_again_changes_nothing(
    said: Mapping[str, CommandResult], own: InProcess, tmp_path: Path
) -> None:
    first, recaps = said["ingest"].json(), said["recaps"].json()
    again = own("ingest", *CASE_FILES, "--json").json()
    elsewhere = own.on_home(tmp_path / "new")
    tried = elsewhere("ingest", *CASE_FILES, "--dry-run", "--json").json()

    assert (first["accepted"], first["unchanged"], first["duplicates"], first["rejected"]) == (N_CASES, 0, 0, [])
    assert (recaps["accepted"], recaps["rejected"]) == (N_RECAPS, [])
    assert (again["accepted"], again["unchanged"]) == (0, N_CASES)
    assert (tried["accepted"], tried["dry_run"]) == (N_CASES, True)
    assert len(own("export", "cases").rows()) == N_CASES + N_RECAPS
    assert elsewhere("export", "cases").rows() == []


def test_run_counts_cases_themes_outliers_and_drafts_and_times_each_step(said: Mapping[str, CommandResult]) -> None:
    run = said["run"].json()

    assert (run["run_id"], run["label"], run["cases"]) == ("run-0001", "2026Q4", N_CASES + N_RECAPS)
    assert set(run["seconds"]) == {"embed", "cluster", "carry", "draft", "map"}
    assert run["themes"] == run["drafts"] > 4
    assert run["outliers"] < run["cases"] / 2


def test_themes_have_names_sizes_keywords_exemplars_and_lineage(
    themes: list[dict[str, Any]], cases: Mapping[str, Any], said: Mapping[str, CommandResult]
) -> None:
    assert len(themes) == said["run"].json()["themes"]
    assert len({theme["name"] for theme in themes}) == len({theme["theme_id"] for theme in themes}) == len(themes)
    for theme in themes:
        assert theme["keywords"]
        assert 1 <= len(theme["exemplars"]) <= 3
        assert set(theme["exemplars"]) <= set(cases)
        assert theme["lineage"] == "new"


def test_themes_are_shown_as_a_table_with_a_quote_each(
    patternmind: CommandRunner, themes: list[dict[str, Any]]
) -> None:
    table = patternmind("themes").out

    assert not [theme["theme_id"] for theme in themes if theme["theme_id"] not in table]
    assert table.count("“") >= len(themes)


def test_assignments_put_every_case_in_one_theme_or_leave_it_out(
    patternmind: CommandRunner,
    themes: list[dict[str, Any]],
    cases: Mapping[str, Any],
    said: Mapping[str, CommandResult],
) -> None:
    rows = patternmind("export", "assignments", "--format", "jsonl").rows()
    table = list(csv.DictReader(io.StringIO(patternmind("export", "assignments", "--format", "csv").out)))

    sizes = {theme["theme_id"]: sum(row["theme_id"] == theme["theme_id"] for row in rows) for theme in themes}
    assert sorted(row["case_id"] for row in rows) == sorted(cases)
    assert sizes == {theme["theme_id"]: theme["size"] for theme in themes}
    assert sum(row["theme_id"] is None for row in rows) == said["run"].json()["outliers"]
    assert all(0 <= row["strength"] <= 1 and row["nearest_theme_id"] in sizes for row in rows)
    assert all((row["theme_id"] is None) == (row["area_id"] is None) for row in rows)
    assert table == [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]


def test_cases_are_exported_as_redacted_and_withheld_where_consent_says_so(
    cases: Mapping[str, Any], patternmind: CommandRunner
) -> None:
    private = [case for case in cases.values() if case["consent"] == "network only"]
    exported = patternmind("export", "cases", "--format", "csv").out

    assert {case["kind"] for case in cases.values()} == {"case", "recap"}
    assert {case["external_id"] for case in cases.values()} >= {"HN-001", "RC-01"}
    assert private
    assert all(case["text"] == {} for case in private)
    assert len(list(csv.DictReader(io.StringIO(exported)))) == len(cases)
    roster = [row["name"] for row in csv.DictReader((SAMPLE / "roster.csv").open(encoding="utf-8"))]
    assert not [name for name in roster if name in exported]


def test_drafts_hold_claims_whose_quotes_stand_in_the_exported_cases(
    drafts: list[dict[str, Any]], cases: Mapping[str, Any], said: Mapping[str, CommandResult]
) -> None:
    texts, quotes = texts_of(cases), list(quotes_in(drafts))

    assert len(drafts) == said["run"].json()["drafts"]
    assert len(quotes) > 3 * len(drafts)
    assert [quote for quote in quotes if not is_verbatim(quote, texts)] == []
    for draft in drafts:
        assert (draft["kind"], draft["state"]) == ("pattern", "candidate")
        assert {"id", "theme_id", "name", "fields"} < set(draft)
        assert {"run_id", "model", "prompt", "prompt_hash", "inputs"} <= set(draft["provenance"])
        assert all({"text", "field", "quotes"} <= set(claim) for claim in draft["claims"])


def test_an_export_can_go_to_a_file(patternmind: CommandRunner, tmp_path: Path) -> None:
    answer = patternmind("export", "themes", "--out", tmp_path / "themes.jsonl")

    assert (answer.code, answer.out) == (0, "")
    assert (tmp_path / "themes.jsonl").read_text() == patternmind("export", "themes").out


# Finding and preparing -----------------------------------------------------------------------------------------------


def test_search_finds_by_meaning_and_the_same_with_the_index_as_without(own: InProcess) -> None:
    question = ["search", "the handheld dies in the cold", "-k", "5", "--json"]
    lacking = own("index", "verify", "--json")
    without = own(*question).json()
    built = own("index", "rebuild", "--json").json()
    verified = own("index", "verify", "--json").json()
    using = own(*question).json()

    assert (lacking.code, json.loads(lacking.out)["ok"]) == (1, False)
    assert (built["rows"], verified["ok"], verified["missing"]) == (N_CASES + N_RECAPS, True, [])
    assert using == without
    assert len(without) == 5
    assert [hit["score"] for hit in without] == sorted((hit["score"] for hit in without), reverse=True)
    assert all(hit["kind"] in {"case", "recap"} and hit["external_id"] and 0 <= hit["score"] <= 1 for hit in without)
    assert "scanner" in " ".join(hit["snippet"] for hit in without).lower()


@pytest.mark.parametrize(
    ("ending", "begins"),
    [("md", b"---\ntitle: "), ("html", b"<!doctype html>"), ("pdf", b"%PDF-"), ("docx", b"PK\x03\x04"), ("json", b"{")],
)
def test_prereading_for_a_theme_is_written_in_the_format_of_its_name(
    own: InProcess, themes: list[dict[str, Any]], tmp_path: Path, ending: str, begins: bytes
) -> None:
    out = tmp_path / f"prereading.{ending}"

    answer = own("prereading", "--theme", themes[0]["theme_id"], "--out", out, "--session", "Jam 5")

    assert (answer.code, answer.out) == (0, "")
    assert out.read_bytes().lower().startswith(begins.lower())


def test_prereading_for_a_case_tells_it_in_its_own_words_and_says_that_nobody_reviewed_it(
    own: InProcess,
) -> None:
    page = own("prereading", "--case", "HN-002").out

    assert "Draft, not reviewed" in page
    assert "pallet with 12 norvik outdoor units stood in lane 4" in page
    assert "Three questions" in page


def test_prereading_for_a_topic_holds_claims_with_quotes(own: InProcess, cases: Mapping[str, Any]) -> None:
    row = own("prereading", "--topic", "what the night shift is not told", "--json").json()

    texts = texts_of(cases)
    open_to_all = [quote for quote in quotes_in([row]) if texts[quote["case_id"]]]
    assert (row["kind"], row["state"]) == ("pre-reading", "candidate")
    assert len(open_to_all) > 3
    assert all(is_verbatim(quote, texts) for quote in open_to_all)


# Deciding and publishing ---------------------------------------------------------------------------------------------


def widest(drafts: list[dict[str, Any]], cases: Mapping[str, Any]) -> str:
    """The draft that has a solution and quotes most teams."""

    def n_teams(draft: dict[str, Any]) -> int:
        return len({cases[quote["case_id"]]["team"] for quote in quotes_in([draft])})

    solved = [draft for draft in drafts if any(claim["field"] == "solution" for claim in draft["claims"])]
    return max(solved, key=n_teams)["id"]


def test_what_a_person_accepts_is_in_the_playbook_until_it_is_undone(
    own: InProcess, drafts: list[dict[str, Any]], cases: Mapping[str, Any], tmp_path: Path
) -> None:
    chosen = widest(drafts, cases)
    own("init", "--min-contributors", "2")
    shown = own("review", "show", chosen, "--json").json()

    accepted = own("review", "decide", chosen, "accept", "--by", "Ada Berg", "--json").json()
    (pattern,) = own("export", "patterns").rows()
    collected = own("playbook", "--out", tmp_path / "playbook.md", "--json").json()
    written = (tmp_path / "playbook.md").read_text()
    undone = own("review", "decide", chosen, "undo", "--by", "Ada Berg", "--json").json()

    assert (shown["state"], accepted["state"], undone["state"]) == ("candidate", "accepted", "candidate")
    assert (pattern["state"], pattern["reviewers"], pattern["name"]) == ("accepted", ["Ada Berg"], shown["name"])
    assert [quote for quote in quotes_in([pattern]) if not is_verbatim(quote, texts_of(cases))] == []
    assert (collected["patterns"], collected["withheld"]) == (1, [])
    assert f"## {shown['name']}" in written
    assert 'version: "0.1"' in written
    assert own("playbook", "--json").json()["patterns"] == 0
    assert own("export", "patterns", "--format", "csv").out == ""


def test_a_rejection_needs_a_reason_and_takes_the_draft_out_of_what_waits(
    own: InProcess, drafts: list[dict[str, Any]]
) -> None:
    draft = drafts[0]["id"]

    refused = own("review", "decide", draft, "reject", "--by", "Ada Berg")
    rejected = own("review", "decide", draft, "reject", "--by", "Ada Berg", "--reason", "too abstract", "--json")
    states = {row["id"]: row["state"] for row in own("review", "list", "--json").json()}

    assert refused.code == 1
    assert "needs a reason" in refused.err
    assert rejected.json()["state"] == states[draft] == "rejected"
    assert set(states) == {row["id"] for row in drafts}
    assert "rejected" in own("review", "list").out


@pytest.mark.parametrize(
    ("ending", "begins"), [("html", b"<!doctype html>"), ("pdf", b"%PDF-"), ("docx", b"PK\x03\x04")]
)
def test_an_empty_playbook_can_be_written_in_every_format(
    patternmind: CommandRunner, tmp_path: Path, ending: str, begins: bytes
) -> None:
    answer = patternmind("playbook", "--out", tmp_path / f"playbook.{ending}")

    assert (answer.code, answer.out) == (0, "")
    assert (tmp_path / f"playbook.{ending}").read_bytes().lower().startswith(begins.lower())


# Keeping house -------------------------------------------------------------------------------------------------------


def test_doctor_looks_at_every_part(patternmind: CommandRunner) -> None:
    findings = patternmind("doctor", "--json").json()

    parts = [finding["what"] for finding in findings]
    assert parts == ["data folder", "store", "raw text", "encoder", "index", "prompts", "model gateway"]
    assert [finding for finding in findings if not finding["ok"]] == []


def test_a_token_is_shown_once_and_kept_as_a_hash(own: InProcess) -> None:
    made = own("token", "create", "quarterly report", "--days", "30", "--json").json()

    assert made["token"].startswith("pm_")
    assert set(made) == {"token", "id", "name", "expires"}
    assert made["token"].encode() not in (own.home / "patternmind.db").read_bytes()


def test_the_demo_writes_prereading_and_a_playbook_and_prints_one_json_value(tmp_path: Path) -> None:
    out = tmp_path / "demo"

    said = InProcess(tmp_path / "unused")("demo", "--out", out, "--json").json()

    assert len(said["themes"]) > 4
    assert len(said["accepted"]) > 0
    assert {Path(path).name for path in said["written"]} >= {
        *("prereading.md", "prereading.html", "playbook.md", "playbook.html"),
    }
    assert all(Path(path).stat().st_size > 500 for path in said["written"])
    assert all(name in (out / "playbook.md").read_text() for name in said["accepted"])
    assert not (tmp_path / "unused").exists()
