"""View models of drafts: claims of each sentence, and quotes highlighted in their cases."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.builders import NOON, build_case, build_claim, build_grounded_draft, cases_by_id

from patternmind.domain.draft_fields import NOT_STATED, value_to_text
from patternmind.domain.drafts import Claim, DraftAction, DraftKind, Quote, ReviewedDraft
from patternmind.review import make_decision
from patternmind.web.draft_view import evidence_view, field_views, highlight_segments, text_to_field

ONE = build_case("c-1", {"problem": "The pallet stood in lane 4. Nobody knew.", "lesson": "We put red tape on it."})
TWO = build_case("c-2", {"problem": "A truck left without papers.", "lesson": "We put red tape on it."})
CASES = cases_by_id(ONE, TWO)


def a_reviewed() -> ReviewedDraft:
    claims = [
        build_claim("problem", ONE, "The pallet stood in lane 4."),
        build_claim("solution", TWO, "We put red tape on it.", source="lesson"),
    ]
    fields = {
        "patlet": "The pallet stood in lane 4. Therefore: We put red tape on it.",
        "forces": NOT_STATED,
        "context": "It was all too much.",
        "coverage": "Evidence from 2 of 2 cases.",
        "counter_evidence": NOT_STATED,
    }
    return ReviewedDraft(
        grounded=build_grounded_draft(CASES, claims, DraftKind.PATTERN, fields=fields), created_at=NOON
    )


def views(reviewed: ReviewedDraft):
    return {view.name: view for view in field_views(reviewed)}


def test_field_view_links_claims_and_marks_unsupported_lines() -> None:
    seen = views(a_reviewed())
    assert [(piece.text, piece.claim_number) for piece in seen["problem"].lines[0].segments] == [
        ("The pallet stood in lane 4.", 0)
    ]
    assert [(line.is_unsupported, line.segments[0].claim_number) for line in seen["context"].lines] == [(True, None)]
    assert [piece.claim_number for piece in seen["patlet"].lines[0].segments] == [0, None, 1]
    assert not seen["coverage"].lines[0].is_unsupported
    assert seen["forces"].lines == seen["counter_evidence"].lines == ()


def test_rewritten_line_loses_its_quote_and_shows_diff() -> None:
    reviewed = a_reviewed()
    edits = {"problem": ("Goods on hold looked like all others.",)}
    edit = make_decision(reviewed, DraftAction.EDIT, actor="Ada", at=NOON, edits=edits)
    view = views(replace(reviewed, decisions=(edit,)))["problem"]
    assert view.lines[0].is_unsupported
    changed = {kind: "".join(change.text for change in view.changes if change.kind == kind) for kind in ("out", "in")}
    assert "pallet" in changed["out"]
    assert "Goods" in changed["in"]
    assert not any(field.changes for field in field_views(replace(reviewed, decisions=(edit,)), changes=False))


def test_evidence_shows_whole_case_with_highlighted_quote() -> None:
    seen = evidence_view(a_reviewed(), 1, CASES)
    assert seen is not None
    assert (seen.previous_number, seen.next_number) == (0, None)
    assert [source.case.id for source in seen.quoted_cases] == ["c-2"]
    assert [passage.segments for passage in seen.quoted_cases[0].passages] == [
        (("A truck left without papers.", False),),
        (("We put red tape on it.", True),),
    ]
    assert evidence_view(a_reviewed(), 7, CASES) is None


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5))
def test_highlighting_preserves_the_text(text: str, places: list[tuple[int, int]]) -> None:
    marks = [(min(pair), min(max(pair), len(text))) for pair in places if min(pair) < min(max(pair), len(text))]
    runs = highlight_segments(text, marks)
    assert "".join(run for run, _ in runs) == text
    marked = {at for start, end in marks for at in range(start, end)}
    assert sum(len(run) for run, mark in runs if mark) == len(marked)


@given(st.lists(st.text("ab c", min_size=1, max_size=9).map(str.strip).filter(bool), min_size=1, max_size=4))
def test_draft_field_survives_the_form_unchanged(lines: list[str]) -> None:
    assert text_to_field(value_to_text(tuple(lines)).replace("\n", "\r\n"), tuple(lines)) == tuple(lines)
    assert text_to_field(value_to_text(lines[0]), lines[0]) == lines[0]
    assert text_to_field("", NOT_STATED) == NOT_STATED
    assert text_to_field("", tuple(lines)) == NOT_STATED


def test_equal_claims_are_matched_by_field() -> None:
    claims = [build_claim("forces", ONE, "We put red tape on it.", source="lesson"),
              build_claim("solution", TWO, "We put red tape on it.", source="lesson")]  # fmt: skip
    seen = views(ReviewedDraft(grounded=build_grounded_draft(CASES, claims, DraftKind.PATTERN)))
    assert [seen[name].lines[0].segments[0].claim_number for name in ("forces", "solution")] == [0, 1]


def test_claim_without_its_case_has_no_evidence() -> None:
    lost = Claim(
        text="Gone.", field="solution", quotes=(Quote(case_id="c-9", field="x", start=0, end=5, text="Gone."),)
    )
    reviewed = ReviewedDraft(
        grounded=build_grounded_draft(CASES, [build_claim("problem", ONE), lost], DraftKind.PATTERN)
    )
    assert evidence_view(reviewed, 1, CASES) is None
