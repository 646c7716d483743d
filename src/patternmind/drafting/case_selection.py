"""Select the cases of a theme for a prompt: central ones, counter-examples, and varied others."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.cases import Case
from patternmind.domain.themes import Vectors
from patternmind.text import SentenceRole, extract_sentences

MAX_CASES_SHOWN = 18
"""Limit for one prompt: about 6,000 tokens of facets.

Each further case costs a call; past a dozen, it mostly repeats what the others say.
"""

MAX_COUNTER_EXAMPLES = 4

MAX_CASES_READ = 600
"""Cases read of one theme; of a larger theme, every n-th case by strength.

Selection then takes well under a second for a theme of any size.
"""

SAME_TEAM_WEIGHT = 0.8
"""Weight of a case whose team is already among the selected cases."""

NO_REMEDY_WEIGHT = 0.6
"""Weight of a case that mentions no remedy."""


@dataclass(frozen=True, slots=True)
class SelectedCase:
    """A case with the reason for its selection: central, edge, counter-example or varied."""

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
    """Return the cases to show, central ones first.

    The result does not depend on the order of ``cases`` as long as their ids differ. After the central cases, each
    step adds the best remaining case: strong in the theme, distant from the selected cases, from another team, and
    mentioning a remedy.

    Args:
        vectors: (n, d), unit norm; row i belongs to ``cases[i]``.
        strength: Strength of ``cases[i]`` in the theme, 0..1.
        exemplar_ids: Ids of the central cases, the most central first.
    """
    order = sorted(range(len(cases)), key=lambda row: (-strength[row], cases[row].id))
    order = _every_nth(order, always_keep=[row for row in order if cases[row].id in {*exemplar_ids, edge_case_id}])
    selector = _CaseSelector(
        [cases[row] for row in order], vectors[order], np.asarray([strength[row] for row in order])
    )
    for case_id in exemplar_ids:
        selector.add_case(case_id, "central", limit)
    if edge_case_id is not None:
        selector.add_case(edge_case_id, "edge", limit)
    counter_limit = min(limit, len(selector.selected) + MAX_COUNTER_EXAMPLES)
    selector.add_best("counter-example", candidate_rows=selector.counter_examples, limit=counter_limit)
    selector.add_best("varied", candidate_rows=set(range(len(order))), limit=limit)
    return selector.selected


def _every_nth(order: Sequence[int], *, always_keep: Sequence[int]) -> list[int]:
    step = -(-len(order) // MAX_CASES_READ)
    return [row for position, row in enumerate(order) if step <= 1 or position % step == 0 or row in always_keep]


class _CaseSelector:
    """Greedy selection; ``_distances`` holds each case's distance to the nearest selected case, 1 before the first."""

    def __init__(self, cases: Sequence[Case], vectors: Vectors, strength: NDArray[np.float64]) -> None:
        self._cases, self._vectors = cases, vectors
        roles = [{sentence.role for sentence in extract_sentences(case)} for case in cases]
        self.counter_examples = {row for row, case_roles in enumerate(roles) if SentenceRole.WORSE in case_roles}
        remedy_roles = {SentenceRole.HELPED, SentenceRole.WORSE}
        remedy_weights = np.asarray([1.0 if case_roles & remedy_roles else NO_REMEDY_WEIGHT for case_roles in roles])
        self._weights = (0.5 + 0.5 * strength) * remedy_weights
        self._distances = np.ones(len(cases))
        self.selected: list[SelectedCase] = []
        self._selected_rows: set[int] = set()
        self._selected_teams: set[str | None] = {None}

    def add_case(self, case_id: str, selection_reason: str, limit: int) -> None:
        row = next((row for row, case in enumerate(self._cases) if case.id == case_id), None)
        if row is not None and row not in self._selected_rows and len(self.selected) < limit:
            self._add(row, selection_reason)

    def add_best(self, selection_reason: str, *, candidate_rows: Collection[int], limit: int) -> None:
        while len(self.selected) < limit:
            free_rows = [row for row in sorted(candidate_rows) if row not in self._selected_rows]
            if not free_rows:
                return
            self._add(max(free_rows, key=lambda row: (self._score(row), -row)), selection_reason)

    def _score(self, row: int) -> float:
        team_weight = SAME_TEAM_WEIGHT if self._cases[row].team in self._selected_teams else 1.0
        return float(self._weights[row] * self._distances[row]) * team_weight

    def _add(self, row: int, selection_reason: str) -> None:
        self.selected.append(SelectedCase(self._cases[row], selection_reason))
        self._selected_rows.add(row)
        self._selected_teams.add(self._cases[row].team)
        self._distances = np.minimum(self._distances, 1.0 - self._vectors @ self._vectors[row])
