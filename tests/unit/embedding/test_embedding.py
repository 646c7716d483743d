"""Which text stands for a case under a lens, and which texts still need a vector."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.builders import build_case

from patternmind.domain.cases import CASE_FIELDS, RECAP_FIELDS, CaseKind
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
    ("lens", "of_case", "of_recap"),
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
def test_a_lens_sees_its_fields_in_reading_order(
    lens: str, of_case: tuple[str, ...], of_recap: tuple[str, ...]
) -> None:
    assert lens_text(CASE, lens) == "\n".join(f"The {name}." for name in of_case)
    assert lens_text(RECAP, lens) == "\n".join(f"The {name}." for name in of_recap)


def test_a_case_that_says_nothing_under_a_lens_is_placed_by_all_it_says() -> None:
    silent = build_case(text={"title": "Late lorry", "problem": "It came late."})
    assert lens_text(silent, "helped") == "Late lorry\nIt came late."


TOLD = (
    "The pallet was on hold and nobody had told the night shift. They shipped nine units on Monday. Put red tape on the"
    " goods. The lead of the shift should sign every hold."
)


def test_a_plain_text_is_seen_by_the_sentences_on_the_side_of_the_lens() -> None:
    plain = build_case(text={"title": "Nine units", "problem": TOLD})
    assert extract_lens_text(plain, "problem") == LensText(
        "Nine units\nThe pallet was on hold and nobody had told the night shift.\nThey shipped nine units on Monday.",
        LensCoverage.SENTENCES,
    )
    assert extract_lens_text(plain, "helped") == LensText(
        "Put red tape on the goods.\nThe lead of the shift should sign every hold.", LensCoverage.SENTENCES
    )
    assert lens_text(plain, "all") == f"Nine units\n{TOLD}"


def test_a_structured_case_without_fields_for_the_lens_is_seen_by_its_sentences() -> None:
    told = {"problem": "The pallet was lost.", "what_happened": "Put red tape on all the goods that are on hold."}
    assert extract_lens_text(build_case(text=told), "helped").text == told["what_happened"]


def test_fields_of_the_lens_are_read_whole_whatever_their_sentences_say() -> None:
    case = build_case(text={"problem": "You should see it.", "lesson": "It was lost."})
    assert extract_lens_text(case, "problem") == LensText("You should see it.", LensCoverage.FIELDS)
    assert extract_lens_text(case, "helped") == LensText("It was lost.", LensCoverage.FIELDS)


def test_a_recap_told_in_its_notes_is_seen_by_its_sentences() -> None:
    recap = build_case(kind=CaseKind.RECAP, text={"notes": TOLD})
    assert extract_lens_text(recap, "helped").coverage is LensCoverage.SENTENCES


def test_a_text_that_is_all_problem_keeps_the_vector_of_the_whole() -> None:
    case = build_case(text="The bank charged me twice on 3 May. It was never refunded to me.")
    assert extract_lens_text(case, "problem") == LensText(lens_text(case, "all"), LensCoverage.SENTENCES)
    assert extract_lens_text(case, "helped") == LensText(lens_text(case, "all"), LensCoverage.NOTHING_SPECIFIC)


def test_a_text_in_another_language_is_placed_by_all_it_says() -> None:
    case = build_case(text="Die Palette war gesperrt. Niemand sagte es der Nachtschicht. Man sollte rotes Band nehmen.")
    assert extract_lens_text(case, "helped") == LensText(lens_text(case, "all"), LensCoverage.NOT_ENGLISH)


def test_cases_that_a_lens_cannot_look_into_are_counted_and_said() -> None:
    looked = [
        LensText("x", seen)
        for seen in (
            LensCoverage.FIELDS,
            LensCoverage.NOTHING_SPECIFIC,
            LensCoverage.NOTHING_SPECIFIC,
            LensCoverage.NOT_ENGLISH,
        )
    ]
    assert lens_notes(looked, "helped") == [
        "2 of 4 cases have too few sentences about what helped; their whole text is used.",
        "1 of 4 cases is not in English, and only English sentences can be sorted by lens; its whole text is used.",
    ]
    assert lens_notes(looked[:1], "all") == []


def test_only_the_free_text_is_embedded() -> None:
    noisy = build_case(text="It came late.", extra={"label": "gold"}, facts={"team": "North"})
    assert all(lens_text(noisy, lens) == "It came late." for lens in LENSES)


def test_who_is_meant_does_not_draw_cases_together() -> None:
    case = build_case(text="[person 3] asked [person] and [person 12], not [email] or [persona 1].")
    assert lens_text(case, "all") == "somebody asked somebody and somebody, not [email] or [persona 1]."


def test_a_lens_that_does_not_exist_is_refused_with_those_that_do() -> None:
    assert [check_lens(lens) for lens in LENSES] == list(LENSES)
    with pytest.raises(UsageError, match="all, problem, helped"):
        check_lens("colour")


@given(text=st.text())
def test_a_hash_is_32_hex_digits_that_depend_on_the_text_alone(text: str) -> None:
    assert text_hash(text) == text_hash(str(text))
    assert len(text_hash(text)) == 32
    assert text_hash(text) != text_hash(text + " ")


def test_the_hash_never_changes_between_versions() -> None:
    assert text_hash("The pallet stood in lane 4.") == "a184ffe05097998057554547352ee5e3"
    assert text_hash("\ud800") != text_hash("\ud801")


@given(texts=st.lists(st.sampled_from("abcdef")), known=st.sets(st.sampled_from("abcdef")))
def test_missing_texts_are_each_once_in_an_order_of_their_own(texts: list[str], known: set[str]) -> None:
    vectors = {text_hash(text): np.ones(2, np.float32) for text in known}
    missing = missing_texts(texts, vectors)
    assert set(missing.values()) == set(texts) - known
    assert list(missing) == sorted(missing)
    assert missing == missing_texts(list(reversed(texts)), vectors)
    assert all(text_hash(text) == key for key, text in missing.items())


def test_vectors_are_stacked_by_text_and_a_missing_one_is_an_error() -> None:
    texts = ["a", "b", "a"]
    rows = HashingEncoder().encode(["a", "b"])
    known = {text_hash("a"): rows[0], text_hash("b"): rows[1]}
    assert np.array_equal(stack_vectors(texts, known, 128), rows[[0, 1, 0]])
    assert stack_vectors([], known, 128).shape == (0, 128)
    with pytest.raises(KeyError):
        stack_vectors(["c"], known, 128)
