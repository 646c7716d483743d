"""Wordings that could be a name, scored by the words that set a theme apart, and names that are like no other."""

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
from patternmind.drafting.noun_phrases import MAX_PHRASE_WORDS as MOST_IN_A_WORDING
from patternmind.drafting.noun_phrases import extract_noun_phrases
from patternmind.drafting.theme_names import (
    are_names_similar,
    disambiguate_name,
    lint_name,
    name_themes,
)
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


def test_a_wording_runs_from_inside_a_run_of_telling_words_to_its_end() -> None:
    found = set(extract_noun_phrases("The label printer jams.").values())
    assert found == {"label printer jams", "printer jams", "jams"}


def test_a_wording_crosses_linking_words_and_takes_the_next_run_whole() -> None:
    found = set(extract_noun_phrases("One scanner in the cold store.").values())
    assert "scanner in the cold store" in found
    assert "scanner in the cold" not in found


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("We scan the box.", "scan"),
        ("They will phone the customer.", "phone"),
        ("The spacecraft experienced a failure.", "spacecraft experienced"),
        ("pallet [person 3] lane", "pallet lane"),
        ("pallet, lane", "pallet lane"),
        ("pallet and lane", "pallet and lane"),
    ],
)
def test_verbs_cut_off_objects_and_placeholders_make_no_wording(text: str, never: str) -> None:
    assert never not in extract_noun_phrases(text).values()


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=200) | st.text(alphabet="ab the in of.,\n", max_size=80))
def test_any_text_has_wordings_of_few_words_that_stand_in_it(text: str) -> None:
    said = " ".join(text.split())
    for spelling in extract_noun_phrases(text).values():
        assert 1 <= len(spelling.split()) <= MOST_IN_A_WORDING
        assert all(word in said for word in spelling.split())


def test_a_word_that_most_cases_hold_outweighs_a_rarity() -> None:
    weight = weigh_words(counts(), list(SCANNER), list(LABEL)).weights
    assert weight["scanner"] > weight["cold"] > 0
    assert "update" not in weight
    assert "yard" not in weight


def test_a_theme_is_proposed_the_wordings_that_its_cases_share() -> None:
    assert propose_name_candidates(counts(), list(SCANNER), contrast_case_ids=list(LABEL))[0].text == "scanner battery"
    assert propose_name_candidates(counts(), list(LABEL), contrast_case_ids=list(SCANNER))[0].text == "label printer"
    assert propose_name_candidates(counts(), []) == []


def test_proposals_do_not_depend_on_the_order_in_which_texts_are_kept() -> None:
    turned = PhraseCounts(dict(reversed(list({**SCANNER, **LABEL}.items()))))
    assert propose_name_candidates(turned, list(SCANNER)) == propose_name_candidates(counts(), list(SCANNER))


def test_a_brand_that_two_cases_bear_is_not_proposed() -> None:
    hotels = {f"h{n}": f"The Hotel Astoria valve leaks in room {n}." for n in range(2)}
    others = {f"o{n}": "The valve leaks again." for n in range(6)}
    network = PhraseCounts({**hotels, **others, **LABEL})
    assert not any("Astoria" in one.text for one in propose_name_candidates(network, [*hotels, *others]))


def test_meaning_moves_the_nearer_proposal_up() -> None:
    far, near = Phrase("far", ("far",), 1.0, 1.0), Phrase("near", ("near",), 1.0, 0.9)
    vectors = np.eye(2, dtype=np.float32)
    found = rank_by_similarity([far, near], vectors, centre=vectors[1], contrast_centre=vectors[0])
    assert [one.text for one in found] == ["near", "far"]
    assert rank_by_similarity([], np.zeros((0, 2), np.float32), centre=vectors[0], contrast_centre=None) == []


def phrase(text: str, score: float = 1.0) -> Phrase:
    return Phrase(text, tuple(text.split()), 1.0, score)


def test_the_first_proposal_that_is_like_no_other_name_is_taken() -> None:
    same = [phrase("label printer", 2), phrase("printer of labels", 1.5), phrase("dock", 1)]
    names = name_themes(
        {"t-1": [phrase("label", 3)], "t-2": [phrase("label", 2)]},
        candidates={"t-1": same, "t-2": same},
    )
    assert [names[id].name for id in ("t-1", "t-2")] == ["Label printer", "Dock"]


@pytest.mark.parametrize(
    ("name", "other", "near"),
    [
        ("Label printer", "label PRINTERS", True),
        ("Project management", "Project management processes", True),
        ("Scanner, battery", "Scanner, dock", False),
        ("Scanner", "Scanner dock", True),
        ("Theme 5678", "Theme 5679", False),
        ("", "", True),
    ],
)
def test_names_are_alike_where_two_thirds_of_the_shorter_is_in_the_other(name: str, other: str, near: bool) -> None:
    assert are_names_similar(name, other) is near
    assert are_names_similar(other, name) is near


def test_a_name_like_anothers_is_set_apart_by_a_key_phrase() -> None:
    phrases = [phrase("printer jam"), phrase("night update")]
    assert disambiguate_name("Printer", phrases, ["Label printer"]) == "Printer, night update"
    assert disambiguate_name("Label printer", phrases, ["Label printers"]) == "Label printer, night update"
    assert disambiguate_name("Label printer", phrases, ["Label printers", "Label printer, updates"]) is None


def test_the_lint_refuses_a_name_that_fits_the_neighbour_or_is_nearly_anothers() -> None:
    own, beside = list(SCANNER.values()), list(LABEL.values())
    assert lint_name("Scanner battery", own, contrast_texts=beside, other_names=["Label printer"]) == []
    assert lint_name("Update", beside, contrast_texts=beside) == ["the name fits its nearest theme equally well"]
    assert lint_name("Scanner battery", own, other_names=["Scanner batteries"]) == [
        "the name is too similar to that of another theme"
    ]


def test_the_lint_refuses_a_brand_of_one_case_in_eight() -> None:
    texts = ["The Acme valve leaks.", *["The valve leaks."] * 7]
    assert lint_name("Valve of Acme", texts) == ["the name contains a proper name that only one case in eight or fewer uses"]
    assert lint_name("Valve of Acme", texts[:7]) == []


def test_a_word_is_a_noun_or_a_verb_by_what_stands_before_it_in_these_texts() -> None:
    texts = ["The transfer of a top-up is late.", "We transfer it.", "It was declined.", "Ask for the PIN of the card."]
    use = WordUsage([*texts, "The transfer failed.", "Our transfer came.", "My card was declined."])
    assert min(use.noun_log_odds("transfer"), use.noun_log_odds("card"), use.noun_log_odds("pin")) > 0
    assert use.noun_log_odds("declined") < MAX_VERB_LOG_ODDS
    assert use.noun_log_odds("unheard") == 0
    assert use.noun_log_odds("effectively") < 0 < use.noun_log_odds("verification")


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("card payment", True),
        ("shared login", True),
        ("login of the temps", True),
        ("supplier confirmed", False),
        ("ordered with a form", False),
        ("helping members track progress", False),
    ],
)
def test_a_name_ends_in_a_noun_and_holds_no_verb(text: str, *, reads: bool) -> None:
    leans = {"shared": -2.0, "confirmed": -2.0, "ordered": -2.0, "helping": -0.9}
    assert is_noun_phrase(text, lambda word: leans.get(word, 1.0)) is reads


@pytest.mark.parametrize("text", ["Cancel the order of pumps.", "I want to top up my card."])
def test_a_verb_with_its_object_or_its_particle_is_no_wording(text: str) -> None:
    found = {wording.casefold() for wording in extract_noun_phrases(text).values()}
    assert not {"cancel the order", "cancel the order of pumps", "want to top", "top"} & found


def test_where_cases_share_few_words_one_of_a_single_case_joins_them_rather_than_one_word_alone() -> None:
    texts = {
        "d1": "The desk gives slots away.",
        "d2": "A desk without slot rules.",
        "d3": "Whoever sits at the desk is new.",
        **LABEL,
    }
    found = [
        one.text
        for one in propose_name_candidates(PhraseCounts(texts), ["d1", "d2", "d3"], contrast_case_ids=list(LABEL))
    ]
    assert any(" " in one for one in found)


def test_a_theme_makes_way_for_one_that_could_only_be_called_like_it() -> None:
    def said(*texts: str) -> list[Phrase]:
        return [Phrase(text, tuple(text.split()), 0.5, 1.0) for text in texts]

    proposals = {"t-1": said("disposable virtual card", "virtual card"), "t-2": said("disposable card")}
    phrases = {"t-1": said("virtual card"), "t-2": said("disposable card")}
    names = {theme: one.name for theme, one in name_themes(phrases, candidates=proposals).items()}
    assert names == {"t-1": "Virtual card", "t-2": "Disposable card"}
    kept = name_themes(phrases, candidates=proposals, existing_names={"t-1": "Disposable virtual card"})
    assert kept["t-1"].name == "Disposable virtual card"
