"""Results of an eval run, and their output formats.

The formats are a table for people, JSON for machines and JUnit for CI. ``gates`` decides which results fail.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from rich.table import Table
from rich.text import Text

EVAL_DESCRIPTIONS = {
    "themes": "do machine themes agree with people's? 1 = the same, 0 = chance; do they stay within bounds?",
    "stability": "does each random sample of four cases in five give the same themes? 1 = always, 0 = chance",
    "lenses": "does a lens find in plain text what structured cases store in separate fields?",
    "naming": "is every name short, about its own cases, and unlike the others?",
    "grounding": "does every quote occur in its case, and is every planted false quote refused?",
    "retrieval": "does search find related cases, and a case by one of its sentences?",
    "redaction": "does redaction remove personal data, and nothing else?",
}


class ScoreDirection(StrEnum):
    HIGHER = "higher is better"
    LOWER = "lower is better"
    NONE = "reported only"


class ScoreUnit(StrEnum):
    SCORE = "score"
    SHARE = "share"
    COUNT = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricResult:
    """One measured value and its verdict.

    ``value`` is ``None`` if the baselines expect the figure but it was not measured. ``baseline`` and ``noise`` are
    ``None`` if none is recorded yet, ``gate`` if the figure has no gate. ``note`` says what the value was counted over.
    """

    eval: str
    measured_on: str
    name: str
    value: float | None
    direction: ScoreDirection
    unit: ScoreUnit
    ok: bool
    baseline: float | None = None
    noise: float | None = None
    gate: float | None = None
    note: str = ""

    @property
    def key(self) -> str:
        return f"{self.eval}/{self.measured_on}/{self.name}"

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "MISSING"
        if not self.ok:
            return "FAILED"
        if self.gate is not None:
            return "ok"
        return "reported" if self.direction is ScoreDirection.NONE else "no baseline"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalReport:
    """Results of one suite. ``encoder`` names weights and precision."""

    suite: str
    encoder: str
    results: tuple[MetricResult, ...]
    seconds: float = 0.0

    @property
    def failed_results(self) -> tuple[MetricResult, ...]:
        return tuple(result for result in self.results if not result.ok)

    def to_dict(self) -> dict[str, Any]:
        return {
            "suite": self.suite,
            "ok": not self.failed_results,
            "encoder": self.encoder,
            "seconds": round(self.seconds, 1),
            "failed": [result.key for result in self.failed_results],
            "figures": [{"key": result.key, **asdict(result), "verdict": result.verdict} for result in self.results],
        }

    def to_table(self) -> Table:
        """Build a table of value, baseline and gate by eval and data set."""
        page = Table.grid()
        page.add_row(Text(self._title(), style="bold"))
        page.add_row(_table_section([], header=True))
        for eval_name, results in groupby(self._ordered(), key=lambda result: result.eval):
            page.add_row(
                Text.assemble("\n", (eval_name.upper(), "bold"), "  ", (EVAL_DESCRIPTIONS.get(eval_name, ""), "italic"))
            )
            page.add_row(_table_section(list(results)))
        page.add_row(Text(f"\n{TABLE_CAPTION}", style="dim"))
        return page

    def _title(self) -> str:
        verdict = f"{len(self.failed_results)} FAILED" if self.failed_results else "none failed"
        return f"suite {self.suite}: {len(self.results)} figures, {verdict} ({self.seconds:.0f} s, {self.encoder})"

    def _ordered(self) -> list[MetricResult]:
        """Sort results by eval in the order of ``EVAL_DESCRIPTIONS``.

        Within an eval they are sorted by data set, then in the order in which they were measured.
        """
        evals = list(dict.fromkeys([*EVAL_DESCRIPTIONS, *(result.eval for result in self.results)]))
        datasets = list(dict.fromkeys(result.measured_on for result in self.results))
        return sorted(self.results, key=lambda result: (evals.index(result.eval), datasets.index(result.measured_on)))

    def to_junit(self) -> str:
        """Return JUnit XML with a test suite per eval and a test case per figure."""
        root = ET.Element("testsuites", name=f"patternmind eval {self.suite}", time=f"{self.seconds:.1f}")
        for eval_name, results in groupby(self._ordered(), key=lambda result: result.eval):
            root.append(_test_suite(eval_name, list(results)))
        totals = {"tests": len(self.results), "failures": len(self.failed_results), "errors": 0}
        root.attrib.update({name: str(count) for name, count in totals.items()})
        ET.indent(root)
        return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


TABLE_CAPTION = (
    "gate: the stricter of the promised limit and the baseline minus the noise over seeds. "
    "A figure without a gate is reported only."
)


TABLE_COLUMNS = (
    ("measured on", 14),
    ("figure", 43),
    ("value", 7),
    ("baseline", 8),
    ("noise", 7),
    ("gate", 8),
    ("", 11),
)
"""Headings and widths that align the sections in 110 characters."""


def _table_section(results: Sequence[MetricResult], *, header: bool = False) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, show_header=header)
    for name, width in TABLE_COLUMNS:
        justify = "right" if name in ("value", "baseline", "noise", "gate") else "left"
        table.add_column(name, width=width, justify=justify, overflow="fold")
    for dataset, dataset_results in groupby(results, key=lambda result: result.measured_on):
        for position, result in enumerate(dataset_results):
            table.add_row(*_cells(result, dataset if position == 0 else ""))
    return table


def _cells(result: MetricResult, dataset: str) -> Iterator[Text]:
    styles = {"FAILED": "bold red", "MISSING": "bold red", "ok": "green"}
    sign = {ScoreDirection.HIGHER: "≥ ", ScoreDirection.LOWER: "≤ ", ScoreDirection.NONE: ""}[result.direction]
    yield Text(dataset)
    yield Text.assemble(result.name, (f" ({result.note})" if result.note else "", "dim"))
    yield Text(format_value(result.value, result.unit))
    yield Text(format_value(result.baseline, result.unit))
    yield Text(f"±{format_value(result.noise, result.unit)}" if result.noise else "")
    yield Text("" if result.gate is None else sign + format_value(result.gate, result.unit))
    yield Text(result.verdict, style=styles.get(result.verdict, "dim"))


def format_value(value: float | None, unit: ScoreUnit) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if unit is ScoreUnit.COUNT else f"{value:.3f}"


def _test_suite(name: str, results: Sequence[MetricResult]) -> ET.Element:
    n_failed = sum(not result.ok for result in results)
    suite = ET.Element("testsuite", name=name, tests=str(len(results)), failures=str(n_failed), errors="0")
    for result in results:
        classname = f"{result.eval}.{result.measured_on}"
        case = ET.SubElement(suite, "testcase", classname=classname, name=result.name, time="0")
        if not result.ok:
            failure = ET.SubElement(case, "failure", type=result.verdict, message=explain_failure(result))
            failure.text = explain_failure(result)
        ET.SubElement(
            case, "system-out"
        ).text = f"value {format_value(result.value, result.unit)} {result.note}".strip()
    return suite


def explain_failure(result: MetricResult) -> str:
    """Say in one sentence why a figure failed."""
    if result.value is None:
        return f"{result.key} is in the baselines but was not measured."
    bound = "at least" if result.direction is ScoreDirection.HIGHER else "at most"
    gate = format_value(result.gate, result.unit)
    note = f" ({result.note})" if result.note else ""
    return f"{result.key} is {format_value(result.value, result.unit)}, but its gate is {bound} {gate}{note}."
