"""Tests of drafts without a model: verbatim sentences, missing fields, stable ids."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.builders import build_case, build_theme, cases_by_id

from patternmind.domain.breadth import measure_breadth
from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.draft_fields import COUNTER_EVIDENCE, NOT_STATED, DraftFields
from patternmind.domain.drafts import NO_AI, Claim, Draft, DraftKind, FlagKind
from patternmind.drafting.evidence import MAX_CASES, ThemeEvidence, gather_evidence
from patternmind.drafting.keyphrases import PhraseCounts
from patternmind.drafting.patterns import MAX_STEPS, NO_PATTERN, draft_pattern
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


def evidence_of(cases: Sequence[Case], **theme_values: Any) -> ThemeEvidence:
    theme = build_theme(case_ids=tuple(case.id for case in cases), name="Scanner battery", **theme_values)
    phrases = PhraseCounts({case.id: "\n".join(case.text.values()) for case in cases})
    return gather_evidence(
        theme,
        cases_by_id(*cases),
        phrases=phrases.distinctive_phrases([case.id for case in cases]),
        cohesion=dict.fromkeys(theme.case_ids, 1.0),
    )


def pattern_of(cases: Sequence[Case], *, run_id: str = "run-1", **theme_values: Any) -> Draft:
    return draft_pattern(evidence_of(cases, **theme_values), run_id=run_id)


def claims_in(draft: Draft, field: str) -> list[Claim]:
    return [claim for claim in draft.claims if claim.field == field]


def prereading_of(cases: Sequence[Case], about: Case, *, run_id: str = "run-1") -> Draft:
    return draft_prereading(evidence_of(cases), about, session="Jam", date="2026-11-24", run_id=run_id)


def assert_grounded(draft: Draft, cases: Sequence[Case]) -> None:
    grounded = ground(draft, cases_by_id(*cases))
    assert grounded.refused_claims == ()
    assert grounded.draft == draft


# patterns


def test_draft_pattern_uses_verbatim_sentences_of_cases_with_remedies() -> None:
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


def test_patlet_is_the_problem_and_the_first_remedy() -> None:
    draft = pattern_of(ALL)
    problem, solution = claims_in(draft, "problem")[0], claims_in(draft, "solution")[0]
    assert draft.fields["patlet"] == f"{problem.text} Therefore: {solution.text}"


def opening_of(draft: Draft) -> set[str]:
    """Return the cases of the first problem and the first remedy."""
    return {claims_in(draft, field)[0].quotes[0].case_id for field in ("problem", "solution")}


@given(st.permutations(ALL))
@settings(max_examples=24)
def test_draft_pattern_opens_with_problem_and_remedy_of_the_same_case(order: Sequence[Case]) -> None:
    assert len(opening_of(pattern_of(order))) == 1


def test_draft_pattern_opens_with_a_case_rather_than_a_recap() -> None:
    bullets = {
        "problem": BATTERY.text["problem"],
        "lesson": "Keep the scanner battery of the shift charged in the cold store.",
    }
    recap = build_case("r-1", bullets, kind=CaseKind.RECAP)
    text = {"problem": BATTERY.text["problem"], "lesson": "Keep the battery of the scanner charged in the cold store."}
    case = build_case("c-9", text)
    assert opening_of(pattern_of([recap, case])) == {"c-9"}


def test_mentions_problem_ignores_success_and_absent_harm() -> None:
    assert mentions_problem("The scanner failed twice.")
    assert not mentions_problem("No injuries occurred as a result of the mishap.")
    assert not mentions_problem("Although the risk was high, the landing was very successful.")


def test_draft_pattern_lists_failed_remedies_as_counter_evidence() -> None:
    assert pattern_of(ALL).fields["counter_evidence"] == (WORSE.text["tried"],)


def test_draft_pattern_finds_forces_limits_and_outcomes_by_their_words() -> None:
    draft = pattern_of(
        [*ALL, build_case("c-5", {"tried": "Everyone likes the dock, although it fills half of the lane."})]
    )
    assert "although it fills half of the lane" in str(draft.fields["forces"])
    assert draft.fields["consequences"] == (SPARE.text["outcome"],)
    limits = pattern_of([BATTERY, SPARE, build_case("c-5", {"context": "It only works if the dock stays above zero."})])
    assert limits.fields["do_not_use_when"] == ("It only works if the dock stays above zero.",)


def test_draft_pattern_marks_missing_fields_as_not_stated() -> None:
    plain = [replace(case, text={k: v for k, v in case.text.items() if k != "context"}) for case in (BATTERY, SPARE)]
    fields = pattern_of(plain).fields
    missing = ("context", "do_not_use_when", "counter_evidence")
    assert {name: fields[name] for name in missing} == dict.fromkeys(missing, NOT_STATED)


def test_draft_pattern_finds_no_pattern_when_only_one_case_has_a_remedy() -> None:
    draft = pattern_of([BATTERY, SILENT])
    assert draft.name == NO_PATTERN
    assert draft.fields["reason"] == "Fewer than two of these cases say what helped."
    assert {claim.field for claim in draft.claims} == {"problem"}
    assert_grounded(draft, [BATTERY, SILENT])


def test_draft_pattern_of_empty_cases_has_no_claims() -> None:
    empty = [build_case("c-1", {"title": "x"}), build_case("c-2", {"title": "y"})]
    draft = pattern_of(empty)
    assert (draft.name, draft.claims, draft.fields["problem"]) == (NO_PATTERN, (), NOT_STATED)


def test_draft_pattern_accepts_the_same_remedy_from_two_cases() -> None:
    """A repeated remedy recurs, so it counts as two cases that say what helped."""
    same = "Keep a charged spare battery in a warm pocket all day."
    twice = [BATTERY, replace(SPARE, text={"problem": SPARE.text["problem"], "recommendation": same})]
    draft = pattern_of(twice)
    assert draft.name == "Scanner battery"
    assert {claim.quotes[0].case_id for claim in claims_in(draft, "solution")} == {"c-1", "c-2"}


def test_solution_has_at_most_five_steps_from_five_cases() -> None:
    words = "lane tape dock shelf label valve pump hose belt crane".split()
    cases = [
        build_case(
            f"c-{n}",
            {
                "problem": f"The {word} failed us again today.",
                "lesson": f"Every {word} wants {word}guards, {word}tools, {word}locks and {word}papers beforehand.",
            },
        )
        for n, word in enumerate(words)
    ]
    steps = claims_in(pattern_of(cases), "solution")
    assert len(steps) == MAX_STEPS
    assert len({claim.quotes[0].case_id for claim in steps}) == MAX_STEPS


def test_coverage_calls_narrow_evidence_an_anecdote() -> None:
    assert "anecdote" not in str(pattern_of([BATTERY, SPARE]).fields["coverage"])
    one_team = [replace(case, team="North") for case in (BATTERY, SPARE)]
    no_team = [replace(case, team=None) for case in (BATTERY, SPARE)]
    assert str(pattern_of(one_team).fields["coverage"]).startswith(
        "Evidence from 2 of 2 cases and 1 team. Fewer than two"
    )
    assert "anecdote" in str(pattern_of(no_team).fields["coverage"])


def test_coverage_and_narrow_evidence_flag_state_the_same_counts() -> None:
    cases = [replace(case, team="North") for case in ALL]
    draft = pattern_of(cases)
    breadth = measure_breadth(draft.claims, cases_by_id(*cases))
    assert str(draft.fields["coverage"]).startswith(breadth.describe(n_theme_cases=len(cases)))
    flags = [flag.reason for flag in ground(draft, cases_by_id(*cases)).flags if flag.doubt is FlagKind.NARROW]
    assert flags == [f"{breadth.describe()}; at least 2 of each are needed."]
    quoted = {quote.case_id for claim in draft.claims if claim.field != COUNTER_EVIDENCE for quote in claim.quotes}
    assert (breadth.n_cases, breadth.n_teams) == (len(quoted), 1)


def test_recap_of_a_case_is_read_but_not_counted_as_a_second_case() -> None:
    lesson = {"problem": "The scanner died in the cold.", "lesson": "We keep two batteries in a warm pocket."}
    case = build_case("c-1", lesson)
    text = {"decision": "We charge two spare batteries in the office every evening."}
    recap = build_case("r-1", text, kind=CaseKind.RECAP, linked_cases=("c-1",))
    evidence = evidence_of([case, recap])
    assert {sentence.case_id for sentence in evidence.remedies()} == {"c-1", "r-1"}
    assert (evidence.n_cases, evidence.count_cases(evidence.remedies())) == (1, 1)
    coverage = str(pattern_of([case, recap]).fields["coverage"])
    assert coverage.startswith("Evidence from 1 of 1 case and 1 team. Fewer than two")


def test_evidence_drops_near_duplicates_and_limits_large_themes_to_the_strongest_cases() -> None:
    duplicate = replace(SPARE, id="c-9", duplicate_of="c-2")
    assert [case.id for case in evidence_of([*ALL, duplicate]).cases] == ["c-1", "c-2", "c-3", "c-4"]
    cases = [build_case(f"c-{n:03d}") for n in range(MAX_CASES + 5)]
    assert [case.id for case in evidence_of(cases).cases] == [case.id for case in cases[:MAX_CASES]]
    assert evidence_of(cases).n_cases == MAX_CASES + 5


def plain_cases(n_with_advice: int, n: int) -> list[Case]:
    """Build plain-text cases about one problem; the first ones give advice, each about another part."""
    parts = "hose crane valve pump gate lamp belt motor brake wheel".split()
    return [
        build_case(
            f"c-{row}",
            f"The {part} was dead on Monday and nobody had noticed the leak."
            + (
                f" Always check every {part}, its {part}seal and its {part}lock before a shift."
                if row < n_with_advice
                else ""
            ),
        )
        for row, part in enumerate(parts[:n])
    ]


def test_draft_pattern_finds_no_pattern_when_four_of_ten_plain_texts_have_advice() -> None:
    draft = pattern_of(plain_cases(4, 10))
    assert (draft.name, draft.fields["reason"]) == (NO_PATTERN, "Only 4 of the 10 cases read say what helped.")


def test_draft_pattern_finds_no_pattern_when_one_of_ten_plain_texts_has_advice() -> None:
    draft = pattern_of(plain_cases(2, 10) + [replace(SILENT, id=f"c-x{n}") for n in range(10)])
    assert (draft.name, draft.fields["reason"]) == (NO_PATTERN, "Only 2 of the 20 cases read say what helped.")
    with_pattern = pattern_of(plain_cases(6, 10))
    assert with_pattern.name == "Scanner battery"
    assert all("Always check" in claim.text for claim in claims_in(with_pattern, "solution"))


def test_forces_and_limits_exclude_stories_and_questions() -> None:
    story = build_case("c-5", {"problem": "The dock was warm on Monday, but the office was as cold as ever."})
    question = build_case("c-6", {"problem": "Is the dock quick to reach for all, although it fills half of the lane?"})
    forces = pattern_of([BATTERY, SPARE, story, question]).fields["forces"]
    assert forces in ((SPARE.text["recommendation"],), NOT_STATED)
    past_event = build_case("c-7", {"context": "The dock was not used unless somebody had asked for it."})
    assert pattern_of([BATTERY, SPARE, past_event]).fields["do_not_use_when"] == NOT_STATED


def test_solution_prefers_self_contained_sentences() -> None:
    dependent = build_case(
        "c-8", {"lesson": "That is why the scanner battery goes into a warm pocket all day. Warm pockets help."}
    )
    self_contained = build_case("c-9", {"lesson": "Carry the scanner battery in a warm pocket and swap it at noon."})
    steps = claims_in(pattern_of([BATTERY, dependent, self_contained]), "solution")
    assert steps[0].text.startswith(("Keep", "Carry"))


# identity


def test_draft_id_is_equal_in_every_run_and_provenance_names_the_run() -> None:
    first, second = pattern_of(ALL, run_id="run-1"), pattern_of(ALL, run_id="run-2")
    assert first.id == second.id
    assert replace(first, provenance=second.provenance) == second
    assert (second.provenance.run_id, second.provenance.model) == ("run-2", NO_AI)
    assert second.provenance.inputs == ("c-1@v1", "c-2@v1", "c-3@v1", "c-4@v1")
    assert first.id.startswith("d-")
    assert len(first.id) == 18


def test_draft_id_depends_on_text_theme_and_quotes() -> None:
    other_theme = draft_pattern(
        replace(evidence_of(ALL), theme=build_theme("t-2", name="Scanner battery")), run_id="run-1"
    )
    assert len({draft.id for draft in (pattern_of(ALL), pattern_of(ALL[:3]), other_theme)}) == 3


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(ALL))
def test_draft_pattern_does_not_depend_on_the_order_of_cases(order: Sequence[Case]) -> None:
    theme = build_theme(case_ids=tuple(case.id for case in ALL))
    phrases = PhraseCounts({case.id: "\n".join(case.text.values()) for case in order}).distinctive_phrases(
        theme.case_ids
    )
    evidence = gather_evidence(theme, cases_by_id(*order), phrases=phrases, cohesion={})
    in_original_order = gather_evidence(theme, cases_by_id(*ALL), phrases=phrases, cohesion={})
    assert draft_pattern(evidence, run_id="r") == draft_pattern(in_original_order, run_id="r")


# sentence selection


def test_select_sentences_takes_one_per_case_without_repetition() -> None:
    sentences = [sentence for case in ALL for sentence in extract_sentences(case)]
    selected = select_sentences(sentences, lambda sentence: float(sentence.n_words), limit=9)
    assert len({sentence.case_id for sentence in selected}) == len(selected)
    assert selected == select_sentences(list(reversed(sentences)), lambda sentence: float(sentence.n_words), limit=9)
    assert select_sentences(sentences, lambda _: 1.0, limit=1, dissimilar_to=sentences) == []


def test_remedies_include_attempts_only_when_too_few_cases_have_a_remedy() -> None:
    tried = build_case(
        "c-6", {"problem": "The scanner died.", "tried": "We warmed every battery on the office radiator first."}
    )
    assert {sentence.role for sentence in evidence_of([BATTERY, SPARE, tried]).remedies()} == {SentenceRole.HELPED}
    assert {sentence.case_id for sentence in evidence_of([BATTERY, tried]).remedies()} == {"c-1", "c-6"}
    failed = replace(tried, text={**tried.text, "outcome": "It did not help in the cold store at all."})
    assert {sentence.case_id for sentence in evidence_of([BATTERY, failed]).remedies()} == {"c-1"}


# pre-reading


def fields(draft: Draft) -> DraftFields:
    return draft.fields


def test_prereading_quotes_the_case_then_other_cases() -> None:
    draft = prereading_of(ALL, BATTERY)
    values = fields(draft)
    assert values["case"] == tuple(text for name, text in BATTERY.text.items() if name != "title")
    assert (values["session"], values["date"], values["case_title"]) == ("Jam", "2026-11-24", "Flat scanner")
    assert values["disagreement"] == (WORSE.text["tried"],)
    quoted = {claim.quotes[0].case_id for claim in draft.claims if claim.field in ("quotes", "helped")}
    assert quoted <= {"c-2", "c-3", "c-4"}
    assert len(values["questions"]) == 3
    assert_grounded(draft, ALL)


def test_prereading_cuts_a_long_case_to_whole_sentences_of_250_words() -> None:
    long_case = build_case("c-1", "The scanner lost its battery once more today. " * 100)
    case_claims = [claim for claim in prereading_of([long_case], long_case).claims if claim.field == "case"]
    assert sum(len(claim.text.split()) for claim in case_claims) == 248


def test_prereading_counts_unknown_points() -> None:
    case = replace(SILENT, date=None, team=None)
    draft = prereading_of([case], case)
    assert draft.fields["unknown"] == (
        "1 of 1 cases do not say what helped.",
        "1 of 1 cases have no date, so we cannot see whether this happens less often now.",
        "All cases come from one team or name no team: the problem may be local.",
        "No other case says what helped.",
    )
    assert draft.fields["helped"] == NOT_STATED


def test_questions_with_words_of_a_case_have_a_quote() -> None:
    """A text that is redacted later is then removed from the questions as well."""
    open_point = "Do we buy heated docks, or do we change the shift plan?"
    undecided = replace(BATTERY, text={**BATTERY.text, "decision_point": open_point})
    draft = prereading_of([undecided, SPARE, WORSE], undecided)
    questions = fields(draft)["questions"]
    claims = [claim for claim in draft.claims if claim.field == "questions"]
    assert [claim.text for claim in claims] == list(questions)
    assert [claim.quotes[0].text for claim in claims if claim.quotes[0].case_id == "c-1"] == [open_point]
    assert [claim.quotes[0].text for claim in draft.claims if claim.field == "case_title"] == ["Flat scanner"]
    redacted = cases_by_id(undecided, *(build_case(case.id, "All of it was redacted.") for case in (SPARE, WORSE)))
    assert fields(ground(draft, redacted).draft)["questions"] == (questions[2],)
