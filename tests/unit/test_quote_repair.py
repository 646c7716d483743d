"""Tests of quote repair: quotes move with their text or are withdrawn; unique phrases are found everywhere."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.builders import NOON, build_case, build_claim, build_quote

from patternmind.domain.cases import Case
from patternmind.domain.draft_fields import WITHDRAWN
from patternmind.domain.drafts import Claim, Decision, Draft, DraftAction, DraftKind, DraftState, Provenance, Quote
from patternmind.domain.networks import RosterEntry
from patternmind.grounding import ground
from patternmind.ingestion.redaction.redactor import redact
from patternmind.ingestion.redaction.roster import Roster
from patternmind.quote_repair import DraftRewriter, UniqueTerms, relocate_quote, withdraw_quote

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


@given(before=TEXTS, quoted=TEXTS, behind=TEXTS)
def test_quote_without_a_name_is_never_lost(before: str, quoted: str, behind: str) -> None:
    if redact(quoted, ROSTER).text != quoted or "Anna" in quoted:
        quoted = "nobody was named here"
    text = f"{before} | {quoted} | {behind}"
    after = f"{redact(before, ROSTER).text} | {quoted} | {redact(behind, ROSTER).text}"
    start = len(before) + 3
    quote = Quote(case_id="c-1", field="problem", start=start, end=start + len(quoted), text=quoted)
    moved = relocate_quote(quote, text, after)
    assert moved is not None
    assert after[moved.start : moved.end] == quoted


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


def build_draft(*claims: Claim, **options: object) -> Draft:
    fields = {
        name: tuple(claim.text for claim in claims if claim.field == name) for name in {claim.field for claim in claims}
    }
    values: dict[str, object] = {
        "name": "Red tape, pallet",
        "fields": fields,
        "provenance": Provenance(run_id="r-1", inputs=("c-1@v1", "c-2@v1")),
        **options,
    }
    return Draft(id="d-1", kind=DraftKind.PATTERN, theme_id="t-1", claims=claims, **values)  # pyright: ignore[reportArgumentType]


def build_decision(**options: object) -> Decision:
    values: dict[str, object] = {"action": DraftAction.EDIT, "by": "Ada", "at": NOON, "edits": {}, **options}
    states = {"before": DraftState.CANDIDATE, "after": DraftState.IN_REVIEW}
    return Decision(id="d-1.1", draft_id="d-1", **states, **values)  # pyright: ignore[reportArgumentType]


def rewriter_for(before: Case, after: Case | None) -> DraftRewriter:
    """Return a rewriter for a case with a new text, or for a removed case."""

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
    draft = build_draft(
        *claims,
        fields={
            "problem": (first,),
            "solution": (second, SHELF.text["problem"]),
            "patlet": f"{first} Therefore: {second}",
        },
    )
    edited = build_decision(edits={"solution": (second, f"As Anna says: {first}")}, note="Anna agrees")
    rewritten, (decision,) = rewriter_for(PALLET, REDACTED).rewrite(draft, [edited])
    assert [claim.text for claim in rewritten.claims] == [WITHDRAWN, second, SHELF.text["problem"]]
    assert rewritten.claims[0].quotes == (withdraw_quote(claims[0].quotes[0]),)
    assert rewritten.fields == {
        "problem": (WITHDRAWN,),
        "solution": (second, SHELF.text["problem"]),
        "patlet": f"{WITHDRAWN} Therefore: {second}",
    }
    assert rewritten.provenance.inputs == ("c-1@v2", "c-2@v1")
    assert decision.edits == {"solution": (second, f"As [person 7] says: {WITHDRAWN}")}
    assert decision.note == "[person 7] agrees"
    grounded = ground(rewritten, {"c-1": REDACTED, "c-2": SHELF})
    assert [refused.claim.text for refused in grounded.refused_claims] == [WITHDRAWN]
    assert len(grounded.draft.claims) == 2


def test_claim_remains_while_any_quote_remains() -> None:
    claim = Claim(text="Tape and shelf help.", field="solution", quotes=(build_quote(PALLET), build_quote(SHELF)))
    rewritten, _ = rewriter_for(PALLET, None).rewrite(build_draft(claim), [])
    assert rewritten.claims == (replace(claim, quotes=(withdraw_quote(claim.quotes[0]), claim.quotes[1])),)
    assert rewritten.fields == {"solution": ("Tape and shelf help.",)}


def test_draft_rewrite_is_idempotent() -> None:
    draft = build_draft(build_claim("problem", PALLET), build_claim("solution", SHELF))
    once = rewriter_for(PALLET, None).rewrite(draft, [build_decision(note="Anna agrees")])
    assert rewriter_for(PALLET, None).rewrite(*once) == once


def test_short_quote_is_withdrawn_only_as_a_whole_line() -> None:
    case = build_case("c-1", "It broke twice.")
    claim = build_claim("problem", case, "twice")
    draft = build_draft(claim, fields={"problem": ("twice",), "context": "It was said twice by others."})
    rewritten, _ = rewriter_for(case, None).rewrite(draft, [])
    assert rewritten.fields == {"problem": (WITHDRAWN,), "context": "It was said twice by others."}


REWRITTEN_FIELDS = {
    Draft: "name fields claims provenance flags",
    Claim: "text quotes",
    Quote: "start end text",
    Decision: "edits note",
}
OTHER_FIELDS = {
    Draft: "id kind theme_id",
    Claim: "field",
    Quote: "case_id field",
    Decision: "id draft_id action by at before after reason undoes",
}
"""Fields without text of cases."""


@pytest.mark.parametrize("record", REWRITTEN_FIELDS)
def test_draft_rewrite_covers_every_field_with_case_text(record: Any) -> None:
    """Every field is rewritten by ``DraftRewriter`` or listed as free of case text."""
    assert sorted(field.name for field in fields(record)) == sorted(
        f"{REWRITTEN_FIELDS[record]} {OTHER_FIELDS[record]}".split()
    )


UNIQUE_TERMS = UniqueTerms.from_texts(
    ["The zyxquokka of hall 9b stood in the rain for a whole week. Tape helps."], ["Tape helps. It stood in the rain."]
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tape helps. It stood.", "Tape helps. It stood."),
        ("Ask about the Zyxquokka, please.", f"Ask about the {WITHDRAWN}, please."),
        ("Look at 9b.", f"Look at {WITHDRAWN}."),
        ("Yes. It was in the rain for a whole week there. No.", f"Yes. {WITHDRAWN} No."),
    ],
)
def test_unique_phrases_of_a_case_are_withdrawn_from_any_text(text: str, expected: str) -> None:
    assert UNIQUE_TERMS.withdraw_terms(text) == expected


def test_theme_name_keeps_phrases_of_other_cases() -> None:
    assert UNIQUE_TERMS.withdraw_from_name("Tape, zyxquokka hall") == "Tape"
    assert (UNIQUE_TERMS.withdraw_from_name("zyxquokka"), UNIQUE_TERMS.withdraw_from_name("")) == (WITHDRAWN, "")
    assert (
        UNIQUE_TERMS.withdraw_sentences('No longer called "zyxquokka": gone.')
        == f"No longer called “{WITHDRAWN}”: gone."
    )


@given(removed=TEXTS, others=st.lists(TEXTS, max_size=3))
def test_text_shared_with_another_case_is_unchanged(removed: str, others: list[str]) -> None:
    unique_terms = UniqueTerms.from_texts([removed], [*others, removed])
    assert unique_terms.withdraw_terms(removed) == removed
    assert unique_terms.withdraw_from_name(removed) == removed
