"""Whether a lens finds in plain text what structured cases keep apart: sentence by sentence, and in the themes.

Structured cases are the gold: their fields are joined into one plain text, and what a lens picks from it is compared
with the fields the sentences came from. The cues were weighed on the lessons, so their figures there flatter.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.themes import Vectors
from patternmind.embedding.lenses import LENSES, lens_text
from patternmind.evals.gates import Score
from patternmind.evals.report import ScoreDirection, ScoreUnit
from patternmind.evals.steps.groupings import Grouping, score_agreement_measures
from patternmind.ports import Encoder
from patternmind.text import Side, classify_sides, split_sentences

EVAL = "lenses"

FIELDS_OF = {Side.PROBLEM: LENSES["problem"][0], Side.HELPED: LENSES["helped"][0]}


@dataclass(frozen=True, slots=True)
class FlattenedCase:
    """A structured case without its title, the same in one plain text, and the side each sentence's field is on."""

    structured: Case
    plain: Case
    spans: tuple[tuple[int, int], ...]
    gold: tuple[Side, ...]


def flatten_cases(cases: Sequence[Case]) -> list[FlattenedCase]:
    """The cases that have fields on both sides, their fields in reading order."""
    flat = (_flatten(case) for case in cases if case.kind is CaseKind.CASE)
    return [one for one in flat if len(set(one.gold)) > 1]


def _flatten(case: Case) -> FlattenedCase:
    fields = {name: said for name, said in case.text.items() if name != "title"}
    text = ""
    spans: list[tuple[int, int]] = []
    gold: list[Side] = []
    for name, said in fields.items():
        found = [(len(text) + start, len(text) + end) for start, end in split_sentences(said)]
        spans += found
        gold += [_side(name)] * len(found)
        text += f"{said}\n"
    plain = replace(case, text={"problem": text})
    return FlattenedCase(replace(case, text=fields), plain, tuple(spans), tuple(gold))


def _side(field: str) -> Side:
    return next(side for side, fields in FIELDS_OF.items() if field in fields)


def score_side_classification(dataset: str, cases: Sequence[Case]) -> list[Score]:
    """Sentences on the side of the field they came from; beside it, what their place alone would tell."""
    flat = flatten_cases(cases)
    gold = [side for one in flat for side in one.gold]
    told = [said.side for one in flat for said in classify_sides(one.plain.text["problem"], one.spans)]
    by_place = [side for one in flat for side in sides_by_position(len(one.gold))]
    first, *rest = _side_scores(dataset, gold, told)
    alone = [
        replace(score, name=f"{score.name}, by place alone", direction=ScoreDirection.NONE, is_tracked=False)
        for score in _side_scores(dataset, gold, by_place)
    ]
    return [replace(first, note=f"{len(flat)} cases, {len(gold)} sentences"), *rest, *alone]


def sides_by_position(n: int) -> list[Side]:
    """The first half tells the problem, the second what helped."""
    return [Side.HELPED if 2 * row + 1 > n else Side.PROBLEM for row in range(n)]


def _side_scores(dataset: str, gold: Sequence[Side], predicted: Sequence[Side | None]) -> list[Score]:
    pairs = list(zip(gold, predicted, strict=True))
    values = {"sentences on their side": _share(wanted is got for wanted, got in pairs)}
    for side in Side:
        values[f"{side}, precision"] = _share(wanted is side for wanted, got in pairs if got is side)
        values[f"{side}, recall"] = _share(got is side for wanted, got in pairs if wanted is side)
    return [Score(eval=EVAL, dataset=dataset, name=name, value=value) for name, value in values.items()]


def score_lens_themes(
    dataset: str, cases: Sequence[Case], encoder: Encoder, fit: Callable[[Vectors], Grouping]
) -> list[Score]:
    """How near themes of plain text come to those of the fields under the same lens; beside it, of the whole text."""
    flat = flatten_cases(cases)
    whole = encoder.encode([lens_text(one.plain, "all") for one in flat])
    of_whole = fit(whole)
    scores: list[Score] = []
    for lens in ("problem", "helped"):
        fields = encoder.encode([lens_text(one.structured, lens) for one in flat])
        picked = encoder.encode([lens_text(one.plain, lens) for one in flat])
        wanted = [str(label) for label in fit(fields).filled.tolist()]
        scores += [
            _score(
                dataset,
                f"{lens} lens, AMI with its fields",
                score_agreement_measures(wanted, fit(picked).filled)["AMI"],
            ),
            _score(dataset, f"{lens} lens, cosine to its fields", _cosine(picked, fields)),
            _reference_score(
                dataset, f"{lens} lens, AMI of whole texts", score_agreement_measures(wanted, of_whole.filled)["AMI"]
            ),
            _reference_score(dataset, f"{lens} lens, cosine of whole texts", _cosine(whole, fields)),
        ]
    return scores


def _score(dataset: str, name: str, value: float) -> Score:
    return Score(eval=EVAL, dataset=dataset, name=name, value=value, unit=ScoreUnit.SCORE)


def _reference_score(dataset: str, name: str, value: float) -> Score:
    return replace(_score(dataset, name, value), direction=ScoreDirection.NONE, is_tracked=False)


def _cosine(left: Vectors, right: Vectors) -> float:
    return float(np.einsum("nd,nd->n", left, right).mean())


def _share(hits: Iterable[bool]) -> float:
    found = list(hits)
    return sum(found) / max(1, len(found))


__all__ = ["FlattenedCase", "flatten_cases", "score_lens_themes", "score_side_classification", "sides_by_position"]
