"""Tests of theme names and of the name lint."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patternmind.drafting.keyphrases import Phrase
from patternmind.drafting.theme_names import MAX_NAME_WORDS, N_KEYWORDS, ThemeName, lint_name, name_themes


def phrase(text: str, score: float = 1.0) -> Phrase:
    return Phrase(text, tuple(text.split()), 1.0, score)


def test_name_themes_joins_the_two_best_phrases_without_common_words() -> None:
    phrases = [phrase("label printer", 3), phrase("printer jam", 2), phrase("paper", 1)]
    assert name_themes({"t-1": phrases}) == {
        "t-1": ThemeName("Label printer, paper", ("label printer", "printer jam", "paper"))
    }


def test_name_themes_uses_a_single_phrase() -> None:
    assert name_themes({"t-1": [phrase("label printer")]})["t-1"].name == "Label printer"


def test_name_themes_keeps_capitals_inside_a_phrase() -> None:
    assert name_themes({"t-1": [phrase("ERP login")]})["t-1"].name == "ERP login"


def test_name_themes_gives_different_names_for_equal_phrases() -> None:
    same = [phrase("scanner", 2), phrase("battery", 1), phrase("dock", 0.5)]
    names = name_themes({"t-1": same, "t-2": same, "t-3": same})
    assert [names[id].name for id in ("t-1", "t-2", "t-3")] == ["Scanner, battery", "Scanner, dock", "Battery, dock"]


def test_name_themes_falls_back_to_the_id_without_phrases() -> None:
    assert name_themes({"t-12345678": []}) == {"t-12345678": ThemeName("Theme 5678", ())}


def test_name_themes_keeps_existing_names() -> None:
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
def test_name_themes_returns_short_distinct_names_from_their_phrases(themes: list[list[str]]) -> None:
    phrases = {f"t-{n:04d}": [phrase(text, 9 - i) for i, text in enumerate(texts)] for n, texts in enumerate(themes)}
    names = name_themes(phrases)
    assert sorted(names) == sorted(phrases)
    assert len({name.name.casefold() for name in names.values()}) == len(names)
    assert all(1 <= len(name.name.split()) <= MAX_NAME_WORDS for name in names.values())
    assert all(len(name.keywords) <= N_KEYWORDS for name in names.values())
    for theme_id, name in names.items():
        phrase_words = {word for theme_phrase in phrases[theme_id] for word in theme_phrase.words}
        name_words = set(name.name.casefold().replace(",", "").split())
        assert name_words & phrase_words or name.name == f"Theme {theme_id[-4:]}"


CASE = ["The scanner loses its battery in the cold store."]


@pytest.mark.parametrize("name", ["Scanner battery", "Batteries in the cold", "SCANNERS"])
def test_lint_accepts_a_name_in_the_words_of_its_cases(name: str) -> None:
    assert lint_name(name, CASE) == []


@pytest.mark.parametrize(
    ("name", "reason"),
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
def test_lint_refuses_vague_long_or_unrelated_names(name: str, reason: str) -> None:
    assert [error for error in lint_name(name, CASE) if reason in error]
