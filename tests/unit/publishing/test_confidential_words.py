"""What closed cases alone say is the same out of memory as by reading every case, however these came and changed."""

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


def one_case(number: int, texts: tuple[str, str, str], consent: Consent) -> Case:
    title, problem, extra = texts
    return build_case(f"c-{number}", {"title": title, "problem": problem}, extra={"column": extra}, consent=consent)


CASES = st.builds(one_case, st.integers(0, 5), st.tuples(TEXT, TEXT, TEXT), st.sampled_from(Consent))


def told(case: Case) -> tuple[str, bool, tuple[str, ...]]:
    return case.id, case.consent is Consent.NETWORK_ONLY, (*case.text.values(), *case.extra.values())


@given(st.lists(st.lists(CASES, max_size=4, unique_by=lambda case: case.id), max_size=6), st.lists(TEXT, max_size=4))
def test_it_says_what_reading_every_case_says(batches: list[list[Case]], asked: list[str]) -> None:
    wording, now = ConfidentialIndex(), dict[str, Case]()
    for batch in batches:
        wording.update(map(told, batch))
        now |= {case.id: case for case in batch}
        assert wording.find_in(asked) == ConfidentialPhrases.find_in(asked, now.values())


def test_its_own_texts_are_found_again() -> None:
    """So that the property does not hold for want of anything found."""
    closed = "Nobody may learn that the supplier forgot to send it. Late pumps again."
    wording = ConfidentialIndex()
    cases = [
        build_case("c-1", closed, consent=Consent.NETWORK_ONLY),
        build_case("c-2", "Late again, the supplier told me."),
    ]
    wording.update(map(told, cases))
    found = wording.find_in([closed])
    assert len(found.runs) == 8
    assert found.short_runs == {("late", "pumps", "again")}
    assert found.words == {"nobody", "learn", "that", "forgot", "send", "pumps"}
