"""Reduce: one candidate pattern out of the facets of a theme's cases, each sentence standing on facets by their ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from patternmind.domain.breadth import measure_breadth
from patternmind.domain.cases import Case
from patternmind.domain.drafts import Claim, Draft, DraftKind
from patternmind.domain.themes import Theme
from patternmind.drafting.llm_proposals.base import (
    AskModel,
    RedactedAnswer,
    build_draft,
    claim_texts,
    collapse_whitespace,
    unknown_source_quote,
)
from patternmind.drafting.patterns import ANECDOTE_NOTE, NO_PATTERN, NOT_STATED
from patternmind.drafting.sentence_selection import content_words
from patternmind.drafting.theme_names import lint_name

PROMPT_ID = "candidate-pattern"

SOLUTION_KEYS = ("therefore", "steps")
"""Two lists of the answer that are one field of a pattern."""

PATTERN_FIELDS = (
    "context",
    "problem",
    "forces",
    "solution",
    "signs_it_applies",
    "do_not_use_when",
    "consequences",
    "counter_evidence",
)


@dataclass(frozen=True, slots=True)
class ShownCase:
    """A case as the model gets to see it: why it was chosen, and its facets, every one of them grounded."""

    case: Case
    selection_reason: str
    facets: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class PatternProposal:
    """What the model proposes for a theme. ``claims`` are not grounded yet; ``reason`` where it sees no pattern."""

    theme: Theme
    shown_cases: tuple[ShownCase, ...]
    n_cases: int
    name: str
    reason: str
    claims: tuple[Claim, ...]
    answer: RedactedAnswer

    def draft(self, grounded_claims: Sequence[Claim], *, run_id: str, made_for: str) -> Draft:
        """The draft that these of its claims make; what none of them states is said to be not stated."""
        fields = (
            self._fields(grounded_claims)
            if not self.reason
            else {"problem": claim_texts(grounded_claims, "problem") or NOT_STATED}
        )
        coverage = _coverage_text(grounded_claims, self.shown_cases, self.n_cases)
        provenance = self.answer.provenance(run_id, [one.case for one in self.shown_cases])
        return build_draft(
            DraftKind.PATTERN,
            self.theme.id,
            self.name if not self.reason else NO_PATTERN,
            {**fields, **({"reason": self.reason} if self.reason else {}), "coverage": coverage}
            | ({} if self.reason else {"related": self.theme.nearest_theme_id or ""}),
            grounded_claims,
            replace(provenance, made_for=made_for),
        )

    def _fields(self, grounded_claims: Sequence[Claim]) -> dict[str, str | tuple[str, ...]]:
        patlet = " ".join(claim_texts(grounded_claims, "patlet")) or _patlet(grounded_claims)
        return {"patlet": patlet, **{name: claim_texts(grounded_claims, name) or NOT_STATED for name in PATTERN_FIELDS}}


def propose_pattern(theme: Theme, shown_cases: Sequence[ShownCase], ask: AskModel, *, n_cases: int) -> PatternProposal:
    """What the model makes of the facets shown to it.

    Args:
        n_cases: of the theme, each story once, shown or not.

    Raises:
        GatewayFailed: there is no usable answer.
    """
    facets = {f"q{number}": facet for number, facet in enumerate((f for one in shown_cases for f in one.facets), 1)}
    answer = ask(
        PROMPT_ID, _variables(theme, shown_cases, facets, n_cases), case_ids=[one.case.id for one in shown_cases]
    )
    said = answer.value
    parts = (
        ("patlet", "context", "problem", "forces", *SOLUTION_KEYS, *PATTERN_FIELDS[4:])
        if said["pattern"]
        else ("problem",)
    )
    return PatternProposal(
        theme=theme,
        shown_cases=tuple(shown_cases),
        n_cases=n_cases,
        name=_validated_name(said["name"], theme, shown_cases),
        reason="" if said["pattern"] else f"{said['reason'][:1].upper()}{said['reason'][1:]}.",
        claims=tuple(_claim(part, one, facets) for part in parts for one in said[part]),
        answer=answer,
    )


def has_problem_and_solution(claims: Sequence[Claim]) -> bool:
    """Whether these claims are a pattern at all: a problem and what helped."""
    return {"problem", "solution"} <= {claim.field for claim in claims}


def _claim(part: str, item: Mapping[str, Any], facets: Mapping[str, Claim]) -> Claim:
    field = "solution" if part in SOLUTION_KEYS else part
    ids = dict.fromkeys(item["facets"])
    quotes = tuple(
        quote for id in ids for quote in (facets[id].quotes if id in facets else (unknown_source_quote(id),))
    )
    return Claim(text=collapse_whitespace(item["text"]), field=field, quotes=tuple(dict.fromkeys(quotes)))


def _patlet(grounded_claims: Sequence[Claim]) -> str:
    """Problem and remedy, where the sentence that was to say both did not hold."""
    return " ".join(part[0] for name in ("problem", "solution") if (part := claim_texts(grounded_claims, name)))


def _validated_name(name: str, theme: Theme, shown_cases: Sequence[ShownCase]) -> str:
    """The proposed name where it is in the words of the cases; else the theme's, which is checked already."""
    texts = ["\n".join(one.case.text.values()) for one in shown_cases]
    said = content_words(name)
    own = {word for text in texts for word in content_words(text)}
    fits = bool(said) and 2 * len(said & own) >= len(said) and not lint_name(name, texts)
    return collapse_whitespace(name) if fits else theme.name


def _variables(
    theme: Theme, shown_cases: Sequence[ShownCase], facets: Mapping[str, Claim], n_cases: int
) -> dict[str, object]:
    teams = {team: number for number, team in enumerate(sorted({c.case.team for c in shown_cases if c.case.team}), 1)}
    ids = {facet: id for id, facet in facets.items()}
    return {
        "theme": {"name": theme.name, "gist": theme.gist, "keywords": list(theme.keywords)},
        "n_shown": len(shown_cases),
        "n_cases": n_cases,
        "n_teams": len(teams),
        "cases": [
            {
                "case_id": one.case.id,
                "why": one.selection_reason,
                "team": teams.get(one.case.team or "", 0),
                "facets": "\n".join(_facet_line(ids[facet], facet) for facet in one.facets),
            }
            for one in shown_cases
        ],
    }


def _facet_line(id: str, facet: Claim) -> str:
    passages = " … ".join(collapse_whitespace(quote.text) for quote in facet.quotes)
    return f'{id} {facet.field.replace("_", " ")}: {facet.text} "{passages}"'


def _coverage_text(grounded_claims: Sequence[Claim], shown_cases: Sequence[ShownCase], n_cases: int) -> str:
    """From how many cases and teams the evidence comes, and of how many; too narrow evidence says so."""
    found = measure_breadth(grounded_claims, {one.case.id: one.case for one in shown_cases})
    told = f"{found.describe(n_theme_cases=n_cases)}; {len(shown_cases)} of {n_cases} cases shown to the model."
    return told + (ANECDOTE_NOTE if found.is_narrow else "")
