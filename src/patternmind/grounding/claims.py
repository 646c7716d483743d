"""Ground a draft: verify its claims against their quoted sources, and flag doubtful ones for the reviewer.

A claim without a valid quote is refused and counted, never repaired by guessing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from patternmind.domain.cases import Case
from patternmind.domain.characters import HIDDEN_CHARACTERS
from patternmind.domain.drafts import NO_AI, Claim, Draft, Flag, FlagKind, GroundedDraft, Quote, RefusedClaim
from patternmind.domain.wording import join_words
from patternmind.grounding.facts import MissingFact, extract_source_facts, find_missing_facts
from patternmind.grounding.field_lines import remove_lines, unclaimed_lines
from patternmind.grounding.flags import (
    name_flags,
    narrow_evidence_flags,
    suspicious_case_flags,
    unquoted_line_flags,
    weak_support_flags,
)
from patternmind.grounding.quotes import locate_quote
from patternmind.grounding.support import Similarity

FORBIDDEN_UNQUOTED_KINDS = ("quoted words", "address")
"""Kinds of facts that an unclaimed line must not contain either: they look like evidence, or link elsewhere."""


REFUSED_MISSING_FACTS = "the cases it quotes do not contain"
REFUSED_HIDDEN_CHARACTERS = "it contains invisible characters"


def ground(draft: Draft, cases: Mapping[str, Case], *, similarity: Similarity | None = None) -> GroundedDraft:
    """Return the draft with only the claims that quote these cases' redacted text.

    A claim keeps its valid quotes. A claim without one is refused. A model's claim is also refused if its quoted cases
    lack one of its numbers, dates, names or words in quote marks. Grounding a grounded draft again changes nothing as
    long as the cases stay the same.

    Args:
        similarity: Checks again the claims that share few words with their quotes. Without it, the draft keeps its own
            flags for weak support.
    """
    valid_claims: list[Claim] = []
    refused: list[RefusedClaim] = []
    flags: list[Flag] = []
    by_model = draft.provenance.model != NO_AI
    for claim in draft.claims:
        quotes, reason = _locate_quotes(claim, cases)
        missing = _find_missing(claim, quotes, cases) if quotes and by_model else None
        is_quote = claim.text in {quote.text for quote in quotes}
        if by_model and not reason and not is_quote and HIDDEN_CHARACTERS.search(claim.text):
            reason = REFUSED_HIDDEN_CHARACTERS
        if missing is not None and missing.not_in_cases:
            reason = f"{REFUSED_MISSING_FACTS} {_describe_missing(missing.not_in_cases)}"
        if reason:
            refused.append(RefusedClaim(claim=claim, reason=reason))
            continue
        valid_claims.append(replace(claim, quotes=quotes))
        if missing is not None and missing.not_in_quotes:
            flags.append(_not_in_quote_flag(claim, missing.not_in_quotes))
    removed = {refusal.claim.text for refusal in refused} - {claim.text for claim in valid_claims}
    removed |= _invented_lines(draft, valid_claims, cases) if by_model else set()
    grounded = replace(draft, claims=tuple(valid_claims), fields=remove_lines(draft.fields, removed), flags=())
    weak = (
        weak_support_flags(grounded, similarity)
        if similarity and by_model
        else _flags_of_claims(draft.flags, valid_claims)
    )
    flags += [*weak, *suspicious_case_flags(valid_claims, cases), *narrow_evidence_flags(grounded, cases)]
    if by_model:
        flags += [*unquoted_line_flags(grounded), *name_flags(grounded, _input_cases(grounded, cases))]
    return GroundedDraft(replace(grounded, flags=tuple(weak)), tuple(refused), tuple(flags))


def _locate_quotes(claim: Claim, cases: Mapping[str, Case]) -> tuple[tuple[Quote, ...], str]:
    """Return the valid quotes of a claim, or the reason why it has none."""
    located = [locate_quote(quote, cases) for quote in claim.quotes]
    quotes = tuple(location.quote for location in located if location.quote is not None)
    return quotes, "" if quotes else next((location.reason for location in located), "the claim has no quote")


class _MissingFacts:
    """Facts of a claim that its quoted cases lack, or that only its quotes lack."""

    def __init__(self, not_in_quotes: Sequence[MissingFact], not_in_cases: Sequence[MissingFact]) -> None:
        self.not_in_cases = list(not_in_cases)
        self.not_in_quotes = [fact for fact in not_in_quotes if fact not in self.not_in_cases]


def _find_missing(claim: Claim, quotes: Sequence[Quote], cases: Mapping[str, Case]) -> _MissingFacts:
    quote_texts = [quote.text for quote in quotes]
    if claim.text in quote_texts:
        return _MissingFacts([], [])
    not_in_quotes = find_missing_facts(claim.text, extract_source_facts(quote_texts))
    if not not_in_quotes:
        return _MissingFacts([], [])
    quoted_cases = [cases[case_id] for case_id in dict.fromkeys(quote.case_id for quote in quotes)]
    return _MissingFacts(not_in_quotes, _missing_from_cases(claim.text, quoted_cases))


def _missing_from_cases(text: str, cases: Sequence[Case]) -> list[MissingFact]:
    texts = [part for case in cases for part in case.text.values()]
    return find_missing_facts(text, extract_source_facts(texts, [case.date for case in cases if case.date]))


def _not_in_quote_flag(claim: Claim, missing: Iterable[MissingFact]) -> Flag:
    reason = f"Its quotes do not contain {_describe_missing(missing)}; the quoted cases do."
    return Flag(doubt=FlagKind.NOT_IN_QUOTE, reason=reason, field=claim.field, text=claim.text)


def _describe_missing(missing: Iterable[MissingFact]) -> str:
    """Name the kinds of missing facts, without their words."""
    kinds = [fact.kind for fact in missing]
    words = {"number": "a number", "date": "a date", "name": "a name", "quoted words": "words it puts in quote marks"}
    return join_words(words.get(kind, f"an {kind}") for kind in dict.fromkeys(kinds))


def _invented_lines(draft: Draft, claims: Sequence[Claim], cases: Mapping[str, Case]) -> set[str]:
    """Return a model's unclaimed lines that contain invented quotations, addresses or invisible characters."""
    lines = [line for _, line in unclaimed_lines(draft.fields, claims)]
    suspect = [line for line in lines if re.search(r"[“”\"„«»「]|//|@|\.\w|:", line)]
    input_cases = _input_cases(draft, cases) if suspect else []
    with_hidden_characters = {line for line in lines if HIDDEN_CHARACTERS.search(line)}
    return with_hidden_characters | {
        line
        for line in suspect
        if any(fact.kind in FORBIDDEN_UNQUOTED_KINDS for fact in _missing_from_cases(line, input_cases))
    }


def _input_cases(draft: Draft, cases: Mapping[str, Case]) -> list[Case]:
    return [cases[id] for id in draft.provenance.case_ids if id in cases]


def _flags_of_claims(flags: Sequence[Flag], claims: Sequence[Claim]) -> list[Flag]:
    keys = {(claim.field, claim.text) for claim in claims}
    return [flag for flag in flags if (flag.field, flag.text) in keys]
