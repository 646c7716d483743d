"""What makes a figure fail, and how a report tells of it."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from io import StringIO

from rich.console import Console

from patternmind.evals.baselines import Baseline
from patternmind.evals.gates import Score, apply_gates
from patternmind.evals.report import (
    EvalReport,
    MetricResult,
    ScoreDirection,
    ScoreUnit,
)

HIGHER = Score(eval="themes", dataset="sample", name="AMI", value=0.61, unit=ScoreUnit.SCORE, note="88 cases")
LOWER = replace(HIGHER, eval="redaction", name="names left", direction=ScoreDirection.LOWER)


def baseline(value: float, gate: float | None, noise: float = 0.02) -> Baseline:
    return Baseline(value=value, noise=noise, gate=gate, modes=("ci",))


def verdict(score: Score, before: Baseline | None = None) -> str:
    (figure,) = apply_gates([score], {score.key: before} if before else {})
    return figure.verdict


def test_a_figure_at_its_gate_holds_and_one_below_fails() -> None:
    assert verdict(HIGHER, baseline(0.63, 0.61)) == "ok"
    assert verdict(HIGHER, baseline(0.63, 0.6101)) == "FAILED"


def test_a_figure_that_is_better_lower_fails_above_its_gate() -> None:
    assert verdict(replace(LOWER, value=0.02), baseline(0.01, 0.03)) == "ok"
    assert verdict(replace(LOWER, value=0.04), baseline(0.01, 0.03)) == "FAILED"


def test_a_promise_is_asked_whatever_the_baseline_says() -> None:
    promised = replace(HIGHER, value=0.76, limit=0.77)
    assert verdict(promised) == "FAILED"
    assert verdict(promised, baseline(0.70, 0.68)) == "FAILED"
    assert verdict(replace(promised, value=0.78), baseline(0.80, 0.79)) == "FAILED"
    assert verdict(replace(promised, value=0.79), baseline(0.80, 0.79)) == "ok"


def test_a_bound_is_not_compared_with_its_baseline() -> None:
    share = replace(LOWER, name="outlier share", value=0.4, limit=0.5, is_tracked=False)
    assert verdict(share, baseline(0.1, 0.12)) == "ok"
    assert verdict(replace(share, value=0.51), baseline(0.1, 0.12)) == "FAILED"


def test_a_new_figure_and_one_that_is_only_told_do_not_fail() -> None:
    assert verdict(HIGHER) == "no baseline"
    assert verdict(replace(HIGHER, direction=ScoreDirection.NONE, limit=0.9), baseline(0.9, None)) == "reported"


def test_the_same_value_as_written_in_the_baselines_is_not_below_itself() -> None:
    assert verdict(replace(HIGHER, value=2 / 3), baseline(0.6667, 0.6667, noise=0)) == "ok"


def test_an_expected_figure_that_was_not_measured_fails() -> None:
    before = {HIGHER.key: baseline(0.6, 0.58), "grounding/sample/quotes": baseline(1, 1)}
    figures = apply_gates([HIGHER], before, expected=list(before))
    assert [(figure.key, figure.verdict) for figure in figures] == [
        ("themes/sample/AMI", "ok"),
        ("grounding/sample/quotes", "MISSING"),
    ]


def report(*figures: MetricResult) -> EvalReport:
    return EvalReport(suite="ci", encoder="hashing/1", results=figures, seconds=1.5)


def failing() -> EvalReport:
    before = {HIGHER.key: baseline(0.7, 0.68), "naming/sample/<distinct> & short": baseline(1, 1)}
    reported = replace(HIGHER, name="ARI", direction=ScoreDirection.NONE)
    return report(*apply_gates([HIGHER, reported, LOWER], before, expected=list(before)))


def test_junit_is_well_formed_and_every_failure_says_why() -> None:
    root = ET.fromstring(failing().to_junit())  # noqa: S314 - written by the code under test
    assert (root.get("tests"), root.get("failures")) == ("4", "2")
    assert [suite.get("name") for suite in root] == ["themes", "naming", "redaction"]
    assert [failure.get("message") for failure in root.iter("failure")] == [
        "themes/sample/AMI is 0.610, but its gate is at least 0.680 (88 cases).",
        "naming/sample/<distinct> & short is in the baselines but was not measured.",
    ]


def test_the_record_can_be_written_as_json_and_names_what_failed() -> None:
    record = json.loads(json.dumps(failing().to_dict()))
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


def test_the_table_shows_value_baseline_noise_gate_and_verdict_in_110_columns() -> None:
    out = StringIO()
    Console(file=out, width=110).print(failing().to_table())
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("suite ci: 4 figures, 2 FAILED")
    (line,) = [line for line in lines if "AMI (88" in line]
    assert line.split() == ["sample", "AMI", "(88", "cases)", "0.610", "0.700", "±0.020", "≥", "0.680", "FAILED"]
    assert max(map(len, lines)) <= 110


def test_a_report_in_which_nothing_failed_says_so() -> None:
    good = report(*apply_gates([HIGHER], {}))
    assert good.failed_results == ()
    assert good.to_dict()["ok"] is True


def test_an_expected_figure_of_an_eval_that_is_no_more_is_told_last() -> None:
    before = {"speed/sample/seconds": baseline(1, 1), HIGHER.key: baseline(0.6, 0.6)}
    told = report(*apply_gates([HIGHER], before, expected=list(before)))
    assert [suite.get("name") for suite in ET.fromstring(told.to_junit())] == ["themes", "speed"]  # noqa: S314
    assert told.to_table().row_count > 0
