"""Order of the review queue, second views and word diffs, without a store."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.builders import NOON

from patternmind.domain.drafts import Decision, DraftAction, DraftState, FlagKind
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


def build_log(*entries: tuple[str, DraftAction] | tuple[str, DraftAction, int]) -> list[Decision]:
    """Build a log of (person, action) entries; an undo also has the number of the undone entry, from 1."""
    log: list[Decision] = []
    for number, (by, action, *undone) in enumerate(entries, start=1):
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


def build_factors(n: int) -> dict[str, UncertaintyFactors]:
    return {f"d-{k:04d}": UncertaintyFactors(n_cases=1 + k % 9, n_teams=1 + k % 4, stability=0.9) for k in range(n)}


def test_uncertainty_grows_with_flags_few_cases_few_teams_and_an_unstable_theme() -> None:
    certain = UncertaintyFactors(n_cases=9, n_teams=5, stability=1.0)
    assert estimate_uncertainty(certain)[0] < 0.1
    for uncertain, reason in (
        (UncertaintyFactors(doubts=(FlagKind.WEAK_SUPPORT,), n_cases=9, n_teams=5, stability=1.0), "weak support"),
        (UncertaintyFactors(n_cases=1, n_teams=5, stability=1.0), "quotes from 1 case"),
        (UncertaintyFactors(n_cases=9, n_teams=1, stability=1.0), "theme covers 1 team"),
        (UncertaintyFactors(n_cases=9, n_teams=5, stability=0.3), "unstable theme"),
    ):
        value, reasons = estimate_uncertainty(uncertain)
        assert value > estimate_uncertainty(certain)[0]
        assert reasons == (reason,)


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=6), st.integers(1, 9), max_size=60), st.integers(0, 9))
def test_queue_lists_every_draft_once_most_uncertain_first_except_random_ones(
    n_cases: dict[str, int], seed: int
) -> None:
    queue = rank_drafts({id: UncertaintyFactors(n_cases=n) for id, n in n_cases.items()}, day=DAY, seed=seed)
    assert sorted(draft.draft_id for draft in queue) == sorted(n_cases)
    not_drawn = [draft.uncertainty for draft in queue if not draft.is_random]
    assert not_drawn == sorted(not_drawn, reverse=True)


def test_random_draw_takes_about_a_tenth_and_changes_daily() -> None:
    drafts = build_factors(1000)
    drawn = {draft.draft_id for draft in rank_drafts(drafts, day=DAY) if draft.is_random}
    assert 70 < len(drawn) < 130
    assert rank_drafts(drafts, day=DAY) == rank_drafts(dict(reversed(drafts.items())), day=DAY)
    assert drawn != {draft.draft_id for draft in rank_drafts(drafts, day=DAY + dt.timedelta(days=1)) if draft.is_random}
    assert drawn != {draft.draft_id for draft in rank_drafts(drafts, day=DAY, seed=1) if draft.is_random}


def test_random_drafts_are_spread_over_the_queue() -> None:
    queue = rank_drafts(build_factors(1000), day=DAY)
    positions = [position for position, draft in enumerate(queue) if draft.is_random]
    assert min(positions) < 100
    assert max(positions) > 900


def test_random_draw_does_not_change_while_other_drafts_are_decided() -> None:
    drafts = build_factors(200)
    drawn = {draft.draft_id for draft in rank_drafts(drafts, day=DAY) if draft.is_random}
    remaining = {id: draft for id, draft in drafts.items() if int(id[2:]) % 2}
    assert {draft.draft_id for draft in rank_drafts(remaining, day=DAY) if draft.is_random} == drawn & set(remaining)


# Second views --------------------------------------------------------------------------------------------------------


def test_review_status_depends_on_the_reviewer_when_a_reviewer_is_not_sure() -> None:
    log = build_log(("Ada", DraftAction.NOT_SURE))
    assert (review_status(log, "Ada"), review_status(log, "Bo")) == (ReviewStatus.ASKED, ReviewStatus.SECOND)
    assert review_status([], "Bo") is ReviewStatus.WAITING
    assert review_status(build_log(("Ada", DraftAction.EDIT)), "Bo") is ReviewStatus.WAITING
    assert review_status(build_log(("Ada", DraftAction.FLAG)), "Bo") is ReviewStatus.JAM
    assert review_status(build_log(("Ada", DraftAction.REJECT)), "Bo") is ReviewStatus.DECIDED


def test_log_is_hidden_from_the_second_reviewer_until_they_decide() -> None:
    log = build_log(("Ada", DraftAction.EDIT), ("Ada", DraftAction.NOT_SURE))
    assert hides_log(log, "Bo")
    assert not hides_log(log, "Ada")
    both = [*log, *build_log(("Ada", DraftAction.EDIT), ("Ada", DraftAction.NOT_SURE), ("Bo", DraftAction.REJECT))[2:]]
    assert not hides_log(both, "Bo")
    assert not needs_second_view(both)


def test_undone_not_sure_needs_no_second_view() -> None:
    log = build_log(("Ada", DraftAction.NOT_SURE), ("Ada", DraftAction.UNDO, 1))
    assert not needs_second_view(log)
    assert review_status(log, "Bo") is ReviewStatus.WAITING


def test_disagreement_is_accept_against_reject_or_two_not_sure() -> None:
    assert not has_disagreement(build_log(("Ada", DraftAction.NOT_SURE), ("Bo", DraftAction.ACCEPT)))
    log = build_log(("Ada", DraftAction.ACCEPT), ("Bo", DraftAction.UNDO, 1), ("Bo", DraftAction.REJECT))
    assert latest_views(log) == {"Ada": DraftAction.ACCEPT, "Bo": DraftAction.REJECT}
    assert has_disagreement(log)
    assert has_disagreement(build_log(("Ada", DraftAction.NOT_SURE), ("Bo", DraftAction.NOT_SURE)))


def test_changing_an_own_decision_is_not_a_disagreement() -> None:
    log = build_log(("Ada", DraftAction.ACCEPT), ("Ada", DraftAction.UNDO, 1), ("Ada", DraftAction.REJECT))
    assert latest_views(log) == {"Ada": DraftAction.REJECT}
    assert not has_disagreement(log)


# Word diffs ----------------------------------------------------------------------------------------------------------

TEXTS = st.text("ab ,.\n", max_size=40) | st.lists(st.sampled_from("the red tape is on a pallet".split())).map(" ".join)


@given(TEXTS, TEXTS)
def test_word_diff_keeps_every_character_of_both_texts(before: str, after: str) -> None:
    changes = diff_words(before, after)
    assert "".join(change.text for change in changes if change.kind != "in") == before
    assert "".join(change.text for change in changes if change.kind != "out") == after
    assert all(change.text for change in changes)


def test_word_diff_compares_words() -> None:
    assert diff_words("Put red tape on it.", "Put a red tag on it.") == [
        WordChange("same", "Put"),
        WordChange("in", " a"),
        WordChange("same", " red "),
        WordChange("out", "tape"),
        WordChange("in", "tag"),
        WordChange("same", " on it."),
    ]
    assert diff_words("same words", "same words") == [WordChange("same", "same words")]
