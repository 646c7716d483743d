"""Every quote is a slice of its case, found by code, or its claim is refused; nothing is repaired by guessing."""

import ast
import unicodedata
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.builders import build_case, cases_by_id

import patternmind
from patternmind.domain.cases import Case
from patternmind.domain.drafts import (
    Claim,
    Draft,
    DraftKind,
    Provenance,
    Quote,
    RefusedClaim,
)
from patternmind.grounding import (
    WITHDRAWN,
    find_folded,
    ground,
    locate_quote,
)
from patternmind.grounding.folding import cuts_word_or_number

CASE = build_case(
    "c-1", {"problem": "The pallet stood in lane 4. Nobody saw it.", "lesson": "Red tape on the goods helps."}
)
OTHER = build_case("c-2", "The pallet stood in lane 4.")
CASES = cases_by_id(CASE, OTHER)

TEXTS = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=40)
MARKED = st.text(
    alphabet=st.sampled_from("aeo \t\n\u00a0'’`\"“«-–—\u0301\u0308\u0327éöA\u030aÅ한글\u1112\u1161\u11ab²2=\u0338"),
    min_size=1,
    max_size=24,
)


def quote(text: str, *, case_id: str = "c-1", field: str = "problem", start: int = 0, end: int = 0) -> Quote:
    return Quote(case_id=case_id, field=field, start=start, end=end, text=text)


def claim(text: str, *quotes: Quote, field: str = "solution") -> Claim:
    return Claim(text=text, field=field, quotes=quotes)


def draft(*claims: Claim, **fields: str | tuple[str, ...]) -> Draft:
    return Draft(
        id="d-1",
        kind=DraftKind.PATTERN,
        theme_id="t-1",
        name="Red tape",
        fields=fields,
        claims=claims,
        provenance=Provenance(run_id="run-1"),
    )


def located(wanted: str, source: str) -> Quote | None:
    return locate_quote(quote(wanted), cases_by_id(build_case("c-1", source))).quote


EXACT = quote("Nobody saw it.", start=28, end=42)


def test_an_exact_quote_passes_unchanged() -> None:
    one = draft(claim("Nobody saw it.", EXACT), solution=("Nobody saw it.",))
    grounded = ground(one, CASES)
    assert (grounded.draft, grounded.refused_claims) == (one, ())


@pytest.mark.parametrize(
    "altered",
    [
        quote("Nobody saw them."),
        quote("nobody saw it."),
        quote("The pallet stood in lane 5."),
        quote("The pallet stood in lane 4 Nobody saw it."),
        quote("Red tape on the goods helps."),
        quote("The pallet ... Nobody saw it."),
        quote("  \n"),
        quote(""),
        quote("Nobody saw it.", case_id="c-9"),
        quote("Nobody saw it.", case_id="c-2"),
    ],
)
def test_a_claim_with_an_altered_quote_is_refused_with_the_reason_and_its_line_goes(altered: Quote) -> None:
    bad = claim("Nobody ever looks.", altered)
    grounded = ground(draft(bad, solution=("Nobody ever looks.", "Kept."), patlet="So: Nobody ever looks."), CASES)
    assert grounded.draft.claims == ()
    assert grounded.draft.fields == {"solution": ("Kept.",), "patlet": f"So: {WITHDRAWN}"}
    assert [one.claim for one in grounded.refused_claims] == [bad]
    assert grounded.refused_claims[0].reason


def test_a_claim_without_a_quote_is_refused() -> None:
    assert ground(draft(claim("Trust me.")), CASES).refused_claims == (
        RefusedClaim(claim=claim("Trust me."), reason="the claim has no quote"),
    )


def test_a_claim_keeps_the_quotes_that_hold_and_loses_the_others() -> None:
    grounded = ground(draft(claim("Nobody saw it.", quote("invented"), EXACT)), CASES)
    assert grounded.draft.claims == (claim("Nobody saw it.", EXACT),)
    assert grounded.refused_claims == ()


def test_a_line_stays_while_another_claim_says_the_same_and_holds() -> None:
    bad, good = claim("Nobody saw it.", quote("invented")), claim("Nobody saw it.", EXACT)
    grounded = ground(draft(bad, good, solution=("Nobody saw it.",)), CASES)
    assert grounded.draft.fields == {"solution": ("Nobody saw it.",)}
    assert (len(grounded.draft.claims), len(grounded.refused_claims)) == (1, 1)


def test_wrong_offsets_are_put_right_and_offsets_past_the_end_too() -> None:
    for wrong in (replace(EXACT, start=3, end=9), replace(EXACT, start=-14, end=42), replace(EXACT, end=99)):
        assert locate_quote(wrong, CASES).quote == EXACT


def test_a_field_that_the_case_does_not_have_is_looked_for_in_the_others() -> None:
    found = locate_quote(quote("Red tape", field=""), CASES).quote
    assert found == quote("Red tape", field="lesson", start=0, end=8)


def test_the_same_words_in_another_field_of_the_case_are_not_the_quote_of_this_one() -> None:
    assert locate_quote(quote("Red tape", field="problem"), CASES).quote is None


@pytest.mark.parametrize(
    ("wanted", "source"),
    [
        ("lane 4", "in lane\u00a04 today"),
        ("lane 4", "in lane \n\t 4 today"),
        ("lane\u2003 4", "in lane 4 today"),
        ('it\'s "done"', "so it’s “done” now"),
        ("it’s «done»", 'so it\'s "done" now'),
        ("a - b", "first a — b then"),
        ("caf\u00e9", "the cafe\u0301 shut"),
        ("cafe\u0301", "the caf\u00e9 shut"),
        ("\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
        ("a\u0323\u0307", "a\u0307\u0323"),
    ],
)
def test_spaces_quote_marks_dashes_and_accents_may_be_written_in_other_ways(wanted: str, source: str) -> None:
    found = located(wanted, source)
    assert found is not None
    assert source[found.start : found.end] == found.text
    assert found.text in source
    assert len(found.text.split()) == len(wanted.split())


@pytest.mark.parametrize(
    ("wanted", "source"),
    [
        ("102 units", "10² units"),
        ("10²", "102"),
        ("resume", "résumé"),
        ("cafe", "cafe\u0301"),
        ("x", "x\u0302"),
        ("= b", "a =\u0338 b"),
        ("½", "1⁄2"),
        ("Ａ", "A"),
        ("ﬁt", "fit"),
        ("straße", "strasse"),
        ("-5 degrees", "5 degrees"),
    ],
)
def test_what_only_looks_alike_is_refused(wanted: str, source: str) -> None:
    assert located(wanted, source) is None


def test_a_later_place_is_found_where_the_first_only_looks_alike() -> None:
    source = "cafe\u0301 and cafe"
    assert find_folded("cafe", source) == (10, 14)


@settings(max_examples=150, deadline=None)
@given(source=TEXTS | MARKED, wanted=TEXTS | MARKED, start=st.integers(-5, 50), end=st.integers(-5, 50))
def test_whatever_is_kept_is_a_slice_of_its_source(source: str, wanted: str, start: int, end: int) -> None:
    given_quote = quote(wanted, start=start, end=end)
    found = locate_quote(given_quote, cases_by_id(build_case("c-1", source))).quote
    if found is not None:
        assert source[found.start : found.end] == found.text
        assert 0 <= found.start < found.end <= len(source)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), source=TEXTS | MARKED)
def test_every_slice_of_a_text_is_found_with_its_offsets(data: st.DataObject, source: str) -> None:
    start = data.draw(st.integers(0, len(source) - 1))
    end = data.draw(st.integers(start + 1, len(source)))
    exact = quote(source[start:end], start=start, end=end)
    found = locate_quote(exact, cases_by_id(build_case("c-1", source))).quote
    if cuts_word_or_number(source, start, end):
        assert found is None or not cuts_word_or_number(source, found.start, found.end)
    else:
        assert found == (exact if source[start:end].strip() else None)


@pytest.mark.parametrize(
    ("wanted", "source"),
    [
        ("We can", "We cannot lift it."),
        ("We could", "We couldn't lift it."),
        ("We did", "We didn’t lift it."),
        ("tested", "It was untested."),
        ("at 10", "at 102 mbar"),
        ("at 10", "at 10² mbar"),
        ("cost 12", "cost 12,50 in all"),
        ("50 in all", "cost 12.50 in all"),
        ("5 degrees", "at -5 degrees"),
        ("5 degrees", "at −5 degrees"),
        ("12 days", "10–12 days"),
        ("cafe", "the café shut"),
    ],
)
def test_a_quote_does_not_begin_or_end_inside_a_word_or_a_number(wanted: str, source: str) -> None:
    assert located(wanted, source) is None
    at = source.find(wanted)
    if at >= 0:
        exact = quote(wanted, start=at, end=at + len(wanted))
        assert locate_quote(exact, cases_by_id(build_case("c-1", source))).quote is None


@pytest.mark.parametrize(
    ("wanted", "source"),
    [
        ("托盘在", "那个托盘在四号通道。"),
        ("ที่สี่", "พาเลทอยู่ที่สี่แล้ว"),
        ("the team", "the team's list"),
        ("lane 4", "in lane 4, today"),
        ("4 of them", "(4 of them) stood"),
        ("mark", "a re-mark of it; mark it"),
    ],
)
def test_where_a_word_ends_or_none_can_be_told_a_quote_may_end(wanted: str, source: str) -> None:
    found = located(wanted, source)
    assert found is not None
    assert found.text == wanted


@settings(max_examples=150, deadline=None)
@given(before=MARKED, wanted=MARKED, after=MARKED, form=st.sampled_from(["NFC", "NFD"]))
def test_a_text_is_found_in_either_normal_form(before: str, wanted: str, after: str, form: Any) -> None:
    source = unicodedata.normalize("NFD", f"{before} |{wanted}| {after}")
    found = located(unicodedata.normalize(form, f"|{wanted}|"), source)
    assert found is not None
    assert source[found.start : found.end] == found.text


@settings(max_examples=60, deadline=None)
@given(source=MARKED, wanted=st.lists(MARKED, max_size=4))
def test_grounding_again_changes_nothing(source: str, wanted: list[str]) -> None:
    cases = cases_by_id(build_case("c-1", source))
    once = ground(draft(*(claim(text, quote(text)) for text in wanted), solution=tuple(wanted)), cases)
    again = ground(once.draft, cases)
    assert (again.draft, again.refused_claims) == (once.draft, ())
    assert len(once.draft.claims) + len(once.refused_claims) == len(wanted)
    assert all(one.quotes for one in once.draft.claims)


def test_a_case_that_was_redacted_anew_takes_its_old_words_out_of_every_field() -> None:
    before = draft(
        claim("Nobody saw it.", EXACT), solution=("Nobody saw it.",), patlet="Nobody saw it. Therefore: look."
    )
    now = cases_by_id(
        Case(
            id="c-1",
            kind=CASE.kind,
            external_id=None,
            text={"problem": "The pallet stood in lane 4. [person 1] saw it."},
        )
    )
    grounded = ground(before, now)
    assert grounded.draft.claims == ()
    assert "Nobody" not in str(grounded.draft.fields)


def constructs_grounded_draft(call: ast.Call) -> bool:
    """Detect ``GroundedDraft(...)``, and ``replace(...)`` with a field that only a grounded draft has."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    replaced = {keyword.arg for keyword in call.keywords}
    return name == "GroundedDraft" or (name == "replace" and bool(replaced & {"draft", "refused_claims"}))


def test_grounded_draft_is_constructed_only_in_grounding() -> None:
    package = Path(patternmind.__file__).parent
    callers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and constructs_grounded_draft(node)
    }
    assert callers == {"grounding/claims.py"}


@pytest.mark.parametrize(
    ("code", "detected"),
    [
        ("GroundedDraft(draft, ())", True),
        ("drafts.GroundedDraft(draft, ())", True),
        ("replace(grounded, draft=draft)", True),
        ("dataclasses.replace(grounded, refused_claims=())", True),
        ("replace(draft, name='a')", False),
        ("ground(draft, {})", False),
    ],
)
def test_grounded_draft_check_detects_a_construction(code: str, detected: bool) -> None:
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    assert constructs_grounded_draft(call) == detected


def test_a_grounded_draft_cannot_be_changed_afterwards() -> None:
    grounded: Any = ground(draft(claim("Nobody saw it.", EXACT)), CASES)
    with pytest.raises((AttributeError, FrozenInstanceError)):
        grounded.draft = draft(claim("Anything.", quote("invented")))
    assert grounded == ground(draft(claim("Nobody saw it.", EXACT)), CASES)
