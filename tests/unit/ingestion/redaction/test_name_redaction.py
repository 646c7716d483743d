"""Redact roster entries and names in a submission's columns; find possible names."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patternmind.domain.networks import RosterEntry
from patternmind.evals.scorers.name_redaction import NAME_VARIANTS
from patternmind.ingestion.redaction.names import fold
from patternmind.ingestion.redaction.possible_names import find_possible_names
from patternmind.ingestion.redaction.redactor import redact, redact_values
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ingestion.redaction.submission_names import names_in_columns

ROSTER = Roster.of(
    [
        RosterEntry(number=1, name="Krisztián Szöllösy", email="ksz@example.org @kris_sz"),
        RosterEntry(number=2, name="Mark Baker"),
        RosterEntry(number=3, name="customer: Acme Logistics GmbH"),
        RosterEntry(number=4, name="customer: Maersk"),
        RosterEntry(number=5, name="site: Hall 4"),
        RosterEntry(number=6, name="site: Global Quality Port"),
        RosterEntry(number=7, name="Ulla Svensson"),
        RosterEntry(number=8, name="Adam Jones"),
        RosterEntry(number=9, name="Petra Adams"),
    ]
)


def redacted(text: str) -> str:
    return redact(text, ROSTER).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("krisztian said szollosy knew", "[person 1] said [person 1] knew"),
        ("ping @kris_sz or kris_sz, ksz@example.org", "ping [person 1] or [person 1], [email]"),
        ("K.S. and K. Sz. signed", "[person 1] and K. Sz. signed"),
        ("k. szöllösy, krisztian s. and a szollosy", "[person 1], [person 1]. and a [person 1]"),
        ("K. S. Hine, Nemeth, K. S., then K.S. The end", "K. S. Hine, Nemeth, K. S., then [person 1] The end"),
        ("My name is Mark. Hi Baker", "My name is [person 2]. Hi [person 2]"),
        ("in the U.S. and e.g. here", "in the U.S. and e.g. here"),
        ("mark the baker's box", "mark the baker's box"),
        ('For Mrs. Baker!\nMark: "no"', 'For Mrs. [person 2]!\n[person 2]: "no"'),
        ("Adams called Adam", "[person 9] called [person 8]"),
        ("Acme Logistics, acme logistics gmbh, at Acme", "[customer 3], [customer 3], at [customer 3]"),
        ("Maersk's crane, MAERSK", "[customer 4]'s crane, [customer 4]"),
        ("in Hall 4, hall 4 and hall 41", "in [site 5], [site 5] and hall 41"),
        ("Global trade, quality and the port", "Global trade, quality and the port"),
    ],
)
def test_roster_entries_are_redacted_in_all_forms(text: str, expected: str) -> None:
    assert redacted(text) == expected


def test_find_person_accepts_a_handle() -> None:
    person = ROSTER.find_person("@Kris_Sz")
    assert person is not None
    assert person.number == 1
    assert ROSTER.find_person("Maersk") is None


NAMES = st.sampled_from(["Krisztián Szöllösy", "Ulla Svensson"])


@given(
    NAMES,
    st.sampled_from(sorted(NAME_VARIANTS)),
    st.sampled_from(["so ", "Then ", "", "(", "\n- "]),
    st.sampled_from([" x", ".", "", ")"]),
)
def test_roster_names_are_redacted_in_every_variant(name: str, variant: str, before: str, after: str) -> None:
    result = fold(redacted(f"{before}{NAME_VARIANTS[variant](name)}{after}"))
    assert not any(fold(part) in result for part in name.split())


def test_names_in_columns_returns_people_and_customers() -> None:
    columns = {"Customer": "Borealis AG", "Reported by": "Ada Lund", "Site": "n/a", "colour": "Red", "Client": "4711"}
    assert names_in_columns(columns) == ("customer: Borealis AG", "Ada Lund")
    assert redact("Ada from Borealis", ROSTER, names_in_columns(columns)).text == "[person] from [customer]"


def test_names_in_columns_does_not_redact_common_words() -> None:
    columns = {"Site": "Production", "Customer": "Retail", "Owner": "night shift", "Assignee": "IT Support"}
    text = "The production line for retail stopped in the shift, and support came. We asked the team."
    assert redact(text, ROSTER, names_in_columns(columns)).text == text


def test_redact_values_redacts_every_string_except_ids_and_quotes() -> None:
    answer = {
        "name": "Ask Krisztián first",
        "steps": ["call +47 22 12 34 56", {"note": "Maersk"}],
        "quotes": [{"case_id": "c-1", "text": "Maersk"}],
        "theme_id": "Maersk",
        "n": 3,
        "none": None,
    }
    assert redact_values(answer, ROSTER) == {
        "name": "Ask [person 1] first",
        "steps": ["call [phone]", {"note": "[customer 4]"}],
        "quotes": [{"case_id": "c-1", "text": "Maersk"}],
        "theme_id": "Maersk",
        "n": 3,
        "none": None,
    }


# Possible names ------------------------------------------------------------------------------------------------------

TEXTS = [
    "Thanks, Zebulon! We met with Faina D. Yefremova and asked patricia about the Valve. The valve leaked.",
    "Yefremova said so. Dr. Quast and Ola agreed. Monday came. See @ola_n.",
    "Kennedy Space Center, Valve Works Ltd and the Team met in Paris.",
]


def test_find_possible_names_recognises_names_by_spelling_and_context() -> None:
    names = {candidate.name: candidate for candidate in find_possible_names(TEXTS)}
    assert set(names) == {"Faina D. Yefremova", "Zebulon", "Patricia", "Quast", "Ola", "@ola_n"}
    assert (names["Faina D. Yefremova"].n, names["Faina D. Yefremova"].n_texts) == (2, 2)
    assert "title" in names["Quast"].why


def test_possible_name_contexts_contain_no_other_possible_name() -> None:
    for candidate in find_possible_names(TEXTS):
        others = {other.name for other in find_possible_names(TEXTS)} - {candidate.name}
        for context in candidate.contexts:
            assert not any(other in context for other in others), (candidate.name, context)


def test_find_possible_names_returns_nothing_when_no_person_is_named() -> None:
    assert find_possible_names(["The pallet stood in lane 4. Nobody knew whose it was.", ""]) == ()


@given(st.lists(st.text(max_size=40), max_size=4))
def test_possible_names_are_parts_of_the_texts(texts: list[str]) -> None:
    whole = fold("\n".join(texts))
    assert all(fold(candidate.name) in whole for candidate in find_possible_names(texts))


def counts(texts: Sequence[str]) -> set[tuple[str, int, int]]:
    return {(candidate.name, candidate.n, candidate.n_texts) for candidate in find_possible_names(texts)}


@given(st.permutations(TEXTS))
def test_find_possible_names_is_independent_of_text_order(texts: list[str]) -> None:
    assert counts(texts) == counts(TEXTS)
