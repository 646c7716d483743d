"""What the review desk keeps: outlines, own decisions, reservations and uses, each of one network alone."""

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

ONE, TWO = build_case("c-1"), build_case("c-2")
LATER = NOON + dt.timedelta(minutes=15)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore(tmp_path / "patternmind.db")
    yield store
    store.close()


@pytest.fixture
def other(store: SqlStore) -> Iterator[SqlStore]:
    """Another network of the same database."""
    other = SqlStore(store.path, "other")
    yield other
    other.close()


def a_draft(id: str = "d-1") -> Draft:
    return Draft(
        id=id,
        kind=DraftKind.PATTERN,
        theme_id="t-1",
        name="Red tape on the goods",
        fields={},
        claims=(build_claim("problem", ONE), build_claim("solution", TWO), build_claim("solution", ONE)),
        provenance=Provenance(run_id="r-1"),
        flags=(Flag(doubt=FlagKind.WEAK_SUPPORT, reason="-"), Flag(doubt=FlagKind.NARROW, reason="-")),
    )


def a_decision(number: int, by: str, at: dt.datetime = NOON, draft_id: str = "d-1") -> Decision:
    before, after = DraftState.CANDIDATE, DraftState.IN_REVIEW
    return Decision(
        id=f"{draft_id}.{number}", draft_id=draft_id, action=DraftAction.FLAG, by=by, at=at, before=before, after=after
    )


def test_an_outline_says_what_a_queue_needs(store: SqlStore, other: SqlStore) -> None:
    store.save_drafts([a_draft()], NOON)
    decision = a_decision(1, "Ada")
    store.append_decision(decision, expected_version=0)
    assert store.draft_summaries() == [
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
    assert other.draft_summaries() == []


def test_a_persons_own_decisions_come_newest_first(store: SqlStore, other: SqlStore) -> None:
    store.save_drafts([a_draft(), a_draft("d-2")], NOON)
    mine = [a_decision(1, "Ada"), a_decision(1, "Ada", LATER, "d-2")]
    for one in (*mine, a_decision(2, "Bo", LATER)):
        store.append_decision(one, expected_version=int(one.id[-1]) - 1)
    assert store.recent_decisions("Ada", limit=5) == mine[::-1]
    assert store.recent_decisions("Ada", limit=1) == mine[1:]
    assert other.recent_decisions("Ada", limit=5) == []


def test_a_draft_is_held_for_one_at_a_time_until_it_lapses(store: SqlStore, other: SqlStore) -> None:
    hers = DraftReservation(draft_id="d-1", by="Ada", until=LATER)
    his = DraftReservation(draft_id="d-1", by="Bo", until=LATER + dt.timedelta(hours=1))
    assert store.reserve_draft(hers, NOON) == hers
    assert store.reserve_draft(his, NOON) == hers
    assert store.reservations(NOON) == [hers]
    assert other.reservations(NOON) == []
    assert store.reservations(LATER) == []
    assert store.reserve_draft(his, LATER) == his
    store.release_draft("d-1", "Ada")
    assert store.reservations(LATER) == [his]
    store.release_draft("d-1", "Bo")
    assert store.reservations(LATER) == []


def test_a_use_is_kept_once_and_stays_in_its_network(store: SqlStore, other: SqlStore) -> None:
    use = PatternUse(id="u-1", pattern_id="p-1", on=NOON.date(), team="Hall 3", note="It helped.", by="Ada", at=NOON)
    for _ in range(2):
        store.save_pattern_use(use)
    assert store.list_pattern_uses("p-1") == store.list_pattern_uses() == [use]
    assert store.list_pattern_uses("p-2") == other.list_pattern_uses() == []
