"""Flag doubtful claims and lines of a grounded draft, with a reason for the reviewer."""

import re
from collections.abc import Iterator, Mapping, Sequence

from patternmind.domain.breadth import MIN_EVIDENCE, measure_breadth
from patternmind.domain.cases import Case
from patternmind.domain.drafts import NO_PATTERN, Claim, Draft, DraftKind, Flag, FlagKind
from patternmind.grounding.facts import extract_source_facts, find_missing_facts
from patternmind.grounding.field_lines import unclaimed_lines
from patternmind.grounding.support import MIN_OVERLAP, MIN_SIMILARITY, Similarity, word_overlap

UNNAMED = frozenset({"", NO_PATTERN})


def weak_support_flags(draft: Draft, similarity: Similarity) -> list[Flag]:
    """Flag claims that share few words with their quotes and differ from them in meaning."""
    quote_texts = [[quote.text for quote in claim.quotes] for claim in draft.claims]
    overlaps = [
        1.0 if claim.text in texts else word_overlap(claim.text, texts)
        for claim, texts in zip(draft.claims, quote_texts, strict=True)
    ]
    doubtful = [
        (claim, texts, overlap)
        for claim, texts, overlap in zip(draft.claims, quote_texts, overlaps, strict=True)
        if overlap < MIN_OVERLAP
    ]
    pairs = [(claim.text, text) for claim, texts, _ in doubtful for text in texts]
    cosines = iter(similarity(pairs) if pairs else ())
    flags: list[Flag] = []
    for claim, texts, overlap in doubtful:
        closest = max(next(cosines) for _ in texts)
        if closest < MIN_SIMILARITY:
            words = f"Its quotes contain {round(overlap * 100)} % of its words"
            reason = f"{words}, and their meaning is not close ({closest:.2f} of 1)."
            flags.append(Flag(doubt=FlagKind.WEAK_SUPPORT, reason=reason, field=claim.field, text=claim.text))
    return flags


def suspicious_case_flags(claims: Sequence[Claim], cases: Mapping[str, Case]) -> Iterator[Flag]:
    """Flag claims that quote a case with a suspicious text."""
    for claim in claims:
        suspicions = [suspicion for quote in claim.quotes for suspicion in cases[quote.case_id].suspicions]
        for suspicion in dict.fromkeys(suspicions):
            reason = f"It quotes a case that {suspicion}."
            yield Flag(doubt=FlagKind.SUSPICIOUS, reason=reason, field=claim.field, text=claim.text)


def narrow_evidence_flags(draft: Draft, cases: Mapping[str, Case]) -> Iterator[Flag]:
    """Flag a pattern with evidence from fewer than two cases or two teams; near-duplicates are one case."""
    if draft.kind is not DraftKind.PATTERN or not any(claim.field == "solution" for claim in draft.claims):
        return
    breadth = measure_breadth(draft.claims, cases)
    if breadth.is_narrow:
        yield Flag(doubt=FlagKind.NARROW, reason=f"{breadth.describe()}; at least {MIN_EVIDENCE} of each are needed.")


def unquoted_line_flags(draft: Draft) -> Iterator[Flag]:
    """Flag a model's lines that no claim covers: they may be right, but nothing proves it."""
    for field, line in unclaimed_lines(draft.fields, draft.claims):
        yield Flag(doubt=FlagKind.NO_QUOTE, reason="This sentence has no quote.", field=field, text=line)


def name_flags(draft: Draft, cases: Sequence[Case]) -> Iterator[Flag]:
    """Flag a model's draft name that contains a number or name the cases lack."""
    texts = [text for case in cases for text in case.text.values()]
    missing = (
        find_missing_facts(_lowercase_plain_words(draft.name), extract_source_facts(texts))
        if draft.name not in UNNAMED
        else []
    )
    if missing:
        kinds = " and ".join(dict.fromkeys(fact.kind for fact in missing))
        reason = f"The name contains a {kinds} that its cases do not contain."
        yield Flag(doubt=FlagKind.NO_QUOTE, reason=reason, field="name", text=draft.name)


def _lowercase_plain_words(name: str) -> str:
    """Lowercase the plain words of a name: "Callbacks Never Made" has no proper name, "SAP Callbacks" has."""
    return re.sub(r"\b[^\W\d_][^\W\d_]*\b", lambda word: word[0].lower() if word[0][1:].islower() else word[0], name)
