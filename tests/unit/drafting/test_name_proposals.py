"""Tests of name candidates and of distinct theme names."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patternmind.drafting.keyphrases import Phrase, PhraseCounts
from patternmind.drafting.name_candidates import (
    MAX_VERB_LOG_ODDS,
    is_noun_phrase,
    propose_name_candidates,
    rank_by_similarity,
    weigh_words,
)
from patternmind.drafting.noun_phrases import MAX_PHRASE_WORDS, extract_noun_phrases
from patternmind.drafting.theme_names import are_names_similar, disambiguate_name, lint_name, name_themes
from patternmind.drafting.word_usage import WordUsage

SCANNER = {
    "s1": "The scanner battery is flat in the cold.",
    "s2": "Our scanner battery dies in the cold yard.",
    "s3": "A scanner in the cold stops, and its battery is new.",
    "s4": "Nobody scans; the scanner battery froze.",
}
LABEL = {
    "l1": "The label printer prints wrong labels after the update.",
    "l2": "After the update our label printer stopped.",
    "l3": "One label printer is slow since the update.",
    "l4": "The update broke the label printer.",
}


def counts() -> PhraseCounts:
    return PhraseCounts({**SCANNER, **LABEL})


def test_noun_phrase_ends_with_its_run_of_content_words() -> None:
    noun_phrases = set(extract_noun_phrases("The label printer jams.").values())
    assert noun_phrases == {"label printer jams", "printer jams", "jams"}


def test_noun_phrase_crosses_linking_words_into_a_whole_run() -> None:
    noun_phrases = set(extract_noun_phrases("One scanner in the cold store.").values())
    assert "scanner in the cold store" in noun_phrases
    assert "scanner in the cold" not in noun_phrases


@pytest.mark.parametrize(
    ("text", "excluded"),
    [
        ("We scan the box.", "scan"),
        ("They will phone the customer.", "phone"),
        ("The spacecraft experienced a failure.", "spacecraft experienced"),
        ("pallet [person 3] lane", "pallet lane"),
        ("pallet, lane", "pallet lane"),
        ("pallet and lane", "pallet and lane"),
    ],
)
def test_noun_phrases_exclude_verbs_objects_and_placeholders(text: str, excluded: str) -> None:
    assert excluded not in extract_noun_phrases(text).values()


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=200) | st.text(alphabet="ab the in of.,\n", max_size=80))
def test_noun_phrases_are_short_and_occur_in_the_text(text: str) -> None:
    for spelling in extract_noun_phrases(text).values():
        assert 1 <= len(spelling.split()) <= MAX_PHRASE_WORDS
        assert all(word in " ".join(text.split()) for word in spelling.split())


def test_weigh_words_prefers_common_words_over_rare_ones() -> None:
    weights = weigh_words(counts(), list(SCANNER), list(LABEL)).weights
    assert weights["scanner"] > weights["cold"] > 0
    assert "update" not in weights
    assert "yard" not in weights


def test_name_candidates_are_phrases_that_cases_share() -> None:
    assert propose_name_candidates(counts(), list(SCANNER), contrast_case_ids=list(LABEL))[0].text == "scanner battery"
    assert propose_name_candidates(counts(), list(LABEL), contrast_case_ids=list(SCANNER))[0].text == "label printer"
    assert propose_name_candidates(counts(), []) == []


def test_name_candidates_do_not_depend_on_text_order() -> None:
    reversed_counts = PhraseCounts(dict(reversed(list({**SCANNER, **LABEL}.items()))))
    assert propose_name_candidates(reversed_counts, list(SCANNER)) == propose_name_candidates(counts(), list(SCANNER))


def test_name_candidates_exclude_a_brand_of_two_cases() -> None:
    hotels = {f"h{n}": f"The Hotel Astoria valve leaks in room {n}." for n in range(2)}
    others = {f"o{n}": "The valve leaks again." for n in range(6)}
    network = PhraseCounts({**hotels, **others, **LABEL})
    candidates = propose_name_candidates(network, [*hotels, *others])
    assert not any("Astoria" in candidate.text for candidate in candidates)


def test_rank_by_similarity_prefers_the_more_similar_candidate() -> None:
    far, near = Phrase("far", ("far",), 1.0, 1.0), Phrase("near", ("near",), 1.0, 0.9)
    vectors = np.eye(2, dtype=np.float32)
    ranked = rank_by_similarity([far, near], vectors, centre=vectors[1], contrast_centre=vectors[0])
    assert [candidate.text for candidate in ranked] == ["near", "far"]
    assert rank_by_similarity([], np.zeros((0, 2), np.float32), centre=vectors[0], contrast_centre=None) == []


def phrase(text: str, score: float = 1.0) -> Phrase:
    return Phrase(text, tuple(text.split()), 1.0, score)


def test_name_themes_takes_the_first_dissimilar_candidate() -> None:
    same = [phrase("label printer", 2), phrase("printer of labels", 1.5), phrase("dock", 1)]
    names = name_themes(
        {"t-1": [phrase("label", 3)], "t-2": [phrase("label", 2)]}, candidates={"t-1": same, "t-2": same}
    )
    assert [names[id].name for id in ("t-1", "t-2")] == ["Label printer", "Dock"]


@pytest.mark.parametrize(
    ("name", "other", "similar"),
    [
        ("Label printer", "label PRINTERS", True),
        ("Project management", "Project management processes", True),
        ("Scanner, battery", "Scanner, dock", False),
        ("Scanner", "Scanner dock", True),
        ("Theme 5678", "Theme 5679", False),
        ("", "", True),
    ],
)
def test_names_are_similar_when_two_thirds_of_the_shorter_are_shared(name: str, other: str, similar: bool) -> None:
    assert are_names_similar(name, other) is similar
    assert are_names_similar(other, name) is similar


def test_disambiguate_name_appends_a_distinct_key_phrase() -> None:
    phrases = [phrase("printer jam"), phrase("night update")]
    assert disambiguate_name("Printer", phrases, ["Label printer"]) == "Printer, night update"
    assert disambiguate_name("Label printer", phrases, ["Label printers"]) == "Label printer, night update"
    assert disambiguate_name("Label printer", phrases, ["Label printers", "Label printer, updates"]) is None


def test_lint_refuses_a_name_that_fits_the_nearest_theme() -> None:
    own, nearest = list(SCANNER.values()), list(LABEL.values())
    assert lint_name("Scanner battery", own, contrast_texts=nearest) == []
    assert lint_name("Update", nearest, contrast_texts=nearest) == ["the name fits its nearest theme equally well"]


def test_lint_refuses_a_brand_of_one_case_in_eight() -> None:
    texts = ["The Acme valve leaks.", *["The valve leaks."] * 7]
    assert lint_name("Valve of Acme", texts) == [
        "the name contains a proper name that only one case in eight or fewer uses"
    ]
    assert lint_name("Valve of Acme", texts[:7]) == []


def test_word_usage_classifies_nouns_and_verbs_by_the_previous_word() -> None:
    texts = ["The transfer of a top-up is late.", "We transfer it.", "It was declined.", "Ask for the PIN of the card."]
    usage = WordUsage([*texts, "The transfer failed.", "Our transfer came.", "My card was declined."])
    assert min(usage.noun_log_odds("transfer"), usage.noun_log_odds("card"), usage.noun_log_odds("pin")) > 0
    assert usage.noun_log_odds("declined") < MAX_VERB_LOG_ODDS
    assert usage.noun_log_odds("unheard") == 0
    assert usage.noun_log_odds("effectively") < 0 < usage.noun_log_odds("verification")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("card payment", True),
        ("shared login", True),
        ("login of the temps", True),
        ("supplier confirmed", False),
        ("ordered with a form", False),
        ("helping members track progress", False),
    ],
)
def test_is_noun_phrase_needs_a_final_noun_and_no_verb(text: str, *, expected: bool) -> None:
    log_odds = {"shared": -2.0, "confirmed": -2.0, "ordered": -2.0, "helping": -0.9}
    assert is_noun_phrase(text, lambda word: log_odds.get(word, 1.0)) is expected


@pytest.mark.parametrize("text", ["Cancel the order of pumps.", "I want to top up my card."])
def test_noun_phrases_exclude_a_verb_with_object_or_particle(text: str) -> None:
    noun_phrases = {noun_phrase.casefold() for noun_phrase in extract_noun_phrases(text).values()}
    assert not {"cancel the order", "cancel the order of pumps", "want to top", "top"} & noun_phrases


def test_name_candidates_may_use_a_single_cases_word_when_few_words_are_shared() -> None:
    texts = {
        "d1": "The desk gives slots away.",
        "d2": "A desk without slot rules.",
        "d3": "Whoever sits at the desk is new.",
        **LABEL,
    }
    candidates = propose_name_candidates(PhraseCounts(texts), ["d1", "d2", "d3"], contrast_case_ids=list(LABEL))
    assert any(" " in candidate.text for candidate in candidates)


def test_name_themes_resolves_a_conflict_with_the_next_option() -> None:
    def phrase_list(*texts: str) -> list[Phrase]:
        return [Phrase(text, tuple(text.split()), 0.5, 1.0) for text in texts]

    candidates = {"t-1": phrase_list("disposable virtual card", "virtual card"), "t-2": phrase_list("disposable card")}
    phrases = {"t-1": phrase_list("virtual card"), "t-2": phrase_list("disposable card")}
    names = {theme: theme_name.name for theme, theme_name in name_themes(phrases, candidates=candidates).items()}
    assert names == {"t-1": "Virtual card", "t-2": "Disposable card"}
    fixed = name_themes(phrases, candidates=candidates, existing_names={"t-1": "Disposable virtual card"})
    assert fixed["t-1"].name == "Disposable virtual card"
