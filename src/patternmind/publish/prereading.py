"""Pre-reading as a document: two pages, eight minutes, the case in its own words first, and what is not known last."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from patternmind.model.cases import Case, Consent
from patternmind.model.drafts import Claim, DraftState, GroundedDraft, Pattern, ReviewedDraft
from patternmind.model.drafts import Quote as SourceQuote
from patternmind.model.network import Network
from patternmind.model.themes import Theme
from patternmind.publish.decided import fields_of, parted, state_of
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
)
from patternmind.publish.fields import (
    COUNTER,
    SAYS_NOTHING,
    FieldValue,
    counted,
    lines_of,
    one_text,
    provenance_line,
    sourced,
    told,
)
from patternmind.publish.shorten import (
    SHORTENING,
    Parts,
    longest_part,
    n_lines,
    parts_of,
    too_long,
    without_long_sentences,
)
from patternmind.publish.subject import Card, Subject, gather_subject

SPACE_BETWEEN = 3
"""Characters between two sentences that follow each other; list marks and blank lines included."""

MOST_QUARTERS = 8

LEFT_OUT = "Left out to keep to two pages; it stands in the draft."
NO_DISAGREEMENT = "Nothing was found in these cases that speaks against a remedy."
NO_SLIDES = "No slides. Bring your own case of this kind, one question, and what you would like to try."


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
    subject = gather_subject(grounded, theme=theme, patterns=patterns, cases=cases, network=network)
    whole = parts_of(subject)
    parts = without_long_sentences(whole)
    document = _document(subject, parts, n_left_out=n_lines(whole) - n_lines(parts))
    for name, least in SHORTENING:
        while too_long(document) and (longest := longest_part(parts, name, least)):
            parts[longest] = parts[longest][:-1]
            document = _document(subject, parts, n_left_out=n_lines(whole) - n_lines(parts))
    return document


def prereading_record(grounded: GroundedDraft | ReviewedDraft) -> dict[str, Any]:
    """The pre-reading as JSON: a line of ``export drafts``, its claims with their quotes."""
    draft, decisions = parted(grounded)
    return {
        "id": draft.id,
        "kind": draft.kind.value,
        "state": state_of(decisions).value,
        "theme_id": draft.theme_id,
        "name": draft.name,
        "fields": {
            name: value if isinstance(value, str) else list(value)
            for name, value in fields_of(draft, decisions).items()
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


def _document(subject: Subject, parts: Parts, *, n_left_out: int) -> Document:
    blocks = [
        *_opening(subject),
        *_case(subject, parts["case"]),
        *_theme(subject.theme),
        *_voices("In the words of others", subject, "quotes", parts),
        *_voices("What helped elsewhere", subject, "helped", parts),
        *_patterns(subject, parts),
        *_open_points(subject, parts),
        *_questions(parts["questions"]),
        *_related(subject, parts["related"]),
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


def _opening(subject: Subject) -> list[Block]:
    session, date = one_text(subject.fields, "session"), one_text(subject.fields, "date")
    blocks: list[Block] = [Facts((("Session", session or "not named yet"), ("Date", date or "not set yet")))]
    if subject.approval is None:
        blocks.append(
            Note("Draft, not reviewed", "Nobody has checked this selection yet; the quotes are word for word.")
        )
    else:
        blocks.append(Note("Approved", f"By {subject.approval.by} on {subject.approval.at.date().isoformat()}."))
    leave_with = one_text(subject.fields, "leave_with")
    return [*blocks, *([Paragraph(leave_with, lead=True)] if leave_with else [])]


def _case(subject: Subject, lines: Sequence[str]) -> list[Block]:
    """The case's own sentences as quotes, one for each of its fields; what a person added stands beside them."""
    said = {quote.text: quote for claim in subject.draft.claims if claim.field == "case" for quote in claim.quotes}
    own = [said[line] for line in lines if line in said]
    title = one_text(subject.fields, "case_title")
    blocks: list[Block] = [Heading(2, "The case, in its own words"), *([Heading(3, title)] if title else [])]
    blocks += _own_words(own, subject.sources)
    blocks += [Paragraph(line) for line in lines if line not in said]
    return blocks if lines else [*blocks, Paragraph(_nothing(subject.fields, "case"))]


def _own_words(sentences: Sequence[SourceQuote], sources: Mapping[str, str]) -> list[Quote]:
    """Sentences of one field in one quote, with "…" where the case says something in between."""
    runs: list[list[SourceQuote]] = []
    for sentence in sentences:
        if runs and (runs[-1][-1].case_id, runs[-1][-1].field) == (sentence.case_id, sentence.field):
            runs[-1].append(sentence)
        else:
            runs.append([sentence])
    last = len(runs) - 1
    return [
        Quote(_joined(run), sources.get(run[0].case_id, run[0].case_id) if at == last else "")
        for at, run in enumerate(runs)
    ]


def _joined(run: Sequence[SourceQuote]) -> str:
    parts = [run[0].text]
    for before, after in pairwise(run):
        parts += [after.text] if 0 <= after.start - before.end <= SPACE_BETWEEN else ["…", after.text]
    return " ".join(parts)


def _theme(theme: Theme | None) -> list[Block]:
    if theme is None:
        text = "This topic is in no theme yet: the voices below are from the cases closest to it."
        return [Heading(2, "Its theme"), Paragraph(text)]
    sizes = ((theme.n_cases, "case"), (theme.n_teams, "team"), (theme.n_contributors, "contributor"))
    size = ", ".join(counted(n, noun) for n, noun in sizes)
    rows = [
        ("Theme", theme.name),
        ("What recurs", theme.gist),
        ("Size", f"{size}; {theme.new_cases} new since last quarter" if theme.new_cases else size),
        ("By quarter", ", ".join(f"{quarter}: {n}" for quarter, n in list(theme.trend.items())[-MOST_QUARTERS:])),
        ("Share of intake", f"{round(theme.share * 100)} %" if theme.share else ""),
        ("Set apart by", ", ".join(theme.differs_by or theme.keywords)),
    ]
    return [Heading(2, "Its theme"), Facts(tuple(row for row in rows if row[1]))]


def _voices(title: str, subject: Subject, name: str, parts: Parts) -> list[Block]:
    claims = [claim for claim in subject.draft.claims if claim.field == name]
    said = told(parts[name], claims, subject.sources)
    return [Heading(2, title), *(said or [Paragraph(_nothing(subject.fields, name))])]


def _nothing(fields: Mapping[str, FieldValue], name: str, *, empty: str = SAYS_NOTHING) -> str:
    """What stands in place of no lines: that there were none, or that they were too long."""
    return LEFT_OUT if lines_of(fields, name) else empty


def _patterns(subject: Subject, parts: Parts) -> list[Block]:
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


def _pattern(card: Card, subject: Subject, parts: Parts) -> list[Block]:
    label, meaning = STANDING.get(card.state, ("Candidate", "proposed from the cases; nobody has accepted it yet"))
    patlet = " ".join(parts[f"patlet of {card.id}"])
    forces = sourced(parts[f"forces of {card.id}"], card.claims, subject.sources)
    counter = sourced(parts[f"counter of {card.id}"], card.claims, subject.sources)
    nothing = _nothing(card.fields, COUNTER, empty="none found in these cases.")
    against = tuple(f"Counter-evidence: {line}" for line in (counter or (nothing,)))
    blocks: list[Block] = [Heading(3, card.name), Note(label, f"{meaning[:1].upper()}{meaning[1:]}.")]
    blocks += [Paragraph(patlet)] if patlet else []
    return [*blocks, Bullets((*(f"Force: {line}" for line in forces), *against))]


def _open_points(subject: Subject, parts: Parts) -> list[Block]:
    claims = [claim for claim in subject.draft.claims if claim.field == "disagreement"]
    against = told(parts["disagreement"], claims, subject.sources)
    unknown = parts["unknown"]
    return [
        Heading(2, "What we do not know, and where cases disagree"),
        *([Bullets(unknown)] if unknown else []),
        *(against or [Paragraph(_nothing(subject.fields, "disagreement", empty=NO_DISAGREEMENT))]),
    ]


def _questions(lines: tuple[str, ...]) -> list[Block]:
    title = "Three questions" if len(lines) == 3 else "Questions"
    return [Heading(2, title), Numbered(lines) if lines else Paragraph("Bring the one you want answered.")]


def _related(subject: Subject, lines: tuple[str, ...]) -> list[Block]:
    nothing = LEFT_OUT if parts_of(subject)["related"] else "No other pattern of this theme, and no recorded use, yet."
    return [Heading(2, "Related patterns and uses"), Bullets(lines) if lines else Paragraph(nothing)]


def _closing(subject: Subject, parts: Parts, *, n_left_out: int) -> list[Block]:
    blocks: list[Block] = [Heading(2, "Before you come"), Paragraph(NO_SLIDES)]
    n_closed = _n_network_only(subject, parts)
    if n_closed:
        text = f"It quotes {counted(n_closed, 'case')} that may go no further. Do not pass it on."
        blocks.append(Note(f"For {subject.network.name or 'this network'} only", text))
    shortened = f" Shortened to two pages: {counted(n_left_out, 'sentence')} left out." if n_left_out else ""
    return [*blocks, Paragraph(f"How this was made: {provenance_line(subject.draft.provenance)}{shortened}")]


def _n_network_only(subject: Subject, parts: Parts) -> int:
    """How many of the cases quoted in these pages are for the network alone."""
    shown = {line for lines in parts.values() for line in lines}
    claims = [*subject.draft.claims, *(claim for card in subject.cards for claim in card.claims)]
    ids = {quote.case_id for claim in claims if claim.text.strip() in shown for quote in claim.quotes}
    return sum(id in subject.cases and subject.cases[id].consent is Consent.NETWORK_ONLY for id in ids)
