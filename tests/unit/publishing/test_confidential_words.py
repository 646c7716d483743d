"""Tests that the confidential index agrees with a search of all cases after any changes."""

from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.builders import build_case

from patternmind.domain.cases import Case, Consent
from patternmind.publishing.confidential_index import ConfidentialIndex
from patternmind.publishing.confidential_phrases import ConfidentialPhrases

WORDS = st.sampled_from(("we", "label", "pump7", "Straße", "STRASSE", "hold", "night shift", "e\u0301", "東京"))
TEXT = st.lists(st.tuples(WORDS, st.sampled_from((" ", " ", ". ", "\n", " – "))), max_size=14).map(
    lambda parts: "".join(word + space for word, space in parts)
)


def case_with_texts(number: int, texts: tuple[str, str, str], consent: Consent) -> Case:
    title, problem, extra = texts
    return build_case(f"c-{number}", {"title": title, "problem": problem}, extra={"column": extra}, consent=consent)


CASES = st.builds(case_with_texts, st.integers(0, 5), st.tuples(TEXT, TEXT, TEXT), st.sampled_from(Consent))


def index_entry(case: Case) -> tuple[str, bool, tuple[str, ...]]:
    return case.id, case.consent is Consent.NETWORK_ONLY, (*case.text.values(), *case.extra.values())


@given(st.lists(st.lists(CASES, max_size=4, unique_by=lambda case: case.id), max_size=6), st.lists(TEXT, max_size=4))
def test_confidential_index_agrees_with_a_search_of_all_cases(batches: list[list[Case]], texts: list[str]) -> None:
    index, current_cases = ConfidentialIndex(), dict[str, Case]()
    for batch in batches:
        index.update(map(index_entry, batch))
        current_cases |= {case.id: case for case in batch}
        assert index.find_in(texts) == ConfidentialPhrases.find_in(texts, current_cases.values())


def test_confidential_index_finds_the_phrases_of_its_own_texts() -> None:
    """The property test alone would also hold for an index that finds nothing."""
    confidential = "Nobody may learn that the supplier forgot to send it. Late pumps again."
    index = ConfidentialIndex()
    cases = [
        build_case("c-1", confidential, consent=Consent.NETWORK_ONLY),
        build_case("c-2", "Late again, the supplier told me."),
    ]
    index.update(map(index_entry, cases))
    phrases = index.find_in([confidential])
    assert len(phrases.runs) == 8
    assert phrases.short_runs == {("late", "pumps", "again")}
    assert phrases.words == {"nobody", "learn", "that", "forgot", "send", "pumps"}
