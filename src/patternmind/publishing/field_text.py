"""Reading the fields and claims of a draft for print: lines, sources, and the line on how it was made."""

from collections.abc import Iterable, Mapping, Sequence

from patternmind.domain.breadth import pluralize
from patternmind.domain.cases import Case
from patternmind.domain.drafts import NO_AI, Claim, Provenance
from patternmind.publishing.document import Paragraph, QuoteBlock

NOT_STATED = "not stated in these cases"
"""What drafting writes where the cases say nothing; a test holds it equal to ``draft.patterns.NOT_STATED``."""

NOT_STATED_SENTENCE = f"{NOT_STATED.capitalize()}."

WITHDRAWN = "[withdrawn]"
"""What grounding writes where a claim was refused; a test holds it equal to ``ground.WITHDRAWN``."""

COUNTER_EVIDENCE = "counter_evidence"

FieldValue = str | tuple[str, ...]


def stated_lines(fields: Mapping[str, FieldValue], name: str) -> tuple[str, ...]:
    """The stated lines of a field; none where it is missing, empty or says that the cases do not state it."""
    value = fields.get(name, "")
    lines = value.splitlines() if isinstance(value, str) else value
    return tuple(
        line.strip() for line in lines if line.strip() and line.strip() != NOT_STATED and WITHDRAWN not in line
    )


def joined_lines(fields: Mapping[str, FieldValue], name: str) -> str:
    return " ".join(stated_lines(fields, name))


def source_reference(case: Case) -> str:
    """How a published quote names its source: an id and a quarter, never a person or a team."""
    id = case.external_id or case.id
    return f"{id}, {case.date.year}Q{(case.date.month - 1) // 3 + 1}" if case.date else id


def source_references(claims: Iterable[Claim], cases: Mapping[str, Case]) -> dict[str, str]:
    """Reference by case id, of every quoted case."""
    ids = {quote.case_id for claim in claims for quote in claim.quotes}
    return {id: source_reference(cases[id]) for id in sorted(ids) if id in cases}


def quote_blocks(
    lines: Sequence[str], claims: Sequence[Claim], references_by_case: Mapping[str, str]
) -> list[QuoteBlock | Paragraph]:
    """Each line as a quote with its source where it is one; a line in other words is followed by what it rests on."""
    by_text = {claim.text.strip(): claim for claim in claims}
    found: list[QuoteBlock | Paragraph] = []
    for line in lines:
        claim = by_text.get(line)
        if claim is None or all(quote.text.strip() != line for quote in claim.quotes):
            found.append(Paragraph(line))
        found.extend(_first_quote(claim, references_by_case) if claim else ())
    return found


def _first_quote(claim: Claim, references_by_case: Mapping[str, str]) -> list[QuoteBlock]:
    same = [quote for quote in claim.quotes if quote.text.strip() == claim.text.strip()]
    return [
        QuoteBlock(one.text, references_by_case.get(one.case_id, one.case_id)) for one in (same or claim.quotes)[:1]
    ]


def lines_with_sources(
    lines: Sequence[str], claims: Sequence[Claim], references_by_case: Mapping[str, str]
) -> tuple[str, ...]:
    """Lines with the reference of the case they come from in brackets, where they come from one."""
    by_text = {claim.text.strip(): claim.quotes[0].case_id for claim in claims if claim.quotes}
    return tuple(
        f"{line} ({references_by_case[id]})" if (id := by_text.get(line, "")) in references_by_case else line
        for line in lines
    )


def provenance_line(provenance: Provenance) -> str:
    """What wrote the text, from how many cases, in which run."""
    method = provenance.prompt + (f" ({provenance.prompt_hash})" if provenance.prompt_hash else "")
    by = NO_AI if provenance.model == NO_AI else f"written by the model {provenance.model}"
    parts = [by, method, f"from {pluralize(len(provenance.inputs), 'case')}", f"run {provenance.run_id or 'none'}"]
    line = "; ".join(part for part in parts if part)
    return f"{line[:1].upper()}{line[1:]}."
