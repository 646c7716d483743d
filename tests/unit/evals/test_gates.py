"""Tests of gates and of the formats of a report."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from io import StringIO

from rich.console import Console

from patternmind.evals.baselines import Baseline
from patternmind.evals.gates import Score, apply_gates
from patternmind.evals.report import EvalReport, MetricResult, ScoreDirection, ScoreUnit

HIGHER = Score("themes", "sample", "AMI", 0.61, unit=ScoreUnit.SCORE, note="88 cases")
LOWER = replace(HIGHER, eval="redaction", name="names left", direction=ScoreDirection.LOWER)


def make_baseline(value: float, gate: float | None, noise: float = 0.02) -> Baseline:
    return Baseline(value=value, noise=noise, gate=gate, modes=("ci",))


def verdict_of(score: Score, baseline: Baseline | None = None) -> str:
    (result,) = apply_gates([score], {score.key: baseline} if baseline else {})
    return result.verdict


def test_gate_passes_a_figure_at_its_value_and_fails_one_below() -> None:
    assert verdict_of(HIGHER, make_baseline(0.63, 0.61)) == "ok"
    assert verdict_of(HIGHER, make_baseline(0.63, 0.6101)) == "FAILED"


def test_gate_fails_a_higher_figure_when_lower_is_better() -> None:
    assert verdict_of(replace(LOWER, value=0.02), make_baseline(0.01, 0.03)) == "ok"
    assert verdict_of(replace(LOWER, value=0.04), make_baseline(0.01, 0.03)) == "FAILED"


def test_limit_applies_whatever_the_baseline_is() -> None:
    limited = replace(HIGHER, value=0.76, limit=0.77)
    assert verdict_of(limited) == "FAILED"
    assert verdict_of(limited, make_baseline(0.70, 0.68)) == "FAILED"
    assert verdict_of(replace(limited, value=0.78), make_baseline(0.80, 0.79)) == "FAILED"
    assert verdict_of(replace(limited, value=0.79), make_baseline(0.80, 0.79)) == "ok"


def test_untracked_figure_is_not_compared_with_its_baseline() -> None:
    share = replace(LOWER, name="outlier share", value=0.4, limit=0.5, is_tracked=False)
    assert verdict_of(share, make_baseline(0.1, 0.12)) == "ok"
    assert verdict_of(replace(share, value=0.51), make_baseline(0.1, 0.12)) == "FAILED"


def test_new_or_reported_only_figure_does_not_fail() -> None:
    assert verdict_of(HIGHER) == "no baseline"
    assert verdict_of(replace(HIGHER, direction=ScoreDirection.NONE, limit=0.9), make_baseline(0.9, None)) == "reported"


def test_gate_passes_a_value_equal_to_its_rounded_baseline() -> None:
    assert verdict_of(replace(HIGHER, value=2 / 3), make_baseline(0.6667, 0.6667, noise=0)) == "ok"


def test_expected_figure_fails_when_it_was_not_measured() -> None:
    baselines = {HIGHER.key: make_baseline(0.6, 0.58), "grounding/sample/quotes": make_baseline(1, 1)}
    results = apply_gates([HIGHER], baselines, expected=list(baselines))
    assert [(result.key, result.verdict) for result in results] == [
        ("themes/sample/AMI", "ok"),
        ("grounding/sample/quotes", "MISSING"),
    ]


def make_report(*results: MetricResult) -> EvalReport:
    return EvalReport(suite="ci", encoder="hashing/1", results=results, seconds=1.5)


def failing_report() -> EvalReport:
    baselines = {HIGHER.key: make_baseline(0.7, 0.68), "naming/sample/<distinct> & short": make_baseline(1, 1)}
    reported_only = replace(HIGHER, name="ARI", direction=ScoreDirection.NONE)
    return make_report(*apply_gates([HIGHER, reported_only, LOWER], baselines, expected=list(baselines)))


def test_junit_is_well_formed_and_explains_every_failure() -> None:
    root = ET.fromstring(failing_report().to_junit())  # noqa: S314 - written by the code under test
    assert (root.get("tests"), root.get("failures")) == ("4", "2")
    assert [suite.get("name") for suite in root] == ["themes", "naming", "redaction"]
    assert [failure.get("message") for failure in root.iter("failure")] == [
        "themes/sample/AMI is 0.610, but its gate is at least 0.680 (88 cases).",
        "naming/sample/<distinct> & short is in the baselines but was not measured.",
    ]


def test_report_to_dict_is_valid_json_and_lists_failures() -> None:
    record = json.loads(json.dumps(failing_report().to_dict()))
    assert record["ok"] is False
    assert record["failed"] == ["themes/sample/AMI", "naming/sample/<distinct> & short"]
    assert record["figures"][0] == {
        "key": "themes/sample/AMI",
        "eval": "themes",
        "measured_on": "sample",
        "name": "AMI",
        "value": 0.61,
        "direction": "higher is better",
        "unit": "score",
        "ok": False,
        "baseline": 0.7,
        "noise": 0.02,
        "gate": 0.68,
        "note": "88 cases",
        "verdict": "FAILED",
    }


def test_report_table_shows_value_baseline_noise_gate_and_verdict_in_110_columns() -> None:
    out = StringIO()
    Console(file=out, width=110).print(failing_report().to_table())
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("suite ci: 4 figures, 2 FAILED")
    (line,) = [line for line in lines if "AMI (88" in line]
    assert line.split() == ["sample", "AMI", "(88", "cases)", "0.610", "0.700", "±0.020", "≥", "0.680", "FAILED"]
    assert max(map(len, lines)) <= 110


def test_report_is_ok_when_no_figure_failed() -> None:
    report = make_report(*apply_gates([HIGHER], {}))
    assert report.failed_results == ()
    assert report.to_dict()["ok"] is True


def test_report_lists_a_missing_figure_of_an_unknown_eval_last() -> None:
    baselines = {"speed/sample/seconds": make_baseline(1, 1), HIGHER.key: make_baseline(0.6, 0.6)}
    report = make_report(*apply_gates([HIGHER], baselines, expected=list(baselines)))
    assert [suite.get("name") for suite in ET.fromstring(report.to_junit())] == ["themes", "speed"]  # noqa: S314
    assert report.to_table().row_count > 0
