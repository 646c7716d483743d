"""From what a scorer found to a judged figure: the promised limit, and the baseline less its noise."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from patternmind.evals.baselines import Baseline
from patternmind.evals.report import MetricResult, ScoreDirection, ScoreUnit

ROUNDING_DIGITS = 4
"""Values and gates are compared as they are written in the baselines, so that the same value never fails itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One value as a scorer hands it over.

    ``limit`` is promised by the product or the issue and holds whatever the baseline; with ``tracked`` off it is all
    that is asked, as of a share of outliers, which is neither better higher nor lower as long as it is in bounds.
    """

    eval: str
    dataset: str
    name: str
    value: float
    direction: ScoreDirection = ScoreDirection.HIGHER
    unit: ScoreUnit = ScoreUnit.SHARE
    limit: float | None = None
    is_tracked: bool = True
    note: str = ""

    @property
    def key(self) -> str:
        return f"{self.eval}/{self.dataset}/{self.name}"


def apply_gates(
    scores: Iterable[Score], baselines: Mapping[str, Baseline], *, expected: Iterable[str] = ()
) -> tuple[MetricResult, ...]:
    """The verdict on every score, and a failed figure for each expected key that no score has."""
    judged = [_apply_gate(score, baselines.get(score.key)) for score in scores]
    known = {figure.key for figure in judged}
    return (*judged, *(_missing_result(key, baselines[key]) for key in expected if key not in known))


def _apply_gate(score: Score, baseline: Baseline | None) -> MetricResult:
    value = round(score.value, ROUNDING_DIGITS)
    gate = _strictest_gate(score, baseline)
    return MetricResult(
        eval=score.eval,
        measured_on=score.dataset,
        name=score.name,
        value=value,
        direction=score.direction,
        unit=score.unit,
        ok=gate is None or (value >= gate if score.direction is ScoreDirection.HIGHER else value <= gate),
        baseline=baseline.value if baseline else None,
        noise=baseline.noise if baseline else None,
        gate=gate,
        note=score.note,
    )


def _strictest_gate(score: Score, baseline: Baseline | None) -> float | None:
    """The stricter of the limit and the baseline's gate; none for a figure that is reported only."""
    if score.direction is ScoreDirection.NONE:
        return None
    known = [score.limit, baseline.gate if baseline and score.is_tracked else None]
    gates = [gate for gate in known if gate is not None]
    strictest = max if score.direction is ScoreDirection.HIGHER else min
    return strictest(gates) if gates else None


def _missing_result(key: str, baseline: Baseline) -> MetricResult:
    eval_name, on, name = key.split("/", 2)
    return MetricResult(
        eval=eval_name,
        measured_on=on,
        name=name,
        value=None,
        direction=ScoreDirection.HIGHER,
        unit=ScoreUnit.SHARE,
        ok=False,
        baseline=baseline.value,
        noise=baseline.noise,
        gate=baseline.gate,
        note="expected by the baselines, not measured",
    )
