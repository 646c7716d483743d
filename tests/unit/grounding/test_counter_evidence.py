"""Tests of the search for counter-evidence in all cases of a theme."""

from dataclasses import replace

from tests.fixtures.builders import build_case, build_claim, cases_by_id

from patternmind.domain.cases import Case
from patternmind.domain.drafts import Draft, DraftKind, Provenance
from patternmind.drafting.identity import draft_id, with_recomputed_id
from patternmind.grounding import add_counter_evidence, ground

HELPED = build_case("c-1", {"problem": "Pallets on hold are shipped.", "lesson": "Put red tape on the pallet itself."})
FAILED = build_case(
    "c-2",
    {
        "problem": "Pallets on hold were shipped again.",
        "tried": "We put red tape on every pallet. It did not help at all here.",
    },
)
ELSEWHERE = build_case(
    "c-3", {"problem": "The scanner froze.", "tried": "We changed the battery. It did not help at all here."}
)
SILENT = build_case("c-4", {"problem": "A pallet on hold was shipped by the night shift."})


def pattern(*, field: str = "solution") -> Draft:
    claim = build_claim(field, HELPED, source="lesson")
    return Draft(
        id="d-1",
        kind=DraftKind.PATTERN,
        theme_id="t-1",
        name="Red tape",
        fields={field: (claim.text,), "counter_evidence": "not stated in these cases"},
        claims=(claim,),
        provenance=Provenance(run_id="r"),
    )


def searched(*cases: Case) -> Draft:
    return add_counter_evidence(pattern(), cases)


def test_counter_evidence_quotes_a_case_with_a_failed_step() -> None:
    draft = searched(HELPED, FAILED, SILENT)
    assert draft.fields["counter_evidence"] == ("It did not help at all here.",)
    assert draft.fields["counter_search"] == "Searched 3 cases of the theme: 1 found."
    assert ground(draft, cases_by_id(HELPED, FAILED, SILENT)).refused_claims == ()


def test_counter_evidence_ignores_a_case_with_another_failure() -> None:
    draft = searched(HELPED, ELSEWHERE)
    assert draft.fields["counter_evidence"] == "not stated in these cases"
    assert draft.fields["counter_search"] == "Searched 2 cases of the theme: none found."
    assert draft.claims == pattern().claims


def test_counter_evidence_search_is_idempotent_and_changes_the_draft_id() -> None:
    draft = searched(HELPED, FAILED)
    assert add_counter_evidence(draft, [HELPED, FAILED]).claims == draft.claims
    recomputed = with_recomputed_id(draft)
    assert recomputed.id == draft_id(draft.kind, draft.theme_id, draft.name, draft.fields, draft.claims)
    assert recomputed.id != pattern().id


def test_counter_evidence_uses_the_outcome_of_an_abandoned_case() -> None:
    text = {
        "problem": "Pallets on hold.",
        "tried": "Red tape on the pallet itself.",
        "outcome": "The tape lay about in the yard.",
    }
    abandoned = build_case("c-5", text, facts={"status": "abandoned"})
    assert searched(HELPED, abandoned).fields["counter_evidence"] == ("The tape lay about in the yard.",)
    assert searched(HELPED, replace(abandoned, facts={})).claims == pattern().claims


def test_counter_evidence_leaves_a_draft_without_steps_unchanged() -> None:
    for draft in (pattern(field="problem"), replace(pattern(), kind=DraftKind.PREREADING)):
        assert add_counter_evidence(draft, [HELPED, FAILED]) == draft
