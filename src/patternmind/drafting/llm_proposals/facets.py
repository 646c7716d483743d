"""Map step: extract the facets of a case, each with its passage; used for every draft of the theme."""

from dataclasses import dataclass

from patternmind.domain.cases import Case
from patternmind.domain.drafts import Claim, Draft, DraftKind, Quote
from patternmind.drafting.identity import build_draft
from patternmind.drafting.llm_proposals.base import AskModel, collapse_whitespace

PROMPT_ID = "case-facets"

MAX_CASE_CHARACTERS = 12_000
"""Characters that are read from the beginning of a case, about 2,000 words."""


@dataclass(frozen=True, slots=True)
class CaseFacets:
    """The facets of one case.

    ``draft`` has one claim per facet; the claim's field is the kind of facet. ``has_instructions`` is true if the case
    contains instructions to a model.
    """

    draft: Draft
    has_instructions: bool


def prompt_variables(case: Case) -> dict[str, object]:
    return {"case": {"case_id": case.id, "parts": _case_parts(case)}}


def draft_facets(case: Case, ask: AskModel, *, run_id: str) -> CaseFacets:
    """Ask the model for the facets of a case; they are not grounded yet.

    Raises:
        GatewayFailed: The model gives no usable answer.
    """
    answer = ask(PROMPT_ID, prompt_variables(case), case_ids=[case.id])
    claims = [
        Claim(
            text=collapse_whitespace(facet["text"]),
            field=facet["kind"],
            quotes=(Quote(case_id=case.id, field="", start=0, end=0, text=facet["quote"]),),
        )
        for facet in answer.value["facets"]
    ]
    draft = build_draft(DraftKind.FACETS, None, case.id, {}, claims, answer.provenance(run_id, [case]))
    return CaseFacets(draft, answer.value["instructions"])


def _case_parts(case: Case) -> list[dict[str, str]]:
    parts: list[dict[str, str]] = []
    n_remaining = MAX_CASE_CHARACTERS
    for field, text in case.text.items():
        if n_remaining <= 0:
            break
        parts.append({"field": field, "text": text[:n_remaining]})
        n_remaining -= len(text)
    return parts
