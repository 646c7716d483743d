"""Decide which patterns may be published, and redact them: by consent, then by contributors and teams.

In doubt, a text is withheld: the quotes of a removed case, quotes that their case no longer contains, and lines that a
person deleted. All omissions are counted.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from patternmind.domain.breadth import MIN_EVIDENCE, measure_breadth
from patternmind.domain.cases import Case, is_publishable
from patternmind.domain.draft_fields import NOT_STATED, WITHDRAWN, DraftFields, FieldValue, stated_lines
from patternmind.domain.drafts import NO_AI, Claim, DraftState, Pattern, Quote
from patternmind.domain.networks import PublishingRule
from patternmind.domain.theme_counts import MemberCounts, count_once
from patternmind.domain.themes import Theme
from patternmind.domain.wording import pluralize
from patternmind.publishing.confidential_phrases import ConfidentialPhrases, WordRun, split_words, word_runs
from patternmind.publishing.field_text import source_references

PUBLISHABLE_STATES = frozenset({DraftState.ACCEPTED, DraftState.FIELD_TESTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPattern:
    """A pattern with only publishable content; ``references`` are the quoted cases by id and quarter.

    The counts include only cases whose consent allows publishing; ``n_cut_*`` count what consent removed.
    """

    pattern: Pattern
    references: Mapping[str, str]
    n_cases: int
    n_contributors: int
    n_teams: int
    n_cut_quotes: int = 0
    n_cut_claims: int = 0
    n_cut_lines: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WithheldPattern:
    """A pattern that may not be published, with the reason; only reviewers see its ``name``."""

    pattern_id: str
    name: str
    reason: str
    n_contributors: int = 0
    n_teams: int = 0


@dataclass(frozen=True, slots=True)
class PlaybookSelection:
    """Each pattern in exactly one group; ``retired`` contains only publishable ones."""

    published: tuple[PublishedPattern, ...]
    withheld: tuple[WithheldPattern, ...]
    retired: tuple[Pattern, ...]


def select_patterns(
    patterns: Sequence[Pattern],
    cases: Mapping[str, Case],
    rule: PublishingRule,
    *,
    confidential: ConfidentialPhrases | None = None,
) -> PlaybookSelection:
    """Sort patterns into published, withheld and retired ones; see ``assess_pattern``."""
    confidential = confidential or _confidential_phrases(patterns, cases)
    retired = [pattern for pattern in patterns if pattern.state is DraftState.RETIRED]
    current = [pattern for pattern in patterns if pattern.state is not DraftState.RETIRED]
    assessed = [assess_pattern(pattern, cases, rule, confidential=confidential) for pattern in current]
    assessed_retired = [_assess(pattern, cases, rule, confidential) for pattern in retired]
    return PlaybookSelection(
        published=tuple(result for result in assessed if isinstance(result, PublishedPattern)),
        withheld=tuple(result for result in (*assessed, *assessed_retired) if isinstance(result, WithheldPattern)),
        retired=tuple(result.pattern for result in assessed_retired if isinstance(result, PublishedPattern)),
    )


def assess_pattern(
    pattern: Pattern,
    cases: Mapping[str, Case],
    rule: PublishingRule,
    *,
    confidential: ConfidentialPhrases | None = None,
) -> PublishedPattern | WithheldPattern:
    """Return the publishable form of a pattern, or the reason why it is withheld.

    Args:
        cases: All current cases of the network by id; a missing one counts as withdrawn. With ``confidential``, the
            pattern's own cases are enough.
        confidential: Phrases of the pattern that only network-only cases contain; computed here if ``None``.
    """
    if pattern.state not in PUBLISHABLE_STATES:
        state = pattern.state.value.replace("_", " ")
        return WithheldPattern(pattern_id=pattern.id, name=pattern.name, reason=f"It is {state}, not accepted.")
    return _assess(pattern, cases, rule, confidential or _confidential_phrases([pattern], cases))


def _confidential_phrases(patterns: Iterable[Pattern], cases: Mapping[str, Case]) -> ConfidentialPhrases:
    return ConfidentialPhrases.find_in(pattern_texts(patterns), cases.values())


def pattern_texts(patterns: Iterable[Pattern]) -> list[str]:
    """Return all strings of patterns to check against confidential cases."""
    return [text for pattern in patterns for text in (pattern.name, *_iter_lines(pattern))]


def _iter_lines(pattern: Pattern) -> Iterator[str]:
    for name in pattern.fields:
        yield from stated_lines(pattern.fields, name)


def source_case_ids(pattern: Pattern) -> Iterator[str]:
    """Yield the ids of the cases that a pattern quotes or was made from."""
    yield from (quote.case_id for claim in pattern.claims for quote in claim.quotes)
    yield from pattern.provenance.case_ids


def _assess(
    pattern: Pattern, cases: Mapping[str, Case], rule: PublishingRule, confidential: ConfidentialPhrases
) -> PublishedPattern | WithheldPattern:
    public_cases = [cases[id] for id in pattern.provenance.case_ids if id in cases and cases[id].is_publishable]
    counts = count_once(public_cases)
    redacted = _redact_pattern(pattern, cases, confidential)
    reasons = [
        *_missing_breadth(counts, rule),
        *_missing_evidence(redacted.pattern, cases),
        *(["Its name repeats text that may not be published: rename it."] if redacted.is_name_confidential else []),
    ]
    if reasons:
        reasons += _uncounted_cases(pattern, cases)
        return WithheldPattern(
            pattern_id=pattern.id,
            name=pattern.name,
            reason=" ".join(reasons),
            n_contributors=counts.n_contributors,
            n_teams=counts.n_teams,
        )
    return PublishedPattern(
        pattern=redacted.pattern,
        references=source_references(redacted.pattern.claims, cases),
        n_cases=len(counts.cases),
        n_contributors=counts.n_contributors,
        n_teams=counts.n_teams,
        n_cut_quotes=redacted.n_quotes,
        n_cut_claims=redacted.n_claims,
        n_cut_lines=redacted.n_lines,
    )


def redact_for_export(themes: Sequence[Theme], cases: Mapping[str, Case]) -> list[Theme]:
    """Return the themes without names, gists and key phrases that only confidential cases contain."""
    texts = (text for theme in themes for text in (theme.name, theme.gist, *theme.keywords, *theme.differs_by))
    confidential = ConfidentialPhrases.find_in(texts, cases.values())
    return [_redact_theme(theme, cases, confidential) for theme in themes]


def redact_theme_name(theme: Theme, confidential: ConfidentialPhrases) -> str:
    """Return the theme's name, or a neutral one if only confidential cases contain its words."""
    if confidential.occurs_in_name(theme.name) or confidential.occurs_in(theme.name):
        return f"Theme {theme.id[-4:]}"  # equals drafting.theme_names.fallback_name
    return theme.name


def _redact_theme(theme: Theme, cases: Mapping[str, Case], confidential: ConfidentialPhrases) -> Theme:
    return replace(
        theme,
        name=redact_theme_name(theme, confidential),
        gist="" if _is_gist_confidential(theme, cases) or confidential.occurs_in(theme.gist) else theme.gist,
        keywords=tuple(word for word in theme.keywords if not confidential.occurs_in_name(word)),
        differs_by=tuple(word for word in theme.differs_by if not confidential.occurs_in_name(word)),
    )


def _is_gist_confidential(theme: Theme, cases: Mapping[str, Case]) -> bool:
    """Return whether the gist comes only from confidential cases.

    A gist that no case contains was written by a model; then each exemplar in its prompt must be publishable.
    """
    members = (cases[case_id] for case_id in theme.case_ids if case_id in cases)
    sources = [case for case in members if theme.gist and any(theme.gist in text for text in case.text.values())]
    if sources:
        return not any(case.is_publishable for case in sources)
    return not all(is_publishable(cases.get(case_id)) for case_id in theme.exemplars)


def _missing_breadth(counts: MemberCounts, rule: PublishingRule) -> list[str]:
    limits = ((counts.n_contributors, rule.min_contributors, "contributors"), (counts.n_teams, rule.min_teams, "teams"))
    missing = [f"{n} of the {n_needed} {noun} needed" for n, n_needed, noun in limits if n < n_needed]
    return [f"It has {' and '.join(missing)}."] if missing else []


def _missing_evidence(pattern: Pattern, cases: Mapping[str, Case]) -> list[str]:
    if not stated_lines(pattern.fields, "solution"):
        return ["No part of its solution may be published."]
    breadth = measure_breadth(pattern.claims, cases)
    if not breadth.is_narrow:
        return []
    sources = f"{pluralize(breadth.n_cases, 'case')} and {pluralize(breadth.n_teams, 'team')}"
    return [f"Its quotes come from {sources}; at least {MIN_EVIDENCE} of each are needed."]


def _uncounted_cases(pattern: Pattern, cases: Mapping[str, Case]) -> list[str]:
    ids = pattern.provenance.case_ids
    n_network_only = sum(id in cases and not cases[id].is_publishable for id in ids)
    n_removed = sum(id not in cases for id in ids)
    counts = [f"{n} {label}" for n, label in ((n_network_only, "network-only"), (n_removed, "removed")) if n]
    return [f"Not counted of its {pluralize(len(ids), 'case')}: {', '.join(counts)}."] if counts else []


@dataclass(frozen=True, slots=True)
class _RedactedPattern:
    pattern: Pattern
    n_quotes: int
    n_claims: int
    n_lines: int
    is_name_confidential: bool


def _redact_pattern(pattern: Pattern, cases: Mapping[str, Case], confidential: ConfidentialPhrases) -> _RedactedPattern:
    """Remove unpublishable quotes, claims without a quote, and lines that repeat them."""
    claims = [
        replace(claim, quotes=tuple(quote for quote in claim.quotes if _is_quote_publishable(quote, cases)))
        for claim in pattern.claims
        if _is_line_kept(claim, pattern) and not _may_mix_confidential(claim, pattern, cases)
    ]
    claims = [claim for claim in claims if claim.quotes]
    withheld = _withheld_texts(pattern, claims, cases, confidential)
    fields = _redact_fields(pattern.fields, withheld)
    return _RedactedPattern(
        pattern=replace(pattern, claims=tuple(claims), fields=fields),
        n_quotes=_count_quotes(pattern.claims) - _count_quotes(claims),
        n_claims=len(pattern.claims) - len(claims),
        n_lines=_count_lines(pattern.fields) - _count_lines(fields),
        is_name_confidential=withheld.occurs_in(pattern.name) or confidential.occurs_in_name(pattern.name),
    )


def _count_quotes(claims: Iterable[Claim]) -> int:
    return sum(len(claim.quotes) for claim in claims)


def _count_lines(fields: DraftFields) -> int:
    return sum(len(stated_lines(fields, name)) for name in fields)


def _is_quote_publishable(quote: Quote, cases: Mapping[str, Case]) -> bool:
    """Return whether the quote's case exists, allows publishing, and still contains the quote.

    A name that was redacted later may have changed the text.
    """
    case = cases.get(quote.case_id)
    return (
        case is not None
        and case.is_publishable
        and case.text.get(quote.field, "")[quote.start : quote.end] == quote.text
    )


def _may_mix_confidential(claim: Claim, pattern: Pattern, cases: Mapping[str, Case]) -> bool:
    """Return whether a model's claim quotes an unpublishable case. Its words may come from any quoted case."""
    quoted_cases = (cases.get(quote.case_id) for quote in claim.quotes)
    return pattern.provenance.model != NO_AI and not all(map(is_publishable, quoted_cases))


MIN_SHARED_WORDS = 1 / 3
"""Minimum share of a claim's words in a reworded line."""


def _is_line_kept(claim: Claim, pattern: Pattern) -> bool:
    """Return whether the claim's line is still in its field.

    A person who deletes a line removes its quote as well; one who rewords it does not. A line counts as reworded if the
    field has as many lines as claims, or if it shares words with the claim.
    """
    lines = stated_lines(pattern.fields, claim.field)
    if not lines:
        return False
    if len(lines) >= sum(other.field == claim.field for other in pattern.claims):
        return True
    claim_words, line_words = set(split_words(claim.text)), set(split_words(" ".join(lines)))
    return len(claim_words & line_words) >= MIN_SHARED_WORDS * len(claim_words)


MIN_SUBSTRING_CHARS = 12
"""Minimum length of a text that is searched within lines; "twice" would remove half of the pattern.

A shorter text must equal the whole line.
"""


@dataclass(frozen=True, slots=True)
class _WithheldTexts:
    """Texts and word runs that may not be published."""

    texts: frozenset[str]
    runs: frozenset[WordRun]
    confidential: ConfidentialPhrases

    def occurs_in(self, line: str) -> bool:
        folded = _normalize(line)
        has_text = any(text == folded or (len(text) >= MIN_SUBSTRING_CHARS and text in folded) for text in self.texts)
        has_run = not self.runs.isdisjoint(word_runs(line)) or self.confidential.is_quoted_in(line)
        return has_text or WITHDRAWN in line or has_run


def _withheld_texts(
    pattern: Pattern, kept_claims: Sequence[Claim], cases: Mapping[str, Case], confidential: ConfidentialPhrases
) -> _WithheldTexts:
    """Return the texts that only network-only, removed or changed cases contain.

    A sentence that a publishable case contains as well may be published.
    """
    ids = {*pattern.provenance.case_ids, *(quote.case_id for claim in pattern.claims for quote in claim.quotes)}
    present = [cases[id] for id in ids if id in cases]
    network_only = [text for case in present if not case.is_publishable for text in case.text.values()]
    public = [text for case in present if case.is_publishable for text in case.text.values()]
    remaining = set(_claim_texts(kept_claims))
    removed = [text for text in _claim_texts(pattern.claims) if text not in remaining and text.strip()]
    runs = {run for text in (*network_only, *removed) for run in word_runs(text)} | confidential.runs
    runs -= {run for text in (*public, *remaining) for run in word_runs(text)}
    publishable = " \n ".join(_normalize(text) for text in (*public, *remaining))
    return _WithheldTexts(
        frozenset(_normalize(text) for text in removed if _normalize(text) not in publishable),
        frozenset(runs),
        confidential,
    )


def _claim_texts(claims: Iterable[Claim]) -> list[str]:
    return [text for claim in claims for text in (claim.text, *(quote.text for quote in claim.quotes))]


def _normalize(text: str) -> str:
    return " ".join(text.casefold().split())


def _redact_fields(fields: DraftFields, withheld: _WithheldTexts) -> dict[str, FieldValue]:
    redacted = {name: _redact_field(value, withheld) for name, value in fields.items()}
    if "patlet" in redacted and redacted["patlet"] != fields["patlet"]:
        redacted["patlet"] = _rebuild_patlet(redacted)
    return redacted


def _redact_field(value: FieldValue, withheld: _WithheldTexts) -> FieldValue:
    if not isinstance(value, str):
        return tuple(line for line in value if not withheld.occurs_in(line)) or NOT_STATED
    if not withheld.occurs_in(value):
        return value
    remaining = " ".join(part for part in SENTENCE_END_PATTERN.split(value) if not withheld.occurs_in(part)).strip()
    return remaining if remaining and not withheld.occurs_in(remaining) else NOT_STATED


SENTENCE_END_PATTERN = re.compile(r"(?<=[.!?…])\s+|\n+|(?<=[。！？])")


def _rebuild_patlet(fields: DraftFields) -> str:
    """Rebuild the patlet from the first remaining lines of problem and solution."""
    problem, solution = stated_lines(fields, "problem"), stated_lines(fields, "solution")
    return f"{problem[0]} Therefore: {solution[0]}" if problem and solution else NOT_STATED
