"""Count the cases and teams behind a draft's evidence, and describe them.

Coverage, the flag for narrow evidence and the publishing threshold use this count.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from patternmind.domain.cases import Case
from patternmind.domain.draft_fields import COUNTER_EVIDENCE
from patternmind.domain.drafts import Claim
from patternmind.domain.theme_counts import count_once
from patternmind.domain.wording import pluralize

MIN_EVIDENCE = 2
"""Minimum number of quoted cases, and of their teams (product.md, Pattern)."""


@dataclass(frozen=True, slots=True)
class EvidenceBreadth:
    """Numbers of quoted cases and of their teams, each case counted once."""

    n_cases: int
    n_teams: int

    @property
    def is_narrow(self) -> bool:
        return self.n_cases < MIN_EVIDENCE or self.n_teams < MIN_EVIDENCE

    def describe(self, *, n_theme_cases: int | None = None) -> str:
        """Return a phrase such as "Evidence from 8 of 32 cases and 1 team".

        Args:
            n_theme_cases: number of cases of the theme (32 in the example); "of 32" is left out without it.
        """
        cases = (
            pluralize(self.n_cases, "case")
            if n_theme_cases is None
            else f"{self.n_cases} of {pluralize(n_theme_cases, 'case')}"
        )
        return f"Evidence from {cases} and {pluralize(self.n_teams, 'team')}"


def measure_breadth(claims: Iterable[Claim], cases: Mapping[str, Case]) -> EvidenceBreadth:
    """Measure the breadth of one draft's claims.

    Counter-evidence and quotes from cases outside ``cases`` are ignored.
    """
    case_ids = (quote.case_id for claim in claims if claim.field != COUNTER_EVIDENCE for quote in claim.quotes)
    quoted_ids = sorted({id for id in case_ids if id in cases})
    counts = count_once(cases[id] for id in quoted_ids)
    return EvidenceBreadth(len(counts.cases), counts.n_teams)
