"""Tests of key phrases: distinctive of a theme, without placeholders, masks and common words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patternmind.drafting.keyphrases import MAX_PHRASE_WORDS, PhraseCounts, extract_phrases
from patternmind.drafting.stopwords import STOPWORDS
from patternmind.drafting.word_forms import normalize_word


@pytest.mark.parametrize(
    ("word", "folded"),
    [
        ("Scanners", "scanner"),
        ("scanner's", "scanner"),
        ("scanners’", "scanner"),
        ("batteries", "battery"),
        ("boxes", "box"),
        ("glasses", "glass"),
        ("bus", "bus"),
        ("analysis", "analysis"),
        ("gas", "gas"),
        ("pies", "pie"),
    ],
)
def test_normalize_word_folds_plural_and_possessive(word: str, folded: str) -> None:
    assert normalize_word(word) == folded


def test_extract_phrases_returns_runs_of_one_to_three_content_words() -> None:
    assert extract_phrases("The label printer jams, again and again.") == {
        ("label",): "label",
        ("label", "printer"): "label printer",
        ("label", "printer", "jam"): "label printer jams",
        ("printer",): "printer",
        ("printer", "jam"): "printer jams",
        ("jam",): "jams",
    }


@pytest.mark.parametrize(
    "text",
    [
        "[person 3]",
        "[person]",
        "[email] [phone] [link]",
        "XXXX",
        "xx/XX/xxxx",
        "card XXXX",
        "42 of 17",
        "a to be or",
        "",
    ],
)
def test_extract_phrases_ignores_placeholders_masks_numbers_and_stopwords(text: str) -> None:
    assert set(extract_phrases(text)) <= {("card",)}


def test_extract_phrases_does_not_cross_placeholders_masks_or_full_stops() -> None:
    assert ("pallet", "lane") not in extract_phrases("pallet [person 3] lane. pallet XXXX lane. Pallet. Lane")


def test_extract_phrases_ignores_normalized_stopwords() -> None:
    assert [word for word in STOPWORDS if (normalize_word(word),) in extract_phrases(word)] == []


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=200))
def test_extract_phrases_returns_at_most_three_words_of_the_text(text: str) -> None:
    for words, spelling in extract_phrases(text).items():
        assert 1 <= len(words) <= MAX_PHRASE_WORDS
        assert all(part in text for part in spelling.split())


def counts(**texts: str) -> PhraseCounts:
    return PhraseCounts(texts)


def test_distinctive_phrases_put_shared_exclusive_phrases_first() -> None:
    network = counts(
        a="The label printer jams in the depot.",
        b="Our label printer stops at noon.",
        c="A Label Printer without paper.",
        d="The forklift stops in the depot.",
        e="A forklift at noon.",
        f="Paper for the depot.",
    )
    best = network.distinctive_phrases(["a", "b", "c"])[0]
    assert (best.text, best.words, best.case_share) == ("label printer", ("label", "printer"), 1.0)
    assert network.contains_phrase("a", ("label", "printer"))
    assert not network.contains_phrase("d", ("label", "printer"))


def test_distinctive_phrases_exclude_single_cases_and_put_common_phrases_last() -> None:
    network = counts(a="valve leak pump", b="valve rust pump", c="valve noise", d="valve smell")
    assert [phrase.text for phrase in network.distinctive_phrases(["a", "b"])] == ["pump", "valve"]


def test_distinctive_phrases_exclude_vague_words() -> None:
    network = counts(a="process problems", b="process problems", c="a valve", d="a pump")
    assert network.distinctive_phrases(["a", "b"]) == []


def test_distinctive_phrases_keep_capitals_of_abbreviations_only() -> None:
    network = counts(a="ERP Login fails", b="ERP login slow", c="pump", d="valve", e="tank")
    assert network.distinctive_phrases(["a", "b"])[0].text in {"ERP login", "ERP Login"}
    network = counts(a="Login fails", b="Login slow", c="pump", d="valve", e="tank")
    assert network.distinctive_phrases(["a", "b"])[0].text == "login"


def test_distinctive_phrases_do_not_overlap_or_depend_on_case_order() -> None:
    network = counts(a="label printer jams", b="label printer jams", c="pump", d="valve")
    assert [phrase.text for phrase in network.distinctive_phrases(["a", "b"])] == ["label printer jams"]
    assert network.distinctive_phrases(["b", "a"]) == network.distinctive_phrases(["a", "b"])


def test_distinctive_phrases_of_no_cases_are_empty() -> None:
    assert counts(a="label printer").distinctive_phrases([]) == []
