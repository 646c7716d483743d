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
    standing = {claim.text for claim in kept}
    fields = _without(draft, {one.claim.text for one in refused} - standing)
    return GroundedDraft(replace(draft, claims=tuple(kept), fields=fields), tuple(refused), seal=_SEAL)


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
    return 0 <= quote.start < quote.end <= len(source) and source[quote.start : quote.end] == quote.text


def find_folded(wanted: str, source: str) -> tuple[int, int] | None:
    """Where ``wanted`` stands in ``source`` once both are folded; offsets in the source's code points.

    A character and its marks are found whole or not at all: "cafe" is not the beginning of "café".
    """
    folded, spans = _fold(source)
    needle, _ = _fold(wanted.strip())
    at = folded.find(needle) if needle else -1
    while at >= 0:
        end = at + len(needle)
        cuts_first = at > 0 and spans[at - 1] == spans[at]
        cuts_last = end < len(spans) and spans[end] == spans[end - 1]
        if not (cuts_first or cuts_last):
            return spans[at][0], spans[end - 1][1]
        at = folded.find(needle, at + 1)
    return None


def _fold(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Folded text in NFD, and for each of its characters the span of the source that it stands for.

    A base character is taken together with its marks, so that "é" is found however it was typed. Taken apart rather
    than composed, because only so does a text fold piece by piece into what it folds into whole (Korean, Bengali).
    """
    out: list[str] = []
    spans: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and _belongs_to_the_one_before(text[end]):
            end += 1
        plain = unicodedata.normalize("NFD", text[start:end])
        plain = " " if plain.isspace() else FOLDED.get(plain, plain)
        if not (plain == " " and out and out[-1] == " "):
            out.extend(plain)
            spans.extend([(start, end)] * len(plain))
        start = end
    return "".join(out), spans


def _belongs_to_the_one_before(char: str) -> bool:
    """A mark, or a vowel or final consonant of a Korean syllable."""
    return unicodedata.category(char).startswith("M") or "\u1160" <= char <= "\u11ff"


WITHDRAWN = "[withdrawn]"


def _without(draft: Draft, gone: set[str]) -> dict[str, str | tuple[str, ...]]:
    """The fields without these lines; where one is part of a longer text it reads "[withdrawn]"."""
    fields: dict[str, str | tuple[str, ...]] = {}
    for name, value in draft.fields.items():
        if isinstance(value, str):
            fields[name] = _blank(value, gone - {""})
        else:
            fields[name] = tuple(line for line in value if line not in gone)
    return fields


def _blank(text: str, gone: set[str]) -> str:
    for part in sorted(gone, key=len, reverse=True):
        text = text.replace(part, WITHDRAWN)
    return text
