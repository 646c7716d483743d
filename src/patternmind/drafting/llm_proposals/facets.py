"""Map: the facets of one case, each with the passage it stands on. Read once, used for every draft of its theme."""

from dataclasses import dataclass

from patternmind.domain.cases import Case
from patternmind.domain.drafts import (
    Claim,
    Draft,
    DraftKind,
    Quote,
)
from patternmind.drafting.llm_proposals.base import AskModel, build_draft, collapse_whitespace

PROMPT_ID = "case-facets"

MAX_CASE_CHARACTERS = 12_000
"""Characters of a case that are read, about 2,000 words; a longer one is read from its beginning."""


@dataclass(frozen=True, slots=True)
class CaseFacets:
    """``draft`` has one claim a facet, its field the kind; ``instructions`` says that the case speaks to machines."""

    draft: Draft
    has_instructions: bool


def prompt_variables(case: Case) -> dict[str, object]:
    return {"case": {"case_id": case.id, "parts": _case_parts(case)}}


def draft_facets(case: Case, ask: AskModel, *, run_id: str) -> CaseFacets:
    """What the model reads out of a case, not yet grounded.

    Raises:
        GatewayFailed: there is no usable answer.
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
    left = MAX_CASE_CHARACTERS
    for field, text in case.text.items():
        if left <= 0:
            break
        parts.append({"field": field, "text": text[:left]})
        left -= len(text)
    return parts
