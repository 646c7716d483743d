"""Every claim against its quoted source. What does not hold is refused and counted, never repaired by guessing.

What holds, yet not firmly, is let through with a flag that says why: the reviewer decides, not the machine.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from patternmind.ground.doubts import breadth_flags, name_flags, suspicion_flags, unquoted_flags, weak_flags
from patternmind.ground.facts import Missing, facts_of, missing_facts
from patternmind.ground.lines import WITHDRAWN, unclaimed, without_lines
from patternmind.ground.quotes import locate_quote
from patternmind.ground.support import Similarity
from patternmind.model.cases import Case
from patternmind.model.drafts import NO_AI, Claim, Doubt, Draft, Flag, GroundedDraft, Quote, Refused, take_seal

_SEAL = take_seal()

INVENTED = ("quoted words", "address")
"""What a line that no claim covers may not hold either: it would read as evidence, or lead somewhere."""


HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
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
    refused: list[Refused] = []
    flags: list[Flag] = []
    by_model = draft.provenance.model != NO_AI
    for claim in draft.claims:
        quotes, reason = _found(claim, cases)
        missing = _missing(claim, quotes, cases) if quotes and by_model else None
        if by_model and not reason and HIDDEN.search(claim.text) and claim.text not in {one.text for one in quotes}:
            reason = "it holds characters that do not show"
        if missing is not None and missing.nowhere:
            reason = f"the cases it quotes do not hold {_told(missing.nowhere)}"
        if reason:
            refused.append(Refused(claim=claim, reason=reason))
            continue
        kept.append(replace(claim, quotes=quotes))
        if missing is not None and missing.elsewhere:
            flags.append(_elsewhere(claim, missing.elsewhere))
    gone = {one.claim.text for one in refused} - {claim.text for claim in kept}
    gone |= _invented(draft, kept, cases) if by_model else set()
    left = replace(draft, claims=tuple(kept), fields=without_lines(draft.fields, gone), flags=())
    weak = weak_flags(left, similarity) if similarity and by_model else _still_meant(draft.flags, kept)
    flags += [*weak, *suspicion_flags(kept, cases), *breadth_flags(left, cases)]
    if by_model:
        flags += [*unquoted_flags(left), *name_flags(left, _inputs(left, cases))]
    return GroundedDraft(replace(left, flags=tuple(weak)), tuple(refused), tuple(flags), seal=_SEAL)


def _found(claim: Claim, cases: Mapping[str, Case]) -> tuple[tuple[Quote, ...], str]:
    """The quotes of a claim that hold; where none does, why."""
    located = [locate_quote(quote, cases) for quote in claim.quotes]
    quotes = tuple(one.quote for one in located if one.quote is not None)
    return quotes, "" if quotes else next((one.reason for one in located), "the claim names no quote")


class _Missing:
    """What of a claim is nowhere in the cases it quotes, and what is in them but not in its quotes."""

    def __init__(self, elsewhere: Sequence[Missing], nowhere: Sequence[Missing]) -> None:
        self.nowhere = list(nowhere)
        self.elsewhere = [one for one in elsewhere if one not in self.nowhere]


def _missing(claim: Claim, quotes: Sequence[Quote], cases: Mapping[str, Case]) -> _Missing:
    said = [quote.text for quote in quotes]
    if claim.text in said:
        return _Missing([], [])
    elsewhere = missing_facts(claim.text, facts_of(said))
    if not elsewhere:
        return _Missing([], [])
    quoted = [cases[case_id] for case_id in dict.fromkeys(quote.case_id for quote in quotes)]
    return _Missing(elsewhere, _nowhere(claim.text, quoted))


def _nowhere(text: str, cases: Sequence[Case]) -> list[Missing]:
    texts = [part for case in cases for part in case.text.values()]
    return missing_facts(text, facts_of(texts, [case.date for case in cases if case.date]))


def _elsewhere(claim: Claim, missing: Iterable[Missing]) -> Flag:
    reason = f"Its quotes do not hold {_told(missing)}; the cases they are from do."
    return Flag(doubt=Doubt.NOT_IN_QUOTE, reason=reason, field=claim.field, text=claim.text)


def _told(missing: Iterable[Missing]) -> str:
    """What is missing, by kind: the words themselves stay where they are."""
    kinds = [one.kind for one in missing]
    words = {"number": "a number", "date": "a date", "name": "a name", "quoted words": "words it puts in quote marks"}
    return " and ".join(words.get(kind, f"an {kind}") for kind in dict.fromkeys(kinds))


def _invented(draft: Draft, kept: Sequence[Claim], cases: Mapping[str, Case]) -> set[str]:
    """Lines of a model that no claim covers and that put words into a case's mouth, or lead out of the text."""
    lines = [line for _, line in unclaimed(draft.fields, kept)]
    suspect = [line for line in lines if re.search(r"[“”\"„«»「]|//|@|\.\w|:", line)]
    known = _inputs(draft, cases) if suspect else []
    hiding = {line for line in lines if HIDDEN.search(line)}
    return hiding | {line for line in suspect if any(one.kind in INVENTED for one in _nowhere(line, known))}


def _inputs(draft: Draft, cases: Mapping[str, Case]) -> list[Case]:
    """The cases the draft was made from; an input is "case_id@version" or the bare id."""
    ids = (name if name in cases else name.rpartition("@")[0] or name for name in draft.provenance.inputs)
    return [cases[id] for id in dict.fromkeys(ids) if id in cases]


def _still_meant(flags: Sequence[Flag], kept: Sequence[Claim]) -> list[Flag]:
    standing = {(claim.field, claim.text) for claim in kept}
    return [flag for flag in flags if (flag.field, flag.text) in standing]


__all__ = ["WITHDRAWN", "ground"]
