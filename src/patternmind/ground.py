"""Every claim against its quoted source. What does not hold is refused and counted, never repaired by guessing.

A quote is found when the text at its offsets is the quote, or when the quote, after a listed folding of spaces, quote
marks and dashes, occurs in the named field; what is kept is always the slice of the source, never the draft's spelling.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace

from patternmind.model.cases import Case
from patternmind.model.drafts import Claim, Draft, GroundedDraft, GroundingSeal, Quote, Refused

_SEAL = GroundingSeal()

FOLDED = {
    **dict.fromkeys("‘’‚‛′´`", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
}
"""Marks that are written in different ways and mean the same. Never NFKC: "10²" is not "102"."""


@dataclass(frozen=True, slots=True)
class Located:
    quote: Quote | None
    reason: str = ""


def ground(draft: Draft, cases: Mapping[str, Case]) -> GroundedDraft:
    """The draft with only the claims that stand on a quote in these cases' redacted text.

    A claim with several quotes keeps those that were found; with none it is refused. Grounding a grounded draft again
    changes nothing as long as the cases stay as they are.
    """
    kept: list[Claim] = []
    refused: list[Refused] = []
    for claim in draft.claims:
        found = [locate_quote(quote, cases) for quote in claim.quotes]
        quotes = tuple(one.quote for one in found if one.quote is not None)
        if quotes:
            kept.append(replace(claim, quotes=quotes))
        else:
            reason = next((one.reason for one in found), "the claim names no quote")
            refused.append(Refused(claim=claim, reason=reason))
    fields = _without_refused(draft, refused)
    return GroundedDraft(replace(draft, claims=tuple(kept), fields=fields), tuple(refused), seal=_SEAL)


def locate_quote(quote: Quote, cases: Mapping[str, Case]) -> Located:
    """The quote as its source has it, with the offsets where it stands; or why it does not hold."""
    case = cases.get(quote.case_id)
    if case is None:
        return Located(None, "the quoted case is not among the cases given")
    if not quote.text.strip():
        return Located(None, "the quote is empty")
    source = case.text.get(quote.field)
    if source is not None and source[quote.start : quote.end] == quote.text and 0 <= quote.start < quote.end:
        return Located(quote)
    fields = [quote.field] if source is not None else list(case.text)
    for field in fields:
        span = find_folded(quote.text, case.text[field])
        if span is not None:
            start, end = span
            return Located(Quote(case_id=case.id, field=field, start=start, end=end, text=case.text[field][start:end]))
    return Located(None, "the quote is not in the case's text")


def find_folded(wanted: str, source: str) -> tuple[int, int] | None:
    """Where ``wanted`` stands in ``source`` once both are folded; offsets in the source's code points."""
    folded, spans = _fold(source)
    needle, _ = _fold(wanted.strip())
    at = folded.find(needle) if needle else -1
    if at < 0:
        return None
    return spans[at][0], spans[at + len(needle) - 1][1]


def _fold(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Folded text in NFC, and for each of its characters the span of the source that it stands for.

    A base character is composed together with its marks, so that "é" is found however it was typed.
    """
    out: list[str] = []
    spans: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        plain = unicodedata.normalize("NFC", text[start:end])
        plain = " " if plain.isspace() else FOLDED.get(plain, plain)
        if not (plain == " " and out and out[-1] == " "):
            out.extend(plain)
            spans.extend([(start, end)] * len(plain))
        start = end
    return "".join(out), spans


WITHDRAWN = "[withdrawn]"


def _without_refused(draft: Draft, refused: list[Refused]) -> dict[str, str | tuple[str, ...]]:
    """The fields without the lines of refused claims; where one is part of a longer text it reads "[withdrawn]"."""
    gone = {one.claim.text for one in refused if one.claim.text}
    fields: dict[str, str | tuple[str, ...]] = {}
    for name, value in draft.fields.items():
        if isinstance(value, str):
            fields[name] = _blank(value, gone)
        else:
            fields[name] = tuple(line for line in value if line not in gone)
    return fields


def _blank(text: str, gone: set[str]) -> str:
    for part in sorted(gone, key=len, reverse=True):
        text = text.replace(part, WITHDRAWN)
    return text
