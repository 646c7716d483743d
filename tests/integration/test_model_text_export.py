"""Export withholds a model's text from network-only cases: its sentences may mix several cases."""

from dataclasses import replace

import pytest
from tests.fixtures.builders import build_case, build_quote, cases_by_id

from patternmind.domain.cases import Consent
from patternmind.domain.drafts import NO_AI, Claim, Draft, DraftKind, Flag, FlagKind, Provenance, ReviewedDraft
from patternmind.grounding import ground
from patternmind.services.exports import draft_row

OPEN = build_case("c-1", "Red tape on the goods themselves has helped us since July.")
CONFIDENTIAL = build_case("c-2", "Nobody may learn that the supplier forgot the paper.", consent=Consent.NETWORK_ONLY)
CASES = cases_by_id(OPEN, CONFIDENTIAL)
MIXED = Claim(
    text="Tape helps late suppliers.", field="solution", quotes=(build_quote(OPEN), build_quote(CONFIDENTIAL))
)
OPEN_CLAIM = Claim(text="Red tape has helped.", field="solution", quotes=(build_quote(OPEN),))


def build_draft(model: str) -> ReviewedDraft:
    draft = Draft(
        id="d-1",
        kind=DraftKind.PATTERN,
        theme_id=None,
        name="Red tape",
        fields={
            "patlet": f"In short. {MIXED.text}",
            "solution": (OPEN_CLAIM.text, MIXED.text),
            "reason": "Suppliers are late.",
        },
        claims=(OPEN_CLAIM, MIXED),
        provenance=Provenance(run_id="run-1", model=model, inputs=(f"{OPEN.id}@1", f"{CONFIDENTIAL.id}@1")),
        flags=(Flag(doubt=FlagKind.NOT_IN_QUOTE, reason="Look twice.", field="solution", text=MIXED.text),),
    )
    return ReviewedDraft(grounded=ground(draft, CASES))


@pytest.mark.parametrize(("model", "is_exported"), [("a/model", False), (NO_AI, True)])
def test_claim_quoting_a_network_only_case_is_exported_only_without_a_model(model: str, is_exported: bool) -> None:
    row = draft_row(build_draft(model), CASES)
    assert (MIXED.text in str(row), "Suppliers are late." in str(row)) == (is_exported, is_exported)
    assert [claim["text"] for claim in row["claims"]] == [OPEN_CLAIM.text, *([MIXED.text] * is_exported)]
    assert row["withheld_claims"] == (not is_exported)
    assert CONFIDENTIAL.text["problem"] not in str(row)


def test_model_text_from_publishable_cases_is_exported_completely() -> None:
    row = draft_row(
        build_draft("a/model"), {OPEN.id: OPEN, CONFIDENTIAL.id: replace(CONFIDENTIAL, consent=OPEN.consent)}
    )
    assert all(text in str(row) for text in (MIXED.text, "Suppliers are late.", "Look twice."))
    assert MIXED.text in row["fields"]["solution"]


@pytest.mark.parametrize("model", ["a/model", NO_AI])
def test_text_of_a_withdrawn_or_erased_case_is_not_exported(model: str) -> None:
    row = draft_row(build_draft(model), cases_by_id(OPEN))
    assert [quote["case_id"] for claim in row["claims"] for quote in claim["quotes"]] == [OPEN.id] * len(row["claims"])
    assert (MIXED.text in str(row), "Suppliers are late." in str(row)) == (model == NO_AI, model == NO_AI)
