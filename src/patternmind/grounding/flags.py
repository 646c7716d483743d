"""Doubts about what was let through, each with its reason, for the reviewer to weigh."""

import re
from collections.abc import Iterator, Mapping, Sequence

from patternmind.domain.breadth import MIN_EVIDENCE, measure_breadth
from patternmind.domain.cases import SUSPICIOUS_FLAG_PREFIX, Case
from patternmind.domain.drafts import (
    Claim,
    Draft,
    DraftKind,
    Flag,
    FlagKind,
)
from patternmind.grounding.facts import extract_source_facts, find_missing_facts
from patternmind.grounding.field_lines import unclaimed_lines
from patternmind.grounding.support import (
    MIN_OVERLAP,
    MIN_SIMILARITY,
    Similarity,
    word_overlap,
)

UNNAMED = frozenset({"", "No repeatable pattern in these cases"})


def weak_support_flags(draft: Draft, similarity: Similarity) -> list[Flag]:
    """Claims whose quotes share few words with them and do not mean the same either."""
    doubtful = [(claim, [quote.text for quote in claim.quotes]) for claim in draft.claims]
    shares = [1.0 if claim.text in said else word_overlap(claim.text, said) for claim, said in doubtful]
    asked = [(claim, said, share) for (claim, said), share in zip(doubtful, shares, strict=True) if share < MIN_OVERLAP]
    pairs = [(claim.text, said) for claim, quotes, _ in asked for said in quotes]
    cosines = iter(similarity(pairs) if pairs else ())
    flags: list[Flag] = []
    for claim, quotes, share in asked:
        closest = max(next(cosines) for _ in quotes)
        if closest < MIN_SIMILARITY:
            held = f"Its quotes hold {round(share * 100)} % of its words"
            reason = f"{held}, and their meaning is not close ({closest:.2f} of 1)."
            flags.append(Flag(doubt=FlagKind.WEAK_SUPPORT, reason=reason, field=claim.field, text=claim.text))
    return flags


def suspicious_case_flags(claims: Sequence[Claim], cases: Mapping[str, Case]) -> Iterator[Flag]:
    """Claims that rest on a case that intake found suspicious."""
    for claim in claims:
        notes = [
            note
            for quote in claim.quotes
            for note in cases[quote.case_id].flags
            if note.startswith(SUSPICIOUS_FLAG_PREFIX)
        ]
        for note in dict.fromkeys(notes):
            reason = f"It quotes a case that {note.removeprefix(SUSPICIOUS_FLAG_PREFIX).strip()}."
            yield Flag(doubt=FlagKind.SUSPICIOUS, reason=reason, field=claim.field, text=claim.text)


def narrow_evidence_flags(draft: Draft, cases: Mapping[str, Case]) -> Iterator[Flag]:
    """A pattern whose evidence comes from fewer than two cases or two teams; near-duplicates are one case."""
    if draft.kind is not DraftKind.PATTERN or not any(claim.field == "solution" for claim in draft.claims):
        return
    found = measure_breadth(draft.claims, cases)
    if found.is_narrow:
        yield Flag(doubt=FlagKind.NARROW, reason=f"{found.describe()}; {MIN_EVIDENCE} of each are asked.")


def unquoted_line_flags(draft: Draft) -> Iterator[Flag]:
    """Lines of a model that no claim covers: they may be right, and nothing shows it."""
    for field, line in unclaimed_lines(draft.fields, draft.claims):
        yield Flag(doubt=FlagKind.NO_QUOTE, reason="No quote stands behind this sentence.", field=field, text=line)


def name_flags(draft: Draft, cases: Sequence[Case]) -> Iterator[Flag]:
    """A model's name for a draft with a number or a name in it that its cases do not hold."""
    texts = [text for case in cases for text in case.text.values()]
    missing = (
        find_missing_facts(_lowercase_plain_words(draft.name), extract_source_facts(texts))
        if draft.name not in UNNAMED
        else []
    )
    if missing:
        kinds = " and ".join(dict.fromkeys(one.kind for one in missing))
        yield Flag(
            doubt=FlagKind.NO_QUOTE, reason=f"Its cases do not hold a {kinds} in it.", field="name", text=draft.name
        )


def _lowercase_plain_words(name: str) -> str:
    """A name with its plain words small: "Callbacks Never Made" names nobody, "SAP Callbacks" does."""
    return re.sub(r"\b[^\W\d_][^\W\d_]*\b", lambda word: word[0].lower() if word[0][1:].islower() else word[0], name)
