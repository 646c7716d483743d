"""``python -m bench PART``: measure what is not measured yet, a line of JSON each; ``report`` writes docs/bench.md."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.cells import (
    BenchCell,
    CellJob,
    CellResult,
    append_result,
    is_finished,
    read_results,
    run_cell,
)
from bench.corpora import (
    BenchPaths,
    VectorsNotReady,
    digest_vectors,
    prepare_corpus,
)
from bench.machine import (
    ROOT,
    describe_machine,
    digest_own_code,
    package_versions,
)
from bench.methods import METHODS, PATTERNMIND
from bench.outliers import extra_corpora

PARTS: Mapping[str, str] = {
    "peers": "every method on every corpus: time, memory, agreement, stability (targets 1, 2)",
    "sizes": "random samples of 50 to 1,000 rows, and strangers (target 3)",
    "outliers": "planted strangers against the outlier score (target 4)",
    "strength": "calibration of strength (target 5)",
    "scale": "100,000, 300,000 and 1,000,000 vectors (targets 8, 9)",
    "place": "one more case among 100,000: from text to theme (target 8)",
    "same": "identical themes with other threads and order (target 10)",
}
DEFAULT_METHODS: Mapping[str, Sequence[str]] = {
    "sizes": (PATTERNMIND,),
    "place": (PATTERNMIND,),
    "same": (PATTERNMIND, "patternmind hdbscan"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    told = _parser().parse_args(arguments)
    place = BenchPaths(told.corpora, told.cache, told.vectors)
    chosen = list(PARTS) if told.part == "all" else [told.part] if told.part in PARTS else []
    failed = 0
    for part in chosen:
        for cell in _select_cells(part, told):
            try:
                line = _measure(cell, place, told)
            except VectorsNotReady as error:
                print(f"{cell}: skipped. {error}", flush=True)
                failed += 1
                continue
            failed += line["status"] != "ok"
    if told.part in {"all", "report"}:
        from bench.report import write_report

        write_report(list(read_results(told.results).values()), told.out)
        print(f"wrote {told.out / 'bench.md'} and {told.out / 'bench.svg'}")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="parts:\n" + "\n".join(f"  {name:10}{about}" for name, about in PARTS.items()),
    )
    parser.add_argument("part", choices=[*PARTS, "all", "report"])
    parser.add_argument("--corpora", type=Path, default=ROOT.parent / "shared" / "corpora", help="the real corpora")
    parser.add_argument("--cache", type=Path, default=ROOT / "reports" / "bench", help="vectors and rows made once")
    parser.add_argument("--vectors", type=Path, help="ready vectors: NAME.npy with NAME.json, first of each row its id")
    parser.add_argument("--results", type=Path, default=ROOT / "reports" / "bench.jsonl", help="one line a cell")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="where report writes bench.md and bench.svg")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), help="only these")
    parser.add_argument("--only", nargs="+", metavar="CORPUS", help="only these corpora")
    parser.add_argument("--rows", type=int, default=0, help="the first so many rows of each corpus, for trying")
    parser.add_argument(
        "--limit", type=int, default=0, help="seconds a cell may take; by default an hour, at scale three"
    )
    parser.add_argument("--fresh", action="store_true", help="measure again what is measured")
    return parser


def _select_cells(part: str, options: argparse.Namespace) -> list[BenchCell]:
    methods = options.methods or DEFAULT_METHODS.get(part, list(METHODS))
    found: list[BenchCell] = import_module(f"bench.{part}").cells(methods, options.rows)
    return [cell for cell in found if cell.method in methods and (not options.only or cell.corpus in options.only)]


def _measure(cell: BenchCell, paths: BenchPaths, options: argparse.Namespace) -> CellResult:
    cell = _with_time_limit(cell, options.limit)
    wanted = {cell.corpus: cell.n} | (extra_corpora(cell) if cell.part == "outliers" else {})
    files = {name: prepare_corpus(name, n, paths) for name, n in wanted.items()}
    fingerprint = _fingerprint(cell, {name: (files[name][0], n) for name, n in wanted.items()})
    known = read_results(options.results).get(cell.key)
    if known is not None and not options.fresh and is_finished(known, fingerprint):
        print(f"{cell}: known", flush=True)
        return known
    job = CellJob(cell=cell, files={name: (str(vectors), str(rows)) for name, (vectors, rows) in files.items()})
    line = run_cell(job, fingerprint)
    append_result(options.results, line)
    print(f"{cell}: {line['status']}, {line['seconds']} s{_format_values(line['values'])}", flush=True)
    return line


def _with_time_limit(cell: BenchCell, seconds: int) -> BenchCell:
    return replace(cell, limit_seconds=seconds) if seconds else cell


def _fingerprint(cell: BenchCell, files: Mapping[str, tuple[Path, int]]) -> dict[str, str]:
    """Everything the figures depend on: machine, vectors, versions, and for ours the code."""
    method = METHODS[cell.method]
    found = {"machine": describe_machine()} | package_versions(method.packages)
    found |= {f"vectors of {name}": digest_vectors(path, n) for name, (path, n) in files.items()}
    return found | ({"patternmind": digest_own_code()} if method.is_own else {})


def _format_values(values: Mapping[str, Any]) -> str:
    if "error" in values:
        return f"\n{values['error']}"
    short = {name: value for name, value in values.items() if isinstance(value, (int, float, str))}
    return "".join(
        f"  {name} {value:.3g}" if isinstance(value, float) else f"  {name} {value}" for name, value in short.items()
    )


if __name__ == "__main__":
    sys.exit(main())
