"""From what a scorer found to a judged figure: the promised limit, and the baseline less its noise."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from patternmind.evals.baselines import Baseline
from patternmind.evals.report import Direction, Figure, Unit

DIGITS = 4
"""Values and gates are compared as they are written in the baselines, so that the same value never fails itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One value as a scorer hands it over.

    ``limit`` is promised by the product or the issue and holds whatever the baseline; with ``tracked`` off it is all
    that is asked, as of a share of outliers, which is neither better higher nor lower as long as it is in bounds.
    """

    eval: str
    on: str
    name: str
    value: float
    direction: Direction = Direction.HIGHER
    unit: Unit = Unit.SHARE
    limit: float | None = None
    tracked: bool = True
    note: str = ""

    @property
    def key(self) -> str:
        return f"{self.eval}/{self.on}/{self.name}"


def judge(
    scores: Iterable[Score], baselines: Mapping[str, Baseline], *, expected: Iterable[str] = ()
) -> tuple[Figure, ...]:
    """The verdict on every score, and a failed figure for each expected key that no score has."""
    judged = [_judge_one(score, baselines.get(score.key)) for score in scores]
    known = {figure.key for figure in judged}
    return (*judged, *(_missing(key, baselines[key]) for key in expected if key not in known))


def _judge_one(score: Score, baseline: Baseline | None) -> Figure:
    value = round(score.value, DIGITS)
    gate = _gate(score, baseline)
    return Figure(
        eval=score.eval,
        measured_on=score.on,
        name=score.name,
        value=value,
        direction=score.direction,
        unit=score.unit,
        ok=gate is None or (value >= gate if score.direction is Direction.HIGHER else value <= gate),
        baseline=baseline.value if baseline else None,
        noise=baseline.noise if baseline else None,
        gate=gate,
        note=score.note,
    )


def _gate(score: Score, baseline: Baseline | None) -> float | None:
    """The stricter of the limit and the baseline's gate; none for a figure that is reported only."""
    if score.direction is Direction.NONE:
        return None
    known = [score.limit, baseline.gate if baseline and score.tracked else None]
    gates = [gate for gate in known if gate is not None]
    strictest = max if score.direction is Direction.HIGHER else min
    return strictest(gates) if gates else None


def _missing(key: str, baseline: Baseline) -> Figure:
    eval_name, on, name = key.split("/", 2)
    return Figure(
        eval=eval_name,
        measured_on=on,
        name=name,
        value=None,
        direction=Direction.HIGHER,
        unit=Unit.SHARE,
        ok=False,
        baseline=baseline.value,
        noise=baseline.noise,
        gate=baseline.gate,
        note="expected by the baselines, not measured",
    )
