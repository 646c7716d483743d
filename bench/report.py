"""Report of the bench: docs/bench.md and docs/bench.svg, with targets first and then all figures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.cells import CellResult
from bench.corpora import LABELLED_CORPORA
from bench.methods import METHODS
from bench.plot import draw_quality_against_time
from bench.targets import TargetResult, Values, evaluate_targets

PEER_COLUMNS: Mapping[str, Callable[[Values], str]] = {
    "k": lambda v: f"{v['k']}",
    "outliers": lambda v: f"{v['outlier_share']:.0%}",
    "AMI": lambda v: _format_score(v, "AMI"),
    "filled": lambda v: _format_score(v, "AMI filled"),
    "ARI": lambda v: _format_score(v, "ARI"),
    "filled ": lambda v: _format_score(v, "ARI filled"),
    "V": lambda v: _format_score(v, "V"),
    "filled  ": lambda v: _format_score(v, "V filled"),
    "stability": lambda v: _format_score(v, "stability"),
    "k of samples": lambda v: f"{min(v['sample_k'])}-{max(v['sample_k'])}" if v.get("sample_k") else "",
    "cold s": lambda v: f"{v['cold_seconds']:.1f}",
    "warm s": lambda v: f"{v['warm_seconds']:.2f}",
    "steps s": lambda v: _format_steps(v["steps"]),
    "GB": lambda v: f"{v['peak_gb']:.2f}",
}

INTRO = """\
# Bench

`python -m bench report` generates this file from the results of `make bench`; do not edit it. Every cell ran in its own
process on the same vectors (all-MiniLM-L6-v2 by our encoder). Peers run at their defaults, unseeded where that is the
default. Their figures differ a little between runs, and times depend on the load of the machine.

- **AMI, ARI, V**: agreement with people's labels, with each outlier as a cluster of its own. **Filled**: each outlier
  is assigned to the nearest centroid by cosine, by the same rule for all methods.
- **Stability**: mean pairwise ARI between fits on ten random 80 % samples, over the rows both saw, with outliers as
  singletons.
- **Cold**: from the start of a fresh process to the end of the first fit, including imports and compilation, without
  reading the vectors. **Warm**: the second fit in that process, vectors in, labels out (at scale ours warms up on 1,000
  rows). For BERTopic this is UMAP and HDBSCAN alone; the column "steps s" has its whole fit. For ours it is search and
  partition; resampling is listed separately where it is a step of its own.
- **GB**: peak memory of the process, vectors included.
"""


def write_report(results: Sequence[CellResult], folder: Path) -> None:
    """Write bench.md and bench.svg; targets without a result are listed as not measured."""
    folder.mkdir(parents=True, exist_ok=True)
    measured = [result for result in results if not _is_trial(result)]
    text = "\n".join(
        [
            INTRO,
            *_describe_machines(measured),
            "",
            "## Targets",
            "",
            *_target_table(evaluate_targets(measured)),
            "",
            *_part_sections(measured),
        ]
    )
    (folder / "bench.md").write_text(text.rstrip() + "\n", encoding="utf-8")
    draw_quality_against_time(measured, folder / "bench.svg")


def _is_trial(result: CellResult) -> bool:
    """Return True for a trial with ``--rows``: a whole corpus has no row count."""
    cell = result["cell"]
    full_sizes = {"arxiv": {0, 20_000, 100_000}, "arxiv pairs": {100_000, 300_000, 1_000_000}}
    return cell["n"] not in full_sizes.get(cell["corpus"], {0})


def _describe_machines(results: Sequence[CellResult]) -> list[str]:
    machines = sorted({result["fingerprint"]["machine"] for result in results})
    days = sorted(result["at"][:10] for result in results)
    versions = {
        name: version
        for result in results
        for name, version in result["fingerprint"].items()
        if name != "machine" and not name.startswith("vectors of")
    }
    lines = [f"Machine: {machine}." for machine in machines]
    if days:
        lines.append(f"Measured {days[0]}{'' if days[0] == days[-1] else ' to ' + days[-1]}.")
    return [
        *lines,
        "",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in sorted(versions.items())) + ".",
    ]


def _target_table(targets: Sequence[TargetResult]) -> list[str]:
    verdicts = {True: "met", False: "**not met**", None: "not measured"}
    rows = [(str(target.number), target.requirement, target.figure, verdicts[target.is_met]) for target in targets]
    return _format_table(("target", "required", "measured", "verdict"), rows)


def _part_sections(results: Sequence[CellResult]) -> list[str]:
    lines: list[str] = []
    for corpus in (*LABELLED_CORPORA, "lessons"):
        corpus_results = _select_results(results, "peers", corpus)
        if corpus_results:
            lines += [
                f"## {corpus}{'' if corpus != 'arxiv' else ', 20,000 rows'}",
                "",
                *_peer_table(corpus_results),
                "",
            ]
    if any(result["cell"]["part"] == "peers" for result in results):
        lines += ["![Quality against time](bench.svg)", ""]
    lines += _section("Small networks (ten samples each)", _select_results(results, "sizes"), _size_row, SIZE_HEADINGS)
    lines += _section(
        "Planted strangers (ten draws)", _select_results(results, "outliers"), _outlier_row, OUTLIER_HEADINGS
    )
    lines += _section("Strength", _select_results(results, "strength"), _strength_row, STRENGTH_HEADINGS)
    lines += _section("Scale", _select_results(results, "scale"), _scale_row, SCALE_HEADINGS)
    return lines + _section("Reproducibility", _select_results(results, "same"), _same_row, SAME_HEADINGS)


def _select_results(results: Iterable[CellResult], part: str, corpus: str | None = None) -> list[CellResult]:
    order = list(METHODS)
    selected = [
        result for result in results if result["cell"]["part"] == part and corpus in {None, result["cell"]["corpus"]}
    ]
    return sorted(
        selected,
        key=lambda result: (
            result["cell"]["corpus"] if corpus is None else "",
            result["cell"]["n"],
            order.index(result["cell"]["method"]),
            result["cell"]["variant"].zfill(5),
            result["cell"]["threads"],
        ),
    )


def _peer_table(results: Sequence[CellResult]) -> list[str]:
    columns = PEER_COLUMNS if any("AMI" in result["values"] for result in results) else _without_labels()
    rows = [
        (_method_label(result), *_result_columns(result, lambda v: [column(v) for column in columns.values()]))
        for result in results
    ]
    return _format_table(("", *columns), rows)


def _without_labels() -> Mapping[str, Callable[[Values], str]]:
    return {name: column for name, column in PEER_COLUMNS.items() if name.strip() not in {"AMI", "ARI", "V", "filled"}}


def _method_label(result: CellResult) -> str:
    return f"{result['cell']['method']} ({METHODS[result['cell']['method']].description})"


def _result_columns(result: CellResult, row: Callable[[Values], Sequence[str]]) -> Sequence[str]:
    if result["status"] == "ok":
        return row(result["values"])
    return [
        f"{result['status']} ({result['cell']['limit_seconds']} s)"
        if result["status"] == "over time"
        else result["status"]
    ]


def _section(
    title: str, results: Sequence[CellResult], row: Callable[[Values], Sequence[str]], headings: Sequence[str]
) -> list[str]:
    if not results:
        return []
    rows = [(_cell_label(result), *_result_columns(result, row)) for result in results]
    return [f"## {title}", "", *_format_table(("", *headings), rows), ""]


def _cell_label(result: CellResult) -> str:
    cell = result["cell"]
    words = [cell["method"], cell["corpus"], f"{cell['n']:,} rows" if cell["n"] else "", cell["variant"]]
    threads = f"{cell['threads']} thread{'s' if cell['threads'] > 1 else ''}" if cell["threads"] else ""
    return ", ".join(filter(None, [*words, threads]))


SIZE_HEADINGS = ("k", "largest theme", "outliers", "all tentative")


def _size_row(values: Values) -> Sequence[str]:
    tentative: Sequence[bool] = values.get("all_tentative", ())
    return (
        _format_range(values["k"], "{}"),
        _format_range(values.get("largest_share", ()), "{:.0%}"),
        _format_range(values["outlier_share"], "{:.0%}"),
        f"{sum(tentative)} of {len(tentative)}" if tentative else "",
    )


OUTLIER_HEADINGS = ("AUROC of our score, mean (min to max)", "AUROC of mean similarity to 5 neighbours", "planted rows")


def _outlier_row(values: Values) -> Sequence[str]:
    return (
        f"{_mean(values['score']):.3f} ({_format_range(values['score'], '{:.3f}')})",
        f"{_mean(values['baseline']):.3f} ({_format_range(values['baseline'], '{:.3f}')})",
        _format_range(values["n_planted"], "{}"),
    )


STRENGTH_HEADINGS = ("calibration error", "predicted", "observed", "AUROC for the theme's majority label")


def _strength_row(values: Values) -> Sequence[str]:
    label = values["label_ranking"]
    return (
        f"{values['calibration_error']:.3f}",
        f"{values['said']:.2f}",
        f"{values['happened']:.2f}",
        "" if label is None else f"{label:.2f}",
    )


SCALE_HEADINGS = ("warm s", "steps s", "GB", "search recall", "smallest visible", "k", "outliers", "AMI", "AMI filled")


def _scale_row(values: Values) -> Sequence[str]:
    return (
        f"{values['warm_seconds']:.1f}",
        _format_steps(values["steps"]),
        f"{values['peak_gb']:.2f}",
        _format_score(values, "search_recall"),
        f"{values.get('smallest_visible') or ''}",
        f"{values['k']}",
        f"{values['outlier_share']:.0%}",
        _format_score(values, "AMI"),
        _format_score(values, "AMI filled"),
    )


SAME_HEADINGS = ("k", "hash of labels", "hash of labels and strengths")


def _same_row(values: Values) -> Sequence[str]:
    return (f"{values['k']}", values["labels"], values["labels_and_strengths"])


def _format_steps(steps: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {seconds:.2f}" for name, seconds in steps.items() if name != "clustering")


def _format_score(values: Values, name: str) -> str:
    return f"{values[name]:.3f}" if name in values else ""


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _format_range(values: Sequence[Any], form: str) -> str:
    if not values:
        return ""
    lowest, highest = form.format(min(values)), form.format(max(values))
    return lowest if lowest == highest else f"{lowest} to {highest}"


def _format_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    padded = [[*row, *[""] * (len(headings) - len(row))] for row in rows]
    return [
        "| " + " | ".join(row) + " |" for row in ([name.strip() for name in headings], ["---"] * len(headings), *padded)
    ]
