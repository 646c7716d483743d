"""Quotes move with their text or are withdrawn; what one case alone says is found wherever it was repeated."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.builders import (
    NOON,
    build_case,
    build_claim,
    build_quote,
)

from patternmind.domain.cases import Case
from patternmind.domain.drafts import (
    Claim,
    Decision,
    Draft,
    DraftAction,
    DraftKind,
    DraftState,
    Provenance,
    Quote,
)
from patternmind.domain.networks import RosterEntry
from patternmind.grounding import WITHDRAWN, ground
from patternmind.ingestion.redaction.redactor import Roster, redact
from patternmind.quote_repair import (
    DraftRewriter,
    UniqueTerms,
    relocate_quote,
    withdraw_quote,
)

WORDS = st.sampled_from("Anna Hansen waited for the pallet twice. Then it left, Anna said: again ö東 -".split())
TEXTS = st.lists(WORDS, min_size=1, max_size=30).map(" ".join)
ROSTER = Roster.of([RosterEntry(number=7, name="Anna Hansen")])


@given(text=TEXTS, data=st.data())
def test_moved_quote_has_the_same_words_at_its_new_position(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    after = redact(text, ROSTER).text
    quote = Quote(case_id="c-1", field="problem", start=start, end=end, text=text[start:end])
    moved = relocate_quote(quote, text, after)
    if moved is None:
        assert text != after
    else:
        assert after[moved.start : moved.end] == moved.text == quote.text
        assert (moved.case_id, moved.field) == ("c-1", "problem")


@given(before=TEXTS, said=TEXTS, behind=TEXTS)
def test_quote_without_a_name_is_never_lost(before: str, said: str, behind: str) -> None:
    if redact(said, ROSTER).text != said or "Anna" in said:
        said = "nobody was named here"
    text = f"{before} | {said} | {behind}"
    after = f"{redact(before, ROSTER).text} | {said} | {redact(behind, ROSTER).text}"
    start = len(before) + 3
    quote = Quote(case_id="c-1", field="problem", start=start, end=start + len(said), text=said)
    moved = relocate_quote(quote, text, after)
    assert moved is not None
    assert after[moved.start : moved.end] == said


def test_moved_quote_uses_the_right_one_of_two_equal_passages() -> None:
    before, after = "Ask twice. Anna left. Ask twice.", "Ask twice. [person 7] left. Ask twice."
    second = Quote(case_id="c-1", field="problem", start=22, end=32, text="Ask twice.")
    assert relocate_quote(second, before, after) == replace(second, start=28, end=38)


def test_quote_with_a_new_name_or_without_a_source_is_withdrawn() -> None:
    before, after = "Anna left. It broke.", "[person 7] left. It broke."
    assert relocate_quote(Quote(case_id="c", field="p", start=0, end=10, text="Anna left."), before, after) is None
    assert relocate_quote(Quote(case_id="c", field="p", start=0, end=4, text="gone"), before, after) is None


PALLET = build_case("c-1", "Anna saw the pallet stop in lane 4. The tape was red and wide.")
SHELF = build_case("c-2", "A marked shelf ended it for good.")


def a_draft(*claims: Claim, **known: object) -> Draft:
    fields = {name: tuple(one.text for one in claims if one.field == name) for name in {one.field for one in claims}}
    given: dict[str, object] = {
        "name": "Red tape, pallet",
        "fields": fields,
        "provenance": Provenance(run_id="r-1", inputs=("c-1@v1", "c-2@v1")),
        **known,
    }
    return Draft(id="d-1", kind=DraftKind.PATTERN, theme_id="t-1", claims=claims, **given)  # pyright: ignore[reportArgumentType]


def a_decision(**known: object) -> Decision:
    given: dict[str, object] = {"action": DraftAction.EDIT, "by": "Ada", "at": NOON, "edits": {}, **known}
    states = {"before": DraftState.CANDIDATE, "after": DraftState.IN_REVIEW}
    return Decision(id="d-1.1", draft_id="d-1", **states, **given)  # pyright: ignore[reportArgumentType]


def teller(before: Case, after: Case | None) -> DraftRewriter:
    """For a case that has a new text, or is gone."""

    def requote(quote: Quote) -> Quote:
        if quote.case_id != before.id:
            return quote
        moved = after and relocate_quote(quote, before.text[quote.field], after.text[quote.field])
        return moved or withdraw_quote(quote)

    def clean(text: str) -> str:
        return redact(text, ROSTER).text

    versions = {after.id: after.text_version} if after else {}
    return DraftRewriter(
        rewrite_quote=requote,
        rewrite_name=clean,
        rewrite_machine_text=clean,
        rewrite_user_text=clean,
        text_versions=versions,
    )


REDACTED = replace(PALLET, text={"problem": redact(PALLET.text["problem"], ROSTER).text}, text_version="v2")


def test_draft_of_a_redacted_case_keeps_valid_quotes_and_withdraws_the_rest() -> None:
    first, second = PALLET.text["problem"][:35], PALLET.text["problem"][36:]
    claims = [
        build_claim("problem", PALLET, first),
        build_claim("solution", PALLET, second),
        build_claim("solution", SHELF),
    ]
    draft = a_draft(
        *claims,
        fields={
            "problem": (first,),
            "solution": (second, SHELF.text["problem"]),
            "patlet": f"{first} Therefore: {second}",
        },
    )
    edited = a_decision(edits={"solution": (second, f"As Anna says: {first}")}, note="Anna agrees")
    told, (decision,) = teller(PALLET, REDACTED).rewrite(draft, [edited])
    assert [claim.text for claim in told.claims] == [WITHDRAWN, second, SHELF.text["problem"]]
    assert told.claims[0].quotes == (withdraw_quote(claims[0].quotes[0]),)
    assert told.fields == {
        "problem": (WITHDRAWN,),
        "solution": (second, SHELF.text["problem"]),
        "patlet": f"{WITHDRAWN} Therefore: {second}",
    }
    assert told.provenance.inputs == ("c-1@v2", "c-2@v1")
    assert decision.edits == {"solution": (second, f"As [person 7] says: {WITHDRAWN}")}
    assert decision.note == "[person 7] agrees"
    grounded = ground(told, {"c-1": REDACTED, "c-2": SHELF})
    assert [one.claim.text for one in grounded.refused_claims] == [WITHDRAWN]
    assert len(grounded.draft.claims) == 2


def test_claim_remains_while_any_quote_remains() -> None:
    both = Claim(text="Tape and shelf help.", field="solution", quotes=(build_quote(PALLET), build_quote(SHELF)))
    told, _ = teller(PALLET, None).rewrite(a_draft(both), [])
    assert told.claims == (replace(both, quotes=(withdraw_quote(both.quotes[0]), both.quotes[1])),)
    assert told.fields == {"solution": ("Tape and shelf help.",)}


def test_draft_rewrite_is_idempotent() -> None:
    draft = a_draft(build_claim("problem", PALLET), build_claim("solution", SHELF))
    once = teller(PALLET, None).rewrite(draft, [a_decision(note="Anna agrees")])
    assert teller(PALLET, None).rewrite(*once) == once


def test_short_quote_is_withdrawn_only_as_a_whole_line() -> None:
    twice = build_case("c-1", "It broke twice.")
    claim = build_claim("problem", twice, "twice")
    draft = a_draft(claim, fields={"problem": ("twice",), "context": "It was said twice by others."})
    told, _ = teller(twice, None).rewrite(draft, [])
    assert told.fields == {"problem": (WITHDRAWN,), "context": "It was said twice by others."}


TOLD = {
    Draft: "name fields claims provenance flags",
    Claim: "text quotes",
    Quote: "start end text",
    Decision: "edits note",
}
KEPT = {
    Draft: "id kind theme_id",
    Claim: "field",
    Quote: "case_id field",
    Decision: "id draft_id action by at before after reason undoes",
}
"""What holds no words of cases."""


@pytest.mark.parametrize("noun", TOLD)
def test_draft_rewrite_covers_every_field_with_case_text(noun: Any) -> None:
    """A field that comes to it belongs into ``Teller``, or into the second list."""
    assert sorted(one.name for one in fields(noun)) == sorted(f"{TOLD[noun]} {KEPT[noun]}".split())


TRACES = UniqueTerms.from_texts(
    ["The zyxquokka of hall 9b stood in the rain for a whole week. Tape helps."], ["Tape helps. It stood in the rain."]
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Tape helps. It stood.", "Tape helps. It stood."),
        ("Ask about the Zyxquokka, please.", f"Ask about the {WITHDRAWN}, please."),
        ("Look at 9b.", f"Look at {WITHDRAWN}."),
        ("Yes. It was in the rain for a whole week there. No.", f"Yes. {WITHDRAWN} No."),
    ],
)
def test_unique_phrases_of_a_case_are_withdrawn_from_any_text(text: str, told: str) -> None:
    assert TRACES.withdraw_terms(text) == told


def test_theme_name_keeps_phrases_of_other_cases() -> None:
    assert TRACES.withdraw_from_name("Tape, zyxquokka hall") == "Tape"
    assert (TRACES.withdraw_from_name("zyxquokka"), TRACES.withdraw_from_name("")) == (WITHDRAWN, "")
    assert TRACES.withdraw_sentences('No longer called "zyxquokka": gone.') == f"No longer called “{WITHDRAWN}”: gone."


@given(gone=TEXTS, others=st.lists(TEXTS, max_size=3))
def test_text_shared_with_another_case_is_unchanged(gone: str, others: list[str]) -> None:
    traces = UniqueTerms.from_texts([gone], [*others, gone])
    assert traces.withdraw_terms(gone) == gone
    assert traces.withdraw_from_name(gone) == gone
