"""Redact national ids, keys, obfuscated e-mails, machine addresses and telephones, and nothing else."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patternmind.domain.networks import RosterEntry
from patternmind.ingestion.redaction.identifiers import luhn
from patternmind.ingestion.redaction.redactor import RedactedText, redact
from patternmind.ingestion.redaction.roster import Roster

EMPTY_ROSTER = Roster.of([])


def redacted(text: str) -> str:
    return redact(text, EMPTY_ROSTER).text


def in_regions(text: str, *regions: str) -> str:
    entries = [RosterEntry(number=i, name=f"region: {region}") for i, region in enumerate(regions, 1)]
    return redact(text, Roster.of(entries)).text


# The numbers are examples of the issuing offices, or invented with valid check digits.


@pytest.mark.parametrize(
    "number",
    [
        "460-89-9847",  # US
        "AB 12 34 56 C",  # GB
        "15076500565",  # NO
        "811228-9874",  # SE
        "19811228-9874",
        "070761-4285",  # DK, modulo 11
        "131052-308T",  # FI
        "120174-3399",  # IS
        "86095742719",  # DE
        "15 070649 C 103",  # DE, insurance
        "2 55 08 14 168 025 38",  # FR
        "93.05.18-223.61",  # BE
        "12345678Z",  # ES
        "X-1234567-L",
        "RSSMRA85T10A562S",  # IT
        "756.9217.0769.85",  # CH
        "1237 010180",  # AT
        "736028/5163",  # CZ
        "37605030299",  # EE
        "529.982.247-25",  # BR
        "ABCPE1234F",  # IN
    ],
)
def test_national_id_with_a_check_is_redacted_anywhere(number: str) -> None:
    assert redacted(f"It was {number}, they said.") == "It was [id], they said."


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("SSN", "460899847"),
        ("social security number is", "460 89 9847"),
        ("NHS no.", "9434765919"),
        ("BSN", "111222333"),
        ("PESEL:", "44051401359"),
        ("NIF", "123456789"),
        ("PPS number", "1234567T"),
        ("social insurance number", "046454286"),
        ("TFN", "123 456 782"),
        ("Aadhaar", "2345 6789 0124"),
        ("passport", "L01X00T47"),
        ("driver's licence", "F162-8235-40116"),
        ("CPR", "010107-1234"),
        ("national insurance number", "ab123456c"),
    ],
)
def test_national_id_without_a_strong_check_is_redacted_after_its_name(words: str, number: str) -> None:
    assert redacted(f"my {words} {number} is on file") == f"my {words} [id] is on file"
    assert redacted(f"pallet {number} is on file") == f"pallet {number} is on file"


@pytest.mark.parametrize(
    "text",
    [
        "000-12-3456, 123-00-4567, 666-45-6789, 123-45-0000",
        "order 811228-9873, lot 15076500566, part 12345678A",
        "batch 202405011234, parcel 123456789012, CAS 7732-18-5",
        "at 2026-05-01 10:00:00, 1700000000, 0.123456789, 10,000,000",
        "the passport was lost in 2024, the licence plate too",
    ],
)
def test_numbers_stay_when_they_fail_their_check(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize(
    "key",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "a1B2" * 9,
        "github_pat_11ABCDEFG0" + "a1b2" * 10,
        "glpat-" + "a1b2" * 5,
        "xoxb-123456789012-" + "a1b2" * 6,
        "sk_live_" + "a1b2" * 6,
        "AIza" + "a1b2C" * 7,
        "sk-proj-" + "a1b2" * 10,
        "sk-ant-api03-" + "a1b2" * 10,
        "hf_" + "a1B2" * 8,
        "npm_" + "a1B2" * 9,
        "SG." + "a1b2" * 5 + "." + "a1b2" * 10,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq\nabcd+/==\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_issued_key_is_redacted(key: str) -> None:
    assert redacted(f"we pasted {key} into chat") == "we pasted [key] into chat"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password=hunter and pw: Tr0ub4dor!", "password=[key] and pw: [key]"),
        ("The password is Summer2024!, sadly.", "The password is [key], sadly."),
        ("API_KEY: 'a1b2c3d4e5'", "API_KEY: '[key]'"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=[key]"),
        ("Authorization: Bearer abcdef0123456789abcdef", "Authorization: Bearer [key]"),
        ("the PIN is 4711", "the PIN is [key]"),
        ("Passwort: geheim123, passord: Sommer2024", "Passwort: [key], passord: [key]"),
        ("cut off: -----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nand then", "cut off: [key]\nand then"),
        ("postgres://app:pw@db.example/x", "[link]"),
    ],
)
def test_assigned_secret_is_redacted_and_its_name_stays(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The password is required. Password: expired, token: missing, the secret is communication.",
        "pass: the bearer of bad news, a basic understanding of tokens",
        "the key is to ask, access is denied, pin is bent, task-force-one-two-three-four-five-six",
        "risk-assessment-of-the-whole-line, SKU 12",
    ],
)
def test_words_about_keys_stay(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize(
    "address",
    [
        "anna at example dot com",
        "anna dot hansen at mail dot example dot org",
        "anna (at) example.com",
        "anna[at]example[dot]com",
        "anna @ example . com",
        "anna(ät)example.de",
        "ANNA AT EXAMPLE DOT COM",
    ],
)
def test_obfuscated_email_is_redacted(address: str) -> None:
    assert redacted(f"write to {address}, please") == "write to [email], please"


@pytest.mark.parametrize(
    "text",
    [
        "at this point in time, at one point in the run",
        "we met at example.com and looked at node.js",
        "a dot at the end. At noon it stopped.",
        "price @ 4.50 each, 3 @ 2.00, the meeting @ noon",
    ],
)
def test_at_and_dot_stay_when_they_are_words(text: str) -> None:
    assert redacted(text) == text


def test_mac_addresses_are_redacted() -> None:
    assert redacted("00:1A:2b:3C:4D:5E, 00-1a-2b-3c-4d-5e, 001a.2b3c.4d5e") == "[mac], [mac], [mac]"
    assert redacted("10:20:30 to 11:20:30, 1234.5678.9012") == "10:20:30 to 11:20:30, 1234.5678.9012"


@pytest.mark.parametrize("card", ["675984103431", "347415977307943", "30569309025904", "6011000990139424"])
def test_cards_of_all_lengths_are_redacted(card: str) -> None:
    assert redacted(f"card {card}.") == "card [card]."


def test_card_length_numbers_stay_when_no_issuer_has_them() -> None:
    rng = random.Random(1)
    clocks = [f"17{rng.randrange(10**11):011d}" for _ in range(200)]
    assert any(luhn(clock) for clock in clocks)
    assert redacted(" ".join(f"at {clock}" for clock in clocks)).count("[card]") == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("781 1704 office", "[phone] office"),
        ("Desk: 5403926876", "Desk: [phone]"),
        ("07700 900123 rang", "[phone] rang"),
        ("the shift 0800-1630 began", "the shift 0800-1630 began"),
        ("reached 10 000 000 users, order number: 48213377", "reached 10 000 000 users, order number: 48213377"),
    ],
)
def test_telephone_numbers_are_distinguished_from_other_numbers(text: str, expected: str) -> None:
    assert redacted(text) == expected


def test_roster_regions_decide_which_telephone_numbers_count() -> None:
    text = "from 601 234 567 again"
    assert redacted(text) == text
    assert in_regions(text, "PL") == "from [phone] again"
    assert in_regions(text, "all") == "from [phone] again"
    assert in_regions("020 7946 0958 in London", "PL") == "020 7946 0958 in London"


KINDS = ("460-89-9847", "AKIAIOSFODNN7EXAMPLE", "a at b dot com", "password=x1y2", "00:1A:2B:3C:4D:5E", "811228-9874")


@given(st.lists(st.sampled_from(KINDS) | st.text("ab1 .-=@:/[]", max_size=6), max_size=12).map(" ".join))
def test_redaction_of_identifiers_is_idempotent(text: str) -> None:
    once = redact(text, EMPTY_ROSTER)
    assert redact(once.text, EMPTY_ROSTER) == RedactedText(once.text, {})


@given(st.sampled_from(KINDS), st.text("xyz ,;\n", max_size=20), st.text("xyz ,;\n", max_size=20))
def test_identifiers_between_spaces_are_always_redacted(secret: str, before: str, after: str) -> None:
    assert secret not in redacted(f"{before} {secret} {after}")


@pytest.mark.parametrize(
    "piece",
    [
        "1 ",
        "a1 ",
        "12 345 ",
        "123456-",
        "eyJ",
        "sk-",
        "pin",
        "password=",
        "-----BEGIN PRIVATE KEY-----",
        "a[at]",
        "@a ",
    ],
)
def test_redaction_of_identifiers_is_fast_on_hostile_texts(piece: str) -> None:
    """Time grows linearly: twice the 100,000 characters take about twice the time."""
    assert redacted(piece * (100_000 // len(piece)))
