"""Tests of sentences: offsets, list markers, roles, and self-containment."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.builders import build_case

from patternmind.domain.cases import CaseKind
from patternmind.domain.drafts import Quote
from patternmind.text import (
    Sentence,
    SentenceRole,
    classify_sides,
    contextual_remedy_log_odds,
    extract_sentences,
    is_fragment,
    is_narrative,
    is_self_contained,
    split_sentences,
)


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
def test_split_sentences_splits_at_sentence_ends_and_lines(text: str, sentences: list[str]) -> None:
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
        "o tempora, o mores.",
        "§ 12 of the contract was not met.",
        "(2019) was a good year for pumps.",
        "*Date* was left empty on the form.",
        "A crane stood in lane 4.",
        "I was told to wait.",
        "-A is the cold lane.",
    ],
)
def test_split_sentences_keeps_a_leading_number(text: str) -> None:
    assert split(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "o Charge it at noon.",
        "◦ Charge it at noon.",
        "▪ Charge it at noon.",
        "– Charge it at noon.",
        "· Charge it at noon.",
        "➤ Charge it at noon.",
        "§ Charge it at noon.",
        "a) Charge it at noon.",
        "(b) Charge it at noon.",
        "( c ) Charge it at noon.",
        "(ii) Charge it at noon.",
        "3.Charge it at noon.",
        "-Charge it at noon.",
        "*Charge it at noon.",
        "- [x] Charge it at noon.",
        "> - ✅ Charge it at noon.",
        "1. o Charge it at noon.",
        "🛠️ Charge it at noon.",
    ],
)
def test_split_sentences_removes_list_markers(text: str) -> None:
    assert split(f"Two came.\n{text}") == ["Two came.", "Charge it at noon."]


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=120) | st.text(alphabet="ab.!? \n-*1)•\"'”。é", max_size=60))
def test_split_sentences_omits_only_spaces_and_list_markers(text: str) -> None:
    spans = split_sentences(text)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert all(part == part.strip() for part in split(text))
    between = "".join(
        text[a:b] for a, b in zip([0, *(e for _, e in spans)], [*(s for s, _ in spans), len(text)], strict=True)
    )
    without_markers = re.sub(r"(?<!\w)(?:[a-zA-Z]|[ivx]{2,4})(?!\w)", "", between)
    assert not any(char.isalpha() for char in without_markers)


@settings(max_examples=60, deadline=None)
@given(text=st.text(min_size=1, max_size=80))
def test_sentence_quote_equals_its_source(text: str) -> None:
    case = build_case("c-1", {"problem": text, "lesson": f"So: {text}"})
    for sentence in extract_sentences(case):
        quote = sentence.to_quote()
        assert case.text[quote.field][quote.start : quote.end] == quote.text == sentence.text


def test_extract_sentences_skips_the_title_when_other_text_exists() -> None:
    with_problem = build_case(text={"title": "Late lorry", "problem": "It came late."})
    assert [sentence.field for sentence in extract_sentences(with_problem)] == ["problem"]
    only_title = build_case(text={"title": "Late lorry"})
    assert [sentence.to_quote() for sentence in extract_sentences(only_title)] == [
        Quote(case_id="c-1", field="title", start=0, end=10, text="Late lorry")
    ]


def roles(**text: str) -> list[SentenceRole]:
    case = build_case(text={"title": "x", "context": "A depot.", **text})
    return [sentence.role for sentence in extract_sentences(case)][1:]


def test_extract_sentences_assigns_roles_by_field() -> None:
    assert roles(
        problem="It fails.", tried="A reset.", outcome="It ran.", lesson="Ask first.", recommendation="Label it."
    ) == [SentenceRole.PROBLEM, SentenceRole.TRIED, SentenceRole.OUTCOME, SentenceRole.HELPED, SentenceRole.HELPED]


def test_extract_sentences_assigns_roles_by_recap_field() -> None:
    recap = build_case(
        kind=CaseKind.RECAP, text={"case": "It fails.", "decision": "Label it.", "open_question": "Who pays?"}
    )
    assert [sentence.role for sentence in extract_sentences(recap)] == [
        SentenceRole.PROBLEM,
        SentenceRole.HELPED,
        SentenceRole.OTHER,
    ]


@pytest.mark.parametrize(
    "words", ["It did not help at all.", "That made things worse.", "We went back to paper.", "It didn’t work."]
)
def test_extract_sentences_detects_failed_remedies_in_any_field(words: str) -> None:
    assert roles(tried=words) == [SentenceRole.WORSE]
    assert roles(lesson=words) == [SentenceRole.WORSE]


def role_of_plain(text: str) -> SentenceRole:
    return extract_sentences(build_case(text=text))[0].role


@pytest.mark.parametrize(
    "words", ["Since then we label every pallet.", "That solved it for us.", "We agreed on red tape."]
)
def test_plain_text_remedy_is_detected_by_its_words(words: str) -> None:
    assert role_of_plain(words) is SentenceRole.HELPED


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
def test_plain_text_unsolved_problem_does_not_count_as_remedy(words: str) -> None:
    assert role_of_plain(words) is not SentenceRole.HELPED


@pytest.mark.parametrize(
    ("text", "quotable"),
    [
        ("The pallet stood in lane 4 again.", True),
        ("Too short.", False),
        ("4711 | 12 | 13 | 14 | 15 | 16", False),
        ("word " * 46, False),
    ],
)
def test_quotable_sentence_is_prose_of_five_to_forty_five_words(text: str, quotable: bool) -> None:
    text = text.strip()
    assert Sentence("c-1", "problem", 0, len(text), text, SentenceRole.PROBLEM).is_quotable is quotable


@pytest.mark.parametrize(
    "words",
    [
        "They should refund me for both months.",
        "I have to pay more than I can afford.",
        "My manager must sign it before I can go on.",
        "She told me that I must always call again.",
        "He stated that they will continue to call until the payment has been made.",
    ],
)
def test_plain_text_demands_and_reported_speech_do_not_count_as_remedy(words: str) -> None:
    assert role_of_plain(words) is not SentenceRole.HELPED


def test_plain_text_roles_do_not_depend_on_sentence_order() -> None:
    story = "The pallet was on hold on Monday and nobody had told the night shift. They shipped nine units."
    advice = "Always put red tape on the goods. A lead should sign every hold before the shift ends."
    for text in (f"{story} {advice}", f"{advice} {story}"):
        role_by_text = {sentence.text: sentence.role for sentence in extract_sentences(build_case(text=text))}
        assert role_by_text["Always put red tape on the goods."] is SentenceRole.HELPED
        assert role_by_text["A lead should sign every hold before the shift ends."] is SentenceRole.HELPED
        assert role_by_text["They shipped nine units."] is SentenceRole.PROBLEM


def test_plain_text_attempt_outcome_and_context_are_detected_by_their_words() -> None:
    assert role_of_plain("We tried a second scanner on the ramp.") is SentenceRole.TRIED
    assert role_of_plain("Returns fell from nine to two a week.") is SentenceRole.OUTCOME
    assert role_of_plain("There are three shifts and one gate.") is SentenceRole.CONTEXT


def test_role_probability_is_in_range_and_higher_for_fields() -> None:
    plain = extract_sentences(build_case(text="Always put red tape on the goods. The pallet stood there. It was lost."))
    assert all(0 <= sentence.role_probability <= 1 for sentence in plain)
    lesson = extract_sentences(build_case(text={"problem": "It fails.", "lesson": "Label it. I was free that Monday."}))
    probabilities = {sentence.text: sentence.role_probability for sentence in lesson}
    assert probabilities["It fails."] == 1
    assert probabilities["Label it."] > probabilities["I was free that Monday."]


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet="abA1 .!?:#*-\nshould", max_size=200))
def test_remedy_log_odds_exist_for_every_sentence_except_headings(text: str) -> None:
    spans = split_sentences(text)
    all_log_odds = contextual_remedy_log_odds(text, spans)
    headings = [sentence.side is None for sentence in classify_sides(text, spans)]
    assert [log_odds is None for log_odds in all_log_odds] == headings


def test_remedy_log_odds_are_lower_in_a_text_of_only_advice() -> None:
    handbook = "Check the seals. Clean the valve. Label the box. Test the pump. Replace the gate."
    case = "The seal was lost on Monday. The valve was stuck. Nobody had noticed it. Check the seals."
    of_handbook = contextual_remedy_log_odds(handbook, split_sentences(handbook))
    of_case = contextual_remedy_log_odds(case, split_sentences(case))
    assert (of_case[-1] or 0.0) > (of_handbook[-1] or 0.0) > 0


@pytest.mark.parametrize(
    "sentence",
    [
        "That was why nobody had seen it.",
        "It got worse after the second week.",
        "However, the pump was never tested.",
        "As a result of this, the program took steps.",
        "Who is allowed to order an account?",
        "The valve failed as shown in figure 3.",
        "Implementation Method: The design must be checked.",
        "C. When using dishes, clean them.",
        "On XX/XX/2023 I called XXXX and XXXX again.",
        "The following parts were lost:",
    ],
)
def test_is_self_contained_refuses_sentences_that_need_context(sentence: str) -> None:
    assert not is_self_contained(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "The scanner battery is flat after an hour in the cold.",
        "Ask the caller whether we have ever been at their house.",
        "Smell, gas, CO: never a promised call.",
        "[person 3] scans inside gate 2 since Monday.",
        "Theoretical values were never compared with the test.",
    ],
)
def test_is_self_contained_accepts_plain_statements(sentence: str) -> None:
    assert is_self_contained(sentence)
    assert not is_fragment(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Additional Keyword(s): Electrical Isolations Reference(s): Voyager",
        "PROGRAMMATIC BENEFITS Maintainability is planned early in the program.",
        "(Relevant Historical Lesson(s) Learned) The lander has three levels.",
        "NASA Reliability Preferred Practices For Design And Test",
        "The part (see the drawing was never found in the store.",
    ],
)
def test_is_fragment_detects_headings_labels_and_open_brackets(sentence: str) -> None:
    assert is_fragment(sentence)


def test_is_narrative_distinguishes_stories_from_rules() -> None:
    assert is_narrative("The power was off, but the batteries were charged.")
    assert is_narrative("I paid it twice, but nobody noticed.")
    assert not is_narrative("Copying rights is quick, but the newcomer inherits a whole history.")
