"""Sentences keep their place in the text, lose only the marks of lists, and know what they tell of."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import a_case

from patternmind.model.cases import Kind
from patternmind.model.drafts import Quote
from patternmind.sentences import Role, Sentence, sentences_of, split_sentences


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four…", ["One.", "Two!", "Three?", "Four…"]),
        ("He said “Stop.” Then he left.", ["He said “Stop.”", "Then he left."]),
        ("See e.g. lane 4. Ask Dr. Berg approx. at noon.", ["See e.g. lane 4.", "Ask Dr. Berg approx. at noon."]),
        ("A line without an end\nand the next", ["A line without an end", "and the next"]),
        (
            "- First step\n2) Second step\n* Third\n• Fourth\n•Fifth",
            ["First step", "Second step", "Third", "Fourth", "Fifth"],
        ),
        ("東京に行く。明日帰る。", ["東京に行く。", "明日帰る。"]),
        ("Version 1.2.3 is out", ["Version 1.2.3 is out"]),
        ("", []),
        (" \n\n ", []),
        ("...", ["..."]),
    ],
)
def test_a_text_is_split_at_its_sentences_and_lines(text: str, sentences: list[str]) -> None:
    assert split(text) == sentences


@pytest.mark.parametrize(
    "text",
    [
        "3.5 hours were lost on Monday.",
        "-20 degrees is too cold for the scanner.",
        "10.30 is when the lorry came.",
        "1.000 parts were counted twice.",
        "#4 of the lanes is closed.",
        "2)b is the form to fill in.",
    ],
)
def test_a_number_at_the_beginning_is_no_mark_of_a_list(text: str) -> None:
    assert split(text) == [text]


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=120) | st.text(alphabet="ab.!? \n-*1)•\"'”。é", max_size=60))
def test_spans_reproduce_the_text_in_order_and_leave_out_only_space_and_list_marks(text: str) -> None:
    spans = split_sentences(text)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(one[1] <= two[0] for one, two in pairwise(spans))
    assert all(part == part.strip() for part in split(text))
    between = "".join(
        text[a:b] for a, b in zip([0, *(e for _, e in spans)], [*(s for s, _ in spans), len(text)], strict=True)
    )
    assert not any(char.isalpha() for char in between)


@settings(max_examples=60, deadline=None)
@given(text=st.text(min_size=1, max_size=80))
def test_a_sentence_is_its_own_quote(text: str) -> None:
    case = a_case("c-1", {"problem": text, "lesson": f"So: {text}"})
    for sentence in sentences_of(case):
        quote = sentence.quote()
        assert case.text[quote.field][quote.start : quote.end] == quote.text == sentence.text


def test_the_title_is_left_out_where_there_is_any_other_text() -> None:
    assert [one.field for one in sentences_of(a_case(text={"title": "Late lorry", "problem": "It came late."}))] == [
        "problem"
    ]
    assert [one.quote() for one in sentences_of(a_case(text={"title": "Late lorry"}))] == [
        Quote(case_id="c-1", field="title", start=0, end=10, text="Late lorry")
    ]


def roles(**text: str) -> list[Role]:
    return [one.role for one in sentences_of(a_case(text={"title": "x", "context": "A depot.", **text}))][1:]


def test_a_structured_case_says_itself_what_its_parts_are() -> None:
    said = roles(
        problem="It fails.", tried="A reset.", outcome="It ran.", lesson="Ask first.", recommendation="Label it."
    )
    assert said == [Role.PROBLEM, Role.TRIED, Role.OUTCOME, Role.HELPED, Role.HELPED]


def test_a_recap_says_it_too() -> None:
    recap = a_case(kind=Kind.RECAP, text={"case": "It fails.", "decision": "Label it.", "open_question": "Who pays?"})
    assert [one.role for one in sentences_of(recap)] == [Role.PROBLEM, Role.HELPED, Role.OTHER]


@pytest.mark.parametrize(
    "words", ["It did not help at all.", "That made things worse.", "We went back to paper.", "It didn’t work."]
)
def test_what_did_not_help_is_told_by_its_words_in_any_field(words: str) -> None:
    assert roles(tried=words) == [Role.WORSE]
    assert roles(lesson=words) == [Role.WORSE]


def role_of_plain(text: str) -> Role:
    return sentences_of(a_case(text=text))[0].role


@pytest.mark.parametrize(
    "words", ["Since then we label every pallet.", "That solved it for us.", "We agreed on red tape."]
)
def test_in_a_plain_text_a_remedy_is_told_by_its_words(words: str) -> None:
    assert role_of_plain(words) is Role.HELPED


@pytest.mark.parametrize(
    "words",
    [
        "It has not been fixed since March.",
        "Nobody ever fixed the scanner.",
        "The fault was never solved.",
        "This hasn't been resolved yet.",
        "It cannot be solved by us.",
    ],
)
def test_in_a_plain_text_what_is_not_solved_is_no_remedy(words: str) -> None:
    assert role_of_plain(words) is not Role.HELPED


@pytest.mark.parametrize(
    ("text", "quotable"),
    [
        ("The pallet stood in lane 4 again.", True),
        ("Too short.", False),
        ("4711 | 12 | 13 | 14 | 15 | 16", False),
        ("word " * 46, False),
    ],
)
def test_a_quote_is_prose_of_five_to_forty_five_words(text: str, quotable: bool) -> None:
    text = text.strip()
    assert Sentence("c-1", "problem", 0, len(text), text, Role.PROBLEM).quotable is quotable
