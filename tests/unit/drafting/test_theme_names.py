"""Names of themes: short, distinct, in the words of their cases; and the lint that refuses the vague ones."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patternmind.drafting.keyphrases import Phrase
from patternmind.drafting.theme_names import (
    MAX_NAME_WORDS,
    N_KEYWORDS,
    ThemeName,
    lint_name,
    name_themes,
)


def phrase(text: str, score: float = 1.0) -> Phrase:
    return Phrase(text, tuple(text.split()), 1.0, score)


def test_a_name_is_the_two_best_phrases_that_share_no_word() -> None:
    phrases = [phrase("label printer", 3), phrase("printer jam", 2), phrase("paper", 1)]
    assert name_themes({"t-1": phrases}) == {
        "t-1": ThemeName("Label printer, paper", ("label printer", "printer jam", "paper"))
    }


def test_a_single_phrase_is_a_name_too() -> None:
    assert name_themes({"t-1": [phrase("label printer")]})["t-1"].name == "Label printer"


def test_capitals_inside_a_phrase_stay() -> None:
    assert name_themes({"t-1": [phrase("ERP login")]})["t-1"].name == "ERP login"


def test_two_themes_with_the_same_phrases_have_different_names() -> None:
    same = [phrase("scanner", 2), phrase("battery", 1), phrase("dock", 0.5)]
    names = name_themes({"t-1": same, "t-2": same, "t-3": same})
    assert [names[id].name for id in ("t-1", "t-2", "t-3")] == ["Scanner, battery", "Scanner, dock", "Battery, dock"]


def test_a_theme_without_any_phrase_is_named_by_its_id() -> None:
    assert name_themes({"t-12345678": []}) == {"t-12345678": ThemeName("Theme 5678", ())}


def test_a_name_that_a_theme_is_known_by_stays_its_own() -> None:
    names = name_themes(
        {"t-1": [phrase("scanner", 5), phrase("battery", 4)], "t-2": [phrase("dock", 1), phrase("charger", 1)]},
        existing_names={"t-2": "Scanner, battery", "t-9": "Scanner"},
    )
    assert names["t-2"] == ThemeName("Scanner, battery", ("dock", "charger"))
    assert names["t-1"].name.casefold() not in {"scanner, battery", "scanner"}


WORDS = st.sampled_from(["scanner", "battery", "dock", "lane", "pallet", "label", "printer", "tape"])
PHRASES = st.lists(st.lists(WORDS, min_size=1, max_size=3, unique=True).map(" ".join), max_size=6, unique=True)


@settings(max_examples=100, deadline=None)
@given(themes=st.lists(PHRASES, max_size=8))
def test_names_are_distinct_and_short_and_hold_a_word_of_their_phrases(themes: list[list[str]]) -> None:
    given_phrases = {f"t-{n:04d}": [phrase(text, 9 - i) for i, text in enumerate(one)] for n, one in enumerate(themes)}
    names = name_themes(given_phrases)
    assert sorted(names) == sorted(given_phrases)
    assert len({name.name.casefold() for name in names.values()}) == len(names)
    assert all(1 <= len(name.name.split()) <= MAX_NAME_WORDS for name in names.values())
    assert all(len(name.keywords) <= N_KEYWORDS for name in names.values())
    for theme_id, name in names.items():
        own = {word for one in given_phrases[theme_id] for word in one.words}
        words = set(name.name.casefold().replace(",", "").split())
        assert words & own or name.name == f"Theme {theme_id[-4:]}"


CASE = ["The scanner loses its battery in the cold store."]


@pytest.mark.parametrize("name", ["Scanner battery", "Batteries in the cold", "SCANNERS"])
def test_a_name_in_the_words_of_its_cases_may_stand(name: str) -> None:
    assert lint_name(name, CASE) == []


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("", "empty"),
        ("42 !", "empty"),
        ("Scanner that loses its battery too soon", "more than 6"),
        ("Various scanner matters", "vague"),
        ("Issues around scanner", "vague"),
        ("Scanner challenges", "vague"),
        ("Improving the scanner", "vague"),
        ("Leadership alignment", "no word"),
        ("The leadership and its alignment", "no word"),
    ],
)
def test_a_vague_long_or_foreign_name_is_refused_with_the_reason(name: str, wrong: str) -> None:
    assert [said for said in lint_name(name, CASE) if wrong in said]
