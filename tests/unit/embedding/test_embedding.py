"""Tests of lens texts and of the vectors of texts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.builders import build_case

from patternmind.domain.case_fields import CASE_FIELDS, RECAP_FIELDS
from patternmind.domain.cases import CaseKind
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.embedding.lenses import (
    LENSES,
    LensCoverage,
    LensText,
    check_lens,
    extract_lens_text,
    lens_notes,
    lens_text,
)
from patternmind.embedding.vectors import missing_texts, stack_vectors, text_hash
from patternmind.errors import UsageError

CASE = build_case(text={name: f"The {name}." for name in CASE_FIELDS})
RECAP = build_case(kind=CaseKind.RECAP, text={name: f"The {name}." for name in RECAP_FIELDS})


@pytest.mark.parametrize(
    ("lens", "case_fields", "recap_fields"),
    [
        ("all", CASE_FIELDS, RECAP_FIELDS),
        (
            "problem",
            ("title", "problem", "context", "expected", "what_happened", "decision_point", "newcomer_miss"),
            ("title", "case", "open_question"),
        ),
        ("helped", ("tried", "outcome", "lesson", "recommendation"), ("pattern", "decision", "next_use")),
    ],
)
def test_lens_text_has_the_fields_in_reading_order(
    lens: str, case_fields: tuple[str, ...], recap_fields: tuple[str, ...]
) -> None:
    assert lens_text(CASE, lens) == "\n".join(f"The {name}." for name in case_fields)
    assert lens_text(RECAP, lens) == "\n".join(f"The {name}." for name in recap_fields)


def test_lens_text_is_the_whole_text_when_the_lens_selects_nothing() -> None:
    case = build_case(text={"title": "Late lorry", "problem": "It came late."})
    assert lens_text(case, "helped") == "Late lorry\nIt came late."


MIXED_TEXT = (
    "The pallet was on hold and nobody had told the night shift. They shipped nine units on Monday. Put red tape on the"
    " goods. The lead of the shift should sign every hold."
)


def test_lens_text_of_plain_text_has_the_sentences_of_the_lens() -> None:
    case = build_case(text={"title": "Nine units", "problem": MIXED_TEXT})
    assert extract_lens_text(case, "problem") == LensText(
        "Nine units\nThe pallet was on hold and nobody had told the night shift.\nThey shipped nine units on Monday.",
        LensCoverage.SENTENCES,
    )
    assert extract_lens_text(case, "helped") == LensText(
        "Put red tape on the goods.\nThe lead of the shift should sign every hold.", LensCoverage.SENTENCES
    )
    assert lens_text(case, "all") == f"Nine units\n{MIXED_TEXT}"


def test_lens_text_uses_sentences_when_the_case_has_no_field_for_the_lens() -> None:
    text = {"problem": "The pallet was lost.", "what_happened": "Put red tape on all the goods that are on hold."}
    assert extract_lens_text(build_case(text=text), "helped").text == text["what_happened"]


def test_lens_text_keeps_fields_of_the_lens_whole() -> None:
    case = build_case(text={"problem": "You should see it.", "lesson": "It was lost."})
    assert extract_lens_text(case, "problem") == LensText("You should see it.", LensCoverage.FIELDS)
    assert extract_lens_text(case, "helped") == LensText("It was lost.", LensCoverage.FIELDS)


def test_lens_text_of_a_recap_uses_sentences_of_its_notes() -> None:
    recap = build_case(kind=CaseKind.RECAP, text={"notes": MIXED_TEXT})
    assert extract_lens_text(recap, "helped").coverage is LensCoverage.SENTENCES


def test_lens_text_is_the_whole_text_when_all_sentences_match() -> None:
    case = build_case(text="The bank charged me twice on 3 May. It was never refunded to me.")
    assert extract_lens_text(case, "problem") == LensText(lens_text(case, "all"), LensCoverage.SENTENCES)
    assert extract_lens_text(case, "helped") == LensText(lens_text(case, "all"), LensCoverage.NOTHING_SPECIFIC)


def test_lens_text_is_the_whole_text_in_another_language() -> None:
    case = build_case(text="Die Palette war gesperrt. Niemand sagte es der Nachtschicht. Man sollte rotes Band nehmen.")
    assert extract_lens_text(case, "helped") == LensText(lens_text(case, "all"), LensCoverage.NOT_ENGLISH)


def test_lens_notes_count_cases_used_with_their_whole_text() -> None:
    lens_texts = [
        LensText("x", coverage)
        for coverage in (
            LensCoverage.FIELDS,
            LensCoverage.NOTHING_SPECIFIC,
            LensCoverage.NOTHING_SPECIFIC,
            LensCoverage.NOT_ENGLISH,
        )
    ]
    assert lens_notes(lens_texts, "helped") == [
        "2 of 4 cases have too few sentences about what helped; their whole text is used.",
        "1 of 4 cases is not in English, and only English sentences can be sorted by lens; its whole text is used.",
    ]
    assert lens_notes(lens_texts[:1], "all") == []


def test_lens_text_contains_only_free_text() -> None:
    case = build_case(text="It came late.", extra={"label": "gold"}, facts={"team": "North"})
    assert all(lens_text(case, lens) == "It came late." for lens in LENSES)


def test_lens_text_has_no_numbered_person_placeholders() -> None:
    case = build_case(text="[person 3] asked [person] and [person 12], not [email] or [persona 1].")
    assert lens_text(case, "all") == "somebody asked somebody and somebody, not [email] or [persona 1]."


def test_unknown_lens_raises_usage_error_with_known_lenses() -> None:
    assert [check_lens(lens) for lens in LENSES] == list(LENSES)
    with pytest.raises(UsageError, match="all, problem, helped"):
        check_lens("colour")


@given(text=st.text())
def test_text_hash_has_32_hex_digits_and_depends_only_on_the_text(text: str) -> None:
    assert text_hash(text) == text_hash(str(text))
    assert len(text_hash(text)) == 32
    assert text_hash(text) != text_hash(text + " ")


def test_text_hash_is_the_same_in_every_version() -> None:
    assert text_hash("The pallet stood in lane 4.") == "a184ffe05097998057554547352ee5e3"
    assert text_hash("\ud800") != text_hash("\ud801")


@given(texts=st.lists(st.sampled_from("abcdef")), known_texts=st.sets(st.sampled_from("abcdef")))
def test_missing_texts_are_distinct_and_in_canonical_order(texts: list[str], known_texts: set[str]) -> None:
    vectors = {text_hash(text): np.ones(2, np.float32) for text in known_texts}
    missing = missing_texts(texts, vectors)
    assert set(missing.values()) == set(texts) - known_texts
    assert list(missing) == sorted(missing)
    assert missing == missing_texts(list(reversed(texts)), vectors)
    assert all(text_hash(text) == key for key, text in missing.items())


def test_stack_vectors_orders_by_text_and_raises_for_a_missing_vector() -> None:
    texts = ["a", "b", "a"]
    rows = HashingEncoder().encode(["a", "b"])
    known_vectors = {text_hash("a"): rows[0], text_hash("b"): rows[1]}
    assert np.array_equal(stack_vectors(texts, known_vectors, 128), rows[[0, 1, 0]])
    assert stack_vectors([], known_vectors, 128).shape == (0, 128)
    with pytest.raises(KeyError):
        stack_vectors(["c"], known_vectors, 128)
