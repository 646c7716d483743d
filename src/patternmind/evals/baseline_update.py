"""Measure a suite and write its baselines: ``python -m patternmind.evals.baseline_update``.

Run it by hand; CI never runs it. The value of a figure is that of seed 0, as CI measures it. Its noise is the spread
over the seeds: each further seed moves the vectors by as much as another processor moves them. Its gate is the value
minus the noise.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from patternmind.errors import PatternmindError, UsageError
from patternmind.evals.baselines import Baseline, find_baselines, merge_baselines, read_baselines, write_baselines
from patternmind.evals.gates import ROUNDING_DIGITS, Score
from patternmind.evals.report import ScoreDirection
from patternmind.evals.steps.encoders import CachingEncoder, PerturbedEncoder
from patternmind.evals.suites import SUITES, check_suite, eval_context, measure_suite, mode_of, modes_of
from patternmind.ports import Encoder

DEFAULT_SEEDS = 5


def update_baselines(
    suite: str, corpora: Path | None, *, n_seeds: int, cache: Path | None = None
) -> dict[str, Baseline]:
    """Measure a suite with several seeds and write each value with its spread.

    Args:
        cache: folder that stores vectors between calls; embedding takes most of the time.

    Raises:
        UsageError: The suite is unknown, the folder lacks a file, or there are fewer than two seeds.
    """
    check_suite(suite, corpora)
    if n_seeds < 2:
        raise UsageError("Noise is measured over several seeds. Set --seeds to two or more.")
    path = find_baselines()
    old = read_baselines(path) if path.exists() else {}
    with eval_context() as context:
        encoder = CachingEncoder(context.encoder, folder=cache)
        seed_scores = [_measure_seed(suite, corpora, encoder, seed) for seed in range(n_seeds)]
    new = {key: compute_baseline(key, seed_scores, mode_of(suite, score)) for key, score in seed_scores[0].items()}
    merged = merge_baselines(old, new, modes_of(suite, corpora))
    write_baselines(path, merged)
    _print_changes(old, new)
    return merged


def _measure_seed(suite: str, corpora: Path | None, base_encoder: CachingEncoder, seed: int) -> dict[str, Score]:
    sys.stderr.write(f"seed {seed}\n")
    encoder: Encoder = base_encoder if seed == 0 else PerturbedEncoder(base_encoder, seed=seed)

    def report_progress(step: str, done: int, total: int) -> None:
        if step == "eval":
            sys.stderr.write(f"  {done} of {total} data sets\n")
            base_encoder.save()

    with eval_context(encoder=encoder, seed=seed, progress=report_progress) as context:
        scores = measure_suite(suite, corpora, context)
    base_encoder.save()
    return {score.key: score for score in scores}


def compute_baseline(key: str, seed_scores: Sequence[Mapping[str, Score]], mode: str) -> Baseline:
    """Return the value of the first seed, the spread over all seeds, and the gate."""
    score = seed_scores[0][key]
    values = [round(scores[key].value, ROUNDING_DIGITS) for scores in seed_scores if key in scores]
    noise = round(max(values) - min(values), ROUNDING_DIGITS)
    margin = {ScoreDirection.HIGHER: -noise, ScoreDirection.LOWER: noise, ScoreDirection.NONE: None}[score.direction]
    gate = round(values[0] + margin, ROUNDING_DIGITS) if margin is not None and score.is_tracked else None
    return Baseline(value=values[0], noise=noise, gate=gate, modes=(mode,))


def _print_changes(old: Mapping[str, Baseline], new: Mapping[str, Baseline]) -> None:
    for key, baseline in sorted(new.items()):
        before = f"{old[key].value:.4f} -> " if key in old and old[key].value != baseline.value else ""
        sys.stderr.write(f"{key}: {before}{baseline.value:.4f} ±{baseline.noise:.4f}\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m patternmind.evals.baseline_update", description=__doc__)
    parser.add_argument("--suite", default="ci", help=f"one of: {', '.join(SUITES)}")
    parser.add_argument("--corpora", type=Path, help="folder of the real corpora")
    parser.add_argument("--seeds", type=int, default=DEFAULT_SEEDS, help="number of seeds for the noise")
    parser.add_argument("--cache", type=Path, help="folder that stores vectors between calls")
    args = parser.parse_args()
    try:
        update_baselines(args.suite, args.corpora, n_seeds=args.seeds, cache=args.cache)
    except PatternmindError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
