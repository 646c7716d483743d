"""Decisions about drafts, and the state, fields and patterns that result from their log."""

import datetime as dt
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.builders import NOON, build_case, build_claim, build_grounded_draft, cases_by_id

from patternmind.domain.draft_fields import DraftFields
from patternmind.domain.drafts import (
    Decision,
    DraftAction,
    DraftKind,
    DraftState,
    Pattern,
    RejectionReason,
    ReviewedDraft,
    active_decisions,
    fields_of,
    state_of,
)
from patternmind.errors import InvalidState, RuleViolated, UsageError
from patternmind.review import TRANSITIONS, build_pattern, make_decision, possible_actions, share_edited

LANE = build_case("c-1", "The pallet stood in lane 4.")
TAPE = build_case("c-2", "Red tape on the goods helps.")
CASES = cases_by_id(LANE, TAPE)
CLAIMS = [build_claim("problem", LANE), build_claim("solution", TAPE)]
FIELDS = {"problem": ("The pallet stood in lane 4.",), "solution": ("Red tape on the goods helps.",), "forces": "none"}
REASON = {DraftAction.REJECT: RejectionReason.TOO_ABSTRACT}
EDIT: DraftFields = {"forces": "Tape is cheap, lanes are not."}


def build_candidate(kind: DraftKind = DraftKind.PATTERN) -> ReviewedDraft:
    return ReviewedDraft(
        grounded=build_grounded_draft(CASES, CLAIMS, kind, name="Red tape", fields=FIELDS), created_at=NOON
    )


def after(reviewed: ReviewedDraft, *actions: DraftAction | DraftFields) -> ReviewedDraft:
    """Return the draft after several actions; a mapping is an edit, a bare EDIT writes its number."""
    for action in actions:
        number = reviewed.version
        edits = action if isinstance(action, Mapping) else {"forces": f"edit {number}"} if action == "edit" else {}
        draft_action = action if isinstance(action, DraftAction) else DraftAction.EDIT
        decision = make_decision(
            reviewed,
            draft_action,
            actor=f"Ada {number}",
            at=NOON + dt.timedelta(minutes=number),
            reason=REASON.get(draft_action),
            edits=edits,
        )
        reviewed = ReviewedDraft(
            grounded=reviewed.grounded, decisions=(*reviewed.decisions, decision), created_at=reviewed.created_at
        )
    return reviewed


def require_pattern(reviewed: ReviewedDraft) -> Pattern:
    pattern = build_pattern(reviewed)
    assert pattern is not None
    return pattern


ACTIONS_TO: Mapping[DraftState, tuple[DraftAction, ...]] = {
    DraftState.CANDIDATE: (),
    DraftState.IN_REVIEW: (DraftAction.NOT_SURE,),
    DraftState.ACCEPTED: (DraftAction.ACCEPT,),
    DraftState.REJECTED: (DraftAction.REJECT,),
    DraftState.RETIRED: (DraftAction.ACCEPT, DraftAction.RETIRE),
}
ALLOWED = [(before, action, to) for before in ACTIONS_TO for action, to in TRANSITIONS[before].items()]
FORBIDDEN = [
    (before, action)
    for before in ACTIONS_TO
    for action in DraftAction
    if action not in TRANSITIONS[before] and (action is not DraftAction.UNDO or before is DraftState.CANDIDATE)
]


def test_draft_without_decisions_is_a_candidate() -> None:
    assert state_of([]) is DraftState.CANDIDATE
    assert possible_actions([]) == [
        DraftAction.ACCEPT,
        DraftAction.EDIT,
        DraftAction.REJECT,
        DraftAction.NOT_SURE,
        DraftAction.FLAG,
    ]


def test_transitions_match_this_table() -> None:
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
def test_allowed_action_changes_the_state_and_undo_reverts_it(
    before: DraftState, action: DraftAction, to: DraftState
) -> None:
    before_action = after(build_candidate(), *ACTIONS_TO[before])
    after_action = after(before_action, action)
    assert (state_of(before_action.decisions), state_of(after_action.decisions)) == (before, to)
    assert (after_action.decisions[-1].before, after_action.decisions[-1].after) == (before, to)
    undone = after(after_action, DraftAction.UNDO)
    assert state_of(undone.decisions) is before
    assert fields_of(undone) == fields_of(before_action)
    assert undone.decisions[:-1] == after_action.decisions


@pytest.mark.parametrize(("before", "action"), FORBIDDEN)
def test_other_actions_are_refused_with_the_possible_actions(before: DraftState, action: DraftAction) -> None:
    reviewed = after(build_candidate(), *ACTIONS_TO[before])
    with pytest.raises(InvalidState) as refused:
        after(reviewed, action)
    assert (refused.value.state, refused.value.action) == (before, action)
    assert refused.value.allowed == tuple(possible_actions(reviewed.decisions))


def test_decision_records_draft_person_time_and_undone_decision() -> None:
    reviewed = after(build_candidate(), DraftAction.REJECT, DraftAction.UNDO)
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


def test_repeated_undo_reverts_earlier_decisions_until_no_decision_is_left() -> None:
    twice = after(build_candidate(), EDIT, DraftAction.ACCEPT, DraftAction.UNDO, DraftAction.UNDO)
    assert state_of(twice.decisions) is DraftState.CANDIDATE
    assert [decision.undoes for decision in twice.decisions] == [None, None, "d-1.2", "d-1.1"]
    with pytest.raises(InvalidState):
        after(twice, DraftAction.UNDO)


def test_draft_can_be_decided_again_after_an_undo() -> None:
    reviewed = after(build_candidate(), DraftAction.REJECT, DraftAction.UNDO, DraftAction.ACCEPT)
    assert state_of(reviewed.decisions) is DraftState.ACCEPTED
    assert state_of(after(reviewed, DraftAction.UNDO).decisions) is DraftState.CANDIDATE


def test_edits_accumulate_until_undone_and_the_last_edit_wins() -> None:
    reviewed = after(build_candidate(), {"forces": "first", "name": "Yellow tape"}, {"forces": "second"})
    assert fields_of(reviewed) == {"name": "Yellow tape", **FIELDS, "forces": "second"}
    assert fields_of(after(reviewed, DraftAction.UNDO))["forces"] == "first"


def test_edit_records_only_changed_fields() -> None:
    reviewed = after(build_candidate(), {"name": "Red tape", **EDIT})
    assert reviewed.decisions[0].edits == EDIT


@pytest.mark.parametrize(
    ("action", "by", "edits", "reason", "message"),
    [
        (DraftAction.REJECT, "Ada", {}, None, "needs a reason"),
        (DraftAction.EDIT, "Ada", {}, None, "changes nothing"),
        (DraftAction.EDIT, "Ada", {"forces": "none"}, None, "changes nothing"),
        (DraftAction.EDIT, "Ada", {"colour": "red"}, None, "no field colour"),
        (DraftAction.ACCEPT, "Ada", EDIT, None, "belong to the action edit"),
    ],
)
def test_decision_that_violates_a_rule_is_refused_with_the_rule(
    action: DraftAction, by: str, edits: Mapping[str, str], reason: RejectionReason | None, message: str
) -> None:
    with pytest.raises(RuleViolated, match=message):
        make_decision(build_candidate(), action, actor=by, at=NOON, reason=reason, edits=edits)


def test_decision_without_actor_is_refused_at_field_by() -> None:
    with pytest.raises(UsageError, match="Enter your name") as refused:
        make_decision(build_candidate(), DraftAction.ACCEPT, actor="  ", at=NOON)
    assert refused.value.field == "by"


def test_pattern_draft_without_a_quote_for_its_solution_cannot_be_accepted() -> None:
    bare = ReviewedDraft(grounded=build_grounded_draft(CASES, CLAIMS[:1], DraftKind.PATTERN))
    with pytest.raises(RuleViolated, match="solution"):
        after(bare, DraftAction.ACCEPT)
    after(ReviewedDraft(grounded=build_grounded_draft(CASES, CLAIMS[:1], DraftKind.PREREADING)), DraftAction.ACCEPT)


# patterns


@pytest.mark.parametrize(
    "actions",
    [(), (DraftAction.NOT_SURE,), (DraftAction.EDIT,), (DraftAction.REJECT,), (DraftAction.ACCEPT, DraftAction.UNDO)],
)
def test_pattern_does_not_exist_before_a_person_accepts_it(actions: tuple[DraftAction, ...]) -> None:
    assert build_pattern(after(build_candidate(), *actions)) is None


def test_only_a_pattern_draft_becomes_a_pattern() -> None:
    assert build_pattern(after(build_candidate(DraftKind.PREREADING), DraftAction.ACCEPT)) is None


def test_accepted_draft_becomes_a_pattern_with_reviewers_edits_and_claims() -> None:
    reviewed = after(build_candidate(), EDIT, DraftAction.ACCEPT, {"name": "Yellow tape"})
    draft = reviewed.grounded.draft
    assert require_pattern(reviewed) == Pattern(
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
    assert require_pattern(after(reviewed, DraftAction.RETIRE)).state is DraftState.RETIRED


def test_share_edited_counts_changed_words_and_is_zero_without_edits() -> None:
    assert share_edited(after(build_candidate(), DraftAction.ACCEPT)) == 0
    n_words = len("Red tape The pallet stood in lane 4. Red tape on the goods helps. none".split())
    assert share_edited(after(build_candidate(), {"name": "Yellow tape"})) == pytest.approx(1 / n_words)
    assert share_edited(after(build_candidate(), {"name": "Yellow tape"}, {"name": "Red tape"})) == 0
    other = {"name": "a", "problem": "b", "solution": "c", "forces": "d"}
    assert share_edited(after(build_candidate(), other)) == 1


@settings(max_examples=60, deadline=None)
@given(choices=st.lists(st.integers(0, 5), max_size=12))
def test_log_only_grows_and_undoing_all_decisions_restores_the_candidate(choices: list[int]) -> None:
    reviewed = build_candidate()
    for choice in choices:
        possible = possible_actions(reviewed.decisions)
        decided = after(reviewed, possible[choice % len(possible)])
        assert decided.decisions[:-1] == reviewed.decisions
        assert decided.decisions[-1].before is state_of(reviewed.decisions)
        assert decided.decisions[-1].after is state_of(decided.decisions)
        assert (build_pattern(decided) is not None) == (
            state_of(decided.decisions) in {DraftState.ACCEPTED, DraftState.RETIRED, DraftState.FIELD_TESTED}
        )
        assert 0 <= share_edited(decided) <= 1
        reviewed = decided
    while active_decisions(reviewed.decisions):
        reviewed = after(reviewed, DraftAction.UNDO)
    assert state_of(reviewed.decisions) is DraftState.CANDIDATE
    assert fields_of(reviewed) == fields_of(build_candidate())
