"""Ask a model for claims that their quotes do not support, for the reviewer."""

from collections import Counter
from collections.abc import Sequence

from patternmind.domain.drafts import Claim
from patternmind.drafting.llm_proposals.base import AskModel, collapse_whitespace

PROMPT_ID = "weak-support"
WEAK_SUPPORT_FIELD = "weak_support"
"""Draft field with the results of the support check: for reviewers, never printed."""

MAX_CLAIMS = 40

REASON_TEXTS = {
    "wider": "it claims more than the few cases that it quotes",
    "surer": "it states a hope, a plan or a guess as a fact",
    "cause": "it names a cause or an effect that its quotes do not",
    "turned round": "its quotes say something was tried, or add a “but”",
    "something else": "its quotes are about something else",
    "unsure": "check whether its quotes support it",
}
"""Fixed texts for the model's reasons: no text of a model is printed unchecked."""


def check_support(claims: Sequence[Claim], ask: AskModel) -> tuple[str, ...]:
    """Return one line per weakly supported claim: its field, its line in that field, and the reason.

    Raises:
        GatewayFailed: The model gives no usable answer.
    """
    locations = _claim_locations(claims)
    reworded = [
        claim
        for claim in locations
        if any(collapse_whitespace(q.text) != collapse_whitespace(claim.text) for q in claim.quotes)
    ][:MAX_CLAIMS]
    if not reworded:
        return ()
    variables = {
        "claims": [
            {
                "number": number,
                "lines": "\n".join(map(collapse_whitespace, [claim.text, *(q.text for q in claim.quotes)])),
            }
            for number, claim in enumerate(reworded, 1)
        ]
    }
    case_ids = sorted({quote.case_id for claim in reworded for quote in claim.quotes})
    answer = ask(PROMPT_ID, variables, case_ids=case_ids)
    reasons = {item["claim"]: REASON_TEXTS[item["why"]] for item in answer.value["weak"]}
    return tuple(f"{locations[claim]}: {reasons[n]}." for n, claim in enumerate(reworded, 1) if n in reasons)


def _claim_locations(claims: Sequence[Claim]) -> dict[Claim, str]:
    """Return the location of each claim, such as "solution, line 2".

    The text of a claim is not used, since not every export of a draft may contain it.
    """
    n_by_field: Counter[str] = Counter()
    locations: dict[Claim, str] = {}
    for claim in claims:
        n_by_field[claim.field] += 1
        locations[claim] = f"{claim.field.replace('_', ' ')}, line {n_by_field[claim.field]}"
    return locations
