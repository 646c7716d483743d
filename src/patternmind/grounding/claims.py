"""Every claim against its quoted source. What does not hold is refused and counted, never repaired by guessing.

What holds, yet not firmly, is let through with a flag that says why: the reviewer decides, not the machine.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from patternmind.domain.cases import Case
from patternmind.domain.drafts import (
    NO_AI,
    Claim,
    Draft,
    Flag,
    FlagKind,
    GroundedDraft,
    Quote,
    RefusedClaim,
    take_seal,
)
from patternmind.grounding.facts import MissingFact, extract_source_facts, find_missing_facts
from patternmind.grounding.field_lines import WITHDRAWN, remove_lines, unclaimed_lines
from patternmind.grounding.flags import (
    name_flags,
    narrow_evidence_flags,
    suspicious_case_flags,
    unquoted_line_flags,
    weak_support_flags,
)
from patternmind.grounding.quotes import locate_quote
from patternmind.grounding.support import Similarity

_SEAL = take_seal()

FORBIDDEN_UNQUOTED_KINDS = ("quoted words", "address")
"""What a line that no claim covers may not hold either: it would read as evidence, or lead somewhere."""


HIDDEN_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
"""Controls, marks that turn the direction of a text, and tags: what a model has no honest use for."""


def ground(draft: Draft, cases: Mapping[str, Case], *, similarity: Similarity | None = None) -> GroundedDraft:
    """The draft with only the claims that stand on a quote in these cases' redacted text.

    A claim with several quotes keeps those that were found; with none it is refused, and so is a claim of a model
    with a number, a date, a name or words in quote marks that the cases it quotes do not hold. Grounding a grounded
    draft again changes nothing as long as the cases stay as they are.

    Args:
        similarity: to look a second time at claims whose words are not their quotes'; without it the doubts about
            support that the draft came with are kept.
    """
    kept: list[Claim] = []
    refused: list[RefusedClaim] = []
    flags: list[Flag] = []
    by_model = draft.provenance.model != NO_AI
    for claim in draft.claims:
        quotes, reason = _locate_quotes(claim, cases)
        missing = _find_missing(claim, quotes, cases) if quotes and by_model else None
        if (
            by_model
            and not reason
            and HIDDEN_CHARACTERS.search(claim.text)
            and claim.text not in {one.text for one in quotes}
        ):
            reason = "it holds characters that do not show"
        if missing is not None and missing.not_in_cases:
            reason = f"the cases it quotes do not hold {_describe_missing(missing.not_in_cases)}"
        if reason:
            refused.append(RefusedClaim(claim=claim, reason=reason))
            continue
        kept.append(replace(claim, quotes=quotes))
        if missing is not None and missing.elsewhere:
            flags.append(_not_in_quote_flag(claim, missing.elsewhere))
    gone = {one.claim.text for one in refused} - {claim.text for claim in kept}
    gone |= _invented_lines(draft, kept, cases) if by_model else set()
    left = replace(draft, claims=tuple(kept), fields=remove_lines(draft.fields, gone), flags=())
    weak = weak_support_flags(left, similarity) if similarity and by_model else _flags_of_claims(draft.flags, kept)
    flags += [*weak, *suspicious_case_flags(kept, cases), *narrow_evidence_flags(left, cases)]
    if by_model:
        flags += [*unquoted_line_flags(left), *name_flags(left, _input_cases(left, cases))]
    return GroundedDraft(replace(left, flags=tuple(weak)), tuple(refused), tuple(flags), seal=_SEAL)


def _locate_quotes(claim: Claim, cases: Mapping[str, Case]) -> tuple[tuple[Quote, ...], str]:
    """The quotes of a claim that hold; where none does, why."""
    located = [locate_quote(quote, cases) for quote in claim.quotes]
    quotes = tuple(one.quote for one in located if one.quote is not None)
    return quotes, "" if quotes else next((one.reason for one in located), "the claim names no quote")


class _MissingFacts:
    """What of a claim is nowhere in the cases it quotes, and what is in them but not in its quotes."""

    def __init__(self, elsewhere: Sequence[MissingFact], nowhere: Sequence[MissingFact]) -> None:
        self.not_in_cases = list(nowhere)
        self.elsewhere = [one for one in elsewhere if one not in self.not_in_cases]


def _find_missing(claim: Claim, quotes: Sequence[Quote], cases: Mapping[str, Case]) -> _MissingFacts:
    said = [quote.text for quote in quotes]
    if claim.text in said:
        return _MissingFacts([], [])
    elsewhere = find_missing_facts(claim.text, extract_source_facts(said))
    if not elsewhere:
        return _MissingFacts([], [])
    quoted = [cases[case_id] for case_id in dict.fromkeys(quote.case_id for quote in quotes)]
    return _MissingFacts(elsewhere, _missing_from_cases(claim.text, quoted))


def _missing_from_cases(text: str, cases: Sequence[Case]) -> list[MissingFact]:
    texts = [part for case in cases for part in case.text.values()]
    return find_missing_facts(text, extract_source_facts(texts, [case.date for case in cases if case.date]))


def _not_in_quote_flag(claim: Claim, missing: Iterable[MissingFact]) -> Flag:
    reason = f"Its quotes do not hold {_describe_missing(missing)}; the cases they are from do."
    return Flag(doubt=FlagKind.NOT_IN_QUOTE, reason=reason, field=claim.field, text=claim.text)


def _describe_missing(missing: Iterable[MissingFact]) -> str:
    """What is missing, by kind: the words themselves stay where they are."""
    kinds = [one.kind for one in missing]
    words = {"number": "a number", "date": "a date", "name": "a name", "quoted words": "words it puts in quote marks"}
    return " and ".join(words.get(kind, f"an {kind}") for kind in dict.fromkeys(kinds))


def _invented_lines(draft: Draft, claims: Sequence[Claim], cases: Mapping[str, Case]) -> set[str]:
    """Lines of a model that no claim covers and that put words into a case's mouth, or lead out of the text."""
    lines = [line for _, line in unclaimed_lines(draft.fields, claims)]
    suspect = [line for line in lines if re.search(r"[“”\"„«»「]|//|@|\.\w|:", line)]
    known = _input_cases(draft, cases) if suspect else []
    hiding = {line for line in lines if HIDDEN_CHARACTERS.search(line)}
    return hiding | {
        line
        for line in suspect
        if any(one.kind in FORBIDDEN_UNQUOTED_KINDS for one in _missing_from_cases(line, known))
    }


def _input_cases(draft: Draft, cases: Mapping[str, Case]) -> list[Case]:
    """The cases the draft was made from; an input is "case_id@version" or the bare id."""
    ids = (name if name in cases else name.rpartition("@")[0] or name for name in draft.provenance.inputs)
    return [cases[id] for id in dict.fromkeys(ids) if id in cases]


def _flags_of_claims(flags: Sequence[Flag], claims: Sequence[Claim]) -> list[Flag]:
    standing = {(claim.field, claim.text) for claim in claims}
    return [flag for flag in flags if (flag.field, flag.text) in standing]


__all__ = ["WITHDRAWN", "ground"]
