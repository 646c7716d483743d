"""Separation of problem and remedy by lenses in plain text.

It is measured sentence by sentence, and in the themes. Structured cases are the gold: their fields are joined into
one plain text. The sentences that a lens picks from it are compared with the fields they came from. The cues were
weighed on the lessons, so their figures there are too favourable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.themes import Vectors
from patternmind.embedding.lenses import LENSES, lens_text
from patternmind.evals.gates import Score
from patternmind.evals.report import ScoreDirection, ScoreUnit
from patternmind.evals.scorers.shares import share_of_hits
from patternmind.evals.steps.groupings import Grouping, score_agreement_measures
from patternmind.ports import Encoder
from patternmind.text import Side, classify_sides, split_sentences

EVAL = "lenses"

FIELDS_OF = {Side.PROBLEM: LENSES["problem"][0], Side.HELPED: LENSES["helped"][0]}


@dataclass(frozen=True, slots=True)
class FlattenedCase:
    """A structured case without its title, and the same case as one plain text.

    ``gold`` is the side of each sentence's field.
    """

    structured: Case
    plain: Case
    spans: tuple[tuple[int, int], ...]
    gold: tuple[Side, ...]


def flatten_cases(cases: Sequence[Case]) -> list[FlattenedCase]:
    """Return the cases that have fields on both sides, with their fields in reading order."""
    flattened_cases = (_flatten(case) for case in cases if case.kind is CaseKind.CASE)
    return [flattened for flattened in flattened_cases if len(set(flattened.gold)) > 1]


def _flatten(case: Case) -> FlattenedCase:
    fields = {name: field_text for name, field_text in case.text.items() if name != "title"}
    text = ""
    spans: list[tuple[int, int]] = []
    gold: list[Side] = []
    for name, field_text in fields.items():
        sentence_spans = [(len(text) + start, len(text) + end) for start, end in split_sentences(field_text)]
        spans += sentence_spans
        gold += [side_of_field(name)] * len(sentence_spans)
        text += f"{field_text}\n"
    plain = replace(case, text={"problem": text})
    return FlattenedCase(replace(case, text=fields), plain, tuple(spans), tuple(gold))


def side_of_field(field: str) -> Side:
    return next(side for side, fields in FIELDS_OF.items() if field in fields)


def score_side_classification(dataset: str, cases: Sequence[Case]) -> list[Score]:
    """Score the share of sentences classified to the side of their field.

    The reference is a classification by position alone.
    """
    flattened_cases = flatten_cases(cases)
    gold = [side for case in flattened_cases for side in case.gold]
    predicted = [
        sentence.side for case in flattened_cases for sentence in classify_sides(case.plain.text["problem"], case.spans)
    ]
    by_position = [side for case in flattened_cases for side in sides_by_position(len(case.gold))]
    first, *rest = _side_scores(dataset, gold, predicted)
    position_scores = [
        replace(score, name=f"{score.name}, by place alone", direction=ScoreDirection.NONE, is_tracked=False)
        for score in _side_scores(dataset, gold, by_position)
    ]
    return [replace(first, note=f"{len(flattened_cases)} cases, {len(gold)} sentences"), *rest, *position_scores]


def sides_by_position(n: int) -> list[Side]:
    """Assign the first half of the sentences to the problem, the second to what helped."""
    return [Side.HELPED if 2 * row + 1 > n else Side.PROBLEM for row in range(n)]


def _side_scores(dataset: str, gold: Sequence[Side], predicted: Sequence[Side | None]) -> list[Score]:
    pairs = list(zip(gold, predicted, strict=True))
    values = {"sentences on their side": share_of_hits(expected is actual for expected, actual in pairs)}
    for side in Side:
        values[f"{side}, precision"] = share_of_hits(expected is side for expected, actual in pairs if actual is side)
        values[f"{side}, recall"] = share_of_hits(actual is side for expected, actual in pairs if expected is side)
    return [Score(EVAL, dataset, name, value) for name, value in values.items()]


def score_lens_themes(
    dataset: str, cases: Sequence[Case], encoder: Encoder, fit: Callable[[Vectors], Grouping]
) -> list[Score]:
    """Compare themes of plain text with themes of the fields under the same lens.

    The reference is themes of the whole text.
    """
    flattened_cases = flatten_cases(cases)
    whole_vectors = encoder.encode([lens_text(case.plain, "all") for case in flattened_cases])
    whole_grouping = fit(whole_vectors)
    scores: list[Score] = []
    for lens in ("problem", "helped"):
        field_vectors = encoder.encode([lens_text(case.structured, lens) for case in flattened_cases])
        picked_vectors = encoder.encode([lens_text(case.plain, lens) for case in flattened_cases])
        expected = [str(label) for label in fit(field_vectors).filled.tolist()]
        scores += [
            _score(dataset, f"{lens} lens, AMI with its fields", _ami(expected, fit(picked_vectors))),
            _score(dataset, f"{lens} lens, cosine to its fields", _cosine(picked_vectors, field_vectors)),
            _reference_score(dataset, f"{lens} lens, AMI of whole texts", _ami(expected, whole_grouping)),
            _reference_score(dataset, f"{lens} lens, cosine of whole texts", _cosine(whole_vectors, field_vectors)),
        ]
    return scores


def _score(dataset: str, name: str, value: float) -> Score:
    return Score(EVAL, dataset, name, value, unit=ScoreUnit.SCORE)


def _reference_score(dataset: str, name: str, value: float) -> Score:
    return replace(_score(dataset, name, value), direction=ScoreDirection.NONE, is_tracked=False)


def _ami(expected: Sequence[str], grouping: Grouping) -> float:
    return score_agreement_measures(expected, grouping.filled)["AMI"]


def _cosine(first: Vectors, second: Vectors) -> float:
    return float(np.einsum("nd,nd->n", first, second).mean())
