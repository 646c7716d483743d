"""Turn scores into results with a verdict. A gate combines the promised limit with the baseline minus its noise."""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass

from patternmind.evals.baselines import Baseline
from patternmind.evals.report import MetricResult, ScoreDirection, ScoreUnit

ROUNDING_DIGITS = 4
"""Decimal places of values and gates.

Both are compared as the baselines store them, so that a value never fails against itself.
"""


@dataclass(frozen=True, slots=True)
class Score:
    """One value from a scorer.

    ``limit`` is promised by the product or the issue and applies whatever the baseline is. Without ``is_tracked``, only
    ``limit`` applies. An example is a share of outliers, which is neither better higher nor lower as long as it is in
    bounds.
    """

    eval: str
    dataset: str
    name: str
    value: float
    _: KW_ONLY
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
    """Return a result for each score, and a failed one for each missing expected key."""
    results = [_apply_gate(score, baselines.get(score.key)) for score in scores]
    result_keys = {result.key for result in results}
    return (*results, *(_missing_result(key, baselines[key]) for key in expected if key not in result_keys))


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
    """Return the stricter of limit and baseline gate, or ``None`` for a reported-only figure."""
    if score.direction is ScoreDirection.NONE:
        return None
    candidates = [score.limit, baseline.gate if baseline and score.is_tracked else None]
    gates = [gate for gate in candidates if gate is not None]
    strictest = max if score.direction is ScoreDirection.HIGHER else min
    return strictest(gates) if gates else None


def _missing_result(key: str, baseline: Baseline) -> MetricResult:
    eval_name, dataset, name = key.split("/", 2)
    return MetricResult(
        eval=eval_name,
        measured_on=dataset,
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
