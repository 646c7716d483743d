"""Run every command on the packaged sample; the JSON shapes are the contract of product.md."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.commands import SAMPLE, CommandResult, CommandRunner, is_verbatim, quotes_in
from tests.fixtures.in_process import InProcess, on_a_copy
from tests.fixtures.networks import CopiedHome, SharedHome
from tests.fixtures.sample import run_sample

CASE_FILES = [SAMPLE / "cases-2026Q3.csv", SAMPLE / "cases-2026Q4.csv"]
N_CASES, N_RECAPS = 104, 14


@pytest.fixture(scope="module")
def setup_results(sample_answers: Mapping[str, CommandResult]) -> Mapping[str, CommandResult]:
    """Results of the commands that built the data folder of this module."""
    return sample_answers


@pytest.fixture(scope="module")
def patternmind(copied_home: CopiedHome) -> InProcess:
    """Command on the sample network after a run; tests must not change it."""
    return InProcess(copied_home("sample", run_sample)).by_meaning()


@pytest.fixture
def own(shared_home: SharedHome, tmp_path: Path) -> InProcess:
    """Command on a copy that a test may change."""
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


def test_init_prints_the_settings_and_keeps_those_left_out(
    setup_results: Mapping[str, CommandResult], own: InProcess
) -> None:
    first = setup_results["init"].json()
    again = own("init", "--min-contributors", "3", "--json").json()

    assert (first["name"], first["purpose"], first["people_added"]) == ("Halden", "Fewer repeats", 34)
    assert (again["name"], again["purpose"]) == ("Halden", "Fewer repeats")
    assert again["rule"] == {"min_contributors": 3, "min_teams": 2}


def test_ingest_counts_every_row_and_changes_nothing_when_repeated(
    setup_results: Mapping[str, CommandResult], own: InProcess, tmp_path: Path
) -> None:
    first, recaps = setup_results["ingest"].json(), setup_results["recaps"].json()
    again = own("ingest", *CASE_FILES, "--json").json()
    elsewhere = own.on_home(tmp_path / "new")
    dry_run = elsewhere("ingest", *CASE_FILES, "--dry-run", "--json").json()

    assert (first["accepted"], first["unchanged"], first["duplicates"], first["rejected"]) == (N_CASES, 0, 0, [])
    assert (recaps["accepted"], recaps["rejected"]) == (N_RECAPS, [])
    assert (again["accepted"], again["unchanged"]) == (0, N_CASES)
    assert (dry_run["accepted"], dry_run["dry_run"]) == (N_CASES, True)
    assert len(own("export", "cases").rows()) == N_CASES + N_RECAPS
    assert elsewhere("export", "cases").rows() == []


def test_run_reports_counts_and_seconds_of_each_step(setup_results: Mapping[str, CommandResult]) -> None:
    run = setup_results["run"].json()

    assert (run["run_id"], run["label"], run["cases"]) == ("run-0001", "2026Q4", N_CASES + N_RECAPS)
    assert set(run["seconds"]) == {"embed", "cluster", "carry", "draft", "map"}
    assert run["themes"] == run["drafts"] > 4
    assert run["outliers"] < run["cases"] / 2


def test_themes_have_names_sizes_keywords_exemplars_and_lineage(
    themes: list[dict[str, Any]], cases: Mapping[str, Any], setup_results: Mapping[str, CommandResult]
) -> None:
    assert len(themes) == setup_results["run"].json()["themes"]
    assert len({theme["name"] for theme in themes}) == len({theme["theme_id"] for theme in themes}) == len(themes)
    for theme in themes:
        assert theme["keywords"]
        assert 1 <= len(theme["exemplars"]) <= 3
        assert set(theme["exemplars"]) <= set(cases)
        assert theme["lineage"] == "new"


def test_themes_prints_a_table_with_a_quote_per_theme(patternmind: CommandRunner, themes: list[dict[str, Any]]) -> None:
    table = patternmind("themes").out

    assert not [theme["theme_id"] for theme in themes if theme["theme_id"] not in table]
    assert table.count("“") >= len(themes)


def test_export_assignments_gives_every_case_one_theme_or_none(
    patternmind: CommandRunner,
    themes: list[dict[str, Any]],
    cases: Mapping[str, Any],
    setup_results: Mapping[str, CommandResult],
) -> None:
    rows = patternmind("export", "assignments", "--format", "jsonl").rows()
    table = list(csv.DictReader(io.StringIO(patternmind("export", "assignments", "--format", "csv").out)))

    sizes = {theme["theme_id"]: sum(row["theme_id"] == theme["theme_id"] for row in rows) for theme in themes}
    assert sorted(row["case_id"] for row in rows) == sorted(cases)
    assert sizes == {theme["theme_id"]: theme["size"] for theme in themes}
    assert sum(row["theme_id"] is None for row in rows) == setup_results["run"].json()["outliers"]
    assert all(0 <= row["strength"] <= 1 and row["nearest_theme_id"] in sizes for row in rows)
    assert all((row["theme_id"] is None) == (row["area_id"] is None) for row in rows)
    assert table == [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]


def test_export_cases_is_redacted_and_withholds_text_without_consent(
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


def test_export_drafts_quotes_exported_cases_verbatim(
    drafts: list[dict[str, Any]], cases: Mapping[str, Any], setup_results: Mapping[str, CommandResult]
) -> None:
    texts, quotes = texts_of(cases), list(quotes_in(drafts))

    assert len(drafts) == setup_results["run"].json()["drafts"]
    assert len(quotes) > 3 * len(drafts)
    assert [quote for quote in quotes if not is_verbatim(quote, texts)] == []
    for draft in drafts:
        assert (draft["kind"], draft["state"]) == ("pattern", "candidate")
        assert {"id", "theme_id", "name", "fields"} < set(draft)
        assert {"run_id", "model", "prompt", "prompt_hash", "inputs"} <= set(draft["provenance"])
        assert all({"text", "field", "quotes"} <= set(claim) for claim in draft["claims"])


def test_export_writes_to_a_file(patternmind: CommandRunner, tmp_path: Path) -> None:
    result = patternmind("export", "themes", "--out", tmp_path / "themes.jsonl")

    assert (result.code, result.out) == (0, "")
    assert (tmp_path / "themes.jsonl").read_text() == patternmind("export", "themes").out


# Finding and preparing -----------------------------------------------------------------------------------------------


def test_search_finds_the_same_with_and_without_the_index(own: InProcess) -> None:
    question = ["search", "the handheld dies in the cold", "-k", "5", "--json"]
    before = own("index", "verify", "--json")
    hits_without_index = own(*question).json()
    built = own("index", "rebuild", "--json").json()
    verified = own("index", "verify", "--json").json()
    hits = own(*question).json()

    assert (before.code, json.loads(before.out)["ok"]) == (1, False)
    assert (built["rows"], verified["ok"], verified["missing"]) == (N_CASES + N_RECAPS, True, [])
    assert hits == hits_without_index
    assert len(hits) == 5
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    assert all(hit["kind"] in {"case", "recap"} and hit["external_id"] and 0 <= hit["score"] <= 1 for hit in hits)
    assert "scanner" in " ".join(hit["snippet"] for hit in hits).lower()


@pytest.mark.parametrize(
    ("ending", "prefix"),
    [("md", b"---\ntitle: "), ("html", b"<!doctype html>"), ("pdf", b"%PDF-"), ("docx", b"PK\x03\x04"), ("json", b"{")],
)
def test_prereading_for_a_theme_has_the_format_of_the_file_name(
    own: InProcess, themes: list[dict[str, Any]], tmp_path: Path, ending: str, prefix: bytes
) -> None:
    out = tmp_path / f"prereading.{ending}"

    result = own("prereading", "--theme", themes[0]["theme_id"], "--out", out, "--session", "Jam 5")

    assert (result.code, result.out) == (0, "")
    assert out.read_bytes().lower().startswith(prefix.lower())


def test_prereading_for_a_case_quotes_it_and_is_marked_as_not_reviewed(own: InProcess) -> None:
    page = own("prereading", "--case", "HN-002").out

    assert "Draft, not reviewed" in page
    assert "pallet with 12 norvik outdoor units stood in lane 4" in page
    assert "Three questions" in page


def test_prereading_for_a_topic_contains_claims_with_quotes(own: InProcess, cases: Mapping[str, Any]) -> None:
    row = own("prereading", "--topic", "what the night shift is not told", "--json").json()

    texts = texts_of(cases)
    quotable = [quote for quote in quotes_in([row]) if texts[quote["case_id"]]]
    assert (row["kind"], row["state"]) == ("pre-reading", "candidate")
    assert len(quotable) > 3
    assert all(is_verbatim(quote, texts) for quote in quotable)


# Deciding and publishing ---------------------------------------------------------------------------------------------


def widest(drafts: list[dict[str, Any]], cases: Mapping[str, Any]) -> str:
    """Return the draft with a solution that quotes the most teams."""

    def n_teams(draft: dict[str, Any]) -> int:
        return len({cases[quote["case_id"]]["team"] for quote in quotes_in([draft])})

    solved = [draft for draft in drafts if any(claim["field"] == "solution" for claim in draft["claims"])]
    return max(solved, key=n_teams)["id"]


def test_playbook_contains_accepted_patterns_until_they_are_undone(
    own: InProcess, drafts: list[dict[str, Any]], cases: Mapping[str, Any], tmp_path: Path
) -> None:
    draft = widest(drafts, cases)
    own("init", "--min-contributors", "2")
    candidate = own("review", "show", draft, "--json").json()

    accepted = own("review", "decide", draft, "accept", "--by", "Ada Berg", "--json").json()
    (pattern,) = own("export", "patterns").rows()
    playbook = own("playbook", "--out", tmp_path / "playbook.md", "--json").json()
    document = (tmp_path / "playbook.md").read_text()
    undone = own("review", "decide", draft, "undo", "--by", "Ada Berg", "--json").json()

    assert (candidate["state"], accepted["state"], undone["state"]) == ("candidate", "accepted", "candidate")
    assert (pattern["state"], pattern["reviewers"], pattern["name"]) == ("accepted", ["Ada Berg"], candidate["name"])
    assert [quote for quote in quotes_in([pattern]) if not is_verbatim(quote, texts_of(cases))] == []
    assert (playbook["patterns"], playbook["withheld"]) == (1, [])
    assert f"## {candidate['name']}" in document
    assert 'version: "0.1"' in document
    assert own("playbook", "--json").json()["patterns"] == 0
    assert own("export", "patterns", "--format", "csv").out == ""


def test_review_decide_requires_a_reason_to_reject(own: InProcess, drafts: list[dict[str, Any]]) -> None:
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
    ("ending", "prefix"), [("html", b"<!doctype html>"), ("pdf", b"%PDF-"), ("docx", b"PK\x03\x04")]
)
def test_playbook_is_written_in_every_format_when_empty(
    patternmind: CommandRunner, tmp_path: Path, ending: str, prefix: bytes
) -> None:
    result = patternmind("playbook", "--out", tmp_path / f"playbook.{ending}")

    assert (result.code, result.out) == (0, "")
    assert (tmp_path / f"playbook.{ending}").read_bytes().lower().startswith(prefix.lower())


# Maintenance ---------------------------------------------------------------------------------------------------------


def test_doctor_checks_every_part(patternmind: CommandRunner) -> None:
    findings = patternmind("doctor", "--json").json()

    parts = [finding["what"] for finding in findings]
    assert parts == ["data folder", "store", "raw text", "encoder", "index", "prompts", "model gateway"]
    assert [finding for finding in findings if not finding["ok"]] == []


def test_token_create_prints_the_token_and_stores_a_hash(own: InProcess) -> None:
    created = own("token", "create", "quarterly report", "--days", "30", "--json").json()

    assert created["token"].startswith("pm_")
    assert set(created) == {"token", "id", "name", "expires"}
    assert created["token"].encode() not in (own.home / "patternmind.db").read_bytes()


def test_demo_writes_documents_and_prints_one_json_value(tmp_path: Path) -> None:
    out = tmp_path / "demo"

    result = InProcess(tmp_path / "unused")("demo", "--out", out, "--json").json()

    assert len(result["themes"]) > 4
    assert len(result["accepted"]) > 0
    assert {Path(path).name for path in result["written"]} >= {
        *("prereading.md", "prereading.html", "playbook.md", "playbook.html")
    }
    assert all(Path(path).stat().st_size > 500 for path in result["written"])
    assert all(name in (out / "playbook.md").read_text() for name in result["accepted"])
    assert not (tmp_path / "unused").exists()
