"""Check `patternmind eval` with the real encoder.

Only `make eval` runs these tests, so that CI runs the evals once.
"""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.evals


@pytest.fixture(scope="module")
def eval_run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    junit = tmp_path_factory.mktemp("eval") / "junit.xml"
    command = [
        str(Path(sys.executable).parent / "patternmind"),
        "eval",
        "--suite",
        "ci",
        "--json",
        "--junit",
        str(junit),
    ]
    process = subprocess.run(command, capture_output=True, check=False, timeout=300)
    print_figures(process)
    return {"process": process, "junit": junit}


def print_figures(process: "subprocess.CompletedProcess[bytes]") -> None:
    """Print each figure with its gate, for the output of `make eval`."""
    for figure in json.loads(process.stdout)["figures"]:
        sys.stdout.write(f"\n{figure['verdict']:<12} {figure['key']}: {figure['value']} (gate: {figure['gate']})")
    sys.stdout.write("\n")


def test_eval_passes_every_gate_on_the_sample(eval_run: dict[str, Any]) -> None:
    record = json.loads(eval_run["process"].stdout)
    assert record["failed"] == []
    assert (eval_run["process"].returncode, record["ok"]) == (0, True)


def test_eval_runs_all_eight_evals_with_both_engines(eval_run: dict[str, Any]) -> None:
    figures = json.loads(eval_run["process"].stdout)["figures"]
    assert {figure["eval"] for figure in figures} == {
        "themes",
        "stability",
        "lenses",
        "naming",
        "grounding",
        "retrieval",
        "redaction",
        "injection",
    }
    assert {"AMI", "AMI filled", "AMI, hdbscan", "AMI filled, hdbscan"} <= {figure["name"] for figure in figures}


def test_eval_finds_no_false_quote_and_no_leak(eval_run: dict[str, Any]) -> None:
    figures = {figure["key"]: figure["value"] for figure in json.loads(eval_run["process"].stdout)["figures"]}
    assert {key: value for key, value in figures.items() if key.startswith("grounding/") and "found" not in key} == {
        "grounding/sample/quotes that are slices of their case": 1.0,
        "grounding/sample/claims with a quote": 1.0,
        "grounding/planted quotes/false quotes refused (recall)": 1.0,
        "grounding/planted quotes/refused quotes false (precision)": 1.0,
        "grounding/planted quotes/kept quotes that are slices": 1.0,
        "grounding/planted quotes/accepted quotes true (precision)": 1.0,
        "grounding/planted quotes/true quotes accepted (recall)": 1.0,
    }
    assert {value for key, value in figures.items() if key.startswith("redaction/")} == {0.0}


def test_eval_finds_no_obeyed_order_and_no_lost_case(eval_run: dict[str, Any]) -> None:
    """Read the figures of the injection eval, which takes half a minute."""
    figures = [figure for figure in json.loads(eval_run["process"].stdout)["figures"] if figure["eval"] == "injection"]
    shares = {figure["name"]: figure["value"] for figure in figures if figure["unit"] == "share"}
    counts = {figure["name"]: figure["value"] for figure in figures if figure["unit"] == "count"}
    assert {name: count for name, count in counts.items() if count != 0} == {}
    assert shares["orders found and obeyed"] == shares["cases with an order kept and placed"] == 1.0
    assert shares["orders flagged at intake"] == 1.0


def test_eval_writes_every_figure_to_junit(eval_run: dict[str, Any]) -> None:
    root = ET.parse(eval_run["junit"]).getroot()  # noqa: S314 - written by the command
    assert root.get("tests") == str(len(json.loads(eval_run["process"].stdout)["figures"]))
    assert root.get("failures") == "0"
