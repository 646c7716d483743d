"""A second look at a draft: which of its claims their quotes do not carry, for the reviewer to look at first."""

from collections import Counter
from collections.abc import Sequence

from patternmind.domain.drafts import Claim
from patternmind.drafting.llm_proposals.base import AskModel, collapse_whitespace

PROMPT_ID = "weak-support"
WEAK_SUPPORT_FIELD = "weak_support"
"""Where a draft holds what the second look found: for reviewers, never printed."""

MAX_CLAIMS = 40

REASON_TEXTS = {
    "wider": "it says more than the one or few cases it quotes",
    "surer": "it tells a hope, a plan or a guess as a fact",
    "cause": "it names a cause or an effect that its quotes do not",
    "turned round": "its quotes say something was tried, or add a “but”",
    "something else": "its quotes are about another matter",
    "unsure": "look whether its quotes carry it",
}
"""In our words: no text of a model stands where nothing can check it."""


def check_support(claims: Sequence[Claim], ask: AskModel) -> tuple[str, ...]:
    """One line a weak claim: its field, which claim of that field it is, and the reason; none where all are carried.

    Raises:
        GatewayFailed: there is no usable answer.
    """
    places = _claim_locations(claims)
    worded = [
        claim
        for claim in places
        if any(collapse_whitespace(q.text) != collapse_whitespace(claim.text) for q in claim.quotes)
    ][:MAX_CLAIMS]
    if not worded:
        return ()
    variables = {
        "claims": [
            {
                "number": number,
                "lines": "\n".join(map(collapse_whitespace, [claim.text, *(q.text for q in claim.quotes)])),
            }
            for number, claim in enumerate(worded, 1)
        ]
    }
    case_ids = sorted({quote.case_id for claim in worded for quote in claim.quotes})
    weak = {
        one["claim"]: REASON_TEXTS[one["why"]] for one in ask(PROMPT_ID, variables, case_ids=case_ids).value["weak"]
    }
    return tuple(f"{places[claim]}: {weak[n]}." for n, claim in enumerate(worded, 1) if n in weak)


def _claim_locations(claims: Sequence[Claim]) -> dict[Claim, str]:
    """Where each claim stands, such as "solution, line 2"; the claims themselves may not leave with every draft."""
    counted: Counter[str] = Counter()
    places: dict[Claim, str] = {}
    for claim in claims:
        counted[claim.field] += 1
        places[claim] = f"{claim.field.replace('_', ' ')}, line {counted[claim.field]}"
    return places
