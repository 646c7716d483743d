"""Tests of the fact check: numbers, dates, names and quoted words of a claim need a source."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.builders import build_case, cases_by_id

from patternmind.domain.draft_fields import NOT_STATED, FieldValue
from patternmind.domain.drafts import Claim, Draft, DraftKind, FlagKind, Provenance, Quote
from patternmind.grounding import Similarity, extract_source_facts, find_missing_facts, ground
from patternmind.grounding.folding import cuts_word_or_number

NOVEMBER = dt.date(2026, 11, 4)


def kinds(claim: str, *sources: str, days: tuple[dt.date, ...] = ()) -> list[str]:
    return list(dict.fromkeys(fact.kind for fact in find_missing_facts(claim, extract_source_facts(sources, days))))


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("It cost 1,200 euros.", "it was 1 200 in all"),
        ("It cost 1200 euros.", "it was 1.200 in all"),
        ("It cost 1 200 euros.", "it was 1\u00a0200 in all"),
        ("It cost 1,234.50.", "Kosten: 1.234,5"),
        ("A share of 3 % is lost.", "we lose 3% of them"),
        ("A share of 3% is lost.", "we lose three percent of them"),
        ("A share of six % is lost.", "we lose 6 % of them"),
        ("Three teams waited.", "3 teams had to wait"),
        ("It took 3 teams.", "three teams had to wait"),
        ("It took two hundred and fifty calls.", "250 calls"),
        ("It took 25 calls.", "twenty-five calls"),
        ("A dozen pallets stood there.", "12 pallets"),
        ("It opened at 3.50 bar.", "opens at 3,5 bar"),
        ("It opened at 10² mbar.", "the gauge said 10² mbar"),
        ("It took 1 day.", "it took one day"),
        ("It took 3 Tage.", "es dauerte drei Tage"),
        ("De ventet 2 timer.", "de ventet to timer"),
        ("It was half full, at 0.5.", "the gauge said ½"),
        ("In 2026 300 people left.", "300 people left in 2026"),
        ("It stood in lane 4 200 times.", "lane 4 was blocked 200 times"),
        ("One team waited.", "a team waited"),
        ("It failed on 4 November.", "failed on 2026-11-04"),
        ("It failed on 2026-11-04.", "failed on 4 November 2026"),
        ("It failed on November 4th, 2026.", "failed on 04.11.2026"),
        ("It failed on 4. november.", "failed 4/11/2026"),
        ("It failed in November 2026.", "failed on 4 Nov 2026"),
        ("It failed in November.", "failed on 2026-11-04"),
        ("It failed in 2026.", "failed on 2026-11-04"),
        ("It began at 14:30.", "at 14:30 we began"),
        ("The desk told SAP about it.", "we told SAP's desk"),
        ("They asked Kari Nordmann first.", "KARI NORDMANN was asked"),
        ("They asked [person 3] first.", "we asked [person 3]"),
        ("Ask the driver first.", "nobody asked the driver"),
        ("The X-200 leaks.", "an X-200 that leaks"),
        ("They call it “nobody's lane”.", "we call it “nobody’s lane” now"),
        ('They call it "nobody\'s lane", and laugh.', "we call it nobody’s lane now"),
    ],
)
def test_find_missing_facts_accepts_other_notations(claim: str, source: str) -> None:
    assert kinds(claim, source) == []


@pytest.mark.parametrize(
    ("claim", "source", "kind"),
    [
        ("It cost 1,300 euros.", "it was 1 200 in all", "number"),
        ("It opened at 102 mbar.", "opens at 10² mbar", "number"),
        ("It opened at 10 mbar.", "opens at 10² mbar", "number"),
        ("A share of 3 % is lost.", "3 of them were lost", "number"),
        ("Four teams waited.", "three teams had to wait", "number"),
        ("It took 11 days.", "failed on 2026-11-04", "number"),
        ("It took 12 days.", "it cost 12,50", "number"),
        ("Use version 1.2.4.", "version 1.2.3 works", "number"),
        ("It failed on 5 November.", "failed on 2026-11-04", "date"),
        ("It failed on 4 November 2025.", "failed on 2026-11-04", "date"),
        ("It failed on 4 November 2025.", "failed on 4 November", "date"),
        ("It failed on 4 November.", "failed in November 2026", "date"),
        ("It failed in December 2026.", "failed on 4 November 2026", "date"),
        ("They told Oracle about it.", "we told SAP about it", "name"),
        ("SAP was told.", "the supplier was told", "name"),
        ("Kari Nordmann was told.", "the supplier was told", "name"),
        ("It took 3 calls.", "[person 3] called X-3", "number"),
        ("They asked [person 4] first.", "we asked [person 3]", "name"),
        ("They call it “the lane of doom”.", "we call it nobody’s lane", "quoted words"),
        ("They said „alles gut“ again.", "they said nothing", "quoted words"),
        ("See http://evil.example/x for more.", "see [link] for more", "address"),
        ("Write to boss@evil.example today.", "write to [email]", "address"),
        ("See evil.com for more.", "see [link] for more", "address"),
    ],
)
def test_find_missing_facts_reports_facts_without_a_source(claim: str, source: str, kind: str) -> None:
    assert kinds(claim, source) == [kind]


def test_find_missing_facts_accepts_the_date_of_a_case() -> None:
    assert kinds("It failed on 4 November.", "it failed", days=(NOVEMBER,)) == []
    assert kinds("It failed on 4 November 2026.", "it failed on 4 November", days=(dt.date(2026, 12, 1),)) == []


def test_find_missing_facts_ignores_capitals_in_german_sources() -> None:
    german = "Die neue Palette stand in der Gasse und der junge Fahrer sah die Ware an der langen Rampe mit dem Band."
    assert kinds("Am Abend fehlte die Lieferung.", german) == []
    assert kinds("Am Abend fehlte die X-200.", german) == ["name"]


@settings(max_examples=200, deadline=None)
@given(value=st.integers(0, 10**9), mark=st.sampled_from([",", ".", " ", "\u00a0", "'", ""]))
def test_find_missing_facts_accepts_any_thousands_separator(value: int, mark: str) -> None:
    written = f"{value:,}".replace(",", mark)
    assert kinds(f"It was {value} in all.", f"it was {written} in all") == []
    assert kinds(f"It was {written} in all.", f"it was {value} in all") == []
    assert kinds(f"It was {value + 1} in all.", f"it was {value} in all") == ["number"]


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=80))
def test_find_missing_facts_of_a_text_in_itself_is_empty(text: str) -> None:
    missing = find_missing_facts(text, extract_source_facts([text]))
    assert [fact for fact in missing if fact.kind not in {"quoted words", "name"}] == []


LOST = build_case("c-1", {"problem": "Three pallets stood in lane 4. Nobody told SAP.", "lesson": "Red tape helps."})
CASES = cases_by_id(LOST)


def by_model(*claims: Claim, name: str = "Red tape", **fields: FieldValue) -> Draft:
    return Draft(
        id="d-1",
        kind=DraftKind.PATTERN,
        theme_id="t-1",
        name=name,
        fields=fields,
        claims=claims,
        provenance=Provenance(run_id="run-1", model="some/model", inputs=("c-1@v1",)),
    )


def claimed(text: str, quoted: str, field: str = "problem") -> Claim:
    return Claim(text=text, field=field, quotes=(Quote(case_id="c-1", field="problem", start=0, end=0, text=quoted),))


def doubts(draft: Draft, similarity: Similarity | None = None) -> list[tuple[FlagKind, str]]:
    return [(flag.doubt, flag.text) for flag in ground(draft, CASES, similarity=similarity).flags]


def test_ground_refuses_a_models_claim_with_an_unsourced_number() -> None:
    bad = claimed("Seven pallets stood there.", "pallets stood in lane 4.")
    grounded = ground(by_model(bad, problem=("Seven pallets stood there.",)), CASES)
    assert [refused.claim for refused in grounded.refused_claims] == [bad]
    assert grounded.refused_claims[0].reason == "the cases it quotes do not contain a number"
    assert grounded.draft.fields == {"problem": ()}


def test_ground_flags_a_fact_that_only_the_case_contains() -> None:
    claim = claimed("Three pallets were lost.", "pallets stood in lane 4.")
    grounded = ground(by_model(claim), CASES)
    assert grounded.refused_claims == ()
    assert [(flag.doubt, flag.text) for flag in grounded.flags] == [(FlagKind.NOT_IN_QUOTE, claim.text)]
    assert "SAP" not in grounded.flags[0].reason


def test_ground_does_not_flag_a_verbatim_claim() -> None:
    whole = "Three pallets stood in lane 4."
    assert doubts(by_model(claimed(whole, whole), problem=(whole,))) == []


def test_ground_flags_unquoted_lines_and_removes_invented_quotes_and_links() -> None:
    lines = ("They forget it.", "As one said, “I gave up”.", "See http://evil.example.", "“Nobody told SAP” they say.")
    grounded = ground(by_model(forces=lines, coverage="Evidence from 3 of 7 cases."), CASES)
    assert grounded.draft.fields["forces"] == (lines[0], lines[3])
    assert [(flag.doubt, flag.text) for flag in grounded.flags] == [
        (FlagKind.NO_QUOTE, lines[0]),
        (FlagKind.NO_QUOTE, lines[3]),
    ]


def test_ground_flags_a_name_with_an_unsourced_number() -> None:
    assert doubts(by_model(name="The 9 pallets of Oracle")) == [(FlagKind.NO_QUOTE, "The 9 pallets of Oracle")]
    assert doubts(by_model(name="The 3 pallets of lane 4")) == []


def test_ground_flags_weak_support_when_words_and_meaning_differ() -> None:
    near, far = (
        claimed("Pallets were forgotten.", "pallets stood in lane 4."),
        claimed("People fear change.", "lane 4."),
    )
    flagged = doubts(by_model(near, far), similarity=lambda pairs: [0.1] * len(pairs))
    assert flagged == [(FlagKind.WEAK_SUPPORT, far.text)]
    assert doubts(by_model(near, far), similarity=lambda pairs: [0.9] * len(pairs)) == []


def test_ground_keeps_a_weak_support_flag_as_long_as_its_claim() -> None:
    far = claimed("People fear change.", "lane 4.")
    first = ground(by_model(far), CASES, similarity=lambda pairs: [0.0] * len(pairs))
    second = ground(first.draft, CASES)
    assert (second.draft, second.flags) == (first.draft, first.flags)
    changed = cases_by_id(replace(LOST, text={"problem": "Three pallets stood elsewhere."}))
    assert ground(first.draft, changed).flags == ()


def test_ground_flags_evidence_from_one_case_or_one_team() -> None:
    step = Claim(
        text="Red tape helps.",
        field="solution",
        quotes=(Quote(case_id="c-1", field="lesson", start=0, end=15, text="Red tape helps."),),
    )
    other = replace(step, quotes=(replace(step.quotes[0], case_id="c-2"),))
    cases = cases_by_id(LOST, replace(LOST, id="c-2", team="another"))
    extractive = replace(by_model(step, other), provenance=Provenance(run_id="r"))
    assert ground(extractive, cases).flags == ()
    for narrow_cases in (
        cases_by_id(LOST, replace(LOST, id="c-2")),
        cases_by_id(LOST, replace(LOST, id="c-2", team="b", duplicate_of="c-1")),
    ):
        (flag,) = ground(extractive, narrow_cases).flags
        assert (flag.doubt, flag.text) == (FlagKind.NARROW, "")


def test_ground_flags_a_claim_on_a_suspicious_case() -> None:
    suspicious = cases_by_id(replace(LOST, flags=("redacted", "suspicious: gives orders to a machine")))
    whole = "Three pallets stood in lane 4."
    (flag,) = ground(replace(by_model(claimed(whole, whole)), provenance=Provenance(run_id="r")), suspicious).flags
    assert (flag.doubt, flag.reason) == (FlagKind.SUSPICIOUS, "It quotes a case that gives orders to a machine.")


def test_ground_does_not_flag_not_stated_fields() -> None:
    assert doubts(by_model(problem=NOT_STATED, do_not_use_when=(NOT_STATED,))) == []


@pytest.mark.parametrize("text", ["word " * 40, "x" * 200, "short", "那个托盘在四号通道" * 20, "a" * 79 + " tail"])
def test_case_title_from_a_text_does_not_cut_a_word(text: str) -> None:
    title = build_case("c-1", text).title
    assert text.startswith(title)
    assert 0 < len(title) <= 80
    assert " " not in text[:80] or not cuts_word_or_number(text, 0, len(title))
