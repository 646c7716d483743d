"""Telling power of names: does a theme's name lead to a case of it that had no part in the name, or to a neighbour's?

A fold of the cases is held out, names are made from the rest, and the encoder is asked which of two held-out cases, one
of the theme and one of its nearest theme, the name is closer to. What it knows of either case is its vector.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from patternmind.draft.keyphrases import PhraseCounts
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
FEWEST_CASES = 4
FOLDS = 5
ONE_FOLD_FROM = 1_000
"""Cases from which one fold holds enough to ask about; below, each case is held out once, or the same few are asked."""


@dataclass(frozen=True, slots=True)
class Held:
    """One fold: the name each theme got without it, and the cases of each theme that are in it."""

    names: Mapping[str, str]
    cases: Mapping[str, Sequence[str]]


def score_telling(
    on: str, themes: Sequence[Theme], cases: Sequence[Case], vectors: Vectors, encoder: Encoder, *, seed: int
) -> list[Score]:
    """The share of ``ASKED`` questions answered right; beside it, chance, which is one half.

    Args:
        vectors: row i of ``cases[i]``, the whole of it.
    """
    members = {theme.id: list(theme.case_ids) for theme in themes if len(theme.case_ids) >= FEWEST_CASES}
    nearest = {
        theme.id: theme.nearest_theme_id
        for theme in themes
        if theme.id in members and theme.nearest_theme_id in members
    }
    if not nearest:
        return []
    row_of = {case.id: row for row, case in enumerate(cases)}
    texts = {case.id: "\n".join(case.text.values()) for case in cases}
    rng = random.Random(seed)
    n_folds = 1 if sum(map(len, members.values())) >= ONE_FOLD_FROM else FOLDS
    fold_of = {case_id: row % FOLDS for ids in members.values() for row, case_id in enumerate(_shuffled(ids, rng))}
    right: Counter[str] = Counter()
    n_asked = 0
    for fold in range(n_folds):
        held = _hold_out(fold, members, nearest, fold_of, texts, vectors, row_of, encoder)
        named = dict(zip(held.names, encoder.encode(list(held.names.values())), strict=True))
        askable = [t for t in sorted(nearest) if held.cases[t] and held.cases[nearest[t] or ""]]
        for _ in range(ASKED // n_folds if askable else 0):
            theme_id = rng.choice(askable)
            own, other = (rng.choice(held.cases[of]) for of in (theme_id, nearest[theme_id] or ""))
            right[theme_id] += bool(named[theme_id] @ (vectors[row_of[own]] - vectors[row_of[other]]) > 0)
            n_asked += 1
    if not n_asked:
        return []
    hits = right.total()
    low, high = wilson(hits, n_asked)
    note = f"{hits} of {n_asked}, {low:.2f}-{high:.2f}, seed {seed}, {len(nearest)} themes, {n_folds} of {FOLDS} folds"
    return [Score(eval=EVAL, on=on, name="name leads to a held-out case", value=hits / n_asked, note=note)]


def _shuffled(ids: Sequence[str], rng: random.Random) -> list[str]:
    return rng.sample(sorted(ids), len(ids))


def _hold_out(
    fold: int,
    members: Mapping[str, Sequence[str]],
    nearest: Mapping[str, str | None],
    fold_of: Mapping[str, int],
    texts: Mapping[str, str],
    vectors: Vectors,
    row_of: Mapping[str, int],
    encoder: Encoder,
) -> Held:
    kept = {theme_id: [one for one in ids if fold_of[one] != fold] for theme_id, ids in members.items()}
    out = {theme_id: [one for one in ids if fold_of[one] == fold] for theme_id, ids in members.items()}
    counts = PhraseCounts({case_id: text for case_id, text in texts.items() if fold_of.get(case_id) != fold})
    centres = {theme_id: _centre(vectors[[row_of[one] for one in ids]]) for theme_id, ids in kept.items()}
    proposals = {
        theme_id: propose_names(counts, ids, beside=kept.get(nearest.get(theme_id) or "", ()))
        for theme_id, ids in kept.items()
    }
    weighed = {
        theme_id: by_meaning(
            found,
            encoder.encode([phrase.text for phrase in found]),
            centre=centres[theme_id],
            beside=centres.get(nearest.get(theme_id) or ""),
        )
        for theme_id, found in proposals.items()
    }
    phrases = {theme_id: counts.distinguishing(ids) for theme_id, ids in kept.items()}
    return Held({theme_id: one.name for theme_id, one in name_themes(phrases, proposals=weighed).items()}, out)


def _centre(rows: Vectors) -> Vectors:
    mean = rows.mean(axis=0)
    return (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)


__all__ = ["score_telling"]
