"""Drafts made without a model: the cases' own sentences, what they do not say said to be missing, stable ids."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.builders import build_case, build_theme, cases_by_id

from patternmind.domain.breadth import COUNTER_EVIDENCE_FIELD, measure_breadth
from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.drafts import (
    NO_AI,
    Claim,
    Draft,
    DraftKind,
    FlagKind,
)
from patternmind.drafting.evidence import MAX_CASES, ThemeEvidence, gather_evidence
from patternmind.drafting.keyphrases import PhraseCounts
from patternmind.drafting.patterns import (
    MAX_STEPS,
    NO_PATTERN,
    NOT_STATED,
    draft_pattern,
)
from patternmind.drafting.prereading import draft_prereading
from patternmind.drafting.sentence_selection import select_sentences
from patternmind.grounding import ground
from patternmind.text import SentenceRole, extract_sentences, mentions_problem

BATTERY = build_case(
    "c-1",
    {
        "title": "Flat scanner",
        "problem": "The scanner loses its battery within an hour of the shift.",
        "context": "Our cold store is kept at twenty degrees below zero.",
        "lesson": "Keep a charged spare battery in a warm pocket all day.",
    },
)
SPARE = build_case(
    "c-2",
    {
        "problem": "Nobody can scan goods once the scanner battery gives up.",
        "outcome": "The night shift has scanned every pallet for a month now.",
        "recommendation": "Charge all scanners at noon, but leave one for the office.",
    },
)
WORSE = build_case(
    "c-3",
    {
        "problem": "Half of the scanner fleet was dead on Monday morning again.",
        "tried": "Buying larger batteries made things worse because the scanner grew too heavy.",
        "lesson": "Do not use the dock in the cold store unless it is heated.",
    },
)
SILENT = build_case("c-4", {"problem": "The scanner battery is empty before lunch on every cold day."})
ALL = [BATTERY, SPARE, WORSE, SILENT]


def evidence_of(cases: Sequence[Case], **known: Any) -> ThemeEvidence:
    theme = build_theme(case_ids=tuple(case.id for case in cases), name="Scanner battery", **known)
    phrases = PhraseCounts({case.id: "\n".join(case.text.values()) for case in cases})
    return gather_evidence(
        theme,
        cases_by_id(*cases),
        phrases=phrases.distinctive_phrases([case.id for case in cases]),
        cohesion=dict.fromkeys(theme.case_ids, 1.0),
    )


def pattern_of(cases: Sequence[Case], *, run_id: str = "run-1", **known: Any) -> Draft:
    return draft_pattern(evidence_of(cases, **known), run_id=run_id)


def claims_in(draft: Draft, field: str) -> list[Claim]:
    return [claim for claim in draft.claims if claim.field == field]


def prereading_of(cases: Sequence[Case], about: Case, *, run_id: str = "run-1") -> Draft:
    return draft_prereading(evidence_of(cases), about, session="Jam", date="2026-11-24", run_id=run_id)


def assert_grounded(draft: Draft, cases: Sequence[Case]) -> None:
    grounded = ground(draft, cases_by_id(*cases))
    assert grounded.refused_claims == ()
    assert grounded.draft == draft


# patterns


def test_cases_that_say_what_helped_make_a_pattern_in_their_own_words() -> None:
    draft = pattern_of(ALL)
    assert (draft.kind, draft.theme_id, draft.name) == (DraftKind.PATTERN, "t-1", "Scanner battery")
    assert {claim.quotes[0].case_id for claim in claims_in(draft, "solution")} == {"c-1", "c-2", "c-3"}
    assert all(claim.text == claim.quotes[0].text for claim in draft.claims)
    assert list(draft.fields) == [
        "patlet",
        "context",
        "problem",
        "forces",
        "solution",
        "signs_it_applies",
        "do_not_use_when",
        "consequences",
        "counter_evidence",
        "coverage",
        "related",
    ]
    assert_grounded(draft, ALL)


def test_the_patlet_is_the_problem_and_the_first_remedy() -> None:
    draft = pattern_of(ALL)
    problem, solution = claims_in(draft, "problem")[0], claims_in(draft, "solution")[0]
    assert draft.fields["patlet"] == f"{problem.text} Therefore: {solution.text}"


def opening_of(draft: Draft) -> set[str]:
    """The cases that the first problem and the first remedy stand in."""
    return {claims_in(draft, field)[0].quotes[0].case_id for field in ("problem", "solution")}


@given(st.permutations(ALL))
@settings(max_examples=24)
def test_a_draft_opens_with_a_problem_and_the_remedy_of_the_same_case(order: Sequence[Case]) -> None:
    assert len(opening_of(pattern_of(order))) == 1


def test_a_case_opens_a_draft_before_a_recap_that_tells_of_several_things() -> None:
    bullets = {
        "problem": BATTERY.text["problem"],
        "lesson": "Keep the scanner battery of the shift charged in the cold store.",
    }
    recap = build_case("r-1", bullets, kind=CaseKind.RECAP)
    told = {"problem": BATTERY.text["problem"], "lesson": "Keep the battery of the scanner charged in the cold store."}
    plain = build_case("c-9", told)
    assert opening_of(pattern_of([recap, plain])) == {"c-9"}


def test_what_went_well_or_did_no_harm_is_no_trouble() -> None:
    assert mentions_problem("The scanner failed twice.")
    assert not mentions_problem("No injuries occurred as a result of the mishap.")
    assert not mentions_problem("Although the risk was high, the landing was very successful.")


def test_what_did_not_help_stands_as_counter_evidence() -> None:
    assert pattern_of(ALL).fields["counter_evidence"] == (WORSE.text["tried"],)


def test_tensions_limits_and_outcomes_are_found_by_their_words() -> None:
    draft = pattern_of(
        [*ALL, build_case("c-5", {"tried": "Everyone likes the dock, although it fills half of the lane."})]
    )
    assert "although it fills half of the lane" in str(draft.fields["forces"])
    assert draft.fields["consequences"] == (SPARE.text["outcome"],)
    limits = pattern_of([BATTERY, SPARE, build_case("c-5", {"context": "It only works if the dock stays above zero."})])
    assert limits.fields["do_not_use_when"] == ("It only works if the dock stays above zero.",)


def test_what_the_cases_do_not_say_is_said_to_be_missing() -> None:
    plain = [replace(case, text={k: v for k, v in case.text.items() if k != "context"}) for case in (BATTERY, SPARE)]
    fields = pattern_of(plain).fields
    missing = ("context", "do_not_use_when", "counter_evidence")
    assert {name: fields[name] for name in missing} == dict.fromkeys(missing, NOT_STATED)


def test_fewer_than_two_cases_that_say_what_helped_are_no_pattern() -> None:
    draft = pattern_of([BATTERY, SILENT])
    assert draft.name == NO_PATTERN
    assert draft.fields["reason"] == "Fewer than two of these cases say what helped."
    assert {claim.field for claim in draft.claims} == {"problem"}
    assert_grounded(draft, [BATTERY, SILENT])


def test_cases_that_say_nothing_at_all_have_no_pattern_and_no_claim() -> None:
    empty = [build_case("c-1", {"title": "x"}), build_case("c-2", {"title": "y"})]
    draft = pattern_of(empty)
    assert (draft.name, draft.claims, draft.fields["problem"]) == (NO_PATTERN, (), NOT_STATED)


def test_two_cases_with_the_same_remedy_are_a_pattern() -> None:
    """The same remedy twice is what recurs; it must not count as one case that says what helped."""
    same = "Keep a charged spare battery in a warm pocket all day."
    twice = [BATTERY, replace(SPARE, text={"problem": SPARE.text["problem"], "recommendation": same})]
    draft = pattern_of(twice)
    assert draft.name == "Scanner battery"
    assert {claim.quotes[0].case_id for claim in claims_in(draft, "solution")} == {"c-1", "c-2"}


def test_a_solution_has_at_most_five_steps_from_as_many_cases() -> None:
    words = "lane tape dock shelf label valve pump hose belt crane".split()
    many = [
        build_case(
            f"c-{n}",
            {
                "problem": f"The {word} failed us again today.",
                "lesson": f"Every {word} wants {word}guards, {word}tools, {word}locks and {word}papers beforehand.",
            },
        )
        for n, word in enumerate(words)
    ]
    steps = claims_in(pattern_of(many), "solution")
    assert len(steps) == MAX_STEPS
    assert len({claim.quotes[0].case_id for claim in steps}) == MAX_STEPS


def test_narrow_evidence_says_that_it_is_an_anecdote() -> None:
    assert "anecdote" not in str(pattern_of([BATTERY, SPARE]).fields["coverage"])
    one_team = [replace(case, team="North") for case in (BATTERY, SPARE)]
    nobody = [replace(case, team=None) for case in (BATTERY, SPARE)]
    assert str(pattern_of(one_team).fields["coverage"]).startswith(
        "Evidence from 2 of 2 cases and 1 team. Fewer than two"
    )
    assert "anecdote" in str(pattern_of(nobody).fields["coverage"])


def test_the_draft_and_its_doubt_count_its_evidence_alike() -> None:
    cases = [replace(case, team="North") for case in ALL]
    draft = pattern_of(cases)
    found = measure_breadth(draft.claims, cases_by_id(*cases))
    assert str(draft.fields["coverage"]).startswith(found.describe(n_theme_cases=len(cases)))
    flags = [flag.reason for flag in ground(draft, cases_by_id(*cases)).flags if flag.doubt is FlagKind.NARROW]
    assert flags == [f"{found.describe()}; at least 2 of each are needed."]
    quoted = {
        quote.case_id for claim in draft.claims if claim.field != COUNTER_EVIDENCE_FIELD for quote in claim.quotes
    }
    assert (found.n_cases, found.n_teams) == (len(quoted), 1)


def test_a_near_duplicate_is_told_once_and_a_large_theme_is_read_through_its_strongest() -> None:
    again = replace(SPARE, id="c-9", duplicate_of="c-2")
    assert [case.id for case in evidence_of([*ALL, again]).cases] == ["c-1", "c-2", "c-3", "c-4"]
    many = [build_case(f"c-{n:03d}") for n in range(MAX_CASES + 5)]
    assert [case.id for case in evidence_of(many).cases] == [case.id for case in many[:MAX_CASES]]
    assert evidence_of(many).n_members == MAX_CASES + 5


def plain_cases(n_telling: int, n: int) -> list[Case]:
    """Plain texts about the same; the first few say what to do, each about another part."""
    parts = "hose crane valve pump gate lamp belt motor brake wheel".split()
    return [
        build_case(
            f"c-{row}",
            f"The {part} was dead on Monday and nobody had noticed the leak."
            + (
                f" Always check every {part}, its {part}seal and its {part}lock before a shift."
                if row < n_telling
                else ""
            ),
        )
        for row, part in enumerate(parts[:n])
    ]


def test_where_four_plain_texts_in_ten_sound_like_advice_there_is_no_pattern() -> None:
    some = pattern_of(plain_cases(4, 10))
    assert (some.name, some.fields["reason"]) == (NO_PATTERN, "Only 4 of the 10 cases read say what helped.")


def test_where_one_plain_text_in_ten_sounds_like_advice_there_is_no_pattern() -> None:
    few = pattern_of(plain_cases(2, 10) + [replace(SILENT, id=f"c-x{n}") for n in range(10)])
    assert (few.name, few.fields["reason"]) == (NO_PATTERN, "Only 2 of the 20 cases read say what helped.")
    many = pattern_of(plain_cases(6, 10))
    assert many.name == "Scanner battery"
    assert all("Always check" in claim.text for claim in claims_in(many, "solution"))


def test_forces_and_limits_are_rules_and_not_stories_or_questions() -> None:
    story = build_case("c-5", {"problem": "The dock was warm on Monday, but the office was as cold as ever."})
    asked = build_case("c-6", {"problem": "Is the dock quick to reach for all, although it fills half of the lane?"})
    assert pattern_of([BATTERY, SPARE, story, asked]).fields["forces"] == (SPARE.text["recommendation"],) or (
        pattern_of([BATTERY, SPARE, story, asked]).fields["forces"] == NOT_STATED
    )
    once = build_case("c-7", {"context": "The dock was not used unless somebody had asked for it."})
    assert pattern_of([BATTERY, SPARE, once]).fields["do_not_use_when"] == NOT_STATED


def test_a_sentence_that_points_at_the_one_before_gives_way_to_one_that_stands_alone() -> None:
    pointing = build_case(
        "c-8", {"lesson": "That is why the scanner battery goes into a warm pocket all day. Warm pockets help."}
    )
    alone = build_case("c-9", {"lesson": "Carry the scanner battery in a warm pocket and swap it at noon."})
    assert claims_in(pattern_of([BATTERY, pointing, alone]), "solution")[0].text.startswith(("Keep", "Carry"))


# identity


def test_a_draft_is_the_same_in_every_run_and_says_which_one_made_it() -> None:
    first, second = pattern_of(ALL, run_id="run-1"), pattern_of(ALL, run_id="run-2")
    assert first.id == second.id
    assert replace(first, provenance=second.provenance) == second
    assert (second.provenance.run_id, second.provenance.model) == ("run-2", NO_AI)
    assert second.provenance.inputs == ("c-1@v1", "c-2@v1", "c-3@v1", "c-4@v1")
    assert first.id.startswith("d-")
    assert len(first.id) == 18


def test_another_text_another_theme_or_another_quote_is_another_draft() -> None:
    other_theme = draft_pattern(
        replace(evidence_of(ALL), theme=build_theme("t-2", name="Scanner battery")), run_id="run-1"
    )
    assert len({one.id for one in (pattern_of(ALL), pattern_of(ALL[:3]), other_theme)}) == 3


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(ALL))
def test_a_draft_does_not_depend_on_the_order_in_which_cases_are_kept(order: Sequence[Case]) -> None:
    theme = build_theme(case_ids=tuple(case.id for case in ALL))
    phrases = PhraseCounts({case.id: "\n".join(case.text.values()) for case in order}).distinctive_phrases(
        theme.case_ids
    )
    evidence = gather_evidence(theme, cases_by_id(*order), phrases=phrases, cohesion={})
    straight = gather_evidence(theme, cases_by_id(*ALL), phrases=phrases, cohesion={})
    assert draft_pattern(evidence, run_id="r") == draft_pattern(straight, run_id="r")


# choosing


def test_the_best_sentences_are_picked_one_a_case_and_none_that_repeats_another() -> None:
    sentences = [sentence for case in ALL for sentence in extract_sentences(case)]
    picked = select_sentences(sentences, lambda sentence: float(sentence.n_words), limit=9)
    assert len({sentence.case_id for sentence in picked}) == len(picked)
    assert picked == select_sentences(list(reversed(sentences)), lambda sentence: float(sentence.n_words), limit=9)
    assert select_sentences(sentences, lambda _: 1.0, limit=1, dissimilar_to=sentences) == []


def test_only_where_too_few_say_what_helped_is_what_was_tried_taken() -> None:
    tried = build_case(
        "c-6", {"problem": "The scanner died.", "tried": "We warmed every battery on the office radiator first."}
    )
    assert {sentence.role for sentence in evidence_of([BATTERY, SPARE, tried]).remedies()} == {SentenceRole.HELPED}
    assert {sentence.case_id for sentence in evidence_of([BATTERY, tried]).remedies()} == {"c-1", "c-6"}
    failed = replace(tried, text={**tried.text, "outcome": "It did not help in the cold store at all."})
    assert {sentence.case_id for sentence in evidence_of([BATTERY, failed]).remedies()} == {"c-1"}


# pre-reading


def fields(draft: Draft) -> Mapping[str, str | tuple[str, ...]]:
    return draft.fields


def test_a_prereading_tells_the_case_in_its_own_words_then_the_others() -> None:
    draft = prereading_of(ALL, BATTERY)
    said = fields(draft)
    assert said["case"] == tuple(text for name, text in BATTERY.text.items() if name != "title")
    assert (said["session"], said["date"], said["case_title"]) == ("Jam", "2026-11-24", "Flat scanner")
    assert said["disagreement"] == (WORSE.text["tried"],)
    quoted = {claim.quotes[0].case_id for claim in draft.claims if claim.field in ("quotes", "helped")}
    assert quoted <= {"c-2", "c-3", "c-4"}
    assert len(said["questions"]) == 3
    assert_grounded(draft, ALL)


def test_a_case_of_hundreds_of_sentences_is_cut_to_whole_ones_of_250_words() -> None:
    long = build_case("c-1", "The scanner lost its battery once more today. " * 100)
    own = [claim for claim in prereading_of([long], long).claims if claim.field == "case"]
    assert sum(len(claim.text.split()) for claim in own) == 248


def test_a_prereading_counts_what_is_not_known() -> None:
    alone = prereading_of([replace(SILENT, date=None, team=None)], replace(SILENT, date=None, team=None))
    assert alone.fields["unknown"] == (
        "1 of 1 cases do not say what helped.",
        "1 of 1 cases have no date, so we cannot see whether this happens less often now.",
        "All cases come from one team or name no team: the problem may be local.",
        "No other case says what helped.",
    )
    assert alone.fields["helped"] == NOT_STATED


def test_every_question_that_holds_a_cases_words_stands_on_a_quote() -> None:
    """So that a text that is redacted anew, or may not leave the network, is gone from the questions as well."""
    open_point = "Do we buy heated docks, or do we change the shift plan?"
    asked = replace(BATTERY, text={**BATTERY.text, "decision_point": open_point})
    draft = prereading_of([asked, SPARE, WORSE], asked)
    questions = fields(draft)["questions"]
    claims = [claim for claim in draft.claims if claim.field == "questions"]
    assert [claim.text for claim in claims] == list(questions)
    assert [claim.quotes[0].text for claim in claims if claim.quotes[0].case_id == "c-1"] == [open_point]
    assert [claim.quotes[0].text for claim in draft.claims if claim.field == "case_title"] == ["Flat scanner"]
    now = cases_by_id(asked, *(build_case(case.id, "All of it was redacted.") for case in (SPARE, WORSE)))
    assert fields(ground(draft, now).draft)["questions"] == (questions[2],)
