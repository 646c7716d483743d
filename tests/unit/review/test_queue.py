"""What comes next on the review desk, who sees what of whom, and how words changed: all of it without a store."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.builders import NOON

from patternmind.domain.drafts import (
    Decision,
    DraftAction,
    DraftState,
    FlagKind,
)
from patternmind.review import (
    ReviewStatus,
    UncertaintyFactors,
    WordChange,
    diff_words,
    estimate_uncertainty,
    has_disagreement,
    hides_log,
    latest_views,
    needs_second_view,
    rank_drafts,
    review_status,
)

DAY = dt.date(2026, 11, 20)

AFTER = {
    DraftAction.ACCEPT: DraftState.ACCEPTED,
    DraftAction.REJECT: DraftState.REJECTED,
    DraftAction.NOT_SURE: DraftState.IN_REVIEW,
    DraftAction.FLAG: DraftState.IN_REVIEW,
    DraftAction.EDIT: DraftState.IN_REVIEW,
}


def a_log(*said: tuple[str, DraftAction] | tuple[str, DraftAction, int]) -> list[Decision]:
    """(who, what) in order; an undo names the decision it takes back by its number from 1."""
    log: list[Decision] = []
    for number, (by, action, *undone) in enumerate(said, start=1):
        log.append(
            Decision(
                id=f"d-1.{number}",
                draft_id="d-1",
                action=action,
                by=by,
                at=NOON,
                before=log[-1].after if log else DraftState.CANDIDATE,
                after=AFTER.get(action, DraftState.CANDIDATE),
                undoes=f"d-1.{undone[0]}" if undone else None,
            )
        )
    return log


# The queue -----------------------------------------------------------------------------------------------------------


def many(n: int) -> dict[str, UncertaintyFactors]:
    return {f"d-{k:04d}": UncertaintyFactors(n_cases=1 + k % 9, n_teams=1 + k % 4, stability=0.9) for k in range(n)}


def test_a_doubt_few_cases_and_an_unsteady_theme_each_make_a_draft_less_certain() -> None:
    sure = UncertaintyFactors(n_cases=9, n_teams=5, stability=1.0)
    assert estimate_uncertainty(sure)[0] < 0.1
    for worse, why in (
        (UncertaintyFactors(doubts=(FlagKind.WEAK_SUPPORT,), n_cases=9, n_teams=5, stability=1.0), "weak support"),
        (UncertaintyFactors(n_cases=1, n_teams=5, stability=1.0), "quotes from 1 case"),
        (UncertaintyFactors(n_cases=9, n_teams=1, stability=1.0), "theme covers 1 team"),
        (UncertaintyFactors(n_cases=9, n_teams=5, stability=0.3), "unstable theme"),
    ):
        value, reasons = estimate_uncertainty(worse)
        assert value > estimate_uncertainty(sure)[0]
        assert reasons == (why,)


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=6), st.integers(1, 9), max_size=60), st.integers(0, 9))
def test_every_draft_stands_in_the_queue_once_and_those_not_drawn_fall_in_uncertainty(
    n_cases: dict[str, int], seed: int
) -> None:
    queue = rank_drafts({id: UncertaintyFactors(n_cases=n) for id, n in n_cases.items()}, day=DAY, seed=seed)
    assert sorted(one.draft_id for one in queue) == sorted(n_cases)
    rest = [one.uncertainty for one in queue if not one.is_random]
    assert rest == sorted(rest, reverse=True)


def test_about_one_in_ten_is_drawn_anew_each_day_and_the_same_all_day() -> None:
    drafts = many(1000)
    drawn = {one.draft_id for one in rank_drafts(drafts, day=DAY) if one.is_random}
    assert 70 < len(drawn) < 130
    assert rank_drafts(drafts, day=DAY) == rank_drafts(dict(reversed(drafts.items())), day=DAY)
    assert drawn != {one.draft_id for one in rank_drafts(drafts, day=DAY + dt.timedelta(days=1)) if one.is_random}
    assert drawn != {one.draft_id for one in rank_drafts(drafts, day=DAY, seed=1) if one.is_random}


def test_the_drawn_stand_all_over_the_queue() -> None:
    queue = rank_drafts(many(1000), day=DAY)
    places = [place for place, one in enumerate(queue) if one.is_random]
    assert min(places) < 100
    assert max(places) > 900


def test_who_is_drawn_stays_drawn_while_others_are_decided() -> None:
    drafts = many(200)
    drawn = {one.draft_id for one in rank_drafts(drafts, day=DAY) if one.is_random}
    left = {id: one for id, one in drafts.items() if int(id[2:]) % 2}
    assert {one.draft_id for one in rank_drafts(left, day=DAY) if one.is_random} == drawn & set(left)


# Second views --------------------------------------------------------------------------------------------------------


def test_a_draft_stands_elsewhere_for_whoever_was_not_sure() -> None:
    log = a_log(("Ada", DraftAction.NOT_SURE))
    assert (review_status(log, "Ada"), review_status(log, "Bo")) == (ReviewStatus.ASKED, ReviewStatus.SECOND)
    assert review_status([], "Bo") is ReviewStatus.WAITING
    assert review_status(a_log(("Ada", DraftAction.EDIT)), "Bo") is ReviewStatus.WAITING
    assert review_status(a_log(("Ada", DraftAction.FLAG)), "Bo") is ReviewStatus.JAM
    assert review_status(a_log(("Ada", DraftAction.REJECT)), "Bo") is ReviewStatus.DECIDED


def test_the_second_reviewer_sees_no_decision_of_the_first_until_theirs_is_given() -> None:
    log = a_log(("Ada", DraftAction.EDIT), ("Ada", DraftAction.NOT_SURE))
    assert hides_log(log, "Bo")
    assert not hides_log(log, "Ada")
    both = [*log, *a_log(("Ada", DraftAction.EDIT), ("Ada", DraftAction.NOT_SURE), ("Bo", DraftAction.REJECT))[2:]]
    assert not hides_log(both, "Bo")
    assert not needs_second_view(both)


def test_a_not_sure_that_was_taken_back_needs_nobody() -> None:
    log = a_log(("Ada", DraftAction.NOT_SURE), ("Ada", DraftAction.UNDO, 1))
    assert not needs_second_view(log)
    assert review_status(log, "Bo") is ReviewStatus.WAITING


def test_people_differ_where_one_accepts_what_another_rejects() -> None:
    assert not has_disagreement(a_log(("Ada", DraftAction.NOT_SURE), ("Bo", DraftAction.ACCEPT)))
    log = a_log(("Ada", DraftAction.ACCEPT), ("Bo", DraftAction.UNDO, 1), ("Bo", DraftAction.REJECT))
    assert latest_views(log) == {"Ada": DraftAction.ACCEPT, "Bo": DraftAction.REJECT}
    assert has_disagreement(log)
    assert has_disagreement(a_log(("Ada", DraftAction.NOT_SURE), ("Bo", DraftAction.NOT_SURE)))


def test_a_change_of_ones_own_mind_is_no_disagreement() -> None:
    log = a_log(("Ada", DraftAction.ACCEPT), ("Ada", DraftAction.UNDO, 1), ("Ada", DraftAction.REJECT))
    assert latest_views(log) == {"Ada": DraftAction.REJECT}
    assert not has_disagreement(log)


# Word diffs ----------------------------------------------------------------------------------------------------------

TEXTS = st.text("ab ,.\n", max_size=40) | st.lists(st.sampled_from("the red tape is on a pallet".split())).map(" ".join)


@given(TEXTS, TEXTS)
def test_a_diff_loses_no_character_of_either_text(before: str, after: str) -> None:
    changes = diff_words(before, after)
    assert "".join(one.text for one in changes if one.kind != "in") == before
    assert "".join(one.text for one in changes if one.kind != "out") == after
    assert all(one.text for one in changes)


def test_a_diff_is_by_words() -> None:
    assert diff_words("Put red tape on it.", "Put a red tag on it.") == [
        WordChange("same", "Put"),
        WordChange("in", " a"),
        WordChange("same", " red "),
        WordChange("out", "tape"),
        WordChange("in", "tag"),
        WordChange("same", " on it."),
    ]
    assert diff_words("same words", "same words") == [WordChange("same", "same words")]
