"""Prepare the fields and claims of a draft for print: lines, sources, and provenance."""

from collections.abc import Iterable, Mapping, Sequence

from patternmind.domain.cases import Case
from patternmind.domain.draft_fields import NOT_STATED
from patternmind.domain.drafts import NO_AI, Claim, Provenance
from patternmind.domain.wording import pluralize
from patternmind.publishing.document import Paragraph, QuoteBlock

NOT_STATED_SENTENCE = f"{NOT_STATED.capitalize()}."


def source_reference(case: Case) -> str:
    """Return the source of a published quote: an id and a quarter, never a person or a team."""
    id = case.external_id or case.id
    return f"{id}, {case.date.year}Q{(case.date.month - 1) // 3 + 1}" if case.date else id


def source_references(claims: Iterable[Claim], cases: Mapping[str, Case]) -> dict[str, str]:
    """Return the reference of every quoted case, by case id."""
    ids = {quote.case_id for claim in claims for quote in claim.quotes}
    return {id: source_reference(cases[id]) for id in sorted(ids) if id in cases}


def quote_blocks(
    lines: Sequence[str], claims: Sequence[Claim], references_by_case: Mapping[str, str]
) -> list[QuoteBlock | Paragraph]:
    """Return each line as a quote with its source, or as paragraph and quote."""
    by_text = {claim.text.strip(): claim for claim in claims}
    blocks: list[QuoteBlock | Paragraph] = []
    for line in lines:
        claim = by_text.get(line)
        if claim is None or all(quote.text.strip() != line for quote in claim.quotes):
            blocks.append(Paragraph(line))
        blocks.extend(_first_quote(claim, references_by_case) if claim else ())
    return blocks


def _first_quote(claim: Claim, references_by_case: Mapping[str, str]) -> list[QuoteBlock]:
    verbatim = [quote for quote in claim.quotes if quote.text.strip() == claim.text.strip()]
    return [
        QuoteBlock(quote.text, references_by_case.get(quote.case_id, quote.case_id))
        for quote in (verbatim or claim.quotes)[:1]
    ]


def lines_with_sources(
    lines: Sequence[str], claims: Sequence[Claim], references_by_case: Mapping[str, str]
) -> tuple[str, ...]:
    """Append the reference of its case in brackets to each line from a case."""
    by_text = {claim.text.strip(): claim.quotes[0].case_id for claim in claims if claim.quotes}
    return tuple(
        f"{line} ({references_by_case[id]})" if (id := by_text.get(line, "")) in references_by_case else line
        for line in lines
    )


def provenance_line(provenance: Provenance) -> str:
    """Return model, method, number of cases and run as a sentence."""
    method = provenance.prompt + (f" ({provenance.prompt_hash})" if provenance.prompt_hash else "")
    author = NO_AI if provenance.model == NO_AI else f"written by the model {provenance.model}"
    parts = [author, method, f"from {pluralize(len(provenance.inputs), 'case')}", f"run {provenance.run_id or 'none'}"]
    line = "; ".join(part for part in parts if part)
    return f"{line[:1].upper()}{line[1:]}."
