"""Lay out a pre-reading as a document of two pages: the case first, open questions last."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from patternmind.domain.cases import Case, is_publishable
from patternmind.domain.draft_fields import COUNTER_EVIDENCE, DraftFields, fields_record, joined_lines, stated_lines
from patternmind.domain.drafts import Claim, DraftState, Pattern, Provenance, ReviewedDraft, fields_of, state_of
from patternmind.domain.drafts import Quote as SourceQuote
from patternmind.domain.networks import Network
from patternmind.domain.themes import Theme
from patternmind.domain.wording import pluralize
from patternmind.publishing.document import (
    Block,
    BulletList,
    Document,
    FactTable,
    Heading,
    Note,
    NumberedList,
    Paragraph,
    QuoteBlock,
)
from patternmind.publishing.field_text import NOT_STATED_SENTENCE, lines_with_sources, provenance_line, quote_blocks
from patternmind.publishing.length_limits import (
    SHORTENING_ORDER,
    Parts,
    count_lines,
    find_longest_part,
    is_too_long,
    split_parts,
    without_long_sentences,
)
from patternmind.publishing.prereading_content import PatternCard, PrereadingContent, gather_content

MAX_SENTENCE_GAP = 3
"""Characters between two sentences that follow each other; list marks and blank lines included."""

MAX_QUARTERS = 8

LEFT_OUT_MESSAGE = "Left out to fit two pages; see the draft."
NO_DISAGREEMENT_MESSAGE = "No evidence against a remedy was found in these cases."
PREPARATION_MESSAGE = "No slides. Bring a similar case of your own, one question, and what you would like to try."


def lay_out_prereading(
    prereading: ReviewedDraft,
    *,
    theme: Theme | None,
    patterns: Sequence[ReviewedDraft | Pattern],
    cases: Mapping[str, Case],
    network: Network,
) -> Document:
    """Return a document of two pages, marked "Draft, not reviewed" unless a decision approved it.

    The document stays within the network. It may therefore quote network-only cases, and then says so.

    Args:
        patterns: Patterns of the theme; the first two are shown, accepted ones before candidates, without rejected and
            retired ones.
    """
    content = gather_content(prereading, theme=theme, patterns=patterns, cases=cases, network=network)
    all_parts = split_parts(content)
    parts = without_long_sentences(all_parts)
    document = _build_document(content, parts, n_left_out=count_lines(all_parts) - count_lines(parts))
    for name, min_lines in SHORTENING_ORDER:
        while is_too_long(document) and (longest := find_longest_part(parts, name, min_lines)):
            parts[longest] = parts[longest][:-1]
            document = _build_document(content, parts, n_left_out=count_lines(all_parts) - count_lines(parts))
    return document


def prereading_record(prereading: ReviewedDraft) -> dict[str, Any]:
    """Return the pre-reading as JSON, in the format of ``export drafts``."""
    draft = prereading.grounded.draft
    fields = fields_record(fields_of(prereading))
    return {
        "id": draft.id,
        "kind": draft.kind.value,
        "state": state_of(prereading.decisions).value,
        "theme_id": draft.theme_id,
        "name": fields.pop("name"),
        "fields": fields,
        "claims": [claim_record(claim) for claim in draft.claims],
        "provenance": provenance_record(draft.provenance),
    }


def claim_record(claim: Claim, *, without_cases: Collection[str] = ()) -> dict[str, Any]:
    """Return a claim as JSON, with its quotes from all other cases."""
    quotes = [asdict(quote) for quote in claim.quotes if quote.case_id not in without_cases]
    return {"text": claim.text, "field": claim.field, "quotes": quotes}


def provenance_record(provenance: Provenance) -> dict[str, Any]:
    """Return a provenance as JSON, without the cost."""
    return {
        "run_id": provenance.run_id,
        "model": provenance.model,
        "prompt": provenance.prompt,
        "prompt_hash": provenance.prompt_hash,
        "inputs": list(provenance.inputs),
    }


def _build_document(content: PrereadingContent, parts: Parts, *, n_left_out: int) -> Document:
    blocks = [
        *_opening_blocks(content),
        *_case_blocks(content, parts["case"]),
        *_theme_blocks(content.theme),
        *_quote_section("In the words of others", content, "quotes", parts),
        *_quote_section("What helped elsewhere", content, "helped", parts),
        *_patterns_section(content, parts),
        *_open_questions_blocks(content, parts),
        *_questions_blocks(parts["questions"]),
        *_related_section(content, parts["related"]),
        *_closing_blocks(content, parts, n_left_out=n_left_out),
    ]
    return Document(
        kind="pre-reading",
        title=content.draft.name,
        blocks=tuple(blocks),
        front_matter={
            "network": content.network.name,
            "session": joined_lines(content.fields, "session"),
            "date": joined_lines(content.fields, "date"),
            "draft": content.draft.id,
            "theme": content.draft.theme_id or "",
            "reviewed": content.approval is not None,
            "model": content.draft.provenance.model,
        },
    )


def _opening_blocks(content: PrereadingContent) -> list[Block]:
    session, date = joined_lines(content.fields, "session"), joined_lines(content.fields, "date")
    blocks: list[Block] = [FactTable((("Session", session or "not named yet"), ("Date", date or "not set yet")))]
    if content.approval is None:
        blocks.append(Note("Draft, not reviewed", "No one has checked this selection yet; the quotes are verbatim."))
    else:
        blocks.append(Note("Approved", f"By {content.approval.by} on {content.approval.at.date().isoformat()}."))
    leave_with = joined_lines(content.fields, "leave_with")
    return [*blocks, *([Paragraph(leave_with, is_lead=True)] if leave_with else [])]


def _case_blocks(content: PrereadingContent, lines: Sequence[str]) -> list[Block]:
    """Return the case as one quote per field, followed by lines that a person added."""
    quotes = {quote.text: quote for claim in content.draft.claims if claim.field == "case" for quote in claim.quotes}
    own = [quotes[line] for line in lines if line in quotes]
    title = joined_lines(content.fields, "case_title")
    blocks: list[Block] = [Heading(2, "The case, in its own words"), *([Heading(3, title)] if title else [])]
    blocks += _merge_quotes(own, content.references_by_case)
    blocks += [Paragraph(line) for line in lines if line not in quotes]
    return blocks if lines else [*blocks, Paragraph(_missing_message(content.fields, "case"))]


def _merge_quotes(sentences: Sequence[SourceQuote], sources: Mapping[str, str]) -> list[QuoteBlock]:
    """Merge the sentences of a field into one quote, with "…" for omitted text."""
    runs: list[list[SourceQuote]] = []
    for sentence in sentences:
        if runs and (runs[-1][-1].case_id, runs[-1][-1].field) == (sentence.case_id, sentence.field):
            runs[-1].append(sentence)
        else:
            runs.append([sentence])
    last = len(runs) - 1
    return [
        QuoteBlock(_join_sentences(run), sources.get(run[0].case_id, run[0].case_id) if position == last else "")
        for position, run in enumerate(runs)
    ]


def _join_sentences(run: Sequence[SourceQuote]) -> str:
    parts = [run[0].text]
    for before, after in pairwise(run):
        parts += [after.text] if 0 <= after.start - before.end <= MAX_SENTENCE_GAP else ["…", after.text]
    return " ".join(parts)


def _theme_blocks(theme: Theme | None) -> list[Block]:
    if theme is None:
        text = "This topic has no theme yet: the voices below come from the most similar cases."
        return [Heading(2, "Its theme"), Paragraph(text)]
    sizes = ((theme.n_cases, "case"), (theme.n_teams, "team"), (theme.n_contributors, "contributor"))
    size = ", ".join(pluralize(n, noun) for n, noun in sizes)
    rows = [
        ("Theme", theme.name),
        ("What recurs", theme.gist),
        ("Size", f"{size}; {theme.new_cases} new since last quarter" if theme.new_cases else size),
        ("By quarter", ", ".join(f"{quarter}: {n}" for quarter, n in list(theme.trend.items())[-MAX_QUARTERS:])),
        ("Share of all cases", f"{round(theme.share * 100)} %" if theme.share else ""),
        ("Typical words", ", ".join(theme.differs_by or theme.keywords)),
    ]
    return [Heading(2, "Its theme"), FactTable(tuple(row for row in rows if row[1]))]


def _quote_section(title: str, content: PrereadingContent, name: str, parts: Parts) -> list[Block]:
    claims = [claim for claim in content.draft.claims if claim.field == name]
    blocks = quote_blocks(parts[name], claims, content.references_by_case)
    return [Heading(2, title), *(blocks or [Paragraph(_missing_message(content.fields, name))])]


def _missing_message(fields: DraftFields, name: str, *, empty: str = NOT_STATED_SENTENCE) -> str:
    """Return the text for a part without lines: there were none, or they were too long."""
    return LEFT_OUT_MESSAGE if stated_lines(fields, name) else empty


def _patterns_section(content: PrereadingContent, parts: Parts) -> list[Block]:
    blocks: list[Block] = [Heading(2, "Patterns to look at")]
    if not content.cards:
        reason = (
            f"No repeatable pattern in these cases. {content.no_pattern_reason}"
            if content.no_pattern_reason
            else "No patterns yet."
        )
        return [*blocks, Paragraph(reason)]
    for card in content.cards:
        blocks += _pattern_blocks(card, content, parts)
    return blocks


STATE_LABELS = {
    DraftState.ACCEPTED: ("Accepted", "a named person accepted it for this network"),
    DraftState.FIELD_TESTED: ("Accepted and field-tested", "colleagues have used it in their own work"),
}


def _pattern_blocks(card: PatternCard, content: PrereadingContent, parts: Parts) -> list[Block]:
    label, meaning = STATE_LABELS.get(card.state, ("Candidate", "proposed from the cases; not accepted yet"))
    patlet = " ".join(parts[f"patlet of {card.id}"])
    forces = lines_with_sources(parts[f"forces of {card.id}"], card.claims, content.references_by_case)
    counter = lines_with_sources(parts[f"{COUNTER_EVIDENCE} of {card.id}"], card.claims, content.references_by_case)
    empty_message = _missing_message(card.fields, COUNTER_EVIDENCE, empty="none found in these cases.")
    against = tuple(f"Counter-evidence: {line}" for line in (counter or (empty_message,)))
    blocks: list[Block] = [Heading(3, card.name), Note(label, f"{meaning[:1].upper()}{meaning[1:]}.")]
    blocks += [Paragraph(patlet)] if patlet else []
    return [*blocks, BulletList((*(f"Force: {line}" for line in forces), *against))]


def _open_questions_blocks(content: PrereadingContent, parts: Parts) -> list[Block]:
    claims = [claim for claim in content.draft.claims if claim.field == "disagreement"]
    against = quote_blocks(parts["disagreement"], claims, content.references_by_case)
    unknown = parts["unknown"]
    return [
        Heading(2, "What we do not know, and where cases disagree"),
        *([BulletList(unknown)] if unknown else []),
        *(against or [Paragraph(_missing_message(content.fields, "disagreement", empty=NO_DISAGREEMENT_MESSAGE))]),
    ]


def _questions_blocks(lines: tuple[str, ...]) -> list[Block]:
    title = "Three questions" if len(lines) == 3 else "Questions"
    return [
        Heading(2, title),
        NumberedList(lines) if lines else Paragraph("Bring the question that you want answered."),
    ]


def _related_section(content: PrereadingContent, lines: tuple[str, ...]) -> list[Block]:
    empty_message = (
        LEFT_OUT_MESSAGE
        if split_parts(content)["related"]
        else "No other pattern of this theme and no recorded uses yet."
    )
    return [Heading(2, "Related patterns and uses"), BulletList(lines) if lines else Paragraph(empty_message)]


def _closing_blocks(content: PrereadingContent, parts: Parts, *, n_left_out: int) -> list[Block]:
    blocks: list[Block] = [Heading(2, "Before you come"), Paragraph(PREPARATION_MESSAGE)]
    n_network_only = _count_network_only_cases(content, parts)
    if n_network_only:
        text = f"It quotes {pluralize(n_network_only, 'network-only case')}. Do not pass it on."
        blocks.append(Note(f"For {content.network.name or 'this network'} only", text))
    shortened = f" Shortened to two pages: {pluralize(n_left_out, 'sentence')} left out." if n_left_out else ""
    return [*blocks, Paragraph(f"How this was made: {provenance_line(content.draft.provenance)}{shortened}")]


def _count_network_only_cases(content: PrereadingContent, parts: Parts) -> int:
    """Count the quoted cases that are network-only, withdrawn or erased."""
    printed_lines = {line for lines in parts.values() for line in lines}
    claims = [*content.draft.claims, *(claim for card in content.cards for claim in card.claims)]
    ids = {quote.case_id for claim in claims if claim.text.strip() in printed_lines for quote in claim.quotes}
    return sum(not is_publishable(content.cases.get(id)) for id in ids)
