"""Informativeness of theme names: a name should lead to unseen cases of its theme.

A fold of the cases is held out and names are made from the rest. Each question takes two held-out cases, one of the
theme and one of its nearest theme. The encoder decides which of the two the name is closer to, by their vectors alone.
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
from patternmind.evals.scorers.shares import wilson_interval
from patternmind.ports import Encoder

EVAL = "naming"
N_QUESTIONS = 500
MIN_SHARE = 0.8
MIN_CASES_FOR_LIMIT = 300
"""Minimum of cases in themes for a limit.

Below it, names rest on a handful of cases each, and the figure is reported without a limit.
"""

MIN_CASES = 4
N_FOLDS = 5
SINGLE_FOLD_MIN_CASES = 1_000
"""Number of cases from which one fold is enough.

Below it, each case is held out once; otherwise the same few cases would answer all questions.
"""


@dataclass(frozen=True, slots=True)
class ThemeVectors:
    """Themes, texts and vectors that the questions draw from.

    Row ``row_of[id]`` of ``vectors`` belongs to the case; ``nearest`` is by theme id.
    """

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
    """Vectors of names made without a fold. ``held_out_ids`` holds the cases of each theme that are in the fold."""

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
    """Score the share of ``N_QUESTIONS`` questions with a right answer.

    A name without information would get half of them right.

    Args:
        vectors: row i is the vector of the whole text of ``cases[i]``.
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
        case_id: position % N_FOLDS
        for ids in members.values()
        for position, case_id in enumerate(rng.sample(sorted(ids), len(ids)))
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
    return [Score(EVAL, dataset, "name leads to a held-out case", hits / n, limit=limit, note=note)]


def _answer_questions(network: ThemeVectors, fold: HeldOutFold, rng: random.Random, n: int) -> list[bool]:
    testable_themes = fold.testable_themes(network.nearest)
    answers: list[bool] = []
    for _ in range(n if testable_themes else 0):
        theme_id = rng.choice(testable_themes)
        own = network.vector(rng.choice(fold.held_out_ids[theme_id]))
        other = network.vector(rng.choice(fold.held_out_ids[network.nearest[theme_id]]))
        answers.append(bool(fold.name_vectors[theme_id] @ own > fold.name_vectors[theme_id] @ other))
    return answers


def _hold_out(network: ThemeVectors, fold_of: Mapping[str, int], fold: int, encoder: Encoder) -> HeldOutFold:
    training_ids = {id: [case_id for case_id in ids if fold_of[case_id] != fold] for id, ids in network.members.items()}
    held_out_ids = {id: [case_id for case_id in ids if fold_of[case_id] == fold] for id, ids in network.members.items()}
    counts = PhraseCounts({case_id: text for case_id, text in network.texts.items() if fold_of.get(case_id) != fold})
    centres = {id: network.centre(ids) for id, ids in training_ids.items()}
    candidates: dict[str, list[Phrase]] = {}
    for id, ids in training_ids.items():
        nearest_id = network.nearest.get(id, "")
        phrases = propose_name_candidates(counts, ids, contrast_case_ids=training_ids.get(nearest_id, ()))
        vectors = encoder.encode([phrase.text for phrase in phrases])
        candidates[id] = rank_by_similarity(
            phrases, vectors, centre=centres[id], contrast_centre=centres.get(nearest_id)
        )
    names = name_themes(
        {id: counts.distinctive_phrases(ids) for id, ids in training_ids.items()}, candidates=candidates
    )
    vectors = encoder.encode([theme_name.name for theme_name in names.values()])
    return HeldOutFold(dict(zip(names, vectors, strict=True)), held_out_ids)
