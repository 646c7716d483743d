"""What people may decide, and what the log of their decisions adds up to."""

import datetime as dt
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.builders import (
    NOON,
    build_case,
    build_claim,
    build_grounded_draft,
    cases_by_id,
)

from patternmind.domain.drafts import (
    Decision,
    DraftAction,
    DraftKind,
    DraftState,
    Pattern,
    RejectionReason,
    ReviewedDraft,
)
from patternmind.errors import InvalidState, RuleViolated, UsageError
from patternmind.review import (
    TRANSITIONS,
    active_decisions,
    build_pattern,
    fields_of,
    make_decision,
    possible_actions,
    share_edited,
    state_of,
)

LANE = build_case("c-1", "The pallet stood in lane 4.")
TAPE = build_case("c-2", "Red tape on the goods helps.")
CASES = cases_by_id(LANE, TAPE)
CLAIMS = [build_claim("problem", LANE), build_claim("solution", TAPE)]
FIELDS = {"problem": ("The pallet stood in lane 4.",), "solution": ("Red tape on the goods helps.",), "forces": "none"}
REASON = {DraftAction.REJECT: RejectionReason.TOO_ABSTRACT}
EDIT: Mapping[str, str | tuple[str, ...]] = {"forces": "Tape is cheap, lanes are not."}


def a_candidate(kind: DraftKind = DraftKind.PATTERN) -> ReviewedDraft:
    return ReviewedDraft(
        grounded=build_grounded_draft(CASES, CLAIMS, kind, name="Red tape", fields=FIELDS), created_at=NOON
    )


def after(reviewed: ReviewedDraft, *actions: DraftAction | Mapping[str, str | tuple[str, ...]]) -> ReviewedDraft:
    """The draft after a row of actions; a mapping is an edit, a bare EDIT writes its number."""
    for action in actions:
        number = reviewed.version
        edits = action if isinstance(action, Mapping) else {"forces": f"edit {number}"} if action == "edit" else {}
        taken = action if isinstance(action, DraftAction) else DraftAction.EDIT
        one = make_decision(
            reviewed,
            taken,
            actor=f"Ada {number}",
            at=NOON + dt.timedelta(minutes=number),
            reason=REASON.get(taken),
            edits=edits,
        )
        reviewed = ReviewedDraft(
            grounded=reviewed.grounded, decisions=(*reviewed.decisions, one), created_at=reviewed.created_at
        )
    return reviewed


def pattern(reviewed: ReviewedDraft) -> Pattern:
    made = build_pattern(reviewed)
    assert made is not None
    return made


WAYS: Mapping[DraftState, tuple[DraftAction, ...]] = {
    DraftState.CANDIDATE: (),
    DraftState.IN_REVIEW: (DraftAction.NOT_SURE,),
    DraftState.ACCEPTED: (DraftAction.ACCEPT,),
    DraftState.REJECTED: (DraftAction.REJECT,),
    DraftState.RETIRED: (DraftAction.ACCEPT, DraftAction.RETIRE),
}
ALLOWED = [(before, action, to) for before in WAYS for action, to in TRANSITIONS[before].items()]
FORBIDDEN = [
    (before, action)
    for before in WAYS
    for action in DraftAction
    if action not in TRANSITIONS[before] and (action is not DraftAction.UNDO or before is DraftState.CANDIDATE)
]


def test_a_draft_starts_as_a_candidate() -> None:
    assert state_of([]) is DraftState.CANDIDATE
    assert possible_actions([]) == [
        DraftAction.ACCEPT,
        DraftAction.EDIT,
        DraftAction.REJECT,
        DraftAction.NOT_SURE,
        DraftAction.FLAG,
    ]


def test_the_table_of_states_is_this_one() -> None:
    candidate, review, accepted, tested, retired, rejected = DraftState
    assert {before: dict(actions) for before, actions in TRANSITIONS.items()} == {
        candidate: {"accept": accepted, "edit": review, "reject": rejected, "not_sure": review, "flag": review},
        review: {"accept": accepted, "edit": review, "reject": rejected, "not_sure": review, "flag": review},
        accepted: {"edit": accepted, "retire": retired},
        tested: {"edit": tested, "retire": retired},
        retired: {},
        rejected: {},
    }


@pytest.mark.parametrize(("before", "action", "to"), ALLOWED)
def test_every_allowed_action_leads_to_its_state_and_undo_leads_back(
    before: DraftState, action: DraftAction, to: DraftState
) -> None:
    here = after(a_candidate(), *WAYS[before])
    there = after(here, action)
    assert (state_of(here.decisions), state_of(there.decisions)) == (before, to)
    assert (there.decisions[-1].before, there.decisions[-1].after) == (before, to)
    back = after(there, DraftAction.UNDO)
    assert state_of(back.decisions) is before
    assert fields_of(back) == fields_of(here)
    assert back.decisions[:-1] == there.decisions


@pytest.mark.parametrize(("before", "action"), FORBIDDEN)
def test_every_other_action_is_refused_and_says_what_is_possible(before: DraftState, action: DraftAction) -> None:
    here = after(a_candidate(), *WAYS[before])
    with pytest.raises(InvalidState) as refused:
        after(here, action)
    assert (refused.value.state, refused.value.action) == (before, action)
    assert refused.value.allowed == tuple(possible_actions(here.decisions))


def test_a_decision_names_its_draft_its_person_its_time_and_what_it_takes_back() -> None:
    reviewed = after(a_candidate(), DraftAction.REJECT, DraftAction.UNDO)
    assert reviewed.decisions == (
        Decision(
            id="d-1.1",
            draft_id="d-1",
            action=DraftAction.REJECT,
            by="Ada 0",
            at=NOON,
            before=DraftState.CANDIDATE,
            after=DraftState.REJECTED,
            reason=RejectionReason.TOO_ABSTRACT,
        ),
        Decision(
            id="d-1.2",
            draft_id="d-1",
            action=DraftAction.UNDO,
            by="Ada 1",
            at=NOON + dt.timedelta(minutes=1),
            before=DraftState.REJECTED,
            after=DraftState.CANDIDATE,
            undoes="d-1.1",
        ),
    )
    assert active_decisions(reviewed.decisions) == []


def test_a_second_undo_takes_back_the_decision_before_and_a_third_has_nothing_left() -> None:
    twice = after(a_candidate(), EDIT, DraftAction.ACCEPT, DraftAction.UNDO, DraftAction.UNDO)
    assert state_of(twice.decisions) is DraftState.CANDIDATE
    assert [one.undoes for one in twice.decisions] == [None, None, "d-1.2", "d-1.1"]
    with pytest.raises(InvalidState):
        after(twice, DraftAction.UNDO)


def test_after_an_undo_a_draft_can_be_decided_on_anew() -> None:
    reviewed = after(a_candidate(), DraftAction.REJECT, DraftAction.UNDO, DraftAction.ACCEPT)
    assert state_of(reviewed.decisions) is DraftState.ACCEPTED
    assert state_of(after(reviewed, DraftAction.UNDO).decisions) is DraftState.CANDIDATE


def test_edits_add_up_the_last_one_winning_and_an_undone_edit_is_gone() -> None:
    reviewed = after(a_candidate(), {"forces": "first", "name": "Yellow tape"}, {"forces": "second"})
    assert fields_of(reviewed) == {"name": "Yellow tape", **FIELDS, "forces": "second"}
    assert fields_of(after(reviewed, DraftAction.UNDO))["forces"] == "first"


def test_only_what_an_edit_changed_is_written_down() -> None:
    reviewed = after(a_candidate(), {"name": "Red tape", **EDIT})
    assert reviewed.decisions[0].edits == EDIT


@pytest.mark.parametrize(
    ("action", "by", "edits", "reason", "said"),
    [
        (DraftAction.REJECT, "Ada", {}, None, "needs a reason"),
        (DraftAction.EDIT, "Ada", {}, None, "changes nothing"),
        (DraftAction.EDIT, "Ada", {"forces": "none"}, None, "changes nothing"),
        (DraftAction.EDIT, "Ada", {"colour": "red"}, None, "no field colour"),
        (DraftAction.ACCEPT, "Ada", EDIT, None, "belong to the action edit"),
    ],
)
def test_a_decision_that_breaks_a_rule_is_refused_with_the_rule(
    action: DraftAction, by: str, edits: Mapping[str, str], reason: RejectionReason | None, said: str
) -> None:
    with pytest.raises(RuleViolated, match=said):
        make_decision(a_candidate(), action, actor=by, at=NOON, reason=reason, edits=edits)


def test_decision_without_actor_is_refused_at_field_by() -> None:
    with pytest.raises(UsageError, match="Enter your name") as refused:
        make_decision(a_candidate(), DraftAction.ACCEPT, actor="  ", at=NOON)
    assert refused.value.field == "by"


def test_a_pattern_whose_solution_stands_on_no_quote_cannot_be_accepted() -> None:
    bare = ReviewedDraft(grounded=build_grounded_draft(CASES, CLAIMS[:1], DraftKind.PATTERN))
    with pytest.raises(RuleViolated, match="solution"):
        after(bare, DraftAction.ACCEPT)
    after(ReviewedDraft(grounded=build_grounded_draft(CASES, CLAIMS[:1], DraftKind.PREREADING)), DraftAction.ACCEPT)


# patterns


@pytest.mark.parametrize(
    "actions",
    [(), (DraftAction.NOT_SURE,), (DraftAction.EDIT,), (DraftAction.REJECT,), (DraftAction.ACCEPT, DraftAction.UNDO)],
)
def test_there_is_no_pattern_before_a_person_accepts_one(actions: tuple[DraftAction, ...]) -> None:
    assert build_pattern(after(a_candidate(), *actions)) is None


def test_only_a_pattern_draft_becomes_a_pattern() -> None:
    assert build_pattern(after(a_candidate(DraftKind.PREREADING), DraftAction.ACCEPT)) is None


def test_an_accepted_draft_is_a_pattern_with_its_people_its_edits_and_its_evidence() -> None:
    reviewed = after(a_candidate(), EDIT, DraftAction.ACCEPT, {"name": "Yellow tape"})
    draft = reviewed.grounded.draft
    assert pattern(reviewed) == Pattern(
        id="p-1",
        theme_id="t-1",
        name="Yellow tape",
        fields={**FIELDS, **EDIT},
        claims=draft.claims,
        provenance=draft.provenance,
        state=DraftState.ACCEPTED,
        reviewers=("Ada 0", "Ada 1", "Ada 2"),
        accepted_at=NOON + dt.timedelta(minutes=1),
        version=3,
        share_edited=share_edited(reviewed),
    )
    assert pattern(after(reviewed, DraftAction.RETIRE)).state is DraftState.RETIRED


def test_the_share_edited_is_none_without_an_edit_and_the_changed_words_with_one() -> None:
    assert share_edited(after(a_candidate(), DraftAction.ACCEPT)) == 0
    n_words = len("Red tape The pallet stood in lane 4. Red tape on the goods helps. none".split())
    assert share_edited(after(a_candidate(), {"name": "Yellow tape"})) == pytest.approx(1 / n_words)
    assert share_edited(after(a_candidate(), {"name": "Yellow tape"}, {"name": "Red tape"})) == 0
    other = {"name": "a", "problem": "b", "solution": "c", "forces": "d"}
    assert share_edited(after(a_candidate(), other)) == 1


@settings(max_examples=60, deadline=None)
@given(choices=st.lists(st.integers(0, 5), max_size=12))
def test_whatever_people_do_the_log_only_grows_and_undoing_everything_leads_back(choices: list[int]) -> None:
    reviewed = a_candidate()
    for choice in choices:
        possible = possible_actions(reviewed.decisions)
        then = after(reviewed, possible[choice % len(possible)])
        assert then.decisions[:-1] == reviewed.decisions
        assert then.decisions[-1].before is state_of(reviewed.decisions)
        assert then.decisions[-1].after is state_of(then.decisions)
        assert (build_pattern(then) is not None) == (
            state_of(then.decisions) in {DraftState.ACCEPTED, DraftState.RETIRED, DraftState.FIELD_TESTED}
        )
        assert 0 <= share_edited(then) <= 1
        reviewed = then
    while active_decisions(reviewed.decisions):
        reviewed = after(reviewed, DraftAction.UNDO)
    assert state_of(reviewed.decisions) is DraftState.CANDIDATE
    assert fields_of(reviewed) == fields_of(a_candidate())
