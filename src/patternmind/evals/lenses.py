"""Whether a lens finds in plain text what structured cases keep apart: sentence by sentence, and in the themes.

Structured cases are the gold: their fields are joined into one plain text, and what a lens picks from it is compared
with the fields the sentences came from. The cues were weighed on the lessons, so their figures there flatter.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from patternmind.embed import LENSES, lens_text
from patternmind.evals.gates import Score
from patternmind.evals.groupings import Grouping, agreement
from patternmind.evals.report import Direction, Unit
from patternmind.model.cases import Case, Kind
from patternmind.model.themes import Vectors
from patternmind.ports import Encoder
from patternmind.sentences import Side, split_sentences, tell_apart

EVAL = "lenses"

FIELDS_OF = {Side.PROBLEM: LENSES["problem"][0], Side.HELPED: LENSES["helped"][0]}


@dataclass(frozen=True, slots=True)
class Flattened:
    """A structured case without its title, the same in one plain text, and the side each sentence's field is on."""

    structured: Case
    plain: Case
    spans: tuple[tuple[int, int], ...]
    gold: tuple[Side, ...]


def flatten_all(cases: Sequence[Case]) -> list[Flattened]:
    """The cases that have fields on both sides, their fields in reading order."""
    flat = (_flatten(case) for case in cases if case.kind is Kind.CASE)
    return [one for one in flat if len(set(one.gold)) > 1]


def _flatten(case: Case) -> Flattened:
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
    return Flattened(replace(case, text=fields), plain, tuple(spans), tuple(gold))


def _side(field: str) -> Side:
    return next(side for side, fields in FIELDS_OF.items() if field in fields)


def score_telling_apart(on: str, cases: Sequence[Case]) -> list[Score]:
    """Sentences on the side of the field they came from; beside it, what their place alone would tell."""
    flat = flatten_all(cases)
    gold = [side for one in flat for side in one.gold]
    told = [said.side for one in flat for said in tell_apart(one.plain.text["problem"], one.spans)]
    by_place = [side for one in flat for side in halves(len(one.gold))]
    first, *rest = _of_sides(on, gold, told)
    alone = [
        replace(score, name=f"{score.name}, by place alone", direction=Direction.NONE, tracked=False)
        for score in _of_sides(on, gold, by_place)
    ]
    return [replace(first, note=f"{len(flat)} cases, {len(gold)} sentences"), *rest, *alone]


def halves(n: int) -> list[Side]:
    """The first half tells the problem, the second what helped."""
    return [Side.HELPED if 2 * row + 1 > n else Side.PROBLEM for row in range(n)]


def _of_sides(on: str, gold: Sequence[Side], told: Sequence[Side | None]) -> list[Score]:
    pairs = list(zip(gold, told, strict=True))
    values = {"sentences on their side": _share(wanted is got for wanted, got in pairs)}
    for side in Side:
        values[f"{side}, precision"] = _share(wanted is side for wanted, got in pairs if got is side)
        values[f"{side}, recall"] = _share(got is side for wanted, got in pairs if wanted is side)
    return [Score(eval=EVAL, on=on, name=name, value=value) for name, value in values.items()]


def score_lens_themes(
    on: str, cases: Sequence[Case], encoder: Encoder, fitted: Callable[[Vectors], Grouping]
) -> list[Score]:
    """How near themes of plain text come to those of the fields under the same lens; beside it, of the whole text."""
    flat = flatten_all(cases)
    whole = encoder.encode([lens_text(one.plain, "all") for one in flat])
    of_whole = fitted(whole)
    scores: list[Score] = []
    for lens in ("problem", "helped"):
        fields = encoder.encode([lens_text(one.structured, lens) for one in flat])
        picked = encoder.encode([lens_text(one.plain, lens) for one in flat])
        wanted = [str(label) for label in fitted(fields).filled.tolist()]
        scores += [
            _score(on, f"{lens} lens, AMI with its fields", agreement(wanted, fitted(picked).filled)["AMI"]),
            _score(on, f"{lens} lens, cosine to its fields", _cosine(picked, fields)),
            _for_comparison(on, f"{lens} lens, AMI of whole texts", agreement(wanted, of_whole.filled)["AMI"]),
            _for_comparison(on, f"{lens} lens, cosine of whole texts", _cosine(whole, fields)),
        ]
    return scores


def _score(on: str, name: str, value: float) -> Score:
    return Score(eval=EVAL, on=on, name=name, value=value, unit=Unit.SCORE)


def _for_comparison(on: str, name: str, value: float) -> Score:
    return replace(_score(on, name, value), direction=Direction.NONE, tracked=False)


def _cosine(left: Vectors, right: Vectors) -> float:
    return float(np.einsum("nd,nd->n", left, right).mean())


def _share(hits: Iterable[bool]) -> float:
    found = list(hits)
    return sum(found) / max(1, len(found))


__all__ = ["Flattened", "flatten_all", "halves", "score_lens_themes", "score_telling_apart"]
