"""A quote is the text at its offsets, or it is looked for in its field; what is kept is always the source's slice."""

from collections.abc import Mapping
from dataclasses import dataclass

from patternmind.ground.folding import cuts, find_folded
from patternmind.model.cases import Case
from patternmind.model.drafts import Quote


@dataclass(frozen=True, slots=True)
class Located:
    quote: Quote | None
    reason: str = ""


def locate_quote(quote: Quote, cases: Mapping[str, Case]) -> Located:
    """The quote as its source has it, with the offsets where it stands; or why it does not hold."""
    case = cases.get(quote.case_id)
    if case is None:
        return Located(None, "the quoted case is not among the cases given")
    if not quote.text.strip():
        return Located(None, "the quote is empty")
    source = case.text.get(quote.field)
    if source is not None and _stands_at(quote, source):
        return Located(quote)
    fields = [quote.field] if source is not None else list(case.text)
    for field in fields:
        span = find_folded(quote.text, case.text[field])
        if span is not None:
            start, end = span
            return Located(Quote(case_id=case.id, field=field, start=start, end=end, text=case.text[field][start:end]))
    return Located(None, "the quote is not in the case's text")


def _stands_at(quote: Quote, source: str) -> bool:
    start, end = quote.start, quote.end
    return 0 <= start < end <= len(source) and source[start:end] == quote.text and not cuts(source, start, end)
