"""Evaluation of the targets of the issue; a target without a result is not met."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.cells import CellResult
from bench.corpora import ARXIV_NAME, ARXIV_PAIRS, LABELLED_CORPORA
from bench.methods import BERTOPIC, EVOC, PATTERNMIND
from bench.outliers import INTENTS_PLANTED, STRANGERS_PLANTED
from bench.same import SHUFFLED
from bench.sizes import CORPORA as SIZE_CORPORA
from bench.sizes import SIZES, STRANGERS_VARIANT

Values = Mapping[str, Any]

MAX_OUTLIER_SHARE = 0.2
MAX_LARGEST_SHARE = 0.5
"""Largest share of rows in one theme, as in the quality gates of `patternmind.evals`."""

MIN_STABILITY = {
    "bills": (0.85, 10, 0.2),
    "lessons": (0.70, 8, 0.2),
    "complaints": (0.70, 10, 0.2),
    "banking77": (0.85, 39, 0.0),
}
"""Minimum stability, minimum k, and minimum lead over BERTopic's stability."""


@dataclass(frozen=True, slots=True)
class TargetResult:
    """Evaluated target; ``is_met`` is ``None`` if a required result is missing."""

    number: int
    requirement: str
    figure: str
    is_met: bool | None


class MeasuredValues:
    """Values of finished cells, by cell."""

    def __init__(self, results: Sequence[CellResult]) -> None:
        self._values: dict[tuple[str, str, str, int, str, int], Values] = {}
        for result in results:
            if result["status"] == "ok":
                cell = result["cell"]
                key = (cell["part"], cell["method"], cell["corpus"], cell["n"], cell["variant"], cell["threads"])
                self._values[key] = result["values"]

    def get(
        self, part: str, method: str, corpus: str, *, n: int = 0, variant: str = "", threads: int = 0
    ) -> Values | None:
        return self._values.get((part, method, corpus, n, variant, threads))

    def peer(self, method: str, corpus: str) -> Values | None:
        return self.get("peers", method, corpus, n=20_000 if corpus == ARXIV_NAME else 0)


def evaluate_targets(results: Sequence[CellResult]) -> list[TargetResult]:
    """Evaluate every target of the bench, in the order of the issue."""
    measured = MeasuredValues(results)
    parts = (
        _agreement_targets,
        _stability_targets,
        _size_targets,
        _outlier_targets,
        _strength_targets,
        _scale_targets,
        _million_row_target,
        _reproducibility_targets,
    )
    return [target for part in parts for target in part(measured)]


def _agreement_targets(measured: MeasuredValues) -> Iterator[TargetResult]:
    leads: list[float] = []
    for corpus in LABELLED_CORPORA:
        ours = measured.peer(PATTERNMIND, corpus)
        peers = [peer for peer in (measured.peer(name, corpus) for name in (BERTOPIC, EVOC)) if peer]
        if ours is None or len(peers) < 2:
            yield TargetResult(1, f"{corpus}: AMI against the peers", "", None)
            continue
        best, singles = (max(peer[name] for peer in peers) for name in ("AMI filled", "AMI"))
        leads.append(ours["AMI filled"] - best)
        yield TargetResult(
            1,
            f"{corpus}: AMI filled >= best peer - .01",
            f"{ours['AMI filled']:.3f}; best peer {best:.3f}",
            ours["AMI filled"] >= best - 0.01,
        )
        yield TargetResult(
            1, f"{corpus}: AMI above every peer", f"{ours['AMI']:.3f}; best peer {singles:.3f}", ours["AMI"] > singles
        )
    is_complete = len(leads) == len(LABELLED_CORPORA)
    mean = sum(leads) / len(leads) if is_complete else 0.0
    yield TargetResult(
        1,
        "AMI filled: mean lead over the best peer >= .03",
        f"{mean:+.3f}" if is_complete else "",
        _met_if(is_complete, mean >= 0.03),
    )
    shares = {
        corpus: values["outlier_share"]
        for corpus in (*LABELLED_CORPORA, "lessons")
        if (values := measured.peer(PATTERNMIND, corpus))
    }
    yield TargetResult(
        1,
        "at most 20 % outliers on each corpus",
        ", ".join(f"{corpus} {share:.0%}" for corpus, share in shares.items()),
        _met_if(len(shares) == len(LABELLED_CORPORA) + 1, all(share <= MAX_OUTLIER_SHARE for share in shares.values())),
    )


def _stability_targets(measured: MeasuredValues) -> Iterator[TargetResult]:
    for corpus, (min_stability, min_k, lead) in MIN_STABILITY.items():
        requirement = f"{corpus}: stability >= {min_stability}, k >= {min_k}, " + (
            f"at least {lead} above BERTopic" if lead else "above BERTopic"
        )
        ours, bertopic = measured.peer(PATTERNMIND, corpus), measured.peer(BERTOPIC, corpus)
        if ours is None or bertopic is None:
            yield TargetResult(2, requirement, "", None)
            continue
        value, other, k = ours["stability"], bertopic["stability"], min(ours["sample_k"])
        is_reached = value >= min_stability and min(ours["k"], k) >= min_k
        yield TargetResult(
            2,
            requirement,
            f"{value:.3f}, k {ours['k']} (samples {k}-{max(ours['sample_k'])}), BERTopic {other:.3f}",
            is_reached and (value >= other + lead if lead else value > other),
        )


def _size_targets(measured: MeasuredValues) -> Iterator[TargetResult]:
    values_by_cell = {
        (corpus, size): measured.get("sizes", PATTERNMIND, corpus, variant=str(size))
        for corpus in SIZE_CORPORA
        for size in SIZES
    }
    measured_values = {key: values for key, values in values_by_cell.items() if values is not None}
    is_complete = len(measured_values) == len(values_by_cell)
    checks = {
        "no theme holds more than half of the rows": {
            key: max(v["largest_share"]) <= MAX_LARGEST_SHARE for key, v in measured_values.items()
        },
        "at most n/4 themes": {key: max(v["k"]) <= v["n"] / 4 for key, v in measured_values.items()},
        "spread of k (max/min) <= 2": {key: max(v["k"]) <= 2 * min(v["k"]) for key, v in measured_values.items()},
    }
    for requirement, passed in checks.items():
        unmet = ", ".join(f"{corpus} {size}" for (corpus, size), is_met in passed.items() if not is_met)
        yield TargetResult(
            3,
            requirement,
            unmet or (f"{len(measured_values)} of {len(values_by_cell)} met" if measured_values else ""),
            _met_if(is_complete, not unmet),
        )
    strangers = measured.get("sizes", PATTERNMIND, ARXIV_NAME, n=20_000, variant=STRANGERS_VARIANT)
    requirement = "100 rows of 100 categories: >= 60 % outliers or every theme tentative"
    if strangers is None:
        yield TargetResult(3, requirement, "", None)
        return
    is_met = [
        share >= 0.6 or tentative
        for share, tentative in zip(strangers["outlier_share"], strangers["all_tentative"], strict=True)
    ]
    yield TargetResult(3, requirement, f"{sum(is_met)} of {len(is_met)} draws", all(is_met))


def _outlier_targets(measured: MeasuredValues) -> Iterator[TargetResult]:
    for corpus, variant, label, min_auroc, lead in (
        ("banking77", INTENTS_PLANTED, "rows of removed intents", 0.90, 0.02),
        ("lessons", STRANGERS_PLANTED, "rows of other corpora", 0.95, None),
    ):
        requirement = f"{label}: AUROC >= {min_auroc}" + (f", above the baseline by {lead}" if lead else "")
        values = measured.get("outliers", PATTERNMIND, corpus, variant=variant)
        if values is None:
            yield TargetResult(4, requirement, "", None)
            continue
        score, baseline = (sum(values[name]) / len(values[name]) for name in ("score", "baseline"))
        is_met = score >= min_auroc and (lead is None or score >= baseline + lead)
        yield TargetResult(4, requirement, f"{score:.3f}, baseline {baseline:.3f}", is_met)


def _strength_targets(measured: MeasuredValues) -> Iterator[TargetResult]:
    for corpus in SIZE_CORPORA:
        values = measured.get("strength", PATTERNMIND, corpus)
        error: float | None = values["calibration_error"] if values else None
        yield TargetResult(
            5, f"{corpus}: calibration error <= .08", _format_figure(error), None if error is None else error <= 0.08
        )
    for corpus in ("banking77", "bills"):
        values = measured.get("strength", PATTERNMIND, corpus)
        rank: float | None = values["label_ranking"] if values else None
        yield TargetResult(
            5,
            f"{corpus}: AUROC for the theme's majority label >= .65",
            _format_figure(rank),
            None if rank is None else rank >= 0.65,
        )


def _scale_targets(measured: MeasuredValues) -> Iterator[TargetResult]:
    for corpus, n, times in ((ARXIV_NAME, 100_000, 6), ("banking77", 0, 8)):
        ours, bertopic = (measured.get("scale", method, corpus, n=n) for method in (PATTERNMIND, BERTOPIC))
        requirement = f"{corpus}{f', {n:,} rows' if n else ''}: at least {times} times faster than BERTopic, warm"
        if ours is None or bertopic is None:
            yield TargetResult(8, requirement, "" if ours is None else f"{ours['warm_seconds']:.1f} s", None)
            continue
        own_seconds, bertopic_seconds = ours["warm_seconds"], bertopic["warm_seconds"]
        yield TargetResult(
            8,
            requirement,
            f"{own_seconds:.1f} s; BERTopic {bertopic_seconds:.1f} s ({bertopic_seconds / own_seconds:.1f} times)",
            bertopic_seconds >= times * own_seconds,
        )
    small, large = (measured.get("scale", PATTERNMIND, ARXIV_PAIRS, n=n) for n in (100_000, 300_000))
    yield TargetResult(
        8,
        "100,000 rows under 2.5 GB",
        f"{small['peak_gb']:.2f} GB" if small else "",
        None if small is None else small["peak_gb"] < 2.5,
    )
    is_complete = small is not None and large is not None
    ratio = large["warm_seconds"] / small["warm_seconds"] if small and large else 0.0
    yield TargetResult(
        8,
        "300,000 rows under 5 times the time of 100,000",
        f"{ratio:.1f} times" if is_complete else "",
        _met_if(is_complete, ratio < 5),
    )
    steps: Mapping[str, float] = small["steps"] if small else {}
    has_resampling = "resampling" in steps
    share = steps["resampling"] / steps["partition"] if has_resampling else 0.0
    yield TargetResult(
        8,
        "resampling at most 5 times the partition",
        f"{share:.1f} times" if has_resampling else "",
        _met_if(has_resampling, share <= 5),
    )
    placed = measured.get("place", PATTERNMIND, ARXIV_NAME, n=100_000)
    yield TargetResult(
        8,
        "place one new case among 100,000 in under 50 ms, embedding included",
        f"{placed['whole_ms']:.0f} ms (slowest {placed['slowest_ms']:.0f} ms)" if placed else "",
        placed["whole_ms"] < 50 if placed else None,
    )


def _million_row_target(measured: MeasuredValues) -> Iterator[TargetResult]:
    values = measured.get("scale", PATTERNMIND, ARXIV_PAIRS, n=1_000_000)
    requirement = "1,000,000 vectors with less than 12 GB; search recall >= .95"
    if values is None:
        yield TargetResult(9, requirement, "", None)
        return
    seconds, peak, recall = (values[name] for name in ("whole_seconds", "peak_gb", "search_recall"))
    yield TargetResult(
        9, requirement, f"{seconds:.0f} s, {peak:.1f} GB, recall {recall:.3f}", peak < 12 and recall >= 0.95
    )


def _reproducibility_targets(measured: MeasuredValues) -> Iterator[TargetResult]:
    for corpus in (*LABELLED_CORPORA, "lessons"):
        n = 20_000 if corpus == ARXIV_NAME else 0
        runs = [
            measured.get("same", PATTERNMIND, corpus, n=n, variant=variant, threads=threads)
            for threads, variant in ((1, ""), (2, ""), (2, SHUFFLED))
        ]
        digests = {run["labels_and_strengths"] for run in runs if run}
        is_complete = all(run is not None for run in runs)
        figure = ("identical" if len(digests) == 1 else f"{len(digests)} different results") if is_complete else ""
        yield TargetResult(
            10, f"{corpus}: 1 and 2 threads, shuffled: identical", figure, _met_if(is_complete, len(digests) == 1)
        )


def _format_figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _met_if(is_measured: bool, met: bool) -> bool | None:
    return met if is_measured else None
