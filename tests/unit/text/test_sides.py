"""Tests of the classification of plain-text sentences as problem or remedy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patternmind.text import Side, classify_sides, is_english, split_sentences
from patternmind.text.cues import remedy_log_odds

P, H = Side.PROBLEM, Side.HELPED


def sides(text: str, *, whole: bool = True) -> list[Side | None]:
    return [sentence.side for sentence in classify_sides(text, split_sentences(text), is_whole_text=whole)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Ask before the truck leaves.",
        "Before every shift, check the seals.",
        "The seals should be checked by two people.",
        "It is important to label every pallet.",
        "Since then we label every pallet.",
        "Opening every box on the ramp.",
        "Don’t send the file without a total.",
    ],
)
def test_remedy_log_odds_are_positive_for_advice_and_steps(sentence: str) -> None:
    assert remedy_log_odds(sentence) > 0


@pytest.mark.parametrize(
    "sentence",
    [
        "The pallet was left in lane 4 on Monday.",
        "Nobody had told the night shift.",
        "The scanner failed again in 2019.",
        "Who knows how to get out of this?",
        "It was never fixed.",
    ],
)
def test_remedy_log_odds_are_negative_for_stories_failures_and_questions(sentence: str) -> None:
    assert remedy_log_odds(sentence) < 0


def test_classify_sides_separates_problem_and_remedy() -> None:
    text = (
        "The pallet was on hold and nobody had told the night shift. They shipped nine units on Monday. Seven were sent"
        " back. Put red tape on the goods. The lead should sign every hold."
    )
    assert sides(text) == [P, P, P, H, H]


def test_classify_sides_finds_a_remedy_at_the_beginning() -> None:
    text = (
        "Put red tape on the goods. Always tell the next shift. The pallet was on hold on Monday. It was shipped and"
        " was lost. Nobody had noticed."
    )
    assert sides(text) == [H, H, P, P, P]


def test_classify_sides_finds_no_remedy_at_the_end_of_a_complaint() -> None:
    text = "The bank charged me twice on 3 May. It was never refunded. The agent was rude. They had lost my letter."
    assert set(sides(text)) == {P}


def test_classify_sides_uses_headings_for_the_sentences_below() -> None:
    text = "## What helped\nA card at the door.\n## What did not work\nA mail to all teams.\nLessons learned:\nCards."
    assert sides(text) == [None, H, None, P, None, H]


def test_classify_sides_uses_a_label_before_a_sentence() -> None:
    assert sides("Solution: a yellow card at the door. Problem: the mails drown.") == [H, P]


@given(text=st.text(alphabet="abA1 .!?:#*-\nshould", max_size=200), whole=st.booleans())
def test_classify_sides_returns_every_span_once(text: str, whole: bool) -> None:
    spans = split_sentences(text)
    sentences = classify_sides(text, spans, is_whole_text=whole)
    assert [(sentence.start, sentence.end) for sentence in sentences] == spans


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("The pallet stood in lane 4 and nobody had told the night shift.", True),
        ("came on at 22. pallet with 12 units stood in the lane like any other", True),
        ("Die Palette stand in Gang 4, und niemand hatte der Nachtschicht Bescheid gesagt.", False),
        ("La palette était dans l'allée 4 et personne n'avait prévenu l'équipe de nuit.", False),
        ("El palé estaba en el pasillo 4 y nadie había avisado al turno de noche.", False),
        ("Pallen stod i gang 4, og ingen hadde sagt fra til nattskiftet om det.", False),
        ("托盘放在四号通道。", False),
        ("", False),
    ],
)
def test_is_english_detects_other_languages(text: str, english: bool) -> None:
    assert is_english(text) is english
