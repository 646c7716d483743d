"""Which cases of a theme a model gets to see: central ones, those that speak against a remedy, and varied others."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.cases import Case
from patternmind.domain.themes import Vectors
from patternmind.text import SentenceRole, extract_sentences

MAX_CASES_SHOWN = 18
"""About 6,000 tokens of facets. Each further case costs a call and says, past a dozen, mostly what is said already."""

MAX_COUNTER_EXAMPLES = 4

MAX_CASES_READ = 600
"""Of a larger theme every n-th case by strength is read: choosing takes well under a second, whatever its size."""

SAME_TEAM_WEIGHT = 0.8
"""What a case counts whose team is among the chosen already."""

NO_REMEDY_WEIGHT = 0.6
"""What a case counts that says nothing of a remedy."""


@dataclass(frozen=True, slots=True)
class SelectedCase:
    """``why`` is central, edge, counter-example or varied."""

    case: Case
    selection_reason: str


def select_cases(
    cases: Sequence[Case],
    vectors: Vectors,
    strength: Sequence[float],
    *,
    exemplar_ids: Sequence[str] = (),
    edge_case_id: str | None = None,
    limit: int = MAX_CASES_SHOWN,
) -> list[SelectedCase]:
    """The cases to show, central ones first; the same whatever the order of ``cases``, as long as ids differ.

    The rest is chosen one by one: firm in the theme, far from what is chosen already, from another team, and
    telling of a remedy before one that tells of none.

    Args:
        vectors: row i is of ``cases[i]``; (n, d), unit norm.
        strength: of ``cases[i]`` in the theme, 0..1.
        central: ids, the most central first.
    """
    order = sorted(range(len(cases)), key=lambda row: (-strength[row], cases[row].id))
    order = _every_nth(order, always_keep=[row for row in order if cases[row].id in {*exemplar_ids, edge_case_id}])
    chooser = _CaseSelector([cases[row] for row in order], vectors[order], np.asarray([strength[row] for row in order]))
    for case_id in exemplar_ids:
        chooser.take(case_id, "central", limit)
    if edge_case_id is not None:
        chooser.take(edge_case_id, "edge", limit)
    chooser.fill(
        "counter-example", among=chooser.counter_examples, limit=min(limit, len(chooser.chosen) + MAX_COUNTER_EXAMPLES)
    )
    chooser.fill("varied", among=set(range(len(order))), limit=limit)
    return chooser.chosen


def _every_nth(order: Sequence[int], *, always_keep: Sequence[int]) -> list[int]:
    step = -(-len(order) // MAX_CASES_READ)
    return [row for at, row in enumerate(order) if step <= 1 or at % step == 0 or row in always_keep]


class _CaseSelector:
    """Chooses greedily; ``far`` is how far each case is from what is chosen, 1 where nothing is."""

    def __init__(self, cases: Sequence[Case], vectors: Vectors, strength: NDArray[np.float64]) -> None:
        self._cases, self._vectors = cases, vectors
        roles = [{sentence.role for sentence in extract_sentences(case)} for case in cases]
        self.counter_examples = {row for row, told in enumerate(roles) if SentenceRole.WORSE in told}
        tells = np.asarray(
            [1.0 if told & {SentenceRole.HELPED, SentenceRole.WORSE} else NO_REMEDY_WEIGHT for told in roles]
        )
        self._weights = (0.5 + 0.5 * strength) * tells
        self._distances = np.ones(len(cases))
        self.chosen: list[SelectedCase] = []
        self._selected_rows: set[int] = set()
        self._selected_teams: set[str | None] = {None}

    def take(self, case_id: str, why: str, limit: int) -> None:
        row = next((row for row, case in enumerate(self._cases) if case.id == case_id), None)
        if row is not None and row not in self._selected_rows and len(self.chosen) < limit:
            self._add(row, why)

    def fill(self, why: str, *, among: Collection[int], limit: int) -> None:
        while len(self.chosen) < limit and (free := [row for row in sorted(among) if row not in self._selected_rows]):
            self._add(max(free, key=lambda row: (self._score(row), -row)), why)

    def _score(self, row: int) -> float:
        voice = SAME_TEAM_WEIGHT if self._cases[row].team in self._selected_teams else 1.0
        return float(self._weights[row] * self._distances[row]) * voice

    def _add(self, row: int, why: str) -> None:
        self.chosen.append(SelectedCase(self._cases[row], why))
        self._selected_rows.add(row)
        self._selected_teams.add(self._cases[row].team)
        self._distances = np.minimum(self._distances, 1.0 - self._vectors @ self._vectors[row])
