"""Which patterns may go out, and how much of them: consent first, then enough different people and teams behind it.

A doubt keeps a text back: a case that is gone, a quote that no longer stands in it and a line that a person took out
are all left out, and everything left out is counted.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from patternmind.model.breadth import counted
from patternmind.model.cases import Case, Consent, Kind
from patternmind.model.drafts import NO_AI, Claim, DraftState, Pattern, Quote
from patternmind.model.network import PublishingRule
from patternmind.model.themes import Theme
from patternmind.publish.closed import Closed, Run, runs_of, words_of
from patternmind.publish.fields import COUNTER, NOT_STATED, WITHDRAWN, FieldValue, lines_of, references

PUBLISHED_STATES = frozenset({DraftState.ACCEPTED, DraftState.FIELD_TESTED})

MIN_QUOTED = 2
"""Evidence is quoted from at least so many cases, and from as many teams (product.md, Pattern)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
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
class Withheld:
    """A pattern that stays with its reviewers, and why. ``name`` is for them; no document shows it."""

    pattern_id: str
    name: str
    reason: str
    n_contributors: int = 0
    n_teams: int = 0


@dataclass(frozen=True, slots=True)
class Sorted:
    """Every pattern in exactly one of three; ``retired`` are those that could have been published."""

    published: tuple[Published, ...]
    withheld: tuple[Withheld, ...]
    retired: tuple[Pattern, ...]


def sort_patterns(
    patterns: Sequence[Pattern], cases: Mapping[str, Case], rule: PublishingRule, *, closed: Closed | None = None
) -> Sorted:
    """What goes into the playbook, what is held back, and what its retired list names; see ``publishable``."""
    closed = closed or _closed(patterns, cases)
    standing = [one for one in patterns if one.state is not DraftState.RETIRED]
    judged = [publishable(one, cases, rule, closed=closed) for one in standing]
    former = [_judge(one, cases, rule, closed) for one in patterns if one.state is DraftState.RETIRED]
    return Sorted(
        published=tuple(one for one in judged if isinstance(one, Published)),
        withheld=tuple(one for one in (*judged, *former) if isinstance(one, Withheld)),
        retired=tuple(one.pattern for one in former if isinstance(one, Published)),
    )


def publishable(
    pattern: Pattern, cases: Mapping[str, Case], rule: PublishingRule, *, closed: Closed | None = None
) -> Published | Withheld:
    """The pattern as others may read it, or why they may not.

    Args:
        cases: every case of the network as it is now, by id; one that is missing counts as withdrawn. With ``closed``
            those that the pattern rests on are enough.
        closed: what network-only cases alone say, of the words of these patterns; made here where it is None.
    """
    if pattern.state not in PUBLISHED_STATES:
        state = pattern.state.value.replace("_", " ")
        return Withheld(pattern_id=pattern.id, name=pattern.name, reason=f"It is {state}, not accepted.")
    return _judge(pattern, cases, rule, closed or _closed([pattern], cases))


def _closed(patterns: Iterable[Pattern], cases: Mapping[str, Case]) -> Closed:
    return Closed.within(said_by(patterns), cases.values())


def said_by(patterns: Iterable[Pattern]) -> list[str]:
    """Every line and name of patterns: what is looked for in closed cases."""
    return [text for one in patterns for text in (one.name, *_lines(one))]


def _lines(pattern: Pattern) -> Iterator[str]:
    for name in pattern.fields:
        yield from lines_of(pattern.fields, name)


def rests_on(pattern: Pattern) -> Iterator[str]:
    """The ids that its cases may have: an input is "case_id@version" or the bare id."""
    yield from (quote.case_id for claim in pattern.claims for quote in claim.quotes)
    for name in pattern.provenance.inputs:
        yield from (name, name.rpartition("@")[0])


def _judge(pattern: Pattern, cases: Mapping[str, Case], rule: PublishingRule, closed: Closed) -> Published | Withheld:
    open_cases = [cases[id] for id in _inputs(pattern, cases) if id in cases and lets_out(cases[id])]
    standing = _count_once(open_cases)
    contributors = {case.contributor for case in standing}
    teams = {case.team for case in standing}
    cut = _cut(pattern, cases, closed)
    lacking = [
        *_too_few(len(contributors), rule.min_contributors, len(teams), rule.min_teams),
        *_too_little_evidence(cut.pattern, cases),
        *(["Its name repeats a text that may not go out: rename it."] if cut.name_tells else []),
    ]
    if lacking:
        lacking += _not_counted(pattern, cases)
        return Withheld(
            pattern_id=pattern.id,
            name=pattern.name,
            reason=" ".join(lacking),
            n_contributors=len(contributors),
            n_teams=len(teams),
        )
    return Published(
        pattern=cut.pattern,
        references=references(cut.pattern.claims, cases),
        n_cases=len(standing),
        n_contributors=len(contributors),
        n_teams=len(teams),
        n_cut_quotes=cut.n_quotes,
        n_cut_claims=cut.n_claims,
        n_cut_lines=cut.n_lines,
    )


def outward(themes: Sequence[Theme], cases: Mapping[str, Case]) -> list[Theme]:
    """The themes as others may read them: without the names, gists and key phrases that only closed cases hold."""
    said = (text for theme in themes for text in (theme.name, theme.gist, *theme.keywords, *theme.differs_by))
    closed = Closed.within(said, cases.values())
    return [_outward(theme, cases, closed) for theme in themes]


def outward_name(theme: Theme, closed: Closed) -> str:
    """Its name, or one that tells nothing where only closed cases hold its words."""
    if closed.in_name(theme.name) or closed.stands_in(theme.name):
        return f"Theme {theme.id[-4:]}"  # as draft.names calls a theme whose cases share no phrase
    return theme.name


def _outward(theme: Theme, cases: Mapping[str, Case], closed: Closed) -> Theme:
    return replace(
        theme,
        name=outward_name(theme, closed),
        gist="" if _is_closed(theme, cases) or closed.stands_in(theme.gist) else theme.gist,
        keywords=tuple(word for word in theme.keywords if not closed.in_name(word)),
        differs_by=tuple(word for word in theme.differs_by if not closed.in_name(word)),
    )


def _is_closed(theme: Theme, cases: Mapping[str, Case]) -> bool:
    """Whether of its cases closed ones alone say its gist; where none does, a model did, of all exemplars shown it."""
    members = (cases[case_id] for case_id in theme.case_ids if case_id in cases)
    saying = [case for case in members if theme.gist and any(theme.gist in text for text in case.text.values())]
    if saying:
        return not any(lets_out(case) for case in saying)
    return any(case_id not in cases or not lets_out(cases[case_id]) for case_id in theme.exemplars)


def lets_out(case: Case) -> bool:
    return case.consent is not Consent.NETWORK_ONLY


def _inputs(pattern: Pattern, cases: Mapping[str, Case]) -> list[str]:
    """Ids of the cases the draft was made from; an input is "case_id@version" or the bare id."""
    ids = (name if name in cases else name.rpartition("@")[0] or name for name in pattern.provenance.inputs)
    return list(dict.fromkeys(ids))


def _count_once(cases: Iterable[Case]) -> list[Case]:
    """Cases without near-duplicates of each other and without recaps of a session on one of them."""
    listed = {case.id: case for case in cases}
    inside = set(listed) | {case.external_id for case in listed.values() if case.external_id}
    return [
        case
        for case in listed.values()
        if case.duplicate_of not in inside
        and not (case.kind is Kind.RECAP and any(linked in inside for linked in case.linked_cases))
    ]


def _too_few(n_contributors: int, min_contributors: int, n_teams: int, min_teams: int) -> list[str]:
    lacking = [
        f"{counted(n, noun)} where {least} are needed"
        for n, least, noun in ((n_contributors, min_contributors, "contributor"), (n_teams, min_teams, "team"))
        if n < least
    ]
    return [f"It stands on {' and '.join(lacking)}."] if lacking else []


def _too_little_evidence(pattern: Pattern, cases: Mapping[str, Case]) -> list[str]:
    if not lines_of(pattern.fields, "solution"):
        return ["Nothing of its solution may be published."]
    ids = {quote.case_id for claim in pattern.claims if claim.field != COUNTER for quote in claim.quotes}
    quoted = _count_once(cases[id] for id in sorted(ids))
    n_teams = len({case.team for case in quoted})
    if len(quoted) >= MIN_QUOTED and n_teams >= MIN_QUOTED:
        return []
    found = f"{counted(len(quoted), 'case')} and {counted(n_teams, 'team')}"
    return [f"Its quotes come from {found}; {MIN_QUOTED} of each are needed."]


def _not_counted(pattern: Pattern, cases: Mapping[str, Case]) -> list[str]:
    ids = _inputs(pattern, cases)
    closed = sum(id in cases and not lets_out(cases[id]) for id in ids)
    gone = sum(id not in cases for id in ids)
    told = [f"{closed} for the network only"] * bool(closed) + [f"{gone} no longer here"] * bool(gone)
    return [f"Not counted of its {counted(len(ids), 'case')}: {', '.join(told)}."] if told else []


@dataclass(frozen=True, slots=True)
class _Cut:
    pattern: Pattern
    n_quotes: int
    n_claims: int
    n_lines: int
    name_tells: bool


def _cut(pattern: Pattern, cases: Mapping[str, Case], closed: Closed) -> _Cut:
    """The pattern without the quotes that may not go out, the claims left bare, and the lines that repeat these."""
    kept = [
        replace(claim, quotes=tuple(quote for quote in claim.quotes if _may_go(quote, cases)))
        for claim in pattern.claims
        if _still_meant(claim, pattern) and not _may_mix(claim, pattern, cases)
    ]
    kept = [claim for claim in kept if claim.quotes]
    kept_back = _kept_back(pattern, kept, cases, closed)
    fields = _cut_fields(pattern.fields, kept_back)
    return _Cut(
        pattern=replace(pattern, claims=tuple(kept), fields=fields),
        n_quotes=_n_quotes(pattern.claims) - _n_quotes(kept),
        n_claims=len(pattern.claims) - len(kept),
        n_lines=_n_lines(pattern.fields) - _n_lines(fields),
        name_tells=kept_back.found_in(pattern.name) or closed.in_name(pattern.name),
    )


def _n_quotes(claims: Iterable[Claim]) -> int:
    return sum(len(claim.quotes) for claim in claims)


def _n_lines(fields: Mapping[str, FieldValue]) -> int:
    return sum(len(lines_of(fields, name)) for name in fields)


def _may_go(quote: Quote, cases: Mapping[str, Case]) -> bool:
    """Its case is here, lets it out, and still says it: a name found later may have changed the redacted text."""
    case = cases.get(quote.case_id)
    return case is not None and lets_out(case) and case.text.get(quote.field, "")[quote.start : quote.end] == quote.text


def _may_mix(claim: Claim, pattern: Pattern, cases: Mapping[str, Case]) -> bool:
    """A model's words may hold something of every case they rest on, so each of these has to let them out."""
    rests_on = (cases.get(quote.case_id) for quote in claim.quotes)
    return pattern.provenance.model != NO_AI and any(case is None or not lets_out(case) for case in rests_on)


SAME_LINE = 1 / 3
"""Share of a claim's words that a reworded line still holds."""


def _still_meant(claim: Claim, pattern: Pattern) -> bool:
    """Whether the claim's line still stands in its field. A person who deletes a line takes its quote out with it;
    one who rewords it does not: then the field has as many lines as claims, or the line shares words with the claim."""
    lines = lines_of(pattern.fields, claim.field)
    if not lines:
        return False
    if len(lines) >= sum(other.field == claim.field for other in pattern.claims):
        return True
    words, held = set(words_of(claim.text)), set(words_of(" ".join(lines)))
    return len(words & held) >= SAME_LINE * len(words)


SHORT = 12
"""Characters below which a text is only looked for as a whole line: "twice" would take half of the pattern with it."""


@dataclass(frozen=True, slots=True)
class _KeptBack:
    """Texts, and runs of words, that may not go out; ``closed`` is what network-only cases alone say."""

    texts: frozenset[str]
    runs: frozenset[Run]
    closed: Closed

    def found_in(self, line: str) -> bool:
        folded = _fold(line)
        whole = any(text == folded or (len(text) >= SHORT and text in folded) for text in self.texts)
        repeated = not self.runs.isdisjoint(runs_of(line)) or self.closed.named_in(line)
        return whole or WITHDRAWN in line or repeated


def _kept_back(pattern: Pattern, kept: Sequence[Claim], cases: Mapping[str, Case], closed_runs: Closed) -> _KeptBack:
    """What only network-only, missing or changed cases say; a sentence that an open case says as well may go out."""
    ids = {*_inputs(pattern, cases), *(quote.case_id for claim in pattern.claims for quote in claim.quotes)}
    here = [cases[id] for id in ids if id in cases]
    closed = [text for case in here if not lets_out(case) for text in case.text.values()]
    opened = [text for case in here if lets_out(case) for text in case.text.values()]
    stays = set(_texts(kept))
    gone = [text for text in _texts(pattern.claims) if text not in stays and text.strip()]
    runs = {run for text in (*closed, *gone) for run in runs_of(text)} | closed_runs.runs
    runs -= {run for text in (*opened, *stays) for run in runs_of(text)}
    said = " \n ".join(_fold(text) for text in (*opened, *stays))
    return _KeptBack(frozenset(_fold(text) for text in gone if _fold(text) not in said), frozenset(runs), closed_runs)


def _texts(claims: Iterable[Claim]) -> list[str]:
    return [text for claim in claims for text in (claim.text, *(quote.text for quote in claim.quotes))]


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())


def _cut_fields(fields: Mapping[str, FieldValue], kept_back: _KeptBack) -> dict[str, FieldValue]:
    cut = {name: _cut_field(value, kept_back) for name, value in fields.items()}
    if "patlet" in cut and cut["patlet"] != fields["patlet"]:
        cut["patlet"] = _patlet(cut)
    return cut


def _cut_field(value: FieldValue, kept_back: _KeptBack) -> FieldValue:
    if not isinstance(value, str):
        return tuple(line for line in value if not kept_back.found_in(line)) or NOT_STATED
    if not kept_back.found_in(value):
        return value
    left = " ".join(part for part in SENTENCE_END.split(value) if not kept_back.found_in(part)).strip()
    return left if left and not kept_back.found_in(left) else NOT_STATED


SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+|(?<=[。！？])")


def _patlet(fields: Mapping[str, FieldValue]) -> str:
    """The patlet told anew from what is left: the first of the problem, and the first of what helped."""
    problem, solution = lines_of(fields, "problem"), lines_of(fields, "solution")
    return f"{problem[0]} Therefore: {solution[0]}" if problem and solution else NOT_STATED
