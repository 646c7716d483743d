"""Reduce step: propose one candidate pattern from the facets of a theme's cases; each sentence cites facet ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from patternmind.domain.breadth import measure_breadth
from patternmind.domain.cases import Case
from patternmind.domain.draft_fields import NOT_STATED, PATTERN_FIELDS, FieldValue
from patternmind.domain.drafts import NO_PATTERN, Claim, Draft, DraftKind
from patternmind.domain.theme_counts import counted_as
from patternmind.domain.themes import Theme
from patternmind.drafting.identity import build_draft
from patternmind.drafting.llm_proposals.base import (
    AskModel,
    RedactedAnswer,
    claim_texts,
    collapse_whitespace,
    unknown_source_quote,
)
from patternmind.drafting.patterns import ANECDOTE_NOTE
from patternmind.drafting.sentence_selection import content_words
from patternmind.drafting.theme_names import lint_name

PROMPT_ID = "candidate-pattern"

SOLUTION_KEYS = ("therefore", "steps")
"""Lists of the answer that together form the field ``solution``."""


@dataclass(frozen=True, slots=True)
class ShownCase:
    """A case as the prompt shows it: the reason for its selection, and its grounded facets."""

    case: Case
    selection_reason: str
    facets: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class PatternProposal:
    """The model's proposal for a theme.

    Attributes:
        n_shown, n_cases: numbers of cases shown and of cases of the theme, each counted once.
        reason: empty unless the model sees no pattern.
        claims: not grounded yet.
    """

    theme: Theme
    shown_cases: tuple[ShownCase, ...]
    n_shown: int
    n_cases: int
    name: str
    reason: str
    claims: tuple[Claim, ...]
    answer: RedactedAnswer

    def draft(self, grounded_claims: Sequence[Claim], *, run_id: str, made_for: str) -> Draft:
        """Build the draft from the grounded claims; a field without a claim reads ``NOT_STATED``."""
        fields = (
            self._fields(grounded_claims)
            if not self.reason
            else {"problem": claim_texts(grounded_claims, "problem") or NOT_STATED}
        )
        coverage = self._coverage_text(grounded_claims)
        provenance = self.answer.provenance(run_id, [shown_case.case for shown_case in self.shown_cases])
        return build_draft(
            DraftKind.PATTERN,
            self.theme.id,
            self.name if not self.reason else NO_PATTERN,
            {**fields, **({"reason": self.reason} if self.reason else {}), "coverage": coverage}
            | ({} if self.reason else {"related": self.theme.nearest_theme_id or ""}),
            grounded_claims,
            replace(provenance, made_for=made_for),
        )

    def _fields(self, grounded_claims: Sequence[Claim]) -> dict[str, FieldValue]:
        patlet = " ".join(claim_texts(grounded_claims, "patlet")) or _patlet(grounded_claims)
        return {"patlet": patlet, **{name: claim_texts(grounded_claims, name) or NOT_STATED for name in PATTERN_FIELDS}}

    def _coverage_text(self, grounded_claims: Sequence[Claim]) -> str:
        """State the number of quoted cases and teams, and note too few."""
        cases = {shown_case.case.id: shown_case.case for shown_case in self.shown_cases}
        breadth = measure_breadth(grounded_claims, cases)
        quoted = breadth.describe(n_theme_cases=self.n_cases)
        coverage = f"{quoted}; {self.n_shown} of {self.n_cases} cases shown to the model."
        return coverage + (ANECDOTE_NOTE if breadth.is_narrow else "")


def propose_pattern(
    theme: Theme, shown_cases: Sequence[ShownCase], members: Sequence[Case], ask: AskModel
) -> PatternProposal:
    """Ask the model for a pattern from the facets of the shown cases.

    Args:
        members: All cases of the theme, shown or not.

    Raises:
        GatewayFailed: The model gives no usable answer.
    """
    all_facets = (facet for shown_case in shown_cases for facet in shown_case.facets)
    facets = {f"q{number}": facet for number, facet in enumerate(all_facets, 1)}
    case_ids = [shown_case.case.id for shown_case in shown_cases]
    counted = counted_as(members)
    n_shown, n_cases = len({counted[case_id] for case_id in case_ids}), len(set(counted.values()))
    variables = {**_variables(theme, shown_cases, facets), "n_shown": n_shown, "n_cases": n_cases}
    answer = ask(PROMPT_ID, variables, case_ids=case_ids)
    value = answer.value
    parts = (
        ("patlet", "context", "problem", "forces", *SOLUTION_KEYS, *PATTERN_FIELDS[4:])
        if value["pattern"]
        else ("problem",)
    )
    return PatternProposal(
        theme=theme,
        shown_cases=tuple(shown_cases),
        n_shown=n_shown,
        n_cases=n_cases,
        name=_validated_name(value["name"], theme, shown_cases),
        reason="" if value["pattern"] else f"{value['reason'][:1].upper()}{value['reason'][1:]}.",
        claims=tuple(_claim(part, item, facets) for part in parts for item in value[part]),
        answer=answer,
    )


def has_problem_and_solution(claims: Sequence[Claim]) -> bool:
    """Return whether the claims contain at least a problem and a solution."""
    return {"problem", "solution"} <= {claim.field for claim in claims}


def _claim(part: str, item: Mapping[str, Any], facets: Mapping[str, Claim]) -> Claim:
    field = "solution" if part in SOLUTION_KEYS else part
    ids = dict.fromkeys(item["facets"])
    quotes = tuple(
        quote for id in ids for quote in (facets[id].quotes if id in facets else (unknown_source_quote(id),))
    )
    return Claim(text=collapse_whitespace(item["text"]), field=field, quotes=tuple(dict.fromkeys(quotes)))


def _patlet(grounded_claims: Sequence[Claim]) -> str:
    """Return problem and remedy, for a proposal whose own patlet was refused."""
    return " ".join(part[0] for name in ("problem", "solution") if (part := claim_texts(grounded_claims, name)))


def _validated_name(name: str, theme: Theme, shown_cases: Sequence[ShownCase]) -> str:
    """Return the proposed name if its words come from the cases, else the theme's name."""
    texts = ["\n".join(shown_case.case.text.values()) for shown_case in shown_cases]
    name_words = content_words(name)
    case_words = {word for text in texts for word in content_words(text)}
    fits = bool(name_words) and 2 * len(name_words & case_words) >= len(name_words) and not lint_name(name, texts)
    return collapse_whitespace(name) if fits else theme.name


def _variables(theme: Theme, shown_cases: Sequence[ShownCase], facets: Mapping[str, Claim]) -> dict[str, object]:
    teams = {team: number for number, team in enumerate(sorted({c.case.team for c in shown_cases if c.case.team}), 1)}
    ids = {facet: id for id, facet in facets.items()}
    return {
        "theme": {"name": theme.name, "gist": theme.gist, "keywords": list(theme.keywords)},
        "n_teams": len(teams),
        "cases": [
            {
                "case_id": shown_case.case.id,
                "why": shown_case.selection_reason,
                "team": teams.get(shown_case.case.team or "", 0),
                "facets": "\n".join(_facet_line(ids[facet], facet) for facet in shown_case.facets),
            }
            for shown_case in shown_cases
        ],
    }


def _facet_line(id: str, facet: Claim) -> str:
    passages = " … ".join(collapse_whitespace(quote.text) for quote in facet.quotes)
    return f'{id} {facet.field.replace("_", " ")}: {facet.text} "{passages}"'
