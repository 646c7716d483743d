"""Doubts about what was let through, each with its reason, for the reviewer to weigh."""

import re
from collections.abc import Iterator, Mapping, Sequence

from patternmind.ground.facts import facts_of, missing_facts
from patternmind.ground.lines import unclaimed
from patternmind.ground.support import LEAST_OVERLAP, LEAST_SIMILARITY, Similarity, overlap
from patternmind.model.breadth import MIN_QUOTED, breadth_of
from patternmind.model.cases import SUSPICIOUS, Case
from patternmind.model.drafts import Claim, Doubt, Draft, DraftKind, Flag

WITHOUT_A_NAME = frozenset({"", "No repeatable pattern in these cases"})


def weak_flags(draft: Draft, similarity: Similarity) -> list[Flag]:
    """Claims whose quotes share few words with them and do not mean the same either."""
    doubtful = [(claim, [quote.text for quote in claim.quotes]) for claim in draft.claims]
    shares = [1.0 if claim.text in said else overlap(claim.text, said) for claim, said in doubtful]
    asked = [
        (claim, said, share) for (claim, said), share in zip(doubtful, shares, strict=True) if share < LEAST_OVERLAP
    ]
    pairs = [(claim.text, said) for claim, quotes, _ in asked for said in quotes]
    cosines = iter(similarity(pairs) if pairs else ())
    flags: list[Flag] = []
    for claim, quotes, share in asked:
        closest = max(next(cosines) for _ in quotes)
        if closest < LEAST_SIMILARITY:
            held = f"Its quotes hold {round(share * 100)} % of its words"
            reason = f"{held}, and their meaning is not close ({closest:.2f} of 1)."
            flags.append(Flag(doubt=Doubt.WEAK_SUPPORT, reason=reason, field=claim.field, text=claim.text))
    return flags


def suspicion_flags(claims: Sequence[Claim], cases: Mapping[str, Case]) -> Iterator[Flag]:
    """Claims that rest on a case that intake found suspicious."""
    for claim in claims:
        notes = [note for quote in claim.quotes for note in cases[quote.case_id].flags if note.startswith(SUSPICIOUS)]
        for note in dict.fromkeys(notes):
            reason = f"It quotes a case that {note.removeprefix(SUSPICIOUS).strip()}."
            yield Flag(doubt=Doubt.SUSPICIOUS, reason=reason, field=claim.field, text=claim.text)


def breadth_flags(draft: Draft, cases: Mapping[str, Case]) -> Iterator[Flag]:
    """A pattern whose evidence comes from fewer than two cases or two teams; near-duplicates are one case."""
    if draft.kind is not DraftKind.PATTERN or not any(claim.field == "solution" for claim in draft.claims):
        return
    found = breadth_of(draft.claims, cases)
    if found.is_narrow:
        yield Flag(doubt=Doubt.NARROW, reason=f"{found.told()}; {MIN_QUOTED} of each are asked.")


def unquoted_flags(draft: Draft) -> Iterator[Flag]:
    """Lines of a model that no claim covers: they may be right, and nothing shows it."""
    for field, line in unclaimed(draft.fields, draft.claims):
        yield Flag(doubt=Doubt.NO_QUOTE, reason="No quote stands behind this sentence.", field=field, text=line)


def name_flags(draft: Draft, cases: Sequence[Case]) -> Iterator[Flag]:
    """A model's name for a draft with a number or a name in it that its cases do not hold."""
    texts = [text for case in cases for text in case.text.values()]
    missing = missing_facts(_as_sentence(draft.name), facts_of(texts)) if draft.name not in WITHOUT_A_NAME else []
    if missing:
        kinds = " and ".join(dict.fromkeys(one.kind for one in missing))
        yield Flag(
            doubt=Doubt.NO_QUOTE, reason=f"Its cases do not hold a {kinds} in it.", field="name", text=draft.name
        )


def _as_sentence(name: str) -> str:
    """A name with its plain words small: "Callbacks Never Made" names nobody, "SAP Callbacks" does."""
    return re.sub(r"\b[^\W\d_][^\W\d_]*\b", lambda word: word[0].lower() if word[0][1:].islower() else word[0], name)
