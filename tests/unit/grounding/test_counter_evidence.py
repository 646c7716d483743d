"""What speaks against a pattern is looked for in every case of its theme, and the search is told even when empty."""

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


def looked(*cases: Case) -> Draft:
    return add_counter_evidence(pattern(), cases)


def test_a_case_in_which_the_step_failed_is_quoted_against_it_word_for_word() -> None:
    found = looked(HELPED, FAILED, SILENT)
    assert found.fields["counter_evidence"] == ("It did not help at all here.",)
    assert found.fields["counter_search"] == "Searched 3 cases of the theme: 1 found."
    assert ground(found, cases_by_id(HELPED, FAILED, SILENT)).refused_claims == ()


def test_a_case_in_which_something_else_failed_is_not() -> None:
    found = looked(HELPED, ELSEWHERE)
    assert found.fields["counter_evidence"] == "not stated in these cases"
    assert found.fields["counter_search"] == "Searched 2 cases of the theme: none found."
    assert found.claims == pattern().claims


def test_looking_twice_finds_nothing_more_and_an_id_says_what_the_draft_says() -> None:
    once = looked(HELPED, FAILED)
    assert add_counter_evidence(once, [HELPED, FAILED]).claims == once.claims
    own = with_recomputed_id(once)
    assert own.id == draft_id(once.kind, once.theme_id, once.name, once.fields, once.claims) != pattern().id


def test_a_case_given_up_says_so_by_its_outcome() -> None:
    text = {
        "problem": "Pallets on hold.",
        "tried": "Red tape on the pallet itself.",
        "outcome": "The tape lay about in the yard.",
    }
    given_up = build_case("c-5", text, facts={"status": "abandoned"})
    assert looked(HELPED, given_up).fields["counter_evidence"] == ("The tape lay about in the yard.",)
    assert looked(HELPED, replace(given_up, facts={})).claims == pattern().claims


def test_a_draft_without_a_step_is_left_as_it_is() -> None:
    for draft in (pattern(field="problem"), replace(pattern(), kind=DraftKind.PREREADING)):
        assert add_counter_evidence(draft, [HELPED, FAILED]) == draft
