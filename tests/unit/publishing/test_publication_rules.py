import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.builders import build_case, build_claim, build_pattern, build_quote, cases_by_id, fields_by_claims

from patternmind.domain.breadth import measure_breadth
from patternmind.domain.cases import Case, CaseKind, Consent
from patternmind.domain.draft_fields import NOT_STATED, WITHDRAWN, stated_lines
from patternmind.domain.drafts import Claim, DraftState, Pattern
from patternmind.domain.networks import PublishingRule
from patternmind.domain.themes import Theme
from patternmind.publishing import field_text
from patternmind.publishing.publication_rules import (
    PublishedPattern,
    WithheldPattern,
    assess_pattern,
    redact_for_export,
    select_patterns,
)

RULE = PublishingRule(min_contributors=3, min_teams=2)
NETWORK_ONLY = Consent.NETWORK_ONLY

PALLET = build_case("c-1", "The pallet stood in lane 4 like any other one.")
TAPE = build_case("c-2", "Red tape on the goods themselves has helped us since July.")
SHELF = build_case("c-3", "A shelf of their own keeps returned pumps apart from new ones.")
CONFIDENTIAL = build_case("c-4", "Nobody may learn that the supplier forgot to send the paper.", consent=NETWORK_ONLY)


def pattern_of_three(**options: object) -> Pattern:
    claims = [build_claim("problem", PALLET), build_claim("solution", TAPE), build_claim("solution", SHELF)]
    return build_pattern([PALLET, TAPE, SHELF], claims, **options)


THREE = cases_by_id(PALLET, TAPE, SHELF)


def published(pattern: Pattern, cases: Mapping[str, Case], rule: PublishingRule = RULE) -> PublishedPattern:
    result = assess_pattern(pattern, cases, rule)
    assert isinstance(result, PublishedPattern), result
    return result


def withheld(pattern: Pattern, cases: Mapping[str, Case], rule: PublishingRule = RULE) -> WithheldPattern:
    result = assess_pattern(pattern, cases, rule)
    assert isinstance(result, WithheldPattern)
    return result


def all_text(published_pattern: PublishedPattern) -> str:
    pattern = published_pattern.pattern
    quotes = (quote.text for claim in pattern.claims for quote in claim.quotes)
    claims = (claim.text for claim in pattern.claims)
    lines = (line for name in pattern.fields for line in stated_lines(pattern.fields, name))
    return " ".join([pattern.name, *quotes, *claims, *lines])


def test_pattern_is_published_completely_with_enough_contributors_and_teams() -> None:
    assert published(pattern_of_three(), THREE) == PublishedPattern(
        pattern=pattern_of_three(),
        references={"c-1": "C-1, 2026Q3", "c-2": "C-2, 2026Q3", "c-3": "C-3, 2026Q3"},
        n_cases=3,
        n_contributors=3,
        n_teams=3,
    )


@pytest.mark.parametrize("state", [DraftState.CANDIDATE, DraftState.IN_REVIEW, DraftState.REJECTED, DraftState.RETIRED])
def test_pattern_is_withheld_unless_a_person_accepted_it(state: DraftState) -> None:
    assert state.value.replace("_", " ") in withheld(pattern_of_three(state=state), THREE).reason


def test_field_tested_pattern_is_published() -> None:
    published(pattern_of_three(state=DraftState.FIELD_TESTED), THREE)


def test_pattern_is_withheld_with_numbers_when_contributors_are_too_few() -> None:
    cases = cases_by_id(PALLET, TAPE, replace(SHELF, contributor=TAPE.contributor))
    result = withheld(pattern_of_three(), cases)
    assert result.reason == "It has 2 of the 3 contributors needed."
    assert (result.n_contributors, result.n_teams) == (2, 3)


def test_pattern_is_withheld_with_numbers_when_only_one_team_supports_it() -> None:
    cases = cases_by_id(*(replace(case, team="Nord") for case in THREE.values()))
    assert "1 of the 2 teams needed" in withheld(pattern_of_three(), cases).reason


def test_default_rule_requires_five_contributors() -> None:
    assert "3 of the 5 contributors needed" in withheld(pattern_of_three(), THREE, PublishingRule()).reason


def test_unknown_contributors_and_teams_count_as_one() -> None:
    cases = cases_by_id(*(replace(case, team=None, contributor=None) for case in THREE.values()))
    result = withheld(pattern_of_three(), cases)
    assert (result.n_contributors, result.n_teams) == (1, 1)


def test_unknown_team_counts_in_addition_to_known_teams() -> None:
    cases = cases_by_id(PALLET, replace(TAPE, team=None), replace(SHELF, team=None))
    assert published(pattern_of_three(), cases).n_teams == 2


def test_counts_exclude_near_duplicates_and_recaps_of_a_case() -> None:
    copy = replace(SHELF, id="c-5", duplicate_of="c-3", contributor="another")
    recap = replace(SHELF, id="c-6", kind=CaseKind.RECAP, linked_cases=("C-1",), contributor="a third")
    pattern = build_pattern([*THREE.values(), copy, recap], pattern_of_three().claims)
    assert published(pattern, cases_by_id(*THREE.values(), copy, recap)).n_contributors == 3


def test_counts_exclude_network_only_cases() -> None:
    cases = cases_by_id(PALLET, TAPE, replace(SHELF, consent=NETWORK_ONLY))
    reason = withheld(pattern_of_three(), cases).reason
    assert "2 of the 3 contributors needed" in reason
    assert "Not counted of its 3 cases: 1 network-only." in reason


def test_counts_exclude_removed_cases() -> None:
    assert "1 removed" in withheld(pattern_of_three(), cases_by_id(PALLET, TAPE)).reason


def test_counts_include_inputs_without_a_version() -> None:
    pattern = pattern_of_three()
    bare = replace(pattern.provenance, inputs=("c-1", "c-2", "c-3"))
    assert published(replace(pattern, provenance=bare), THREE).n_cases == 3


def with_confidential_case(*extra: Claim, **options: object) -> tuple[Pattern, dict[str, Case]]:
    claims = [*pattern_of_three().claims, *extra]
    return build_pattern([*THREE.values(), CONFIDENTIAL], claims, **options), cases_by_id(*THREE.values(), CONFIDENTIAL)


def test_redaction_removes_and_counts_content_of_network_only_cases() -> None:
    result = published(*with_confidential_case(build_claim("forces", CONFIDENTIAL)))
    assert CONFIDENTIAL.text["problem"] not in all_text(result)
    assert result.pattern.fields["forces"] == NOT_STATED
    assert (result.n_cut_quotes, result.n_cut_claims, result.n_cut_lines) == (1, 1, 1)


def test_redaction_keeps_a_claim_with_its_publishable_quote() -> None:
    claim = Claim(text="Marks help.", field="consequences", quotes=(build_quote(CONFIDENTIAL), build_quote(TAPE)))
    result = published(*with_confidential_case(claim))
    assert result.pattern.claims[-1].quotes == (build_quote(TAPE),)
    assert result.pattern.fields["consequences"] == ("Marks help.",)
    assert (result.n_cut_quotes, result.n_cut_claims, result.n_cut_lines) == (1, 0, 0)


def test_redaction_removes_a_model_claim_with_any_confidential_quote() -> None:
    claim = Claim(text="Marks help.", field="consequences", quotes=(build_quote(CONFIDENTIAL), build_quote(TAPE)))
    pattern, cases = with_confidential_case(claim)
    result = published(replace(pattern, provenance=replace(pattern.provenance, model="a/model")), cases)
    assert "Marks help." not in all_text(result)
    assert [claim.field for claim in result.pattern.claims] == ["problem", "solution", "solution"]
    assert (result.n_cut_quotes, result.n_cut_claims, result.n_cut_lines) == (2, 1, 1)


def test_redaction_rewrites_a_patlet_with_a_confidential_sentence() -> None:
    extra = build_claim("problem", CONFIDENTIAL)
    claimed_fields = fields_by_claims([*pattern_of_three().claims, extra])
    fields = {"patlet": f"{CONFIDENTIAL.text['problem']} Therefore: {TAPE.text['problem']}", **claimed_fields}
    result = published(*with_confidential_case(extra, fields=fields))
    assert result.pattern.fields["patlet"] == f"{PALLET.text['problem']} Therefore: {TAPE.text['problem']}"


def test_redaction_marks_a_patlet_as_not_stated_when_it_is_empty() -> None:
    pattern, cases = with_confidential_case(
        fields={**pattern_of_three().fields, "problem": "", "patlet": CONFIDENTIAL.text["problem"]}
    )
    assert published(pattern, cases).pattern.fields["patlet"] == NOT_STATED


def test_redaction_keeps_the_other_sentences_of_a_text_field() -> None:
    fields = {
        **pattern_of_three().fields,
        "context": f"It was a Friday. {CONFIDENTIAL.text['problem']} Then it was Monday.",
    }
    result = published(*with_confidential_case(fields=fields))
    assert result.pattern.fields["context"] == "It was a Friday. Then it was Monday."


def test_redaction_removes_an_edited_confidential_sentence() -> None:
    edited_lines = ("Nobody may learn that the supplier forgot it.", "A line of our own.")
    result = published(*with_confidential_case(fields={**pattern_of_three().fields, "forces": edited_lines}))
    assert result.pattern.fields["forces"] == ("A line of our own.",)


def test_redaction_keeps_a_sentence_that_is_also_in_a_publishable_case() -> None:
    twin = replace(CONFIDENTIAL, text=TAPE.text)
    pattern = build_pattern([*THREE.values(), twin], [*pattern_of_three().claims, build_claim("consequences", twin)])
    assert published(pattern, cases_by_id(*THREE.values(), twin)).pattern.fields["consequences"] == (
        TAPE.text["problem"],
    )


def test_pattern_is_withheld_when_its_name_repeats_a_confidential_sentence() -> None:
    assert "rename it" in withheld(*with_confidential_case(name=CONFIDENTIAL.text["problem"])).reason


@pytest.mark.parametrize("name", ["The tardy supplier", "Supplier", "Paper, Friday"])
def test_pattern_is_withheld_when_its_name_has_a_confidential_word(name: str) -> None:
    assert "rename it" in withheld(*with_confidential_case(name=name)).reason
    open_case = replace(PALLET, text={**PALLET.text, "lesson": "The supplier sent paper."})
    pattern, cases = with_confidential_case(name=name)
    assert published(pattern, cases | {PALLET.id: open_case}).pattern.name == name


def test_redaction_removes_lines_with_a_short_confidential_title() -> None:
    titled = replace(CONFIDENTIAL, text={"title": "Supplier forgot it", **CONFIDENTIAL.text})
    lines = ("Who has seen that the supplier forgot it again?", "Who has met “Supplier” here?", "A supplier came.")
    pattern, cases = with_confidential_case(fields={**pattern_of_three().fields, "forces": lines})
    assert published(pattern, cases | {CONFIDENTIAL.id: titled}).pattern.fields["forces"] == ("A supplier came.",)


def test_exported_theme_has_no_confidential_words() -> None:
    theme = Theme(
        id="t-0123456789", lens="all", area_id="a-1", name="Supplier paper", gist=CONFIDENTIAL.text["problem"],
        keywords=("supplier", "red tape"), differs_by=("paper", "shelf"), case_ids=(*THREE, CONFIDENTIAL.id),
        exemplars=(TAPE.id,), n_cases=4, n_teams=2, n_contributors=3,
    )  # fmt: skip
    (redacted,) = redact_for_export([theme], cases_by_id(*THREE.values(), CONFIDENTIAL))
    assert (redacted.name, redacted.gist, redacted.keywords, redacted.differs_by) == (
        "Theme 6789",
        "",
        ("red tape",),
        ("shelf",),
    )
    public = replace(theme, name="Red tape", gist=TAPE.text["problem"], keywords=(), differs_by=())
    assert redact_for_export([public], cases_by_id(*THREE.values(), CONFIDENTIAL)) == [public]


@pytest.mark.parametrize(("exemplars", "gist"), [(("c-1", "c-2"), "Goods lie about."), (("c-1", "c-4"), "")])
def test_exported_theme_has_a_model_gist_only_when_all_exemplars_are_publishable(
    exemplars: tuple[str, ...], gist: str
) -> None:
    theme = Theme(
        id="t-0123456789", lens="all", area_id="a-1", name="Red tape", gist="Goods lie about.",
        case_ids=(*THREE, CONFIDENTIAL.id), exemplars=exemplars, n_cases=4, n_teams=2, n_contributors=3,
    )  # fmt: skip
    assert redact_for_export([theme], cases_by_id(*THREE.values(), CONFIDENTIAL))[0].gist == gist


def test_redaction_removes_a_quote_that_its_case_no_longer_contains() -> None:
    redacted = replace(PALLET, text={"problem": PALLET.text["problem"].replace("pallet", "[name]")})
    result = published(pattern_of_three(), cases_by_id(redacted, TAPE, SHELF))
    assert "pallet" not in all_text(result)
    assert result.n_cut_quotes == 1


def test_redaction_removes_a_line_with_a_withdrawn_claim() -> None:
    pattern = pattern_of_three(
        fields={**pattern_of_three().fields, "forces": (f"But {WITHDRAWN}", "Time against care.")}
    )
    assert published(pattern, THREE).pattern.fields["forces"] == ("Time against care.",)


def test_redaction_removes_the_quote_of_a_deleted_line() -> None:
    pattern = pattern_of_three(fields={**pattern_of_three().fields, "solution": (TAPE.text["problem"],)})
    result = published(pattern, THREE)
    assert SHELF.text["problem"] not in all_text(result)
    assert result.n_cut_quotes == 1


def test_redaction_keeps_the_quote_of_a_reworded_line() -> None:
    pattern = pattern_of_three(
        fields={**pattern_of_three().fields, "solution": ("Mark it so that one sees it.", "Put it elsewhere.")}
    )
    assert published(pattern, THREE).n_cut_quotes == 0


def test_pattern_is_withheld_when_its_quotes_come_from_one_case() -> None:
    pattern = build_pattern(list(THREE.values()), [build_claim("solution", TAPE)])
    assert withheld(pattern, THREE).reason == "Its quotes come from 1 case and 1 team; at least 2 of each are needed."


def test_pattern_is_withheld_when_its_quotes_come_from_one_team() -> None:
    cases = cases_by_id(PALLET, replace(TAPE, team="Nord"), replace(SHELF, team="Nord"))
    pattern = build_pattern(list(THREE.values()), [build_claim("solution", TAPE), build_claim("solution", SHELF)])
    assert "2 cases and 1 team" in withheld(pattern, cases).reason


def test_pattern_is_withheld_when_it_needs_counter_evidence_as_support() -> None:
    claims = [build_claim("solution", TAPE), build_claim("counter_evidence", SHELF)]
    assert "1 case and 1 team" in withheld(build_pattern(list(THREE.values()), claims), THREE).reason


def test_pattern_is_withheld_when_its_solution_is_confidential() -> None:
    pattern = build_pattern(
        [*THREE.values(), CONFIDENTIAL], [build_claim("problem", PALLET), build_claim("solution", CONFIDENTIAL)]
    )
    assert "No part of its solution" in withheld(pattern, cases_by_id(*THREE.values(), CONFIDENTIAL)).reason


def test_source_reference_has_an_id_and_a_quarter_but_no_name() -> None:
    plain_case = build_case("c-9", external_id=None, date=dt.date(2026, 12, 31))
    assert field_text.source_reference(plain_case) == "c-9, 2026Q4"
    assert field_text.source_reference(replace(plain_case, date=None)) == "c-9"


def test_selection_puts_every_pattern_into_exactly_one_group() -> None:
    publishable = pattern_of_three()
    unsupported = pattern_of_three(id="p-2", provenance=replace(pattern_of_three().provenance, inputs=()))
    retired = pattern_of_three(id="p-3", state=DraftState.RETIRED)
    never_published = replace(unsupported, id="p-4", state=DraftState.RETIRED)
    selection = select_patterns([publishable, unsupported, retired, never_published], THREE, RULE)
    assert [pattern.pattern.id for pattern in selection.published] == ["p-1"]
    assert [pattern.pattern_id for pattern in selection.withheld] == ["p-2", "p-4"]
    assert [pattern.id for pattern in selection.retired] == ["p-3"]


@given(st.lists(st.sampled_from(["case", "repeat", "recap"]), min_size=1, max_size=5), st.booleans())
def test_coverage_and_publishing_threshold_count_the_same_cases(kinds: list[str], is_first_listed: bool) -> None:
    options: Mapping[str, Mapping[str, object]] = {
        "case": {},
        "repeat": {"duplicate_of": "c-0"},
        "recap": {"kind": CaseKind.RECAP, "linked_cases": ("C-0",)},
    }
    first = [build_case("c-0", "Case 0 wants tape.")] * is_first_listed
    others = [build_case(f"c-{n}", f"Case {n} wants tape.", **options[kind]) for n, kind in enumerate(kinds, 1)]
    cases = cases_by_id(*first, *others)
    pattern = build_pattern([*first, *others], [build_claim("solution", case) for case in cases.values()])
    breadth = measure_breadth(pattern.claims, cases)
    result = assess_pattern(pattern, cases, PublishingRule(min_contributors=2, min_teams=2))
    assert isinstance(result, WithheldPattern) is breadth.is_narrow
    assert result.n_teams == breadth.n_teams
    if isinstance(result, PublishedPattern):
        assert result.n_cases == breadth.n_cases


WORDS = st.lists(st.sampled_from(["pallet", "lane", "tape", "shelf", "night", "truck", "cold", "wall"]), min_size=6)


@given(
    texts=st.lists(WORDS.map(" ".join), min_size=2, max_size=6),
    consents=st.lists(st.sampled_from(list(Consent)), min_size=6, max_size=6),
    people=st.lists(st.sampled_from(["a", "b", "c", None]), min_size=6, max_size=6),
)
def test_published_patterns_have_enough_contributors_and_no_confidential_text(
    texts: Sequence[str], consents: Sequence[Consent], people: Sequence[str | None]
) -> None:
    cases = [
        build_case(f"c-{n}", f"{n}{n} {text}", consent=consents[n], contributor=people[n], team=people[n])
        for n, text in enumerate(texts)
    ]
    pattern = build_pattern(cases, [build_claim("solution", case) for case in cases])
    result = assess_pattern(pattern, cases_by_id(*cases), PublishingRule(min_contributors=2, min_teams=2))
    if isinstance(result, PublishedPattern):
        publishable = [case for case in cases if case.consent is not NETWORK_ONLY]
        assert len({case.contributor for case in publishable}) >= 2
        assert not any(case.text["problem"] in all_text(result) for case in cases if case.consent is NETWORK_ONLY)
