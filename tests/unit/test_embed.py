"""Which text stands for a case under a lens, and which texts still need a vector."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import a_case

from patternmind.adapters.hashing_encoder import HashingEncoder
from patternmind.embed import LENSES, check_lens, lens_text, missing_texts, stack_vectors, text_hash
from patternmind.errors import UsageError
from patternmind.model.cases import CASE_FIELDS, RECAP_FIELDS, Kind

CASE = a_case(text={name: f"The {name}." for name in CASE_FIELDS})
RECAP = a_case(kind=Kind.RECAP, text={name: f"The {name}." for name in RECAP_FIELDS})


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
    silent = a_case(text={"title": "Late lorry", "problem": "It came late."})
    assert lens_text(silent, "helped") == "Late lorry\nIt came late."


def test_only_the_free_text_is_embedded() -> None:
    noisy = a_case(text="It came late.", extra={"label": "gold"}, facts={"team": "North"})
    assert all(lens_text(noisy, lens) == "It came late." for lens in LENSES)


def test_who_is_meant_does_not_draw_cases_together() -> None:
    case = a_case(text="[person 3] asked [person] and [person 12], not [email] or [persona 1].")
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
