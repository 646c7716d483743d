"""Tests of suites: their requirements, and the exit code after a regression."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from patternmind import cli
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import UsageError
from patternmind.evals import suites
from patternmind.evals.baseline_update import update_baselines
from patternmind.evals.baselines import Baseline, write_baselines
from patternmind.evals.datasets.corpora import CORPORA, PII_FILE
from patternmind.evals.gates import Score
from patternmind.evals.steps.encoders import CachingEncoder, PerturbedEncoder
from patternmind.evals.steps.network_runs import EvalContext
from patternmind.evals.suites import check_suite, mode_of, modes_of, run_suite

SCORE = Score("themes", "sample", "AMI", 0.5)


def test_run_suite_rejects_an_unknown_suite_before_measuring() -> None:
    with pytest.raises(UsageError, match=r'Unknown suite "nightly"\. Choose one of: ci, full\.'):
        run_suite("nightly", corpora=None)


def test_full_suite_requires_the_real_corpora() -> None:
    with pytest.raises(UsageError, match=r"Name their folder with --corpora\."):
        run_suite("full", corpora=None)


def test_run_suite_names_a_missing_corpora_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Folder .*nowhere not found"):
        run_suite("ci", corpora=tmp_path / "nowhere")


def test_check_suite_lists_the_missing_corpora_files(tmp_path: Path) -> None:
    for corpus in CORPORA[1:]:
        (tmp_path / corpus.file).touch()
    with pytest.raises(UsageError, match=rf"lacks banking77\.jsonl\.gz, {PII_FILE}\. Name the folder"):
        check_suite("ci", tmp_path)


def test_modes_include_sample_figures_with_and_without_corpora(tmp_path: Path) -> None:
    assert modes_of("ci", None) == ["ci"]
    assert modes_of("ci", tmp_path) == ["ci", "ci+corpora"]
    assert modes_of("full", tmp_path) == ["full"]
    on_bills = Score("themes", "bills", "AMI", 0.4)
    assert [mode_of("ci", SCORE), mode_of("ci", on_bills), mode_of("full", on_bills)] == ["ci", "ci+corpora", "full"]


@pytest.fixture
def run_eval(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Run `patternmind eval` with a baseline of .9 for one figure.

    The suite measures ``SCORE`` only.
    """

    def run(key: str) -> None:
        write_baselines(tmp_path / "b.json", {key: Baseline(value=0.9, noise=0.01, gate=0.89, modes=("ci",))})
        monkeypatch.setattr(suites, "find_baselines", lambda: tmp_path / "b.json")
        monkeypatch.setattr(suites, "measure_suite", measure_one_score)
        monkeypatch.setattr(suites, "eval_context", partial(suites.eval_context, encoder=HashingEncoder()))
        monkeypatch.setattr("sys.argv", ["patternmind", "eval", "--json", "--junit", str(tmp_path / "junit.xml")])
        cli.main()

    return run


def measure_one_score(suite: str, corpora: Path | None, context: EvalContext) -> list[Score]:
    return [SCORE]


def test_eval_command_exits_with_code_3_after_a_regression(
    run_eval: Callable[[str], None], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        run_eval(SCORE.key)
    out, err = capfd.readouterr()
    assert exit_info.value.code == 3
    assert json.loads(out)["failed"] == ["themes/sample/AMI"]
    assert "1 of 1 figures fell below their gates." in err
    assert 'failures="1"' in (tmp_path / "junit.xml").read_text()


def test_eval_command_exits_with_code_3_when_a_figure_is_missing(
    run_eval: Callable[[str], None], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        run_eval("grounding/sample/quotes")
    assert exit_info.value.code == 3
    verdicts = {figure["key"]: figure["verdict"] for figure in json.loads(capfd.readouterr().out)["figures"]}
    assert verdicts == {"themes/sample/AMI": "no baseline", "grounding/sample/quotes": "MISSING"}


def test_update_baselines_rejects_a_single_seed() -> None:
    with pytest.raises(UsageError, match="two or more"):
        update_baselines("ci", None, n_seeds=1)


def test_caching_encoder_embeds_a_text_once_even_across_instances_with_a_folder(tmp_path: Path) -> None:
    inner = HashingEncoder()
    first = CachingEncoder(inner, folder=tmp_path)
    rows = first.encode(["a late part", "no call", "a late part"])
    first.encode(["no call"])
    first.save()
    assert inner.n_encoded == 2
    second = CachingEncoder(inner, folder=tmp_path)
    assert second.encode(["no call"])[0].tolist() == rows[1].tolist()
    assert inner.n_encoded == 2


def test_perturbed_encoder_moves_vectors_slightly_and_repeatably() -> None:
    exact = HashingEncoder()
    perturbed = PerturbedEncoder(exact, seed=1)
    texts = ["a late part", "no call"]
    moved = perturbed.encode(texts)
    cosine = (moved * exact.encode(texts)).sum(axis=1)
    assert ((cosine > 0.9998) & (cosine < 1)).all()
    assert perturbed.encode(texts[::-1])[::-1].tolist() == moved.tolist()
    assert PerturbedEncoder(exact, seed=2).encode(texts).tolist() != moved.tolist()
