"""The file of what was reached before: read, merged, written, and how its noise and gates come about."""

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


def of(*modes: str, value: float = 0.5) -> Baseline:
    return Baseline(value=value, noise=0.01, gate=value - 0.01, modes=modes)


def test_what_is_written_is_read_back_one_figure_a_line(tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    baselines = {"themes/sample/AMI": of("ci", "full"), "themes/bills/AMI": of("full")}
    write_baselines(path, baselines)
    assert read_baselines(path) == baselines
    assert len(path.read_text().splitlines()) == 4


@pytest.mark.parametrize("content", ["", "[1]", '{"a": {"value": 1}}', '{"a": 3}', "\xff"])
def test_a_file_that_is_no_baselines_is_refused_in_one_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "baselines.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(UnreadableFile, match=r"cannot be read\. Install patternmind again"):
        read_baselines(path)


def test_the_repository_has_baselines_that_can_be_read() -> None:
    assert isinstance(read_baselines(find_baselines()), dict)


def test_each_way_of_measuring_expects_its_own_figures() -> None:
    baselines = {"a/b/c": of("ci", "full"), "a/b/d": of("ci+corpora"), "a/b/e": of("full")}
    assert expected_keys(baselines, ["ci"]) == ["a/b/c"]
    assert expected_keys(baselines, ["ci", "ci+corpora"]) == ["a/b/c", "a/b/d"]
    assert expected_keys(baselines, ["full"]) == ["a/b/c", "a/b/e"]


def test_measuring_one_suite_anew_leaves_what_only_others_measure() -> None:
    old = {"both": of("ci", "full"), "gone": of("ci"), "gone here": of("ci", "full"), "other": of("full")}
    new = {"both": of("ci", value=0.6), "fresh": of("ci")}
    assert merge_baselines(old, new, ["ci"]) == {
        "both": of("ci", "full", value=0.6),
        "fresh": of("ci"),
        "gone here": of("full"),
        "other": of("full"),
    }


def rounds(direction: ScoreDirection, *values: float, tracked: bool = True) -> list[dict[str, Score]]:
    score = Score(eval="themes", dataset="sample", name="AMI", value=0, direction=direction, is_tracked=tracked)
    return [{"k": replace(score, value=value)} for value in values]


def test_noise_is_the_spread_over_seeds_and_the_gate_lies_that_much_to_the_worse() -> None:
    higher = compute_baseline("k", rounds(ScoreDirection.HIGHER, 0.61, 0.63, 0.58), "ci")
    assert higher == Baseline(value=0.61, noise=0.05, gate=0.56, modes=("ci",))
    assert compute_baseline("k", rounds(ScoreDirection.LOWER, 0.1, 0.12), "ci").gate == 0.12
    assert compute_baseline("k", rounds(ScoreDirection.NONE, 0.1, 0.12), "ci").gate is None
    assert compute_baseline("k", rounds(ScoreDirection.LOWER, 0.1, 0.12, tracked=False), "ci").gate is None
