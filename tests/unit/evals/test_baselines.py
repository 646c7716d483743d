"""Tests of the baselines file: reading, merging, writing, noise and gates."""

from dataclasses import replace
from pathlib import Path

import pytest

from patternmind.errors import UnreadableFile
from patternmind.evals.baseline_update import compute_baseline
from patternmind.evals.baselines import (
    Baseline,
    expected_keys,
    find_baselines,
    merge_baselines,
    read_baselines,
    write_baselines,
)
from patternmind.evals.gates import Score
from patternmind.evals.report import ScoreDirection


def make_baseline(*modes: str, value: float = 0.5) -> Baseline:
    return Baseline(value=value, noise=0.01, gate=value - 0.01, modes=modes)


def test_baselines_round_trip_with_one_figure_per_line(tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    baselines = {"themes/sample/AMI": make_baseline("ci", "full"), "themes/bills/AMI": make_baseline("full")}
    write_baselines(path, baselines)
    assert read_baselines(path) == baselines
    assert len(path.read_text().splitlines()) == 4


@pytest.mark.parametrize("content", ["", "[1]", '{"a": {"value": 1}}', '{"a": 3}', "\xff"])
def test_read_baselines_rejects_a_malformed_file_in_one_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "baselines.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(UnreadableFile, match=r"cannot be read\. Install patternmind again"):
        read_baselines(path)


def test_read_baselines_reads_the_file_of_the_repository() -> None:
    assert isinstance(read_baselines(find_baselines()), dict)


def test_expected_keys_depend_on_the_modes() -> None:
    baselines = {
        "a/b/c": make_baseline("ci", "full"),
        "a/b/d": make_baseline("ci+corpora"),
        "a/b/e": make_baseline("full"),
    }
    assert expected_keys(baselines, ["ci"]) == ["a/b/c"]
    assert expected_keys(baselines, ["ci", "ci+corpora"]) == ["a/b/c", "a/b/d"]
    assert expected_keys(baselines, ["full"]) == ["a/b/c", "a/b/e"]


def test_merge_baselines_preserves_figures_of_other_suites() -> None:
    old = {
        "both": make_baseline("ci", "full"),
        "gone": make_baseline("ci"),
        "gone here": make_baseline("ci", "full"),
        "other": make_baseline("full"),
    }
    new = {"both": make_baseline("ci", value=0.6), "fresh": make_baseline("ci")}
    assert merge_baselines(old, new, ["ci"]) == {
        "both": make_baseline("ci", "full", value=0.6),
        "fresh": make_baseline("ci"),
        "gone here": make_baseline("full"),
        "other": make_baseline("full"),
    }


def make_seed_scores(direction: ScoreDirection, *values: float, tracked: bool = True) -> list[dict[str, Score]]:
    score = Score("themes", "sample", "AMI", 0, direction=direction, is_tracked=tracked)
    return [{"k": replace(score, value=value)} for value in values]


def test_compute_baseline_takes_noise_from_the_spread_and_moves_the_gate_by_it() -> None:
    higher = compute_baseline("k", make_seed_scores(ScoreDirection.HIGHER, 0.61, 0.63, 0.58), "ci")
    assert higher == Baseline(value=0.61, noise=0.05, gate=0.56, modes=("ci",))
    assert compute_baseline("k", make_seed_scores(ScoreDirection.LOWER, 0.1, 0.12), "ci").gate == 0.12
    assert compute_baseline("k", make_seed_scores(ScoreDirection.NONE, 0.1, 0.12), "ci").gate is None
    assert compute_baseline("k", make_seed_scores(ScoreDirection.LOWER, 0.1, 0.12, tracked=False), "ci").gate is None
