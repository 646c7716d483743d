"""Build the playbook: the publishable patterns, one page each, with an index by problem."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from patternmind.domain.draft_fields import COUNTER_EVIDENCE, DraftFields, joined_lines, stated_lines
from patternmind.domain.drafts import DraftState, Pattern
from patternmind.domain.networks import Network
from patternmind.domain.themes import Theme
from patternmind.domain.wording import pluralize
from patternmind.publishing.document import (
    Block,
    BulletList,
    ContentsEntry,
    ContentsList,
    Document,
    FactTable,
    Heading,
    Note,
    NumberedList,
    Paragraph,
    QuoteBlock,
)
from patternmind.publishing.field_text import NOT_STATED_SENTENCE, provenance_line, quote_blocks
from patternmind.publishing.publication_rules import PublishedPattern, WithheldPattern

VERSION = "0.1"

INTRODUCTION = (
    "Ways of working that recurred in this network's own cases. Each was proposed from those cases and accepted by a "
    "named person; every quote is verbatim from a colleague's case, names removed."
)
DISCLAIMER = (
    "This is not a rule book, and it does not rank people or teams. A pattern helped where it was tried: before you "
    "rely on it, read when not to use it and what speaks against it."
)
NO_COUNTER_EVIDENCE = "None was found in these cases. That does not prove that the pattern cannot fail."
NO_USES = "No uses recorded yet. If you try it, tell the network how it went."


def build_playbook(
    patterns: Sequence[PublishedPattern],
    withheld: Sequence[WithheldPattern],
    retired: Sequence[Pattern],
    *,
    network: Network,
    themes: Sequence[Theme],
    date: dt.date,
) -> Document:
    """Return the whole playbook, with the patterns in the same order.

    Args:
        withheld: Only their number and reasons appear, without names or texts.
        retired: Listed by name; ``publication_rules.select_patterns`` excludes those that could never be published.
    """
    anchors = {published.pattern.id: _anchor(published.pattern, n) for n, published in enumerate(patterns, 1)}
    blocks: list[Block] = [*_front_blocks(patterns, withheld, network=network, date=date)]
    if patterns:
        blocks += _contents_blocks(patterns, anchors)
    for published in patterns:
        blocks += _pattern_page(published, anchors, patterns, themes)
    blocks += _change_log(patterns, date)
    blocks += _retired_list(retired)
    return Document(
        kind="playbook",
        title=f"{network.name}: playbook" if network.name else "Playbook",
        blocks=tuple(blocks),
        front_matter={
            "network": network.name,
            "version": VERSION,
            "date": date.isoformat(),
            "patterns": tuple(published.pattern.id for published in patterns),
            "withheld": len(withheld),
            "retired": len(retired),
        },
    )


def _anchor(pattern: Pattern, number: int) -> str:
    return f"{re.sub('[^a-z0-9]+', '-', pattern.id.casefold()).strip('-') or 'pattern'}-{number}"


def _front_blocks(
    patterns: Sequence[PublishedPattern], withheld: Sequence[WithheldPattern], *, network: Network, date: dt.date
) -> Iterator[Block]:
    if network.purpose:
        yield Paragraph(network.purpose, is_lead=True)
    n_tested = sum(published.pattern.state is DraftState.FIELD_TESTED for published in patterns)
    count = f"{len(patterns)}, {n_tested} of them field-tested" if n_tested else str(len(patterns))
    yield FactTable((("Version", VERSION), ("Date", date.isoformat()), ("Patterns", count)))
    if not patterns:
        yield Paragraph(_empty_message(withheld))
        return
    yield Paragraph(INTRODUCTION)
    yield Paragraph(DISCLAIMER)
    if withheld:
        yield Note("Held back", _withheld_summary(withheld))


def _empty_message(withheld: Sequence[WithheldPattern]) -> str:
    if not withheld:
        return (
            "This playbook has no patterns yet, because none has been accepted. That is normal at the start. Next: "
            "open the review queue, read the candidates with their evidence, and accept the first one that you would "
            "recommend to a colleague."
        )
    return (
        f"This playbook has no patterns yet. {_withheld_summary(withheld)} Next: ask other teams for similar cases, "
        "and ask the submitters of network-only cases whether these may be quoted without their name."
    )


def _withheld_summary(withheld: Sequence[WithheldPattern]) -> str:
    """Return the number of withheld patterns and the reasons, without their texts."""
    counts = Counter(pattern.reason for pattern in withheld)
    reasons = " ".join(reason if n == 1 else f"{n} times: {reason}" for reason, n in counts.items())
    verb = "is" if len(withheld) == 1 else "are"
    return f"{pluralize(len(withheld), 'pattern')} {verb} held back. {reasons}"


def _contents_blocks(patterns: Sequence[PublishedPattern], anchors: Mapping[str, str]) -> list[Block]:
    situations = tuple(
        ContentsEntry(pattern.name, anchors[pattern.id], situation)
        for pattern in (published.pattern for published in patterns)
        for situation in dict.fromkeys(
            (*stated_lines(pattern.fields, "problem"), *stated_lines(pattern.fields, "signs_it_applies"))
        )
    )
    contents = tuple(ContentsEntry(published.pattern.name, anchors[published.pattern.id]) for published in patterns)
    blocks: list[Block] = [Heading(2, "Contents"), ContentsList("Patterns", contents)]
    if situations:
        blocks += [Heading(2, "What are you facing?"), ContentsList("Patterns by situation", situations)]
    return blocks


def _pattern_page(
    published: PublishedPattern, anchors: Mapping[str, str], others: Sequence[PublishedPattern], themes: Sequence[Theme]
) -> list[Block]:
    pattern, fields = published.pattern, published.pattern.fields
    return [
        Heading(2, pattern.name, anchors[pattern.id], starts_page=True),
        Paragraph(joined_lines(fields, "patlet") or NOT_STATED_SENTENCE, is_lead=True),
        *_field_blocks("Context", fields, "context"),
        *_field_blocks("Problem", fields, "problem"),
        *_field_blocks("Forces", fields, "forces"),
        *_solution_blocks(fields),
        *_field_blocks("Signs that it applies", fields, "signs_it_applies"),
        *_field_blocks("Do not use when", fields, "do_not_use_when"),
        *_field_blocks("Consequences", fields, "consequences"),
        *_evidence_blocks(published),
        *_counter_evidence_blocks(published),
        *_field_blocks("Known uses", fields, "known_uses", empty=NO_USES),
        *_related_blocks(pattern, anchors, others),
        *_status_blocks(published, themes),
    ]


def _field_blocks(title: str, fields: DraftFields, name: str, *, empty: str = NOT_STATED_SENTENCE) -> list[Block]:
    lines = stated_lines(fields, name)
    if len(lines) > 1:
        return [Heading(3, title), BulletList(lines)]
    return [Heading(3, title), Paragraph(lines[0] if lines else empty)]


def _solution_blocks(fields: DraftFields) -> list[Block]:
    lines = stated_lines(fields, "solution")
    if len(lines) < 2:
        return _field_blocks("Therefore", fields, "solution")
    return [Heading(3, "Therefore"), NumberedList(lines)]


def _evidence_blocks(published: PublishedPattern) -> list[Block]:
    quotes = (
        (quote.case_id, quote.text)
        for claim in published.pattern.claims
        if claim.field != COUNTER_EVIDENCE
        for quote in claim.quotes
    )
    blocks = [QuoteBlock(text, published.references.get(case_id, case_id)) for case_id, text in dict.fromkeys(quotes)]
    return [Heading(3, "Evidence: verbatim quotes"), *blocks]


def _counter_evidence_blocks(published: PublishedPattern) -> list[Block]:
    claims = [claim for claim in published.pattern.claims if claim.field == COUNTER_EVIDENCE]
    lines = stated_lines(published.pattern.fields, COUNTER_EVIDENCE)
    blocks = quote_blocks(lines, claims, published.references)
    return [Heading(3, "Counter-evidence"), *(blocks or [Paragraph(NO_COUNTER_EVIDENCE)])]


def _related_blocks(pattern: Pattern, anchors: Mapping[str, str], others: Sequence[PublishedPattern]) -> list[Block]:
    """Link the related patterns of this playbook; unpublished themes are not named."""
    references = set(stated_lines(pattern.fields, "related"))
    other_patterns = [other.pattern for other in others if other.pattern.id != pattern.id]
    related = [other for other in other_patterns if {other.id, other.name, other.theme_id or other.id} & references]
    if not related:
        return [Heading(3, "Related patterns"), Paragraph("No related pattern in this playbook yet.")]
    entries = tuple(ContentsEntry(other.name, anchors[other.id]) for other in related)
    return [Heading(3, "Related patterns"), ContentsList(f"Patterns related to {pattern.name}", entries)]


def _status_blocks(published: PublishedPattern, themes: Sequence[Theme]) -> list[Block]:
    pattern = published.pattern
    theme = next((theme for theme in themes if theme.id == pattern.theme_id), None)
    people = f"{pluralize(published.n_contributors, 'contributor')} in {pluralize(published.n_teams, 'team')}"
    rows = [
        ("State", "field-tested" if pattern.state is DraftState.FIELD_TESTED else "accepted"),
        ("Based on", f"{pluralize(published.n_cases, 'case')} by {people}"),
        ("Theme", theme.name if theme else ""),
        ("Reviewed by", ", ".join(pattern.reviewers)),
        ("Version", f"{pattern.version}, accepted on {pattern.accepted_at.date().isoformat()}"),
        ("How it was made", provenance_line(pattern.provenance)),
        ("Edited by people", _edited_share_text(pattern.share_edited)),
        ("Left out", _omissions_text(published)),
    ]
    return [Heading(3, "Status"), FactTable(tuple(row for row in rows if row[1]))]


def _edited_share_text(share: float) -> str:
    percent = round(share * 100)
    return f"{percent} % of the words" if percent else "less than 1 % of the words" if share else "not edited"


def _omissions_text(published: PublishedPattern) -> str:
    if not published.n_cut_quotes:
        return ""
    quotes, lines = pluralize(published.n_cut_quotes, "quote"), pluralize(published.n_cut_lines, "line")
    return f"{quotes} that may not be published, and {lines} with them"


def _change_log(patterns: Sequence[PublishedPattern], date: dt.date) -> list[Block]:
    names = ", ".join(f"{item.pattern.name} (version {item.pattern.version})" for item in patterns)
    text = f"{pluralize(len(patterns), 'pattern')}: {names}." if patterns else "No patterns yet."
    return [Heading(2, "Change log", starts_page=True), FactTable(((f"{VERSION}, {date.isoformat()}", text),))]


def _retired_list(retired: Sequence[Pattern]) -> list[Block]:
    if not retired:
        text = "No retired patterns. A pattern that no longer helps is listed here."
        return [Heading(2, "Retired patterns"), Paragraph(text)]
    lines = tuple(f"{pattern.name} (version {pattern.version}): no longer recommended." for pattern in retired)
    return [Heading(2, "Retired patterns"), BulletList(lines)]
