"""Telling power of names: does a theme's name lead to a case of it that had no part in the name, or to a neighbour's?

A fold of the cases is held out, names are made from the rest, and the encoder is asked which of two held-out cases, one
of the theme and one of its nearest theme, the name is closer to. What it knows of either case is its vector.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from patternmind.domain.cases import Case
from patternmind.domain.themes import Theme, Vectors
from patternmind.drafting.keyphrases import Phrase, PhraseCounts
from patternmind.drafting.name_candidates import propose_name_candidates, rank_by_similarity
from patternmind.drafting.theme_names import name_themes
from patternmind.evals.gates import Score
from patternmind.evals.scorers.intervals import wilson_interval
from patternmind.ports import Encoder

EVAL = "naming"
N_QUESTIONS = 500
MIN_SHARE = 0.8
MIN_CASES_FOR_LIMIT = 300
"""Cases in themes; below, names rest on a handful each, and the figure is told without a promise."""

MIN_CASES = 4
N_FOLDS = 5
SINGLE_FOLD_MIN_CASES = 1_000
"""Cases from which one fold holds enough to ask about; below, each case is held out once, or the same few are asked."""


@dataclass(frozen=True, slots=True)
class ThemeVectors:
    """What the questions are about. Row ``row_of[id]`` of ``vectors`` is the case's; ``nearest`` by theme id."""

    members: Mapping[str, Sequence[str]]
    nearest: Mapping[str, str]
    texts: Mapping[str, str]
    vectors: Vectors
    row_of: Mapping[str, int]

    def vector(self, case_id: str) -> Vectors:
        return self.vectors[self.row_of[case_id]]

    def centre(self, case_ids: Sequence[str]) -> Vectors:
        mean = self.vectors[[self.row_of[case_id] for case_id in case_ids]].mean(axis=0)
        return (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class HeldOutFold:
    """Names made without a fold, as vectors, and the cases of each theme that are in it."""

    name_vectors: Mapping[str, Vectors]
    held_out_ids: Mapping[str, Sequence[str]]

    def testable_themes(self, nearest: Mapping[str, str]) -> list[str]:
        return [
            theme_id
            for theme_id in sorted(nearest)
            if self.held_out_ids[theme_id] and self.held_out_ids[nearest[theme_id]]
        ]


def score_name_informativeness(
    dataset: str, themes: Sequence[Theme], cases: Sequence[Case], vectors: Vectors, encoder: Encoder, *, seed: int
) -> list[Score]:
    """The share of ``ASKED`` questions answered right; a name that says nothing would get half of them.

    Args:
        vectors: row i of ``cases[i]``, the whole of it.
    """
    members = {theme.id: theme.case_ids for theme in themes if len(theme.case_ids) >= MIN_CASES}
    nearest = {
        theme.id: theme.nearest_theme_id
        for theme in themes
        if theme.id in members and theme.nearest_theme_id in members
    }
    texts = {case.id: "\n".join(case.text.values()) for case in cases}
    network = ThemeVectors(members, nearest, texts, vectors, {case.id: row for row, case in enumerate(cases)})
    rng = random.Random(seed)
    n_folds = 1 if sum(map(len, members.values())) >= SINGLE_FOLD_MIN_CASES else N_FOLDS
    fold_of = {
        case_id: place % N_FOLDS
        for ids in members.values()
        for place, case_id in enumerate(rng.sample(sorted(ids), len(ids)))
    }
    answers: list[bool] = []
    for fold in range(n_folds):
        answers += _answer_questions(network, _hold_out(network, fold_of, fold, encoder), rng, N_QUESTIONS // n_folds)
    if not answers:
        return []
    hits, n = sum(answers), len(answers)
    low, high = wilson_interval(hits, n)
    note = f"{hits} of {n}, {low:.2f}-{high:.2f}, seed {seed}, {len(nearest)} themes, {n_folds} of {N_FOLDS} folds"
    limit = MIN_SHARE if sum(map(len, members.values())) >= MIN_CASES_FOR_LIMIT else None
    return [
        Score(eval=EVAL, dataset=dataset, name="name leads to a held-out case", value=hits / n, limit=limit, note=note)
    ]


def _answer_questions(network: ThemeVectors, fold: HeldOutFold, rng: random.Random, n: int) -> list[bool]:
    askable = fold.testable_themes(network.nearest)
    answers: list[bool] = []
    for _ in range(n if askable else 0):
        theme_id = rng.choice(askable)
        own = network.vector(rng.choice(fold.held_out_ids[theme_id]))
        other = network.vector(rng.choice(fold.held_out_ids[network.nearest[theme_id]]))
        answers.append(bool(fold.name_vectors[theme_id] @ own > fold.name_vectors[theme_id] @ other))
    return answers


def _hold_out(network: ThemeVectors, fold_of: Mapping[str, int], fold: int, encoder: Encoder) -> HeldOutFold:
    kept = {id: [one for one in ids if fold_of[one] != fold] for id, ids in network.members.items()}
    held = {id: [one for one in ids if fold_of[one] == fold] for id, ids in network.members.items()}
    counts = PhraseCounts({case_id: text for case_id, text in network.texts.items() if fold_of.get(case_id) != fold})
    centres = {id: network.centre(ids) for id, ids in kept.items()}
    weighed: dict[str, list[Phrase]] = {}
    for id, ids in kept.items():
        beside = network.nearest.get(id, "")
        found = propose_name_candidates(counts, ids, contrast_case_ids=kept.get(beside, ()))
        vectors = encoder.encode([phrase.text for phrase in found])
        weighed[id] = rank_by_similarity(found, vectors, centre=centres[id], contrast_centre=centres.get(beside))
    names = name_themes({id: counts.distinctive_phrases(ids) for id, ids in kept.items()}, candidates=weighed)
    vectors = encoder.encode([one.name for one in names.values()])
    return HeldOutFold(dict(zip(names, vectors, strict=True)), held)


__all__ = ["score_name_informativeness"]
