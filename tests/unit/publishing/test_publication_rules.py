import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.builders import (
    build_case,
    build_claim,
    build_pattern,
    build_quote,
    cases_by_id,
    fields_by_claims,
)

from patternmind import grounding
from patternmind.domain.cases import Case, CaseKind, Consent
from patternmind.domain.drafts import Claim, DraftState, Pattern
from patternmind.domain.networks import PublishingRule
from patternmind.domain.themes import Theme
from patternmind.drafting import patterns as drafting
from patternmind.publishing import field_text
from patternmind.publishing.publication_rules import (
    PublishedPattern,
    WithheldPattern,
    assess_pattern,
    redact_for_export,
    select_patterns,
)

RULE = PublishingRule(min_contributors=3, min_teams=2)
CLOSED = Consent.NETWORK_ONLY

PALLET = build_case("c-1", "The pallet stood in lane 4 like any other one.")
TAPE = build_case("c-2", "Red tape on the goods themselves has helped us since July.")
SHELF = build_case("c-3", "A shelf of their own keeps returned pumps apart from new ones.")
QUIET = build_case("c-4", "Nobody may learn that the supplier forgot to send the paper.", consent=CLOSED)


def by_three(**known: object) -> Pattern:
    claims = [build_claim("problem", PALLET), build_claim("solution", TAPE), build_claim("solution", SHELF)]
    return build_pattern([PALLET, TAPE, SHELF], claims, **known)


THREE = cases_by_id(PALLET, TAPE, SHELF)


def published(pattern: Pattern, cases: Mapping[str, Case], rule: PublishingRule = RULE) -> PublishedPattern:
    answer = assess_pattern(pattern, cases, rule)
    assert isinstance(answer, PublishedPattern), answer
    return answer


def withheld(pattern: Pattern, cases: Mapping[str, Case], rule: PublishingRule = RULE) -> WithheldPattern:
    answer = assess_pattern(pattern, cases, rule)
    assert isinstance(answer, WithheldPattern)
    return answer


def every_text(one: PublishedPattern) -> str:
    quotes = (quote.text for claim in one.pattern.claims for quote in claim.quotes)
    claims = (claim.text for claim in one.pattern.claims)
    lines = (line for name in one.pattern.fields for line in field_text.stated_lines(one.pattern.fields, name))
    return " ".join([one.pattern.name, *quotes, *claims, *lines])


def test_a_pattern_that_enough_people_and_teams_stand_behind_goes_out_whole() -> None:
    assert published(by_three(), THREE) == PublishedPattern(
        pattern=by_three(),
        references={"c-1": "C-1, 2026Q3", "c-2": "C-2, 2026Q3", "c-3": "C-3, 2026Q3"},
        n_cases=3,
        n_contributors=3,
        n_teams=3,
    )


@pytest.mark.parametrize("state", [DraftState.CANDIDATE, DraftState.IN_REVIEW, DraftState.REJECTED, DraftState.RETIRED])
def test_only_what_a_person_accepted_goes_out(state: DraftState) -> None:
    assert state.value.replace("_", " ") in withheld(by_three(state=state), THREE).reason


def test_a_field_tested_pattern_goes_out() -> None:
    published(by_three(state=DraftState.FIELD_TESTED), THREE)


def test_too_few_contributors_withhold_it_with_the_numbers() -> None:
    cases = cases_by_id(PALLET, TAPE, replace(SHELF, contributor=TAPE.contributor))
    answer = withheld(by_three(), cases)
    assert answer.reason == "It has 2 of the 3 contributors needed."
    assert (answer.n_contributors, answer.n_teams) == (2, 3)


def test_one_team_withholds_it_with_the_numbers() -> None:
    cases = cases_by_id(*(replace(case, team="Nord") for case in THREE.values()))
    assert "1 of the 2 teams needed" in withheld(by_three(), cases).reason


def test_the_default_rule_asks_for_five_contributors() -> None:
    assert "3 of the 5 contributors needed" in withheld(by_three(), THREE, PublishingRule()).reason


def test_unknown_contributors_and_teams_count_as_one_together() -> None:
    cases = cases_by_id(*(replace(case, team=None, contributor=None) for case in THREE.values()))
    answer = withheld(by_three(), cases)
    assert (answer.n_contributors, answer.n_teams) == (1, 1)


def test_the_unknown_team_is_one_beside_the_known_ones() -> None:
    cases = cases_by_id(PALLET, replace(TAPE, team=None), replace(SHELF, team=None))
    assert published(by_three(), cases).n_teams == 2


def test_near_duplicates_and_recaps_of_a_case_do_not_add_to_the_counts() -> None:
    copy = replace(SHELF, id="c-5", duplicate_of="c-3", contributor="another")
    recap = replace(SHELF, id="c-6", kind=CaseKind.RECAP, linked_cases=("C-1",), contributor="a third")
    pattern = build_pattern([*THREE.values(), copy, recap], by_three().claims)
    assert published(pattern, cases_by_id(*THREE.values(), copy, recap)).n_contributors == 3


def test_a_case_for_the_network_only_counts_for_nothing() -> None:
    cases = cases_by_id(PALLET, TAPE, replace(SHELF, consent=CLOSED))
    reason = withheld(by_three(), cases).reason
    assert "2 of the 3 contributors needed" in reason
    assert "Not counted of its 3 cases: 1 network-only." in reason


def test_a_case_that_is_gone_counts_for_nothing() -> None:
    assert "1 removed" in withheld(by_three(), cases_by_id(PALLET, TAPE)).reason


def test_an_input_may_be_named_without_its_version() -> None:
    pattern = by_three()
    bare = replace(pattern.provenance, inputs=("c-1", "c-2", "c-3"))
    assert published(replace(pattern, provenance=bare), THREE).n_cases == 3


def with_quiet(*extra: Claim, **known: object) -> tuple[Pattern, dict[str, Case]]:
    claims = [*by_three().claims, *extra]
    return build_pattern([*THREE.values(), QUIET], claims, **known), cases_by_id(*THREE.values(), QUIET)


def test_quotes_claims_and_lines_of_a_network_only_case_are_dropped_and_counted() -> None:
    one = published(*with_quiet(build_claim("forces", QUIET)))
    assert QUIET.text["problem"] not in every_text(one)
    assert one.pattern.fields["forces"] == field_text.NOT_STATED
    assert (one.n_cut_quotes, one.n_cut_claims, one.n_cut_lines) == (1, 1, 1)


def test_a_claim_that_still_has_an_open_quote_stays_with_that_one() -> None:
    claim = Claim(text="Marks help.", field="consequences", quotes=(build_quote(QUIET), build_quote(TAPE)))
    one = published(*with_quiet(claim))
    assert one.pattern.claims[-1].quotes == (build_quote(TAPE),)
    assert one.pattern.fields["consequences"] == ("Marks help.",)
    assert (one.n_cut_quotes, one.n_cut_claims, one.n_cut_lines) == (1, 0, 0)


def test_a_claim_of_a_model_needs_every_quote_open_for_it_may_mix_their_words() -> None:
    claim = Claim(text="Marks help.", field="consequences", quotes=(build_quote(QUIET), build_quote(TAPE)))
    pattern, cases = with_quiet(claim)
    one = published(replace(pattern, provenance=replace(pattern.provenance, model="a/model")), cases)
    assert "Marks help." not in every_text(one)
    assert [claim.field for claim in one.pattern.claims] == ["problem", "solution", "solution"]
    assert (one.n_cut_quotes, one.n_cut_claims, one.n_cut_lines) == (2, 1, 1)


def test_a_patlet_that_holds_a_closed_sentence_is_told_anew_from_what_is_left() -> None:
    extra = build_claim("problem", QUIET)
    held = fields_by_claims([*by_three().claims, extra])
    told = {"patlet": f"{QUIET.text['problem']} Therefore: {TAPE.text['problem']}", **held}
    one = published(*with_quiet(extra, fields=told))
    assert one.pattern.fields["patlet"] == f"{PALLET.text['problem']} Therefore: {TAPE.text['problem']}"


def test_a_patlet_of_which_nothing_is_left_says_so() -> None:
    pattern, cases = with_quiet(fields={**by_three().fields, "problem": "", "patlet": QUIET.text["problem"]})
    assert published(pattern, cases).pattern.fields["patlet"] == field_text.NOT_STATED


def test_another_text_field_keeps_its_other_sentences() -> None:
    told = {**by_three().fields, "context": f"It was a Friday. {QUIET.text['problem']} Then it was Monday."}
    one = published(*with_quiet(fields=told))
    assert one.pattern.fields["context"] == "It was a Friday. Then it was Monday."


def test_a_closed_sentence_that_a_person_mended_is_still_found() -> None:
    mended = ("Nobody may learn that the supplier forgot it.", "A line of our own.")
    one = published(*with_quiet(fields={**by_three().fields, "forces": mended}))
    assert one.pattern.fields["forces"] == ("A line of our own.",)


def test_a_sentence_that_an_open_case_says_as_well_may_stay() -> None:
    twin = replace(QUIET, text=TAPE.text)
    pattern = build_pattern([*THREE.values(), twin], [*by_three().claims, build_claim("consequences", twin)])
    assert published(pattern, cases_by_id(*THREE.values(), twin)).pattern.fields["consequences"] == (
        TAPE.text["problem"],
    )


def test_a_name_that_repeats_a_closed_sentence_withholds_the_pattern() -> None:
    assert "rename it" in withheld(*with_quiet(name=QUIET.text["problem"])).reason


@pytest.mark.parametrize("name", ["The tardy supplier", "Supplier", "Paper, Friday"])
def test_a_name_with_a_word_that_closed_cases_alone_say_withholds_the_pattern(name: str) -> None:
    assert "rename it" in withheld(*with_quiet(name=name)).reason
    both = replace(PALLET, text={**PALLET.text, "lesson": "The supplier sent paper."})
    pattern, cases = with_quiet(name=name)
    assert published(pattern, cases | {PALLET.id: both}).pattern.name == name


def test_a_short_title_of_a_closed_case_stays_where_it_stands_in_a_sentence() -> None:
    titled = replace(QUIET, text={"title": "Supplier forgot it", **QUIET.text})
    lines = ("Who has seen that the supplier forgot it again?", "Who has met “Supplier” here?", "A supplier came.")
    pattern, cases = with_quiet(fields={**by_three().fields, "forces": lines})
    assert published(pattern, cases | {QUIET.id: titled}).pattern.fields["forces"] == ("A supplier came.",)


def test_a_theme_goes_out_without_what_closed_cases_alone_say_of_it() -> None:
    theme = Theme(
        id="t-0123456789", lens="all", area_id="a-1", name="Supplier paper", gist=QUIET.text["problem"],
        keywords=("supplier", "red tape"), differs_by=("paper", "shelf"), case_ids=(*THREE, QUIET.id),
        exemplars=(TAPE.id,), n_cases=4, n_teams=2, n_contributors=3,
    )  # fmt: skip
    (told,) = redact_for_export([theme], cases_by_id(*THREE.values(), QUIET))
    assert (told.name, told.gist, told.keywords, told.differs_by) == ("Theme 6789", "", ("red tape",), ("shelf",))
    open_to_all = replace(theme, name="Red tape", gist=TAPE.text["problem"], keywords=(), differs_by=())
    assert redact_for_export([open_to_all], cases_by_id(*THREE.values(), QUIET)) == [open_to_all]


@pytest.mark.parametrize(("exemplars", "gist"), [(("c-1", "c-2"), "Goods lie about."), (("c-1", "c-4"), "")])
def test_a_gist_that_a_model_wrote_goes_out_where_all_it_was_shown_may(exemplars: tuple[str, ...], gist: str) -> None:
    theme = Theme(
        id="t-0123456789", lens="all", area_id="a-1", name="Red tape", gist="Goods lie about.",
        case_ids=(*THREE, QUIET.id), exemplars=exemplars, n_cases=4, n_teams=2, n_contributors=3,
    )  # fmt: skip
    assert redact_for_export([theme], cases_by_id(*THREE.values(), QUIET))[0].gist == gist


def test_a_quote_that_no_longer_stands_in_its_case_is_dropped() -> None:
    redacted = replace(PALLET, text={"problem": PALLET.text["problem"].replace("pallet", "[name]")})
    one = published(by_three(), cases_by_id(redacted, TAPE, SHELF))
    assert "pallet" not in every_text(one)
    assert one.n_cut_quotes == 1


def test_a_line_with_a_refused_claim_does_not_go_out() -> None:
    pattern = by_three(fields={**by_three().fields, "forces": (f"But {grounding.WITHDRAWN}", "Time against care.")})
    assert published(pattern, THREE).pattern.fields["forces"] == ("Time against care.",)


def test_a_line_that_a_reviewer_deleted_takes_its_quote_with_it() -> None:
    pattern = by_three(fields={**by_three().fields, "solution": (TAPE.text["problem"],)})
    one = published(pattern, THREE)
    assert SHELF.text["problem"] not in every_text(one)
    assert one.n_cut_quotes == 1


def test_a_line_that_a_reviewer_reworded_keeps_its_quote() -> None:
    pattern = by_three(fields={**by_three().fields, "solution": ("Mark it so that one sees it.", "Put it elsewhere.")})
    assert published(pattern, THREE).n_cut_quotes == 0


def test_evidence_from_one_case_withholds_it() -> None:
    pattern = build_pattern(list(THREE.values()), [build_claim("solution", TAPE)])
    assert withheld(pattern, THREE).reason == "Its quotes come from 1 case and 1 team; at least 2 of each are needed."


def test_evidence_from_one_team_withholds_it() -> None:
    cases = cases_by_id(PALLET, replace(TAPE, team="Nord"), replace(SHELF, team="Nord"))
    pattern = build_pattern(list(THREE.values()), [build_claim("solution", TAPE), build_claim("solution", SHELF)])
    assert "2 cases and 1 team" in withheld(pattern, cases).reason


def test_counter_evidence_is_no_evidence_for_the_pattern() -> None:
    claims = [build_claim("solution", TAPE), build_claim("counter_evidence", SHELF)]
    assert "1 case and 1 team" in withheld(build_pattern(list(THREE.values()), claims), THREE).reason


def test_a_pattern_without_a_solution_left_is_withheld() -> None:
    pattern = build_pattern([*THREE.values(), QUIET], [build_claim("problem", PALLET), build_claim("solution", QUIET)])
    assert "No part of its solution" in withheld(pattern, cases_by_id(*THREE.values(), QUIET)).reason


def test_a_reference_is_an_id_and_a_quarter_and_no_name() -> None:
    plain_case = build_case("c-9", external_id=None, date=dt.date(2026, 12, 31))
    assert field_text.source_reference(plain_case) == "c-9, 2026Q4"
    assert field_text.source_reference(replace(plain_case, date=None)) == "c-9"


def test_every_pattern_ends_in_exactly_one_place() -> None:
    fine, narrow = by_three(), by_three(id="p-2", provenance=replace(by_three().provenance, inputs=()))
    old = by_three(id="p-3", state=DraftState.RETIRED)
    never = replace(narrow, id="p-4", state=DraftState.RETIRED)
    found = select_patterns([fine, narrow, old, never], THREE, RULE)
    assert [one.pattern.id for one in found.published] == ["p-1"]
    assert [one.pattern_id for one in found.withheld] == ["p-2", "p-4"]
    assert [one.id for one in found.retired] == ["p-3"]


def test_the_words_for_nothing_are_those_that_drafting_and_grounding_write() -> None:
    assert (field_text.NOT_STATED, field_text.WITHDRAWN) == (drafting.NOT_STATED, grounding.WITHDRAWN)


WORDS = st.lists(st.sampled_from(["pallet", "lane", "tape", "shelf", "night", "truck", "cold", "wall"]), min_size=6)


@given(
    texts=st.lists(WORDS.map(" ".join), min_size=2, max_size=6),
    consents=st.lists(st.sampled_from(list(Consent)), min_size=6, max_size=6),
    people=st.lists(st.sampled_from(["a", "b", "c", None]), min_size=6, max_size=6),
)
def test_what_goes_out_stands_on_enough_people_and_quotes_no_closed_case(
    texts: Sequence[str], consents: Sequence[Consent], people: Sequence[str | None]
) -> None:
    cases = [
        build_case(f"c-{n}", f"{n}{n} {text}", consent=consents[n], contributor=people[n], team=people[n])
        for n, text in enumerate(texts)
    ]
    pattern = build_pattern(cases, [build_claim("solution", case) for case in cases])
    answer = assess_pattern(pattern, cases_by_id(*cases), PublishingRule(min_contributors=2, min_teams=2))
    if isinstance(answer, PublishedPattern):
        out = [case for case in cases if case.consent is not CLOSED]
        assert len({case.contributor for case in out}) >= 2
        assert not any(case.text["problem"] in every_text(answer) for case in cases if case.consent is CLOSED)
