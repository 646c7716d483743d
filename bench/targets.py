"""The targets of the issue, each judged on the lines that bear on it. What was not measured is not met, and says so."""

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
"""A theme that holds more than half of the rows, as in evals/themes.py."""

MIN_STABILITY = {
    "bills": (0.85, 10, 0.2),
    "lessons": (0.70, 8, 0.2),
    "complaints": (0.70, 10, 0.2),
    "banking77": (0.85, 39, 0.0),
}
"""Least stability, least k, and how far above BERTopic's."""


@dataclass(frozen=True, slots=True)
class TargetResult:
    """``met`` is ``None`` where a line that it needs is missing."""

    number: int
    requirement: str
    figure: str
    is_met: bool | None


class MeasuredValues:
    """The values of finished cells by what they are of."""

    def __init__(self, lines: Sequence[CellResult]) -> None:
        self._values: dict[tuple[str, str, str, int, str, int], Values] = {}
        for line in lines:
            if line["status"] == "ok":
                cell = line["cell"]
                key = (cell["part"], cell["method"], cell["corpus"], cell["n"], cell["variant"], cell["threads"])
                self._values[key] = line["values"]

    def get(
        self, part: str, method: str, corpus: str, *, n: int = 0, variant: str = "", threads: int = 0
    ) -> Values | None:
        return self._values.get((part, method, corpus, n, variant, threads))

    def peer(self, method: str, corpus: str) -> Values | None:
        return self.get("peers", method, corpus, n=20_000 if corpus == ARXIV_NAME else 0)


def evaluate_targets(results: Sequence[CellResult]) -> list[TargetResult]:
    """Every target that the bench measures, in the order of the issue."""
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
    ahead: list[float] = []
    for corpus in LABELLED_CORPORA:
        ours = measured.peer(PATTERNMIND, corpus)
        peers = [one for one in (measured.peer(name, corpus) for name in (BERTOPIC, EVOC)) if one]
        if ours is None or len(peers) < 2:
            yield TargetResult(1, f"{corpus}: AMI against the peers", "", None)
            continue
        best, singles = (max(one[name] for one in peers) for name in ("AMI filled", "AMI"))
        ahead.append(ours["AMI filled"] - best)
        yield TargetResult(
            1,
            f"{corpus}: AMI filled >= best peer - .01",
            f"{ours['AMI filled']:.3f} against {best:.3f}",
            ours["AMI filled"] >= best - 0.01,
        )
        yield TargetResult(1, f"{corpus}: AMI ahead", f"{ours['AMI']:.3f} against {singles:.3f}", ours["AMI"] > singles)
    whole = len(ahead) == len(LABELLED_CORPORA)
    mean = sum(ahead) / len(ahead) if whole else 0.0
    yield TargetResult(
        1,
        "AMI filled, mean ahead of the best peer >= .03",
        f"{mean:+.3f}" if whole else "",
        _met_if(whole, mean >= 0.03),
    )
    shares = {
        corpus: found["outlier_share"]
        for corpus in (*LABELLED_CORPORA, "lessons")
        if (found := measured.peer(PATTERNMIND, corpus))
    }
    yield TargetResult(
        1,
        "at most 20 % outliers on each corpus",
        ", ".join(f"{corpus} {share:.0%}" for corpus, share in shares.items()),
        _met_if(len(shares) == len(LABELLED_CORPORA) + 1, all(share <= MAX_OUTLIER_SHARE for share in shares.values())),
    )


def _stability_targets(measured: MeasuredValues) -> Iterator[TargetResult]:
    for corpus, (least, least_k, above) in MIN_STABILITY.items():
        asked = f"{corpus}: stability >= {least}, k >= {least_k}, BERTopic's + {above} or more"
        ours, theirs = measured.peer(PATTERNMIND, corpus), measured.peer(BERTOPIC, corpus)
        if ours is None or theirs is None:
            yield TargetResult(2, asked, "", None)
            continue
        value, other, k = ours["stability"], theirs["stability"], min(ours["sample_k"])
        reached = value >= least and min(ours["k"], k) >= least_k
        yield TargetResult(
            2,
            asked,
            f"{value:.3f}, k {ours['k']} (samples {k}-{max(ours['sample_k'])}), BERTopic {other:.3f}",
            reached and (value >= other + above if above else value > other),
        )


def _size_targets(measured: MeasuredValues) -> Iterator[TargetResult]:
    found = {
        (corpus, size): measured.get("sizes", PATTERNMIND, corpus, variant=str(size))
        for corpus in SIZE_CORPORA
        for size in SIZES
    }
    known = {key: values for key, values in found.items() if values is not None}
    whole = len(known) == len(found)
    checks = {
        "never one blob (no theme above half)": {
            key: max(v["largest_share"]) <= MAX_LARGEST_SHARE for key, v in known.items()
        },
        "never over n/4 themes": {key: max(v["k"]) <= v["n"] / 4 for key, v in known.items()},
        "spread of k (max/min) <= 2": {key: max(v["k"]) <= 2 * min(v["k"]) for key, v in known.items()},
    }
    for asked, passed in checks.items():
        broken = ", ".join(f"{corpus} {size}" for (corpus, size), held in passed.items() if not held)
        yield TargetResult(
            3, asked, broken or (f"{len(known)} of {len(found)} hold" if known else ""), _met_if(whole, not broken)
        )
    strangers = measured.get("sizes", PATTERNMIND, ARXIV_NAME, n=20_000, variant=STRANGERS_VARIANT)
    asked = "100 rows of 100 categories: >= 60 % outliers or every theme tentative"
    if strangers is None:
        yield TargetResult(3, asked, "", None)
        return
    held = [
        share >= 0.6 or tentative
        for share, tentative in zip(strangers["outlier_share"], strangers["all_tentative"], strict=True)
    ]
    yield TargetResult(3, asked, f"{sum(held)} of {len(held)} draws", all(held))


def _outlier_targets(measured: MeasuredValues) -> Iterator[TargetResult]:
    for corpus, variant, least, above in (
        ("banking77", INTENTS_PLANTED, 0.90, 0.02),
        ("lessons", STRANGERS_PLANTED, 0.95, None),
    ):
        asked = f"{variant}: AUROC >= {least}" + (f", above the baseline by {above}" if above else "")
        values = measured.get("outliers", PATTERNMIND, corpus, variant=variant)
        if values is None:
            yield TargetResult(4, asked, "", None)
            continue
        score, base = (sum(values[name]) / len(values[name]) for name in ("score", "baseline"))
        met = score >= least and (above is None or score >= base + above)
        yield TargetResult(4, asked, f"{score:.3f}, baseline {base:.3f}", met)


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
            f"{corpus}: AUROC of having its theme's majority label >= .65",
            _format_figure(rank),
            None if rank is None else rank >= 0.65,
        )


def _scale_targets(measured: MeasuredValues) -> Iterator[TargetResult]:
    for corpus, n, times in ((ARXIV_NAME, 100_000, 6), ("banking77", 0, 8)):
        ours, theirs = (measured.get("scale", method, corpus, n=n) for method in (PATTERNMIND, BERTOPIC))
        asked = f"{corpus}{f', {n:,} rows' if n else ''}: at least {times} times faster than BERTopic, warm"
        if ours is None or theirs is None:
            yield TargetResult(8, asked, "" if ours is None else f"{ours['warm_seconds']:.1f} s", None)
            continue
        mine, other = ours["warm_seconds"], theirs["warm_seconds"]
        yield TargetResult(
            8, asked, f"{mine:.1f} s against {other:.1f} s: {other / mine:.1f} times", other >= times * mine
        )
    small, large = (measured.get("scale", PATTERNMIND, ARXIV_PAIRS, n=n) for n in (100_000, 300_000))
    yield TargetResult(
        8,
        "100,000 rows under 2.5 GB",
        f"{small['peak_gb']:.2f} GB" if small else "",
        None if small is None else small["peak_gb"] < 2.5,
    )
    both = small is not None and large is not None
    ratio = large["warm_seconds"] / small["warm_seconds"] if small and large else 0.0
    yield TargetResult(
        8,
        "300,000 rows under 5 times the time of 100,000",
        f"{ratio:.1f} times" if both else "",
        _met_if(both, ratio < 5),
    )
    steps: Mapping[str, float] = small["steps"] if small else {}
    told = "resampling" in steps
    share = steps["resampling"] / steps["partition"] if told else 0.0
    yield TargetResult(
        8, "resampling at most 5 times the partition", f"{share:.1f} times" if told else "", _met_if(told, share <= 5)
    )
    placed = measured.get("place", PATTERNMIND, ARXIV_NAME, n=100_000)
    yield TargetResult(
        8,
        "one more case placed among 100,000 in under 50 ms, its embedding included",
        f"{placed['whole_ms']:.0f} ms, the slowest {placed['slowest_ms']:.0f}" if placed else "",
        placed["whole_ms"] < 50 if placed else None,
    )


def _million_row_target(measured: MeasuredValues) -> Iterator[TargetResult]:
    values = measured.get("scale", PATTERNMIND, ARXIV_PAIRS, n=1_000_000)
    asked = "1,000,000 vectors finish under 12 GB; search recall >= .95"
    if values is None:
        yield TargetResult(9, asked, "", None)
        return
    seconds, peak, recall = (values[name] for name in ("whole_seconds", "peak_gb", "search_recall"))
    yield TargetResult(9, asked, f"{seconds:.0f} s, {peak:.1f} GB, recall {recall:.3f}", peak < 12 and recall >= 0.95)


def _reproducibility_targets(measured: MeasuredValues) -> Iterator[TargetResult]:
    for corpus in (*LABELLED_CORPORA, "lessons"):
        n = 20_000 if corpus == ARXIV_NAME else 0
        runs = [
            measured.get("same", PATTERNMIND, corpus, n=n, variant=variant, threads=threads)
            for threads, variant in ((1, ""), (2, ""), (2, SHUFFLED))
        ]
        digests = {run["labels_and_strengths"] for run in runs if run}
        whole = all(run is not None for run in runs)
        found = ("identical" if len(digests) == 1 else f"{len(digests)} different answers") if whole else ""
        yield TargetResult(
            10, f"{corpus}: 1 and 2 threads, shuffled: identical", found, _met_if(whole, len(digests) == 1)
        )


def _format_figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _met_if(is_measured: bool, met: bool) -> bool | None:
    return met if is_measured else None
