"""Figures and what is told of them: one table for people, JSON for machines, JUnit for CI. Gates judge them."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

EVAL_DESCRIPTIONS = {
    "themes": "do machine themes agree with people's? 1 = the same, 0 = chance; do they keep within bounds?",
    "stability": "do four cases in five, drawn anew, give the same themes? 1 = always, 0 = chance",
    "lenses": "does a lens find in plain text what structured cases keep in fields of their own?",
    "naming": "is every name short, of its own cases, and unlike the others?",
    "grounding": "does every quote stand in its case, and is every planted false quote refused?",
    "retrieval": "does search find what belongs together, and a case by a sentence of its own?",
    "redaction": "is personal data taken out, and nothing else?",
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
    """One measured value and the verdict on it.

    ``value`` is ``None`` where a figure that the baselines expect was not measured, ``baseline`` and ``noise`` where
    none was recorded yet, ``gate`` where nothing is asked of the figure. ``note`` says what it was counted over.
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
    """Everything one suite measured, in how many seconds; ``encoder`` names weights and precision."""

    suite: str
    encoder: str
    results: tuple[MetricResult, ...]
    seconds: float = 0.0

    @property
    def failed_results(self) -> tuple[MetricResult, ...]:
        return tuple(figure for figure in self.results if not figure.ok)

    def to_dict(self) -> dict[str, Any]:
        return {
            "suite": self.suite,
            "ok": not self.failed_results,
            "encoder": self.encoder,
            "seconds": round(self.seconds, 1),
            "failed": [figure.key for figure in self.failed_results],
            "figures": [{"key": one.key, **asdict(one), "verdict": one.verdict} for one in self.results],
        }

    def to_table(self) -> "Table":
        """By eval and data set: what was measured, what it was before, and what it must not fall below."""
        from rich.table import Table
        from rich.text import Text

        page = Table.grid()
        page.add_row(Text(self._title(), style="bold"))
        page.add_row(_table_section([], header=True))
        for eval_name, of_eval in groupby(self._ordered(), key=lambda figure: figure.eval):
            page.add_row(
                Text.assemble("\n", (eval_name.upper(), "bold"), "  ", (EVAL_DESCRIPTIONS.get(eval_name, ""), "italic"))
            )
            page.add_row(_table_section(list(of_eval)))
        page.add_row(Text(f"\n{TABLE_CAPTION}", style="dim"))
        return page

    def _title(self) -> str:
        verdict = f"{len(self.failed_results)} FAILED" if self.failed_results else "none failed"
        return f"suite {self.suite}: {len(self.results)} figures, {verdict} ({self.seconds:.0f} s, {self.encoder})"

    def _ordered(self) -> list[MetricResult]:
        """By eval in the order of ``ABOUT``, then by data set and figure as they were measured."""
        evals = list(dict.fromkeys([*EVAL_DESCRIPTIONS, *(figure.eval for figure in self.results)]))
        sets = list(dict.fromkeys(figure.measured_on for figure in self.results))
        return sorted(self.results, key=lambda figure: (evals.index(figure.eval), sets.index(figure.measured_on)))

    def to_junit(self) -> str:
        """JUnit XML: a test suite for each eval, a test case for each figure."""
        root = ET.Element("testsuites", name=f"patternmind eval {self.suite}", time=f"{self.seconds:.1f}")
        for eval_name, figures in groupby(self._ordered(), key=lambda figure: figure.eval):
            root.append(_test_suite(eval_name, list(figures)))
        totals = {"tests": len(self.results), "failures": len(self.failed_results), "errors": 0}
        root.attrib.update({name: str(count) for name, count in totals.items()})
        ET.indent(root)
        return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


TABLE_CAPTION = (
    "gate: the stricter of what is promised and what was reached before, less the noise over seeds. "
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
"""Headings and widths, so that the sections stand under each other in 110 characters."""


def _table_section(results: Sequence[MetricResult], *, header: bool = False) -> "Table":
    from rich.table import Table

    table = Table(box=None, padding=(0, 1), pad_edge=False, show_header=header)
    for name, width in TABLE_COLUMNS:
        justify = "right" if name in ("value", "baseline", "noise", "gate") else "left"
        table.add_column(name, width=width, justify=justify, overflow="fold")
    for data_set, of_set in groupby(results, key=lambda figure: figure.measured_on):
        for position, figure in enumerate(of_set):
            table.add_row(*_cells(figure, data_set if position == 0 else ""))
    return table


def _cells(result: MetricResult, dataset: str) -> Iterator["Text"]:
    from rich.text import Text

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
    n_failed = sum(not figure.ok for figure in results)
    suite = ET.Element("testsuite", name=name, tests=str(len(results)), failures=str(n_failed), errors="0")
    for figure in results:
        classname = f"{figure.eval}.{figure.measured_on}"
        case = ET.SubElement(suite, "testcase", classname=classname, name=figure.name, time="0")
        if not figure.ok:
            failure = ET.SubElement(case, "failure", type=figure.verdict, message=explain_failure(figure))
            failure.text = explain_failure(figure)
        ET.SubElement(
            case, "system-out"
        ).text = f"value {format_value(figure.value, figure.unit)} {figure.note}".strip()
    return suite


def explain_failure(result: MetricResult) -> str:
    """Why a figure failed, in one sentence."""
    if result.value is None:
        return f"{result.key} is in the baselines but was not measured."
    bound = "at least" if result.direction is ScoreDirection.HIGHER else "at most"
    wanted = format_value(result.gate, result.unit)
    note = f" ({result.note})" if result.note else ""
    return f"{result.key} is {format_value(result.value, result.unit)}, its gate asks for {bound} {wanted}{note}."


__all__ = ["EvalReport", "MetricResult", "ScoreDirection", "ScoreUnit", "explain_failure", "format_value"]
