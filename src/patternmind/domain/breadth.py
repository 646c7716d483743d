"""How broad the evidence of a draft is: the one counting, and the one wording, of its coverage and of its doubts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from patternmind.domain.cases import Case
from patternmind.domain.drafts import Claim

COUNTER_EVIDENCE_FIELD = "counter_evidence"
"""The field whose quotes speak against the draft: no evidence for it."""

MIN_EVIDENCE = 2
"""Evidence is asked from so many cases, and from as many teams (product.md, Pattern)."""


@dataclass(frozen=True, slots=True)
class EvidenceBreadth:
    """Cases that evidence is quoted from, near-duplicates counted once, and their teams; no team is one."""

    n_cases: int
    n_teams: int

    @property
    def is_narrow(self) -> bool:
        return self.n_cases < MIN_EVIDENCE or self.n_teams < MIN_EVIDENCE

    def describe(self, *, n_theme_cases: int | None = None) -> str:
        """ "Evidence from 8 cases and 1 team", or, of a theme's 32, "Evidence from 8 of 32 cases and 1 team"."""
        cases = (
            pluralize(self.n_cases, "case")
            if n_theme_cases is None
            else f"{self.n_cases} of {pluralize(n_theme_cases, 'case')}"
        )
        return f"Evidence from {cases} and {pluralize(self.n_teams, 'team')}"


def measure_breadth(claims: Iterable[Claim], cases: Mapping[str, Case]) -> EvidenceBreadth:
    """The breadth of the claims of one draft; counter-evidence, and quotes of other cases than these, count nothing."""
    said = (quote.case_id for claim in claims if claim.field != COUNTER_EVIDENCE_FIELD for quote in claim.quotes)
    quoted = {id for id in said if id in cases}
    once = [cases[id] for id in quoted if cases[id].duplicate_of not in quoted]
    return EvidenceBreadth(len(once), len({case.team for case in once}))


def pluralize(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
