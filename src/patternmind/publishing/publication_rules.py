"""Which patterns may go out, and how much of them: consent first, then enough different people and teams behind it.

A doubt keeps a text back: a case that is gone, a quote that no longer stands in it and a line that a person took out
are all left out, and everything left out is counted.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from patternmind.domain.breadth import pluralize
from patternmind.domain.cases import Case, CaseKind, Consent
from patternmind.domain.drafts import (
    NO_AI,
    Claim,
    DraftState,
    Pattern,
    Quote,
)
from patternmind.domain.networks import PublishingRule
from patternmind.domain.themes import Theme
from patternmind.publishing.confidential_phrases import (
    ConfidentialPhrases,
    WordRun,
    split_words,
    word_runs,
)
from patternmind.publishing.field_text import (
    COUNTER_EVIDENCE,
    NOT_STATED,
    WITHDRAWN,
    FieldValue,
    source_references,
    stated_lines,
)

PUBLISHABLE_STATES = frozenset({DraftState.ACCEPTED, DraftState.FIELD_TESTED})

MIN_QUOTED_SOURCES = 2
"""Evidence is quoted from at least so many cases, and from as many teams (product.md, Pattern)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPattern:
    """A pattern cut to what may be read by others. ``references`` names the quoted cases by id and quarter.

    The counts are of cases whose consent lets them out; the three ``n_cut_`` say what consent took away.
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
    """A pattern that stays with its reviewers, and why. ``name`` is for them; no document shows it."""

    pattern_id: str
    name: str
    reason: str
    n_contributors: int = 0
    n_teams: int = 0


@dataclass(frozen=True, slots=True)
class PlaybookSelection:
    """Every pattern in exactly one of three; ``retired`` are those that could have been published."""

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
    """What goes into the playbook, what is held back, and what its retired list names; see ``publishable``."""
    confidential = confidential or _confidential_phrases(patterns, cases)
    standing = [one for one in patterns if one.state is not DraftState.RETIRED]
    judged = [assess_pattern(one, cases, rule, confidential=confidential) for one in standing]
    former = [_assess(one, cases, rule, confidential) for one in patterns if one.state is DraftState.RETIRED]
    return PlaybookSelection(
        published=tuple(one for one in judged if isinstance(one, PublishedPattern)),
        withheld=tuple(one for one in (*judged, *former) if isinstance(one, WithheldPattern)),
        retired=tuple(one.pattern for one in former if isinstance(one, PublishedPattern)),
    )


def assess_pattern(
    pattern: Pattern,
    cases: Mapping[str, Case],
    rule: PublishingRule,
    *,
    confidential: ConfidentialPhrases | None = None,
) -> PublishedPattern | WithheldPattern:
    """The pattern as others may read it, or why they may not.

    Args:
        cases: every case of the network as it is now, by id; one that is missing counts as withdrawn. With ``closed``
            those that the pattern rests on are enough.
        closed: what network-only cases alone say, of the words of these patterns; made here where it is None.
    """
    if pattern.state not in PUBLISHABLE_STATES:
        state = pattern.state.value.replace("_", " ")
        return WithheldPattern(pattern_id=pattern.id, name=pattern.name, reason=f"It is {state}, not accepted.")
    return _assess(pattern, cases, rule, confidential or _confidential_phrases([pattern], cases))


def _confidential_phrases(patterns: Iterable[Pattern], cases: Mapping[str, Case]) -> ConfidentialPhrases:
    return ConfidentialPhrases.find_in(pattern_texts(patterns), cases.values())


def pattern_texts(patterns: Iterable[Pattern]) -> list[str]:
    """Every line and name of patterns: what is looked for in closed cases."""
    return [text for one in patterns for text in (one.name, *_iter_lines(one))]


def _iter_lines(pattern: Pattern) -> Iterator[str]:
    for name in pattern.fields:
        yield from stated_lines(pattern.fields, name)


def source_case_ids(pattern: Pattern) -> Iterator[str]:
    """The ids that its cases may have: an input is "case_id@version" or the bare id."""
    yield from (quote.case_id for claim in pattern.claims for quote in claim.quotes)
    for name in pattern.provenance.inputs:
        yield from (name, name.rpartition("@")[0])


def _assess(
    pattern: Pattern, cases: Mapping[str, Case], rule: PublishingRule, confidential: ConfidentialPhrases
) -> PublishedPattern | WithheldPattern:
    open_cases = [cases[id] for id in _input_case_ids(pattern, cases) if id in cases and is_publishable(cases[id])]
    standing = _without_duplicates(open_cases)
    contributors = {case.contributor for case in standing}
    teams = {case.team for case in standing}
    cut = _redact_pattern(pattern, cases, confidential)
    lacking = [
        *_missing_breadth(len(contributors), rule.min_contributors, len(teams), rule.min_teams),
        *_missing_evidence(cut.pattern, cases),
        *(["Its name repeats a text that may not go out: rename it."] if cut.is_name_confidential else []),
    ]
    if lacking:
        lacking += _uncounted_cases(pattern, cases)
        return WithheldPattern(
            pattern_id=pattern.id,
            name=pattern.name,
            reason=" ".join(lacking),
            n_contributors=len(contributors),
            n_teams=len(teams),
        )
    return PublishedPattern(
        pattern=cut.pattern,
        references=source_references(cut.pattern.claims, cases),
        n_cases=len(standing),
        n_contributors=len(contributors),
        n_teams=len(teams),
        n_cut_quotes=cut.n_quotes,
        n_cut_claims=cut.n_claims,
        n_cut_lines=cut.n_lines,
    )


def redact_for_export(themes: Sequence[Theme], cases: Mapping[str, Case]) -> list[Theme]:
    """The themes as others may read them: without the names, gists and key phrases that only closed cases hold."""
    said = (text for theme in themes for text in (theme.name, theme.gist, *theme.keywords, *theme.differs_by))
    closed = ConfidentialPhrases.find_in(said, cases.values())
    return [_redact_theme(theme, cases, closed) for theme in themes]


def redact_theme_name(theme: Theme, confidential: ConfidentialPhrases) -> str:
    """Its name, or one that tells nothing where only closed cases hold its words."""
    if confidential.occurs_in_name(theme.name) or confidential.occurs_in(theme.name):
        return f"Theme {theme.id[-4:]}"  # as draft.names calls a theme whose cases share no phrase
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
    """Whether of its cases closed ones alone say its gist; where none does, a model did, of all exemplars shown it."""
    members = (cases[case_id] for case_id in theme.case_ids if case_id in cases)
    saying = [case for case in members if theme.gist and any(theme.gist in text for text in case.text.values())]
    if saying:
        return not any(is_publishable(case) for case in saying)
    return any(case_id not in cases or not is_publishable(cases[case_id]) for case_id in theme.exemplars)


def is_publishable(case: Case) -> bool:
    return case.consent is not Consent.NETWORK_ONLY


def _input_case_ids(pattern: Pattern, cases: Mapping[str, Case]) -> list[str]:
    """Ids of the cases the draft was made from; an input is "case_id@version" or the bare id."""
    ids = (name if name in cases else name.rpartition("@")[0] or name for name in pattern.provenance.inputs)
    return list(dict.fromkeys(ids))


def _without_duplicates(cases: Iterable[Case]) -> list[Case]:
    """Cases without near-duplicates of each other and without recaps of a session on one of them."""
    listed = {case.id: case for case in cases}
    inside = set(listed) | {case.external_id for case in listed.values() if case.external_id}
    return [
        case
        for case in listed.values()
        if case.duplicate_of not in inside
        and not (case.kind is CaseKind.RECAP and any(linked in inside for linked in case.linked_cases))
    ]


def _missing_breadth(n_contributors: int, min_contributors: int, n_teams: int, min_teams: int) -> list[str]:
    lacking = [
        f"{pluralize(n, noun)} where {least} are needed"
        for n, least, noun in ((n_contributors, min_contributors, "contributor"), (n_teams, min_teams, "team"))
        if n < least
    ]
    return [f"It stands on {' and '.join(lacking)}."] if lacking else []


def _missing_evidence(pattern: Pattern, cases: Mapping[str, Case]) -> list[str]:
    if not stated_lines(pattern.fields, "solution"):
        return ["Nothing of its solution may be published."]
    ids = {quote.case_id for claim in pattern.claims if claim.field != COUNTER_EVIDENCE for quote in claim.quotes}
    quoted = _without_duplicates(cases[id] for id in sorted(ids))
    n_teams = len({case.team for case in quoted})
    if len(quoted) >= MIN_QUOTED_SOURCES and n_teams >= MIN_QUOTED_SOURCES:
        return []
    found = f"{pluralize(len(quoted), 'case')} and {pluralize(n_teams, 'team')}"
    return [f"Its quotes come from {found}; {MIN_QUOTED_SOURCES} of each are needed."]


def _uncounted_cases(pattern: Pattern, cases: Mapping[str, Case]) -> list[str]:
    ids = _input_case_ids(pattern, cases)
    closed = sum(id in cases and not is_publishable(cases[id]) for id in ids)
    gone = sum(id not in cases for id in ids)
    told = [f"{closed} for the network only"] * bool(closed) + [f"{gone} no longer here"] * bool(gone)
    return [f"Not counted of its {pluralize(len(ids), 'case')}: {', '.join(told)}."] if told else []


@dataclass(frozen=True, slots=True)
class _RedactedPattern:
    pattern: Pattern
    n_quotes: int
    n_claims: int
    n_lines: int
    is_name_confidential: bool


def _redact_pattern(pattern: Pattern, cases: Mapping[str, Case], confidential: ConfidentialPhrases) -> _RedactedPattern:
    """The pattern without the quotes that may not go out, the claims left bare, and the lines that repeat these."""
    kept = [
        replace(claim, quotes=tuple(quote for quote in claim.quotes if _is_quote_publishable(quote, cases)))
        for claim in pattern.claims
        if _is_line_kept(claim, pattern) and not _may_mix_confidential(claim, pattern, cases)
    ]
    kept = [claim for claim in kept if claim.quotes]
    kept_back = _withheld_texts(pattern, kept, cases, confidential)
    fields = _redact_fields(pattern.fields, kept_back)
    return _RedactedPattern(
        pattern=replace(pattern, claims=tuple(kept), fields=fields),
        n_quotes=_count_quotes(pattern.claims) - _count_quotes(kept),
        n_claims=len(pattern.claims) - len(kept),
        n_lines=_count_lines(pattern.fields) - _count_lines(fields),
        is_name_confidential=kept_back.occurs_in(pattern.name) or confidential.occurs_in_name(pattern.name),
    )


def _count_quotes(claims: Iterable[Claim]) -> int:
    return sum(len(claim.quotes) for claim in claims)


def _count_lines(fields: Mapping[str, FieldValue]) -> int:
    return sum(len(stated_lines(fields, name)) for name in fields)


def _is_quote_publishable(quote: Quote, cases: Mapping[str, Case]) -> bool:
    """Its case is here, lets it out, and still says it: a name found later may have changed the redacted text."""
    case = cases.get(quote.case_id)
    return (
        case is not None
        and is_publishable(case)
        and case.text.get(quote.field, "")[quote.start : quote.end] == quote.text
    )


def _may_mix_confidential(claim: Claim, pattern: Pattern, cases: Mapping[str, Case]) -> bool:
    """A model's words may hold something of every case they rest on, so each of these has to let them out."""
    rests_on = (cases.get(quote.case_id) for quote in claim.quotes)
    return pattern.provenance.model != NO_AI and any(case is None or not is_publishable(case) for case in rests_on)


MIN_SHARED_WORDS = 1 / 3
"""Share of a claim's words that a reworded line still holds."""


def _is_line_kept(claim: Claim, pattern: Pattern) -> bool:
    """Whether the claim's line still stands in its field. A person who deletes a line takes its quote out with it;
    one who rewords it does not: then the field has as many lines as claims, or the line shares words with the claim."""
    lines = stated_lines(pattern.fields, claim.field)
    if not lines:
        return False
    if len(lines) >= sum(other.field == claim.field for other in pattern.claims):
        return True
    words, held = set(split_words(claim.text)), set(split_words(" ".join(lines)))
    return len(words & held) >= MIN_SHARED_WORDS * len(words)


MIN_SUBSTRING_CHARS = 12
"""Characters below which a text is only looked for as a whole line: "twice" would take half of the pattern with it."""


@dataclass(frozen=True, slots=True)
class _WithheldTexts:
    """Texts, and runs of words, that may not go out; ``closed`` is what network-only cases alone say."""

    texts: frozenset[str]
    runs: frozenset[WordRun]
    closed: ConfidentialPhrases

    def occurs_in(self, line: str) -> bool:
        folded = _normalize(line)
        whole = any(text == folded or (len(text) >= MIN_SUBSTRING_CHARS and text in folded) for text in self.texts)
        repeated = not self.runs.isdisjoint(word_runs(line)) or self.closed.is_quoted_in(line)
        return whole or WITHDRAWN in line or repeated


def _withheld_texts(
    pattern: Pattern, kept_claims: Sequence[Claim], cases: Mapping[str, Case], confidential: ConfidentialPhrases
) -> _WithheldTexts:
    """What only network-only, missing or changed cases say; a sentence that an open case says as well may go out."""
    ids = {*_input_case_ids(pattern, cases), *(quote.case_id for claim in pattern.claims for quote in claim.quotes)}
    here = [cases[id] for id in ids if id in cases]
    closed = [text for case in here if not is_publishable(case) for text in case.text.values()]
    opened = [text for case in here if is_publishable(case) for text in case.text.values()]
    stays = set(_claim_texts(kept_claims))
    gone = [text for text in _claim_texts(pattern.claims) if text not in stays and text.strip()]
    runs = {run for text in (*closed, *gone) for run in word_runs(text)} | confidential.runs
    runs -= {run for text in (*opened, *stays) for run in word_runs(text)}
    said = " \n ".join(_normalize(text) for text in (*opened, *stays))
    return _WithheldTexts(
        frozenset(_normalize(text) for text in gone if _normalize(text) not in said), frozenset(runs), confidential
    )


def _claim_texts(claims: Iterable[Claim]) -> list[str]:
    return [text for claim in claims for text in (claim.text, *(quote.text for quote in claim.quotes))]


def _normalize(text: str) -> str:
    return " ".join(text.casefold().split())


def _redact_fields(fields: Mapping[str, FieldValue], withheld: _WithheldTexts) -> dict[str, FieldValue]:
    cut = {name: _redact_field(value, withheld) for name, value in fields.items()}
    if "patlet" in cut and cut["patlet"] != fields["patlet"]:
        cut["patlet"] = _rebuild_patlet(cut)
    return cut


def _redact_field(value: FieldValue, withheld: _WithheldTexts) -> FieldValue:
    if not isinstance(value, str):
        return tuple(line for line in value if not withheld.occurs_in(line)) or NOT_STATED
    if not withheld.occurs_in(value):
        return value
    left = " ".join(part for part in SENTENCE_END_PATTERN.split(value) if not withheld.occurs_in(part)).strip()
    return left if left and not withheld.occurs_in(left) else NOT_STATED


SENTENCE_END_PATTERN = re.compile(r"(?<=[.!?…])\s+|\n+|(?<=[。！？])")


def _rebuild_patlet(fields: Mapping[str, FieldValue]) -> str:
    """The patlet told anew from what is left: the first of the problem, and the first of what helped."""
    problem, solution = stated_lines(fields, "problem"), stated_lines(fields, "solution")
    return f"{problem[0]} Therefore: {solution[0]}" if problem and solution else NOT_STATED
