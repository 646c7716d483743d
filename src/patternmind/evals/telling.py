"""Telling power of names: does a theme's name lead to a case of it that had no part in the name, or to a neighbour's?

A fold of the cases is held out, names are made from the rest, and the encoder is asked which of two held-out cases, one
of the theme and one of its nearest theme, the name is closer to. What it knows of either case is its vector.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from patternmind.draft.keyphrases import Phrase, PhraseCounts
from patternmind.draft.names import name_themes
from patternmind.draft.proposals import by_meaning, propose_names
from patternmind.evals.gates import Score
from patternmind.evals.intervals import wilson
from patternmind.model.cases import Case
from patternmind.model.themes import Theme, Vectors
from patternmind.ports import Encoder

EVAL = "naming"
ASKED = 500
PROMISED = 0.8
PROMISED_FROM = 300
"""Cases in themes; below, names rest on a handful each, and the figure is told without a promise."""

FEWEST_CASES = 4
FOLDS = 5
ONE_FOLD_FROM = 1_000
"""Cases from which one fold holds enough to ask about; below, each case is held out once, or the same few are asked."""


@dataclass(frozen=True, slots=True)
class Network:
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
class Fold:
    """Names made without a fold, as vectors, and the cases of each theme that are in it."""

    named: Mapping[str, Vectors]
    held: Mapping[str, Sequence[str]]

    def askable(self, nearest: Mapping[str, str]) -> list[str]:
        return [theme_id for theme_id in sorted(nearest) if self.held[theme_id] and self.held[nearest[theme_id]]]


def score_telling(
    on: str, themes: Sequence[Theme], cases: Sequence[Case], vectors: Vectors, encoder: Encoder, *, seed: int
) -> list[Score]:
    """The share of ``ASKED`` questions answered right; a name that says nothing would get half of them.

    Args:
        vectors: row i of ``cases[i]``, the whole of it.
    """
    members = {theme.id: theme.case_ids for theme in themes if len(theme.case_ids) >= FEWEST_CASES}
    nearest = {
        theme.id: theme.nearest_theme_id
        for theme in themes
        if theme.id in members and theme.nearest_theme_id in members
    }
    texts = {case.id: "\n".join(case.text.values()) for case in cases}
    network = Network(members, nearest, texts, vectors, {case.id: row for row, case in enumerate(cases)})
    rng = random.Random(seed)
    n_folds = 1 if sum(map(len, members.values())) >= ONE_FOLD_FROM else FOLDS
    fold_of = {
        case_id: place % FOLDS
        for ids in members.values()
        for place, case_id in enumerate(rng.sample(sorted(ids), len(ids)))
    }
    answers: list[bool] = []
    for fold in range(n_folds):
        answers += _ask(network, _hold_out(network, fold_of, fold, encoder), rng, ASKED // n_folds)
    if not answers:
        return []
    hits, n = sum(answers), len(answers)
    low, high = wilson(hits, n)
    note = f"{hits} of {n}, {low:.2f}-{high:.2f}, seed {seed}, {len(nearest)} themes, {n_folds} of {FOLDS} folds"
    limit = PROMISED if sum(map(len, members.values())) >= PROMISED_FROM else None
    return [Score(eval=EVAL, on=on, name="name leads to a held-out case", value=hits / n, limit=limit, note=note)]


def _ask(network: Network, fold: Fold, rng: random.Random, n: int) -> list[bool]:
    askable = fold.askable(network.nearest)
    answers: list[bool] = []
    for _ in range(n if askable else 0):
        theme_id = rng.choice(askable)
        own = network.vector(rng.choice(fold.held[theme_id]))
        other = network.vector(rng.choice(fold.held[network.nearest[theme_id]]))
        answers.append(bool(fold.named[theme_id] @ own > fold.named[theme_id] @ other))
    return answers


def _hold_out(network: Network, fold_of: Mapping[str, int], fold: int, encoder: Encoder) -> Fold:
    kept = {id: [one for one in ids if fold_of[one] != fold] for id, ids in network.members.items()}
    held = {id: [one for one in ids if fold_of[one] == fold] for id, ids in network.members.items()}
    counts = PhraseCounts({case_id: text for case_id, text in network.texts.items() if fold_of.get(case_id) != fold})
    centres = {id: network.centre(ids) for id, ids in kept.items()}
    weighed: dict[str, list[Phrase]] = {}
    for id, ids in kept.items():
        beside = network.nearest.get(id, "")
        found = propose_names(counts, ids, beside=kept.get(beside, ()))
        vectors = encoder.encode([phrase.text for phrase in found])
        weighed[id] = by_meaning(found, vectors, centre=centres[id], beside=centres.get(beside))
    names = name_themes({id: counts.distinguishing(ids) for id, ids in kept.items()}, proposals=weighed)
    vectors = encoder.encode([one.name for one in names.values()])
    return Fold(dict(zip(names, vectors, strict=True)), held)


__all__ = ["score_telling"]
