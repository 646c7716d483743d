"""What a model wrote of a case for the network only stays: its sentences may mix what several cases say."""

import pytest
from tests.fixtures.builders import build_case, build_quote

from patternmind.domain.cases import Consent
from patternmind.domain.drafts import (
    NO_AI,
    Claim,
    Draft,
    DraftKind,
    Flag,
    FlagKind,
    Provenance,
    ReviewedDraft,
)
from patternmind.grounding import ground
from patternmind.services.exports import draft_row

OPEN = build_case("c-1", "Red tape on the goods themselves has helped us since July.")
QUIET = build_case("c-2", "Nobody may learn that the supplier forgot the paper.", consent=Consent.NETWORK_ONLY)
MIXED = Claim(text="Tape helps late suppliers.", field="solution", quotes=(build_quote(OPEN), build_quote(QUIET)))
OF_THE_OPEN = Claim(text="Red tape has helped.", field="solution", quotes=(build_quote(OPEN),))


def drafted(model: str) -> ReviewedDraft:
    draft = Draft(
        id="d-1",
        kind=DraftKind.PATTERN,
        theme_id=None,
        name="Red tape",
        fields={
            "patlet": f"So it goes. {MIXED.text}",
            "solution": (OF_THE_OPEN.text, MIXED.text),
            "reason": "Suppliers are late.",
        },
        claims=(OF_THE_OPEN, MIXED),
        provenance=Provenance(run_id="run-1", model=model, inputs=(f"{OPEN.id}@1", f"{QUIET.id}@1")),
        flags=(Flag(doubt=FlagKind.NOT_IN_QUOTE, reason="Look twice.", field="solution", text=MIXED.text),),
    )
    return ReviewedDraft(grounded=ground(draft, {OPEN.id: OPEN, QUIET.id: QUIET}))


@pytest.mark.parametrize(("model", "goes_out"), [("a/model", False), (NO_AI, True)])
def test_a_claim_with_any_quote_of_a_closed_case_goes_out_only_where_no_model_wrote_it(
    model: str, goes_out: bool
) -> None:
    row = draft_row(drafted(model), frozenset({QUIET.id}))
    assert (MIXED.text in str(row), "Suppliers are late." in str(row)) == (goes_out, goes_out)
    assert [claim["text"] for claim in row["claims"]] == [OF_THE_OPEN.text, *([MIXED.text] * goes_out)]
    assert row["withheld_claims"] == (not goes_out)
    assert QUIET.text["problem"] not in str(row)


def test_what_a_model_wrote_of_open_cases_goes_out_whole() -> None:
    row = draft_row(drafted("a/model"), frozenset())
    assert all(text in str(row) for text in (MIXED.text, "Suppliers are late.", "Look twice."))
    assert MIXED.text in row["fields"]["solution"]
