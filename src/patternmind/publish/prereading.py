"""Pre-reading as a document: two pages, eight minutes, the case in its own words first, and what is not known last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from patternmind.model.cases import Case, Consent
from patternmind.model.drafts import (
    Action,
    Claim,
    Decision,
    Draft,
    DraftState,
    GroundedDraft,
    Pattern,
    ReviewedDraft,
)
from patternmind.model.network import Network
from patternmind.model.themes import Theme
from patternmind.publish.document import (
    Block,
    Bullets,
    Document,
    Facts,
    Heading,
    Note,
    Numbered,
    Paragraph,
    Quote,
    count_words,
    document_words,
)
from patternmind.publish.fields import (
    FieldValue,
    counted,
    lines_of,
    one_text,
    provenance_line,
    reference,
    sourced,
    told,
)

MOST_WORDS = 900
"""Two pages, and under eight minutes at 120 words a minute, slower than most people read (product.md, Pre-reading)."""

CASE_WORDS = 250
LONGEST_SENTENCE = 80
"""Words; a longer "sentence" is a text without full stops and would take the place of everything else."""

MOST_PATTERNS = 2
MOST_QUOTES = 3

SAYS_NOTHING = "Not stated in these cases."
NO_COUNTER_EVIDENCE = "Counter-evidence: none in these cases."
NO_SLIDES = "No slides. Bring your own case of this kind, one question, and what you would like to try."

Parts = dict[str, tuple[str, ...]]

SHORTENING = (
    ("helped", 1),
    ("forces", 1),
    ("counter", 1),
    ("disagreement", 1),
    ("unknown", 2),
    ("quotes", 1),
    ("case", 3),
    ("helped", 0),
    ("forces", 0),
    ("quotes", 0),
    ("counter", 0),
    ("disagreement", 0),
    ("patlet", 0),
    ("unknown", 0),
    ("questions", 0),
    ("case", 0),
)
"""What gives way first, and down to how many sentences, until two pages hold it. Sentences go whole or stay whole."""


@dataclass(frozen=True, slots=True)
class _Card:
    """A pattern as a reader of two pages needs it."""

    id: str
    name: str
    state: DraftState
    fields: Mapping[str, FieldValue]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class _Subject:
    """All that stands in the document whatever its length. ``sources`` are references by case id."""

    draft: Draft
    fields: Mapping[str, FieldValue]
    approval: Decision | None
    theme: Theme | None
    cards: tuple[_Card, ...]
    others: tuple[_Card, ...]
    no_pattern: str
    sources: Mapping[str, str]
    network: Network
    cases: Mapping[str, Case]


def make_prereading(
    grounded: GroundedDraft | ReviewedDraft,
    *,
    theme: Theme | None,
    patterns: Sequence[ReviewedDraft | Pattern],
    cases: Mapping[str, Case],
    network: Network,
) -> Document:
    """Two pages for a session of this network. It says "Draft, not reviewed" unless a decision approved it.

    It stays within the network, so it may quote network-only cases; then it says so.

    Args:
        patterns: of the theme; the first two that nobody rejected or retired are shown, accepted before candidates.
    """
    subject = _subject(grounded, theme=theme, patterns=patterns, cases=cases, network=network)
    whole = _parts(subject)
    parts = _without_long_sentences(whole)
    document = _document(subject, parts, n_left_out=_n_lines(whole) - _n_lines(parts))
    for name, least in SHORTENING:
        while document_words(document) > MOST_WORDS and (longest := _longest(parts, name, least)):
            parts[longest] = parts[longest][:-1]
            document = _document(subject, parts, n_left_out=_n_lines(whole) - _n_lines(parts))
    return document


def prereading_record(grounded: GroundedDraft | ReviewedDraft) -> dict[str, Any]:
    """The pre-reading as JSON: a line of ``export drafts``, its claims with their quotes."""
    draft, decisions = _parted(grounded)
    return {
        "id": draft.id,
        "kind": draft.kind.value,
        "state": _state(decisions).value,
        "theme_id": draft.theme_id,
        "name": draft.name,
        "fields": {
            name: value if isinstance(value, str) else list(value) for name, value in _fields(draft, decisions).items()
        },
        "claims": [_claim_record(claim) for claim in draft.claims],
        "provenance": {
            "run_id": draft.provenance.run_id,
            "model": draft.provenance.model,
            "prompt": draft.provenance.prompt,
            "prompt_hash": draft.provenance.prompt_hash,
            "inputs": list(draft.provenance.inputs),
        },
    }


def _claim_record(claim: Claim) -> dict[str, Any]:
    quotes = [
        {"case_id": quote.case_id, "field": quote.field, "start": quote.start, "end": quote.end, "text": quote.text}
        for quote in claim.quotes
    ]
    return {"text": claim.text, "field": claim.field, "quotes": quotes}


# What the decisions say. ``review`` reads the same off the log; steps do not import each other, a test compares them.


def _parted(one: GroundedDraft | ReviewedDraft) -> tuple[Draft, list[Decision]]:
    """A draft and the decisions on it that still hold."""
    if isinstance(one, GroundedDraft):
        return one.draft, []
    taken_back = {decision.undoes for decision in one.decisions}
    held = [each for each in one.decisions if each.action is not Action.UNDO and each.id not in taken_back]
    return one.grounded.draft, held


def _state(held: Sequence[Decision]) -> DraftState:
    return held[-1].after if held else DraftState.CANDIDATE


def _fields(draft: Draft, held: Sequence[Decision]) -> dict[str, FieldValue]:
    fields = dict(draft.fields)
    for decision in held:
        fields.update({name: value for name, value in decision.edits.items() if name != "name"})
    return fields


def _name(draft: Draft, held: Sequence[Decision]) -> str:
    names = [decision.edits["name"] for decision in held if "name" in decision.edits]
    last = names[-1] if names else draft.name
    return last if isinstance(last, str) else " ".join(last)


def _card(one: ReviewedDraft | Pattern) -> _Card:
    if isinstance(one, Pattern):
        return _Card(one.id, one.name, one.state, one.fields, one.claims)
    draft, held = _parted(one)
    return _Card(draft.id, _name(draft, held), _state(held), _fields(draft, held), draft.claims)


def _subject(
    grounded: GroundedDraft | ReviewedDraft,
    *,
    theme: Theme | None,
    patterns: Sequence[ReviewedDraft | Pattern],
    cases: Mapping[str, Case],
    network: Network,
) -> _Subject:
    draft, held = _parted(grounded)
    approved = [one for one in held if one.action is Action.ACCEPT]
    standing = [
        card for one in patterns if (card := _card(one)).state not in {DraftState.REJECTED, DraftState.RETIRED}
    ]
    usable = [card for card in standing if lines_of(card.fields, "solution")]
    usable.sort(key=lambda card: card.state not in {DraftState.ACCEPTED, DraftState.FIELD_TESTED})
    return _Subject(
        draft=replace(draft, name=_name(draft, held)),
        fields=_fields(draft, held),
        approval=approved[-1] if approved and _state(held) is DraftState.ACCEPTED else None,
        theme=theme,
        cards=tuple(usable[:MOST_PATTERNS]),
        others=tuple(usable[MOST_PATTERNS:]),
        no_pattern=next((reason for card in standing if (reason := one_text(card.fields, "reason"))), ""),
        sources={id: reference(case) for id, case in cases.items()},
        network=network,
        cases=cases,
    )


# How long it may be: every sentence that can be left out stands in a part.


def _parts(subject: _Subject) -> Parts:
    names = ("case", "quotes", "helped", "disagreement", "unknown", "questions")
    parts = {name: lines_of(subject.fields, name) for name in names}
    parts["quotes"] = parts["quotes"][:MOST_QUOTES]
    for card in subject.cards:
        parts[f"patlet of {card.id}"] = lines_of(card.fields, "patlet")
        parts[f"forces of {card.id}"] = lines_of(card.fields, "forces")
        parts[f"counter of {card.id}"] = lines_of(card.fields, "counter_evidence")
    return parts


def _without_long_sentences(parts: Parts) -> Parts:
    short = {name: tuple(line for line in lines if count_words(line) <= LONGEST_SENTENCE) for name, lines in parts.items()}
    while sum(count_words(line) for line in short["case"]) > CASE_WORDS:
        short["case"] = short["case"][:-1]
    return short


def _n_lines(parts: Parts) -> int:
    return sum(len(lines) for lines in parts.values())


def _longest(parts: Parts, name: str, least: int) -> str | None:
    """The part of this name, of whichever pattern, that has most sentences above the least it keeps."""
    named = [one for one in parts if one == name or one.startswith(f"{name} of ")]
    able = [one for one in named if len(parts[one]) > least]
    return max(able, key=lambda one: len(parts[one]), default=None)


# What it says, in the order a reader needs it.


def _document(subject: _Subject, parts: Parts, *, n_left_out: int) -> Document:
    blocks = [
        *_opening(subject),
        *_case(subject, parts["case"]),
        *_theme(subject.theme),
        *_voices("In the words of others", subject, "quotes", parts),
        *_voices("What helped elsewhere", subject, "helped", parts),
        *_patterns(subject, parts),
        *_open_points(subject, parts),
        *_questions(parts["questions"]),
        *_related(subject),
        *_closing(subject, parts, n_left_out=n_left_out),
    ]
    return Document(
        kind="pre-reading",
        title=subject.draft.name,
        blocks=tuple(blocks),
        front={
            "network": subject.network.name,
            "session": one_text(subject.fields, "session"),
            "date": one_text(subject.fields, "date"),
            "draft": subject.draft.id,
            "theme": subject.draft.theme_id or "",
            "reviewed": subject.approval is not None,
            "model": subject.draft.provenance.model,
        },
    )


def _opening(subject: _Subject) -> list[Block]:
    session, date = one_text(subject.fields, "session"), one_text(subject.fields, "date")
    blocks: list[Block] = [Facts((("Session", session or "not named yet"), ("Date", date or "not set yet")))]
    if subject.approval is None:
        blocks.append(Note("Draft, not reviewed", "Nobody has checked this selection yet; the quotes are word for word."))
    else:
        blocks.append(Note("Approved", f"By {subject.approval.by} on {subject.approval.at.date().isoformat()}."))
    leave_with = one_text(subject.fields, "leave_with")
    return [*blocks, *([Paragraph(leave_with, lead=True)] if leave_with else [])]


def _case(subject: _Subject, lines: Sequence[str]) -> list[Block]:
    """The case's own sentences as one quote; sentences that a person wrote into it stand beside, not inside."""
    claims = {claim.text: claim for claim in subject.draft.claims if claim.field == "case"}
    own = [line for line in lines if line in claims and any(quote.text == line for quote in claims[line].quotes)]
    added = [line for line in lines if line not in own]
    title = one_text(subject.fields, "case_title")
    blocks: list[Block] = [Heading(2, "The case, in its own words"), *([Heading(3, title)] if title else [])]
    if own:
        case_id = claims[own[0]].quotes[0].case_id
        blocks.append(Quote(" ".join(own), subject.sources.get(case_id, case_id)))
    blocks += [Paragraph(line) for line in added]
    return blocks if own or added else [*blocks, Paragraph("It does not fit on two pages: read the case itself.")]


def _theme(theme: Theme | None) -> list[Block]:
    if theme is None:
        text = "This topic is in no theme yet: the voices below are from the cases closest to it."
        return [Heading(2, "Its theme"), Paragraph(text)]
    size = f"{counted(theme.n_cases, 'case')}, {counted(theme.n_teams, 'team')}, {counted(theme.n_contributors, 'contributor')}"
    rows = [
        ("Theme", theme.name),
        ("What recurs", theme.gist),
        ("Size", f"{size}; {theme.new_cases} new since last quarter" if theme.new_cases else size),
        ("By quarter", ", ".join(f"{quarter}: {n}" for quarter, n in theme.trend.items())),
        ("Share of intake", f"{round(theme.share * 100)} %" if theme.share else ""),
        ("Set apart by", ", ".join(theme.differs_by or theme.keywords)),
    ]
    return [Heading(2, "Its theme"), Facts(tuple(row for row in rows if row[1]))]


def _voices(title: str, subject: _Subject, name: str, parts: Parts) -> list[Block]:
    claims = [claim for claim in subject.draft.claims if claim.field == name]
    return [Heading(2, title), *(told(parts[name], claims, subject.sources) or [Paragraph(SAYS_NOTHING)])]


def _patterns(subject: _Subject, parts: Parts) -> list[Block]:
    blocks: list[Block] = [Heading(2, "Patterns to look at")]
    if not subject.cards:
        reason = f"No repeatable pattern in these cases. {subject.no_pattern}" if subject.no_pattern else "None yet."
        return [*blocks, Paragraph(reason)]
    for card in subject.cards:
        blocks += _pattern(card, subject, parts)
    return blocks


STANDING = {
    DraftState.ACCEPTED: ("Accepted", "a named person accepted it for this network"),
    DraftState.FIELD_TESTED: ("Accepted and field-tested", "colleagues have used it in their own work"),
}


def _pattern(card: _Card, subject: _Subject, parts: Parts) -> list[Block]:
    label, meaning = STANDING.get(card.state, ("Candidate", "proposed from the cases; nobody has accepted it yet"))
    patlet = " ".join(parts[f"patlet of {card.id}"])
    forces = sourced(parts[f"forces of {card.id}"], card.claims, subject.sources)
    counter = sourced(parts[f"counter of {card.id}"], card.claims, subject.sources)
    against = tuple(f"Counter-evidence: {line}" for line in counter)
    if not lines_of(card.fields, "counter_evidence"):
        against = (NO_COUNTER_EVIDENCE,)
    blocks: list[Block] = [Heading(3, card.name), Note(label, f"{meaning[:1].upper()}{meaning[1:]}.")]
    blocks += [Paragraph(patlet)] if patlet else []
    return [*blocks, Bullets((*(f"Force: {line}" for line in forces), *against))]


def _open_points(subject: _Subject, parts: Parts) -> list[Block]:
    claims = [claim for claim in subject.draft.claims if claim.field == "disagreement"]
    against = told(parts["disagreement"], claims, subject.sources)
    unknown = parts["unknown"]
    return [
        Heading(2, "What we do not know, and where cases disagree"),
        *([Bullets(unknown)] if unknown else []),
        *(against or [Paragraph("No case says that a remedy failed or made things worse.")]),
    ]


def _questions(lines: tuple[str, ...]) -> list[Block]:
    title = "Three questions" if len(lines) == 3 else "Questions"
    return [Heading(2, title), Numbered(lines) if lines else Paragraph("Bring the one you want answered.")]


def _related(subject: _Subject) -> list[Block]:
    uses = [f"{card.name}: {line}" for card in subject.cards for line in lines_of(card.fields, "known_uses")]
    names = [card.name for card in subject.others]
    lines = (*names, *uses)[:4]
    empty = Paragraph("No other pattern of this theme, and no recorded use, yet.")
    return [Heading(2, "Related patterns and uses"), Bullets(lines) if lines else empty]


def _closing(subject: _Subject, parts: Parts, *, n_left_out: int) -> list[Block]:
    blocks: list[Block] = [Heading(2, "Before you come"), Paragraph(NO_SLIDES)]
    n_closed = _n_network_only(subject, parts)
    if n_closed:
        text = f"It quotes {counted(n_closed, 'case')} whose authors let it go no further. Do not pass it on."
        blocks.append(Note(f"For {subject.network.name or 'this network'} only", text))
    shortened = f" Shortened to two pages: {counted(n_left_out, 'sentence')} left out." if n_left_out else ""
    return [*blocks, Paragraph(f"How this was made: {provenance_line(subject.draft.provenance)}{shortened}")]


def _n_network_only(subject: _Subject, parts: Parts) -> int:
    """How many of the cases quoted in these pages are for the network alone."""
    shown = {line for lines in parts.values() for line in lines}
    claims = [*subject.draft.claims, *(claim for card in subject.cards for claim in card.claims)]
    ids = {quote.case_id for claim in claims if claim.text.strip() in shown for quote in claim.quotes}
    return sum(id in subject.cases and subject.cases[id].consent is Consent.NETWORK_ONLY for id in ids)
