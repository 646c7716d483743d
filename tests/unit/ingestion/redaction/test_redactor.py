"""Redact texts: personal data, text that stays, and idempotence."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patternmind.domain.networks import RosterEntry
from patternmind.ingestion.redaction.redactor import RedactedText, redact
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ingestion.redaction.submission_names import names_in_submitter

ROSTER = Roster.of(
    [
        RosterEntry(number=1, name="Anna Hansen", email="anna@intranet"),
        RosterEntry(number=2, name="Jørn Ekeberg", email="jorn.ekeberg@example.org"),
        RosterEntry(number=3, name="Per-Olav Grindheim"),
        RosterEntry(number=4, name="Joost van der Laan"),
        RosterEntry(number=5, name="Mark May"),
        RosterEntry(number=6, name="Henning Möller"),
        RosterEntry(number=7, name="Bo Li"),
        RosterEntry(number=8, name="张伟"),
        RosterEntry(number=9, name="O'Brien, Siobhán Mary"),
        RosterEntry(number=10, name="Petra Hansen"),
        RosterEntry(number=11, name="דוד לוי"),
    ]
)


def redacted(text: str) -> str:
    return redact(text, ROSTER).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Anna Hansen said", "[person 1] said"),
        ("ask anna hansen or ANNA HANSEN", "ask [person 1] or [person 1]"),
        ("Hansen, Anna; anna.hansen; annahansen", "[person 1]; [person 1]; [person 1]"),
        ("with Anna's list and Annas list", "with [person 1]'s list and [person 1]s list"),
        ("A. Hansen and A.Hansen", "[person 1] and [person 1]"),
        ("Anna H. fixed it", "[person 1]. fixed it"),
        ("Hansen called", "[person] called"),
        ("Jørn, Jorn, Joern and JØRN", "[person 2], [person 2], [person 2] and [person 2]"),
        ("Per-Olav and Per Olav and Olav", "[person 3] and [person 3] and [person 3]"),
        ("per hour, and Per the law", "per hour, and Per the law"),
        ("Joost van der Laan, van der Laan, Mr Laan", "[person 4], [person 4], Mr [person 4]"),
        ("the van came", "the van came"),
        ("Moller, Moeller and Möller", "[person 6], [person 6] and [person 6]"),
        ("Bo Li but not Bo or Li", "[person 7] but not Bo or Li"),
        ("我问了张伟两次", "我问了[person 8]两次"),
        ("Siobhan O’Brien; S. O'Brien; Mary", "[person 9]; [person 9]; [person 9]"),
        ("שאלתי את דוד לוי", "שאלתי את [person 11]"),
        ("Annabel, Hansenberg, Johanna", "Annabel, Hansenberg, Johanna"),
    ],
)
def test_people_on_the_roster_are_redacted_in_every_form(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mark the box in may", "mark the box in may"),
        ("Mark the box. May I?", "Mark the box. May I?"),
        ("MARK AS DONE", "MARK AS DONE"),
        ("We asked Mark about it", "We asked [person 5] about it"),
        ("Mark said so. Mark's list. Mark and Sue", "[person 5] said so. [person 5]'s list. [person 5] and Sue"),
        ("in May 2026, 3 May, since May", "in May 2026, 3 May, since May"),
        ("MARK MAY, Mark May", "[person 5], [person 5]"),
        ("they mark may days", "they mark may days"),
    ],
)
def test_ambiguous_names_are_redacted_only_when_a_person_acts(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail anna.b+x@mail.example.co.uk.", "mail [email]."),
        ("mail Anna@Intranet now", "mail [email] now"),
        ("mail jørn@exämple.org", "mail [email]"),
        ("'o'brien@x.org', **b@x.org**, mailto:c@x.org", "'[email]', **[email]**, mailto:[email]"),
        ("see (https://x.example/a_(b)?q=1), or www.example.org/x.", "see ([link]), or [link]."),
        ("example.com/path but not node.js or example.com", "[link] but not node.js or example.com"),
        ("card 4111 1111 1111 1111 12/27", "card [card] 12/27"),
        ("order 4111 1111 1111 1112", "order 4111 1111 1111 1112"),
        ("GB82 WEST 1234 5698 7654 32 AND", "[iban] AND"),
        ("DE89370400440532013000", "[iban]"),
        ("GB82WEST12345698765433", "GB82WEST12345698765433"),
        ("host 10.0.0.12, 2001:db8::8a2e:370:7334", "host [ip], [ip]"),
        ("v1.2.3.4, version 1.2.3.4, Section 5.4.1.3", "v1.2.3.4, version 1.2.3.4, Section 5.4.1.3"),
        ("at 10:30:45 std::vector 300.1.1.1 a::b", "at 10:30:45 std::vector 300.1.1.1 a::b"),
        ("+47 22 12 34 56 or (305) 591-8935", "[phone] or [phone]"),
        ("call 467 3395, tel. 0489 25 37 29", "call [phone], tel. [phone]"),
        ("020 7946 0958 in London", "[phone] in London"),
    ],
)
def test_identifiers_are_redacted_by_format(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-01 10:00, 31.12.2025, 12-03-2024",
        "part 48213377, IOM 5217-92-23, GAO-02-195, 15 USC 1681",
        "T50 56.4 350 -0.55 40 0.0654, totaling {$43000.00}",
        "FY2008 appropriations, WR28 waveguide used for Ka-band",
        "CFR 301.7701-7, module release 0.2.119",
    ],
)
def test_technical_numbers_and_dates_stay(text: str) -> None:
    assert redacted(text) == text


def test_redact_counts_redactions_by_kind() -> None:
    assert redact("Anna, Jørn: a@b.no, a@b.no", ROSTER) == RedactedText(
        "[person 1], [person 2]: [email], [email]", {"email": 2, "person": 2}
    )


def test_submitter_gets_no_number_when_not_on_the_roster() -> None:
    names = names_in_submitter("Kari Nordmann & Ola Dunk <ola.dunk@example.org>")
    assert redact("Kari asked O. Dunk and Anna", ROSTER, names).text == "[person] asked [person] and [person 1]"
    assert names_in_submitter("anonymous") == names_in_submitter(" - ") == ()
    assert names_in_submitter("kari.nordmann@example.org") == ("kari nordmann",)


def test_find_person_accepts_any_form_of_a_name() -> None:
    for spelling in ("jorn ekeberg", "Ekeberg, Jørn", "J. Ekeberg", "X <JORN.EKEBERG@example.org>", "Jørn"):
        person = ROSTER.find_person(spelling)
        assert person is not None, spelling
        assert person.number == 2
    assert ROSTER.find_person("Hansen") is None
    assert ROSTER.find_person("somebody else") is None
    assert ROSTER.find_person("") is None


def test_redact_uses_formats_alone_when_the_roster_is_empty() -> None:
    assert redact("Anna, a@b.no", Roster.of([])).text == "Anna, [email]"


PIECES = [
    *(
        "Anna",
        "Hansen",
        "anna",
        "Mark",
        "MAY",
        "Per",
        "Olav",
        "A.",
        "张伟",
        "'s",
        "[person 1]",
        "[email]",
        "[",
        "]",
        "\ue000",
    ),
    *(
        "a@b.no",
        "@",
        "http://x.no/(a)",
        "www.",
        "4111 1111 1111 1111",
        "GB82 WEST 1234 5698 7654 32",
        "10.0.0.1",
        "::1",
    ),
    *("+47 22 12 34 56", "(305) 591-8935", "call", "12", "7", "-", " ", ". ", "\n", ",", "said", "e\u0301", "x"),
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=25).map("".join))
def test_redact_is_idempotent(text: str) -> None:
    once = redact(text, ROSTER, ("Kari Nordmann",))
    assert redact(once.text, ROSTER, ("Kari Nordmann",)) == RedactedText(once.text, {})


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join))
def test_full_names_on_the_roster_are_always_redacted(around: str) -> None:
    assert "ekeberg" not in redacted(f"{around} Jørn Ekeberg {around}").lower()


@pytest.mark.parametrize(
    "text", ["a@" * 50_000, "http://" + ")" * 100_000, "1 " * 50_000, "call " + "1234567" * 10_000, "anna " * 20_000]
)
def test_redact_is_fast_on_hostile_texts(text: str) -> None:
    start = time.process_time()
    redacted(text)
    assert time.process_time() - start < 2


def test_redact_takes_seconds_for_a_thousand_long_texts() -> None:
    roster = Roster.of(
        RosterEntry(number=i, name=f"Name{chr(97 + i % 26)} Family{chr(97 + i // 26)}") for i in range(200)
    )
    text = "the lorry Namea came late again and Familyb called from Moss on 12 May about order 48213377 " * 20
    start = time.process_time()
    assert redact(text, roster).counts == {"person": 40}
    for i in range(100):
        redact(f"{i} {text}", roster)
    assert time.process_time() - start < 1.5
