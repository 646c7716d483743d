"""Contract of the review queue's storage: summaries, own decisions, reservations and pattern uses."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fixtures.builders import NOON, build_case, build_claim

from patternmind.domain.drafts import (
    Decision,
    Draft,
    DraftAction,
    DraftKind,
    DraftReservation,
    DraftState,
    DraftSummary,
    Flag,
    FlagKind,
    PatternUse,
    Provenance,
)
from patternmind.storage import SqlStore

FIRST_CASE, SECOND_CASE = build_case("c-1"), build_case("c-2")
LATER = NOON + dt.timedelta(minutes=15)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore(tmp_path / "patternmind.db")
    yield store
    store.close()


@pytest.fixture
def other_store(store: SqlStore) -> Iterator[SqlStore]:
    """Store of another network in the same database."""
    other_store = SqlStore(store.path, "other")
    yield other_store
    other_store.close()


def make_draft(id: str = "d-1") -> Draft:
    return Draft(
        id=id,
        kind=DraftKind.PATTERN,
        theme_id="t-1",
        name="Red tape on the goods",
        fields={},
        claims=(
            build_claim("problem", FIRST_CASE),
            build_claim("solution", SECOND_CASE),
            build_claim("solution", FIRST_CASE),
        ),
        provenance=Provenance(run_id="r-1"),
        flags=(Flag(doubt=FlagKind.WEAK_SUPPORT, reason="-"), Flag(doubt=FlagKind.NARROW, reason="-")),
    )


def make_decision(number: int, by: str, at: dt.datetime = NOON, draft_id: str = "d-1") -> Decision:
    before, after = DraftState.CANDIDATE, DraftState.IN_REVIEW
    return Decision(
        id=f"{draft_id}.{number}", draft_id=draft_id, action=DraftAction.FLAG, by=by, at=at, before=before, after=after
    )


def test_draft_summaries_contain_flags_counts_and_decisions(store: SqlStore, other_store: SqlStore) -> None:
    store.drafts.save_all([make_draft()], NOON)
    decision = make_decision(1, "Ada")
    store.drafts.append_decision(decision, expected_version=0)
    assert store.drafts.summaries() == [
        DraftSummary(
            id="d-1",
            kind=DraftKind.PATTERN,
            theme_id="t-1",
            name="Red tape on the goods",
            flag_kinds=(FlagKind.NARROW, FlagKind.WEAK_SUPPORT),
            n_cases=2,
            decisions=(decision,),
        )
    ]
    assert other_store.drafts.summaries() == []


def test_recent_decisions_of_a_member_are_newest_first(store: SqlStore, other_store: SqlStore) -> None:
    store.drafts.save_all([make_draft(), make_draft("d-2")], NOON)
    own_decisions = [make_decision(1, "Ada"), make_decision(1, "Ada", LATER, "d-2")]
    for decision in (*own_decisions, make_decision(2, "Bo", LATER)):
        store.drafts.append_decision(decision, expected_version=int(decision.id[-1]) - 1)
    assert store.drafts.recent_decisions("Ada", limit=5) == own_decisions[::-1]
    assert store.drafts.recent_decisions("Ada", limit=1) == own_decisions[1:]
    assert other_store.drafts.recent_decisions("Ada", limit=5) == []


def test_reservation_excludes_other_reviewers_until_it_lapses(store: SqlStore, other_store: SqlStore) -> None:
    first = DraftReservation(draft_id="d-1", by="Ada", until=LATER)
    second = DraftReservation(draft_id="d-1", by="Bo", until=LATER + dt.timedelta(hours=1))
    assert store.drafts.reserve(first, NOON) == first
    assert store.drafts.reserve(second, NOON) == first
    assert store.drafts.reservations(NOON) == [first]
    assert other_store.drafts.reservations(NOON) == []
    assert store.drafts.reservations(LATER) == []
    assert store.drafts.reserve(second, LATER) == second
    store.drafts.release("d-1", "Ada")
    assert store.drafts.reservations(LATER) == [second]
    store.drafts.release("d-1", "Bo")
    assert store.drafts.reservations(LATER) == []


def test_pattern_use_is_stored_once_in_its_network(store: SqlStore, other_store: SqlStore) -> None:
    use = PatternUse(id="u-1", pattern_id="p-1", on=NOON.date(), team="Hall 3", note="It helped.", by="Ada", at=NOON)
    for _ in range(2):
        store.drafts.save_pattern_use(use)
    assert store.drafts.pattern_uses("p-1") == store.drafts.pattern_uses() == [use]
    assert store.drafts.pattern_uses("p-2") == other_store.drafts.pattern_uses() == []
