"""`patternmind eval` with the real encoder. `make eval` runs it and these tests, so that CI runs the evals once."""

import json
import resource
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.evals


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    junit = tmp_path_factory.mktemp("eval") / "junit.xml"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [
        str(Path(sys.executable).parent / "patternmind"),
        "eval",
        "--suite",
        "ci",
        "--json",
        "--junit",
        str(junit),
    ]
    done = subprocess.run(command, capture_output=True, check=False, timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    show_figures(done)
    return {"done": done, "junit": junit, "cpu_seconds": spent}


def show_figures(done: "subprocess.CompletedProcess[bytes]") -> None:
    """Print each figure beside its gate, for whoever runs `make eval`."""
    for figure in json.loads(done.stdout)["figures"]:
        sys.stdout.write(f"\n{figure['verdict']:<12} {figure['key']}: {figure['value']} (gate: {figure['gate']})")
    sys.stdout.write("\n")


def test_every_figure_of_the_sample_holds_its_gate(ran: dict[str, Any]) -> None:
    record = json.loads(ran["done"].stdout)
    assert record["failed"] == []
    assert (ran["done"].returncode, record["ok"]) == (0, True)


def test_the_eight_evals_are_there_with_both_engines(ran: dict[str, Any]) -> None:
    figures = json.loads(ran["done"].stdout)["figures"]
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


def test_no_quote_is_false_and_nothing_leaks(ran: dict[str, Any]) -> None:
    figures = {figure["key"]: figure["value"] for figure in json.loads(ran["done"].stdout)["figures"]}
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


def test_no_order_in_a_case_escapes_and_no_case_is_lost(ran: dict[str, Any]) -> None:
    """Proved by the figures of the injection eval, which takes half a minute and is run here alone."""
    figures = [one for one in json.loads(ran["done"].stdout)["figures"] if one["eval"] == "injection"]
    shares = {one["name"]: one["value"] for one in figures if one["unit"] == "share"}
    assert {one["name"]: one["value"] for one in figures if one["unit"] == "count" and one["value"] != 0} == {}
    assert shares["orders found and obeyed"] == shares["cases with an order kept and placed"] == 1.0
    assert shares["orders flagged at intake"] == 1.0


def test_junit_holds_every_figure(ran: dict[str, Any]) -> None:
    root = ET.parse(ran["junit"]).getroot()  # noqa: S314 - written by the command
    assert root.get("tests") == str(len(json.loads(ran["done"].stdout)["figures"]))
    assert root.get("failures") == "0"


def test_it_is_light_enough_for_a_minute_on_two_cores(ran: dict[str, Any]) -> None:
    assert ran["cpu_seconds"] < 120, (
        "40 s of processor time when written; a clock on the wall would measure the neighbours"
    )
