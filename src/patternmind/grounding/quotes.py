"""Locate a quote at its offsets, or else in its field; the result is always the source's slice."""

from collections.abc import Mapping
from dataclasses import dataclass

from patternmind.domain.cases import Case
from patternmind.domain.drafts import Quote
from patternmind.grounding.folding import cuts_word_or_number, find_folded


@dataclass(frozen=True, slots=True)
class LocatedQuote:
    quote: Quote | None
    reason: str = ""


def locate_quote(quote: Quote, cases: Mapping[str, Case]) -> LocatedQuote:
    """Return the quote as written in its source, or the reason why it is invalid."""
    case = cases.get(quote.case_id)
    if case is None:
        return LocatedQuote(None, "the quoted case is not among these cases")
    if not quote.text.strip():
        return LocatedQuote(None, "the quote is empty")
    source = case.text.get(quote.field)
    if source is not None and _is_at_offsets(quote, source):
        return LocatedQuote(quote)
    fields = [quote.field] if source is not None else list(case.text)
    for field in fields:
        span = find_folded(quote.text, case.text[field])
        if span is not None:
            start, end = span
            return LocatedQuote(
                Quote(case_id=case.id, field=field, start=start, end=end, text=case.text[field][start:end])
            )
    return LocatedQuote(None, "the quote is not in the case's text")


def _is_at_offsets(quote: Quote, source: str) -> bool:
    start, end = quote.start, quote.end
    return (
        0 <= start < end <= len(source)
        and source[start:end] == quote.text
        and not cuts_word_or_number(source, start, end)
    )
