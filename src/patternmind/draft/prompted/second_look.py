"""A second look at a draft: which of its claims their quotes do not carry, for the reviewer to look at first."""

from collections import Counter
from collections.abc import Sequence

from patternmind.draft.prompted.asking import Ask, one_line
from patternmind.model.drafts import Claim

PROMPT = "weak-support"
FIELD = "weak_support"
"""Where a draft holds what the second look found: for reviewers, never printed."""

MOST = 40

WHY = {
    "wider": "it says more than the one or few cases it quotes",
    "surer": "it tells a hope, a plan or a guess as a fact",
    "cause": "it names a cause or an effect that its quotes do not",
    "turned round": "its quotes say something was tried, or add a “but”",
    "something else": "its quotes are about another matter",
    "unsure": "look whether its quotes carry it",
}
"""In our words: no text of a model stands where nothing can check it."""


def look_again(claims: Sequence[Claim], ask: Ask) -> tuple[str, ...]:
    """One line a weak claim: its field, which claim of that field it is, and the reason; none where all are carried.

    Raises:
        GatewayFailed: there is no usable answer.
    """
    places = _places(claims)
    worded = [claim for claim in places if any(one_line(q.text) != one_line(claim.text) for q in claim.quotes)][:MOST]
    if not worded:
        return ()
    variables = {
        "claims": [
            {"number": number, "lines": "\n".join(map(one_line, [claim.text, *(q.text for q in claim.quotes)]))}
            for number, claim in enumerate(worded, 1)
        ]
    }
    case_ids = sorted({quote.case_id for claim in worded for quote in claim.quotes})
    weak = {one["claim"]: WHY[one["why"]] for one in ask(PROMPT, variables, case_ids=case_ids).value["weak"]}
    return tuple(f"{places[claim]}: {weak[n]}." for n, claim in enumerate(worded, 1) if n in weak)


def _places(claims: Sequence[Claim]) -> dict[Claim, str]:
    """Where each claim stands, such as "solution, line 2"; the claims themselves may not leave with every draft."""
    counted: Counter[str] = Counter()
    places: dict[Claim, str] = {}
    for claim in claims:
        counted[claim.field] += 1
        places[claim] = f"{claim.field.replace('_', ' ')}, line {counted[claim.field]}"
    return places
