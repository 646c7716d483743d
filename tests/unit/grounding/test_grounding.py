"""Tests of grounding: every quote is a slice of its case, or its claim is refused."""

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
from patternmind.domain.draft_fields import WITHDRAWN, FieldValue
from patternmind.domain.drafts import Claim, Draft, DraftKind, Provenance, Quote, RefusedClaim
from patternmind.grounding import find_folded, ground, locate_quote
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


def draft(*claims: Claim, **fields: FieldValue) -> Draft:
    return Draft(
        id="d-1",
        kind=DraftKind.PATTERN,
        theme_id="t-1",
        name="Red tape",
        fields=fields,
        claims=claims,
        provenance=Provenance(run_id="run-1"),
    )


def locate(passage: str, source: str) -> Quote | None:
    return locate_quote(quote(passage), cases_by_id(build_case("c-1", source))).quote


EXACT = quote("Nobody saw it.", start=28, end=42)


def test_ground_keeps_an_exact_quote() -> None:
    exact = draft(claim("Nobody saw it.", EXACT), solution=("Nobody saw it.",))
    grounded = ground(exact, CASES)
    assert (grounded.draft, grounded.refused_claims) == (exact, ())


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
def test_ground_refuses_an_altered_quote_and_removes_its_line(altered: Quote) -> None:
    bad = claim("Nobody ever looks.", altered)
    grounded = ground(draft(bad, solution=("Nobody ever looks.", "Kept."), patlet="So: Nobody ever looks."), CASES)
    assert grounded.draft.claims == ()
    assert grounded.draft.fields == {"solution": ("Kept.",), "patlet": f"So: {WITHDRAWN}"}
    assert [refused.claim for refused in grounded.refused_claims] == [bad]
    assert grounded.refused_claims[0].reason


def test_ground_refuses_a_claim_without_a_quote() -> None:
    assert ground(draft(claim("Trust me.")), CASES).refused_claims == (
        RefusedClaim(claim=claim("Trust me."), reason="the claim has no quote"),
    )


def test_ground_keeps_only_the_valid_quotes_of_a_claim() -> None:
    grounded = ground(draft(claim("Nobody saw it.", quote("invented"), EXACT)), CASES)
    assert grounded.draft.claims == (claim("Nobody saw it.", EXACT),)
    assert grounded.refused_claims == ()


def test_ground_keeps_a_line_that_another_valid_claim_covers() -> None:
    bad, good = claim("Nobody saw it.", quote("invented")), claim("Nobody saw it.", EXACT)
    grounded = ground(draft(bad, good, solution=("Nobody saw it.",)), CASES)
    assert grounded.draft.fields == {"solution": ("Nobody saw it.",)}
    assert (len(grounded.draft.claims), len(grounded.refused_claims)) == (1, 1)


def test_locate_quote_corrects_wrong_offsets() -> None:
    for wrong in (replace(EXACT, start=3, end=9), replace(EXACT, start=-14, end=42), replace(EXACT, end=99)):
        assert locate_quote(wrong, CASES).quote == EXACT


def test_locate_quote_searches_all_fields_for_an_unknown_field() -> None:
    located = locate_quote(quote("Red tape", field=""), CASES).quote
    assert located == quote("Red tape", field="lesson", start=0, end=8)


def test_locate_quote_ignores_other_fields_for_a_known_field() -> None:
    assert locate_quote(quote("Red tape", field="problem"), CASES).quote is None


@pytest.mark.parametrize(
    ("passage", "source"),
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
def test_locate_quote_accepts_variants_of_spaces_marks_and_accents(passage: str, source: str) -> None:
    located = locate(passage, source)
    assert located is not None
    assert source[located.start : located.end] == located.text
    assert located.text in source
    assert len(located.text.split()) == len(passage.split())


@pytest.mark.parametrize(
    ("passage", "source"),
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
def test_locate_quote_refuses_lookalike_characters(passage: str, source: str) -> None:
    assert locate(passage, source) is None


def test_find_folded_skips_a_lookalike_before_a_match() -> None:
    source = "cafe\u0301 and cafe"
    assert find_folded("cafe", source) == (10, 14)


@settings(max_examples=150, deadline=None)
@given(source=TEXTS | MARKED, passage=TEXTS | MARKED, start=st.integers(-5, 50), end=st.integers(-5, 50))
def test_locate_quote_returns_a_slice_of_its_source(source: str, passage: str, start: int, end: int) -> None:
    unchecked = quote(passage, start=start, end=end)
    located = locate_quote(unchecked, cases_by_id(build_case("c-1", source))).quote
    if located is not None:
        assert source[located.start : located.end] == located.text
        assert 0 <= located.start < located.end <= len(source)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), source=TEXTS | MARKED)
def test_locate_quote_finds_every_slice_at_its_offsets(data: st.DataObject, source: str) -> None:
    start = data.draw(st.integers(0, len(source) - 1))
    end = data.draw(st.integers(start + 1, len(source)))
    exact = quote(source[start:end], start=start, end=end)
    located = locate_quote(exact, cases_by_id(build_case("c-1", source))).quote
    if cuts_word_or_number(source, start, end):
        assert located is None or not cuts_word_or_number(source, located.start, located.end)
    else:
        assert located == (exact if source[start:end].strip() else None)


@pytest.mark.parametrize(
    ("passage", "source"),
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
def test_locate_quote_refuses_partial_words_and_numbers(passage: str, source: str) -> None:
    assert locate(passage, source) is None
    start = source.find(passage)
    if start >= 0:
        exact = quote(passage, start=start, end=start + len(passage))
        assert locate_quote(exact, cases_by_id(build_case("c-1", source))).quote is None


@pytest.mark.parametrize(
    ("passage", "source"),
    [
        ("托盘在", "那个托盘在四号通道。"),
        ("ที่สี่", "พาเลทอยู่ที่สี่แล้ว"),
        ("the team", "the team's list"),
        ("lane 4", "in lane 4, today"),
        ("4 of them", "(4 of them) stood"),
        ("mark", "a re-mark of it; mark it"),
    ],
)
def test_locate_quote_accepts_word_boundaries_and_scripts_without_spaces(passage: str, source: str) -> None:
    located = locate(passage, source)
    assert located is not None
    assert located.text == passage


@settings(max_examples=150, deadline=None)
@given(before=MARKED, passage=MARKED, after=MARKED, form=st.sampled_from(["NFC", "NFD"]))
def test_locate_quote_accepts_both_unicode_normal_forms(before: str, passage: str, after: str, form: Any) -> None:
    source = unicodedata.normalize("NFD", f"{before} |{passage}| {after}")
    located = locate(unicodedata.normalize(form, f"|{passage}|"), source)
    assert located is not None
    assert source[located.start : located.end] == located.text


@settings(max_examples=60, deadline=None)
@given(source=MARKED, passages=st.lists(MARKED, max_size=4))
def test_ground_is_idempotent(source: str, passages: list[str]) -> None:
    cases = cases_by_id(build_case("c-1", source))
    first = ground(draft(*(claim(text, quote(text)) for text in passages), solution=tuple(passages)), cases)
    second = ground(first.draft, cases)
    assert (second.draft, second.refused_claims) == (first.draft, ())
    assert len(first.draft.claims) + len(first.refused_claims) == len(passages)
    assert all(valid_claim.quotes for valid_claim in first.draft.claims)


def test_ground_removes_words_of_a_later_redaction_from_every_field() -> None:
    before = draft(
        claim("Nobody saw it.", EXACT), solution=("Nobody saw it.",), patlet="Nobody saw it. Therefore: look."
    )
    redacted = cases_by_id(
        Case(
            id="c-1",
            kind=CASE.kind,
            external_id=None,
            text={"problem": "The pallet stood in lane 4. [person 1] saw it."},
        )
    )
    grounded = ground(before, redacted)
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


def test_grounded_draft_is_immutable() -> None:
    grounded: Any = ground(draft(claim("Nobody saw it.", EXACT)), CASES)
    with pytest.raises((AttributeError, FrozenInstanceError)):
        grounded.draft = draft(claim("Anything.", quote("invented")))
    assert grounded == ground(draft(claim("Nobody saw it.", EXACT)), CASES)
