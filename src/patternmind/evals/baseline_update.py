"""Write the baselines anew from measurement: ``python -m patternmind.evals.baseline_update``. For people; CI never runs it.

A figure's value is that of seed 0, as CI measures it. Its noise is the spread over the seeds, each with vectors moved
by as much as another processor moves them; its gate is the value less the noise.
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
from patternmind.evals.suites import (
    SUITES,
    check_suite,
    eval_context,
    measure_suite,
    mode_of,
    modes_of,
)
from patternmind.ports import Encoder

DEFAULT_SEEDS = 5


def update_baselines(
    suite: str, corpora: Path | None, *, n_seeds: int, cache: Path | None = None
) -> dict[str, Baseline]:
    """Measure a suite with several seeds, and write what it reached and how far that moves.

    Args:
        cache: folder that keeps vectors from one call to the next; embedding takes most of the time.

    Raises:
        UsageError: no such suite, a folder that lacks a file, or fewer than two seeds.
    """
    check_suite(suite, corpora)
    if n_seeds < 2:
        raise UsageError("The noise is a spread over seeds; name two or more.")
    path = find_baselines()
    old = read_baselines(path) if path.exists() else {}
    with eval_context() as given:
        real = CachingEncoder(given.encoder, folder=cache)
        rounds = [_measure_seed(suite, corpora, real, seed) for seed in range(n_seeds)]
    new = {key: compute_baseline(key, rounds, mode_of(suite, score)) for key, score in rounds[0].items()}
    merged = merge_baselines(old, new, modes_of(suite, corpora))
    write_baselines(path, merged)
    _print_changes(old, new)
    return merged


def _measure_seed(suite: str, corpora: Path | None, base_encoder: CachingEncoder, seed: int) -> dict[str, Score]:
    sys.stderr.write(f"seed {seed}\n")
    encoder: Encoder = base_encoder if seed == 0 else PerturbedEncoder(base_encoder, seed=seed)

    def say(step: str, done: int, total: int) -> None:
        if step == "eval":
            sys.stderr.write(f"  {done} of {total} data sets\n")
            base_encoder.save()

    with eval_context(encoder=encoder, seed=seed, progress=say) as given:
        scores = measure_suite(suite, corpora, given)
    base_encoder.save()
    return {score.key: score for score in scores}


def compute_baseline(key: str, seed_scores: Sequence[Mapping[str, Score]], mode: str) -> Baseline:
    """The value of the first round, the spread over all, and the gate between what is worse and what is noise."""
    score = seed_scores[0][key]
    values = [round(one[key].value, ROUNDING_DIGITS) for one in seed_scores if key in one]
    noise = round(max(values) - min(values), ROUNDING_DIGITS)
    worse = {ScoreDirection.HIGHER: -noise, ScoreDirection.LOWER: noise, ScoreDirection.NONE: None}[score.direction]
    asked = worse is not None and score.is_tracked
    gate = round(values[0] + worse, ROUNDING_DIGITS) if asked and worse is not None else None
    return Baseline(value=values[0], noise=noise, gate=gate, modes=(mode,))


def _print_changes(old: Mapping[str, Baseline], new: Mapping[str, Baseline]) -> None:
    for key, one in sorted(new.items()):
        before = f"{old[key].value:.4f} -> " if key in old and old[key].value != one.value else ""
        sys.stderr.write(f"{key}: {before}{one.value:.4f} ±{one.noise:.4f}\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m patternmind.evals.baseline_update", description=__doc__)
    parser.add_argument("--suite", default="ci", help=f"one of: {', '.join(SUITES)}")
    parser.add_argument("--corpora", type=Path, help="folder of the real corpora")
    parser.add_argument("--seeds", type=int, default=DEFAULT_SEEDS, help="how many seeds the noise is taken over")
    parser.add_argument("--cache", type=Path, help="folder that keeps vectors between calls")
    asked = parser.parse_args()
    try:
        update_baselines(asked.suite, asked.corpora, n_seeds=asked.seeds, cache=asked.cache)
    except PatternmindError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
