"""Command line of the bench: ``python -m bench PART``.

A part measures all cells without a current result and writes one line of JSON per cell. ``report`` writes
docs/bench.md.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.cells import BenchCell, CellJob, CellResult, append_result, is_finished, read_results, run_cell
from bench.corpora import BenchPaths, VectorsNotReady, digest_vectors, prepare_corpus
from bench.machine import ROOT, describe_machine, digest_own_code, package_versions
from bench.methods import METHODS, PATTERNMIND
from bench.outliers import extra_corpora

PARTS: Mapping[str, str] = {
    "peers": "every method on every corpus: time, memory, agreement, stability (targets 1, 2)",
    "sizes": "random samples of 50 to 1,000 rows, and unrelated rows (target 3)",
    "outliers": "outlier score of planted outliers (target 4)",
    "strength": "calibration of strength (target 5)",
    "scale": "100,000, 300,000 and 1,000,000 vectors (targets 8, 9)",
    "place": "placement of one new case among 100,000, from text to theme (target 8)",
    "same": "identical themes with any number of threads and any order (target 10)",
}
DEFAULT_METHODS: Mapping[str, Sequence[str]] = {
    "sizes": (PATTERNMIND,),
    "place": (PATTERNMIND,),
    "same": (PATTERNMIND, "patternmind hdbscan"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    paths = BenchPaths(options.corpora, options.cache, options.vectors)
    parts = list(PARTS) if options.part == "all" else [options.part] if options.part in PARTS else []
    n_failed = 0
    for part in parts:
        for cell in _select_cells(part, options):
            try:
                result = _measure(cell, paths, options)
            except VectorsNotReady as error:
                print(f"{cell}: skipped. {error}", flush=True)
                n_failed += 1
                continue
            n_failed += result["status"] != "ok"
    if options.part in {"all", "report"}:
        from bench.report import write_report

        write_report(list(read_results(options.results).values()), options.out)
        print(f"wrote {options.out / 'bench.md'} and {options.out / 'bench.svg'}")
    return 1 if n_failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="parts:\n" + "\n".join(f"  {name:10}{about}" for name, about in PARTS.items()),
    )
    parser.add_argument("part", choices=[*PARTS, "all", "report"])
    parser.add_argument("--corpora", type=Path, default=ROOT.parent / "shared" / "corpora", help="the real corpora")
    parser.add_argument("--cache", type=Path, default=ROOT / "reports" / "bench", help="cache for vectors and rows")
    parser.add_argument(
        "--vectors",
        type=Path,
        help="precomputed vectors: NAME.npy with NAME.json; the first field of each row is its id",
    )
    parser.add_argument(
        "--results", type=Path, default=ROOT / "reports" / "bench.jsonl", help="results, one line per cell"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="where report writes bench.md and bench.svg")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), help="only these methods")
    parser.add_argument("--only", nargs="+", metavar="CORPUS", help="only these corpora")
    parser.add_argument("--rows", type=int, default=0, help="use only the first N rows of each corpus, for a trial")
    parser.add_argument(
        "--limit", type=int, default=0, help="time limit per cell in seconds (default 3600; 10800 at scale)"
    )
    parser.add_argument("--fresh", action="store_true", help="repeat cells that already have results")
    return parser


def _select_cells(part: str, options: argparse.Namespace) -> list[BenchCell]:
    methods = options.methods or DEFAULT_METHODS.get(part, list(METHODS))
    cells: list[BenchCell] = import_module(f"bench.{part}").cells(methods, options.rows)
    return [cell for cell in cells if cell.method in methods and (not options.only or cell.corpus in options.only)]


def _measure(cell: BenchCell, paths: BenchPaths, options: argparse.Namespace) -> CellResult:
    cell = _with_time_limit(cell, options.limit)
    rows_by_corpus = {cell.corpus: cell.n} | (extra_corpora(cell) if cell.part == "outliers" else {})
    files = {name: prepare_corpus(name, n, paths) for name, n in rows_by_corpus.items()}
    fingerprint = _fingerprint(cell, {name: (files[name][0], n) for name, n in rows_by_corpus.items()})
    former_result = read_results(options.results).get(cell.key)
    if former_result is not None and not options.fresh and is_finished(former_result, fingerprint):
        print(f"{cell}: already measured", flush=True)
        return former_result
    job = CellJob(cell=cell, files={name: (str(vectors), str(rows)) for name, (vectors, rows) in files.items()})
    result = run_cell(job, fingerprint)
    append_result(options.results, result)
    print(f"{cell}: {result['status']}, {result['seconds']} s{_format_values(result['values'])}", flush=True)
    return result


def _with_time_limit(cell: BenchCell, seconds: int) -> BenchCell:
    return replace(cell, limit_seconds=seconds) if seconds else cell


def _fingerprint(cell: BenchCell, files: Mapping[str, tuple[Path, int]]) -> dict[str, str]:
    """Return all that the figures depend on: machine, vectors, versions, and our own code."""
    method = METHODS[cell.method]
    fingerprint = {"machine": describe_machine()} | package_versions(method.packages)
    fingerprint |= {f"vectors of {name}": digest_vectors(path, n) for name, (path, n) in files.items()}
    return fingerprint | ({"patternmind": digest_own_code()} if method.is_own else {})


def _format_values(values: Mapping[str, Any]) -> str:
    if "error" in values:
        return f"\n{values['error']}"
    short = {name: value for name, value in values.items() if isinstance(value, (int, float, str))}
    return "".join(
        f"  {name} {value:.3g}" if isinstance(value, float) else f"  {name} {value}" for name, value in short.items()
    )


if __name__ == "__main__":
    sys.exit(main())
